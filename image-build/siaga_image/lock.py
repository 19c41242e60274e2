"""Reads requirements.lock: which Python packages, in which version, with which hashes."""

import dataclasses
import re
from pathlib import Path

# Compiled, and nobody publishes a wheel of them for Linux: Debian's own packages, seen by --system-site-packages.
FROM_DEBIAN = {"pyaudio": "python3-pyaudio", "systemd-python": "python3-systemd"}
# No wheel for Debian's Python: compiled by the build's own (cross) compiler, from the source that the lock names.
COMPILED = ("lgpio",)
# They install packages; nothing is installed on a box.
LEFT_OUT = ("pip", "setuptools")


@dataclasses.dataclass(frozen=True)
class Locked:
    """One package of the lock. `hashes` are sha256 of each file that may be taken for it."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def requirement(self) -> str:
        """As pip reads it, without conditions: those would be asked of this machine, not of the box."""
        return " \\\n".join([f"{self.name}=={self.version}", *(f"    --hash=sha256:{hash}" for hash in self.hashes)])


def read(path: Path) -> list[Locked]:
    """Every package in `path`, in its order. Raises ValueError for one without a hash."""
    found: list[tuple[str, str, list[str]]] = []
    for line in path.read_text().splitlines():
        if head := re.match(r"([a-z0-9.-]+)==([^\s;]+)", line):
            found.append((head[1], head[2], []))
        elif hash := re.search(r"--hash=sha256:([0-9a-f]{64})", line):
            found[-1][2].append(hash[1])
    packages = [Locked(name, version, tuple(hashes)) for name, version, hashes in found]
    if bare := [package.name for package in packages if not package.hashes]:
        raise ValueError(f"{path}: no hash for {', '.join(bare)}. Next: make lock.")
    return packages


def wheels(packages: list[Locked]) -> list[Locked]:
    """Those that come as wheels."""
    other = {*FROM_DEBIAN, *COMPILED, *LEFT_OUT}
    return [package for package in packages if package.name not in other]

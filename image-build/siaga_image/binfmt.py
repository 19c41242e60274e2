"""Lets this machine run another architecture's programs for as long as a step takes, and undoes what it did."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from siaga_image.steps import BuildFailed

FOLDER = Path("/proc/sys/fs/binfmt_misc")
CONFIGURED = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")  # qemu-user-static brings it


def check(arch: str, host_arch: str) -> None:
    """Raises BuildFailed where this machine could not run them, before anything was built."""
    if arch == host_arch:
        return
    if arch != "arm64":
        raise BuildFailed(f"There is no way here to run {arch} programs on {host_arch}. Next: build on {arch}.")
    if not CONFIGURED.exists():
        raise BuildFailed(f"{CONFIGURED} is missing. Next: apt-get install qemu-user-static.")


@contextlib.contextmanager
def registered(arch: str, host_arch: str) -> Iterator[None]:
    """arm64 programs run inside, on a machine that `check` found able. Raises BuildFailed where its kernel is not."""
    if arch == host_arch:
        yield
        return
    mounted = not (FOLDER / "register").exists()
    if mounted:
        done = subprocess.run(
            ["mount", "-t", "binfmt_misc", "binfmt_misc", str(FOLDER)], capture_output=True, text=True
        )
        if done.returncode != 0:
            raise BuildFailed(
                f"This kernel has no binfmt_misc: {done.stderr.strip()}. Next: modprobe binfmt_misc, or build on arm64."
            )
    entry = FOLDER / "qemu-aarch64"
    added = not entry.exists()
    try:
        if added:
            (FOLDER / "register").write_text(CONFIGURED.read_text().strip())
        yield
    finally:
        if added and entry.exists():
            entry.write_text("-1")
        if mounted:
            subprocess.run(["umount", str(FOLDER)], check=False)

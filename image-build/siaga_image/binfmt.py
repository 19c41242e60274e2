"""Lets this machine run another architecture's programs for as long as a step takes, and undoes what it did."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from siaga_image.steps import BuildFailed

FOLDER = Path("/proc/sys/fs/binfmt_misc")
CONFIGURED = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")  # qemu-user-static brings it


@contextlib.contextmanager
def registered(arch: str, host_arch: str) -> Iterator[None]:
    """arm64 programs run inside, `needs.check` found qemu-user-static. Raises BuildFailed where the kernel cannot."""
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

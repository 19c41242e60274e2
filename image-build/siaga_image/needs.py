"""What a build needs of the machine it runs on, asked before anything is built."""

import shutil

from siaga_image import binfmt
from siaga_image.steps import BuildFailed


def check(arch: str, host_arch: str) -> None:
    """Raises BuildFailed with every Debian package that is missing, or where `arch` cannot be built here at all."""
    lacking = [] if shutil.which("mmdebstrap") else ["mmdebstrap"]
    if arch != host_arch:
        if arch != "arm64":
            raise BuildFailed(f"There is no way here to run {arch} programs on {host_arch}. Next: build on {arch}.")
        lacking += [] if shutil.which("arch-test") else ["arch-test"]
        lacking += [] if binfmt.CONFIGURED.exists() else ["qemu-user-static"]
    if lacking:
        raise BuildFailed(f"This machine has no {', no '.join(lacking)}. Next: apt-get install {' '.join(lacking)}")

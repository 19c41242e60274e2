"""The build's own Debian: e2fsprogs, mtools, rauc and a compiler in versions that this machine need not have.

Its folder `stage` is where the build works; commands run in it by chroot, and nothing is mounted.
"""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from siaga_image import mirror
from siaga_image.profile import HERE, Profile, names
from siaga_image.steps import Steps

NETWORK = "Next: see that the network and apt's configuration are right (apt-get update), then make image again."


class Tools:
    """A chroot below the cache. `stage` is `/stage` within."""

    def __init__(self, root: Path, steps: Steps) -> None:
        self.root, self.stage, self._steps = root, root / "stage", steps

    def run(
        self, command: Sequence[str], *, cwd: str = "/stage", input: bytes | None = None, **environment: str
    ) -> None:
        """Run `command` within. Raises BuildFailed."""
        chroot = ["chroot", str(self.root), "env", f"--chdir={cwd}", *command]
        self._steps.run(
            chroot,
            next="Next: read the log; this is a fault of the build.",
            input=input,
            environment={"LC_ALL": "C.UTF-8", **environment},
        )


def prepare(profile: Profile, cache: Path, host_arch: str, steps: Steps) -> Tools:
    """The tools, made anew when their list has changed. Only those for ARM have its compiler and firmware in them."""
    wanted = names(HERE / "packages" / "tools.list")
    arm = profile.arch == "arm64"
    cross = arm and host_arch != "arm64"
    if cross:
        wanted += ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "libpython3-dev:arm64"]
    hook = HOOK.format(names=" ".join(FIRMWARE)) if arm else ""
    key = hashlib.sha256("\n".join([*wanted, host_arch, hook]).encode()).hexdigest()[:12]
    root = cache / f"tools-{key}"
    tools = Tools(root, steps)
    if (root / "made").exists():
        tools.stage.mkdir(exist_ok=True)
        return tools
    shutil.rmtree(root, ignore_errors=True)
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory"]
    command += [f"--architectures={host_arch}" + (",arm64" if cross else "")]
    command += [f"--include={','.join(wanted)}"]
    command += [f"--customize-hook={hook}"] if hook else []
    command += [mirror.SUITE, str(root), "-"]
    with steps.step(f"The build's own tools for {profile.arch}, once"):
        steps.run(command, next=NETWORK, input=mirror.sources().encode())
    tools.stage.mkdir(exist_ok=True)
    (root / "made").write_text("\n".join(wanted))
    return tools


FIRMWARE = ("raspi-firmware", "u-boot-rpi:arm64", "u-boot-qemu")
# Firmware and U-Boot are unpacked, not installed: their scripts would write to a /boot/firmware that is not there.
HOOK = (
    'set -e; mkdir -p "$1/firmware/debs"; cd "$1/firmware/debs"; '
    "APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get download {names}; "
    'for deb in *.deb; do dpkg-deb -x "$deb" ..; done; sha256sum *.deb > ../SHA256SUMS'
)

"""The FAT partition: a Pi's firmware, U-Boot with boot.scr, overlays, config.txt, and an appliance.toml to fill in."""

import shutil
import subprocess
from pathlib import Path

from siaga_image import bootstate, layout
from siaga_image.profile import HERE, ROOT, Profile
from siaga_image.steps import BuildFailed
from siaga_image.tools import Tools

CMDLINE = "ro rootwait panic=10"  # where the repository has no firmware-config/boot/cmdline.txt


def cmdline() -> str:
    file = ROOT / "firmware-config/boot/cmdline.txt"
    return file.read_text().strip() if file.exists() else CMDLINE


def script(profile: Profile) -> str:
    """boot.scr before mkimage."""
    text = (HERE / "boot/boot.scr.txt").read_text()
    first, second = layout.STATE_OFFSETS
    values = {
        "FIRST": f"{first // layout.SECTOR:#x}",
        "SECOND": f"{second // layout.SECTOR:#x}",
        "SECTORS": f"{layout.STATE_SIZE // layout.SECTOR:#x}",
        "SIZE": f"{layout.STATE_SIZE:#x}",
        "TRIES": str(bootstate.TRIES),
        "ROOT_A": layout.partuuid(layout.ROOTS[0]),
        "ROOT_B": layout.partuuid(layout.ROOTS[1]),
        "CONSOLE": profile.console,
        "CMDLINE": cmdline(),
    }
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def fill(folder: Path, profile: Profile, tree: Path, tools: Tools, epoch: int) -> None:
    """Put into `folder` of the stage what the profile's board starts from."""
    boot = ROOT / "firmware-config/boot"
    for name in ("appliance.example.toml",):
        if (boot / name).exists():
            shutil.copyfile(boot / name, folder / name)
    if profile.boot == "u-boot":
        (tools.stage / "boot.txt").write_text(script(profile))
        within = f"/stage/{folder.relative_to(tools.stage)}"
        tools.run(
            [
                "mkimage",
                "-q",
                "-A",
                "arm64",
                "-T",
                "script",
                "-C",
                "none",
                "-n",
                "Siaga",
                "-d",
                "/stage/boot.txt",
                f"{within}/boot.scr",
            ],
            SOURCE_DATE_EPOCH=str(epoch),
        )
    if not profile.firmware:
        (folder / "siaga.txt").write_text("Siaga, for QEMU. docs/image.md\n")
        return
    unpacked = tools.root / "firmware"
    for name in profile.firmware:
        shutil.copyfile(unpacked / "usr/lib/raspi-firmware" / name, folder / name)
    if profile.boot == "u-boot":
        shutil.copyfile(unpacked / "usr/lib/u-boot/rpi_arm64/u-boot.bin", folder / "u-boot.bin")
    device_trees(folder, profile, tree)
    if (boot / "config.txt").exists():
        shutil.copyfile(boot / "config.txt", folder / "config.txt")
    overlays(folder / "overlays", tools)


def device_trees(folder: Path, profile: Profile, tree: Path) -> None:
    """Those of the kernel in `tree`. Raises BuildFailed where one is missing: that board would not start."""
    for pattern in profile.device_trees:
        found = sorted(tree.glob(f"usr/lib/linux-image-*/broadcom/{pattern}"))
        if not found:
            raise BuildFailed(
                f"The kernel has no device tree {pattern}. Next: see what the base has below usr/lib/linux-image-*, and"
                f" change device_trees in image-build/profiles/{profile.name}.toml."
            )
        for dtb in found:
            shutil.copyfile(dtb, folder / dtb.name)


def overlays(to: Path, tools: Tools) -> None:
    """Compile firmware-config/overlays/NAME.dts to NAME.dtbo."""
    to.mkdir()
    for source in sorted((ROOT / "firmware-config/overlays").glob("*.dts")):
        compiled = ["chroot", str(tools.root), "dtc", "-@", "-I", "dts", "-O", "dtb"]
        octets = subprocess.run(compiled, input=source.read_bytes(), capture_output=True, check=True).stdout
        (to / f"{source.stem}.dtbo").write_bytes(octets)

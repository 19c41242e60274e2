"""A Raspberry Pi 5's disk from a tree: SIAGA-BOOT, slot A's boot partition with kernel and device trees, its root."""

import shutil
from pathlib import Path

from siaga_image import bootfiles, disk, layout, tryboot
from siaga_image.profile import ROOT, Profile
from siaga_image.tools import Tools

SLOT_LABEL = "SIAGA-SLOT"
# On boards of revision D0 the firmware asks for the second name; Debian calls the tree by the first.
D0 = ("bcm2712-d-rpi-5-b.dtb", "bcm2712d0-rpi-5-b.dtb")
EXAMPLE = "appliance.example.toml"


def make(tools: Tools, root: str, to: str, profile: Profile, tree: Path, epoch: int) -> None:
    """`to` with `root` in slot A, both in the stage; there also `slot.fat`, the boot partition of either slot."""
    disk.ext4(tools, None, "data.ext4", tryboot.DATA, epoch)
    chooser = disk.empty(tools.stage / "boot")
    (chooser / "autoboot.txt").write_text(tryboot.autoboot("A"))
    shutil.copyfile(ROOT / "firmware-config/boot" / EXAMPLE, chooser / EXAMPLE)
    disk.fat(tools, "boot", "boot.fat", tryboot.BOOT, epoch, serial=tryboot.DISK_ID + 1)
    folder = disk.empty(tools.stage / "slot")
    fill(folder, profile, tree)
    bootfiles.overlays(folder / "overlays", tools)
    one = tryboot.SLOT_BOOTS[0]
    disk.fat(tools, "slot", "slot.fat", one, epoch, label=SLOT_LABEL, serial=tryboot.DISK_ID + 2)
    parts = [(tryboot.BOOT, "boot.fat"), (one, "slot.fat"), (tryboot.ROOTS[0], root), (tryboot.DATA, "data.ext4")]
    disk.assemble(tools, to, parts, b"", table=tryboot.sfdisk(), mib=tryboot.DISK_MIB)


def fill(folder: Path, profile: Profile, tree: Path) -> None:
    """What the firmware reads of a slot, but for overlays. cmdline.txt is slot A's; the bundle's hook changes it."""
    shutil.copyfile(ROOT / "firmware-config/boot/config.txt", folder / "config.txt")
    for kind in ("vmlinuz", "initrd.img"):
        shutil.copyfile((tree / "boot" / kind).resolve(), folder / kind)
    bootfiles.device_trees(folder, profile, tree)
    shutil.copyfile(folder / D0[0], folder / D0[1])
    for slot in layout.SLOTS:
        (folder / f"cmdline-{slot}.txt").write_text(tryboot.cmdline(profile, slot))
    shutil.copyfile(folder / "cmdline-A.txt", folder / "cmdline.txt")

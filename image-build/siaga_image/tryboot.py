"""A Raspberry Pi 5's disk: what lies where, and what the firmware, RAUC and Linux are told of it. Pure; sizes in MiB.

The firmware reads autoboot.txt of the first partition, and the rest from the boot partition that it names: 2 or 3. Why
a table of 1983 with an extended partition: docs/decisions/0074.
"""

from siaga_image import bootfiles, layout
from siaga_image.layout import MIB, SECTOR, SLOTS, Partition
from siaga_image.profile import Profile

DISK_ID = 0x51A6A050
BOOT = Partition("boot", 4, 64, "c")
# Kernel and initramfs are 63 MiB of it today. One behind the other and in order: EEPROMs have stumbled over others.
SLOT_BOOTS = (Partition("boot-a", 68, 192, "c"), Partition("boot-b", 260, 192, "c"))
# Logical partitions, for Linux alone: each has a table of its own in the MiB before it.
ROOTS = (Partition("root-a", 453, 1024, "83"), Partition("root-b", 1478, 1024, "83"))
DATA = Partition("data", 2503, 64, "83")
DISK_MIB = DATA.start + DATA.size
EXTENDED = Partition("extended", 452, DISK_MIB - 452, "5")
PARTITIONS = (BOOT, *SLOT_BOOTS, EXTENDED, *ROOTS, DATA)
BACKEND = "/usr/libexec/siaga/tryboot.py"


def number(partition: Partition) -> int:
    return PARTITIONS.index(partition) + 1


def partuuid(partition: Partition) -> str:
    """How Linux names it, whatever the disk is called."""
    return f"{DISK_ID:08x}-{number(partition):02d}"


def sfdisk() -> str:
    """The script that makes the table."""
    lines = ["label: dos", f"label-id: {DISK_ID:#010x}", "unit: sectors"]
    for partition in PARTITIONS:
        start, size = partition.start * MIB // SECTOR, partition.size * MIB // SECTOR
        lines.append(f"{number(partition)} : start={start}, size={size}, type={partition.kind}")
    return "\n".join(lines) + "\n"


def autoboot(slot: str) -> str:
    """autoboot.txt for a box that starts `slot`, and the other one for a trial. The box writes it by BACKEND."""
    first, trial = (number(SLOT_BOOTS[index]) for index in ((0, 1) if slot == "A" else (1, 0)))
    return f"[all]\ntryboot_a_b=1\nboot_partition={first}\n[tryboot]\nboot_partition={trial}\n"


def cmdline(profile: Profile, slot: str) -> str:
    """cmdline.txt: one line."""
    root, boot = (partuuid(parts[SLOTS.index(slot)]) for parts in (ROOTS, SLOT_BOOTS))
    # The root file system is the same in both slots: only this line can say which config.txt is its own.
    mount = f"systemd.mount-extra=PARTUUID={boot}:/boot/slot:vfat:ro,nofail,umask=0077"
    return f"root=PARTUUID={root} rauc.slot={slot} {mount} console={profile.console} {bootfiles.cmdline()}\n"


def rauc(profile: Profile) -> str:
    """/etc/rauc/system.conf: a slot is a root and the boot partition that belongs to it."""
    lines = [*layout.rauc_head(profile, "custom"), "", "[handlers]", f"bootloader-custom-backend={BACKEND}"]
    for index, slot in enumerate(SLOTS):
        root, boot = (f"/dev/disk/by-partuuid/{partuuid(parts[index])}" for parts in (ROOTS, SLOT_BOOTS))
        lines += ["", f"[slot.rootfs.{index}]", f"device={root}", "type=ext4", f"bootname={slot}"]
        lines += ["", f"[slot.boot.{index}]", f"device={boot}", "type=vfat", f"parent=rootfs.{index}"]
    return "\n".join(lines) + "\n"

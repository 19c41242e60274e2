"""What lies where on the disk, and what U-Boot, RAUC and Linux are told of it. Pure; sizes in MiB."""

import dataclasses

from siaga_image.profile import Profile

MIB = 1024 * 1024
# Four primary partitions: every Pi's EEPROM reads such a table. The boot state lies before the first of them.
DISK_ID = 0x51A6A000
STATE_OFFSETS = (1 * MIB, 2 * MIB)
STATE_SIZE = 0x4000
SECTOR = 512
SLOTS = ("A", "B")


@dataclasses.dataclass(frozen=True)
class Partition:
    """`start` and `size` in MiB; `kind` as sfdisk names it."""

    name: str
    start: int
    size: int
    kind: str


BOOT = Partition("boot", 4, 256, "c")
ROOTS = (Partition("root-a", 260, 1024, "83"), Partition("root-b", 1284, 1024, "83"))
DATA = Partition("data", 2308, 64, "83")
PARTITIONS = (BOOT, *ROOTS, DATA)
DISK_MIB = DATA.start + DATA.size


def partuuid(partition: Partition) -> str:
    """How Linux names it, whatever the disk is called."""
    return f"{DISK_ID:08x}-{PARTITIONS.index(partition) + 1:02d}"


def sfdisk() -> str:
    """The script that makes the table."""
    lines = ["label: dos", f"label-id: {DISK_ID:#010x}", "unit: sectors"]
    for partition in PARTITIONS:
        bootable = ", bootable" if partition is BOOT else ""
        start, size = partition.start * MIB // SECTOR, partition.size * MIB // SECTOR
        lines.append(f"start={start}, size={size}, type={partition.kind}{bootable}")
    return "\n".join(lines) + "\n"


def rauc(profile: Profile) -> str:
    """/etc/rauc/system.conf. With no boot loader that counts there is nothing to update."""
    head = rauc_head(profile, "uboot" if profile.boot == "u-boot" else "noop")
    for number, (slot, partition) in enumerate(zip(SLOTS, ROOTS, strict=True)):
        head += ["", f"[slot.rootfs.{number}]", f"device=/dev/disk/by-partuuid/{partuuid(partition)}", "type=ext4"]
        head += [f"bootname={slot}"]
    return "\n".join(head) + "\n"


def rauc_head(profile: Profile, bootloader: str) -> list[str]:
    """What does not depend on the slots."""
    return [
        "[system]",
        f"compatible={profile.compatible}",
        f"bootloader={bootloader}",
        "statusfile=/data/rauc/status",
        "mountprefix=/run/rauc",
        "bundle-formats=plain",
        "max-bundle-download-size=1073741824",
        "",
        "[keyring]",
        "path=/etc/rauc/keyring.pem",
        # A box without a clock must take an update all the same, and an old bundle does not turn bad.
        "use-bundle-signing-time=true",
    ]


def boot_state_files(profile: Profile) -> dict[str, str]:
    """Where fw_setenv finds the state: one file a copy, and the first of them for fw_printenv."""
    rows = [f"/dev/siaga-disk {offset:#x} {STATE_SIZE:#x}\n" for offset in STATE_OFFSETS]
    return {
        "etc/siaga-boot-state/first": rows[0],
        "etc/siaga-boot-state/second": rows[1],
        "etc/fw_env.config": rows[0],
        # The disk that the boot partition is on, by a name that does not depend on the board.
        "usr/lib/udev/rules.d/60-siaga-disk.rules": (
            'SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", '
            f'ENV{{ID_PART_TABLE_UUID}}=="{DISK_ID:08x}", SYMLINK+="siaga-disk"\n'
        ),
    }

"""The boards that QEMU stands in for: how each is started, and how it says what hangs on it.

The image stays as it is. A PC says it by its firmware's table of credentials, from which systemd takes units and
drop-ins; an ARM board by its device tree. Both get a header of 54 lines by gpio-sim, and the revision number of a Pi 4,
without which gpiozero takes no board for one.
"""

import base64
import dataclasses
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.image.card import Card, Image

PI_4 = 0xC03112  # revision of a Raspberry Pi 4B of 4 GB
LINES = 54  # a header's chip has so many
U_BOOT = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
HEADER = "/gpio-sim.0"
CPUINFO = "/run/board/cpuinfo"
# What a board of silicon has before Linux is up.
BOARD = f"""[Unit]
DefaultDependencies=no
After=systemd-modules-load.service sys-kernel-config.mount
Wants=sys-kernel-config.mount
Before=siaga-annunciator.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -ec 'mkdir -p /run/board; \\
  {{ cat /proc/cpuinfo; printf "Revision\\\\t: {PI_4:x}\\\\n"; }} > {CPUINFO}; \\
  modprobe gpio-sim; cd /sys/kernel/config/gpio-sim; mkdir -p header/bank; echo {LINES} > header/bank/num_lines; \\
  echo 1 > header/live; udevadm settle --timeout=30 --exit-if-exists=/dev/siaga/header'
"""
NEEDS_BOARD = f"[Unit]\nWants=b.service\nAfter=b.service\n[Service]\nBindReadOnlyPaths={CPUINFO}:/proc/cpuinfo\n"
# Emulated, a second of a board takes ten: what would be a fault there is none here.
SLOW = "[Service]\nTimeoutStartSec=600\n"
PATIENT = "[Service]\nWatchdogSec=60\n"
ANNUNCIATOR, AUDIO = "siaga-annunciator.service", "siaga-audio.service"


@dataclasses.dataclass(frozen=True)
class Board:
    """`command` starts it; the machine adds the console, the network and what hangs on USB."""

    program: str
    command: Sequence[str]


def board(image: Image, card: Card, folder: Path) -> Board:
    """The board that `image` was built for. `folder` holds what QEMU reads besides the card."""
    return _pc(image, card) if image.arch == "amd64" else _arm(card, folder)


def missing(image: Image | None) -> str:
    """Why no board can be started here; empty where it can."""
    if image is None:
        return "no image is built. Next: make image, with this profile"
    program = "qemu-system-x86_64" if image.arch == "amd64" else "qemu-system-aarch64"
    for needed in (program, "debugfs", "mcopy", *(("dtc", "fdtput") if image.arch == "arm64" else ())):
        if not shutil.which(needed):
            return f"{needed} is missing. Next: apt-get install {_package(needed)}"
    if image.arch == "arm64" and not U_BOOT.exists():
        return f"{U_BOOT} is missing. Next: apt-get install u-boot-qemu"
    return ""


def _package(program: str) -> str:
    table = {"qemu-system-x86_64": "qemu-system-x86", "qemu-system-aarch64": "qemu-system-arm", "debugfs": "e2fsprogs"}
    return table.get(program, "mtools" if program == "mcopy" else "device-tree-compiler")


def _disk(card: Card) -> list[str]:
    return ["-drive", f"file={card.path},if=none,id=disk0,format=raw", "-device", "virtio-blk-pci,drive=disk0"]


def _pc(image: Image, card: Card) -> Board:
    credentials = {
        "systemd.extra-unit.b.service": BOARD,
        "systemd.unit-dropin.siaga-.service": SLOW,
        f"systemd.unit-dropin.{ANNUNCIATOR}": NEEDS_BOARD + PATIENT,
        f"systemd.unit-dropin.{AUDIO}": PATIENT,
    }
    told = []
    for name, text in credentials.items():
        value = base64.b64encode(text.encode()).decode()
        told += ["-smbios", f"type=11,value=io.systemd.credential.binary:{name}={value}"]
    root = "PARTUUID=51a6a000-02"
    append = f"root={root} ro console=ttyS0,115200 panic=10 systemd.show_status=1"
    machine = ["-machine", "pc", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "1024"]
    start = ["-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", append]
    return Board("qemu-system-x86_64", [*machine, *start, *told, *_disk(card), "-device", "i6300esb"])


def _arm(card: Card, folder: Path) -> Board:
    machine = ["-machine", "virt", "-accel", "tcg,thread=multi", "-cpu", "cortex-a72", "-smp", "2", "-m", "1024"]
    machine += ["-bios", str(U_BOOT)]  # with firmware the board has no GPIO chip of its own
    disk = [*_disk(card), "-device", "i6300esb"]
    tree = folder / "board.dtb"
    dump = ["qemu-system-aarch64", *machine, "-machine", f"dumpdtb={tree}", "-display", "none"]
    subprocess.run(dump, check=True, capture_output=True)
    for words in (
        ["-t", "x", tree, "/system", "linux,revision", f"{PI_4:x}"],
        ["-t", "s", tree, HEADER, "compatible", "gpio-simulator"],
        ["-t", "u", tree, f"{HEADER}/bank", "ngpios", str(LINES)],
        ["-t", "u", tree, f"{HEADER}/bank", "#gpio-cells", "2"],
    ):
        subprocess.run(["fdtput", "-p", *map(str, words)], check=True)
    subprocess.run(["fdtput", str(tree), f"{HEADER}/bank", "gpio-controller"], check=True)
    return Board("qemu-system-aarch64", [*machine, "-dtb", str(tree), *disk])


def raspi3b(image: Image, card: Card, folder: Path) -> Board:
    """A Raspberry Pi 3, by the image's own kernel, initramfs and device tree: QEMU has none of its firmware."""
    version = next(name for name in image.listing("/usr/lib") if name.startswith("linux-image-"))
    files = {
        "kernel": f"/boot/vmlinuz-{version.removeprefix('linux-image-')}",
        "initrd": f"/boot/initrd.img-{version.removeprefix('linux-image-')}",
        "dtb": f"/usr/lib/{version}/broadcom/bcm2837-rpi-3-b.dtb",
    }
    words = [word for name, path in files.items() for word in (f"-{name}", str(image.file(path, folder / name)))]
    append = "root=PARTUUID=51a6a000-02 ro console=ttyS1,115200 modprobe.blacklist=vchiq panic=10"
    append += " systemd.watchdog_sec=0"  # QEMU's does not count: it resets the board as soon as it is set
    disk = ["-drive", f"file={card.path},if=sd,format=raw"]
    return Board("qemu-system-aarch64", ["-machine", "raspi3b", "-accel", "tcg", *words, "-append", append, *disk])

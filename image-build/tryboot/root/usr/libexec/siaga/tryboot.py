#!/usr/bin/python3 -I
"""RAUC's way to a Raspberry Pi 5's firmware (bootloader=custom): which slot starts, and which is only tried.

autoboot.txt of SIAGA-BOOT names the slot that starts. The other one is started once, for a trial, when the firmware has
been asked for it by the kernel module siaga_tryboot; whatever ends a trial, the next start is the named slot's again.
A slot that runs and is marked good becomes the named one. Tests have a box's files below --root.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PARTITIONS = {"A": 2, "B": 3}  # the firmware's numbers of the slots' boot partitions
OTHER = {"A": "B", "B": "A"}
MODULE = "siaga_tryboot"
WITHIN = 20.0  # s, for one command


class Refused(Exception):
    """It was not done. The text says why, and what to do next."""


class Box:
    """One box's files, by their places below `root`."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "boot/firmware"
        self.file = self.folder / "autoboot.txt"
        self.command_line = root / "proc/cmdline"
        self.loaded = root / "sys/module" / MODULE
        self.module = root / "usr/lib/modules" / os.uname().release / "siaga" / f"{MODULE}.ko"

    def reach(self) -> None:
        """A card that was slow at the start is not mounted then, and later it is wanted all the same."""
        if not self.file.exists() and not self.folder.is_mount():
            run(f"{self.folder} is not mounted", "mount", str(self.folder))

    def running(self) -> str:
        found = re.search(r"(?:^|\s)rauc\.slot=([AB])(?:\s|$)", self.command_line.read_text())
        if not found:
            raise Refused("This box was not started from a slot: there is no rauc.slot= in /proc/cmdline.")
        return found[1]

    def named(self) -> str | None:
        """The slot that autoboot.txt starts; None where the file does not say it."""
        try:
            read = self.file.read_text("ascii")
        except (OSError, UnicodeDecodeError):
            return None
        return next((slot for slot in PARTITIONS if read == autoboot(slot)), None)

    def armed(self) -> bool:
        return self.loaded.exists()

    def surely_named(self) -> str:
        if named := self.named():
            return named
        raise Refused(f"{self.file} does not say what starts. Next: rauc status mark-good writes it anew.")

    def primary(self) -> str:
        named = self.surely_named()
        return OTHER[named] if self.armed() else named

    def set_primary(self, slot: str) -> None:
        if slot == self.surely_named():
            self.disarm()
        elif not self.armed():
            run(f"{MODULE} was not loaded, so the update cannot be tried", "insmod", str(self.module))

    def disarm(self) -> None:
        if self.armed():
            run(f"{MODULE} was not taken out: the next start is a trial", "rmmod", MODULE)

    def good(self, slot: str) -> bool:
        return slot in (self.named(), self.running()) or (self.armed() and slot == self.primary())

    def set_good(self, slot: str) -> None:
        if slot != self.running():
            raise Refused(
                f"Slot {slot} does not run: nothing is known of it. Next: rauc status mark-active, a restart."
            )
        if slot != self.named():
            with writable(self.folder):
                replace(self.file, autoboot(slot))

    def set_bad(self, slot: str) -> None:
        """RAUC says so of a slot before it writes it, and of the one that runs when it is given up."""
        if slot != self.surely_named():
            self.disarm()
        elif slot == self.running():
            self.set_primary(OTHER[slot])  # tried, not named: perhaps nothing is in it
        else:
            raise Refused(
                f"Slot {slot} is the one that starts, also after a power cut: it stays as it is. Next: wait until"
                " siaga-mark-good has judged the slot that is on trial, or restart."
            )


def autoboot(slot: str) -> str:
    first, trial = PARTITIONS[slot], PARTITIONS[OTHER[slot]]
    return f"[all]\ntryboot_a_b=1\nboot_partition={first}\n[tryboot]\nboot_partition={trial}\n"


def replace(file: Path, text: str) -> None:
    """A power cut leaves the old or the new one, also on FAT (docs/decisions/0078): it keeps a file's place with its
    name, which the file's own sync writes, and frees the old file's place at its last handle's close."""
    new = file.with_suffix(".new")
    held = os.open(file, os.O_PATH) if file.exists() else None
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            os.write(handle, text.encode("ascii"))
            os.fsync(handle)
            sync(file.parent)
            os.replace(new, file)  # noqa: PTH105 - the tests cut the power at each of os's own calls
            os.fsync(handle)
            sync(file.parent)
        finally:
            os.close(handle)
    finally:
        if held is not None:
            os.close(held)


def sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def writable(folder: Path) -> Iterator[None]:
    """The FAT partition is mounted read-only; as it was afterwards."""
    was_readonly = bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    if was_readonly:
        run(f"{folder} cannot be written", "mount", "-o", "remount,rw", str(folder))
    try:
        yield
    finally:
        if was_readonly:
            run(f"{folder} stays writable", "mount", "-o", "remount,ro", str(folder))


def run(what: str, *command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN, check=False)
    except (OSError, subprocess.TimeoutExpired) as e:
        raise Refused(f"{what}: {e}") from e
    if done.returncode:
        raise Refused(f"{what}: {' '.join(command)}: {done.stderr.strip()}")


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("/"), help=argparse.SUPPRESS)
    orders = parser.add_subparsers(dest="order", required=True)
    for name in ("get-primary", "get-current", "set-primary", "get-state", "set-state"):
        order = orders.add_parser(name)
        if name not in ("get-primary", "get-current"):
            order.add_argument("slot", choices=sorted(PARTITIONS))
        if name == "set-state":
            order.add_argument("state", choices=("good", "bad"))
    asked = parser.parse_args(words)
    box = Box(asked.root)
    try:
        box.reach()
        match asked.order:
            case "get-primary":
                print(box.primary())
            case "get-current":
                print(box.running())
            case "get-state":
                print("good" if box.good(asked.slot) else "bad")
            case "set-primary":
                box.set_primary(asked.slot)
            case "set-state":
                (box.set_good if asked.state == "good" else box.set_bad)(asked.slot)
    except (Refused, OSError) as e:
        print(f"tryboot: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Whether a slot that was booted may stay: it may when the application in it works, and RAUC is told so.

A slot that never worked is given up and left by a restart, for the other one that did. One that worked before, and a
box that has no other, stays and is marked all the same: what is broken there is not the image, and must not make it
restart for ever.
"""

import re
import subprocess
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from appliance.key_file import replace_file

AGAIN = 3.0  # s between two looks
LOOK_WITHIN = 60.0  # s for one of them
RAUC_WITHIN = 60.0  # s; it writes U-Boot's counters
SLOT = re.compile(r"(?:^|\s)rauc\.slot=(\S+)")
IMAGE = re.compile(r'^IMAGE_VERSION="?([^"\n]*)"?$', re.MULTILINE)

Run = Callable[[Sequence[str], float], int]


class Verdict(StrEnum):
    GOOD = "good"
    RESTART = "restart"
    STAYS = "stays"


class Kept(msgspec.Struct, frozen=True):
    """By slot: the version of the image that worked in it."""

    good: dict[str, str] = {}


def slot(command_line: str) -> str:
    found = SLOT.search(command_line)
    return found[1] if found else ""


def image(os_release: str) -> str:
    found = IMAGE.search(os_release)
    return found[1] if found else ""


def read_kept(file: Path) -> Kept:
    """What it cannot read is as if nothing was ever good there: then the bootloader's other slot has its turn."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Kept)
    except (OSError, msgspec.MsgspecError):
        return Kept()


def judge(
    health: Sequence[str], mark: Sequence[str], file: Path, booted: str, version: str, within: float, run: Run,
    now: Callable[[], float] = time.monotonic, wait: Callable[[float], None] = time.sleep,
) -> Verdict:  # fmt: skip
    """Look until it is healthy or `within` s are over. Raises OSError where RAUC or the disk does not take it."""
    good = read_kept(file).good
    until = now() + within
    while run(health, LOOK_WITHIN) != 0:
        if now() + AGAIN > until:
            if good.get(booted) != version and any(other != booted for other in good):
                return Verdict.RESTART
            mark_good(mark, run)
            return Verdict.STAYS
        wait(AGAIN)
    mark_good(mark, run)
    if good.get(booted) != version:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, msgspec.json.encode(Kept(good | {booted: version})), 0o644)
    return Verdict.GOOD


def give_up(mark: Sequence[str], run: Run) -> bool:
    """Tell RAUC that this slot is bad, so that the next start is the other one's. Where it does not take it, the
    bootloader still counts its tries down."""
    return run(mark, RAUC_WITHIN) == 0


def mark_good(mark: Sequence[str], run: Run) -> None:
    if run(mark, RAUC_WITHIN) != 0:
        raise OSError(5, "RAUC does not take that this slot is good: try `rauc status`", " ".join(mark))


def run(command: Sequence[str], within: float) -> int:
    """Its exit code; what it says goes where ours goes. A command that hangs or is not there has failed."""
    try:
        return subprocess.run(command, timeout=within, check=False).returncode
    except (subprocess.TimeoutExpired, OSError):
        return 1

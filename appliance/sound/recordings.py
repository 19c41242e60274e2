"""Recordings on the disk: how they are named, which ones a killed process left open, which ones have to go.

One that is being written ends in `.part`; it loses that when its row is in the journal, so that none is forgotten.
"""

import shutil
from collections.abc import Iterable, Iterator, Set
from datetime import datetime, tzinfo
from pathlib import Path

import msgspec

from appliance.config_sound import RecordingRules

PART = ".part"
SUFFIX = ".flac"
DAY = 24 * 3600.0
FRESH = DAY  # what is younger stays, whoever else fills the disk: it is what is asked for, and frees little
MB = 1_000_000


class Found(msgspec.Struct, frozen=True):
    """A recording on the disk. `age_s` since it was written to last."""

    path: Path
    call: str
    line: str
    octets: int
    age_s: float

    @property
    def open(self) -> bool:
        """Not journaled yet: being written, or left by a process that was killed."""
        return self.path.name.endswith(PART)


def name_of(folder: Path, wall: float, zone: tzinfo, line: str, call: str) -> Path:
    """Where the recording of a call goes: `2026/11/22T031500-l1-1a2b3c4d.flac.part` below `folder`; not there yet."""
    at = datetime.fromtimestamp(wall, zone)
    month = folder / f"{at:%Y}" / f"{at:%m}"
    for again in range(1, 1000):
        more = f"-{again}" if again > 1 else ""
        path = month / f"{at:%dT%H%M%S}-{line}-{call}{more}{SUFFIX}{PART}"
        if not path.exists() and not closed(path).exists():
            return path
    raise OSError(f"{month}: there are a thousand recordings of call {call}.")


def closed(path: Path) -> Path:
    """Its name once it is journaled."""
    return path.with_name(path.name.removesuffix(PART))


def look(folder: Path, wall: float) -> list[Found]:
    """All recordings, oldest first. Files that are named otherwise are not ours. Blocks for the disk."""
    found = list(_found(folder, wall))
    return sorted(found, key=lambda f: -f.age_s)


def _found(folder: Path, wall: float) -> Iterator[Found]:
    for path in folder.glob(f"[0-9][0-9][0-9][0-9]/[0-9][0-9]/*-*-*{SUFFIX}*"):
        line, _, rest = path.name.removesuffix(PART).removesuffix(SUFFIX).partition("-")[2].rpartition("-")
        if len(rest) < 4 and line:  # the second one of its call
            line, _, rest = line.rpartition("-")
        try:
            there = path.stat()
        except OSError:
            continue  # it went meanwhile
        yield Found(path, rest, line, there.st_size, max(0.0, wall - there.st_mtime))


def too_many(
    found: Iterable[Found], rules: RecordingRules, free_octets: int, keep: Set[Path], time_known: bool = True
) -> list[tuple[Found, str]]:
    """What has to go, with the code of why: "age", then "room", oldest first. `keep`: being written.

    While the time is not known none goes for its age: a clock that jumped ahead must not cost a year's recordings.
    """
    closed_ = [f for f in found if not f.open and f.path not in keep]
    limit = rules.keep_days * DAY if time_known else float("inf")
    old = [f for f in closed_ if f.age_s > limit]
    gone = [(f, "age") for f in old]
    left = [f for f in closed_ if f.age_s <= limit]
    free = free_octets + sum(f.octets for f in old)
    used = sum(f.octets for f in left)
    for f in left:
        short = free < rules.free_mb * MB and f.age_s >= FRESH
        if used <= rules.most_mb * MB and not short:
            break
        gone.append((f, "room"))
        used, free = used - f.octets, free + f.octets
    return gone


def free_octets(folder: Path) -> int:
    """Room on the folder's disk."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free

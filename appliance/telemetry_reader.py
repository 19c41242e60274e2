"""Reads the file of minute values as a chart wants it: a few points over a span, in steps that fit a screen."""

import math
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec

from appliance.telemetry_collector import BLOCK, MINUTE
from appliance.telemetry_file import BUSY_MS, DAY, MINUTE_DAYS, QUARTER, SCHEMA_VERSION, read_minutes, read_quarters
from appliance.telemetry_slots import NONE, QUALITIES, Slot, condensed

# s between two values; the smallest is taken that asks for no more than MOST_STEPS.
STEPS = (60, 300, 900, 3600, 14_400, 86_400)
MOST_STEPS = 3000  # twice a screen's width
MOST_SPAN = 420 * 86_400  # s
DIGITS = 5  # that count in a value; no sensor tells more


class Series(msgspec.Struct, frozen=True):
    """One point. None where it was not known. `mean` of a point of words is the word; `low` and `high` are empty."""

    unit: str
    kind: str  # "number", "bool", "word"; "" for a point that the file does not have
    low: list[float | None]
    mean: list[float | str | None]
    high: list[float | None]
    last: str  # quality of the last slot that anybody looked at; "" for none


class History(msgspec.Struct, frozen=True):
    """Value number i is of [begin + i * step, begin + (i + 1) * step); times in unix seconds."""

    begin: int
    step: int
    count: int
    points: dict[str, Series]


def step_for(begin: float, end: float, now: float) -> int:
    """The step that fits the span, and that is still kept of so long ago."""
    old = begin < now - MINUTE_DAYS * 86_400
    fitting = [s for s in STEPS if (end - begin) / s <= MOST_STEPS and not (old and s < QUARTER * MINUTE)]
    return fitting[0] if fitting else STEPS[-1]


def read_telemetry(path: Path, names: Sequence[str], begin: float, end: float, now: float) -> History:
    """Blocks: not for a loop. Raises sqlite3.Error; of a box that has no file yet every point is unknown."""
    begin = max(begin, end - MOST_SPAN)
    step = step_for(begin, end, now)
    first, last = math.floor(begin / step), math.ceil(end / step)
    empty = Series("", "", [], [], [], "")
    points = dict.fromkeys(names, empty)
    if path.exists():
        db = _open(path)
        try:
            words = dict(db.execute("SELECT id, text FROM word"))
            for name in names:
                # The newest of its units and kinds: another one's values are no history of it.
                query = "SELECT id, unit, kind FROM point WHERE name = ? ORDER BY id DESC LIMIT 1"
                if found := db.execute(query, (name,)).fetchone():
                    slots = _slots(db, found[0], first * step, last * step, step, words=found[2] == "word")
                    points[name] = _series(slots, found[1], found[2], words)
        finally:
            db.close()
    return History(first * step, step, last - first, points)


def _open(path: Path) -> sqlite3.Connection:
    """Read-only; of a stopped box, whose log a read-only user cannot make, as unchanging."""
    for mode in ("mode=ro", "immutable=1&mode=ro"):
        db = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, timeout=BUSY_MS / 1000)
        try:
            if db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
                return db
        except sqlite3.OperationalError:
            db.close()
            continue
        except BaseException:
            db.close()
            raise
        db.close()
        break
    raise sqlite3.DatabaseError(f"{path} is not a file of figures that this release reads.")


def _slots(db: sqlite3.Connection, point: int, begin: int, end: int, step: int, *, words: bool) -> list[Slot]:
    if step < QUARTER * MINUTE:
        return _condensed(_minutes(db, point, begin, end), step // MINUTE, words=words)
    fine = QUARTER * MINUTE
    days = range(begin // (DAY * MINUTE), -(-end // (DAY * MINUTE)))
    quarters = read_quarters(db, point, days.start, days.stop)
    at = (begin - days.start * DAY * MINUTE) // fine
    slots = quarters[at : at + (end - begin) // fine]
    # What is not condensed yet is there in minutes: the end of the span.
    missing = len(slots)
    while missing and slots[missing - 1].quality == NONE and (len(slots) - missing) * fine < 2 * DAY * MINUTE:
        missing -= 1
    minutes = _minutes(db, point, begin + missing * fine, end)
    return _condensed([*slots[:missing], *_condensed(minutes, QUARTER, words=words)], step // fine, words=words)


def _minutes(db: sqlite3.Connection, point: int, begin: int, end: int) -> list[Slot]:
    first, last = begin // MINUTE, end // MINUTE
    low, high = first - first % BLOCK, last + -last % BLOCK
    return read_minutes(db, point, low, high)[first - low : last - low]


def _condensed(slots: Sequence[Slot], count: int, *, words: bool) -> list[Slot]:
    if count == 1:
        return list(slots)
    return [condensed(slots[at : at + count], words=words) for at in range(0, len(slots), count)]


def _series(slots: Sequence[Slot], unit: str, kind: str, words: dict[int, str]) -> Series:
    looked = [slot.quality for slot in slots if slot.quality]
    last = QUALITIES[looked[-1]] if looked and looked[-1] < len(QUALITIES) else ""
    if kind == "word":
        said: list[float | str | None] = [words.get(int(s.mean)) if s.known else None for s in slots]
        return Series(unit, kind, [], said, [], last)
    low, mean, high = ([_short(value) for value in values] for values in zip(*(s[:3] for s in slots), strict=True))
    return Series(unit, kind, low, list(mean), high, last)


def _short(value: float) -> float | None:
    if math.isnan(value):
        return None
    return round(value, max(0, DIGITS - 1 - math.floor(math.log10(abs(value))))) if value else 0.0

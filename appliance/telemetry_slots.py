"""A stretch of time of one point: lowest, mean and highest value and the last quality; and its form in the file.

A row holds several slots after each other. Most figures of a plant stand still most of the time, so a row whose slots
are all alike is stored as one.
"""

import math
import struct
from collections.abc import Sequence
from typing import NamedTuple

# What a file's octet means: only ever added to at the end.
QUALITIES = (
    "none", "good", "stale", "over_range", "under_range", "sensor_fault", "unimplemented", "no_link", "other",
)  # fmt: skip
NONE, OTHER = 0, QUALITIES.index("other")
# Single precision keeps seven digits: a tenth of a kWh of 100,000, four seconds of 10,000 hours.
FORM = struct.Struct("<fffB")
UNKNOWN = math.nan


class Slot(NamedTuple):
    """Values are NaN where none was good. `quality` indexes QUALITIES; NONE: nobody looked, the box was off."""

    low: float
    mean: float
    high: float
    quality: int

    @property
    def known(self) -> bool:
        return not math.isnan(self.mean)


EMPTY = Slot(UNKNOWN, UNKNOWN, UNKNOWN, NONE)


def pack(slots: Sequence[Slot]) -> bytes:
    """The octets of a row."""
    packed = [FORM.pack(*slot) for slot in slots]
    return packed[0] if len(set(packed)) == 1 else b"".join(packed)


def unpack(data: bytes, count: int) -> list[Slot]:
    """The `count` slots of a row. A row of a wrong length, which no release wrote, is one that nobody looked at."""
    if len(data) == FORM.size:
        return [Slot(*FORM.unpack(data))] * count
    if len(data) != FORM.size * count:
        return [EMPTY] * count
    return [Slot(*values) for values in FORM.iter_unpack(data)]


def merged(first: Sequence[Slot], later: Sequence[Slot]) -> list[Slot]:
    """What was written first stays: a clock that ran back must not overwrite what was true."""
    return [a if a.quality != NONE else b for a, b in zip(first, later, strict=True)]


def condensed(slots: Sequence[Slot], *, words: bool) -> Slot:
    """Several slots as one. Of codes of words the last known one counts: a mean of words is none."""
    looked = [slot for slot in slots if slot.quality != NONE]
    if not looked:
        return EMPTY
    quality = looked[-1].quality
    known = [slot for slot in looked if slot.known]
    if not known:
        return Slot(UNKNOWN, UNKNOWN, UNKNOWN, quality)
    if words:
        return Slot(known[-1].mean, known[-1].mean, known[-1].mean, quality)
    mean = math.fsum(slot.mean for slot in known) / len(known)
    return Slot(min(s.low for s in known), mean, max(s.high for s in known), quality)

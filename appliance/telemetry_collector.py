"""Gathers what figures say into minutes, and minutes into blocks that are ready for the file. Pure.

Time is wall time: charts are read by people. A clock that jumps leaves a gap or is written twice, never a wrong mean.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from appliance.figure import Figure
from appliance.telemetry_slots import EMPTY, OTHER, QUALITIES, UNKNOWN, Slot

MINUTE = 60  # s
BLOCK = 5  # minutes in a row of the file, and between two writings: what a power cut can cost
MOST_POINTS = 1000  # of a box: ten times a large plant; what is beyond is not kept
MOST_BLOCKS = 72  # held while the disk takes none: six hours


class Point(NamedTuple):
    """`name` is "genset/g1/fuel_level"; `kind` is "number", "bool" or "word"."""

    name: str
    unit: str
    kind: str


Word = tuple[str, int]  # of a point of words: the last one, and the quality
Kept = Slot | Word
Blocks = dict[int, dict[Point, dict[int, Kept]]]  # by first minute, point, minute in the block


class Gathering:
    """What one point said in the minute that runs."""

    def __init__(self) -> None:
        self.low, self.high, self.sum, self.count = math.inf, -math.inf, 0.0, 0
        self.word = ""
        self.quality = 0

    def take(self, value: float | str | None, quality: str) -> None:
        self.quality = QUALITIES.index(quality) if quality in QUALITIES else OTHER
        if isinstance(value, str):
            self.word = value
        elif value is not None and math.isfinite(value):
            self.low, self.high = min(self.low, value), max(self.high, value)
            self.sum, self.count = self.sum + value, self.count + 1

    def result(self, kind: str) -> Kept:
        if kind == "word":
            return self.word, self.quality
        if not self.count:
            return Slot(UNKNOWN, UNKNOWN, UNKNOWN, self.quality)
        return Slot(self.low, self.sum / self.count, self.high, self.quality)


class Collector:
    """`look` takes all figures as they are at one moment; `ready` gives what is complete, until it is `written`."""

    def __init__(self) -> None:
        self._minute: int | None = None
        self._now: dict[Point, Gathering] = {}
        self._kinds: dict[str, Point] = {}
        self._blocks: Blocks = {}
        self.refused = 0  # points beyond the bound
        self.lost = 0  # blocks that found no room

    def look(self, figures: Iterable[tuple[str, Figure]], now: float, wall: float) -> None:
        """`now` in monotonic, `wall` in unix seconds."""
        minute = math.floor(wall / MINUTE)
        if minute != self._minute:
            self._close()
            self._minute = minute
        for name, figure in figures:
            known = figure.known(now)
            point = self._point(name, figure)
            if point is None:
                continue
            self._now.setdefault(point, Gathering()).take(figure.value if known else None, figure.quality_at(now))

    def _point(self, name: str, figure: Figure) -> Point | None:
        """A point is what it was first seen to be; one that has no value yet is of no kind yet."""
        known = self._kinds.get(name)
        if not (kind := figure.kind):
            return known
        if known is None or known.unit != figure.unit or known.kind != kind:
            if known is None and len(self._kinds) >= MOST_POINTS:
                self.refused += 1
                return None
            known = self._kinds[name] = Point(name, figure.unit, kind)
        return known

    def _close(self) -> None:
        """The minute is over: into its block."""
        if self._minute is None or not self._now:
            return
        start = self._minute - self._minute % BLOCK
        if start not in self._blocks and len(self._blocks) >= MOST_BLOCKS:
            del self._blocks[min(self._blocks)]
            self.lost += 1
        block = self._blocks.setdefault(start, {})
        for point, gathered in self._now.items():
            block.setdefault(point, {}).setdefault(self._minute - start, gathered.result(point.kind))
        self._now = {}

    def ready(self, *, all: bool = False) -> Blocks:
        """Blocks that nothing more comes to; `all`: also the one that runs, since the box stops."""
        if all:
            self._close()
        running = None if all or self._minute is None else self._minute - self._minute % BLOCK
        return {start: block for start, block in self._blocks.items() if start != running}

    def written(self, blocks: Blocks) -> None:
        for start in blocks:
            self._blocks.pop(start, None)


def slots_of(kept: dict[int, Kept], code: dict[str, int]) -> list[Slot]:
    """A row's slots; words by their codes."""
    return [_slot(kept.get(index), code) for index in range(BLOCK)]


def _slot(kept: Kept | None, code: dict[str, int]) -> Slot:
    if kept is None:
        return EMPTY
    if isinstance(kept, Slot):
        return kept
    word, quality = kept
    value = float(code[word]) if word in code else UNKNOWN
    return Slot(value, value, value, quality)

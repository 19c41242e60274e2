"""Whether the box's wall clock is right by the mobile networks' word. NTP goes before it; networks may contradict.

Core never sets the clock, it has no right to: it says what the difference is, and hands the time to chrony if asked to.
"""

from statistics import median_low

from appliance.events import ClockRight, ClockWrong

FRESH = 2 * 3600.0  # s; each modem is asked every hour
AGREES = 5.0  # s; networks tell whole seconds, some late; closer the wall clock is as good as theirs
WRONG = 120.0  # s; more than two minutes mislead who reads the journal beside another record
RIGHT = 60.0  # s; the alarm ends below it, not at its edge


class WallTime:
    """Pure; `now` in seconds of the loop. An offset is what has to be added to the box's clock, in seconds."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[float, float]] = {}  # by line: offset, when

    def told(self, line: str, offset: float, now: float) -> None:
        """A line's network told the time."""
        self._told[line] = offset, now

    def fresh(self, now: float) -> dict[str, float]:
        """Offsets of the last hours, by line."""
        return {line: offset for line, (offset, at) in sorted(self._told.items()) if now - at <= FRESH}

    def told_at(self) -> float | None:
        """When a network last told the time."""
        return max((at for _, at in self._told.values()), default=None)

    def offset(self, now: float) -> float | None:
        """The networks' word; None when they told nothing lately, or contradict each other."""
        offsets = list(self.fresh(now).values())
        if not offsets or max(offsets) - min(offsets) > WRONG:
            return None
        return median_low(offsets)

    def quality(self, known: str, now: float) -> str:
        """`known` is the kernel's own: `ntp` stays; else `nitz` while the clock agrees with the networks.

        Found wrong by them, a clock that was only `held` is `unknown`.
        """
        if known == "ntp" or not self._told or (offset := self.offset(now)) is None:
            return known
        return "nitz" if abs(offset) <= AGREES else "unknown" if abs(offset) > WRONG else known

    def judge(self, known: str, now: float, *, was_wrong: bool) -> ClockWrong | ClockRight | None:
        """What follows for the journal."""
        offset = self.offset(now)
        if was_wrong:
            right = known == "ntp" or (offset is not None and abs(offset) < RIGHT)
            return ClockRight() if right else None
        if known == "ntp" or offset is None or abs(offset) <= WRONG:
            return None
        return ClockWrong(offset_s=offset, by=tuple(self.fresh(now)))

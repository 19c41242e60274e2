"""A line's signal over the last hour: one median a minute, in RAM only."""

from collections import deque
from statistics import median_low

from appliance.view import TREND_MINUTES

MINUTE = 60.0  # s
MOST_A_MINUTE = 60  # samples; more are dropped


class Trend:
    """Pure; `now` in seconds of the loop."""

    def __init__(self) -> None:
        self._minutes: deque[tuple[int, list[int]]] = deque(maxlen=TREND_MINUTES)

    def add(self, now: float, dbm: int | None) -> None:
        """One sample; None keeps the minute empty unless others come."""
        minute = int(now // MINUTE)
        if not self._minutes or self._minutes[-1][0] != minute:
            self._minutes.append((minute, []))
        samples = self._minutes[-1][1]
        if dbm is not None and len(samples) < MOST_A_MINUTE:
            samples.append(dbm)

    def medians(self, now: float) -> tuple[int | None, ...]:
        """Oldest first, the running minute last; None where nothing was known."""
        if not self._minutes:
            return ()
        last = int(now // MINUTE)
        known = {minute: median_low(samples) for minute, samples in self._minutes if samples}
        first = max(self._minutes[0][0], last - TREND_MINUTES + 1)
        return tuple(known.get(minute) for minute in range(first, last + 1))

"""When a line's credit is asked: some minutes after it registered, then once a day, soon again when nothing came.

Pure; `now` in seconds of the loop. The minutes are drawn, so that many boxes do not ask a returned network at once.
"""

from collections.abc import Callable

DAY = 86400.0  # s
FIRST = (120.0, 600.0)  # s after registering; whatever else happens at a start is over by then
SPREAD = 1800.0  # s around a day
AGAIN = 3600.0  # s behind an answer that did not come, or that asked for patience
TRIES = 3  # in a row, then the next day


class Schedule:
    """`uniform(a, b)` draws a number between; `asked_ago` of `registered` is seconds since the journal's last look."""

    def __init__(self, uniform: Callable[[float, float], float]) -> None:
        self._uniform = uniform
        self._due: float | None = None
        self._tries = 0

    def registered(self, now: float, asked_ago: float | None) -> None:
        """The line came into its network."""
        soonest = now + self._uniform(*FIRST)
        if self._due is None:
            self._due = soonest if asked_ago is None else now + DAY - asked_ago
        self._due = max(self._due, soonest)

    def is_due(self, now: float) -> bool:
        return self._due is not None and now >= self._due

    def told(self, now: float) -> None:
        """An answer was understood."""
        self._tries = 0
        self._due = now + DAY + self._uniform(-SPREAD, SPREAD)

    def failed(self, now: float, *, may_pass: bool) -> bool:
        """Nothing was learned; whether that is final for today. `may_pass`: it may be otherwise in an hour."""
        self._tries += 1
        if may_pass and self._tries < TRIES:
            self._due = now + AGAIN
            return False
        self.told(now)
        return True

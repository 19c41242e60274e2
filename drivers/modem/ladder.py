"""Which reset a modem that does not recover gets next, and when none: few an hour, and none into a call."""

from collections import deque
from typing import Literal

Step = Literal["ping", "reopen", "restart", "vendor_reset"]  # from the mildest on

HOUR = 3600.0  # s
RESTARTS = 2  # AT+CFUN=1,1 an hour: each costs half a minute of the line and a registration
VENDOR_RESETS = 1  # the maker's own reset an hour, once restarts did not help
BETWEEN = 180.0  # s from one to the next: a boot, a search and a registration fit in
LONGEST_CALL = 3600.0  # s for which a call on a modem that went mute is taken to go on


class Ladder:
    """Pure; `now` in seconds of the loop. Outlives sessions."""

    def __init__(self) -> None:
        self._restarts: deque[float] = deque(maxlen=RESTARTS)
        self._vendor_resets: deque[float] = deque(maxlen=VENDOR_RESETS)
        self._call_since: float | None = None
        self._last = -HOUR

    def call(self, there: bool, now: float) -> None:
        """Whether a call was seen on the line just now."""
        self._call_since = now if there else None

    def next_reset(self, now: float, *, vendor: bool) -> Literal["restart", "vendor_reset"] | None:
        """The reset to do now, counted as done; None to wait. `vendor`: there is one of the maker's own."""
        in_call = self._call_since is not None and now - self._call_since < LONGEST_CALL
        if in_call or now - self._last < BETWEEN:
            return None
        if _room(self._restarts, now):
            self._restarts.append(now)
            self._last = now
            return "restart"
        if vendor and _room(self._vendor_resets, now):
            self._vendor_resets.append(now)
            self._last = now
            return "vendor_reset"
        return None


def _room(done: deque[float], now: float) -> bool:
    return len(done) < (done.maxlen or 0) or now - done[0] >= HOUR

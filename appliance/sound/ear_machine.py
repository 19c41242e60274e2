"""Whether a caller speaks, from how loud each half second of their line was: pure.

A line hums and a street roars, but only speech comes and goes. Digital silence tells nothing of the caller: there it
is the line that is mute.
"""

from collections import deque

SPEECH_DBFS = -50.0  # words at the far end of a telephone are above -40, comfort noise is below -55
RISES_DB = 8.0  # over the quietest of the last seconds: words stand out of a steady noise by more
MOST_QUIET = 10  # half seconds; nobody speaks for 5 s without a breath
FIRST_DBFS = -58.0  # so long nobody knows the line's noise: a steady one counts as speech for its first 5 s
LATE = 2.0  # s without a word of the level; then nothing is known


class Ear:
    """Of one call. `hear` gets each half second's level, dBFS; None: digital silence, or the sound is lost."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=MOST_QUIET)
        self._heard_at = float("-inf")
        self._quiet_since: float | None = None

    def hear(self, level: float | None, now: float) -> None:
        if level is None:
            self._quiet_since = None
            return
        if self._quiet_since is None or now - self._heard_at > LATE:
            self._levels.clear()
            self._levels.append(FIRST_DBFS)
            self._quiet_since = now
        if level >= max(SPEECH_DBFS, min(self._levels) + RISES_DB):
            self._quiet_since = now
        self._levels.append(level)
        self._heard_at = now

    def quiet_s(self, now: float) -> float | None:
        """Seconds since the caller's last word; None where nothing is known."""
        known = self._quiet_since is not None and now - self._heard_at <= LATE
        return now - self._quiet_since if known and self._quiet_since is not None else None

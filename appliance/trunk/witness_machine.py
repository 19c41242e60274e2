"""What one witness of the trunk says: its probes' answers and misses, folded into up and lost; and packets' loss.

One lost packet never counts: it takes several in a row to change what is believed, either way.
"""

from collections import deque

from appliance.model import Standing

MISSES_TO_LOSE = 3  # in a row; with a probe every 2 s the trunk is known to be lost within 8 s
GOODS_TO_RESTORE = 2  # in a row; a gateway that starts up may answer once and be gone again
WINDOW = 100  # datagrams; three minutes of a probe every 2 s
LEAST_COUNTED = 30  # datagrams before a share means anything
LEAST_LOST = 3

ANSWERED = ""  # the miss that is none
FORBIDDEN = "forbidden"  # the kernel lets nobody ask: that says nothing about who is asked


# What so many misses or goods in a row mean, by what was believed before. What is not here changes nothing.
TRANSITIONS: dict[tuple[Standing, bool], tuple[int, Standing]] = {
    (Standing.UNKNOWN, True): (GOODS_TO_RESTORE, Standing.UP),
    (Standing.UNKNOWN, False): (MISSES_TO_LOSE, Standing.LOST),
    (Standing.UP, False): (MISSES_TO_LOSE, Standing.LOST),
    (Standing.LOST, True): (GOODS_TO_RESTORE, Standing.UP),
}


class WitnessMachine:
    """`why` is the code of the last miss while it is lost, or of why it cannot be asked.

    `since` is when it became what it is.
    """

    def __init__(self) -> None:
        self.standing = Standing.UNKNOWN
        self.why = ""
        self.since: float | None = None
        self._good = True
        self._in_a_row = 0

    @property
    def doubtful(self) -> bool:
        """Its last probe speaks against what is believed of it."""
        return (self.standing, self._good) in TRANSITIONS and self._in_a_row > 0

    def probed(self, miss: str, now: float) -> None:
        """One probe's outcome: ANSWERED, or the code of why not."""
        if miss == FORBIDDEN:
            self.standing, self.why, self.since, self._in_a_row = Standing.UNKNOWN, miss, None, 0
            return
        good = miss == ANSWERED
        self._in_a_row = self._in_a_row + 1 if good is self._good else 1
        self._good = good
        needed, standing = TRANSITIONS.get((self.standing, good), (0, self.standing))
        if standing is not self.standing and self._in_a_row >= needed:
            self.standing, self.since = standing, now
        if self.standing is Standing.LOST:
            self.why = miss or self.why
        else:
            self.why = ""


class LossMachine:
    """The share of datagrams that were lost of the last WINDOW; `lossy` from `limit` percent on, until it is half."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._lost: deque[bool] = deque(maxlen=WINDOW)
        self.lossy = False
        self.since: float | None = None

    @property
    def percent(self) -> float | None:
        """None while too few were counted."""
        return None if len(self._lost) < LEAST_COUNTED else 100.0 * sum(self._lost) / len(self._lost)

    def counted(self, sent: int, lost: int, now: float) -> None:
        """So many datagrams of one probe, and how many of them were lost."""
        self._lost.extend([True] * lost + [False] * (sent - lost))
        if (share := self.percent) is None:
            return
        lossy = share > self._limit / 2 if self.lossy else share >= self._limit and sum(self._lost) >= LEAST_LOST
        if lossy is not self.lossy or self.since is None:
            self.lossy, self.since = lossy, now

    def forget(self) -> None:
        """All were lost for a while: that is no loss, that is a lost witness, and says nothing of what comes then."""
        self._lost.clear()
        self.lossy, self.since = False, None

"""How fast a buffer is to be emptied so that it neither runs dry nor grows: a PI controller in parts per million.

It holds the smallest fill of the last seconds at a margin. The mean would need to know how sound comes, in which
lumps and how late; the smallest knows it, for a buffer only fails where it is emptiest.
"""

from collections import deque

TICK_S = 0.02

MOST_PPM = 1000.0  # a crystal is within 100, a cheap USB clock within 500; 1000 are 1.7 cents, which nobody hears (5)
LOOK_TICKS = 25  # half a second: as often is the rate set anew
SEEN = 8  # looks back: 4 s, so that lateness every few seconds is still seen

# With an error in ms: critically damped, 50 s. Sound in lumps of 20 ms is counted 20 times too coarsely: as the clocks
# slide past each other the fill stands still, then jumps by a lump. Slower than that would learn better; faster is
# thrown about by it.
PROPORTIONAL = 40.0  # ppm for 1 ms
INTEGRAL = 0.4  # ppm a second for 1 ms

LEAST_MARGIN = 0.025  # s; the jump of one lump, and some ms for a loop that is busy
MOST_MARGIN = 0.060  # s; more is no talk any more, and gaps are the lesser harm
AFTER_GAP = 0.010  # s more, each time it ran dry
SHRINK = 0.0002  # s each half second without: back to the least after a minute or so
MOST_EXCESS = 0.040  # s over the margin for 4 s: cut it, 1 ms a second would take too long


class Steering:
    """Call `observe` once a tick with the fill at its lowest: after the pull, or before the push."""

    def __init__(self, margin: float = LEAST_MARGIN) -> None:
        self.margin = margin
        self.ppm = 0.0  # how much faster than its own rate the buffer is to be emptied
        self.learnt = 0.0  # the steady part: by how much its clock is fast
        self._seen: deque[float] = deque(maxlen=SEEN)
        self._lowest = float("inf")
        self._ticks = 0

    def observe(self, fill_s: float) -> None:
        self._lowest = min(self._lowest, fill_s)
        self._ticks += 1
        if self._ticks < LOOK_TICKS:
            return
        self._seen.append(self._lowest)
        self._ticks, self._lowest = 0, float("inf")
        self.margin = max(LEAST_MARGIN, self.margin - SHRINK)
        self._set_rate()

    @property
    def excess_s(self) -> float:
        """What may be cut, s: more than MOST_EXCESS over the margin for all the time seen; else 0."""
        over = min(self._seen) - self.margin if len(self._seen) == SEEN else 0.0
        return over if over > MOST_EXCESS else 0.0

    def forget(self) -> None:
        """The fill was changed by hand, so what was seen of it says nothing any more."""
        self._seen.clear()
        self._ticks, self._lowest = 0, float("inf")
        self.ppm = self.learnt

    def ran_dry(self) -> None:
        self.margin = min(MOST_MARGIN, self.margin + AFTER_GAP)
        self.forget()

    def _set_rate(self) -> None:
        error_ms = (min(self._seen) - self.margin) * 1e3
        wanted = self.learnt + PROPORTIONAL * error_ms
        self.ppm = max(-MOST_PPM, min(MOST_PPM, wanted))
        if wanted == self.ppm or wanted * error_ms < 0:  # at its stop it learns nothing, or it would overshoot
            learnt = self.learnt + INTEGRAL * error_ms * LOOK_TICKS * TICK_S
            self.learnt = max(-MOST_PPM, min(MOST_PPM, learnt))

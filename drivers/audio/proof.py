"""A path measured from end to end and back: the probe goes into one end and is listened for at the other.

What the two ends' jitter buffers hold is in the delay, as it is in a call.
"""

import numpy as np

from drivers.audio.endpoint import FRAME_S, Endpoint, Pcm
from drivers.audio.jitter import FRAME, Hearing, Telling
from drivers.audio.measure import Found, find, probe
from drivers.audio.steering import MOST_MARGIN

BEGIN_TICKS = 250  # 5 s until both send; what is given to a modem before would lie there and come late
SETTLE_TICKS = 50  # 1 s for the buffers to fill, and for a codec that begins with a click
TAIL_S = 1.5  # s behind the probe: two legs of a mobile network are some 0.3 late


class Proof:
    """Call `tick` every 20 ms until it answers True, then `result`. The ends stay their owner's.

    Its buffers begin at their largest margin: the line is asked about here, and not how much these must grow. An end
    that never sends anything is waited for and then measured: as mute.
    """

    def __init__(self, one: Endpoint, other: Endpoint) -> None:
        self._endpoints = (one, other)
        self._ends = [(Hearing(end, MOST_MARGIN), Telling(end, MOST_MARGIN)) for end in (one, other)]
        self._probe = probe()
        self._heard: list[list[Pcm]] = [[], []]  # at the other, at the one
        self._one_way = SETTLE_TICKS + len(self._probe) // FRAME + round(TAIL_S / FRAME_S)
        self._waited = 0
        self._sending: set[int] = set()
        self._ticks = 0

    @property
    def seconds(self) -> float:
        """How long all of it takes once both ends send."""
        return 2 * self._one_way * FRAME_S

    def tick(self) -> bool:
        """One frame each way; True when it is over."""
        if self._ticks >= 2 * self._one_way:
            return True
        if not self._begun():
            return False
        back, at = divmod(self._ticks, self._one_way)
        first = (at - SETTLE_TICKS) * FRAME
        saying = self._probe[first : first + FRAME] if first >= 0 else self._probe[:0]
        saying = np.concatenate((saying, np.zeros(FRAME - len(saying), np.int16)))
        for number, (hearing, telling) in enumerate(self._ends):
            frame = hearing.frame()
            if number != back and first >= 0:
                self._heard[back].append(np.clip(np.rint(frame), -32768, 32767).astype(np.int16))
            telling.give(saying if number == back else np.zeros(FRAME, np.int16))
        self._ticks += 1
        return self._ticks >= 2 * self._one_way

    def _begun(self) -> bool:
        """Whether both send. Until then what comes is thrown away, or it would come late."""
        if len(self._sending) < len(self._ends) and self._waited < BEGIN_TICKS:
            self._waited += 1
            self._sending |= {number for number, end in enumerate(self._endpoints) if len(end.take())}
            return len(self._sending) == len(self._ends)
        return True

    def result(self) -> tuple[Found, Found]:
        """There and back. It computes for some 60 ms: call it in a thread."""
        there, back = (find(np.concatenate(heard) if heard else np.zeros(0, np.int16)) for heard in self._heard)
        return there, back

"""A path measured from end to end and back: the probe goes into one end and is listened for at the other.

What the two ends' jitter buffers hold is in the delay, as it is in a call.
"""

import numpy as np

from drivers.audio.endpoint import FRAME_S, Endpoint, Pcm
from drivers.audio.jitter import FRAME, Hearing, Telling
from drivers.audio.measure import LONGEST_DELAY, Found, find, probe

SETTLE_TICKS = 50  # 1 s for the buffers to fill, and for a codec that begins with a click


class Proof:
    """Call `tick` every 20 ms until it answers True, then `result`. The ends stay their owner's."""

    def __init__(self, one: Endpoint, other: Endpoint) -> None:
        self._ends = [(Hearing(end), Telling(end)) for end in (one, other)]
        self._probe = probe()
        self._heard: list[list[Pcm]] = [[], []]  # at the other, at the one
        self._one_way = SETTLE_TICKS + len(self._probe) // FRAME + round(LONGEST_DELAY / FRAME_S)
        self._ticks = 0

    @property
    def seconds(self) -> float:
        """How long all of it takes."""
        return 2 * self._one_way * FRAME_S

    def tick(self) -> bool:
        """One frame each way; True when it is over."""
        back, at = divmod(self._ticks, self._one_way)
        if back > 1:
            return True
        first = (at - SETTLE_TICKS) * FRAME
        saying = self._probe[first : first + FRAME] if first >= 0 else self._probe[:0]
        saying = np.concatenate((saying, np.zeros(FRAME - len(saying), np.int16)))
        for number, (hearing, telling) in enumerate(self._ends):
            frame = hearing.frame()
            if number != back and first >= 0:
                self._heard[back].append(np.rint(frame).astype(np.int16))
            telling.give(saying if number == back else np.zeros(FRAME, np.int16))
        self._ticks += 1
        return self._ticks >= 2 * self._one_way

    def result(self) -> tuple[Found, Found]:
        """There and back. It computes for some 40 ms: call it in a thread."""
        there, back = (find(np.concatenate(heard) if heard else np.zeros(0, np.int16)) for heard in self._heard)
        return there, back

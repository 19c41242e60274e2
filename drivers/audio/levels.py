"""How loud an end is, and whether it has gone silent as no microphone ever is."""

from collections import deque
from typing import Literal

import numpy as np

from drivers.audio.endpoint import Pcm
from drivers.audio.resample import Sound

LEVEL_TICKS = 25  # half a second
FULL = 32768.0
QUIET_DBFS = -66.0  # a room, a breath and comfort noise are above; a codec's idle pattern (+-8) is below
SILENT_TICKS = 90  # 1.8 s, so that it is told within 2
HEARD_TICKS = 2  # one frame alone may be a click


def dbfs(mean_square: float) -> float | None:
    """Level of a mean square in int16's scale; None: digital silence. A sine at full scale is -3.01."""
    return 10 * float(np.log10(mean_square / FULL**2)) if mean_square > 0 else None


def mean_square(sound: Sound | Pcm) -> float:
    if not len(sound):
        return 0.0
    samples = sound.astype(np.float32, copy=False)
    return float(np.dot(samples, samples)) / len(samples)


class Level:
    """The last half second, RMS."""

    def __init__(self) -> None:
        self._squares: deque[float] = deque(maxlen=LEVEL_TICKS)

    def hear(self, square: float) -> None:
        """One frame's mean square."""
        self._squares.append(square)

    @property
    def dbfs(self) -> float | None:
        return dbfs(sum(self._squares) / len(self._squares)) if self._squares else None


class SilenceWatch:
    """Feed it each tick's mean square; it answers when silence has lasted, and when it is over."""

    def __init__(self) -> None:
        self.silent = False
        self._ticks = 0
        self._least = FULL**2 * 10 ** (QUIET_DBFS / 10)

    def hear(self, square: float) -> Literal["silent", "heard", ""]:
        if (square < self._least) == self.silent:
            self._ticks = 0
            return ""
        self._ticks += 1
        if self._ticks < (HEARD_TICKS if self.silent else SILENT_TICKS):
            return ""
        self._ticks, self.silent = 0, not self.silent
        return "silent" if self.silent else "heard"

"""Several voices at once can be louder than int16 holds: turned down softly, and never wrapped round."""

import numpy as np

from drivers.audio.endpoint import Pcm
from drivers.audio.resample import Sound

KNEE = 23200.0  # -3 dBFS: below it nothing is touched
TOP = 30000.0  # nothing comes out above: room for the overshoot of resampling behind it
RELEASE = 1.02  # a frame: 6 dB in 0.7 s, too slow to be heard as pumping
ATTACK = 80  # samples, 5 ms; what it misses meanwhile is bent by the curve


class Limiter:
    """One for each output: it remembers how far it is turned down."""

    def __init__(self) -> None:
        self._gain = 1.0

    def limit(self, sound: Sound) -> Pcm:
        """Frames in, frames out, no delay."""
        peak = max(float(sound.max()), -float(sound.min())) if len(sound) else 0.0
        if self._gain == 1.0 and peak <= KNEE:
            return np.rint(sound).astype(np.int16)
        wanted = min(1.0, KNEE / peak if peak > KNEE else 1.0, self._gain * RELEASE)
        steps = np.full(len(sound), wanted, np.float32)
        ramp = min(ATTACK, len(sound))
        steps[:ramp] = np.linspace(self._gain, wanted, ramp, dtype=np.float32)
        self._gain = wanted
        return np.rint(_bent(sound * steps)).astype(np.int16)


def _bent(sound: Sound) -> Sound:
    """What is over the knee goes towards TOP, and never there."""
    size = np.abs(sound)
    over = np.maximum(size - KNEE, 0.0)
    room = TOP - KNEE
    return np.sign(sound) * (np.minimum(size, KNEE) + room * np.tanh(over / room)).astype(np.float32)

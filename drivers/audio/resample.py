"""Sound from one rate to another, where the ratio may change with every pull. It is a jitter buffer's store as well.

A windowed sinc, 1 to 3 ms of delay in all. soxr's variable rate holds 15 to 37 ms back, more than the jitter does.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Sound = npt.NDArray[np.float32]  # mono, in int16's scale: full is 32767

CROSSINGS = 32  # of the sinc, at the lower of both rates: 3,400 Hz pass at 8 kHz, and 4,600 Hz and up are 60 dB down
CUT = 0.475  # of the lower rate: half of it lies in the middle of the slope
KAISER = 6.5  # 65 dB beside the pass band; a telephone's own noise is at 40 dB
PHASE_BITS = 10
PHASES = 1 << PHASE_BITS  # between two samples; the nearest is 62 dB true at 3,400 Hz of 8 kHz
MOST_RATIO = 8  # of rates; more taps than for 96 kHz are not a telephone's


@lru_cache(maxsize=16)
def _filter(rate_in: int, rate_out: int) -> Sound:
    """Rows: phases; columns: taps, their sum 1."""
    stretch = max(1.0, rate_in / rate_out)
    taps = 2 * round(CROSSINGS * stretch / 2)
    place = np.arange(taps)[None, :] - (taps / 2 - 1) - np.arange(PHASES)[:, None] / PHASES
    bell = np.i0(KAISER * np.sqrt(np.clip(1 - (place / (taps / 2)) ** 2, 0, 1)))
    rows = np.sinc(2 * CUT / stretch * place) * bell
    table: Sound = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    table.setflags(write=False)
    return table


class Resampler:
    """Push at `rate_in`, pull at `rate_out`; what was not pulled waits, and the owner bounds it by `skip`."""

    def __init__(self, rate_in: int, rate_out: int) -> None:
        if not 0 < rate_in <= MOST_RATIO * rate_out or not rate_out <= MOST_RATIO * rate_in:
            raise ValueError(f"no sound goes from {rate_in} Hz to {rate_out} Hz: at most {MOST_RATIO} times.")
        self._rate_in = rate_in
        self._ratio = rate_in / rate_out
        self._table = _filter(rate_in, rate_out)
        self._taps: int = self._table.shape[1]
        self._held: Sound = np.zeros(self._taps - 1, np.float32)  # so that as much comes out as goes in
        self._at = 0.0  # where in `_held` the next sample's taps begin

    @property
    def delay_s(self) -> float:
        """Of the filter itself, s."""
        return self._taps / 2 / self._rate_in

    @property
    def waiting_s(self) -> float:
        """Sound that could be pulled now, s."""
        return max(0.0, len(self._held) - self._taps - self._at + 1) / self._rate_in

    def push(self, sound: npt.NDArray[np.int16] | Sound) -> None:
        if len(sound):
            self._held = np.concatenate((self._held, sound), dtype=np.float32)

    def ready(self, ppm: float = 0.0) -> int:
        """How many samples a pull could give."""
        return max(0, int(np.ceil((len(self._held) - self._taps + 1 - self._at) / self._step(ppm))))

    def pull(self, count: int, ppm: float = 0.0) -> Sound:
        """`count` samples, at most `ready(ppm)`; `ppm` above 0 takes more of what waits."""
        out, self._at = self._made(count, ppm)
        self._let_go()
        return out

    def look(self, count: int, ppm: float = 0.0) -> Sound:
        """The same, and it stays."""
        return self._made(count, ppm)[0]

    def skip(self, seconds: float) -> None:
        """Throw away the oldest of what waits."""
        self._at += min(seconds, self.waiting_s) * self._rate_in
        self._let_go()

    def _step(self, ppm: float) -> float:
        return self._ratio * (1 + ppm * 1e-6)

    def _made(self, count: int, ppm: float) -> tuple[Sound, float]:
        step = self._step(ppm)
        places = ((self._at + step * np.arange(count)) * PHASES).astype(np.intp)
        rows = max(0, len(self._held) - self._taps + 1)
        windows: Sound = np.ndarray((rows, self._taps), np.float32, self._held, strides=(4, 4))
        out = np.einsum("ij,ij->i", windows[places >> PHASE_BITS], self._table[places & (PHASES - 1)])
        return out, self._at + step * count

    def _let_go(self) -> None:
        gone = min(int(self._at), len(self._held))
        self._held = self._held[gone:]
        self._at -= gone

"""What a tone was when it came out at the other end: frequency, level, when it began. By numpy, apart from the box."""

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]
FULL = 32767.0
WINDOW_S = 0.01  # s; how finely a beginning is seen


def tone(hz: float, seconds: float, rate: int, level_dbfs: float = -12.0) -> Pcm:
    """A sine whose peak is `level_dbfs` below the greatest."""
    t = np.arange(int(seconds * rate)) / rate
    return np.asarray(np.round(10 ** (level_dbfs / 20) * FULL * np.sin(2 * np.pi * hz * t)), dtype=np.int16)


def frequency(pcm: Pcm, rate: int) -> float:
    """Of the strongest tone, Hz, to a tenth of the spectrum's step."""
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)), 8 * len(pcm)))
    return float(np.argmax(spectrum) * rate / (8 * len(pcm)))


def level_dbfs(pcm: Pcm) -> float:
    """As `tone` counts it: the peak of a sine with this much power. -200 is digital silence."""
    power = float(np.mean(np.square(pcm.astype(float)))) if len(pcm) else 0.0
    return float(10 * np.log10(2 * power / FULL**2)) if power else -200.0


def loud_from(pcm: Pcm, rate: int, above_dbfs: float = -30.0) -> int:
    """The sample at which the first loud window begins; the length when none does."""
    size = int(rate * WINDOW_S)
    for at in range(0, len(pcm) - size, size):
        if level_dbfs(pcm[at : at + size]) > above_dbfs:
            return at
    return len(pcm)


def share_of(pcm: Pcm, rate: int, hz: float) -> float:
    """How much of the power is within 20 Hz of this tone, 0 to 1."""
    spectrum = np.square(np.abs(np.fft.rfft(pcm * np.hanning(len(pcm)))))
    near = np.abs(np.fft.rfftfreq(len(pcm), 1 / rate) - hz) < 20.0
    whole = float(spectrum.sum())
    return float(spectrum[near].sum()) / whole if whole else 0.0

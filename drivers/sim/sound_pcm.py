"""Sound as the simulated network carries it: frames of 20 ms, s16le, mono, 8 kHz; tones, files and other rates.

Plain Python on purpose: a frame has 160 samples, and a simulator that nobody listens to must stay small.
"""

import math
import sys
import wave
from array import array
from pathlib import Path
from random import Random

RATE = 8000  # Hz; narrow band, what every network carries
FRAME_S = 0.02
FRAME = 160  # samples
OCTETS = 2 * FRAME
SILENCE = bytes(OCTETS)
FULL = 32767
WAV_MOST_S = 600.0  # s of a file; longer ones would fill the memory
DTMF_S = 0.1  # s of a key's tone and of the gap behind it, as phones make them; ITU-T Q.24 asks for 0.04
DTMF_DBFS = -12.0  # of each of the two
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)  # Hz, ITU-T Q.23
COMFORT_PEAK = 56  # -60 dBFS as it sounds, 3GPP TS 46.012 and 26.092 in spirit: in pauses only the noise's level comes
KEYS = ("123A", "456B", "789C", "*0#D")


def samples(pcm: bytes) -> "array[int]":
    """s16le octets as numbers; an odd octet at the end is dropped."""
    found = array("h")
    found.frombytes(pcm[: len(pcm) // 2 * 2])
    if sys.byteorder == "big":
        found.byteswap()
    return found


def octets(values: "array[int]") -> bytes:
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()


def clipped(value: float) -> int:
    return max(-FULL - 1, min(FULL, round(value)))


def tone(hz: tuple[float, ...], seconds: float, level_dbfs: float) -> bytes:
    """Sines together, each with this peak."""
    peak = FULL * 10 ** (level_dbfs / 20)
    steps = [2 * math.pi * one / RATE for one in hz]
    return octets(
        array("h", (clipped(peak * sum(math.sin(step * n) for step in steps)) for n in range(round(seconds * RATE))))
    )


def keys_tones(keys: str) -> bytes:
    """The tones of telephone keys, each with a gap behind it. Raises ValueError."""
    made = bytearray()
    for key in keys.upper():
        row = next((n for n, line in enumerate(KEYS) if key in line), None)
        if row is None:
            raise ValueError(f"{key!r} is no telephone key")
        made += tone((ROWS[row], COLUMNS[KEYS[row].index(key)]), DTMF_S, DTMF_DBFS)
        made += bytes(2 * round(DTMF_S * RATE))
    return bytes(made)


def read_wav(path: Path) -> bytes:
    """A file's first channel at 8 kHz. Raises ValueError when it is no WAV of 16 bits, or too long."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate, count = file.getparams()[:4]
            if width != 2:
                raise ValueError(f"{path}: has {8 * width} bits a sample; 16 are needed")
            if count > rate * WAV_MOST_S:
                raise ValueError(f"{path}: is longer than {WAV_MOST_S:g} s")
            heard = samples(file.readframes(count))[::channels]
    except (OSError, EOFError, wave.Error) as e:
        raise ValueError(f"{path}: {e}") from e
    return Stretch(RATE / rate).more(octets(heard))


def mixed(frames: list[bytes]) -> bytes:
    """One frame of several that are said at once."""
    if len(frames) < 2:
        return frames[0] if frames else SILENCE
    return octets(array("h", (clipped(sum(at)) for at in zip(*map(samples, frames), strict=False))))


def comfort_noise() -> list[bytes]:
    """Half a second of what a phone makes of a network's silence, in frames: a hiss of -60 dBFS, never zeros."""
    random = Random(COMFORT_PEAK)
    return [octets(array("h", (random.randint(-COMFORT_PEAK, COMFORT_PEAK) for _ in range(FRAME)))) for _ in range(25)]


class Stretch:
    """So many samples out for each one in, by straight lines between them; averages first where there are fewer."""

    def __init__(self, ratio: float) -> None:
        self.ratio = ratio
        self._last = 0.0
        self._at = 0.0  # of the next sample out, counted in samples in, behind the last one
        self._window: list[float] = []

    def more(self, pcm: bytes) -> bytes:
        if self.ratio == 1.0:
            return pcm
        told = samples(pcm)
        points = [self._last, *(self._smooth(told) if self.ratio < 0.9 else told)]
        step, at, made = 1.0 / self.ratio, self._at, array("h")
        while at < len(points) - 1:
            before = int(at)
            part = at - before
            made.append(clipped(points[before] * (1.0 - part) + points[before + 1] * part))
            at += step
        self._at, self._last = at - (len(points) - 1), points[-1]
        return octets(made)

    def _smooth(self, told: "array[int]") -> list[float]:
        width = round(1.0 / self.ratio)
        made = []
        for value in told:
            self._window = [*self._window[-(width - 1) :], value] if width > 1 else [value]
            made.append(sum(self._window) / width)
        return made

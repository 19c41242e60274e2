"""Tones: one or more sines together, as a sound of some length or as an end that sounds for ever."""

from collections.abc import Sequence

import numpy as np

from drivers.audio.endpoint import BRIDGE_RATE, FRAME_S, Pcm

FULL = 32767.0
EDGE = BRIDGE_RATE // 200  # 5 ms up and down, so that it does not click
LONGEST_S = 600.0


def sines(hz: Sequence[float], seconds: float, level_dbfs: float = -12.0, *, start: int = 0) -> Pcm:
    """Sines of equal loudness at BRIDGE_RATE, together `level_dbfs` (RMS; one full sine is -3.01). No edges."""
    time = (np.arange(round(seconds * BRIDGE_RATE)) + start) / BRIDGE_RATE
    wave = np.zeros(len(time))
    for one in hz:
        wave += np.sin(2 * np.pi * one * time)
    wave *= FULL * 10 ** (level_dbfs / 20) * np.sqrt(2 / max(1, len(hz)))
    return np.clip(np.rint(wave), -32768, 32767).astype(np.int16)


def edged(pcm: Pcm) -> Pcm:
    """The same with soft ends."""
    length = min(EDGE, len(pcm) // 2)
    ramp = np.sin(np.linspace(0, np.pi / 2, length)) ** 2
    sound = pcm.astype(np.float64)
    sound[:length] *= ramp
    sound[len(sound) - length :] *= ramp[::-1]
    return np.rint(sound).astype(np.int16)


def tone(hz: Sequence[float], seconds: float, level_dbfs: float = -12.0) -> Pcm:
    """With soft ends. Raises ValueError for a length that is none."""
    if not 0 < seconds <= LONGEST_S:
        raise ValueError(f"a tone of {seconds:g} s: choose more than 0 and at most {LONGEST_S:g}.")
    return edged(sines(hz, seconds, level_dbfs))


def sweep(low_hz: float, high_hz: float, seconds: float, level_dbfs: float = -12.0) -> Pcm:
    """A sine that rises evenly, with soft ends: it is like nothing but itself, so it is found by correlation."""
    time = np.arange(round(seconds * BRIDGE_RATE)) / BRIDGE_RATE
    phase = 2 * np.pi * (low_hz * time + (high_hz - low_hz) * time**2 / (2 * seconds))
    return edged(
        np.rint(FULL * 10 ** (level_dbfs / 20) * np.sqrt(2) * np.sin(phase)).clip(-32768, 32767).astype(np.int16)
    )


class Humming:
    """An end that sounds until it is closed."""

    rate = BRIDGE_RATE
    live = False
    waiting_s = 0.0
    lost = ""

    def __init__(self, hz: Sequence[float], level_dbfs: float = -12.0) -> None:
        self._hz, self._level = tuple(hz), level_dbfs
        self._start = 0
        self.finished = False

    def take(self) -> Pcm:
        if self.finished:
            return np.zeros(0, np.int16)
        frame = sines(self._hz, FRAME_S, self._level, start=self._start)
        self._start += len(frame)
        return frame

    def give(self, pcm: Pcm) -> None:
        pass

    def close(self) -> None:
        self.finished = True

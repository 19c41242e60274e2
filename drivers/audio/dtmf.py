"""Telephone keys as pairs of tones (ITU-T Q.23), made and heard (Q.24)."""

import numpy as np

from drivers.audio.endpoint import BRIDGE_RATE, Pcm
from drivers.audio.resample import Sound
from drivers.audio.tones import FULL, edged, tone

ROWS = (697, 770, 852, 941)  # Hz
COLUMNS = (1209, 1336, 1477, 1633)
KEYS = ("123A", "456B", "789C", "*0#D")

# Q.24: 40 ms are a key, 23 ms are none, 40 ms of gap divide two, 10 ms divide nothing.
WINDOW = 410  # samples, 25.6 ms: between 23 and 40, and 39 Hz narrow: half of what lies between two rows
HOP = 160  # 10 ms
SAME = 2  # windows in a row that begin a key: in 40 ms two fit always
GONE = 4  # windows in a row that end it: 40 ms of gap spoil five, 10 ms three

LEAST_DBFS = -42.0  # of each tone; a line's weakest is some -36
PURE = 0.75  # of all energy is in the two tones; also what a window has to be filled to
LOW_LOUDER = 10 ** (8 / 10)  # twist: the lower tone is at most 8 dB louder,
HIGH_LOUDER = 10 ** (4 / 10)  # the higher one at most 4
ABOVE_OTHERS = 10 ** (8 / 10)  # each tone over the others of its group

# Q.24: 1.5 % off is a key, 3.5 % off is none. Each tone is looked for at five places, the strongest counts.
OFF = (0.0, -0.006, 0.006, -0.012, 0.012)
_HZ = np.outer(1 + np.array(OFF), ROWS + COLUMNS).reshape(-1)
_TURNS = np.exp(-2j * np.pi * np.outer(np.arange(WINDOW), _HZ) / BRIDGE_RATE)
_MATRIX: Sound = np.hstack((_TURNS.real, _TURNS.imag)).astype(np.float32)
_MATRIX.setflags(write=False)
_LEAST = (FULL * 10 ** (LEAST_DBFS / 20)) ** 2  # mean square


def key_tone(key: str, seconds: float = 0.1, level_dbfs: float = -10.0) -> Pcm:
    """The sound of one key. Raises ValueError for what is no key."""
    for row, keys in zip(ROWS, KEYS, strict=True):
        if len(key) == 1 and key in keys:
            return tone((row, COLUMNS[keys.index(key)]), seconds, level_dbfs)
    raise ValueError(f"{key!r} is no telephone key: they are 0 to 9, *, #, A to D.")


def key_tones(keys: str, seconds: float = 0.1, gap_s: float = 0.1) -> Pcm:
    """Several keys, each with its gap behind it."""
    gap = np.zeros(round(gap_s * BRIDGE_RATE), np.int16)
    return np.concatenate([part for key in keys for part in (key_tone(key, seconds), gap)] or [gap[:0]])


def twisted_tone(key: str, seconds: float, low_dbfs: float, high_dbfs: float, off: float = 0.0) -> Pcm:
    """A key as a bad telephone makes it: each tone of its own loudness, both `off` (0.01: 1 %) their frequency."""
    row = next(number for number, keys in enumerate(KEYS) if key in keys)
    low, high = ROWS[row] * (1 + off), COLUMNS[KEYS[row].index(key)] * (1 + off)
    both = tone((low,), seconds, low_dbfs).astype(np.int32) + tone((high,), seconds, high_dbfs)
    return edged(np.clip(both, -32768, 32767).astype(np.int16))


class KeyDetector:
    """Feed it sound at BRIDGE_RATE in any pieces; it gives each key once, when it has sounded for some 35 ms."""

    def __init__(self) -> None:
        self._held: Sound = np.zeros(0, np.float32)
        self._sounding = ""
        self._seen = ""
        self._count = 0

    def hear(self, sound: Sound | Pcm) -> str:
        """The keys that began in it, mostly none."""
        self._held = np.concatenate((self._held, sound), dtype=np.float32)
        began = []
        while len(self._held) >= WINDOW:
            if key := self._step(seen(self._held[:WINDOW])):
                began.append(key)
            self._held = self._held[HOP:]
        return "".join(began)

    def _step(self, key: str) -> str:
        self._count = self._count + 1 if key == self._seen else 1
        self._seen = key
        if key and key != self._sounding and self._count == SAME:
            self._sounding = key
            return key
        if not key and self._count == GONE:
            self._sounding = ""
        return ""


def seen(window: Sound) -> str:
    """The key in WINDOW samples, or an empty string."""
    energy = float(np.dot(window, window)) / WINDOW
    if energy < _LEAST:
        return ""
    parts = window @ _MATRIX
    both = (parts**2).reshape(2, len(OFF), 8)
    power = (both[0] + both[1]).max(axis=0) * (2 / WINDOW**2)  # each tone's own mean square
    row, column = int(power[:4].argmax()), int(power[4:].argmax())
    low, high = float(power[row]), float(power[4 + column])
    others = max(
        np.delete(power[:4], row).max() * ABOVE_OTHERS - low, np.delete(power[4:], column).max() * ABOVE_OTHERS - high
    )
    if min(low, high) < _LEAST or low > high * LOW_LOUDER or high > low * HIGH_LOUDER:
        return ""
    return KEYS[row][column] if others < 0 and low + high > PURE * energy else ""

"""A USB modem's sound or a headset as an end of a bridge. PortAudio's threads fill and empty its rings.

`drivers/audio/portaudio.py` opens its streams, watches them and opens them again.
"""

import numpy as np
import pyaudio

from drivers.audio.endpoint import Pcm
from drivers.audio.errors import CLOSED, OPENING
from drivers.audio.ring import SAMPLE, Ring

KEPT_S = 0.5  # s of sound in either ring; a bridge that is later than this has lost the talk's thread anyway


class UsbEndpoint:
    """`lost` is a code of drivers/audio/errors.py; `xruns` counts what PortAudio says that it lost or repeated."""

    live = True
    finished = False

    def __init__(self, device: str, output: str, rate: int) -> None:
        self.device, self.output, self.rate = device, output, rate
        self.lost = OPENING
        self.xruns = 0
        self.beats = [0, 0]  # callbacks of microphone and speaker: while they count on, the device is there
        self._heard, self._given = Ring(int(rate * KEPT_S)), Ring(int(rate * KEPT_S))

    @property
    def waiting_s(self) -> float:
        return len(self._given) / self.rate

    @property
    def dropped(self) -> int:
        """Samples that nobody took in time, in both directions."""
        return self._heard.dropped + self._given.dropped

    def take(self) -> Pcm:
        return np.frombuffer(self._heard.get(), dtype="<i2").astype(np.int16, copy=False)

    def give(self, pcm: Pcm) -> None:
        if not self.lost:
            self._given.put(pcm.astype("<i2", copy=False).tobytes())

    def close(self) -> None:
        """Its streams are closed by who opened them, a moment later."""
        self.lose(CLOSED)

    def lose(self, why: str) -> None:
        """What waits to be played would be old when the device comes back."""
        if self.lost != CLOSED:
            self.lost = why
        self._given.clear()

    def found(self) -> None:
        if self.lost != CLOSED:
            self._heard.clear()
            self.lost = ""

    # In PortAudio's threads.

    def on_heard(self, octets: bytes, _frames: int, _times: object, status: int) -> tuple[None, int]:
        self.beats[0] += 1
        self.xruns += bool(status)
        self._heard.put(octets)
        return None, pyaudio.paContinue

    def on_wanted(self, _octets: None, frames: int, _times: object, status: int) -> tuple[bytes, int]:
        self.beats[1] += 1
        self.xruns += bool(status)
        return self._given.get(frames).ljust(frames * SAMPLE, b"\0"), pyaudio.paContinue

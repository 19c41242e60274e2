"""The voice of a phone outside: it says what it was told to, and keeps what it hears in a WAV file."""

import wave
from collections.abc import Callable
from pathlib import Path

from drivers.sim.sound_pcm import OCTETS, RATE, SILENCE, keys_tones

WAITING_MOST = 16000 * 600  # octets that wait to be said: ten minutes
FOREVER_MOST = 16000 * 60  # octets that are said again and again


class PhoneVoice:
    """`changed` is called when it begins to speak or to listen. What is said outside a call waits for the next."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._waiting = bytearray()
        self._again = b""  # said over and over when nothing else waits
        self._again_at = 0
        self._file: wave.Wave_write | None = None
        self.heard = 0  # frames

    @property
    def at_work(self) -> bool:
        return bool(self._waiting or self._again or self._file)

    def say(self, pcm: bytes, *, over_and_over: bool = False) -> None:
        """8 kHz. Raises ValueError when too much waits."""
        if len(self._waiting) + len(pcm) > (FOREVER_MOST if over_and_over else WAITING_MOST):
            raise ValueError("that is too long for a phone to say")
        if over_and_over:
            self._again, self._again_at = pcm, 0
        else:
            self._waiting += pcm
        self._changed()

    def fall_silent(self) -> None:
        self._waiting.clear()
        self._again = b""

    def press(self, keys: str) -> None:
        """Before what else waits: a person who presses keys does not speak."""
        self._waiting[:0] = keys_tones(keys)
        self._changed()

    def record(self, path: Path) -> None:
        """What it hears from now on, or from the next answer on, until the call ends. Raises ValueError."""
        self.stop_recording()
        try:
            file = wave.open(str(path), "wb")  # noqa: SIM115  # open for the length of a call
        except OSError as e:
            raise ValueError(f"{path}: {e.strerror}") from e
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        self._file = file
        self._changed()

    def stop_recording(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def speak(self) -> bytes:
        if self._waiting:
            frame = bytes(self._waiting[:OCTETS])
            del self._waiting[:OCTETS]
            return frame.ljust(OCTETS, b"\0")
        if not self._again:
            return b""
        frame = b""
        while len(frame) < OCTETS:
            piece = self._again[self._again_at : self._again_at + OCTETS - len(frame)]
            frame += piece
            self._again_at = (self._again_at + len(piece)) % len(self._again)
        return frame

    def hear(self, frame: bytes) -> None:
        self.heard += frame != SILENCE
        if self._file is not None:
            self._file.writeframesraw(frame)

    def alone(self) -> None:
        """It hung up, or was hung up on."""
        self.stop_recording()
        self.fall_silent()

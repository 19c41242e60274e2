"""Texts spoken by espeak-ng, a program of its own: what it says comes as sound at BRIDGE_RATE, and is kept."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Iterable
from typing import Literal

import numpy as np

from drivers.audio.endpoint import BRIDGE_RATE, Pcm
from drivers.audio.wav import at_bridge_rate

Language = Literal["id", "en"]

WORDS_A_MINUTE = 150  # slower than its 175: a telephone takes the clear edges off
LONGEST_TEXT = 1000  # characters
LONGEST_S = 180.0  # of sound; 1000 characters take some 80 s
DEADLINE_S = 15.0  # it speaks a thousand times as fast as a person
WAV_HEAD = 44  # octets; the lengths in it are made up, for it writes to a pipe
MOST_KEPT = 64  # texts
MOST_KEPT_OCTETS = 16_000_000  # 8 minutes
AT_ONCE = 2  # programs
PEAK = 0.5  # -6 dBFS: about as loud as a person on the line
PAUSE_S = 0.3  # between two texts

NEXT = "Next: apt-get install espeak-ng."


class SpeechFailed(RuntimeError):
    """Nothing was spoken; its text says why and what to do."""


class Speaker:
    """`program`: another espeak-ng than the one in PATH."""

    def __init__(self, program: str = "espeak-ng") -> None:
        self._program = program
        self._kept: OrderedDict[tuple[Language, str], Pcm] = OrderedDict()
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def say(self, texts: Iterable[tuple[Language, str]]) -> Pcm:
        """The texts one behind the other. Raises SpeechFailed."""
        pause = np.zeros(round(PAUSE_S * BRIDGE_RATE), np.int16)
        parts = [part for language, text in texts for part in (await self._one(language, text), pause)]
        return np.concatenate(parts[:-1]) if parts else pause[:0]

    async def _one(self, language: Language, text: str) -> Pcm:
        text = text[:LONGEST_TEXT].strip()
        if not text:
            return np.zeros(0, np.int16)
        async with self._turns:
            if (kept := self._kept.get((language, text))) is None:
                kept = self._kept[language, text] = await self._spoken(language, text)
        self._kept.move_to_end((language, text))
        while len(self._kept) > MOST_KEPT or sum(one.nbytes for one in self._kept.values()) > MOST_KEPT_OCTETS:
            self._kept.popitem(last=False)
        return kept

    async def _spoken(self, language: Language, text: str) -> Pcm:
        try:
            process = await asyncio.create_subprocess_exec(
                self._program,
                *("-v", language, "-s", str(WORDS_A_MINUTE), "--stdin", "--stdout"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as e:
            raise SpeechFailed(f"no text can be spoken: {self._program}: {e.strerror}. {NEXT}") from e
        try:
            async with asyncio.timeout(DEADLINE_S):
                wav = await _talk(process, text)
                code = await process.wait()
        except TimeoutError as e:
            raise SpeechFailed(f"{self._program} spoke for more than {DEADLINE_S:g} s and was ended. {NEXT}") from e
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code or not wav.startswith(b"RIFF"):
            raise SpeechFailed(f"{self._program} ended with code {code} and no sound for {text[:40]!r}. {NEXT}")
        return await asyncio.to_thread(_heard, wav)


async def _talk(process: asyncio.subprocess.Process, text: str) -> bytes:
    """What it writes, at most LONGEST_S of it."""
    if process.stdin is None or process.stdout is None:
        raise SpeechFailed("a program was started without pipes.")
    with contextlib.suppress(ConnectionError):  # it has ended already: its code says why
        process.stdin.write(text.encode())
        await process.stdin.drain()
    process.stdin.close()
    most = int(LONGEST_S * 2 * 24_000)
    wav = bytearray()
    while piece := await process.stdout.read(1 << 16):
        wav += piece
        if len(wav) > most:
            process.kill()
            break
    return bytes(wav)


def _heard(wav: bytes) -> Pcm:
    rate = int.from_bytes(wav[24:28], "little")
    samples = np.frombuffer(wav[WAV_HEAD:][: (len(wav) - WAV_HEAD) // 2 * 2], "<i2").astype(np.float32)
    loudest = float(np.abs(samples).max()) if len(samples) else 0.0
    return at_bridge_rate(samples * np.float32(PEAK / loudest) if loudest else samples, rate)

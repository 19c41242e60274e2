"""What a scenario can hear: recordings of calls, and what phones outside and people at the box kept of what they heard.

Tones are found by frequency, texts by their likeness to what espeak-ng says (`drivers/audio/measure.py`).
"""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np

from drivers.audio.endpoint import BRIDGE_RATE, Pcm
from drivers.audio.measure import RECOGNISABLE, likeness
from drivers.audio.speech import Speaker
from drivers.audio.wav import at_bridge_rate

PHONE_RATE = 8000  # Hz of what simulated voices keep
HEAD = 44  # octets of their files before the sound; they may still be growing
FULL = 32767
FRAME = BRIDGE_RATE // 20  # samples that are looked at for a tone
TONAL = 0.6  # share of a frame's energy in the tone; two voices at once leave each a half
QUIETEST = 100.0  # RMS of a frame that is anything, -50 dBFS
LASTS_S = 0.4  # of a tone, without a break
STEP_S, LATE_S = 1.0, 2.5  # between looks for a text's beginning, and how late it may be there
LOOK = BRIDGE_RATE // 2  # samples more, until a text is looked for again
SIDES = {"line": 0, "person": 1}

Heard = tuple[bool, str]


class Ears:
    """`folder` is where files of phones and people lie that a story names without a path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marks: dict[str, int] = {}
        self._speaker = Speaker()
        self._looked: tuple[object, Heard] | None = None

    def mark(self) -> None:
        """What was kept until now counts no more."""
        self._marks = {file.name: file.stat().st_size for file in self._folder.glob("*.wav")}

    def in_folder(self, args: dict[str, Any]) -> dict[str, Any]:
        """A knob's arguments, with the file in the folder."""
        return {k: str(self._folder / v) if k in ("file", "wav") and v else v for k, v in args.items()}

    async def heard(self, name: str, test: dict[str, Any]) -> Heard:
        """What is in a file that a phone or a person keeps; with `since = "start"` all of it."""
        try:
            octets = (self._folder / name).read_bytes()
        except OSError:
            octets = b""
        begins = max(HEAD, 0 if test.get("since") == "start" else self._marks.get(name, 0))
        begins += begins % 2
        pcm = np.frombuffer(octets[begins : len(octets) // 2 * 2], "<i2")
        return await self._holds(at_bridge_rate((pcm / FULL).astype(np.float32), PHONE_RATE), test)

    async def recorded(self, files: list[Path], test: dict[str, Any]) -> Heard:
        """One side of a recording: of the newest, or of the `part`th."""
        import soundfile

        part = test.get("part", len(files))
        if not 1 <= part <= len(files) or not files[part - 1].exists():
            return False, f"{len(files)} recordings"
        sound, _ = await asyncio.to_thread(soundfile.read, files[part - 1], dtype="int16")
        seen, what = await self._holds(sound[:, SIDES[test["side"]]], test)
        return seen, f"{what} of {len(files)} recordings"

    async def _holds(self, pcm: Pcm, test: dict[str, Any]) -> Heard:
        seconds = f"{len(pcm) / BRIDGE_RATE:.1f} s"
        if "hz" in test:
            lasts, share = await asyncio.to_thread(tone_in, pcm, float(test["hz"]))
            good = lasts >= test.get("seconds", LASTS_S) and share >= test.get("most", 0.0)
            return good, f"{test['hz']} Hz for {lasts:.2f} s, {share:.0%} of {seconds}"
        looked = (tuple(test.items()), len(pcm) // LOOK)
        if self._looked is None or self._looked[0] != looked:  # it takes a processor that the sound needs too
            self._looked = looked, await self._like(pcm, test)
        return self._looked[1]

    async def _like(self, pcm: Pcm, test: dict[str, Any]) -> Heard:
        sent = await self._speaker.say([(test.get("language", "id"), test["text"])])
        alike = await asyncio.to_thread(best_likeness, sent, pcm)
        return alike >= RECOGNISABLE, f"likeness {alike:.2f} in {len(pcm) / BRIDGE_RATE:.1f} s"


def tone_in(pcm: Pcm, hz: float) -> tuple[float, float]:
    """Seconds for which a tone is most of the sound without a break, and the share of all that has it."""
    frames = pcm[: len(pcm) // FRAME * FRAME].reshape(-1, FRAME).astype(float)
    turns = np.exp(-2j * np.pi * hz * np.arange(FRAME) / BRIDGE_RATE)
    energy = (frames**2).sum(axis=1)
    tonal = 2 * np.abs(frames @ turns) ** 2 / FRAME >= TONAL * np.maximum(energy, FRAME * QUIETEST**2)
    longest = run = 0
    for one in tonal:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest * FRAME / BRIDGE_RATE, float(tonal.mean()) if len(tonal) else 0.0


def best_likeness(sent: Pcm, received: Pcm) -> float:
    """How well a text is heard where it is heard best."""
    step, length = round(STEP_S * BRIDGE_RATE), len(sent) + round(LATE_S * BRIDGE_RATE)
    last = max(1, len(received) - len(sent) + 1)
    return max(likeness(sent, received[at : at + length]) for at in range(0, last, step))

"""Sound from a file: WAV, or whatever else libsndfile reads, as mono at BRIDGE_RATE."""

from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from drivers.audio.endpoint import BRIDGE_RATE, Pcm

LONGEST_S = 600.0  # of a file that is played into a call: 19 MB
HIGHEST_RATE = 192_000


class SoundUnreadable(ValueError):
    """No sound file; its text says which and what to do."""


def read_sound(file: Path | BinaryIO, longest_s: float = LONGEST_S) -> Pcm:
    """Mono, its channels mixed; at most `longest_s` of it. It blocks: call it in a thread. Raises SoundUnreadable."""
    name = file if isinstance(file, Path) else "the sound"
    try:
        with soundfile.SoundFile(file) as sound:
            if sound.samplerate > HIGHEST_RATE:
                raise SoundUnreadable(f"{name} has {sound.samplerate} samples a second. Next: convert it to 16,000.")
            read = sound.read(int(longest_s * sound.samplerate), dtype="float32", always_2d=True)
            rate = int(sound.samplerate)
    except (OSError, soundfile.LibsndfileError) as e:
        raise SoundUnreadable(f"{name} cannot be read as sound: {e} Next: put a WAV file there.") from e
    return at_bridge_rate(read.mean(axis=1), rate)


def at_bridge_rate(sound: npt.NDArray[np.float32], rate: int) -> Pcm:
    """Mono from -1 to 1 at `rate`, as a bridge takes it."""
    if rate != BRIDGE_RATE and len(sound):
        sound = soxr.resample(sound, rate, BRIDGE_RATE)
    return np.clip(np.rint(sound * 32767), -32768, 32767).astype(np.int16)


def write_wav(file: Path, pcm: Pcm, rate: int = BRIDGE_RATE) -> None:
    """16 bit; mono, or a row for each moment with a column for each channel. It blocks. Raises OSError."""
    with file.open("wb") as opened:
        soundfile.write(opened, pcm, rate, format="WAV", subtype="PCM_16")

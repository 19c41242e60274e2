"""What a story hears: a tone or a text is found where it is, and nothing is found where it is not."""

import asyncio
import wave
from pathlib import Path

import pytest

from appliance.scenario_sound import Ears
from drivers.audio.speech import Speaker
from drivers.audio.wav import write_wav
from drivers.sim.phone_voice import PhoneVoice
from drivers.sim.sound_knobs import say

FILE, TEXT = "heard.wav", "Pasar Mardika terbakar, kirim dua mobil."


async def kept(folder: Path, **what: object) -> None:
    """A phone says it, another one keeps it."""
    one, other = PhoneVoice(lambda: None), PhoneVoice(lambda: None)
    seconds = (await say(one, **what))["seconds"]
    other.record(folder / FILE)
    for _ in range(round(seconds / 0.02)):
        other.hear(one.speak())
    other.stop_recording()


async def test_a_tone_is_heard_and_another_one_not(tmp_path: Path) -> None:
    ears = Ears(tmp_path)
    assert not (await ears.heard(FILE, {"hz": 700}))[0], "there is no file yet"
    ears.mark()
    await kept(tmp_path, hz=700.0)
    assert (await ears.heard(FILE, {"hz": 700, "seconds": 0.9, "most": 0.9}))[0]
    assert not (await ears.heard(FILE, {"hz": 700, "seconds": 1.2}))[0]
    assert not (await ears.heard(FILE, {"hz": 760}))[0]
    ears.mark()
    assert not (await ears.heard(FILE, {"hz": 700}))[0], "it was before the last deed"
    assert (await ears.heard(FILE, {"hz": 700, "since": "start"}))[0]


async def test_a_text_is_heard_and_another_one_not(tmp_path: Path) -> None:
    write_wav(tmp_path / "said.wav", await Speaker().say([("id", TEXT)]))
    await kept(tmp_path, wav=str(tmp_path / "said.wav"))
    assert (await Ears(tmp_path).heard(FILE, {"text": TEXT}))[0]
    assert not (await Ears(tmp_path).heard(FILE, {"text": "Jalan Tulehu longsor, lewat Passo saja."}))[0]


async def test_a_file_that_is_still_written_is_heard_up_to_its_end(tmp_path: Path) -> None:
    voice = PhoneVoice(lambda: None)
    voice.record(tmp_path / FILE)
    speaker = PhoneVoice(lambda: None)
    await say(speaker, hz=900.0, seconds=3.0)
    for _ in range(150):
        voice.hear(speaker.speak())
    assert (await Ears(tmp_path).heard(FILE, {"hz": 900, "seconds": 1.0}))[0]
    voice.stop_recording()
    with wave.open(str(tmp_path / FILE)) as whole:
        assert whole.getnframes() == 3 * 8000


@pytest.mark.parametrize(
    "what", [{"hz": 500, "text": "x"}, {"loud": 1}, {"hz": 9}, {"language": "xx", "text": "x"}, {}]
)
async def test_what_cannot_be_said_is_refused(what: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        await asyncio.wait_for(say(PhoneVoice(lambda: None), **what), 5)

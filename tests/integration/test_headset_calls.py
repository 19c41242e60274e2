"""A person's USB headset that goes in a call, by the real audio process over ALSA and PulseAudio: seen, told, back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_world import BROWSER_RATE, LINE_RATE, Voice, caller, share, until, world
from sound_box import SoundBox, sound_box
from sound_measure import tone

from appliance.alarm_events import AlarmCleared, AlarmRaised
from appliance.call_events import CallRecorded, CallSound
from appliance.events import CallAnswered, CallEnded, CallRinging

CALL, ALARM = "aaaa0001", "sound.person_lost"
CALLER_HZ, PERSON_HZ = 1000.0, 1700.0
CARD_RATE = 16000
SPEAKS_S = 40.0  # longer than the test
TOLD_WITHIN = 2.0  # s of real time
EAR, MOUTH = "ear", "mouth"  # two cards, so that the person does not hear themselves in the loop that a null sink is


@pytest.fixture
def sound() -> Iterator[SoundBox]:
    with sound_box(EAR, MOUTH) as box:
        yield box


class Person:
    """At the headset, by other programs: `paplay` is the mouth, `parec` the ear."""

    def __init__(self, folder: Path) -> None:
        self._said, self._heard = folder / "said.raw", folder / "heard.raw"
        self._said.write_bytes(tone(PERSON_HZ, SPEAKS_S, CARD_RATE).tobytes())

    @contextlib.asynccontextmanager
    async def wears(self, box: SoundBox) -> AsyncIterator[None]:
        raw = "--raw", f"--rate={CARD_RATE}", "--channels=1", "--format=s16le", "--latency-msec=20"
        self._heard.write_bytes(b"")
        programs = [
            box.started("paplay", f"--device={MOUTH}", *raw, str(self._said)),
            box.started("parecord", f"--device={EAR}.monitor", *raw, str(self._heard)),
        ]
        try:
            yield
        finally:
            for program in programs:
                program.terminate()
            await asyncio.gather(*(asyncio.to_thread(program.wait, 10) for program in programs))

    def hears(self, hz: float) -> bool:
        octets = self._heard.read_bytes()
        last = np.frombuffer(octets[: len(octets) // 2 * 2], "<i2")[-CARD_RATE // 5 :]
        return share(last, CARD_RATE, hz) > 0.5


def fifths_of(voice: Voice, hz: float) -> int:
    """Fifths of a second of what it heard that are this tone; one that a busy machine broke does not count."""
    length = voice.rate // 5
    return sum(share(voice.heard[at : at + length], voice.rate, hz) > 0.5 for at in range(0, len(voice.heard), length))


async def test_a_headset_pulled_in_a_call_is_told_and_the_call_goes_on_until_it_is_back(
    sound: SoundBox, tmp_path: Path
) -> None:
    them, person = Voice(LINE_RATE, CALLER_HZ), Person(tmp_path)
    headset = {"device": f"{MOUTH}_mic", "output": EAR, "rate": CARD_RATE}
    async with world(tmp_path, headset=headset) as there, caller(tmp_path / "pcm-l1", them):
        core = there.core()
        core.append(CallRinging(line="l1", call=CALL, number="+62000000100"))
        core.append(CallAnswered(line="l1", call=CALL))
        core.sound.talk(CALL, "headset", "operator")

        def told(what: str) -> list[CallSound]:
            return [e for e in core.events(CallSound) if (e.end, e.what) == ("person", what)]

        async with person.wears(sound):
            await until("both hear", lambda: them.hears(PERSON_HZ) and person.hears(CALLER_HZ))
            assert not told("lost")
            pulled = asyncio.get_running_loop().time()
            sound.unplug(MOUTH)
            sound.unplug(EAR)
            await until("it is told", lambda: told("lost"))
            assert asyncio.get_running_loop().time() - pulled < TOLD_WITHIN
        assert told("lost")[0].why in ("unplugged", "stalled"), "whichever is seen first"
        assert [e.alarm for e in core.events(AlarmRaised) if e.about == "l1"] == [ALARM]
        them.deaf()
        await until("the line is at work", lambda: len(them.heard) > LINE_RATE // 4)
        assert not np.any(them.heard[-400:]), "and nobody speaks on it"
        assert core.state.calls[CALL].live
        assert not [e for e in core.events(AlarmCleared) if e.about == "l1"]

        sound.plug(EAR)
        sound.plug(MOUTH)
        await until("it is back", lambda: told("back"))
        assert [e.alarm for e in core.events(AlarmCleared) if e.about == "l1"] == [ALARM]
        async with person.wears(sound):
            await until("both hear again", lambda: them.hears(PERSON_HZ) and person.hears(CALLER_HZ))
            them.deaf()
            await until("they talk a while", lambda: fifths_of(them, PERSON_HZ) >= 4)
        core.append(CallEnded(line="l1", call=CALL, seconds=9.0, reason="caller"))
        await until("the recording", lambda: core.events(CallRecorded))
        file = there.places.state / core.events(CallRecorded)[0].file
        await until("its name", file.exists)
        recorded, _ = soundfile.read(file, dtype="int16")
        pieces = [recorded[at : at + 3200] for at in range(0, len(recorded) - 3200, 1600)]
        said = [share(piece[:, 1], BROWSER_RATE, PERSON_HZ) > 0.5 for piece in pieces]
        changes = [now for before, now in zip([False, *said], said, strict=False) if now != before]
        assert changes[:3] == [True, False, True], "the person's side: there, gone, there again"
        assert sum(share(piece[:, 0], BROWSER_RATE, CALLER_HZ) > 0.5 for piece in pieces) > len(pieces) / 2

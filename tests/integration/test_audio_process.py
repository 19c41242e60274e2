"""Calls' sound through the real process: ptys for modems, its socket for browsers, tones measured at the other end."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import soundfile
from audio_world import BROWSER_RATE, LINE_RATE, Core, Voice, World, browser, caller, share, until, world

from appliance.call_events import CallHeld, CallRecorded, CallResumed, CallSound
from appliance.events import CallAnswered, CallEnded, CallRinging, LinkLost

CALLER_HZ, PERSON_HZ = 1000.0, 1700.0
GAP = 0.3  # s; a busy machine leaves holes of a tenth in anybody's sound


@asynccontextmanager
async def a_call(folder: Path, them: Voice, person: Voice) -> AsyncIterator[World]:
    """A caller on line l1 and a person at a browser."""
    async with (
        world(folder) as there,
        caller(folder / "pcm-l1", them),
        browser(there.places.audio_stream, "k1", person),
    ):
        yield there


async def talking(core: Core, line: str = "l1", call: str = "aaaa0001", key: str = "k1") -> None:
    """A call rings, and is answered by a person at a browser."""
    core.append(CallRinging(line=line, call=call, number="+62000000100"))
    core.append(CallAnswered(line=line, call=call))
    core.sound.talk(call, key, "operator")
    await until("the audio process", lambda: core.sound.link.up)


def recorded(there: World, event: CallRecorded) -> np.ndarray:
    """The recording's samples, its hash checked."""
    file = there.places.state / event.file
    assert hashlib.sha256(file.read_bytes()).hexdigest() == event.sha256
    sound, rate = soundfile.read(file, dtype="int16")
    assert rate == BROWSER_RATE
    return np.asarray(sound)


async def test_both_hear_each_other_and_the_recording_holds_both_voices_each_on_its_side(tmp_path: Path) -> None:
    them, person = Voice(LINE_RATE, CALLER_HZ), Voice(BROWSER_RATE, PERSON_HZ)
    async with a_call(tmp_path, them, person) as there:
        core = there.core()
        await talking(core)
        await until("the person hears", lambda: person.hears(CALLER_HZ))
        await until("the caller hears", lambda: them.hears(PERSON_HZ))
        core.sound.mute("aaaa0001", True)
        await until("the caller hears nothing of who is mute", lambda: not np.any(them.heard[-800:]))
        assert person.hears(CALLER_HZ)
        core.sound.mute("aaaa0001", False)
        them.deaf()
        await until("the caller hears again", lambda: them.hears(PERSON_HZ, 0.4))
        core.append(CallEnded(line="l1", call="aaaa0001", seconds=1.0, reason="caller"))
        await until("the recording", lambda: core.events(CallRecorded))
        event = core.events(CallRecorded)[0]
        await until("its name", lambda: (there.places.state / event.file).exists())
        sound = recorded(there, event)
        assert len(sound) / BROWSER_RATE == event.seconds > 0.4
        left, right = sound[-4000:, 0], sound[-4000:, 1]
        assert share(left, BROWSER_RATE, CALLER_HZ) > 0.5
        assert share(right, BROWSER_RATE, PERSON_HZ) > 0.5
        assert max(share(left, BROWSER_RATE, PERSON_HZ), share(right, BROWSER_RATE, CALLER_HZ)) < 0.1


async def killed(there: World, core: Core, them: Voice, person: Voice) -> float:
    """Seconds from `kill -9` of the audio process until both hear each other again."""
    loop = asyncio.get_running_loop()
    died = loop.time()
    there.audio.kill()
    await until("it is gone", lambda: not core.sound.link.up)
    them.deaf()
    person.deaf()
    await until("both hear", lambda: person.hears(CALLER_HZ, 0.1) and them.hears(PERSON_HZ, 0.1))
    return loop.time() - died


async def test_the_process_is_killed_in_a_call_and_sound_is_back_by_itself(tmp_path: Path) -> None:
    them, person = Voice(LINE_RATE, CALLER_HZ), Voice(BROWSER_RATE, PERSON_HZ)
    async with a_call(tmp_path, them, person) as there:
        core = there.core()
        await talking(core)
        await until("both hear", lambda: person.hears(CALLER_HZ) and them.hears(PERSON_HZ))
        await asyncio.sleep(1.0)  # a recording that has something to lose
        await killed(there, core, them, person)  # how soon is measured by `make bench`
        assert [e.link for e in core.events(LinkLost)] == ["audio"]
        # What the killed process had recorded is closed and journaled, and the call goes on in another file.
        await until("the first recording", lambda: core.events(CallRecorded))
        first = core.events(CallRecorded)[0]
        core.append(CallEnded(line="l1", call="aaaa0001", seconds=9.0, reason="caller"))
        await until("all recordings", lambda: len(core.events(CallRecorded)) == 2)
        second = core.events(CallRecorded)[-1]
        assert first.file != second.file
        for event in (first, second):
            await until("its name", lambda e=event: (there.places.state / e.file).exists())
            sound = recorded(there, event)
            assert share(sound[-4000:, 0], BROWSER_RATE, CALLER_HZ) > 0.2  # a busy machine leaves holes in it
        assert first.seconds > 0.5


async def test_core_is_killed_in_a_call_and_the_sound_and_its_recording_go_on(tmp_path: Path) -> None:
    them, person = Voice(LINE_RATE, CALLER_HZ), Voice(BROWSER_RATE, PERSON_HZ)
    async with a_call(tmp_path, them, person) as there:
        core = there.core()
        await talking(core)
        await until("both hear", lambda: person.hears(CALLER_HZ) and them.hears(PERSON_HZ))
        core.sound.mute("aaaa0001", True)
        await until("mute", lambda: not np.any(them.heard[-800:]))
        await core.kill()
        person.deaf()
        await until("the person hears without core", lambda: person.hears(CALLER_HZ))
        person.deaf()
        again = there.core()
        await until("core is back", lambda: again.sound.standing("aaaa0001"))
        assert again.sound.muted("aaaa0001"), "who was mute stays so"
        assert not np.any(them.heard[-800:])
        again.sound.mute("aaaa0001", False)
        await until("the caller hears", lambda: them.hears(PERSON_HZ))
        assert longest_silence(person) < GAP, "core's return made no gap"
        again.append(CallEnded(line="l1", call="aaaa0001", seconds=9.0, reason="caller"))
        await until("the recording", lambda: again.events(CallRecorded))
        assert share(recorded_when_named(there, again)[:8000, 0], BROWSER_RATE, CALLER_HZ) > 0.5


def recorded_when_named(there: World, core: Core) -> np.ndarray:
    event = core.events(CallRecorded)[0]
    file = there.places.state / event.file
    return np.asarray(soundfile.read(file if file.exists() else f"{file}.part", dtype="int16")[0])


async def test_a_line_that_falls_silent_is_told_and_repaired_by_the_ladder(tmp_path: Path) -> None:
    them, person = Voice(LINE_RATE, CALLER_HZ), Voice(BROWSER_RATE, PERSON_HZ)
    async with world(tmp_path) as there, caller(tmp_path / "pcm-l1", them):
        core = there.core()
        await talking(core)
        async with browser(there.places.audio_stream, "k1", person):
            await until("the person hears", lambda: person.hears(CALLER_HZ))
            them.silent = True
            await until("silence is told", lambda: [e for e in core.events(CallSound) if e.what == "silent"])
            assert core.state.sound_faults["l1/line"].what == "silent"
            await until("the modem's sound is reset", lambda: core.modems.asked == ["l1 on", "l1 off", "l1 on"])
            them.silent = False
            await until("it is heard", lambda: "l1/line" not in core.state.sound_faults)


async def test_who_is_held_hears_the_box_and_the_person_hears_nothing(tmp_path: Path) -> None:
    them, person = Voice(LINE_RATE, CALLER_HZ), Voice(BROWSER_RATE, PERSON_HZ)
    async with a_call(tmp_path, them, person) as there:
        core = there.core()
        await talking(core)
        await until("both hear", lambda: person.hears(CALLER_HZ) and them.hears(PERSON_HZ))
        core.append(CallHeld(line="l1", call="aaaa0001"))
        await until("the caller hears a voice", lambda: speech(them.heard[-1600:]))
        core.append(CallResumed(line="l1", call="aaaa0001"))
        await until("both hear", lambda: person.hears(CALLER_HZ) and them.hears(PERSON_HZ))


def longest_silence(voice: Voice) -> float:
    """Seconds."""
    loud = np.flatnonzero(np.abs(voice.heard) > 100)
    return float(np.diff(loud).max()) / voice.rate


def speech(sound: np.ndarray) -> bool:
    """Loud, and no tone of ours."""
    return bool(len(sound) and np.abs(sound).max() > 1000 and share(sound, LINE_RATE, PERSON_HZ) < 0.3)

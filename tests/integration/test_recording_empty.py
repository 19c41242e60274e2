"""A recording into which nothing was written: it costs its file, and not the sound of all calls that follow."""

import asyncio
from pathlib import Path

from appliance.audio_protocol import Recorded
from appliance.config import Places
from appliance.config_sound import RecordingRules
from appliance.journal import Appended
from appliance.sound.library import Library
from appliance.state import State
from drivers.audio.recording import Recording
from drivers.clock import VirtualClock


class Mends:
    """Answers as the audio process does for a file in which it finds no sound."""

    up = True

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def mend(self, file: str) -> Recorded:
        self.asked.append(file)
        return Recorded()


def no_event(*_: object) -> Appended:
    raise AssertionError("nothing was recorded: there is nothing to journal")


def keeper(state: Path, mender: Mends) -> Library:
    places = Places(state=state, run=state, key=state / "key", profiles=state, sound=state)
    return Library(RecordingRules(), places, State(), VirtualClock(), no_event, mender)


async def looked_at(state: Path, mender: Mends) -> None:
    library = keeper(state, mender)
    running = asyncio.create_task(library.run(set))
    try:
        async with asyncio.timeout(10):
            while any(state.rglob("*.part")) and not running.done():
                await asyncio.sleep(0.01)
        assert not running.done(), running.exception()
    finally:
        running.cancel()


async def test_an_empty_one_that_was_left_is_removed_and_the_keeper_lives(tmp_path: Path) -> None:
    left = tmp_path / "recordings/2026/11/22T031500-l1-1a2b3c4d.flac.part"
    left.parent.mkdir(parents=True)
    left.touch()
    await looked_at(tmp_path, mender := Mends())
    assert mender.asked == [str(left)]
    assert not left.exists()


async def test_one_with_octets_in_it_is_never_removed_for_being_empty(tmp_path: Path) -> None:
    left = tmp_path / "recordings/2026/11/22T031500-l1-1a2b3c4d.flac.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"fLaC and then what nobody could read")
    library = keeper(tmp_path, mender := Mends())
    running = asyncio.create_task(library.run(set))
    try:
        async with asyncio.timeout(10):
            while not mender.asked:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert left.exists()
        assert not running.done()
    finally:
        running.cancel()


async def test_a_recording_that_heard_nothing_says_no_octets(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.flac.part")
    done = await recording.close()
    assert (done.octets, done.seconds, done.failed) == (0, 0.0, "")

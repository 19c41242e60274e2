"""A station's microphone and loudspeaker: the real audio process, espeak-ng, and a pty that stands for the card."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from audio_world import LINE_RATE, Voice, caller, until, world

from appliance.audio_protocol import Serial
from appliance.station import room_sound
from appliance.station.room_sound import RoomSound
from drivers.clock import Clock

LOUD = 300  # amplitude of what is speech and not the line's own noise


async def test_the_room_is_heard_and_spoken_in_and_a_voice_there_is_not_taken_for_a_siren(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_sound, "TIMES", 1)
    siren, levels = Voice(LINE_RATE, 440), list[float | None]()
    siren.silent = True
    async with world(tmp_path) as w, caller(tmp_path / "card", siren):
        room = RoomSound(w.places.audio, Serial(str(tmp_path / "card")), Clock(), listens=True, on_level=levels.append)
        running = asyncio.create_task(room.run())
        try:
            await until("the quiet is heard", lambda: len(levels) >= 2)
            assert all(level is None or level < -60 for level in levels)
            siren.silent = False
            await until("the siren is heard", lambda: levels[-1] is not None and levels[-1] > -30)
            levels.clear()
            speaking = asyncio.create_task(room.speak("id", "Uji coba.", -6.0))
            await until("the voice is in the room", lambda: np.abs(siren.heard).max(initial=0) > LOUD)
            assert levels == []
            assert await speaking
            await until("it listens again", lambda: levels)
            await w.audio.stop()
            assert not await room.speak("id", "Uji coba.", 0.0)  # nobody is held up by a process that is not there
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

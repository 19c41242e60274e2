"""Who may hear a recording, what is written of it, and a file that is not what was recorded."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance.call_commands import OpenRecording
from appliance.call_events import RecordingOpened, RecordingWrong
from appliance.desk.listening import ONE_LISTENING, Listening
from appliance.desk_view import CallRow, Recording
from appliance.event import Event
from drivers.clock import VirtualClock
from drivers.jsonsocket import Refusal

ROLES = {"siti": "operator", "budi": "operator", "rani": "supervisor", "tono": "technician", "console:root": "console"}
SOUND = b"fLaC of two voices"


class Room:
    """A call of siti's with two recordings, ended just now."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.rows = folder, VirtualClock(), list[tuple[Event, str]]()
        ended = self.clock.wall()
        parts = tuple(self._recording(name) for name in ("a.flac", "b.flac"))
        self.row = CallRow(
            call="c1", line="l1", number="", direction="in", wall=ended - 60, outcome="answered", ended=ended,
            person="siti", persons=("siti",), recordings=parts,
        )  # fmt: skip
        self.listening = Listening(
            folder=folder, own_hours=24, clock=self.clock, append=self._append, row=self._row,
            role_of=lambda actor: ROLES.get(actor, ""),
        )  # fmt: skip

    def _recording(self, name: str) -> Recording:
        (self.folder / name).write_bytes(SOUND)
        return Recording(name, 1.5, len(SOUND), hashlib.sha256(SOUND).hexdigest())

    def _append(self, event: Event, *, actor: str = "", cause: int | None = None) -> Any:
        self.rows.append((event, actor))

    async def _row(self, call: str) -> CallRow | None:
        return self.row if call == "c1" else None

    async def open(self, actor: str, call: str = "c1", **more: Any) -> dict[str, Any]:
        return await self.listening.open(OpenRecording(call=call, **more), actor)

    async def refused(self, actor: str, call: str = "c1", **more: Any) -> str:
        with pytest.raises(Refusal) as refusal:
            await self.open(actor, call, **more)
        return refusal.value.code


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


async def test_operators_hear_their_own_calls_supervisors_all_and_technicians_none(room: Room) -> None:
    for actor in ("siti", "rani", "console:root"):
        assert (await room.open(actor))["file"] == "a.flac"
    for actor in ("budi", "tono", "nobody"):
        assert await room.refused(actor) == "role"
    assert [actor for _, actor in room.rows] == ["siti", "rani", "console:root"]


async def test_a_call_that_nobody_took_is_heard_by_every_operator_to_call_back(room: Room) -> None:
    room.row = msgspec.structs.replace(room.row, person="", persons=(), outcome="abandoned")
    assert (await room.open("budi"))["right"]
    assert await room.refused("tono") == "role"


async def test_an_operators_own_call_is_closed_to_them_a_day_later(room: Room) -> None:
    room.clock.advance(23.9 * 3600)
    assert (await room.open("siti"))["right"]
    room.clock.advance(0.2 * 3600)
    assert await room.refused("siti") == "role"
    assert (await room.open("rani"))["right"]


async def test_the_parts_that_a_player_asks_for_are_one_listening(room: Room) -> None:
    for _ in range(5):
        await room.open("siti")
        room.clock.advance(ONE_LISTENING / 2)
    await room.open("siti", part=2)
    assert room.rows == [
        (RecordingOpened(call="c1", file="a.flac"), "siti"),
        (RecordingOpened(call="c1", file="b.flac"), "siti"),
    ]
    room.clock.advance(ONE_LISTENING + 1)
    await room.open("siti")
    assert len(room.rows) == 3


async def test_a_file_that_was_changed_is_told_so_and_played_only_to_who_insists(room: Room) -> None:
    assert (await room.open("siti"))["right"]
    (room.folder / "a.flac").write_bytes(SOUND.replace(b"two", b"one"))
    assert await room.refused("siti") == "changed"
    assert (await room.open("siti", anyway=True))["right"] is False
    assert (await room.open("siti", part=2, anyway=True))["right"] is True
    assert room.rows[1] == (RecordingWrong(call="c1", file="a.flac", why="changed"), "siti")


async def test_what_is_not_there_is_refused_and_a_file_that_vanished_is_written_down(room: Room) -> None:
    assert await room.refused("siti", "c2") == "no_call"
    assert await room.refused("siti", part=3) == "no_recording"
    assert room.rows == []
    (room.folder / "b.flac").unlink()
    assert await room.refused("siti", part=2) == "no_recording"
    assert room.rows == [(RecordingWrong(call="c1", file="b.flac", why="gone"), "siti")]

"""Taking calls as core wires it: desk, lines and sound together, each but the desk a fake that does what it is told."""

from pathlib import Path
from typing import Any, cast

import pytest
from desk_story import ANI, BUDI, Rows, rows, site

from appliance.call_commands import AnswerCall, Dial, Redial, ResumeCall
from appliance.call_events import CallDialled, CallHeld, CallResumed, CallTaken
from appliance.core_desk import DeskRoom
from appliance.events import CallAnswered
from appliance.lines.service import Lines
from appliance.model import CallPhase
from drivers.jsonsocket import Refusal


class Modems:
    """Two lines, one call each."""

    def __init__(self, journal: Rows) -> None:
        self._journal = journal
        self.done: list[str] = []
        self.outgoing = self
        self.refuses = ""

    def free_lines(self) -> list[str]:
        return ["l1", "l2"]

    async def notice(self, *_: Any, **__: Any) -> None: ...
    async def reject(self, *_: Any) -> None: ...

    def _told(self, what: str, line: str) -> str:
        self.done.append(f"{what} {line}")
        if self.refuses == what:
            raise Refusal("waiting", "A call waits.")
        return self._journal.state.calls_on(line)[0].id

    async def answer(self, line: str, call: str, actor: str) -> dict[str, str]:
        self._journal.append(CallAnswered(line=line, call=self._told("answer", line)), actor=actor)
        return {"line": line, "call": call}

    async def hold(self, line: str, actor: str) -> dict[str, str]:
        call = self._told("hold", line)
        self._journal.append(CallHeld(line=line, call=call), actor=actor)
        return {"line": line, "call": call}

    async def resume(self, line: str, actor: str) -> dict[str, str]:
        call = self._told("resume", line)
        self._journal.append(CallResumed(line=line, call=call), actor=actor)
        return {"line": line, "call": call}

    def last_dialled(self, line: str) -> str:
        return {"l1": "+62000000901"}[line]

    async def dial(self, number: str, actor: str, line: str, why: str, key: str) -> dict[str, str]:
        call = self._journal.new_call()
        self.done.append(f"dial {line}")
        self._journal.append(CallDialled(line=line, call=call, number=number, why=why), actor=actor)
        return {"line": line, "call": call}


class Room:
    """`places`: where one can talk at this box."""

    def __init__(self, folder: Path) -> None:
        self.journal, self.places = rows(), {"", "headset", "k3y"}
        self.modems = Modems(self.journal)
        self.desk = DeskRoom(
            site=site(), state=self.journal.state, clock=self.journal.clock, append=self.journal.append,
            journal=folder / "journal.db", kept=lambda: 0, lines=cast("Lines", self.modems), on_changed=lambda: None,
            talk=self._talk, place=self._place,
        )  # fmt: skip

    def _talk(self, call: str, talk: str, actor: str) -> None:
        place = {"": "", "headset": "headset"}.get(talk, "browser")
        line = self.journal.state.calls[call].line
        self.journal.append(CallTaken(line=line, call=call, place=place), actor=actor)

    def _place(self, talk: str) -> None:
        if talk not in self.places:
            raise Refusal("no_headset", "There is no headset at this box.")

    def phase(self, call: str) -> CallPhase:
        return self.journal.state.calls[call].phase

    async def two(self, first: str = "siti", second: str = "siti", talk: str = "headset") -> tuple[str, str]:
        """A call on each line, taken one behind the other."""
        one, other = self.journal.ring(ANI, "l1"), self.journal.ring(BUDI, "l2")
        await self.desk.obey(AnswerCall(line="l1", call=one, talk=talk), first)
        await self.desk.obey(AnswerCall(line="l2", call=other, talk=talk), second)
        return one, other


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


async def test_who_answers_on_another_line_puts_the_call_they_talk_in_on_hold(room: Room) -> None:
    one, other = await room.two()
    assert (room.phase(one), room.phase(other)) == (CallPhase.HELD, CallPhase.TALKING)
    await room.desk.obey(ResumeCall(line="l1"), "siti")
    assert (room.phase(one), room.phase(other)) == (CallPhase.TALKING, CallPhase.HELD)


async def test_nobody_elses_call_is_put_on_hold(room: Room) -> None:
    one, _ = await room.two(second="budi", talk="k3y")
    assert room.phase(one) is CallPhase.TALKING


async def test_a_hold_that_the_modem_refuses_costs_the_answered_call_nothing(room: Room) -> None:
    room.modems.refuses = "hold"
    one, other = await room.two()
    assert (room.phase(one), room.phase(other)) == (CallPhase.TALKING, CallPhase.TALKING)
    assert room.modems.done == ["answer l1", "answer l2", "hold l1"]


async def test_at_a_place_that_is_none_no_call_is_answered_and_none_dialled(room: Room) -> None:
    room.places.discard("headset")
    call = room.journal.ring(ANI, "l1")
    for command in (
        AnswerCall(line="l1", call=call, talk="headset"),
        Dial(to="+62000000901", line="l2", talk="headset"),
    ):
        with pytest.raises(Refusal, match="headset"):
            await room.desk.obey(command, "siti")
    assert room.modems.done == []
    assert room.phase(call) is CallPhase.RINGING


async def test_whom_the_line_called_last_is_called_again_at_the_persons_place(room: Room) -> None:
    told = await room.desk.obey(Redial(line="l1", talk="headset"), "siti")
    call = room.journal.state.calls[told["call"]]
    assert (call.number, call.line, call.place) == ("+62000000901", "l1", "headset")

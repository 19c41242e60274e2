"""What core writes down of relays that do not open, told or found, and of currents."""

from typing import Any

import msgspec
import pytest

from appliance import station_events as st
from appliance.annunciator_protocol import InputChange, OutputChange, OutputState, Standing
from appliance.config import Site
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.fold import apply
from appliance.local import Local
from appliance.state import State
from drivers.clock import VirtualClock

SITE = {
    "role": "station",
    "site": "s",
    "id": "a",
    "name": "A",
    "annunciator": {
        "socket": "a.sock",
        "factory": "mock",
        "output": {
            "siren": {"pin": 17, "kind": "siren", "max_s": 60},
            "gate": {"pin": 26, "kind": "door", "follows": "siren"},
        },
        "input": {
            "current": {"pin": 5, "kind": "current", "of": "siren"},
            "ack": {"pin": 25, "kind": "acknowledge"},
        },
    },
}


class Room:
    """Core's view of its annunciator, over a journal that is a list."""

    def __init__(self) -> None:
        self.state = State()
        self.written: list[Event] = []
        self._head = Entry.before_first()
        self.local = Local(msgspec.convert(SITE, Site), self.state, VirtualClock(), self._append)

    def _append(self, event: Event) -> Any:
        self.written.append(event)
        self._head = Entry.after(
            self._head, wall=0.0, mono=0.0, boot="b", quality="ntp", kind=event.kind, subject=event.subject, actor="",
            cause=None, body=encode_event(event),
        )  # fmt: skip
        apply(self.state, self._head)

    def faults(self) -> list[tuple[str, bool]]:
        return [(e.output, e.on) for e in self.written if isinstance(e, st.SirenFault)]


@pytest.fixture
def room() -> Room:
    return Room()


def standing(**stuck: bool) -> Standing:
    outputs = {name: OutputState(False, (), 0.0, None, is_stuck) for name, is_stuck in stuck.items()}
    return Standing(outputs, {}, 0.0, False)


@pytest.mark.parametrize("output", ["siren", "gate"])
def test_a_stuck_relay_is_written_down_once_and_so_is_its_end(room: Room, output: str) -> None:
    for why in ("stuck", "stuck", "released", "released"):
        room.local.on_output(OutputChange(output, False, None, why, 0.0))
    assert room.faults() == [(output, True), (output, False)]


def test_what_stuck_or_opened_while_one_of_them_was_away_is_found_when_they_meet(room: Room) -> None:
    room.local.on_up(standing(siren=True, gate=False))
    room.local.on_up(standing(siren=True, gate=False))
    room.local.on_up(standing(siren=False, gate=True))
    assert room.faults() == [("siren", True), ("siren", False), ("gate", True)]


def test_a_line_that_stays_on_is_a_fault_and_no_new_order(room: Room) -> None:
    room.local.on_output(OutputChange("siren", True, "a1", "ordered", 0.0))
    room.local.on_output(OutputChange("siren", True, None, "stuck", 0.0))
    room.local.on_output(OutputChange("siren", False, None, "released", 0.0))
    assert [e.kind for e in room.written] == ["siren.energised", "siren.fault", "siren.fault", "siren.released"]


def test_a_current_fills_no_journal_and_a_persons_press_is_kept(room: Room) -> None:
    for name in ("current", "ack"):
        room.local.on_input(InputChange(name, True, 0.0))
    assert [e.kind for e in room.written] == ["input.changed"]


@pytest.mark.parametrize("on", [True, False])
def test_a_stuck_relay_that_nobody_ordered_is_not_called_an_order(room: Room, on: bool) -> None:
    room.local.on_output(OutputChange("siren", on, None, "stuck", 0.0))
    assert [e.kind for e in room.written] == ["siren.fault"]
    up = standing(siren=True)
    up.outputs["siren"] = msgspec.structs.replace(up.outputs["siren"], on=on)
    room.local.on_up(up)
    assert "siren.energised" not in [e.kind for e in room.written]

"""Which faults of sound are over, by the levels of a call's ends."""

import pytest

from appliance.audio_protocol import BridgeStanding, EndStanding
from appliance.call_events import CallSound
from appliance.events import CallEnded
from appliance.fold_sound import FOLDS
from appliance.model import CallPhase
from appliance.sound.mended import mended
from appliance.stamp import Stamp
from appliance.state import Call, SoundFault, State


def told(fault: str, end: EndStanding, *, of: str = "a") -> list[CallSound]:
    state = State()
    at = Stamp(mono=1.0, boot="b", wall=1.0, seq=1)
    state.calls["a"] = Call("l1", "a", None, CallPhase.TALKING, at, at)
    state.sound_faults[fault] = SoundFault(of, "silent", "", at)
    return list(mended([BridgeStanding("a", (end,)), BridgeStanding("gone", (end,))], state))


HEARD = [CallSound(line="l1", call="a", end="line", what="heard")]


@pytest.mark.parametrize("of", ["a", "an earlier one"])
def test_a_line_that_is_heard_again_is_mended_whichever_call_it_failed_in(of: str) -> None:
    assert told("l1/line", EndStanding("line", heard_dbfs=-30.0), of=of) == HEARD


@pytest.mark.parametrize(
    "end",
    [EndStanding("line"), EndStanding("line", heard_dbfs=-70.0), EndStanding("line", "missing", heard_dbfs=-30.0)],
)
def test_a_line_that_is_lost_or_says_nothing_is_not(end: EndStanding) -> None:
    assert told("l1/line", end) == []


def test_a_person_who_is_there_is_back_though_nothing_is_said_and_the_box_is_nobody() -> None:
    assert told("l1/person", EndStanding("headset")) == [CallSound(line="l1", call="a", end="person", what="heard")]
    assert told("l1/person", EndStanding("headset", "unplugged")) == []
    assert told("l1/person", EndStanding("box", heard_dbfs=-20.0)) == []
    assert told("l2/line", EndStanding("line", heard_dbfs=-20.0)) == []


@pytest.mark.parametrize(("reason", "left"), [("line_lost", []), ("caller", ["l1/line"])])
def test_a_loss_in_a_call_is_over_when_the_modem_itself_was_gone(reason: str, left: list[str]) -> None:
    state, at = State(), Stamp(mono=1.0, boot="b", wall=1.0, seq=1)
    for event in (
        CallSound(line="l1", call="a", end="line", what="lost", why="unplugged"),
        CallEnded(line="l1", call="a", seconds=4.0, reason=reason),
    ):
        FOLDS[type(event)](state, event, at)
    assert list(state.sound_faults) == left

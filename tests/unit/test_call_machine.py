"""One line's calls: whatever the sources say and in whatever order, a call is told once and ends once."""

import itertools

import pytest

from appliance.events import CallAnswered, CallEnded, CallEvent, CallIdentified, CallMissed, CallRinging
from appliance.lines.call_machine import (
    DOUBT,
    LATE_LISTING,
    RING_GAP,
    TRANSITIONS,
    CallMachine,
    Known,
    Listed,
    Phase,
    Said,
)
from appliance.model import CallPhase

NUMBER = "+6281234567890"


@pytest.fixture
def machine() -> CallMachine:
    return made()


def made(known: Known | None = None) -> CallMachine:
    names = itertools.count(1)
    return CallMachine("l1", lambda: f"{next(names):08x}", known)


def ringing(call: int = 1, number: str | None = None) -> CallRinging:
    return CallRinging(line="l1", call=f"{call:08x}", number=number)


def identified(number: str = NUMBER) -> CallIdentified:
    return CallIdentified(line="l1", call="00000001", number=number)


ANSWERED = CallAnswered(line="l1", call="00000001")
MISSED = CallMissed(line="l1", call="00000001")


def ended(seconds: float, reason: str = "caller") -> CallEnded:
    return CallEnded(line="l1", call="00000001", seconds=seconds, reason=reason)


def test_all_sources_of_one_call_make_one_ring_one_answer_and_one_end(machine: CallMachine) -> None:
    said: list[CallEvent] = []
    said += machine.hear(Said.INCOMING, 0.0)  # RING
    said += machine.hear(Said.INCOMING, 0.0, NUMBER)  # +CLIP
    said += machine.hear(Said.INCOMING, 0.1, NUMBER, 2)  # ccinfo
    said += machine.listed([Listed(Said.INCOMING, NUMBER, 2)], 0.3)
    said += machine.hear(Said.CONNECTED, 4.0)  # VOICE CALL: BEGIN
    said += machine.hear(Said.ACTIVE, 4.0, NUMBER, 2)
    said += machine.listed([Listed(Said.ACTIVE, NUMBER, 2)], 4.3)
    said += machine.hear(Said.GONE, 64.0, NUMBER, 2)
    said += machine.hear(Said.GONE, 64.0)  # NO CARRIER
    said += machine.listed([], 65.9)
    assert said == [ringing(), identified(), ANSWERED, ended(60.0)]


def test_a_call_without_ring_is_known_by_its_number(machine: CallMachine) -> None:
    assert machine.hear(Said.INCOMING, 0.0, NUMBER) == [ringing(number=NUMBER)]


def test_a_withheld_number_stays_unknown(machine: CallMachine) -> None:
    assert machine.hear(Said.INCOMING, 0.0) == [ringing()]
    assert machine.hear(Said.INCOMING, 0.1, None) == []


def test_a_number_written_another_way_is_no_second_identification(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0, "081234567890")
    assert machine.hear(Said.INCOMING, 0.1, NUMBER) == []
    assert machine.listed([Listed(Said.INCOMING, NUMBER)], 3.0) == []
    assert machine.listed([Listed(Said.INCOMING, NUMBER)], 5.0) == []


def test_a_ring_that_stops_is_a_missed_call_after_the_gap(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0)
    machine.hear(Said.INCOMING, 5.0)
    assert machine.deadline == 5.0 + RING_GAP
    assert machine.tick(5.0 + RING_GAP - 0.1) == []
    assert machine.tick(5.0 + RING_GAP) == [MISSED]
    assert machine.deadline is None


def test_one_ring_that_got_lost_does_not_end_a_call_that_is_still_listed(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0)
    for now in (2.0, 4.0, 6.0, 8.0):
        assert machine.tick(now) == []
        assert machine.listed([Listed(Said.INCOMING)], now) == []
    assert machine.hear(Said.INCOMING, 10.0) == []


def test_a_talk_never_ends_by_silence(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0)
    machine.hear(Said.CONNECTED, 1.0)
    assert machine.deadline is None
    assert machine.tick(3600.0) == []


def test_a_fresh_call_that_is_not_listed_yet_is_not_over(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0)
    assert machine.listed([], 0.1) == []
    assert machine.listed([], 0.1 + DOUBT - 0.1) == []
    assert machine.listed([Listed(Said.INCOMING)], 2.0) == []


def test_a_call_that_was_never_listed_ends_when_lists_go_on_without_it(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0)
    machine.listed([], 0.1)
    assert machine.listed([], 0.1 + DOUBT) == [MISSED]


def test_a_call_that_was_listed_ends_with_the_first_list_without_it(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0)
    machine.hear(Said.CONNECTED, 1.0)
    machine.listed([Listed(Said.ACTIVE)], 2.0)
    assert machine.listed([], 11.0) == [ended(10.0)]


def test_a_list_from_before_the_end_brings_no_ghost(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0, NUMBER)
    assert machine.hear(Said.GONE, 3.0) == [MISSED]
    assert machine.listed([Listed(Said.INCOMING, NUMBER)], 3.0 + LATE_LISTING / 2) == []
    assert machine.phase is Phase.IDLE


def test_a_list_from_before_the_answer_does_not_end_the_talk(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0, NUMBER)
    machine.hear(Said.CONNECTED, 3.0)
    assert machine.listed([Listed(Said.INCOMING, NUMBER)], 3.0) == []
    assert machine.phase is Phase.TALKING
    assert machine.listed([Listed(Said.ACTIVE, NUMBER)], 5.0) == []


def test_lists_that_show_another_call_end_the_one_whose_end_was_missed(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0, NUMBER)
    machine.hear(Said.CONNECTED, 2.0)
    other = [Listed(Said.INCOMING, "+6289900000000")]
    assert machine.listed(other, 10.0) == []
    assert machine.listed(other, 12.0) == [ended(10.0), ringing(2, "+6289900000000")]


def test_an_active_call_found_in_the_list_is_taken_up(machine: CallMachine) -> None:
    found = machine.listed([Listed(Said.ACTIVE, NUMBER)], 100.0)
    assert found == [ringing(number=NUMBER), ANSWERED]
    assert machine.hear(Said.GONE, 130.0) == [ended(30.0)]


def test_the_end_of_a_caller_who_waited_does_not_end_the_talk(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0, NUMBER, 1)
    machine.hear(Said.ACTIVE, 2.0, NUMBER, 1)
    assert machine.hear(Said.GONE, 9.0, None, 2) == []
    assert machine.hear(Said.GONE, 10.0, None, 1) == [ended(8.0)]


def test_the_word_of_the_miss_may_bring_the_number(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0)
    assert machine.hear(Said.GONE, 3.0, NUMBER) == [identified(), MISSED]


@pytest.mark.parametrize(("answered", "seconds"), [(True, 5.0), (False, 0.0)])
def test_what_the_operator_ends_or_refuses_is_ended_by_the_operator(answered: bool, seconds: float) -> None:
    machine = made()
    machine.hear(Said.INCOMING, 0.0)
    if answered:
        machine.hear(Said.CONNECTED, 1.0)
    machine.hang_up()
    assert machine.hear(Said.GONE, 6.0) == [ended(seconds, "operator")]
    machine.hear(Said.INCOMING, 20.0)
    assert machine.hear(Said.GONE, 22.0) == [CallMissed(line="l1", call="00000002")]


def test_a_hang_up_that_failed_leaves_the_end_to_the_caller(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0)
    machine.hear(Said.CONNECTED, 1.0)
    machine.hang_up()
    machine.hang_up_failed()
    assert machine.hear(Said.GONE, 3.0) == [ended(2.0)]


def test_a_lost_line_ends_the_talk_and_misses_the_ring(machine: CallMachine) -> None:
    machine.hear(Said.INCOMING, 0.0)
    assert machine.line_lost(1.0) == [MISSED]
    assert machine.line_lost(1.5) == []
    machine.hear(Said.INCOMING, 10.0)
    machine.hear(Said.CONNECTED, 11.0)
    assert machine.line_lost(13.0) == [CallEnded(line="l1", call="00000002", seconds=2.0, reason="line_lost")]


KNOWN = "0badcafe"


def restarted(phase: CallPhase) -> CallMachine:
    return made(Known(KNOWN, phase, NUMBER, 70.0))


def test_after_a_restart_a_call_that_is_still_there_makes_no_event() -> None:
    for phase, said in ((CallPhase.RINGING, Said.INCOMING), (CallPhase.TALKING, Said.ACTIVE)):
        machine = restarted(phase)
        assert machine.deadline is None  # nothing is missed before the modem had a chance to speak
        machine.line_up(100.0)
        assert machine.listed([Listed(said, NUMBER)], 101.0) == []
        assert machine.call == KNOWN


def test_after_a_restart_a_call_that_is_gone_is_ended_or_missed() -> None:
    machine = restarted(CallPhase.RINGING)
    machine.line_up(100.0)
    assert machine.listed([], 101.0) == [CallMissed(line="l1", call=KNOWN)]
    machine = restarted(CallPhase.TALKING)
    machine.line_up(100.0)
    assert machine.listed([], 101.0) == [CallEnded(line="l1", call=KNOWN, seconds=31.0, reason="caller")]


def test_after_a_restart_a_ring_of_which_nobody_speaks_any_more_is_missed() -> None:
    machine = restarted(CallPhase.RINGING)
    machine.line_up(100.0)
    assert machine.tick(100.0 + RING_GAP) == [CallMissed(line="l1", call=KNOWN)]


def test_after_a_restart_a_call_that_was_answered_meanwhile_is_answered() -> None:
    machine = restarted(CallPhase.RINGING)
    machine.line_up(100.0)
    assert machine.listed([Listed(Said.ACTIVE, NUMBER)], 101.0) == [CallAnswered(line="l1", call=KNOWN)]


def test_every_phase_can_be_left_and_every_end_is_one_event() -> None:
    assert {phase for phase, _ in TRANSITIONS} == set(Phase)
    for (phase, said), (to, events) in TRANSITIONS.items():
        assert (to is Phase.IDLE) == (said is Said.GONE)
        assert (phase is to) == (not events)
        assert said is not Said.GONE or len(events) == 1

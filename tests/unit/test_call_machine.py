"""One line's calls: whatever the sources say and in whatever order, a call is told once and ends once."""

import itertools

import pytest

from appliance.call_events import CallAlerting, CallDialled, CallHeld, CallJoined, CallRefused, CallResumed
from appliance.event import Event
from appliance.events import CallAnswered, CallEnded, CallIdentified, CallMissed, CallRinging
from appliance.lines.call_machine import RINGS, SETS_UP, TRANSITIONS, Known, Over, Phase, Reason, Said
from appliance.lines.calls_machine import DOUBT, LATE_LISTING, RING_GAP, SUSPICION, CallsMachine, Listed, Word
from appliance.model import CallPhase

NUMBER = "+6281234567890"


class Line(CallsMachine):
    """A machine whose foremost call is the one spoken of."""

    @property
    def phase(self) -> Phase:
        return self.foremost.phase if self.foremost else Phase.IDLE

    @property
    def call(self) -> str:
        return self.foremost.id if self.foremost else ""

    def told(self, said: Said, now: float, number: str | None = None, index: int | None = None) -> list[Event]:
        return self.hear(Word(said, number, index), now)


@pytest.fixture
def machine() -> Line:
    return made()


def made(*known: Known) -> Line:
    names = itertools.count(1)
    return Line("l1", lambda: f"{next(names):08x}", known)


def ringing(call: int = 1, number: str | None = None) -> CallRinging:
    return CallRinging(line="l1", call=f"{call:08x}", number=number)


def identified(number: str = NUMBER) -> CallIdentified:
    return CallIdentified(line="l1", call="00000001", number=number)


ANSWERED = CallAnswered(line="l1", call="00000001")
MISSED = CallMissed(line="l1", call="00000001")


def ended(seconds: float, reason: str = "caller") -> CallEnded:
    return CallEnded(line="l1", call="00000001", seconds=seconds, reason=reason)


def test_all_sources_of_one_call_make_one_ring_one_answer_and_one_end(machine: Line) -> None:
    said: list[Event] = []
    said += machine.told(Said.INCOMING, 0.0)  # RING
    said += machine.told(Said.INCOMING, 0.0, NUMBER)  # +CLIP
    said += machine.told(Said.INCOMING, 0.1, NUMBER, 2)  # ccinfo
    said += machine.listed([Listed(Said.INCOMING, NUMBER, 2)], 0.3)
    said += machine.told(Said.CONNECTED, 4.0)  # VOICE CALL: BEGIN
    said += machine.told(Said.ACTIVE, 4.0, NUMBER, 2)
    said += machine.listed([Listed(Said.ACTIVE, NUMBER, 2)], 4.3)
    said += machine.told(Said.GONE, 64.0, NUMBER, 2)
    said += machine.told(Said.GONE, 64.0)  # NO CARRIER
    said += machine.listed([], 65.9)
    assert said == [ringing(), identified(), ANSWERED, ended(60.0)]


def test_a_call_without_ring_is_known_by_its_number(machine: Line) -> None:
    assert machine.told(Said.INCOMING, 0.0, NUMBER) == [ringing(number=NUMBER)]


def test_a_withheld_number_stays_unknown(machine: Line) -> None:
    assert machine.told(Said.INCOMING, 0.0) == [ringing()]
    assert machine.told(Said.INCOMING, 0.1, None) == []


def test_a_number_written_another_way_is_no_second_identification(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0, "081234567890")
    assert machine.told(Said.INCOMING, 0.1, NUMBER) == []
    assert machine.listed([Listed(Said.INCOMING, NUMBER)], 3.0) == []
    assert machine.listed([Listed(Said.INCOMING, NUMBER)], 5.0) == []


def test_a_ring_that_stops_is_a_missed_call_after_the_gap(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0)
    machine.told(Said.INCOMING, 5.0)
    assert machine.deadline == 5.0 + RING_GAP
    assert machine.tick(5.0 + RING_GAP - 0.1) == []
    assert machine.tick(5.0 + RING_GAP) == [MISSED]
    assert machine.deadline is None


def test_one_ring_that_got_lost_does_not_end_a_call_that_is_still_listed(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0)
    for now in (2.0, 4.0, 6.0, 8.0):
        assert machine.tick(now) == []
        assert machine.listed([Listed(Said.INCOMING)], now) == []
    assert machine.told(Said.INCOMING, 10.0) == []


def test_a_talk_never_ends_by_silence(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0)
    machine.told(Said.CONNECTED, 1.0)
    assert machine.deadline is None
    assert machine.tick(3600.0) == []


def test_a_fresh_call_that_is_not_listed_yet_is_not_over(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0)
    assert machine.listed([], 0.1) == []
    assert machine.listed([], 0.1 + DOUBT - 0.1) == []
    assert machine.listed([Listed(Said.INCOMING)], 2.0) == []


def test_a_call_that_was_never_listed_ends_when_lists_go_on_without_it(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0)
    machine.listed([], 0.1)
    assert machine.listed([], 0.1 + DOUBT) == [MISSED]


def test_a_call_that_was_listed_ends_with_the_first_list_without_it(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0)
    machine.told(Said.CONNECTED, 1.0)
    machine.listed([Listed(Said.ACTIVE)], 2.0)
    assert machine.listed([], 11.0) == [ended(10.0)]


def test_a_list_from_before_the_end_brings_no_ghost(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0, NUMBER)
    assert machine.told(Said.GONE, 3.0) == [MISSED]
    assert machine.listed([Listed(Said.INCOMING, NUMBER)], 3.0 + LATE_LISTING / 2) == []
    assert machine.phase is Phase.IDLE


def test_a_list_from_before_the_answer_does_not_end_the_talk(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0, NUMBER)
    machine.told(Said.CONNECTED, 3.0)
    assert machine.listed([Listed(Said.INCOMING, NUMBER)], 3.0) == []
    assert machine.phase is Phase.TALKING
    assert machine.listed([Listed(Said.ACTIVE, NUMBER)], 5.0) == []


def test_lists_that_show_another_call_end_the_one_whose_end_was_missed(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0, NUMBER)
    machine.told(Said.CONNECTED, 2.0)
    other = [Listed(Said.INCOMING, "+6289900000000")]
    assert machine.listed(other, 10.0) == []
    assert machine.listed(other, 12.0) == [ended(10.0), ringing(2, "+6289900000000")]


def test_an_active_call_found_in_the_list_is_taken_up(machine: Line) -> None:
    found = machine.listed([Listed(Said.ACTIVE, NUMBER)], 100.0)
    assert found == [ringing(number=NUMBER), ANSWERED]
    assert machine.told(Said.GONE, 130.0) == [ended(30.0)]


def test_the_end_of_a_caller_who_waited_does_not_end_the_talk(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0, NUMBER, 1)
    machine.told(Said.ACTIVE, 2.0, NUMBER, 1)
    assert machine.told(Said.GONE, 9.0, None, 2) == []
    assert machine.told(Said.GONE, 10.0, None, 1) == [ended(8.0)]


def test_the_word_of_the_miss_may_bring_the_number(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0)
    assert machine.told(Said.GONE, 3.0, NUMBER) == [identified(), MISSED]


@pytest.mark.parametrize(("answered", "seconds"), [(True, 5.0), (False, 0.0)])
def test_what_the_operator_ends_or_refuses_is_ended_by_the_operator(answered: bool, seconds: float) -> None:
    machine = made()
    machine.told(Said.INCOMING, 0.0)
    if answered:
        machine.told(Said.CONNECTED, 1.0)
    machine.hang_up(machine.call)
    assert machine.told(Said.GONE, 6.0) == [ended(seconds, "operator")]
    machine.told(Said.INCOMING, 20.0)
    assert machine.told(Said.GONE, 22.0) == [CallMissed(line="l1", call="00000002")]


def test_a_hang_up_that_failed_leaves_the_end_to_the_caller(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0)
    machine.told(Said.CONNECTED, 1.0)
    machine.hang_up(machine.call)
    machine.hang_up_failed(machine.call)
    assert machine.told(Said.GONE, 3.0) == [ended(2.0)]


def test_a_lost_line_ends_the_talk_and_misses_the_ring(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0)
    assert machine.line_lost(1.0) == [MISSED]
    assert machine.line_lost(1.5) == []
    machine.told(Said.INCOMING, 10.0)
    machine.told(Said.CONNECTED, 11.0)
    assert machine.line_lost(13.0) == [CallEnded(line="l1", call="00000002", seconds=2.0, reason="line_lost")]


KNOWN = "0badcafe"


def restarted(phase: CallPhase) -> Line:
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
    assert machine.tick(130.0) == [CallMissed(line="l1", call=KNOWN)]


def test_after_a_restart_a_call_that_was_answered_meanwhile_is_answered() -> None:
    machine = restarted(CallPhase.RINGING)
    machine.line_up(100.0)
    assert machine.listed([Listed(Said.ACTIVE, NUMBER)], 101.0) == [CallAnswered(line="l1", call=KNOWN)]


def test_every_phase_can_be_left_and_every_end_is_one_event() -> None:
    assert {phase for phase, _ in TRANSITIONS} == set(Phase)
    for (phase, said), (to, events) in TRANSITIONS.items():
        assert (to is Phase.IDLE) == (said is Said.GONE)
        assert (phase is to) == (not events)
        assert said is not Said.GONE or events == (Over,)


# Several calls

SECOND = "+6285555550001"


def two(machine: Line, *, listed: bool = True) -> Line:
    """The first call, index 1, is talked on; the second, index 2, waits."""
    machine.told(Said.INCOMING, 0.0, NUMBER, 1)
    machine.told(Said.ALONE, 2.0, NUMBER, 1)
    machine.hear(Word(Said.INCOMING, SECOND, 2, out=False, waiting=True), 10.0)
    if listed:
        machine.listed([Listed(Said.ALONE, NUMBER, 1), Listed(Said.INCOMING, SECOND, 2, waiting=True)], 10.1)
    return machine


def phases(machine: Line) -> dict[str, Phase]:
    return {call.id[-1]: call.phase for call in machine.calls.values()}


def test_a_second_caller_waits_and_is_told_once_by_all_sources(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0, NUMBER, 1)
    machine.told(Said.ACTIVE, 2.0, NUMBER, 1)
    said = machine.hear(Word(Said.INCOMING, SECOND, out=False, waiting=True), 10.0)  # +CCWA
    said += machine.hear(Word(Said.INCOMING, SECOND, 2, out=False, waiting=True), 10.0)
    said += machine.hear(Word(Said.INCOMING, out=False), 10.1)
    said += machine.listed([Listed(Said.ACTIVE, NUMBER, 1), Listed(Said.INCOMING, SECOND, 2)], 10.2)
    assert said == [CallRinging(line="l1", call="00000002", number=SECOND, waiting=True)]


def test_a_ring_behind_the_answer_is_no_second_caller(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0, NUMBER, 1)
    machine.told(Said.ACTIVE, 2.0, NUMBER, 1)
    assert machine.hear(Word(Said.INCOMING, out=False), 2.1) == []
    assert machine.hear(Word(Said.INCOMING, NUMBER, out=False), 2.1) == []
    assert len(machine.calls) == 1


def test_a_call_that_waits_does_not_end_by_the_silence_that_ends_a_ring(machine: Line) -> None:
    two(machine)
    assert machine.tick(10.1 + RING_GAP + 1) == []


def test_who_waited_rings_by_the_usual_rule_once_the_talk_is_over(machine: Line) -> None:
    two(machine)
    assert machine.told(Said.GONE, 20.0, None, 1) == [ended(18.0)]
    assert machine.deadline == 50.0
    assert machine.tick(50.0) == [CallMissed(line="l1", call="00000002")]


def test_an_end_that_names_no_call_waits_for_the_list(machine: Line) -> None:
    two(machine)
    assert machine.told(Said.GONE, 20.0) == []  # NO CARRIER: of either
    assert machine.listed([Listed(Said.ALONE, NUMBER, 1)], 20.1) == [CallMissed(line="l1", call="00000002")]
    assert machine.told(Said.GONE, 30.0) == []
    assert machine.listed([Listed(Said.ALONE, NUMBER, 1)], 30.1) == []  # it was of one that nobody knew
    assert machine.told(Said.GONE, 40.0) == []
    assert machine.tick(40.0 + SUSPICION) == [ended(39.0)]


def test_the_echo_of_one_call_s_end_does_not_end_the_other(machine: Line) -> None:
    two(machine, listed=False)
    assert len(machine.told(Said.GONE, 20.0, SECOND, 2)) == 1
    assert machine.told(Said.GONE, 20.1) == []
    assert phases(machine) == {"1": Phase.TALKING}


def test_swap_join_and_split_are_told_call_by_call(machine: Line) -> None:
    two(machine)
    first, second = ({"line": "l1", "call": f"0000000{i}"} for i in (1, 2))
    both = [Listed(Said.HELD, NUMBER, 1), Listed(Said.ALONE, SECOND, 2)]
    assert machine.listed(both, 12.0) == [CallHeld(**first), CallAnswered(**second)]
    both = [Listed(Said.JOINED, NUMBER, 1), Listed(Said.JOINED, SECOND, 2)]
    assert machine.listed(both, 14.0) == [CallJoined(**first), CallJoined(**second)]
    assert machine.hear(Word(Said.ACTIVE, None, 1, out=False), 14.5) == []  # no word of the conference
    both = [Listed(Said.ALONE, NUMBER, 1), Listed(Said.HELD, SECOND, 2)]
    assert machine.listed(both, 16.0) == [CallResumed(**first), CallHeld(**second)]


def test_a_list_from_before_a_swap_does_not_take_it_back(machine: Line) -> None:
    two(machine)
    machine.told(Said.HELD, 12.0, None, 1)
    machine.told(Said.ALONE, 12.0, None, 2)
    assert machine.listed([Listed(Said.ALONE, NUMBER, 1), Listed(Said.INCOMING, SECOND, 2)], 12.2) == []
    assert phases(machine) == {"1": Phase.HELD, "2": Phase.TALKING}


def test_a_row_of_a_report_among_a_list_s_rows_is_no_further_call(machine: Line) -> None:
    two(machine, listed=False)
    rows = [Listed(Said.ALONE, NUMBER, 1), Listed(Said.INCOMING, SECOND, 2), Listed(Said.INCOMING, SECOND, 2)]
    assert machine.listed(rows, 10.2) == []


def test_a_number_that_is_dialled_rings_there_and_is_answered(machine: Line) -> None:
    ids = {"line": "l1", "call": "d1"}
    assert machine.dial("d1", NUMBER, "call_back", 0.0) == [CallDialled(**ids, number=NUMBER, why="call_back")]
    assert machine.listed([], 0.1) == machine.listed([], 3.0) == []  # the modem has not taken it yet
    machine.dialled("d1")
    assert machine.hear(Word(Said.DIALLING, NUMBER, 1, out=True), 3.1) == []
    assert machine.hear(Word(Said.ALERTING, NUMBER, 1, out=True), 5.0) == [CallAlerting(**ids)]
    assert machine.listed([Listed(Said.DIALLING, NUMBER, 1, out=True)], 5.1) == []
    assert machine.hear(Word(Said.CONNECTED), 9.0) == [CallAnswered(**ids)]
    assert machine.told(Said.GONE, 12.0, None, 1) == [CallEnded(**ids, seconds=3.0, reason="caller")]


@pytest.mark.parametrize("why", [Reason.BUSY, Reason.NO_ANSWER])
@pytest.mark.parametrize("first", ["report", "word"])
def test_why_a_dialled_call_ended_is_known_whichever_source_speaks_first(why: Reason, first: str) -> None:
    machine = made()
    machine.dial("d1", NUMBER, "person", 0.0)
    machine.dialled("d1")
    machine.hear(Word(Said.ALERTING, NUMBER, 1, out=True), 2.0)
    machine.listed([Listed(Said.ALERTING, NUMBER, 1, out=True)], 2.1)
    words = [Word(Said.GONE, NUMBER, 1, out=True), Word(Said.GONE, why=why, among=SETS_UP)]
    said = [event for word in (words if first == "report" else words[::-1]) for event in machine.hear(word, 9.0)]
    said += machine.listed([], 9.1)
    assert [(e.reason, e.seconds) for e in said if isinstance(e, CallEnded)] == [(why, 0.0)]


def test_a_call_that_is_not_let_in_is_refused_and_ended(machine: Line) -> None:
    two(machine)
    machine.hang_up("00000002", "prank")
    ids = {"line": "l1", "call": "00000002"}
    assert machine.told(Said.GONE, 11.0, None, 2) == [
        CallRefused(**ids, why="prank"),
        CallEnded(**ids, seconds=0.0, reason="refused"),
    ]


def test_a_missed_call_s_word_never_ends_the_one_that_is_talked_on(machine: Line) -> None:
    machine.told(Said.INCOMING, 0.0)
    machine.told(Said.ACTIVE, 1.0)
    assert machine.hear(Word(Said.GONE, among=RINGS), 3.0) == []


def test_a_lost_line_ends_every_call(machine: Line) -> None:
    two(machine)
    assert machine.line_lost(12.0) == [ended(10.0, "line_lost"), CallMissed(line="l1", call="00000002")]


def test_after_a_restart_all_calls_are_known_again() -> None:
    machine = made(
        Known("a", CallPhase.HELD, NUMBER, 5.0), Known("b", CallPhase.TALKING, SECOND, 9.0),
        Known("c", CallPhase.WAITING, None, 0.0, waiting=True),
    )  # fmt: skip
    machine.line_up(100.0)
    rows = [Listed(Said.INCOMING, None, 3), Listed(Said.ALONE, SECOND, 1), Listed(Said.HELD, NUMBER, 2)]
    assert machine.listed(rows, 101.0) == []
    assert {call.id: call.index for call in machine.calls.values()} == {"a": 2, "b": 1, "c": 3}
    assert machine.listed(rows[1:2], 103.0) == [
        CallEnded(line="l1", call="a", seconds=98.0, reason="caller"),
        CallMissed(line="l1", call="c"),
    ]

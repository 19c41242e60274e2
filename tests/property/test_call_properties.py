"""Calls under any babble of sources: the events of a line always tell whole calls, one after another."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.events import CallAnswered, CallEnded, CallEvent, CallIdentified, CallMissed, CallRinging
from appliance.lines.call_machine import RING_GAP, CallMachine, Known, Listed, Phase, Said
from appliance.model import CallPhase

NUMBERS = st.sampled_from([None, "+6281111111111", "081111111111", "+6282222222222"])
INDEXES = st.sampled_from([None, 1, 2])
LISTED = st.builds(Listed, st.sampled_from([Said.INCOMING, Said.ACTIVE]), NUMBERS, INDEXES)
STEPS = st.one_of(
    st.tuples(st.just("hear"), st.sampled_from(list(Said)), NUMBERS, INDEXES),
    st.tuples(st.just("listed"), st.lists(LISTED, max_size=2)),
    st.tuples(st.just("tick")),
    st.tuples(st.just("line_lost")),
    st.tuples(st.just("line_up")),
    st.tuples(st.just("hang_up")),
    st.tuples(st.just("hang_up_failed")),
)
STORY = st.lists(st.tuples(st.floats(0, 8), STEPS), max_size=40)
KNOWN = st.none() | st.builds(
    Known, st.just("known"), st.sampled_from([CallPhase.RINGING, CallPhase.TALKING]), NUMBERS, st.just(0.0)
)


def played(known: Known | None, story: list[tuple[float, tuple[object, ...]]]) -> tuple[CallMachine, list[CallEvent]]:
    names = iter(range(1000))
    machine = CallMachine("l1", lambda: str(next(names)), known)
    events: list[CallEvent] = []
    now = 0.0
    for wait, (what, *args) in story:
        now += wait
        match what:
            case "hear":
                said, number, index = args
                events += machine.hear(said, now, number, index)
            case "listed":
                events += machine.listed(args[0], now)
            case "tick" | "line_lost":
                events += getattr(machine, str(what))(now)
            case "line_up":
                machine.line_up(now)
            case _:
                getattr(machine, str(what))()
    return machine, events


@given(KNOWN, STORY)
def test_each_call_rings_once_is_answered_at_most_once_and_ends_once_before_the_next(
    known: Known | None, story: list[tuple[float, tuple[object, ...]]]
) -> None:
    machine, events = played(known, story)
    current, phase = (known.call, known.phase) if known else ("", None)
    numbered = known is not None and known.number is not None
    seen = {current}
    for event in events:
        match event:
            case CallRinging():
                assert phase is None
                assert event.call not in seen
                current, phase, numbered = event.call, CallPhase.RINGING, event.number is not None
                seen.add(current)
            case CallIdentified():
                assert phase is not None
                assert not numbered
                numbered = True
            case CallAnswered():
                assert phase is CallPhase.RINGING
                phase = CallPhase.TALKING
            case CallMissed():
                assert phase is CallPhase.RINGING
                phase = None
            case CallEnded():
                assert phase is CallPhase.TALKING or (phase is CallPhase.RINGING and event.reason == "operator")
                assert event.seconds >= 0
                phase = None
        assert event.call == current
        assert event.line == "l1"
    assert (machine.phase is Phase.IDLE) == (phase is None)
    assert machine.call == (current if phase else "")


@given(KNOWN, STORY)
def test_no_ring_outlives_silence(known: Known | None, story: list[tuple[float, tuple[object, ...]]]) -> None:
    machine, _ = played(known, story)
    end = 0.0
    for wait, _ in story:  # as `played` counts; sum() of Python 3.12 and later rounds otherwise
        end += wait
    machine.line_up(end)
    machine.tick(end + RING_GAP)
    assert machine.phase is not Phase.RINGING

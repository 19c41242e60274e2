"""What a busy box hears late makes no second call of one."""

import itertools

from appliance.events import CallEnded, CallMissed, CallRinging
from appliance.lines.call_machine import Said
from appliance.lines.calls_machine import LATE_LISTING, LISTED_GAP, RING_GAP, CallsMachine, Listed, Word

NUMBER = "+6281234567890"


def ringing() -> CallsMachine:
    names = map(str, itertools.count(1))
    machine = CallsMachine("l1", lambda: next(names))
    assert machine.hear(Word(Said.INCOMING, NUMBER, 1), 0.0) == [CallRinging(line="l1", call="1", number=NUMBER)]
    return machine


def test_a_listed_call_of_which_nothing_is_heard_for_a_while_is_still_one_call() -> None:
    machine = ringing()
    assert machine.listed([Listed(Said.INCOMING, NUMBER, 1)], 0.2) == []
    assert machine.tick(0.2 + RING_GAP + 1) == []
    assert machine.hear(Word(Said.INCOMING, NUMBER, 1), 8.0) == []
    assert machine.listed([], 8.1) == [CallMissed(line="l1", call="1")]


def test_a_listed_call_of_which_nobody_speaks_any_more_is_missed_in_the_end() -> None:
    machine = ringing()
    assert machine.listed([Listed(Said.INCOMING, NUMBER, 1)], 0.2) == []
    assert machine.tick(0.2 + LISTED_GAP) == [CallMissed(line="l1", call="1")]


def test_a_list_that_was_asked_for_before_an_end_begins_no_call_however_late_it_is_heard() -> None:
    machine = ringing()
    machine.hear(Word(Said.ACTIVE, NUMBER, 1), 2.0)
    assert machine.hear(Word(Said.GONE, NUMBER, 1), 12.0) == [
        CallEnded(line="l1", call="1", seconds=10.0, reason="caller")
    ]
    late = 12.0 + LATE_LISTING + 5
    assert machine.listed([Listed(Said.ACTIVE, NUMBER, 1)], late, 11.9) == []
    assert machine.listed([Listed(Said.ACTIVE, NUMBER, 1)], late, 12.1 + LATE_LISTING) != []

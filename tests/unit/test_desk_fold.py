"""What the desk remembers: who was not reached, who calls, what was said of them; by events alone."""

import pytest
from desk_story import ANI, BUDI, Rows, rows

from appliance import alert_events as al
from appliance import events as ev
from appliance.call_events import CallBackDone, CallDialled, CallerBlocked, CallGreeted, CallNoted, CallRefused
from appliance.desk_state import CallBack
from appliance.fold_desk import DESK, MOST_CALLBACKS, MOST_CALLERS, MOST_OPEN, MOST_PAST
from drivers.modem.numbers import telephone

KEY = telephone(ANI)


def back(there: Rows, number: str = ANI) -> CallBack:
    return there.state.desk.callbacks[telephone(number)]


def test_an_abandoned_call_is_on_the_list_once_a_number_however_it_is_written() -> None:
    there = rows()
    first = there.missed("+6281100000001")
    second = there.missed("081100000001", "l2")
    assert len(there.state.desk.callbacks) == 1
    assert (back(there).times, back(there).calls, back(there).line) == (2, [first, second], "l2")


def test_a_call_that_the_box_greeted_and_nobody_took_is_abandoned() -> None:
    there = rows()
    call = there.ring()
    there.append(ev.CallAnswered(line="l1", call=call), actor=DESK)
    there.append(CallGreeted(line="l1", call=call), actor=DESK)
    there.end(call)
    assert back(there).calls == [call]


def test_a_call_answered_by_nobody_who_is_known_is_abandoned_too() -> None:
    there = rows()
    call = there.ring()
    there.append(ev.CallAnswered(line="l1", call=call))
    there.end(call)
    assert back(there).calls == [call]


def test_a_withheld_number_is_not_on_the_list() -> None:
    there = rows()
    there.missed(None)
    there.missed("")
    assert there.state.desk.callbacks == {}


def test_a_number_that_came_late_is_on_the_list() -> None:
    there = rows()
    call = there.ring(None)
    there.append(ev.CallIdentified(line="l1", call=call, number=ANI))
    there.miss(call)
    assert back(there).number == ANI


@pytest.mark.parametrize("reason", ["operator", "refused"])
def test_a_call_that_was_turned_away_is_not_on_the_list(reason: str) -> None:
    there = rows()
    call = there.ring()
    there.end(call, 0.0, reason)
    blocked = there.ring(BUDI)
    there.append(CallRefused(line="l1", call=blocked, why="blocked"))
    there.miss(blocked)
    assert there.state.desk.callbacks == {}


@pytest.mark.parametrize(("seconds", "why", "reached"), [(30.0, "call_back", True), (30.0, "person", True),
                                                         (3.0, "call_back", False), (30.0, "text", False)])  # fmt: skip
def test_a_call_back_counts_when_a_person_called_and_it_lasted(seconds: float, why: str, reached: bool) -> None:
    there = rows()
    there.missed()
    call = there.new_call()
    there.append(CallDialled(line="l2", call=call, number="081100000001", why=why), actor="siti")
    there.append(ev.CallAnswered(line="l2", call=call))
    there.end(call, seconds)
    assert back(there).reached == (("reached", call) if reached else None)


def test_who_calls_again_and_is_taken_is_reached_until_abandoned_anew() -> None:
    there = rows()
    there.missed()
    again = there.ring(ANI, "l2")
    there.take(again)
    assert back(there).reached == ("called_again", again)
    there.end(again)
    there.missed()
    assert back(there).reached is None


def test_any_call_of_an_entry_takes_it_off_the_list() -> None:
    there = rows()
    first = there.missed()
    there.missed()
    there.append(CallBackDone(call=first, why="dropped"))
    assert there.state.desk.callbacks == {}


def test_history_has_marks_notes_and_orders_of_the_call() -> None:
    there = rows()
    call = there.ring()
    there.take(call, "siti")
    order = al.AlertIssued(
        alert="a" * 16, alert_kind="actual", pattern="wail", seconds=60, lifetime_s=300, incident_code=0,
        stations=("pusat",), via="page",
    )  # fmt: skip
    there.append(order, actor="joko")
    there.append(order, actor="siti")
    there.append(order, actor="button:red")
    there.append(CallNoted(call=call, text="api di pasar"), actor="siti")
    there.end(call)
    there.marked(ANI, "emergency", call)
    [past] = there.state.desk.callers[KEY].past
    assert (past.outcome, past.mark, past.note, past.alerts) == (
        "answered",
        "emergency",
        "api di pasar",
        ("a" * 16,) * 2,
    )


def test_a_mark_counts_once_a_call_and_can_be_taken_back() -> None:
    there = rows()
    call = there.marked(ANI, "prank")
    there.marked(ANI, "prank", call)
    assert there.state.desk.callers[KEY].pranks == [call]
    there.marked(ANI, "question", call)
    assert there.state.desk.callers[KEY].pranks == []


def test_a_block_spends_the_marks_that_led_to_it() -> None:
    there = rows()
    for _ in range(3):
        there.marked(ANI, "prank")
    there.append(CallerBlocked(number="081100000001", until=9e9, why="pranks"), actor="kepala")
    assert there.state.desk.callers[KEY].pranks == []
    assert list(there.state.desk.blocks) == [KEY]


def test_nothing_grows_without_end() -> None:
    there = rows()
    for number in range(MOST_CALLERS + 5):
        there.missed(f"+62822{number:08d}")
    for _ in range(MOST_PAST + 5):
        there.missed(ANI)
    for _ in range(MOST_OPEN + 5):
        there.ring(BUDI)
    desk = there.state.desk
    assert (len(desk.callers), len(desk.callbacks), len(desk.open)) == (MOST_CALLERS, MOST_CALLBACKS, MOST_OPEN)
    assert len(desk.callers[KEY].past) == MOST_PAST
    assert desk.callers[KEY].calls == MOST_PAST + 5


def test_a_caller_with_prank_marks_is_remembered_longer_than_others() -> None:
    there = rows()
    there.marked(ANI, "prank")
    for number in range(MOST_CALLERS + 5):
        there.missed(f"+62822{number:08d}")
    assert KEY in there.state.desk.callers


@pytest.mark.parametrize("number", ["+6281100000001", "0062 811 0000 0001", "6281100000001", "0811-0000-0001"])
def test_one_telephone_has_one_key(number: str) -> None:
    assert telephone(number) == "81100000001"


def test_other_countries_and_short_codes_keep_their_own_key() -> None:
    assert telephone("+15551234567") == telephone("0015551234567") == "+15551234567"
    assert telephone("888") == "888"
    assert telephone("") == ""

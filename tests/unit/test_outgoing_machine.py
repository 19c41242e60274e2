"""Messages that go out: turns, lines, retries, crashes, reports and the rate cap, without a modem."""

import pytest
from outgoing_story import NUMBER, Story

from appliance.entry import Entry
from appliance.fold import apply
from appliance.lines.outgoing_machine import BACKOFF, URGENT_WAITS, Cap
from appliance.model import OutgoingState, Purpose
from appliance.stamp import Stamp
from appliance.state import State

Q, S = OutgoingState.QUEUED, OutgoingState.SENDING
UNDELIVERED = OutgoingState.UNDELIVERED


def began(story: Story) -> list[tuple[str, str]]:
    return [(air.message, air.line) for air in story.look()]


# Turns


def test_orders_go_first_then_answers_then_texts_then_notices_each_in_the_order_given() -> None:
    story = Story(lines=1)
    for name, purpose in (("n", "notice"), ("t1", "text"), ("t2", "text"), ("a", "answer"), ("o1", "order")):
        story.give(name, Purpose(purpose))
    story.give("o2", Purpose.ORDER)
    told = []
    for _ in range(6):
        for air in [*story.look(), *story.under_way]:
            if story[air.message].state is S:
                told.append(air.message)
                story.took(air)
    assert [name for name in told if name.startswith(("o", "a"))] == ["o1", "o2", "a"]
    assert [name for name in told if name.startswith(("t", "n"))] == ["t1", "t2", "n"]


def test_an_order_passes_a_text_that_is_being_sent_and_takes_the_idle_line_where_there_is_one() -> None:
    story = Story()
    story.give("t")
    assert began(story) == [("t", "l1")]
    story.give("o", Purpose.ORDER)
    assert began(story) == [("o", "l2")]
    story.give("o2", Purpose.ORDER)
    assert began(story) == [("o2", "l1")], "beside the text: the driver sends it between the text's parts"
    story.give("o3", Purpose.ORDER)
    assert began(story) == []


def test_an_order_tries_each_line_once_and_then_says_so() -> None:
    story = Story()
    story.give("o", Purpose.ORDER)
    story.refused(story.look()[0])
    (second,) = story.look()
    assert (second.line, second.again) == ("l2", False)
    story.refused(second, 331)
    assert began(story) == []
    assert (story["o"].state, story["o"].reason) == (UNDELIVERED, "refused")


def test_an_order_without_a_modem_is_told_at_once_and_one_without_a_turn_after_a_while() -> None:
    story = Story()
    for line in story.lines:
        story.line(line, up=False, registered=False)
    story.give("o", Purpose.ORDER)
    story.look()
    assert (story["o"].state, story["o"].reason) == (UNDELIVERED, "no_modem")
    story = Story(lines=1)
    story.give("slow", Purpose.ORDER)
    story.look()
    story.give("o", Purpose.ORDER)
    story.wait(URGENT_WAITS)
    story.look()
    assert story["o"].reason == "waited"


def test_a_text_waits_for_a_registered_line_and_expires_with_its_life() -> None:
    story = Story(lines=1)
    story.line("l1", registered=False)
    story.give("t", lifetime_s=600)
    assert began(story) == []
    story.wait(599)
    assert began(story) == []
    story.wait(1)
    story.look()
    assert (story["t"].state, story["t"].reason) == (UNDELIVERED, "expired")


# Which line


def test_a_line_without_a_call_then_the_recipients_own_network_then_the_site_files_first() -> None:
    story = Story()
    story.line("l1", in_call=True, operator="telkomsel")
    story.line("l2", operator="xl")
    story.operators[NUMBER] = "telkomsel"
    story.give("a")
    assert began(story) == [("a", "l2")]
    story = Story()
    story.line("l1", operator="xl")
    story.line("l2", operator="telkomsel")
    story.operators[NUMBER] = "telkomsel"
    story.give("b")
    story.give("c", number="+15550001111")
    assert began(story) == [("b", "l2"), ("c", "l1")]


def test_a_line_that_failed_lately_is_tried_last_until_it_sends_again_or_five_minutes_have_passed() -> None:
    story = Story()
    story.give("a", Purpose.ORDER)
    story.refused(story.look()[0])
    story.took(story.look()[0])
    story.give("b", Purpose.ORDER)
    assert began(story) == [("b", "l2")]
    story.took(story.air[-1])
    story.wait(301)
    story.give("c", Purpose.ORDER)
    assert began(story) == [("c", "l1")]


def test_a_named_line_is_the_only_one() -> None:
    story = Story()
    story.give("t", line="l2")
    story.refused(story.look()[0], 38)
    assert began(story) == []
    story.wait(BACKOFF[0])
    assert began(story) == [("t", "l2")]
    story.give("gone", line="l9")
    story.look()
    assert story["gone"].reason == "no_modem"


# Retries


def test_another_line_at_once_when_the_line_is_to_blame() -> None:
    story = Story()
    story.give("t")
    story.refused(story.look()[0], 38)
    (second,) = story.look()
    assert (second.line, second.again) == ("l2", False)
    story.refused(second, 331)
    assert began(story) == []
    story.wait(BACKOFF[0])
    assert began(story) == [("t", "l1")]


def test_the_same_again_a_little_later_when_the_network_is_busy() -> None:
    story = Story(lines=1)
    story.give("t", lifetime_s=100_000)
    waited = []
    story.look()
    for _ in range(4):
        story.refused(story.under_way[0], 42)
        asked = story.now
        while not story.under_way:
            story.wait(1)
            story.look()
        waited.append(story.now - asked)
    assert waited == [5, 15, 30, 60]


@pytest.mark.parametrize(("code", "reason"), [(1, "recipient"), (195, "recipient")])
def test_nobody_is_tried_again_who_is_not_there(code: int, reason: str) -> None:
    story = Story()
    story.give("t")
    story.refused(story.look()[0], code)
    assert began(story) == []
    assert (story["t"].state, story["t"].reason) == (UNDELIVERED, reason)


def test_a_text_that_nothing_helps_is_given_up_and_its_history_is_in_its_row() -> None:
    story = Story()
    story.give("t", lifetime_s=100_000)
    while not story["t"].over:
        for air in story.look():
            story.refused(air, 331)
        story.wait(5)
    row = story["t"]
    assert row.reason == "tried_enough"
    assert [a.line for a in row.attempts] == ["l1", "l2"] * 4
    assert {a.outcome for a in row.attempts} == {"refused"}
    assert not row.again


# What may have gone out


def test_an_order_that_may_have_gone_out_is_sent_again_and_marked() -> None:
    story = Story()
    story.give("o", Purpose.ORDER)
    story.vanished(story.look()[0])
    (second,) = story.look()
    assert (second.line, second.again) == ("l2", True)
    story.took(second)
    assert story["o"].over
    assert story["o"].again


def test_a_text_is_sent_once_more_after_an_attempt_whose_end_nobody_saw_and_not_twice_more() -> None:
    story = Story()
    story.give("t", lifetime_s=10_000)
    story.vanished(story.look()[0])
    story.wait(10)
    (second,) = story.look()
    assert second.again
    story.vanished(second)
    story.wait(1000)
    assert began(story) == []
    assert (story["t"].state, story["t"].reason) == (UNDELIVERED, "uncertain")


def test_a_text_of_which_a_part_went_out_is_marked_when_it_goes_whole() -> None:
    story = Story()
    story.give("t", parts=2)
    story.refused(story.look()[0], 38, parts_sent=1)
    assert story.look()[0].again


def test_a_crash_between_the_prompt_and_the_answer_marks_what_is_sent_behind_it() -> None:
    story = Story(lines=1)
    story.give("t")
    story.give("waiting")
    story.give("o", Purpose.ORDER)
    story.look()
    story.crash()
    assert [(m.id, m.state) for m in story.state.outgoing.values()] == [("t", Q), ("waiting", Q), ("o", UNDELIVERED)]
    assert story["o"].reason == "uncertain"
    assert [(air.message, air.again) for air in story.look()] == [("waiting", False)]
    story.took(story.air[-1])
    story.wait(BACKOFF[0])
    assert [(air.message, air.again) for air in story.look()] == [("t", True)]


def test_a_trial_ends_with_its_one_attempt_and_with_its_process() -> None:
    story = Story()
    story.give("t", Purpose.TRIAL, line="l1", once=True)
    story.refused(story.look()[0], 42)
    story.look()
    assert story["t"].reason == "refused"
    story.give("u", Purpose.TRIAL, line="l1", once=True)
    story.look()
    story.crash()
    assert story["u"].reason == "uncertain"


# The rate cap


def test_the_rate_cap_holds_texts_back_says_so_once_and_lets_orders_pass() -> None:
    story = Story(lines=1, cap=Cap(per_hour=60, burst=3))
    for i in range(5):
        story.give(f"t{i}", lifetime_s=3600)
    for _ in range(3):
        story.took(story.look()[0])
    assert began(story) == []
    story.wait(30)
    assert began(story) == []
    held = [r.event for r in story.rows if r.kind == "sms.held"]
    assert [(e.line, e.seconds, e.waiting) for e in held] == [("l1", 60.0, 2)]  # type: ignore[attr-defined]
    story.give("o", Purpose.ORDER)
    story.took(story.look()[0])
    story.wait(60)
    assert began(story) == [("t3", "l1")]
    story.crash()
    assert began(story) == [], "a restart fills no bucket"


def test_a_text_of_more_parts_than_the_cap_ever_has_goes_when_it_is_full() -> None:
    story = Story(lines=1, cap=Cap(per_hour=60, burst=2))
    story.give("long", parts=4)
    assert began(story) == [("long", "l1")]


# The journal


def test_rows_of_releases_before_are_read() -> None:
    state = State()
    for seq, (kind, body) in enumerate(
        [
            ("sms.sent", b'{"line":"l1","number":"+62811","purpose":"order","references":[1]}'),
            ("sms.failed", b'{"line":"l1","number":"+62811","purpose":"order","reason":"x"}'),
        ],
        1,
    ):
        apply(state, Entry(seq, 0.0, 0.0, "b", "ntp", kind, "l1", "", None, body, "", ""))
    assert state.outgoing == {}
    assert state.sms_lines["l1"].failures == 1


def test_what_is_kept_is_bounded_and_what_is_open_is_kept() -> None:
    story = Story(lines=1)
    story.give("open", lifetime_s=100_000)
    story.line("l1", registered=False)
    for i in range(300):
        story.give(f"o{i}", Purpose.ORDER)
        story.took(story.look()[0])
    assert len(story.state.outgoing) == 201
    assert story["open"].queued == Stamp(1, 1000.0, 1000.0, "boot")

"""Delivery reports find their messages: late, twice, too early, with bad news, or never."""

from outgoing_story import Story

from appliance.lines.outgoing_machine import CONFIRM_GRACE, CONFIRM_MOST
from appliance.model import OutgoingState

SENT = OutgoingState.SENT
DELIVERED, UNCONFIRMED, UNDELIVERED = (
    OutgoingState.DELIVERED, OutgoingState.UNCONFIRMED, OutgoingState.UNDELIVERED,
)  # fmt: skip


def test_a_text_is_delivered_when_all_its_parts_are_in_whatever_order() -> None:
    story = Story()
    story.give("t", parts=3)
    first, second, third = story.took(story.look()[0])
    for reference in (third, first, first):
        story.report("l1", reference, number="081234567890")
        story.look()
        assert story["t"].state is SENT
    story.report("l1", second)
    story.look()
    assert story["t"].state is DELIVERED
    assert story.kinds("t").count("sms.delivered") == 1


def test_still_trying_is_no_end_and_the_word_behind_it_is() -> None:
    story = Story()
    story.give("t")
    (reference,) = story.took(story.look()[0])
    story.report("l1", reference, 0x20)
    story.look()
    assert story["t"].state is SENT
    story.report("l1", reference, 0x00)
    story.look()
    assert story["t"].state is DELIVERED


def test_what_the_network_gave_up_goes_by_the_other_line_unmarked_and_is_then_undelivered() -> None:
    story = Story()
    story.give("t")
    (reference,) = story.took(story.look()[0])
    story.report("l1", reference, 0x41)
    (second,) = story.look()
    assert (second.line, second.again) == ("l2", False)
    (reference,) = story.took(second)
    story.report("l2", reference, 0x46)
    story.look()
    assert (story["t"].state, story["t"].reason) == (UNDELIVERED, "reported")
    assert story.state.sms_lines["l1"].failures == 0, "a telephone that is off says nothing against the line"


def test_without_a_report_a_text_is_unconfirmed_and_a_late_one_still_counts() -> None:
    for status, end in ((0, DELIVERED), (0x45, UNDELIVERED)):
        story = Story()
        story.give("t")
        (reference,) = story.took(story.look()[0])
        story.wait(300 + CONFIRM_GRACE)
        story.look()
        assert story["t"].state is UNCONFIRMED
        story.report("l1", reference, status)
        story.report("l1", reference, status)
        assert story["t"].state is end


def test_a_report_is_waited_for_no_longer_than_six_hours_however_long_the_text_lives() -> None:
    story = Story()
    story.give("t", lifetime_s=7 * 24 * 3600)
    story.took(story.look()[0])
    story.wait(CONFIRM_MOST - 1)
    story.look()
    assert story["t"].state is SENT
    story.wait(1)
    story.look()
    assert story["t"].state is UNCONFIRMED


def test_a_reference_that_comes_again_after_256_messages_belongs_to_the_newest_that_waits() -> None:
    story = Story(lines=1)
    story.give("old")
    story.took(story.look()[0])
    story.reference["l1"] = 0
    story.give("new")
    assert story.took(story.look()[0]) == story["old"].attempts[0].references
    story.report("l1", 1)
    story.look()
    assert (story["old"].state, story["new"].state) == (SENT, DELIVERED)
    story.report("l1", 1)
    story.look()
    assert story["old"].state is DELIVERED


def test_a_report_names_line_reference_and_recipient_and_all_three_must_fit() -> None:
    story = Story()
    story.give("t")
    (reference,) = story.took(story.look()[0])
    story.report("l2", reference)
    story.report("l1", (reference + 1) % 256)
    story.report("l1", reference, number="+6281234567891")
    story.look()
    assert story["t"].state is SENT
    assert [r.message for r in story.state.sms_reports] == ["", "", ""]


def test_a_report_that_comes_before_the_modems_own_answer_counts_behind_it_even_over_a_crash() -> None:
    story = Story()
    story.give("t", parts=2)
    (air,) = story.look()
    story.report("l1", 1)
    story.took(air)
    story.crash()
    story.report("l1", 2)
    story.look()
    assert story["t"].state is DELIVERED
    story.crash()
    assert story.kinds().count("sms.reported") == 3

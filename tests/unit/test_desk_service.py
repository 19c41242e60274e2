"""The desk at work: it greets, refuses, offers, tells, and takes persons' orders; every second is a simulated one."""

import asyncio

import pytest
from desk_story import ANI, BUDI, CITRA, Story, play

from appliance import events as ev
from appliance.call_commands import Dial
from appliance.call_events import (
    CallBackDone,
    CallDialled,
    CallerBlocked,
    CallerUnblocked,
    CallGreeted,
    CallRefused,
    GhostOffered,
    QueueEased,
    QueueOverflowed,
)
from appliance.config_desk import Agency, DeskRules, Overflow, PrankRules
from drivers.jsonsocket import Refusal

HOSPITAL = Agency(id="rsud", name="RSUD", kind="hospital", phone=("+62000000901",))


def test_a_caller_whom_nobody_takes_is_greeted_and_stays_in_the_queue() -> None:
    async def story(there: Story) -> None:
        call = there.ring()
        await asyncio.sleep(9.4)
        assert there.did("answer") == []
        await asyncio.sleep(1.5)
        assert there.did("answer") == [("l1", call)]
        [waits] = there.desk.view().queue
        assert (waits.call, waits.greeted is not None, waits.spoken) == (call, True, True)
        there.take(call)
        assert there.desk.view().queue == ()

    assert len(play(story).all(CallGreeted)) == 1


def test_a_caller_who_is_taken_in_time_is_never_greeted() -> None:
    async def story(there: Story) -> None:
        there.take(there.ring())
        await asyncio.sleep(60)

    assert play(story).done == []


def test_without_sound_a_call_is_left_ringing_until_there_is_some() -> None:
    async def story(there: Story) -> None:
        there.speaks.clear()
        call = there.ring()
        await asyncio.sleep(30)
        assert there.did("answer") == []
        there.speaks.add("l1")
        await asyncio.sleep(1)
        assert there.did("answer") == [("l1", call)]

    play(story)


def test_the_site_file_can_forbid_the_greeting() -> None:
    async def story(there: Story) -> None:
        there.ring()
        await asyncio.sleep(50)

    assert play(story, desk=DeskRules(greet_after_s=0)).done == []


def test_a_call_behind_another_on_its_line_is_not_greeted_before_the_line_is_free() -> None:
    async def story(there: Story) -> None:
        talked = there.ring(ANI)
        there.take(talked)
        waits = there.ring(BUDI)
        await asyncio.sleep(30)
        assert there.did("answer") == []
        assert there.desk.view().queue[0].behind
        there.end(talked)
        await asyncio.sleep(1)
        assert there.did("answer") == [("l1", waits)]

    play(story)


def test_a_modem_that_cannot_answer_is_asked_again_with_pauses_while_others_are_greeted() -> None:
    async def story(there: Story) -> None:
        there.refuses.add("answer")
        first = there.ring(ANI, "l1")
        await asyncio.sleep(16)
        tries = len(there.did("answer"))
        assert 2 <= tries <= 4
        there.refuses.clear()
        second = there.ring(BUDI, "l2")
        await asyncio.sleep(12)
        assert {c.call for c in there.all(CallGreeted)} == {first, second}

    play(story)


def test_a_slow_modem_holds_up_no_other_line() -> None:
    async def story(there: Story) -> None:
        there.slow_s = 5.0
        there.ring(ANI, "l1")
        there.ring(BUDI, "l2")
        await asyncio.sleep(16)
        assert len(there.all(CallGreeted)) == 2

    play(story)


def test_who_was_answered_and_not_greeted_before_a_crash_is_greeted_after_it() -> None:
    async def story(there: Story) -> None:
        call = there.ring()
        there.append(ev.CallAnswered(line="l1", call=call), actor="desk")
        await asyncio.sleep(1)
        assert [c.call for c in there.all(CallGreeted)] == [call]
        assert there.did("answer") == []

    play(story)


def test_a_person_who_takes_the_call_while_it_is_answered_by_the_box_has_it() -> None:
    async def story(there: Story) -> None:
        there.slow_s = 1.0
        call = there.ring()
        await asyncio.sleep(10.2)
        there.take(call)
        await asyncio.sleep(30)

    assert play(story).all(CallGreeted) == []


def test_next_is_who_waited_longest_over_all_lines_and_two_operators_get_two_callers() -> None:
    async def story(there: Story) -> None:
        there.slow_s = 1.0
        first, second = there.ring(ANI, "l2"), there.ring(BUDI, "l1")
        taken = await asyncio.gather(there.desk.take_next("", "siti"), there.desk.take_next("", "joko"))
        assert taken == [first, second]
        with pytest.raises(Refusal, match="Nobody waits"):
            await there.desk.take_next("", "siti")

    play(story)


def test_next_passes_over_a_caller_who_gives_up_just_then() -> None:
    async def story(there: Story) -> None:
        there.slow_s = 1.0
        gone, second = there.ring(ANI, "l1"), there.ring(BUDI, "l2")
        asyncio.get_running_loop().call_later(0.5, there.miss, gone)
        assert await there.desk.take_next("", "siti") == second

    play(story)


def test_next_puts_nobody_elses_caller_on_hold() -> None:
    async def story(there: Story) -> None:
        there.take(there.ring(ANI, "l1"), "joko")
        waits = there.ring(BUDI, "l1")
        with pytest.raises(Refusal):
            await there.desk.take_next("", "siti")
        assert await there.desk.take_next("", "joko") == waits

    play(story)


def test_a_caller_who_says_nothing_is_offered_as_a_ghost_after_ten_seconds_and_once() -> None:
    async def story(there: Story) -> None:
        call = there.ring()
        there.spoke[call] = there.clock.now()
        await asyncio.sleep(5)
        there.take(call)
        there.spoke[call] = there.clock.now()  # the line is heard from here on
        await asyncio.sleep(9)
        assert there.all(GhostOffered) == []
        await asyncio.sleep(30)
        assert len(there.all(GhostOffered)) == 1
        assert there.desk.view().ghost_offers == (call,)
        there.spoke[call] = there.clock.now()
        assert there.desk.view().ghost_offers == ()

    play(story)


def test_a_caller_who_spoke_and_then_listens_and_one_whose_line_is_mute_are_no_ghosts() -> None:
    async def story(there: Story) -> None:
        spoke, mute = there.ring(ANI, "l1"), there.ring(BUDI, "l2")
        for call in (spoke, mute):
            there.take(call)
        there.spoke[mute] = None
        await asyncio.sleep(5)
        there.spoke[spoke] = there.clock.now()
        await asyncio.sleep(60)

    assert play(story).all(GhostOffered) == []


def test_three_prank_marks_offer_a_block_and_do_not_make_one() -> None:
    async def story(there: Story) -> None:
        for _ in range(3):
            assert there.desk.view().block_offers == ()
            there.marked(ANI, "prank")
            await asyncio.sleep(1)
        [offer] = there.desk.view().block_offers
        assert (offer.number, offer.pranks) == (ANI, 3)
        await asyncio.sleep(60)

    assert play(story).all(CallerBlocked) == []


def test_by_the_automatic_rule_the_third_mark_blocks_for_a_day_and_the_block_ends_by_itself() -> None:
    async def story(there: Story) -> None:
        for _ in range(3):
            assert there.all(CallerBlocked) == []
            there.marked(ANI, "prank")
            await asyncio.sleep(1)
        assert len(there.all(CallerBlocked)) == 1
        refused = there.ring("081100000001")
        await asyncio.sleep(1)
        assert there.did("reject") == [("l1", refused)]
        await asyncio.sleep(24 * 3600)
        assert [u.why for u in there.all(CallerUnblocked)] == ["over"]
        there.ring(ANI)
        await asyncio.sleep(1)
        assert len(there.desk.view().queue) == 1

    assert len(play(story, pranks=PrankRules(rule="automatic")).all(CallRefused)) == 1


def test_a_blocked_number_that_is_told_late_is_refused_when_it_is_told() -> None:
    async def story(there: Story) -> None:
        there.append(CallerBlocked(number=ANI, until=there.clock.wall() + 3600, why="person"), actor="kepala")
        call = there.ring(None)
        await asyncio.sleep(1)
        assert there.did("reject") == []
        there.append(ev.CallIdentified(line="l1", call=call, number=ANI))
        await asyncio.sleep(1)
        assert there.did("reject") == [("l1", call)]

    assert play(story).state.desk.callbacks == {}


def test_a_refusal_that_the_modem_does_not_take_is_tried_again_and_the_caller_is_never_greeted() -> None:
    async def story(there: Story) -> None:
        there.append(CallerBlocked(number=ANI, until=there.clock.wall() + 3600, why="person"), actor="kepala")
        there.refuses.add("reject")
        there.ring(ANI)
        await asyncio.sleep(21)
        assert 5 <= len(there.did("reject")) <= 11
        assert there.did("answer") == []

    play(story)


def test_an_agencys_number_is_never_blocked_by_the_rule() -> None:
    async def story(there: Story) -> None:
        for _ in range(4):
            there.marked("+62000000901", "prank")
        await asyncio.sleep(1)
        assert there.desk.view().block_offers == ()

    assert play(story, agency=(HOSPITAL,), pranks=PrankRules(rule="automatic")).all(CallerBlocked) == []


def test_the_caller_at_the_ring_comes_with_name_and_history() -> None:
    async def story(there: Story) -> None:
        there.marked("+62000000901", "question")
        call = there.ring("0000000901")
        caller = there.desk.view().callers[call]
        assert (caller.name, caller.agency, caller.calls) == ("RSUD", "rsud", 1)
        assert [past.mark for past in caller.last] == ["question"]

    play(story, agency=(HOSPITAL,))


def test_the_reached_are_taken_off_the_call_back_list() -> None:
    async def story(there: Story) -> None:
        missed = there.missed()
        again = there.ring()
        there.take(again)
        await asyncio.sleep(1)
        [done] = there.all(CallBackDone)
        assert (done.call, done.why, done.by) == (missed, "called_again", again)

    play(story)


def test_two_presses_on_one_call_back_call_once() -> None:
    async def story(there: Story) -> None:
        there.slow_s = 1.0
        missed = there.missed()
        told = await asyncio.gather(
            there.desk.dial(Dial(to="", call_back=missed), "siti"),
            there.desk.dial(Dial(to="", call_back=missed), "joko"),
            return_exceptions=True,
        )
        assert isinstance(told[1], Refusal)
        assert told[1].code == "being_called"
        assert there.did("dial") == [(ANI,)]
        with pytest.raises(Refusal, match="siti calls"):
            await there.desk.dial(Dial(to="", call_back=missed), "joko")
        assert there.desk.view().callbacks[0].calling == there.all(CallDialled)[0].call
        there.end(there.all(CallDialled)[0].call, 0.0, "busy")
        await there.desk.dial(Dial(to="", call_back=missed), "joko")
        assert len(there.all(CallDialled)) == 2

    play(story)


def test_one_press_calls_an_agency_and_no_emergency_number_is_dialled() -> None:
    async def story(there: Story) -> None:
        await there.desk.dial(Dial(to="rsud"), "siti")
        assert there.did("dial") == [("+62000000901",)]
        for wrong in ("112", "kantor", "+62110", "12a4"):
            with pytest.raises(Refusal):
                await there.desk.dial(Dial(to=wrong), "siti")
        assert len(there.did("dial")) == 1

    play(story, agency=(HOSPITAL,))


def test_overflow_is_told_once_an_episode() -> None:
    async def story(there: Story) -> None:
        for number, line in ((ANI, "l1"), (BUDI, "l2")):
            there.ring(number, line)
        await asyncio.sleep(1)
        assert [o.why for o in there.all(QueueOverflowed)] == ["busy"]
        [(to, text, _)] = there.notices
        assert to == "+62000000999"
        assert "Pusat" in text
        for call in list(there.state.desk.open):
            there.miss(call)
        await asyncio.sleep(30)
        for number, line in ((ANI, "l1"), (BUDI, "l2"), (CITRA, "l2")):
            there.ring(number, line)
        await asyncio.sleep(5)
        assert len(there.notices) == 1
        for call in list(there.state.desk.open):
            there.miss(call)
        await asyncio.sleep(70)
        assert len(there.all(QueueEased)) == 1
        for number, line in ((ANI, "l1"), (BUDI, "l2")):
            there.ring(number, line)
        await asyncio.sleep(1)
        assert len({key for _, _, key in there.notices}) == 2

    play(story, desk=DeskRules(overflow=Overflow(number="+62000000999")))


@pytest.mark.parametrize(("calls", "seconds", "why"), [(1, 31.0, "long"), (4, 1.0, "waiting")])
def test_overflow_by_length_of_the_queue_and_of_the_wait(calls: int, seconds: float, why: str) -> None:
    async def story(there: Story) -> None:
        for _ in range(calls):
            there.ring(None)
        await asyncio.sleep(seconds)
        assert [o.why for o in there.all(QueueOverflowed)] == [why]

    play(story, desk=DeskRules(overflow=Overflow(number="+62000000999", busy=False)))

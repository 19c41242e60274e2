"""Who is never kept out, by a block or as the box's own, and for how long a block keeps out anybody."""

import asyncio

from desk_story import ANI, Story, play, rows

from appliance.call_events import CallDialled, CallerBlocked, CallerUnblocked
from appliance.config_desk import PrankRules
from appliance.desk.caller_machine import Rule, due
from appliance.event import Event


def test_who_was_only_ever_called_is_not_blocked_and_their_first_call_comes_in() -> None:
    async def story(there: Story) -> None:
        for _ in range(3):
            call = there.new_call()
            there.append(CallDialled(line="l1", call=call, number=ANI, why="person"), actor="siti")
            there.end(call)
            there.marked(ANI, "prank", call)
        await asyncio.sleep(1)
        assert there.desk.view().block_offers == ()
        there.ring(ANI)
        await asyncio.sleep(1)
        assert len(there.desk.view().queue) == 1

    assert play(story, pranks=PrankRules(rule="automatic", marks=3)).did("reject") == []


def test_a_clock_that_is_put_back_keeps_nobody_blocked_for_longer() -> None:
    there = rows()
    there.append(CallerBlocked(number=ANI, until=there.clock.wall() + 3600, why="person"), actor="kepala")
    a_month_ago = there.clock.wall() - 30 * 86400.0

    def ends(passed: float) -> list[Event]:
        rule = Rule(3, 24, automatic=False)
        return list(due(there.state.desk, rule, a_month_ago + passed, lambda stamp: passed, lambda key: True))

    assert ends(3599.0) == []
    assert ends(3600.0) == [CallerUnblocked(number=ANI, why="over")]


def test_a_caller_whom_the_network_diverts_between_our_lines_waits_like_any_other() -> None:
    async def story(there: Story) -> None:
        call = there.ring("+62000000002", "l1")
        await asyncio.sleep(1)
        assert [waits.call for waits in there.desk.view().queue] == [call]
        await asyncio.sleep(10)

    assert len(play(story).did("answer")) == 1

"""Drills between the box's own lines are no callers: not in the queue, the lists, the history, the figures."""

import asyncio
from pathlib import Path

from desk_story import Story, play, rows, site

from appliance import events as ev
from appliance.call_commands import ListCalls
from appliance.call_events import CallDialled, CallOfDrill, QueueOverflowed
from appliance.config import ZONES
from appliance.config_desk import DeskRules, Overflow
from appliance.desk.call_log import read_log
from appliance.desk.directory import Directory
from appliance.journal_file import insert, open_for_writing


def test_the_box_does_not_greet_its_own_drill() -> None:
    async def story(there: Story) -> None:
        there.append(CallDialled(line="l2", call=there.new_call(), number="+62000000001", why="proof"))
        there.ring("+62000000002", "l1")
        await asyncio.sleep(30)
        assert there.desk.view().queue == ()

    assert play(story).done == []


def test_a_drill_whose_number_is_withheld_is_in_no_queue_and_no_overflow_and_beside_a_caller_both_are_shown() -> None:
    async def story(there: Story) -> None:
        there.append(CallDialled(line="l1", call="out", number="+62000000002", why="proof"))
        drill = there.ring(None, "l2")
        assert there.desk.view().queue == ()
        caller = there.ring(None, "l2")
        assert [w.call for w in there.desk.view().queue] == [drill, caller], "nobody knows yet which is which"
        there.miss(caller)
        there.append(CallOfDrill(line="l2", call=drill))
        await asyncio.sleep(30)
        assert there.desk.view().queue == ()
        assert drill not in there.desk.view().callers
        there.miss(drill)
        assert there.desk.view().callbacks == ()
        assert there.all(QueueOverflowed) == []

    assert play(story, desk=DeskRules(overflow=Overflow(number="+62000000999"))).done == []


def test_a_call_without_a_number_that_the_drill_does_not_claim_in_time_is_a_callers() -> None:
    async def story(there: Story) -> None:
        there.append(CallDialled(line="l1", call="out", number="+62000000002", why="proof"))
        call = there.ring(None, "l2")
        await asyncio.sleep(8.5)
        assert [w.call for w in there.desk.view().queue] == [call]

    play(story)


def test_a_drill_whose_number_is_withheld_is_no_row_of_the_log(tmp_path: Path) -> None:
    there = rows()
    drill, caller = there.ring(None, "l2"), there.ring(None, "l1")
    there.append(CallOfDrill(line="l2", call=drill))
    there.append(ev.CallAnswered(line="l2", call=drill), actor="siti")
    there.end(drill)
    there.miss(caller)
    db = open_for_writing(tmp_path / "journal.db")
    insert(db, there.entries)
    db.close()
    own = Directory(site()).own
    assert [row.call for row in read_log(tmp_path / "journal.db", ListCalls(), ZONES["WIT"], own).calls] == [caller]


def test_a_drill_that_shows_its_number_leaves_no_history_of_it() -> None:
    there = rows()
    drill = there.ring("+62000000001", "l2")
    there.append(CallOfDrill(line="l2", call=drill))
    there.end(drill)
    assert there.state.desk.callers == {}
    assert there.state.desk.callbacks == {}

"""Calls whose modem, box or other side goes away at any moment, or tells little: none is lost, none told twice."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from calls_box import MAKES, SECOND, Tell, phases, second_waits, talking, until_phases
from lines_box import OUTSIDE, Box, World, play

from appliance.events import CallAnswered, CallEnded, CallMissed, CallRinging
from appliance.model import CallPhase


@pytest.fixture(params=MAKES)
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Tell:
    """On every make, as line l1; l2 is an EG25-G."""
    return partial(play, tmp_path, models={"l1": request.param, "l2": "eg25g"})


@pytest.fixture
def once(tmp_path: Path) -> Tell:
    return partial(play, tmp_path)


@pytest.mark.parametrize("untold", [["report"], ["ring", "clip", "ccwa", "words"]])
def test_whatever_a_modem_does_not_tell_the_lists_do(tell: Tell, untold: list[str]) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await there.network.turn("modem.untold", name="l1", sources=untold)
        first = await talking(there, box)
        second = await second_waits(there, box)
        await box.lines.answer("l1", "", "sari")
        await until_phases(box, n7890="held", n0001="talking")
        await there.network.turn("call.drop", to="l1", number=SECOND)
        await until_phases(box, n7890="held")
        await there.network.turn("call.drop", to="l1", number=OUTSIDE)
        await box.event(CallEnded, 2)
        assert [e.call for e in box.all(CallEnded)] == [second.id, first.id]
        assert len(box.all(CallRinging)) == 2

    tell(story)


def test_a_restart_of_the_box_takes_up_all_calls(tell: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        first = await talking(there, box)
        second = await second_waits(there, box)
        await box.lines.answer("l1", "", "sari")
        box = await there.start()
        await box.ready_or_in_call()
        await asyncio.sleep(8)
        assert box.kinds("call.") == []
        await until_phases(box, n7890="held", n0001="talking")
        await box.lines.swap("l1", "sari")
        await until_phases(box, n7890="talking", n0001="held")
        await there.stop()
        await there.network.turn("call.drop", to="l1", number=OUTSIDE)
        box = await there.start()
        assert (await box.event(CallEnded)).call == first.id
        await box.lines.resume("l1", "sari")
        await box.lines.hang_up("l1", second.id, "sari")
        assert [e.reason for e in box.all(CallEnded)] == ["caller", "operator"]

    tell(story)


def test_a_modem_that_resets_loses_all_its_calls_at_once_and_no_more(tell: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await talking(there, box)
        await second_waits(there, box)
        await there.network.turn("modem.reset", name="l1")
        ended = await box.event(CallEnded)
        await box.event(CallMissed)
        assert ended.reason in ("line_lost", "caller")
        await box.ready()
        assert len(box.all(CallEnded)) == len(box.all(CallMissed)) == 1
        await there.network.turn("call.from", number=OUTSIDE, to="l1")
        await box.event(CallRinging, 3)
        await box.lines.answer("l1", "", "sari")

    tell(story)


async def bring_to(there: World, box: Box, state: str) -> None:
    """A call of OUTSIDE on l1 that is `state`; where it takes another call, that is SECOND's."""
    if state in ("dialling", "alerting"):
        await there.network.turn("phone.place", number=OUTSIDE, does="ring")
        await box.lines.dial(OUTSIDE, "sari", "l1")
    elif state in ("waiting", "held", "joined"):
        await talking(there, box, SECOND if state == "waiting" else OUTSIDE)
        rung = len(box.all(CallRinging))
        other = OUTSIDE if state == "waiting" else SECOND
        await there.network.turn("call.from", number=other, to="l1", ring_s=600)
        await box.event(CallRinging, rung + 1)
        if state != "waiting":
            await box.lines.answer("l1", "", "sari")
        if state == "joined":
            await box.lines.join("l1", "sari")
    elif state == "talking":
        await talking(there, box)
    else:
        await there.network.turn("call.from", number=OUTSIDE, to="l1", ring_s=600)
    await box.until(lambda: phases(box).get("7890") == state, state)


@pytest.mark.parametrize("state", ["ringing", "waiting", "talking", "held", "joined", "alerting"])
def test_whoever_hangs_up_at_any_moment_ends_their_call_only(once: Tell, state: str) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await bring_to(there, box, state)
        left = phases(box).keys() - {"7890"}
        await there.network.turn("call.drop", to="l1", number=OUTSIDE)
        await box.until(lambda: phases(box).keys() == left, "its end")
        await asyncio.sleep(8)
        assert phases(box) == dict.fromkeys(left, "talking")
        assert len(box.all(CallEnded)) + len(box.all(CallMissed)) == 1

    once(story)


@pytest.mark.parametrize("state", ["ringing", "waiting", "dialling", "alerting", "held", "joined"])
def test_a_restart_at_any_moment_changes_no_call(once: Tell, state: str) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await bring_to(there, box, state)
        before = phases(box)
        box = await there.start()
        await box.ready_or_in_call()
        await asyncio.sleep(8)
        after = before | ({"7890": "alerting"} if state == "dialling" else {})
        assert phases(box) == after
        assert box.kinds("call.") == (["call.alerting"] if state == "dialling" else [])

    once(story)


def test_two_hundred_calls_in_an_hour_are_each_told_whole(once: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        for i in range(200):
            line = ("l1", "l2")[i % 2]
            await there.network.turn("call.from", number=f"+62811{i:06d}", to=line, ring_s=12)
            rang = await box.event(CallRinging, i + 1)
            if i % 4 < 2:
                await box.lines.answer(line, rang.call, "sari")
                await asyncio.sleep(6)
                await there.network.turn("call.drop", to=line)
            await box.until(lambda call=rang.call: not box.state.calls[call].live, "its end")
            await asyncio.sleep(4)
        assert (len(box.all(CallAnswered)), len(box.all(CallEnded)), len(box.all(CallMissed))) == (100, 100, 100)
        assert asyncio.get_running_loop().time() < 2 * 3600
        assert {c.phase for c in box.state.calls.values()} == {CallPhase.ENDED, CallPhase.MISSED}

    once(story)

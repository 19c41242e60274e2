"""Several calls on one line, on each make of modem: waiting, holding, joining, dialling, and whatever goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from lines_box import NUMBERS, OUTSIDE, Box, World, play

from appliance.call_events import CallAlerting, CallDialled, CallHeld, CallJoined, CallKey, CallResumed
from appliance.config import Calls
from appliance.events import CallAnswered, CallEnded, CallMissed, CallRinging
from appliance.model import CallPhase
from appliance.state import Call
from drivers.jsonsocket import Refusal

SECOND, AGENCY = "+6285555550001", "+6289999990113"
MAKES = ("eg25g", "sim7600", "sim800", "huawei")

Story = Callable[[World], Awaitable[None]]
Tell = Callable[[Story], None]


@pytest.fixture(params=MAKES)
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Tell:
    """On every make, as line l1; l2 is an EG25-G."""
    return partial(play, tmp_path, models={"l1": request.param, "l2": "eg25g"})


@pytest.fixture
def once(tmp_path: Path) -> Tell:
    return partial(play, tmp_path)


def phases(box: Box) -> dict[str, str]:
    """Of the calls on l1 now, by the last digits of their number."""
    return {(c.number or "")[-4:]: str(c.phase) for c in box.state.calls_on("l1")}


async def until_phases(box: Box, **wanted: str) -> None:
    by_number = {number.removeprefix("n"): phase for number, phase in wanted.items()}
    await box.until(lambda: phases(box) == by_number, f"{by_number}, but {phases(box)}")


async def talking(there: World, box: Box, number: str = OUTSIDE) -> Call:
    await box.ready()
    await there.network.turn("call.from", number=number, to="l1", ring_s=600)
    rang = await box.event(CallRinging)
    await box.lines.answer("l1", rang.call, "sari")
    await until_phases(box, **{f"n{number[-4:]}": "talking"})
    return box.state.calls[rang.call]


async def second_waits(there: World, box: Box, number: str = SECOND, **more: object) -> Call:
    await there.network.turn("call.from", number=number, to="l1", ring_s=600, **more)
    await box.event(CallRinging, 2)
    return list(box.state.calls.values())[-1]


async def other_side(there: World, number: str) -> str:
    """What a phone outside knows of its call."""
    calls = await there.network.turn("call.status")
    found = [c for c in (*calls["ended"], *calls["active"]) if number in (c["from"], c["to"])]
    return str(found[-1]["phase"]) + (f" {found[-1]['cause']}" if found[-1]["cause"] else "")


def test_a_waiting_call_is_taken_the_first_held_swapped_joined_and_all_end_once(tell: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        first = await talking(there, box)
        second = await second_waits(there, box)
        await until_phases(box, n7890="talking", n0001="waiting")
        assert box.all(CallRinging)[1].waiting
        assert [c.id for c in box.view("l1").calls] == [first.id, second.id]
        with pytest.raises(Refusal, match="waits"):
            await box.lines.hold("l1", "sari")
        assert await box.lines.answer("l1", "", "sari") == {"line": "l1", "call": second.id}
        await until_phases(box, n7890="held", n0001="talking")
        await box.lines.swap("l1", "budi")
        await until_phases(box, n7890="talking", n0001="held")
        assert box.entries[-1].actor == "budi"
        await box.lines.join("l1", "budi")
        await until_phases(box, n7890="joined", n0001="joined")
        await there.network.turn("call.drop", to="l1", number=OUTSIDE)
        await until_phases(box, n0001="talking")
        await box.lines.hang_up("l1", "", "budi")
        await box.event(CallEnded, 2)
        assert [(e.call, e.reason) for e in box.all(CallEnded)] == [(first.id, "caller"), (second.id, "operator")]
        assert len(box.all(CallRinging)) == len(box.all(CallAnswered)) == 2
        await box.ready()

    tell(story)


def test_a_call_is_held_and_taken_back(tell: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        call = await talking(there, box)
        for _ in range(2):
            assert await box.lines.hold("l1", "sari") == {"line": "l1", "call": call.id}
            with pytest.raises(Refusal, match="talked on"):
                await box.lines.keys("l1", "1", "sari")
            await box.lines.resume("l1", "sari")
        assert [k for k in box.kinds("call.") if k in ("call.held", "call.resumed")] == [
            "call.held",
            "call.resumed",
        ] * 2
        assert [e.actor for e in box.entries if isinstance(e.event, CallHeld | CallResumed)] == ["sari"] * 4

    tell(story)


def test_one_of_two_is_ended_and_the_other_stays(tell: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        first = await talking(there, box)
        second = await second_waits(there, box)
        await box.lines.reject("l1", second.id, "prank", "sari")
        await until_phases(box, n7890="talking")
        assert (box.state.calls[second.id].refused, box.state.calls[second.id].reason) == ("prank", "refused")
        assert await other_side(there, SECOND) == "ended busy"
        await second_waits(there, box)
        await box.event(CallRinging, 3)
        await box.lines.answer("l1", "", "sari")
        await box.lines.hang_up("l1", first.id, "sari")
        await until_phases(box, n0001="talking")
        assert await other_side(there, OUTSIDE) == "ended hangup"

    tell(story)


def test_who_waits_rings_when_the_talk_ends_or_is_missed_when_they_give_up(tell: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await talking(there, box)
        await second_waits(there, box)
        await there.network.turn("call.drop", to="l1", number=SECOND)
        await box.event(CallMissed)
        await until_phases(box, n7890="talking")
        await second_waits(there, box)
        await box.event(CallRinging, 3)
        await there.network.turn("call.drop", to="l1", number=OUTSIDE)
        await until_phases(box, n0001="ringing")
        await asyncio.sleep(12)
        await box.lines.answer("l1", "", "sari")
        await until_phases(box, n0001="talking")
        assert len(box.all(CallRinging)) == 3

    tell(story)


def test_a_number_is_dialled_and_answered_and_keys_go_both_ways(tell: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await there.network.turn("phone.place", number=AGENCY, does="answer", after_s=4)
        told = await box.lines.dial(AGENCY, "sari", "l1", key="k")
        assert await box.lines.dial(AGENCY, "sari", "l1", key="k") == told
        await box.event(CallAnswered)
        await there.network.turn("call.press", to="l1", keys="1#")
        await box.until(lambda: box.state.calls[told["call"]].keys == "1#", "keys")
        await box.lines.keys("l1", "59*", "sari")
        pressed = (await there.network.turn("call.status"))["active"][0]["keys"]
        assert pressed == [f"{AGENCY} 1", f"{AGENCY} #", *(f"{NUMBERS['l1']} {key}" for key in "59*")]
        await there.network.turn("call.drop", to="l1")
        assert (await box.event(CallEnded)).reason == "caller"
        kinds = [k for k in box.kinds("call.") if k != "call.key"]
        assert kinds == ["call.dialled", "call.alerting", "call.answered", "call.ended"]
        assert {e.source for e in box.all(CallKey)} == {"modem"}
        assert next(e.actor for e in box.entries if isinstance(e.event, CallDialled)) == "sari"

    tell(story)


ENDINGS = {"busy": "busy", "refuse": "busy", "ring": "no_answer", "off": "unreachable"}


def test_numbers_that_do_not_answer_say_why(tell: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        for i, does in enumerate(ENDINGS):
            number = AGENCY[:-1] + str(i)
            await there.network.turn("phone.place", number=number, does=does, after_s=4)
            await box.lines.dial(number, "sari", "l1")
            await box.event(CallEnded, i + 1)
            await asyncio.sleep(4)
        assert [(e.reason, e.seconds) for e in box.all(CallEnded)] == [(why, 0.0) for why in ENDINGS.values()]
        assert (len(box.all(CallDialled)), len(box.all(CallAlerting))) == (4, 2)

    tell(story)


def test_a_caller_is_transferred_to_an_agency_and_the_box_leaves_them_together(tell: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await there.network.turn("phone.place", number=AGENCY, does="answer", after_s=4)
        await there.network.turn("network.calls", transfers=True)
        await talking(there, box)
        told = await box.lines.transfer("l1", AGENCY, "sari")
        assert box.state.calls[told["call"]].why == "transfer"
        await until_phases(box, n7890="joined", n0113="joined")
        await box.lines.hang_up("l1", "", "sari")
        await box.event(CallEnded, 2)
        assert {e.reason for e in box.all(CallEnded)} == {"operator"}
        (left,) = (await there.network.turn("call.status"))["active"]
        assert {left["from"], left["phase"]} == {OUTSIDE, "active"}

    tell(story)


def test_where_the_network_does_not_connect_others_the_box_stays_with_them(once: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await there.network.turn("phone.place", number=AGENCY, does="answer", after_s=4)
        await talking(there, box)
        await box.lines.transfer("l1", AGENCY, "sari")
        await until_phases(box, n7890="joined", n0113="joined")
        with pytest.raises(Refusal, match="keeps the two together"):
            await box.lines.hang_up("l1", "", "sari")
        await until_phases(box, n7890="joined", n0113="joined")
        for call in box.lines._telephone("l1").calls:
            await box.lines.hang_up("l1", call, "sari")
        await box.event(CallEnded, 2)

    once(story)


def test_an_agency_that_does_not_answer_gives_the_caller_back(tell: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await there.network.turn("phone.place", number=AGENCY, does="refuse", after_s=4)
        await talking(there, box)
        await box.lines.transfer("l1", AGENCY, "sari")
        await until_phases(box, n7890="talking")
        assert [e.reason for e in box.all(CallEnded)] == ["busy"]
        assert len(box.all(CallHeld)) == len(box.all(CallResumed)) == 1
        assert box.all(CallJoined) == []

    tell(story)


def test_a_withheld_number_stays_unknown_and_its_call_is_whole(tell: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await talking(there, box)
        await second_waits(there, box, withheld=True)
        await until_phases(box, n7890="talking", n="waiting")
        await box.lines.answer("l1", "", "sari")
        await until_phases(box, n7890="held", n="talking")
        await there.network.turn("call.drop", to="l1", number=SECOND)
        await until_phases(box, n7890="held")

    tell(story)


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


def test_one_line_stays_free_for_those_who_call_in(once: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await there.network.turn("phone.place", number=AGENCY, does="answer", after_s=4)
        await there.network.turn("call.from", number=OUTSIDE, to="l1", ring_s=600)
        await box.event(CallRinging)
        with pytest.raises(Refusal) as refusal:
            await box.lines.dial(AGENCY, "sari")
        assert (refusal.value.code, "keep_free" in refusal.value.next) == ("kept_free", True)
        box = await there.start(calls=Calls(keep_free=0))
        await box.ready_or_in_call()
        assert (await box.lines.dial(AGENCY, "sari"))["line"] == "l2"
        for number in ("112", "0062113", "911"):
            with pytest.raises(Refusal, match="emergency"):
                await box.lines.dial(number, "sari", "l2")
        assert len(box.all(CallDialled)) == 1

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

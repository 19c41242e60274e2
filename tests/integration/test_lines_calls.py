"""What a line can do with several calls, on each make: waiting, holding, joining, dialling, transferring."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from calls_box import AGENCY, MAKES, SECOND, Tell, other_side, second_waits, talking, until_phases
from lines_box import NUMBERS, OUTSIDE, World, play

from appliance.call_events import CallAlerting, CallDialled, CallHeld, CallJoined, CallKey, CallResumed
from appliance.config import Calls
from appliance.events import CallAnswered, CallEnded, CallMissed, CallRinging
from drivers.jsonsocket import Refusal


@pytest.fixture(params=MAKES)
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Tell:
    """On every make, as line l1; l2 is an EG25-G."""
    return partial(play, tmp_path, models={"l1": request.param, "l2": "eg25g"})


@pytest.fixture
def once(tmp_path: Path) -> Tell:
    return partial(play, tmp_path)


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
        assert box.lines.last_dialled("l1") == AGENCY
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


def test_a_hang_up_breaks_off_a_dialling_that_the_network_is_slow_with(tell: Tell) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        loop = asyncio.get_running_loop()
        await there.network.turn("phone.place", number=AGENCY, does="ring")
        await there.network.turn("modem.late", name="l1", command="ATD", seconds=15)
        dialling = asyncio.create_task(box.lines.dial(AGENCY, "sari", "l1"))
        out = await box.event(CallDialled)
        while "ATD" not in await there.network.typed("l1"):
            await asyncio.sleep(0.05)
        began = loop.time()
        await box.lines.hang_up("l1", out.call, "sari")
        assert loop.time() - began < 3.0
        assert (await box.event(CallEnded)).reason == "operator"
        with pytest.raises(Refusal):
            await dialling
        assert await other_side(there, AGENCY) != "active"
        told = await box.lines.dial(AGENCY, "sari", "l1")
        await box.until(lambda: box.state.calls[told["call"]].phase == "alerting", "the next call")

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

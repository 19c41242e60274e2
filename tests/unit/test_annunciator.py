"""Orders and lights at the annunciator."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from annunciator_box import WIRING, Box, Core, play

from appliance.annunciator_orders import REMEMBERED, Order, Orders
from appliance.annunciator_protocol import Standing
from drivers.jsonsocket import Refusal


def test_an_order_sounds_once_however_often_it_comes(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            began = box.clock.now()
            first = await core.link.sound("a1", "siren", "steady", 10)
            assert first.energised
            assert first.remaining_s == pytest.approx(10)
            await asyncio.sleep(4)
            again = await core.link.sound("a1", "siren", "steady", 10)
            assert again.energised
            assert again.remaining_s == pytest.approx(6)
            await asyncio.sleep(10)
            late = await core.link.sound("a1", "siren", "steady", 10)
            assert (late.energised, late.remaining_s, late.ended) == (False, 0.0, "ended")
            await asyncio.sleep(10)
            assert await box.changes(since=began) == [(0, 1), (10, 0)]
            assert core.whys() == [(True, "a1", "ordered"), (False, "a1", "ended")]

    play(tmp_path, story)


def test_overlapping_orders_are_a_union_and_the_newest_pattern_wins(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            began = box.clock.now()
            await core.link.sound("a1", "siren", "steady", 10)
            await asyncio.sleep(2)
            await core.link.sound("b2", "siren", "pulse", 2)
            await asyncio.sleep(20)
            pulses = [(2.5, 0), (3.0, 1), (3.5, 0)]
            assert await box.changes(since=began) == [(0, 1), *pulses, (4, 1), (10, 0)]
            assert core.whys()[2:] == [(True, "b2", "ended"), (False, "a1", "ended")]

    play(tmp_path, story)


def test_stopping_one_of_two_orders_leaves_the_other_to_its_end(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            began = box.clock.now()
            await core.link.sound("a1", "siren", "wail", 60)
            await core.link.sound("b2", "siren", "wail", 5)
            stopped = await core.link.stop(["a1", "cc"])
            assert stopped.stopped == ("a1",)
            assert stopped.still_on
            await asyncio.sleep(10)
            assert await box.changes(since=began) == [(0, 1), (5, 0)]
            assert core.whys()[2:] == [(True, "a1", "stopped"), (False, "b2", "ended")]

    play(tmp_path, story)


def test_a_stop_that_comes_first_bars_its_order(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            assert (await core.link.stop(["a1"])).stopped == ()
            with pytest.raises(Refusal) as refused:
                await core.link.sound("a1", "siren", "steady", 10)
            assert refused.value.code == "stopped"
            assert await box.changes() == []
            assert core.outputs == []

    play(tmp_path, story)


def test_silence_ends_all_and_a_repeat_does_not_start_it_again(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            await core.link.sound("a1", "siren", "steady", 60)
            await core.link.sound("b2", "siren", "yelp", 60)
            silenced = await core.link.silence("siren")
            assert set(silenced.stopped) == {"a1", "b2"}
            assert not silenced.still_on
            assert (await core.link.sound("a1", "siren", "steady", 60)).ended == "silenced"
            assert await box.level() == 0

    play(tmp_path, story)


def test_the_longest_time_ends_any_order_and_the_answer_says_so_before(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            began = box.clock.now()
            assert (await core.link.sound("a1", "siren", "steady", 600)).remaining_s == pytest.approx(180)
            await asyncio.sleep(170)
            assert (await core.link.sound("b2", "siren", "steady", 60)).remaining_s == pytest.approx(10)
            await asyncio.sleep(100)
            assert await box.changes(since=began) == [(0, 1), (180, 0)]
            assert core.whys()[2:] == [(False, "a1", "limit"), (False, "b2", "limit")]

    play(tmp_path, story)


def test_the_siren_sounds_on_without_core_and_a_new_core_learns_what_sounds(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running():
            async with box.core() as core:
                began = box.clock.now()
                await core.link.sound("a1", "siren", "steady", 10)
            await asyncio.sleep(4)
            async with box.core() as core:
                siren = core.standings[0].outputs["siren"]
                assert siren.on
                assert siren.order_ids == ("a1",)
                assert siren.remaining_s == pytest.approx(6, abs=0.1)
                await asyncio.sleep(10)
                assert core.whys() == [(False, "a1", "ended")]
            assert await box.changes(since=began) == [(0, 1), (10, 0)]

    play(tmp_path, story)


def test_a_dead_line_is_never_said_to_sound_and_the_others_work(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            await box.turn("pins.stick", name="siren", value=0)
            with pytest.raises(Refusal) as refused:
                await core.link.sound("a1", "siren", "steady", 10)
            assert refused.value.code == "not_driven"
            assert core.whys() == [(False, "a1", "failed")]
            assert (await core.link.sound("a1", "buzzer", "pulse", 10)).energised

    play(tmp_path, story)


def test_a_line_that_cannot_be_claimed_costs_the_others_nothing(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        twice = WIRING["output"] | {"second": {"pin": 17, "kind": "siren", "max_s": 60}}
        async with box.running(output=twice), box.core() as core:
            assert "GPIO17" in core.standings[0].faults["second"]
            with pytest.raises(Refusal, match="second"):
                await core.link.sound("a1", "second", "steady", 10)
            assert (await core.link.sound("a1", "siren", "steady", 10)).energised

    play(tmp_path, story)


def test_ended_orders_are_remembered_up_to_a_bound() -> None:
    orders = Orders()
    for number in range(REMEMBERED + 10):
        orders.begin(Order(f"{number:x}", "steady", float(number)))
    assert len(orders.expire(1e9)) == REMEMBERED + 10
    assert len(orders.ended) == REMEMBERED
    assert "0" not in orders.ended
    assert f"{REMEMBERED + 9:x}" in orders.ended


def test_the_first_reason_why_an_order_ended_is_kept() -> None:
    orders = Orders()
    orders.begin(Order("a1", "steady", 10.0))
    assert orders.end("a1", "silenced")
    assert not orders.end("a1", "stopped")
    assert orders.ended == {"a1": "silenced"}


def test_too_many_orders_at_once_are_refused(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            for number in range(64):
                await core.link.sound(f"{number:x}", "siren", "steady", 10)
            with pytest.raises(Refusal) as refused:
                await core.link.sound("ff", "siren", "steady", 10)
            assert refused.value.code == "too_many"

    play(tmp_path, story)


def test_a_light_is_switched_and_told(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            assert await core.link.light("amber", True)
            assert await box.level("amber") == 1
            assert (await box_state(core)).outputs["amber"].remaining_s is None
            assert not await core.link.light("amber", False)
            assert await box.level("amber") == 0
            assert await core.link.light("strobe", True)
            await asyncio.sleep(21)
            assert core.whys("strobe") == [(True, None, "ordered"), (False, None, "limit")]
            for forbidden in ("siren", "local", "nothing"):
                with pytest.raises(Refusal, match="amber, strobe"):
                    await core.link.light(forbidden, True)

    async def box_state(core: Core) -> Standing:
        return msgspec.convert(await core.link._link.request({"do": "look"}), Standing)

    play(tmp_path, story)

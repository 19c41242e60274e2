"""The red button and the other inputs at the annunciator."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from annunciator_box import WIRING, Box, play

from drivers.jsonsocket import Client, Refusal


def test_a_press_that_core_takes_sounds_only_what_core_orders(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            await box.turn("input.press", name="button", hold_s=0.2)
            await asyncio.sleep(0.1)
            assert [press.button for press in core.presses] == ["button"]
            await core.link.take(core.presses[0].press)
            await asyncio.sleep(10)
            assert await box.changes() == []
            assert await box.level("local") == 0
            with pytest.raises(Refusal) as refused:
                await core.link.take(core.presses[0].press)
            assert refused.value.code == "too_late"

    play(tmp_path, story)


def test_a_press_that_core_does_not_take_in_time_sounds_here_and_is_not_to_be_had_later(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            began = await box.press()
            await asyncio.sleep(1)
            assert await box.changes(since=began) == [(0.55, 1)]  # 0.05 s debounce, 0.5 s for core
            assert await box.level("local") == 1
            with pytest.raises(Refusal) as refused:
                await core.link.take(core.presses[0].press)
            assert refused.value.code == "too_late"
            await asyncio.sleep(60)
            assert core.whys() == [(True, "local-1", "local"), (False, "local-1", "ended")]
            await box.turn("input.press", name="button", hold_s=0.2)
            await asyncio.sleep(0.1)
            await core.link.take(core.presses[1].press)
            assert await box.level("local") == 0

    play(tmp_path, story)


def test_without_core_the_button_sounds_at_once_and_the_lamp_says_local_only(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running():
            assert await box.level("local") == 1
            began = await box.press()
            assert (await box.changes(since=began))[0] == (0.05, 1)
            async with box.core() as core:
                assert await box.level("local") == 0
                assert core.presses == []  # never forwarded late
                assert core.standings[0].outputs["siren"].order_ids == ("local-1",)
                assert not core.standings[0].local_only
                await asyncio.sleep(60)
                assert core.presses == []
            await asyncio.sleep(0.1)
            assert await box.level("local") == 1
            changes = await box.changes(since=began)
            assert changes[-1] == (pytest.approx(45.05, abs=3.0), 0)  # a yelp may end in its pause

    play(tmp_path, story)


def test_a_press_on_offer_to_a_core_that_dies_sounds_at_once(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running():
            began = box.clock.now()
            async with box.core():
                await box.turn("input.press", name="button", hold_s=0.2)
                await asyncio.sleep(0.2)
                assert await box.level() == 0
            await asyncio.sleep(0.05)
            assert (await box.changes(since=began))[0] == (pytest.approx(0.2, abs=0.1), 1)

    play(tmp_path, story)


def test_a_press_that_core_took_and_died_upon_sounds_here(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            await box.turn("input.press", name="button", hold_s=0.2)
            await asyncio.sleep(0.1)
            await core.link.take(core.presses[0].press)
            await core.dies()
            await asyncio.sleep(0.1)
            assert await box.level("siren") == 1
            assert await box.level("local") == 1

    play(tmp_path, story)


def test_a_core_that_ends_long_after_its_take_makes_no_sound(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            await box.turn("input.press", name="button", hold_s=0.2)
            await asyncio.sleep(0.1)
            await core.link.take(core.presses[0].press)
            await asyncio.sleep(2.5)
            await core.dies()
            await asyncio.sleep(5)
            assert await box.changes() == []

    play(tmp_path, story)


def test_an_impatient_second_press_changes_nothing_and_a_later_one_stops_the_local_siren(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running():
            await box.press()
            await box.press()
            assert await box.level() == 1
            await asyncio.sleep(4)
            began = await box.press()
            assert (await box.changes(since=began))[-1][1] == 0
            await asyncio.sleep(5)
            assert await box.level() == 0
            await box.press()
            assert await box.level() == 1

    play(tmp_path, story)


def test_a_button_held_while_the_annunciator_restarts_sounds_nothing_until_pressed_anew(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core():
            await box.turn("input.press", name="button")
        async with box.running():
            assert (await box.turn("status"))["pressed"] == ["button"]
            await asyncio.sleep(5)
            assert await box.changes() == []
            await box.turn("input.release", name="button")
            await asyncio.sleep(1)
            assert await box.changes() == []
            await box.press()
            assert await box.level() == 1

    play(tmp_path, story)


def test_a_reader_of_status_is_told_all_and_is_no_core(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running():
            pushes: list[dict[str, Any]] = []
            reader = Client(box.socket, pushes.append)
            await reader.connect()
            assert (await reader.request({"do": "look"}))["local_only"] is True
            with pytest.raises(Refusal) as refused:
                await reader.request({"do": "take", "press": 1})
            assert refused.value.code == "say_hello"
            await box.press()
            assert [push.get("why") for push in pushes] == [None, "local", None]
            assert not any("press" in push for push in pushes)
            reader.close()

    play(tmp_path, story)


def test_an_input_is_told_when_it_closes_and_opens(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            assert core.standings[0].inputs == {"button": False, "ack": False}
            await box.press("ack")
            assert [(change.input, change.active) for change in core.inputs] == [("ack", True), ("ack", False)]

    play(tmp_path, story)


def test_a_feedback_contact_follows_the_siren_it_is_wired_to(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        inputs = WIRING["input"] | {"running": {"pin": 12, "kind": "feedback"}}
        async with box.running(input=inputs), box.core() as core:
            await box.turn("input.follow", name="running", output="siren", delay_s=0.2)
            await core.link.sound("a1", "siren", "steady", 5)
            await asyncio.sleep(8)
            assert [(change.input, change.active) for change in core.inputs] == [("running", True), ("running", False)]

    play(tmp_path, story)

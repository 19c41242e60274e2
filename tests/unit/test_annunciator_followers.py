"""Lights, doors and stoves that go with a siren."""

import asyncio
from pathlib import Path

import pytest
from annunciator_box import Box, play

from appliance.model import AlertKind
from drivers.jsonsocket import Refusal

OUTPUTS = {
    "siren": {"pin": 17, "kind": "siren", "max_s": 180},
    "buzzer": {"pin": 27, "kind": "buzzer", "max_s": 60},
    "hall": {"pin": 22, "kind": "light", "follows": "siren"},
    "beds": {"pin": 12, "kind": "light", "follows": "siren", "hold_s": 300},
    "gate": {"pin": 26, "kind": "door", "follows": "siren"},
    "stove": {"pin": 16, "kind": "stove", "follows": "siren", "hold_s": 900},
    "local": {"pin": 10, "kind": "lamp"},
}
STATION = {"output": OUTPUTS}
FOLLOWERS = ("hall", "beds", "gate", "stove")


async def record(box: Box, since: float) -> dict[str, list[tuple[float, int]]]:
    return {name: await box.changes(name, since) for name in FOLLOWERS}


def test_what_follows_a_siren_goes_on_with_an_order_and_off_by_its_own_clock(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STATION), box.core() as core:
            began = box.clock.now()
            await core.link.sound("a1", "siren", "wail", 60)
            await asyncio.sleep(2)
            await core.link.sound("a1", "siren", "wail", 60)  # the same again is no second order
            await asyncio.sleep(1000)
            assert await record(box, began) == {
                "hall": [(0, 1), (60, 0)],
                "beds": [(0, 1), (300, 0)],
                "gate": [(0, 1), (5, 0)],
                "stove": [(0, 1), (900, 0)],
            }
            assert core.whys("gate") == [(True, None, "follows"), (False, None, "ended")]

    play(tmp_path, story)


def test_a_second_order_holds_them_longer_and_opens_the_door_again(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STATION), box.core() as core:
            began = box.clock.now()
            await core.link.sound("a1", "siren", "wail", 60)
            await asyncio.sleep(100)
            await core.link.sound("b2", "siren", "wail", 60)
            await asyncio.sleep(1200)
            assert await record(box, began) == {
                "hall": [(0, 1), (60, 0), (100, 1), (160, 0)],
                "beds": [(0, 1), (400, 0)],
                "gate": [(0, 1), (5, 0), (100, 1), (105, 0)],
                "stove": [(0, 1), (1000, 0)],
            }

    play(tmp_path, story)


def test_a_sounding_test_opens_no_door_and_cuts_no_stove(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STATION), box.core() as core:
            began = box.clock.now()
            await core.link.sound("a1", "siren", "wail", 20, kind=AlertKind.SOUNDING_TEST)
            for kind in (AlertKind.SILENT_TEST, AlertKind.DRILL):
                with pytest.raises(Refusal):
                    await core.link.sound(f"b{len(kind)}", "siren", "wail", 20, kind=kind)
            await asyncio.sleep(400)
            moved = await record(box, began)
            assert moved == {"hall": [(0, 1), (20, 0)], "beds": [(0, 1), (300, 0)], "gate": [], "stove": []}

    play(tmp_path, story)


def test_a_stop_ends_what_is_not_held_and_silence_ends_no_light(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STATION), box.core() as core:
            began = box.clock.now()
            await core.link.sound("a1", "siren", "wail", 60)
            await asyncio.sleep(2)
            await core.link.silence("siren")
            assert (await box.level("siren"), await box.level("hall")) == (0, 1)
            await core.link.sound("b2", "siren", "wail", 60)
            await asyncio.sleep(8)
            await core.link.stop(["a1"])
            assert await box.level("hall") == 1  # for the other order
            await core.link.stop(["b2"])
            await asyncio.sleep(1000)
            moved = await record(box, began)
            assert moved["hall"] == [(0, 1), (10, 0)]
            assert moved["beds"] == [(0, 1), (302, 0)]
            assert core.whys("hall") == [(True, None, "follows"), (False, None, "stopped")]

    play(tmp_path, story)


def test_an_order_stopped_before_it_came_moves_nothing(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STATION), box.core() as core:
            await core.link.stop(["a1"])
            with pytest.raises(Refusal):
                await core.link.sound("a1", "siren", "wail", 60)
            assert not any((await record(box, 0)).values())

    play(tmp_path, story)


def test_a_dead_siren_still_wakes_by_light_and_once(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STATION), box.core() as core:
            await box.turn("pins.stick", name="siren", value=0)
            began = box.clock.now()
            with pytest.raises(Refusal) as refused:
                await core.link.sound("a1", "siren", "wail", 60)
            assert refused.value.code == "not_driven"
            await asyncio.sleep(10)
            assert (await core.link.sound("a1", "siren", "wail", 60)).ended == "failed"
            await asyncio.sleep(400)
            moved = await record(box, began)
            assert moved["hall"] == [(0, 1), (60, 0)]
            assert moved["gate"] == [(0, 1), (5, 0)]

    play(tmp_path, story)


def test_a_siren_whose_line_could_not_be_claimed_still_opens_the_door(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        outputs = {"first": {"pin": 17, "kind": "light"}} | OUTPUTS
        async with box.running(output=outputs), box.core() as core:
            await core.link.stop(["b2"])
            with pytest.raises(Refusal):
                await core.link.sound("b2", "siren", "wail", 60)
            assert await box.level("gate") == 0  # stopped before it came
            began = box.clock.now()
            with pytest.raises(Refusal):
                await core.link.sound("a1", "siren", "wail", 60)
            await box.press()
            await asyncio.sleep(100)
            assert (await record(box, began))["gate"][:2] == [
                (0, 1),
                (5.55, 0),
            ]  # held by the press, core did not take it

    play(tmp_path, story)


def test_the_red_button_alone_drives_them_and_a_second_press_ends_what_is_not_held(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STATION):
            began = await box.press()
            await asyncio.sleep(10)
            await box.press()
            await asyncio.sleep(1000)
            moved = await record(box, began)
            assert moved["hall"][0] == moved["gate"][0] == moved["stove"][0] == (0.05, 1)
            assert moved["hall"][1] == (10.35, 0)
            assert moved["gate"][1] == (5.05, 0)
            assert moved["stove"][1] == (900.05, 0)

    play(tmp_path, story)


def test_core_lights_what_follows_too_and_each_ends_only_its_own_wish(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STATION), box.core() as core:
            began = box.clock.now()
            await core.link.sound("a1", "siren", "wail", 60)
            assert await core.link.light("hall", True)
            assert await core.link.light("hall", False)  # it stays on for the order
            await asyncio.sleep(30)
            await core.link.light("hall", True)
            await asyncio.sleep(100)
            assert await box.level("hall") == 1  # for core
            assert not await core.link.light("hall", False)
            assert await box.changes("hall", began) == [(0, 1), (130, 0)]

    play(tmp_path, story)


def test_core_opens_no_door_and_cuts_no_stove_by_itself(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STATION), box.core() as core:
            for name in ("gate", "stove"):
                with pytest.raises(Refusal) as refused:
                    await core.link.light(name, True)
                assert refused.value.code == "no_output"
                with pytest.raises(Refusal):
                    await core.link.sound("a1", name, "steady", 5)
            assert not any((await record(box, 0)).values())

    play(tmp_path, story)


def test_its_longest_time_ends_a_follower_whatever_is_ordered(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        short = OUTPUTS | {"hall": {**OUTPUTS["hall"], "max_s": 20}}
        async with box.running(output=short), box.core() as core:
            began = box.clock.now()
            for number in range(4):
                await core.link.sound(f"{number}", "siren", "wail", 60)
                await core.link.light("hall", True)
                await asyncio.sleep(5)
            await asyncio.sleep(60)
            assert await box.changes("hall", began) == [(0, 1), (20, 0)]
            assert core.whys("hall")[-1] == (False, None, "limit")

    play(tmp_path, story)


def test_they_are_off_after_a_restart_in_the_middle_until_core_orders_what_remains(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STATION), box.core() as core:
            await core.link.sound("a1", "siren", "wail", 60)
        async with box.running(**STATION), box.core() as core:
            assert not any((await record(box, 0)).values())
            await core.link.sound("a1", "siren", "wail", 30)
            assert await box.level("hall") == 1

    play(tmp_path, story)


def test_two_lights_of_a_pair_are_never_on_and_never_off_together(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        pair = {
            side: {
                "pin": pin,
                "kind": "light",
                "follows": "siren",
                "pattern": "alternating",
                "inverse": side == "right",
            }
            for side, pin in (("left", 22), ("right", 24))
        }
        async with (
            box.running(output={"siren": OUTPUTS["siren"], "local": OUTPUTS["local"]} | pair),
            box.core() as core,
        ):
            began = box.clock.now()
            await core.link.sound("a1", "siren", "wail", 6.5)
            await asyncio.sleep(2.5)
            await core.link.sound("b2", "siren", "yelp", 4)  # must not break their step
            for _ in range(15):
                assert await box.level("left") + await box.level("right") == 1
                await asyncio.sleep(0.25)
            await asyncio.sleep(10)
            left = [(0, 1), (1, 0), (2, 1), (3, 0), (4, 1), (5, 0), (6, 1), (6.5, 0)]
            assert await box.changes("left", began) == left
            assert await box.changes("right", began) == [(1, 1), (2, 0), (3, 1), (4, 0), (5, 1), (6, 0)]

    play(tmp_path, story)

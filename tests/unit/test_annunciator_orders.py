"""Which orders may sound, and what is heard when several do."""

import asyncio
from pathlib import Path

import pytest
from annunciator_box import WIRING, Box, play

from appliance.model import AlertKind
from drivers.jsonsocket import Refusal

HORN = {"output": WIRING["output"] | {"horn": {"pin": 12, "kind": "siren", "max_s": 180, "pwm": True}}}


@pytest.mark.parametrize("output", ["siren", "buzzer"])
@pytest.mark.parametrize("kind", [AlertKind.SILENT_TEST, AlertKind.DRILL])
def test_a_silent_test_or_a_drill_never_moves_a_siren(tmp_path: Path, kind: AlertKind, output: str) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            with pytest.raises(Refusal) as refused:
                await core.link.sound("a1", output, "wail", 10, kind=kind)
            assert refused.value.code == "not_allowed"
            await asyncio.sleep(20)
            assert await box.changes(output) == []
            assert (await core.link.sound("a2", output, "wail", 10, kind=AlertKind.SOUNDING_TEST)).energised

    play(tmp_path, story)


def test_a_drill_that_repeats_an_actual_orders_id_changes_nothing_of_it(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            began = box.clock.now()
            await core.link.sound("a1", "siren", "steady", 10)
            with pytest.raises(Refusal):
                await core.link.sound("a1", "siren", "steady", 100, kind=AlertKind.DRILL)
            await asyncio.sleep(20)
            assert await box.changes(since=began) == [(0, 1), (10, 0)]

    play(tmp_path, story)


def test_the_highest_priority_plays_while_any_order_sounds(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            began = box.clock.now()
            await core.link.sound("a1", "siren", "steady", 4, priority=1)
            await core.link.sound("b2", "siren", "pulse", 2, priority=2)  # newer, and less
            await core.link.sound("c3", "siren", "yelp", 10, priority=3)
            await asyncio.sleep(20)
            # Steady to 4 s, then what is left of the yelp: 2 s on, 1 s off.
            assert await box.changes(since=began) == [(0, 1), (6, 0), (7, 1), (9, 0)]
            assert [why for _, _, why in core.whys()] == ["ordered"] * 3 + ["ended"] * 3

    play(tmp_path, story)


def test_a_test_never_takes_the_pattern_of_an_actual_order(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            began = box.clock.now()
            await core.link.sound("a1", "siren", "steady", 8, priority=3)
            await core.link.sound("b2", "siren", "pulse", 5, priority=1, kind=AlertKind.SOUNDING_TEST)
            await asyncio.sleep(20)
            assert await box.changes(since=began) == [(0, 1), (8, 0)]

    play(tmp_path, story)


def test_of_orders_that_overlap_the_loudest_is_heard_and_a_relay_knows_only_on(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**HORN), box.core() as core:
            for horn, levels in (("horn", [0.3, 0.8, 0.3, 0]), ("siren", [1, 1, 1, 0])):
                await core.link.sound(f"a1{len(levels)}", horn, "steady", 10, level=30)
                seen = [await box.level(horn)]
                await core.link.sound("b2", horn, "steady", 5, level=80, priority=3)
                seen.append(await box.level(horn))
                await asyncio.sleep(6)
                seen.append(await box.level(horn))
                await asyncio.sleep(6)
                seen.append(await box.level(horn))
                assert seen == levels, horn

    play(tmp_path, story)


@pytest.mark.parametrize(("key", "value"), [("priority", 0), ("priority", 4), ("level", 0), ("level", 101)])
def test_a_priority_or_level_out_of_range_is_refused(tmp_path: Path, key: str, value: int) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            request = {"do": "sound", "order": "a1", "output": "siren", "pattern": "wail", "seconds": 5, key: value}
            with pytest.raises(Refusal) as refused:
                await core.link._link.request(request)
            assert refused.value.code == "bad_request"
            assert await box.changes() == []

    play(tmp_path, story)


def test_a_faulty_line_is_tried_again_by_a_new_order_and_not_said_to_sound(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            await core.link.sound("a1", "siren", "steady", 60)
            await box.turn("pins.stick", name="siren", value=0)
            await asyncio.sleep(3)
            with pytest.raises(Refusal) as refused:
                await core.link.sound("b2", "siren", "steady", 60, priority=3)
            assert refused.value.code == "not_driven"

    play(tmp_path, story)

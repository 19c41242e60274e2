"""A siren out of service at the annunciator: no order and no press sounds it, and whoever presses is told so."""

import asyncio
from pathlib import Path

import pytest
from annunciator_box import Box, play

from drivers.jsonsocket import Refusal


def test_an_order_on_a_locked_siren_is_refused_and_what_sounds_is_silenced(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            await core.link.sound("ab12", "siren", "steady", 60)
            assert await box.level() == 1
            await core.link.lock(("siren",), 100)
            assert await box.level() == 0
            with pytest.raises(Refusal) as refused:
                await core.link.sound("ab13", "siren", "steady", 60)
            assert refused.value.code == "locked_out"
            assert (await core.link.look()).locked == {"siren": pytest.approx(100, abs=1)}
            await core.link.sound("ab14", "buzzer", "steady", 5)  # another output
            await asyncio.sleep(101)
            assert (await core.link.sound("ab15", "siren", "steady", 60)).energised, "it ends by its own clock"
            await core.link.lock(("siren",), 100)
            await core.link.lock(("siren",), 0)
            assert (await core.link.sound("ab16", "siren", "steady", 60)).energised

    play(tmp_path, story)


def test_a_lockout_outlives_core_and_names_only_what_sounds(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running():
            async with box.core() as core:
                await core.link.lock(("siren",), 3600)
                with pytest.raises(Refusal):
                    await core.link.lock(("amber",), 3600)
            began = await box.press()
            await asyncio.sleep(5)
            assert await box.changes(since=began) == []
            async with box.core() as core:
                assert core.standings[0].locked["siren"] > 3500
                assert core.standings[0].barred_s == pytest.approx(5, abs=1)

    play(tmp_path, story)


def test_a_press_under_a_lockout_flashes_the_lamp_wakes_by_light_and_is_told(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            await core.link.lock(("siren",), 3600)
            began = await box.press()
            await asyncio.sleep(10)
            assert await box.changes(since=began) == []
            assert [barred.button for barred in core.barred] == ["button"]
            lamp = await box.changes("local", since=began)
            assert len(lamp) > 10, "it flashes: steady would say that it sounds here"
            await asyncio.sleep(60)
            assert await box.level("local") == 1, "and local only is so still"
            await core.link.lock(("siren",), 0)
            again = await box.press()
            await asyncio.sleep(2)
            assert (await box.changes(since=again))[0][1] == 1

    play(tmp_path, story)


def test_a_press_that_core_took_is_cores_also_under_a_lockout(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            await core.link.lock(("siren",), 3600)
            await box.turn("input.press", name="button", hold_s=0.2)
            await asyncio.sleep(0.1)
            await core.link.take(core.presses[0].press)
            await asyncio.sleep(5)
            assert core.barred == []

    play(tmp_path, story)


def test_an_annunciator_that_restarted_knows_of_no_lockout_until_core_tells_it(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            await core.link.lock(("siren",), 3600)
        async with box.running(), box.core() as core:
            assert core.standings[0].locked == {}
            await core.link.lock(("siren",), 3500)
            assert (await core.link.look()).locked["siren"] > 3400

    play(tmp_path, story)

"""A relay that does not open, a siren that sounds by itself: told, and told when it is over."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from annunciator_box import WIRING, Box, Core, play

from appliance.annunciator_protocol import OutputState, Standing

PROVEN: dict[str, Any] = {
    "input": {
        **WIRING["input"],
        "current": {"pin": 5, "kind": "current", "of": "siren"},
        "relay": {"pin": 6, "kind": "feedback", "of": "siren"},
    }
}


async def siren(core: Core) -> OutputState:
    return msgspec.convert(await core.link._link.request({"do": "look"}), Standing).outputs["siren"]


def test_a_current_closes_with_its_relay_and_no_fault_is_told(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**PROVEN), box.core() as core:
            await core.link.sound("a1", "siren", "wail", 30)
            await asyncio.sleep(60)
            assert [(i.input, i.active) for i in core.inputs if i.input == "current"] == [
                ("current", active) for active in (True, False, True, False, True, False)
            ]
            assert core.whys() == [(True, "a1", "ordered"), (False, "a1", "ended")]
            standing = await siren(core)
            assert (standing.stuck, standing.fault) == (False, None)

    play(tmp_path, story)


@pytest.mark.parametrize("ends", ["ended", "stopped", "silenced"])
def test_a_welded_relay_is_told_two_seconds_after_its_end_and_again_when_it_opens(tmp_path: Path, ends: str) -> None:
    async def story(box: Box) -> None:
        async with box.running(**PROVEN), box.core() as core:
            await core.link.sound("a1", "siren", "steady", 10)
            await box.turn("pins.weld", name="siren")
            await asyncio.sleep(5 if ends != "ended" else 10)
            if ends == "stopped":
                await core.link.stop(["a1"])
            elif ends == "silenced":
                await core.link.silence("siren")
            await asyncio.sleep(1.5)
            assert core.whys() == [(True, "a1", "ordered"), (False, "a1", ends)]
            await asyncio.sleep(1.1)
            assert core.whys()[2:] == [(False, None, "stuck")]
            standing = await siren(core)
            assert (standing.on, standing.stuck) == (False, True)
            assert standing.fault == (
                "was switched off, and current says that it draws current and relay says that it is closed"
            )
            await asyncio.sleep(30)
            await box.turn("pins.weld", name="siren", welded=False)
            await asyncio.sleep(1)
            assert core.whys()[3:] == [(False, None, "released")]
            standing = await siren(core)
            assert (standing.stuck, standing.fault) == (False, None)

    play(tmp_path, story)


def test_a_line_that_stays_on_is_told_too_and_an_output_without_contacts_has_only_this(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            await core.link.sound("a1", "siren", "steady", 5)
            await box.turn("pins.stick", name="siren", value=1)
            await asyncio.sleep(9)
            assert core.whys() == [(True, "a1", "ordered"), (True, None, "stuck")]
            standing = await siren(core)
            assert (standing.on, standing.stuck) == (True, True)
            assert "reads on" in (standing.fault or "")
            await box.turn("pins.stick", name="siren")
            await asyncio.sleep(2)
            assert core.whys()[2:] == [(False, "a1", "ended"), (False, None, "released")]
            assert await box.level() == 0

    play(tmp_path, story)


def test_a_siren_that_somebody_else_switched_on_is_found(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**PROVEN), box.core() as core:
            await box.turn("input.press", name="current")
            await asyncio.sleep(3)
            assert core.whys() == [(False, None, "stuck")]
            await core.link.sound("a1", "siren", "steady", 5)  # it can be ordered all the same
            await box.turn("input.release", name="current")
            await asyncio.sleep(8)
            assert [why for _, _, why in core.whys()] == ["stuck", "ordered", "ended", "released"]

    play(tmp_path, story)


def test_a_line_that_rises_by_itself_is_driven_off_again(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            await box.turn("pins.stick", name="siren", value=1)
            await asyncio.sleep(4)
            assert core.whys() == [(True, None, "stuck")]
            await box.turn("pins.stick", name="siren")
            await asyncio.sleep(2)
            assert await box.level() == 0
            assert core.whys()[-1] == (False, None, "released")

    play(tmp_path, story)


def test_a_relay_that_is_welded_when_the_process_starts_is_found(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**PROVEN):
            await box.turn("input.press", name="current")  # a hand, or a relay: it stays over the restart
        async with box.running(**PROVEN), box.core() as core:
            await asyncio.sleep(3)
            assert core.whys() == [(False, None, "stuck")]
        async with box.running(**PROVEN), box.core() as core:
            await asyncio.sleep(3)
            assert (await siren(core)).stuck

    play(tmp_path, story)


def test_a_cut_current_is_no_current_and_the_relay_says_so_alone(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**PROVEN), box.core() as core:
            await box.turn("pins.cut", name="siren")
            await core.link.sound("a1", "siren", "steady", 5)
            await asyncio.sleep(10)
            assert [(i.input, i.active) for i in core.inputs] == [("relay", True), ("relay", False)]
            assert not (await siren(core)).stuck

    play(tmp_path, story)


@pytest.mark.parametrize("kind", ["tamper", "door", "supply", "battery_low"])
def test_inputs_of_the_station_are_told(tmp_path: Path, kind: str) -> None:
    async def story(box: Box) -> None:
        async with box.running(input={**WIRING["input"], "own": {"pin": 5, "kind": kind}}), box.core() as core:
            await box.turn("input.press", name="own")
            await asyncio.sleep(1)
            await box.turn("input.release", name="own")
            await asyncio.sleep(1)
            assert [(i.input, i.active) for i in core.inputs] == [("own", True), ("own", False)]

    play(tmp_path, story)

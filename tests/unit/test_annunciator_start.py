"""The contact that starts a generator: closed while the core that wants it is there, and no longer than its time."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from annunciator_box import WIRING, Box, Core, play

from appliance.annunciator_config import AnnunciatorConfig, check
from drivers.jsonsocket import Refusal

STARTS = {"output": {**WIRING["output"], "start": {"pin": 26, "kind": "start", "max_s": 3600}}}


def test_it_is_closed_until_it_is_let_go_and_nothing_else_switches_it(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STARTS), box.core() as core:
            assert await core.link.hold("start", True)
            assert await core.link.hold("start", True)
            assert await box.level("start") == 1
            with pytest.raises(Refusal) as no:
                await core.link.light("start", False)
            assert no.value.code == "no_output"
            with pytest.raises(Refusal):
                await core.link.sound("a1", "start", "steady", 5)
            with pytest.raises(Refusal) as no:
                await core.link.hold("siren", True)
            assert no.value.code == "no_output"
            await asyncio.sleep(600)
            assert not await core.link.hold("start", False)
            assert await box.level("start") == 0
            assert core.whys("start") == [(True, None, "ordered"), (False, None, "ordered")]

    play(tmp_path, story)


def test_it_opens_when_the_core_that_held_it_leaves_and_the_siren_sounds_on(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STARTS):
            async with box.core() as other:
                gone = Core(box.socket)
                await gone.up()
                await gone.link.hold("start", True)
                await gone.link.sound("a1", "siren", "steady", 60)
                await gone.dies()
                assert await box.level("start") == 0
                assert await box.level("siren") == 1
                assert other.whys("start") == [(True, None, "ordered"), (False, None, "left")]
            async with box.core() as core:
                assert not core.standings[0].outputs["start"].on

    play(tmp_path, story)


def test_its_longest_time_opens_it_and_holding_it_again_gives_no_more(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STARTS), box.core() as core:
            began = box.clock.now()
            await core.link.hold("start", True)
            await asyncio.sleep(3000)
            await core.link.hold("start", True)
            await asyncio.sleep(700)
            assert await box.changes("start", began) == [(0, 1), (3600, 0)]
            assert core.whys("start")[-1] == (False, None, "limit")

    play(tmp_path, story)


def test_a_contact_that_does_not_close_is_told_and_never_left_half_way(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(**STARTS), box.core() as core:
            await box.turn("pins.stick", name="start", value=0)
            with pytest.raises(Refusal) as no:
                await core.link.hold("start", True)
            assert no.value.code == "not_driven"
            assert core.whys("start") == []

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"max_s": None}, "needs a longest time"),
        ({"max_s": 90_000}, "not between 1 and 86400"),
        ({"active_high": False}, "starts the set whenever the board starts"),
        ({"pin": 5}, "use 9 to 27 for a start"),
    ],
)
def test_a_start_contact_that_could_start_a_set_by_itself_is_refused(changes: dict[str, Any], says: str) -> None:
    start = {"pin": 26, "kind": "start", "max_s": 3600, **changes}
    config = msgspec.convert(
        {"socket": "/run/a.sock", "factory": "mock", "output": {"start": start}}, AnnunciatorConfig
    )  # fmt: skip
    assert any(says in fault for fault in check(config)), check(config)

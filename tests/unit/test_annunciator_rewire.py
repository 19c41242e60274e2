"""A changed wiring is taken over while the annunciator runs; what is on is not touched, and what waits comes later."""

import asyncio
import copy
from pathlib import Path
from typing import Any

import pytest
from annunciator_box import WIRING, Box, play, wiring

from appliance.annunciator_rewire import rewiring
from drivers.jsonsocket import Refusal


def outputs(**changes: dict[str, Any] | None) -> dict[str, Any]:
    """The box's outputs with some changed, added, or (None) taken away."""
    made = copy.deepcopy(WIRING["output"])
    for name, change in changes.items():
        made[name] = {**made.get(name, {}), **change} if change is not None else None
    return {"output": {name: one for name, one in made.items() if one is not None}}


def test_a_siren_that_sounds_is_not_touched_and_takes_its_new_limit_when_it_is_off(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            began = box.clock.now()
            await core.link.sound("a1", "siren", "steady", 60)
            box.file = outputs(siren={"max_s": 50}, buzzer={"pin": 26})
            await asyncio.sleep(5)
            told = await core.link.reload()
            assert (told.taken, told.waiting) == (("buzzer",), ("siren",))
            await asyncio.sleep(60)
            assert await box.changes(since=began) == [(0, 1), (60, 0)], "to its end, without a gap"
            again = box.clock.now()
            await core.link.sound("b2", "siren", "steady", 60)
            await asyncio.sleep(60)
            assert await box.changes(since=again) == [(0, 1), (50, 0)], "the new limit holds"
            late = await core.link.sound("a1", "siren", "steady", 60)
            assert late.ended == "ended", "what it remembers of orders outlasts the change"

    play(tmp_path, story)


def test_a_new_output_and_a_new_input_work_and_a_removed_one_is_gone(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            box.file = outputs(horn={"pin": 12, "kind": "siren", "max_s": 30}, strobe=None)
            box.file["input"] = {**WIRING["input"], "shed": {"pin": 13, "kind": "contact"}}
            told = await core.link.reload()
            assert (told.taken, told.waiting) == (("horn", "shed", "strobe"), ())
            assert (await core.link.sound("a1", "horn", "steady", 3)).energised
            assert await box.level("horn") == 1
            with pytest.raises(Refusal, match="no output 'strobe'"):
                await core.link.light("strobe", True)
            await box.turn("input.press", name="shed", hold_s=1)
            await asyncio.sleep(2)
            assert [(c.input, c.active) for c in core.inputs] == [("shed", True), ("shed", False)]
            await core.link.light("amber", True)
            assert await box.level("amber") == 1

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (outputs(siren={"pin": 99}), "wiring"),
        (outputs(siren={"active_high": False}, amber=None), "wiring"),
        ({"socket": "/elsewhere.sock"}, "restart"),
    ],
)
def test_a_wrong_file_changes_nothing_at_all(tmp_path: Path, file: dict[str, Any], code: str) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            before = await core.link.look()
            box.file = file
            with pytest.raises(Refusal) as no:
                await core.link.reload()
            assert no.value.code == code
            assert (await core.link.look()).outputs == before.outputs
            assert (await core.link.sound("a1", "siren", "steady", 2)).energised
            await core.link.light("amber", True)

    play(tmp_path, story)


def test_two_outputs_change_pins_only_when_both_are_off(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running(), box.core() as core:
            await core.link.light("amber", True)
            box.file = outputs(amber={"pin": 24}, strobe={"pin": 22})
            told = await core.link.reload()
            assert (told.taken, told.waiting) == ((), ("amber", "strobe"))
            assert await box.level("amber") == 1
            await core.link.light("amber", False)
            await asyncio.sleep(1.5)
            status = await box.turn("status")
            assert (status["pins"]["amber"]["pin"], status["pins"]["strobe"]["pin"]) == (24, 22)
            await core.link.light("strobe", True)
            assert (await box.level("strobe"), await box.level("amber")) == (1, 0)

    play(tmp_path, story)


def test_the_red_button_works_on_behind_a_change_of_its_siren(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        async with box.running():
            async with box.core() as core:
                box.file = outputs(siren={"pin": 12})
                assert "siren" in (await core.link.reload()).taken
                await box.press()
                assert [press.press for press in core.presses] == [1]
                await asyncio.sleep(1)
                assert await box.level("siren") == 1, "nobody took it"
                box.file = outputs(siren={"pin": 12})
                box.file["button"] = {**WIRING["button"], "seconds": 10}
                assert (await core.link.reload()).waiting == ("button",), "while it sounds"
                await asyncio.sleep(46)
                await box.press()
                assert [press.press for press in core.presses] == [1, 2], "counted on, for core knows the first"
            await asyncio.sleep(1)
            assert await box.level("siren") == 1
            await asyncio.sleep(10)
            assert await box.level("siren") == 0, "ten seconds, as the new file says"

    play(tmp_path, story)


def test_a_line_that_failed_is_tried_again(tmp_path: Path) -> None:
    old = wiring()
    assert rewiring(old, old, (), ("buzzer",)).outputs == {"buzzer"}
    assert rewiring(old, old, ("siren",)).outputs == frozenset()


def test_a_change_that_contradicts_itself_by_halves_waits_whole() -> None:
    """A strobe that is to follow a siren which does not sound yet under that name."""
    old = wiring()
    new = wiring(
        output={
            **{n: o for n, o in WIRING["output"].items() if n != "siren"},
            "horn": {"pin": 17, "kind": "siren", "max_s": 180},
            "strobe": {"pin": 24, "kind": "light", "follows": "horn"},
        },
        button={**WIRING["button"], "output": "horn"},
    )
    todo = rewiring(old, new, ("siren",))
    assert todo.config.output == old.output
    assert {"horn", "siren", "strobe", "button"} == set(todo.waiting)
    assert rewiring(old, new, ()).waiting == ()

"""Inputs on gpiozero's mock pins, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from drivers.clock import VirtualClock
from drivers.gpio.factory import open_board
from drivers.gpio.inputs import Input
from drivers.sim.pins import SimulatedPins

BUTTON = 23


class Bench:
    def __init__(self, folder: Path) -> None:
        self.board = open_board("mock")
        self.hand = SimulatedPins(self.board.factory, {"button": BUTTON}, folder / "knobs")
        self.told: list[bool] = []

    def button(self, pull: str = "up") -> Input:
        return Input("button", BUTTON, self.board, pull=pull, debounce_s=0.05, on_change=self.told.append)


Story = Callable[[Bench], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Story], None]:
    def run(story: Story) -> None:
        async def main() -> None:
            await story(Bench(tmp_path))

        VirtualClock().run(main())

    return run


@pytest.mark.parametrize("pull", ["up", "down"])
def test_a_press_and_a_release_are_told_once_each(play: Callable[[Story], None], pull: str) -> None:
    async def story(bench: Bench) -> None:
        button = bench.button(pull)
        assert not button.active
        await bench.hand.press("button", bounces=5)
        await asyncio.sleep(1)
        assert bench.told == [True]
        assert button.active
        bench.hand.release("button")
        await asyncio.sleep(1)
        assert bench.told == [True, False]
        button.close()

    play(story)


def test_a_spike_is_no_press(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        button = bench.button()
        await bench.hand.press("button", hold_s=0.03)
        await asyncio.sleep(1)
        assert bench.told == []
        button.close()

    play(story)


def test_a_button_held_at_start_does_nothing_until_it_was_released(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        first = bench.button()
        await bench.hand.press("button")
        await asyncio.sleep(1)
        first.close()
        bench.told.clear()
        button = bench.button()
        assert button.active  # it is shown as it is
        await asyncio.sleep(5)
        assert bench.told == []
        bench.hand.release("button")
        await asyncio.sleep(1)
        await bench.hand.press("button")
        await asyncio.sleep(1)
        assert bench.told == [False, True]
        button.close()

    play(story)


def test_a_change_whose_edge_was_lost_is_found(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        button = bench.button()
        bench.board.factory.pin(BUTTON)._state = False  # the level moved and no edge was told
        await asyncio.sleep(1.2)
        assert bench.told == [True]
        button.close()

    play(story)

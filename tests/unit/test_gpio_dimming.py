"""Outputs with a duty cycle: ramps, levels, and an end that leaves nothing on."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from pathlib import Path

import pytest

from drivers.clock import VirtualClock
from drivers.gpio.errors import NotDriven
from drivers.gpio.factory import open_board
from drivers.gpio.outputs import Output
from drivers.gpio.patterns import PATTERNS
from drivers.sim.pins import SimulatedPins

LIGHT = 12


class Bench:
    def __init__(self, folder: Path, clock: VirtualClock) -> None:
        self.clock = clock
        self.board = open_board("mock")
        self.pins = SimulatedPins(self.board.factory, {"light": LIGHT}, folder / "knobs")

    def light(self, max_s: float = 600, ramp_s: float = 0.0) -> Output:
        return Output("light", LIGHT, self.board, max_s=max_s, pwm=True, ramp_s=ramp_s)

    def level(self) -> float:
        return self.pins.read()["light"]

    def settled(self) -> list[tuple[float, float]]:
        """The last level of each instant."""
        return list({round(c["at"], 3): c["value"] for c in self.pins.record("light")}.items())

    async def until(self, at: float) -> None:
        await asyncio.sleep(at - self.clock.now())


Story = Callable[[Bench], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Story], None]:
    def run(story: Story) -> None:
        clock = VirtualClock()

        async def main() -> None:
            await story(Bench(tmp_path, clock))

        clock.run(main())

    return run


def test_a_night_light_rises_without_a_step_and_stays_full(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        light = bench.light(ramp_s=10)
        light.sound(PATTERNS["steady"], until=60)
        assert light.on
        await bench.until(5.01)
        assert bench.level() == pytest.approx(0.25, abs=0.02)
        await bench.until(30)
        assert bench.level() == 1
        levels = [value for at, value in bench.settled() if at < 30]
        assert levels == sorted(levels)
        assert levels[0] <= 0.01
        assert max(b - a for a, b in pairwise(levels)) < 0.03
        await bench.until(61)
        assert bench.level() == 0
        light.close()

    play(story)


def test_a_pattern_rises_over_its_pauses_and_never_starts_loud_again(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        horn = bench.light(ramp_s=4)
        horn.sound(PATTERNS["pulse"], until=30)
        for at, level in ((0.01, 0.01), (0.49, 0.0144), (0.75, 0), (2.4, 0.345), (2.6, 0), (4.2, 1), (4.6, 0)):
            await bench.until(at)
            assert bench.level() == pytest.approx(level, abs=0.03), at
        horn.sound(PATTERNS["steady"], until=60)  # the next order's pattern, as loud as it was
        assert bench.level() == 1
        horn.close()

    play(story)


def test_a_level_is_kept_and_changed_while_it_sounds(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        horn = bench.light()
        horn.sound(PATTERNS["steady"], until=60, level=0.3)
        assert bench.level() == 0.3
        horn.end_at(60, level=0.7)
        assert bench.level() == 0.7
        await bench.until(10)
        assert bench.level() == 0.7
        horn.end_at(60, level=1.0)
        assert bench.level() == 1
        await bench.until(61)
        assert bench.settled() == [(0, 0.7), (10, 1), (60, 0)]
        horn.close()

    play(story)


def test_an_end_in_the_middle_of_a_pulse_leaves_the_line_low(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        for end in ("off", "clock", "close"):
            horn = bench.light(max_s=20)
            horn.sound(PATTERNS["steady"], until=bench.clock.now() + 100, level=0.3)
            if end == "off":
                assert horn.off()
            elif end == "clock":
                await asyncio.sleep(21)
                assert not horn.on
            assert end == "close" or bench.level() == 0
            horn.close()
            assert bench.level() == 0

    play(story)


def test_a_dim_line_that_cannot_follow_is_never_said_to_be_on(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        horn = bench.light()
        bench.pins.stick("light", 0)
        with pytest.raises(NotDriven):
            horn.sound(PATTERNS["steady"], until=60, level=0.3)
        assert not horn.on
        bench.pins.stick("light", None)
        horn.sound(PATTERNS["pulse"], until=60, level=0.3)
        bench.pins.stick("light", 0)
        await bench.until(5.2)
        assert horn.fault
        bench.pins.stick("light", None)
        await bench.until(7)
        assert horn.fault is None
        horn.close()

    play(story)


def test_what_has_no_pwm_knows_no_level(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        relay = Output("light", LIGHT, bench.board, max_s=60)
        relay.sound(PATTERNS["steady"], until=60, level=0.3)
        relay.end_at(60, level=0.2)
        await bench.until(59)
        assert bench.pins.levels("light") == [0, 1]
        relay.close()

    play(story)

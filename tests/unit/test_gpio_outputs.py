"""Outputs on gpiozero's mock pins, in virtual time; the pins' own record says what moved."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from drivers.clock import VirtualClock
from drivers.gpio.errors import BoardUnavailable, NotDriven, PinRefused
from drivers.gpio.factory import Board, open_board
from drivers.gpio.outputs import Output
from drivers.gpio.patterns import LONGEST, PATTERNS, SHORTEST
from drivers.sim.pins import SimulatedPins

SIREN = 17
SLACK = 1e-6  # s; virtual time is exact, floats are not quite


class Bench:
    """A mock board with one watched pin, and virtual time."""

    def __init__(self, folder: Path, clock: VirtualClock) -> None:
        self.clock = clock
        self.board: Board = open_board("mock")
        self.pins = SimulatedPins(self.board.factory, {"siren": SIREN}, folder / "knobs")

    def changes(self) -> list[tuple[float, int]]:
        return [(round(change["at"], 6), change["value"]) for change in self.pins.record("siren")]

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


def test_an_output_ends_by_its_own_clock(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        ended: list[bool] = []
        siren = Output("siren", SIREN, bench.board, max_s=180)
        siren.when_ended = ended.append
        siren.sound(PATTERNS["steady"], until=60.3)
        assert siren.on
        assert siren.remaining_s == pytest.approx(60.3)
        await bench.until(100)
        assert not siren.on
        assert bench.changes() == [(0, 1), (60.3, 0)]
        assert ended == [False]
        siren.close()

    play(story)


def test_an_output_is_never_on_longer_than_its_longest_time(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        ended: list[bool] = []
        siren = Output("siren", SIREN, bench.board, max_s=30)
        siren.when_ended = ended.append
        siren.sound(PATTERNS["steady"], until=1000)
        for at in range(5, 30, 5):
            await bench.until(at)
            siren.sound(PATTERNS["steady"], until=at + 1000)
            siren.end_at(math.inf)
        assert siren.remaining_s == pytest.approx(5)
        await bench.until(60)
        assert bench.changes() == [(0, 1), (30, 0)]
        assert ended == [True]
        siren.sound(PATTERNS["steady"], until=61)
        assert siren.on
        siren.close()

    play(story)


def test_a_wail_rises_and_falls_by_its_data(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        siren = Output("siren", SIREN, bench.board, max_s=180)
        siren.sound(PATTERNS["wail"], until=30)
        await bench.until(9)
        assert siren.on  # in the pause too
        assert bench.pins.read() == {"siren": 0}
        await bench.until(60)
        assert bench.changes() == [(0, 1), (8, 0), (12, 1), (20, 0), (24, 1), (30, 0)]
        siren.close()

    play(story)


@pytest.mark.parametrize("seconds", [0.3, 1.0, 10.0, 10.1, 59.95, 60.0])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_relay_is_driven_for_less_than_it_can_follow(
    play: Callable[[Story], None], pattern: str, seconds: float
) -> None:
    async def story(bench: Bench) -> None:
        siren = Output("siren", SIREN, bench.board, max_s=180)
        siren.sound(PATTERNS[pattern], until=seconds)
        await bench.until(100)
        changes = bench.changes()
        assert [value for _, value in changes] == [1, 0] * (len(changes) // 2)
        on = [off[0] - on[0] for on, off in zip(changes[::2], changes[1::2], strict=True)]
        assert min(on) >= SHORTEST - SLACK
        assert changes[-1][0] <= seconds + SLACK
        siren.close()

    play(story)


@pytest.mark.parametrize("cadence", PATTERNS.values(), ids=PATTERNS)
def test_every_pattern_is_bounded(cadence: tuple[tuple[float, float], ...]) -> None:
    assert 1 <= len(cadence) <= 16
    for on_s, off_s in cadence:
        assert SHORTEST <= on_s <= LONGEST
        assert off_s == 0 or SHORTEST <= off_s <= LONGEST


def test_a_line_that_does_not_read_back_is_refused_and_switched_off(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        siren = Output("siren", SIREN, bench.board, max_s=180)
        bench.pins.stick("siren", 0)
        with pytest.raises(NotDriven, match="GPIO 17"):
            siren.sound(PATTERNS["wail"], until=60)
        assert not siren.on
        assert siren.fault is None  # off reads back
        bench.pins.stick("siren", None)
        await bench.until(30)
        assert bench.changes() == []
        siren.close()

    play(story)


def test_a_line_that_stays_on_is_said_to_be_on_and_switched_off_again_until_it_is(
    play: Callable[[Story], None],
) -> None:
    async def story(bench: Bench) -> None:
        ended: list[bool] = []
        siren = Output("siren", SIREN, bench.board, max_s=10)
        siren.when_ended = ended.append
        siren.sound(PATTERNS["steady"], until=10)
        bench.pins.stick("siren", 1)
        await bench.until(15.5)
        assert siren.on
        assert siren.remaining_s == 0
        assert siren.fault
        assert ended == []
        with pytest.raises(NotDriven, match="longest time"):
            siren.sound(PATTERNS["steady"], until=400)  # nobody prolongs what should long be off
        bench.pins.stick("siren", None)
        await bench.until(20)
        assert not siren.on
        assert bench.changes() == [(0, 1), (16.5, 0)]
        assert ended == [False]
        siren.close()

    play(story)


def test_a_line_that_fails_in_the_middle_is_told_and_driven_again(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        siren = Output("siren", SIREN, bench.board, max_s=180)
        siren.sound(PATTERNS["steady"], until=60)
        bench.pins.stick("siren", 0)
        await bench.until(5.5)
        assert siren.fault
        bench.pins.stick("siren", None)
        await bench.until(7)
        assert siren.fault is None
        assert bench.pins.read() == {"siren": 1}
        siren.close()

    play(story)


def test_a_line_that_is_on_when_low_starts_high_and_is_left_high(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        lamp = Output("lamp", SIREN, bench.board, active_high=False)
        assert bench.pins.read() == {"siren": 1}
        lamp.switch_on()
        assert bench.pins.read() == {"siren": 0}
        assert lamp.remaining_s == math.inf
        assert lamp.off()
        assert bench.pins.read() == {"siren": 1}
        lamp.close()

    play(story)


def test_closing_switches_off_first(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        siren = Output("siren", SIREN, bench.board, max_s=180)
        siren.sound(PATTERNS["pulse"], until=60)
        await bench.until(1.2)
        siren.close()
        assert bench.pins.read() == {"siren": 0}
        await bench.until(90)
        assert bench.changes() == [(0, 1), (0.5, 0), (1.0, 1), (1.2, 0)]

    play(story)


def test_a_line_is_claimed_once(play: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        siren = Output("siren", SIREN, bench.board, max_s=180)
        with pytest.raises(PinRefused, match="GPIO 17"):
            Output("other", SIREN, bench.board)
        siren.close()

    play(story)


def test_a_board_that_is_not_there_says_what_to_do() -> None:
    with pytest.raises(BoardUnavailable, match="lgpio"):
        open_board("no-such-factory")


@pytest.mark.skipif(Path("/dev/gpiochip0").exists(), reason="this machine has GPIO; a test must not claim it")
def test_a_machine_without_gpio_says_so() -> None:
    with pytest.raises(BoardUnavailable, match=r"lgpio|GPIO does not open"):
        open_board("lgpio")

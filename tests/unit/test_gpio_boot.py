"""From power to the last close: every level that a line ever had, on the mock's pins and by lgpio's own calls."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import gpiozero.pins
import pytest
from gpiozero.pins.local import LocalPiFactory

from drivers.clock import VirtualClock
from drivers.gpio.errors import BoardUnavailable
from drivers.gpio.factory import open_board
from drivers.gpio.outputs import Output
from drivers.sim.pins import SimulatedPins


@pytest.mark.parametrize(
    ("pin", "active_high", "pwm", "levels"),
    [
        (17, True, False, [0]),  # a siren's relay: low from power on
        (17, True, True, [0]),
        (5, False, False, [1]),  # a relay that is on when low, on a line that is high from power on
        (22, False, False, [0, 1, 0]),  # and on one that is not: on until claimed, floating when given back
    ],
)
def test_no_line_moves_from_power_to_the_end_but_to_its_safe_value(
    tmp_path: Path, pin: int, active_high: bool, pwm: bool, levels: list[float]
) -> None:
    async def main() -> None:
        board = open_board("mock")
        pins = SimulatedPins(board.factory, {"line": pin}, tmp_path / "knobs")
        output = Output("line", pin, board, max_s=60, active_high=active_high, pwm=pwm)
        assert not output.on
        output.close()
        assert pins.levels("line") == levels[:2]

    VirtualClock().run(main())


class Lgpio(ModuleType):
    """lgpio as its C source has it: a claim drives its level at once, an ended PWM leaves the line as it is."""

    error = type("error", (Exception,), {})
    BOTH_EDGES, RISING_EDGE, FALLING_EDGE = 3, 1, 2
    SET_PULL_UP, SET_PULL_DOWN, SET_PULL_NONE = 32, 64, 128

    def __init__(self) -> None:
        super().__init__("lgpio")
        self.level: dict[int, int] = {}
        self.output: set[int] = set()
        self.pwm: dict[int, tuple[float, float]] = {}
        self.driven: list[tuple[int, float]] = []
        self.label = "pinctrl-bcm2711"
        self.open: set[int] = set()

    def gpiochip_open(self, chip: int) -> int:
        self.open.add(chip)
        return chip

    def gpiochip_close(self, handle: int) -> None:
        self.open.discard(handle)
        self.pwm.clear()

    def gpio_get_chip_info(self, handle: int) -> tuple[int, int, str, str]:
        return 0, 58, f"gpiochip{handle}", self.label

    def gpio_claim_input(self, handle: int, gpio: int, flags: int = 0) -> None:
        self.output.discard(gpio)

    def gpio_claim_output(self, handle: int, gpio: int, level: int = 0, flags: int = 0) -> None:
        self.output.add(gpio)
        self._drive(gpio, level)

    def gpio_get_mode(self, handle: int, gpio: int) -> int:
        return 2 if gpio in self.output else 0

    def gpio_read(self, handle: int, gpio: int) -> int:
        return self.level.get(gpio, 0)

    def gpio_write(self, handle: int, gpio: int, level: int) -> None:
        assert gpio not in self.pwm, "the thread that pulses it would undo this"
        self._drive(gpio, int(level))

    def tx_pwm(self, handle: int, gpio: int, frequency: float, duty: float) -> None:
        if frequency:
            self.pwm[gpio] = (frequency, duty)
            self.driven.append((gpio, duty / 100))
            self.level[gpio] = 1 if duty else self.level.get(gpio, 0)
        elif self.pwm.pop(gpio, None) is None:
            raise self.error("bad PWM micros")

    def _drive(self, gpio: int, level: int) -> None:
        self.level[gpio] = level
        self.driven.append((gpio, level))


@pytest.fixture
def lgpio(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lgpio]:
    made = Lgpio()
    monkeypatch.setitem(sys.modules, "lgpio", made)
    _forget()
    monkeypatch.setattr(LocalPiFactory, "_get_revision", lambda self: 0xA02082)
    monkeypatch.setattr(LocalPiFactory, "pins", {})  # gpiozero shares these between factories
    monkeypatch.setattr(LocalPiFactory, "_reservations", defaultdict(list))
    yield made
    _forget()


def _forget() -> None:
    """What gpiozero imported is bound to the lgpio of its time."""
    sys.modules.pop("gpiozero.pins.lgpio", None)
    vars(gpiozero.pins).pop("lgpio", None)


def test_the_header_is_the_chip_that_udev_names_and_else_the_first_if_it_is_one(lgpio: Lgpio, tmp_path: Path) -> None:
    link = tmp_path / "header"
    open_board("lgpio", link).factory.close()
    lgpio.label = "gpio-brcmstb"
    with pytest.raises(BoardUnavailable, match="gpiochip0 is gpio-brcmstb, not the header"):
        open_board("lgpio", link)
    assert lgpio.open == set()
    link.symlink_to("gpiochip2")
    open_board("lgpio", link)
    assert lgpio.open == {2}


@pytest.mark.parametrize(("active_high", "safe"), [(True, 0), (False, 1)])
def test_lgpio_claims_a_line_in_its_safe_level_and_not_low_first(lgpio: Lgpio, active_high: bool, safe: int) -> None:
    async def main() -> None:
        output = Output("line", 22, open_board("lgpio"), max_s=60, active_high=active_high)
        assert set(lgpio.driven) == {(22, safe)}
        output.close()

    VirtualClock().run(main())


def test_lgpios_pulses_are_ended_before_the_line_is_written_and_it_is_low_at_the_end(lgpio: Lgpio) -> None:
    async def main() -> None:
        cadence: Any = ((1.0, 0.0),)
        output = Output("line", 22, open_board("lgpio"), max_s=60, pwm=True)
        for _ in range(2):
            output.sound(cadence, 100, level=0.3)
            assert lgpio.pwm == {22: (500, 30)}
            assert output.off()
            assert lgpio.pwm == {}
            assert lgpio.level[22] == 0
        output.close()

    VirtualClock().run(main())

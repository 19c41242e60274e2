"""The board's pins, by name: `lgpio` is the real one, `mock` is gpiozero's and moves nothing.

gpiozero's process-wide default factory is never used: what needs pins is given a `Board`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpiozero import GPIOZeroError
from gpiozero.pins.mock import MockFactory, MockPWMPin

from drivers.gpio.errors import BoardUnavailable

HEADER = Path("/dev/siaga/header")  # udev's name for the chip that has the header's pins, whatever its number
LABELS = ("pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1")  # Linux's for that chip, of a Pi 3, 4, 5


@dataclass(frozen=True)
class Board:
    """A gpiozero pin factory, and every exception that its pins raise."""

    factory: Any
    errors: tuple[type[Exception], ...]


def open_board(name: str, header: Path = HEADER) -> Board:
    """Open the board's GPIO. `header`: a link to its chip; without one the first chip must be it. Raises
    BoardUnavailable."""
    if name == "mock":
        return Board(MockFactory(pin_class=MockPWMPin), (GPIOZeroError,))
    if name != "lgpio":
        raise BoardUnavailable(f"There is no pin factory {name!r}. Use lgpio on a board, mock elsewhere.")
    try:
        from gpiozero.pins import lgpio as real
    except (ImportError, OSError) as e:  # OSError: lgpio makes a pipe in the working directory when imported
        raise BoardUnavailable(
            f"lgpio does not load: {e}. Install it (pip install lgpio) and start in a directory that can be written."
        ) from e
    errors: tuple[type[Exception], ...] = (GPIOZeroError, real.lgpio.error, OSError)
    try:
        chip = int(header.resolve().name.removeprefix("gpiochip")) if header.is_symlink() else None
        factory = real.LGPIOFactory(chip)
        _, _, found, label = real.lgpio.gpio_get_chip_info(factory._handle)
    except errors as e:
        raise BoardUnavailable(
            f"The board's GPIO does not open: {e}. Is /dev/gpiochip0 there, and is this user in the group gpio?"
        ) from e
    if chip is None and label not in LABELS:  # a Pi 5's first chip switches parts of the board itself
        factory.close()
        raise BoardUnavailable(f"{found} is {label}, not the header. udev names that {header}: is its rule installed?")

    class SettledPin(real.LGPIOPin):  # type: ignore[misc]  # gpiozero has no types
        """gpiozero's claims an output low and raises it then: a relay that is on when low would be on in between."""

        def output_with_state(self, state: float) -> None:
            real.lgpio.gpio_claim_output(self.factory._handle, self._number, int(state))

    factory.pin_class = SettledPin
    return Board(factory, errors)

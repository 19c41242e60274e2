"""The board's pins, by name: `lgpio` is the real one, `mock` is gpiozero's and moves nothing.

gpiozero's process-wide default factory is never used: what needs pins is given a `Board`.
"""

from dataclasses import dataclass
from typing import Any

from gpiozero import GPIOZeroError
from gpiozero.pins.mock import MockFactory, MockPWMPin

from drivers.gpio.errors import BoardUnavailable


@dataclass(frozen=True)
class Board:
    """A gpiozero pin factory, and every exception that its pins raise."""

    factory: Any
    errors: tuple[type[Exception], ...]


def open_board(name: str) -> Board:
    """Open the board's GPIO. Raises BoardUnavailable."""
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
        factory = real.LGPIOFactory()
    except errors as e:
        raise BoardUnavailable(
            f"The board's GPIO does not open: {e}. Is /dev/gpiochip0 there, and is this user in the group gpio?"
        ) from e

    class SettledPin(real.LGPIOPin):  # type: ignore[misc]  # gpiozero has no types
        """gpiozero's claims an output low and raises it then: a relay that is on when low would be on in between."""

        def output_with_state(self, state: float) -> None:
            real.lgpio.gpio_claim_output(self.factory._handle, self._number, int(state))

    factory.pin_class = SettledPin
    return Board(factory, errors)

"""What can go wrong with pins. gpiozero's and lgpio's own exceptions become these at the edge."""


class GpioError(Exception):
    """Something about the pins; the text says what, where, and what to do next."""


class BoardUnavailable(GpioError):
    """The board's GPIO could not be opened at all."""


class PinRefused(GpioError):
    """One line could not be claimed: taken by another process, or not there."""


class NotDriven(GpioError):
    """A line was written and does not read back what was written, or may not be on any longer."""

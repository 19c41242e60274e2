"""One claimed output line: written, and read back at once. With `dims` its duty cycle can stand between off and on.

A PWM is always ended before the line is written: lgpio's thread takes a new duty only at the end of a cycle, and an
ended PWM leaves the line at whatever level it happened to have.
"""

from gpiozero import OutputDevice

from drivers.gpio.errors import NotDriven, PinRefused
from drivers.gpio.factory import Board

READS = 3  # a line with a filter capacitor rises in microseconds, about what one read takes
PWM_HZ = 500  # no eye sees it; lgpio can do 10,000, and wakes a thread twice a cycle
DIMMEST, BRIGHTEST = 0.01, 0.99  # lgpio under gpiozero takes whole percents, and 0 and 1 are levels, no duty


class Line:
    """`fault` is the last failure, None when the last write was read back."""

    def __init__(self, name: str, pin: int, board: Board, *, active_high: bool = True) -> None:
        """Claim the line (BCM number `pin`) in its off level, without a pulse. Raises PinRefused."""
        self.name, self.pin = name, pin
        self.fault: str | None = None
        self._board = board
        self._dimmed = False
        try:
            self._device = OutputDevice(pin, active_high=active_high, initial_value=False, pin_factory=board.factory)
        except board.errors as e:
            raise PinRefused(f"Output {name}: GPIO {pin} cannot be claimed: {e}. Is another program using it?") from e

    def switch(self, level: bool) -> None:
        """Drive it fully. Raises NotDriven when it does not read back."""
        try:
            self._steady()
            self._device.value = level
            driven = any(bool(self._device.value) == level for _ in range(READS))
            self.fault = None if driven else f"reads {'off' if level else 'on'} after it was switched the other way"
        except self._board.errors as e:
            self.fault = f"cannot be switched: {e}"
        self._raise()

    def dim(self, duty: float) -> None:
        """Pulse it, on for `duty` (0 to 1) of the time; that it can be driven was seen when it was switched on."""
        pin = self._device.pin
        try:
            if not self._dimmed:
                pin.frequency, self._dimmed = PWM_HZ, True
            pin.state = min(max(duty, DIMMEST), BRIGHTEST)
        except self._board.errors as e:
            self.fault = f"cannot be dimmed: {e}"
        self._raise()

    def reads_on(self) -> bool:
        """Whether it is on now; a line that cannot be read is not said to be."""
        try:
            return bool(self._device.value)
        except self._board.errors as e:
            self.fault = f"cannot be read: {e}"
            return False

    def close(self) -> None:
        """Give it back; switch it off before."""
        self._device.close()

    def _steady(self) -> None:
        if self._dimmed:
            self._device.pin.frequency, self._dimmed = None, False

    def _raise(self) -> None:
        if self.fault:
            raise NotDriven(f"Output {self.name} (GPIO {self.pin}) {self.fault}. Check its wiring for a short.")

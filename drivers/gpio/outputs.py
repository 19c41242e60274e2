"""One output line: off is its safe value, its own clock ends it, and "on" means that the line read back on.

Everything runs on the event loop; a write and its read-back take some microseconds.
"""

import asyncio
import itertools
import logging
import math
from collections.abc import Callable, Iterator

from gpiozero import OutputDevice

from drivers.gpio.errors import NotDriven, PinRefused
from drivers.gpio.factory import Board
from drivers.gpio.patterns import PATTERNS, SHORTEST, Cadence

log = logging.getLogger(__name__)

READS = 3  # a line with a filter capacitor rises in microseconds, about what one read takes
OFF_AGAIN = 1.0  # s between attempts to switch off a line that still reads on


class Output:
    """A relay, a light or a buzzer on one line.

    `on` is true for as long as it sounds, the pauses of a pattern included, and also when it could not be switched
    off. `fault` is the last failure, None when the last write was read back. `when_ended(cut)` is called when its own
    clock switched it off; `cut` says that its longest time ended it earlier than was asked for.
    """

    def __init__(
        self, name: str, pin: int, board: Board, *, max_s: float | None = None, active_high: bool = True
    ) -> None:
        """Claim the line (BCM number `pin`) and switch it off. `max_s`: longest time on. Raises PinRefused."""
        self.name, self.pin = name, pin
        self.when_ended: Callable[[bool], None] = lambda cut: None
        self.fault: str | None = None
        self.on = True  # until the line reads off
        self._board = board
        self._max_s = math.inf if max_s is None else max_s
        self._until = self._latest = 0.0
        self._cut = self._level = self._stuck_on = False
        self._phases: Iterator[tuple[bool, float]] = iter(())
        self._phase_due = 0.0
        self._phase_timer: asyncio.TimerHandle | None = None
        self._end_timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        try:
            self._device = OutputDevice(pin, active_high=active_high, initial_value=False, pin_factory=board.factory)
        except board.errors as e:
            raise PinRefused(f"Output {name}: GPIO {pin} cannot be claimed: {e}. Is another program using it?") from e
        self.off()

    @property
    def remaining_s(self) -> float:
        """Seconds it stays on; infinite without an end, 0 when off."""
        return max(0.0, self._until - self._loop.time()) if self.on else 0.0

    def sound(self, cadence: Cadence, until: float) -> None:
        """Switch on at once in this cadence, to end at loop time `until` or at its longest time since it went on.

        Raises NotDriven when the line does not read back on; it is switched off then.
        """
        now = self._loop.time()
        if not self.on:
            self._latest = now + self._max_s
        self._cancel()
        try:
            if now >= self._latest:
                raise NotDriven(f"Output {self.name} has been on for its longest time, {self._max_s:g} s.")
            self._write(True)
        except NotDriven:
            self.off()
            raise
        self.on = True
        phases = [(level, lasts) for step in cadence for level, lasts in zip((True, False), step, strict=True) if lasts]
        self._phases, self._phase_due = itertools.cycle(phases), now
        self.end_at(until)
        self._advance()

    def switch_on(self) -> None:
        """On without a pattern, until `off` or its longest time. Raises NotDriven."""
        self.sound(PATTERNS["steady"], math.inf)

    def end_at(self, until: float) -> None:
        """Move the end of what sounds now; the pattern goes on as it is."""
        self._until, self._cut = min(until, self._latest), until > self._latest
        if self._end_timer:
            self._end_timer.cancel()
        self._end_timer = None if math.isinf(self._until) else self._loop.call_at(self._until, self._time_up)

    def off(self) -> bool:
        """Switch off; False when the line still reads on. It is tried again each second until it is off."""
        self._cancel()
        try:
            self._write(False)
        except NotDriven as e:
            if not self._stuck_on:
                log.critical("%s It may still be on: cut its power by hand. Switching off is tried each second.", e)
            self._stuck_on, self._until = True, 0.0
            self._end_timer = self._loop.call_later(OFF_AGAIN, self._time_up)
            return False
        self.on = self._stuck_on = False
        return True

    def close(self) -> None:
        """Switch off and give the line back."""
        self.off()
        self._cancel()
        self._device.close()

    def _time_up(self) -> None:
        if self.off():
            self.when_ended(self._cut)

    def _advance(self) -> None:
        level, lasts = next(self._phases)
        known = self.fault
        ending = self._until - self._loop.time() < SHORTEST  # then a pause is not broken by a last blip
        try:
            self._write(level and not (ending and not self._level))
        except NotDriven as e:
            if known is None:
                log.error("%s The pattern goes on.", e)
        self._phase_due = max(self._phase_due, self._loop.time() - lasts) + lasts  # a loop that slept does not catch up
        self._phase_timer = self._loop.call_at(self._phase_due, self._advance)

    def _write(self, level: bool) -> None:
        try:
            self._device.value = self._level = level
            driven = any(bool(self._device.value) == level for _ in range(READS))
            self.fault = None if driven else f"reads {'off' if level else 'on'} after it was switched the other way"
        except self._board.errors as e:
            self.fault = f"cannot be switched: {e}"
        if self.fault:
            raise NotDriven(f"Output {self.name} (GPIO {self.pin}) {self.fault}. Check its wiring for a short.")

    def _cancel(self) -> None:
        for timer in (self._phase_timer, self._end_timer):
            if timer:
                timer.cancel()
        self._phase_timer = self._end_timer = None

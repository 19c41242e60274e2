"""One output: off is its safe value, its own clock ends it, and "on" means that the line read back on.

Everything runs on the event loop; a write and its read-back take some microseconds.
"""

import asyncio
import itertools
import logging
import math
from collections.abc import Callable, Iterator

from drivers.gpio.errors import NotDriven
from drivers.gpio.factory import Board
from drivers.gpio.line import Line
from drivers.gpio.patterns import PATTERNS, SHORTEST, Cadence

log = logging.getLogger(__name__)

OFF_AGAIN = 1.0  # s between attempts to switch off a line that still reads on
RAMP_STEP = 0.05  # s; twenty steps a second look and sound like a slope


class Output:
    """A relay, a light or a buzzer on one line.

    `on` is true for as long as it sounds, the pauses of a pattern included, and also when it could not be switched
    off. `fault` is the last failure, None when the last write was read back. `when_ended(cut)` is called when its own
    clock switched it off; `cut` says that its longest time ended it earlier than was asked for. Only what has `pwm`
    knows a level between off and on.
    """

    def __init__(
        self, name: str, pin: int, board: Board, *, max_s: float | None = None, active_high: bool = True,
        pwm: bool = False, ramp_s: float = 0.0, inverse: bool = False,
    ) -> None:  # fmt: skip
        """Claim the line (BCM number `pin`), off. `max_s`: longest time on; `ramp_s`: until it is at its level;
        `inverse`: on in the pauses of its pattern. Raises PinRefused."""
        self.name, self.pin = name, pin
        self.when_ended: Callable[[bool], None] = lambda cut: None
        self.on = True  # until the line reads off
        self._pwm, self._ramp_s, self._inverse = pwm, ramp_s, inverse
        self._max_s = math.inf if max_s is None else max_s
        self._until = self._latest = self._since = 0.0
        self._level = 1.0
        self._cut = self._high = self._stuck = False
        self._phases: Iterator[tuple[bool, float]] = iter(())
        self._phase_due = 0.0
        self._phase_timer: asyncio.TimerHandle | None = None
        self._ramp_timer: asyncio.TimerHandle | None = None
        self._end_timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._line = Line(name, pin, board, active_high=active_high)
        self.off()

    @property
    def fault(self) -> str | None:
        return self._line.fault

    @property
    def stuck(self) -> bool:
        """It was switched off and reads on."""
        return self._stuck

    @property
    def remaining_s(self) -> float:
        """Seconds it stays on; infinite without an end, 0 when off."""
        return max(0.0, self._until - self._loop.time()) if self.on else 0.0

    def sound(self, cadence: Cadence, until: float, level: float = 1.0) -> None:
        """Switch on at once in this cadence, to end at loop time `until` or at its longest time since it went on.

        `level`: 0 to 1, of its full loudness or light. Raises NotDriven when the line does not read back on; it is
        switched off then.
        """
        now = self._loop.time()
        if not self.on:
            self._latest, self._since = now + self._max_s, now
        self._cancel()
        self._level = level if self._pwm else 1.0
        try:
            if now >= self._latest:
                raise NotDriven(f"Output {self.name} has been on for its longest time, {self._max_s:g} s.")
            if not self._inverse:
                self._drive(True)
        except NotDriven:
            self.off()
            raise
        self.on, self._stuck = True, False
        phases = [(level, lasts) for step in cadence for level, lasts in zip((True, False), step, strict=True) if lasts]
        self._phases = itertools.cycle([(level != self._inverse, lasts) for level, lasts in phases])
        self._phase_due = now
        self.end_at(until)
        self._advance()
        self._climb()

    def switch_on(self) -> None:
        """On without a pattern, until `off` or its longest time. Raises NotDriven."""
        self.sound(PATTERNS["steady"], math.inf)

    def end_at(self, until: float, level: float | None = None) -> None:
        """Move the end of what sounds now, or its level; the pattern goes on as it is."""
        self._until, self._cut = min(until, self._latest), until > self._latest
        if self._end_timer:
            self._end_timer.cancel()
        self._end_timer = None if math.isinf(self._until) else self._loop.call_at(self._until, self._time_up)
        if level is not None and self._pwm and level != self._level:
            self._level = level
            self._redrive()

    def off(self) -> bool:
        """Switch off; False when the line still reads on. It is tried again each second until it is off."""
        self._cancel()
        self._high = False
        try:
            self._line.switch(False)
        except NotDriven as e:
            if not self._stuck:
                log.critical("%s It may still be on: cut its power by hand. Switching off is tried each second.", e)
            self.on = self._stuck = True
            self._until = 0.0
            self._end_timer = self._loop.call_later(OFF_AGAIN, self._time_up)
            return False
        self.on = self._stuck = False
        return True

    def look(self) -> None:
        """Find a line that is on by itself, and switch it off."""
        if not self.on and self._line.reads_on():
            self._cut = False
            self.off()

    def close(self) -> None:
        """Switch off and give the line back."""
        self.off()
        self._cancel()
        self._line.close()

    def _time_up(self) -> None:
        if self.off():
            self.when_ended(self._cut)

    def _advance(self) -> None:
        level, lasts = next(self._phases)
        ending = self._until - self._loop.time() < SHORTEST  # then a pause is not broken by a last blip
        self._redrive(level and not (ending and not self._high))
        self._phase_due = max(self._phase_due, self._loop.time() - lasts) + lasts  # a loop that slept does not catch up
        self._phase_timer = self._loop.call_at(self._phase_due, self._advance)

    def _climb(self) -> None:
        """Follow the ramp while it rises."""
        if self._since + self._ramp_s > self._loop.time():
            self._ramp_timer = self._loop.call_later(RAMP_STEP, self._climbed)

    def _climbed(self) -> None:
        if self._high:
            self._redrive()
        self._climb()

    def _redrive(self, high: bool | None = None) -> None:
        known = self.fault
        try:
            self._drive(self._high if high is None else high)
        except NotDriven as e:
            if known is None:
                log.error("%s The pattern goes on.", e)

    def _drive(self, high: bool) -> None:
        was, self._high = self._high, high
        duty = self._duty()
        if not high or duty >= 1 or not was or self.fault:
            self._line.switch(high)  # before a dim pulse too: for some microseconds, to see that the line follows
        if high and duty < 1:
            self._line.dim(duty)

    def _duty(self) -> float:
        """Eye and ear judge by ratios: a slope of squares is one that rises evenly to them."""
        risen = min(1.0, (self._loop.time() - self._since) / self._ramp_s) if self._ramp_s else 1.0
        return self._level * risen**2 if self._pwm else 1.0

    def _cancel(self) -> None:
        for timer in (self._phase_timer, self._ramp_timer, self._end_timer):
            if timer:
                timer.cancel()
        self._phase_timer = self._ramp_timer = self._end_timer = None

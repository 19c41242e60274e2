"""One input line, debounced. The level found at start is its state, never an event: a button held then does nothing.

Edges come from gpiozero's thread; everything else runs on the event loop.
"""

import asyncio
import logging
from collections.abc import Callable

from gpiozero import DigitalInputDevice

from drivers.gpio.errors import PinRefused
from drivers.gpio.factory import Board

log = logging.getLogger(__name__)

RECHECK = 1.0  # s; the kernel drops edges when its queue of 16 is full, so the level itself is looked at too


class Input:
    """A button or a dry contact. `active`: the contact is closed (against the pull). `on_change` gets each change."""

    def __init__(
        self, name: str, pin: int, board: Board, *, pull: str, debounce_s: float, on_change: Callable[[bool], None]
    ) -> None:
        """Claim the line (BCM number `pin`), pulled "up" or "down". Raises PinRefused."""
        self.name, self.pin = name, pin
        self.fault: str | None = None
        self._board, self._debounce_s, self._on_change = board, debounce_s, on_change
        self._loop = asyncio.get_running_loop()
        self._edge_told = False
        self._settling: asyncio.TimerHandle | None = None
        try:
            self._device = DigitalInputDevice(pin, pull_up=pull == "up", pin_factory=board.factory)
            self.active = bool(self._device.value)
            self._device.when_activated = self._device.when_deactivated = self._edge
        except board.errors as e:
            raise PinRefused(f"Input {name}: GPIO {pin} cannot be claimed: {e}. Is another program using it?") from e
        self._recheck_timer = self._loop.call_later(RECHECK, self._recheck)

    def close(self) -> None:
        self._device.close()
        self._recheck_timer.cancel()
        if self._settling:
            self._settling.cancel()

    def _edge(self) -> None:
        # In gpiozero's thread. One call at a time waits in the loop, however fast the line chatters.
        if not self._edge_told:
            self._edge_told = True
            self._loop.call_soon_threadsafe(self._moved)

    def _moved(self) -> None:
        self._edge_told = False
        if self._settling:
            self._settling.cancel()
        self._settling = self._loop.call_later(self._debounce_s, self._settled)

    def _settled(self) -> None:
        self._settling = None
        level = self._read()
        if level != self.active:
            self.active = level
            self._on_change(level)

    def _recheck(self) -> None:
        self._recheck_timer = self._loop.call_later(RECHECK, self._recheck)
        if not self._settling and self._read() != self.active:
            self._moved()

    def _read(self) -> bool:
        """The level now; the last one known when it cannot be read."""
        try:
            level = bool(self._device.value)
        except self._board.errors as e:
            if self.fault is None:
                log.error("Input %s (GPIO %d) cannot be read: %s.", self.name, self.pin, e)
            self.fault = f"cannot be read: {e}"
            return self.active
        self.fault = None
        return level

"""What is done about a line whose sound stays silent in a call: pure. Its end anew, the modem's sound anew, the modem.

The last rung waits for the call's end: a caller who hears us is worth more than a modem that is well.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

LOOK = 2.0  # s that a rung has until the next; the watch needs as long to see that nothing changed
RESTS = 3600.0  # s between two resets of one modem: it is away for half a minute each time


class Rung(StrEnum):
    REOPEN = "reopen"  # the end's device
    SOUND = "sound"  # the modem's sound: AT+CPCMREG=0, =1
    MODEM = "modem"  # AT+CRESET, when the line is free


class Ladder(msgspec.Struct):
    """One line's; `call` is empty while nothing is wrong."""

    call: str = ""
    climbed: tuple[Rung, ...] = ()
    next_at: float = 0.0
    owed: bool = False  # the modem is reset when the line is free
    reset_at: float = float("-inf")

    def silent(self, call: str, now: float) -> None:
        """The call's sound from the line is silent."""
        if self.call != call:
            self.call, self.climbed, self.next_at = call, (), now

    def heard(self, call: str) -> None:
        """It is not silent any more, so nothing is owed either."""
        if self.call == call:
            self.call, self.climbed, self.owed = "", (), False

    def due(self, now: float, calls: Callable[[], bool], others_wait: bool) -> Rung | None:
        """The rung to take now. `calls`: whether any call is on the line; `others_wait`: the line is needed."""
        if self.call:
            if now < self.next_at:
                return None
            left = [rung for rung in (Rung.REOPEN, Rung.SOUND) if rung not in self.climbed]
            if left:
                self.climbed, self.next_at = (*self.climbed, left[0]), now + LOOK
                return left[0]
            self.owed = True
        if self.owed and not calls():
            self.call, self.climbed = "", ()
            if others_wait or now - self.reset_at < RESTS:
                return None
            self.owed, self.reset_at = False, now
            return Rung.MODEM
        return None

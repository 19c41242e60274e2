"""When something was, and by whom, as the journal has it."""

import msgspec


class Stamp(msgspec.Struct, frozen=True, omit_defaults=True):
    """When and by whom: seq in the journal, wall in unix seconds, mono in seconds of `boot`."""

    seq: int = 0
    wall: float = 0.0
    mono: float = 0.0
    boot: str = ""
    actor: str = ""

    def elapsed(self, now: float, wall: float, boot: str) -> float:
        """Seconds since: by the monotonic clock within one boot, else by the wall clocks, never negative."""
        return max(0.0, now - self.mono if boot == self.boot else wall - self.wall)

    def age(self, now: float, wall: float, boot: str) -> float:
        """As `elapsed`; but of an earlier boot at least as long as this one lasts, which the monotonic clock counts.

        Else what was stamped by a clock that was ahead grows no older for hours: no shelf ends, nobody is told.
        """
        found = self.elapsed(now, wall, boot)
        return found if boot == self.boot else max(found, now)

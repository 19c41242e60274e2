"""When something was, and by whom, as the journal has it."""

import msgspec


class Stamp(msgspec.Struct, frozen=True):
    """When and by whom: seq in the journal, wall in unix seconds, mono in seconds of `boot`."""

    seq: int = 0
    wall: float = 0.0
    mono: float = 0.0
    boot: str = ""
    actor: str = ""

    def elapsed(self, now: float, wall: float, boot: str) -> float:
        """Seconds since: by the monotonic clock within one boot, else by the wall clocks, never negative."""
        return max(0.0, now - self.mono if boot == self.boot else wall - self.wall)

"""What became of each unit's questions: counted for the technician, and to know who is alive on a bus."""

from collections.abc import Callable

import msgspec

from drivers.modbus.errors import BadAnswer, DeviceRefused, LinkLost, NoAnswer

ALIVE_S = 60.0  # a unit that answered within this is one whose rate counts


class Tally(msgspec.Struct):
    """One unit's. `slowest_s` is the longest a right answer took lately, from its question on: it fades by a tenth with
    each quicker one."""

    right: int = 0
    refused: int = 0
    silent: int = 0
    wrong: int = 0
    lost: int = 0
    busy_s: float = 0.0  # of the line, silences included
    slowest_s: float = 0.0
    answered_at: float = float("-inf")

    @property
    def asked(self) -> int:
        return self.right + self.refused + self.silent + self.wrong + self.lost


class Counted:
    """One transaction while it lasts."""

    def __init__(self, tally: Tally, now: Callable[[], float]) -> None:
        self._tally, self._now, self._began = tally, now, now()

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: object) -> None:
        tally, now = self._tally, self._now()
        tally.busy_s += now - self._began
        if kind is None:
            tally.right += 1
            tally.answered_at = now
        elif issubclass(kind, DeviceRefused):
            tally.refused += 1
            tally.answered_at = now
        elif issubclass(kind, NoAnswer):
            tally.silent += 1
        elif issubclass(kind, BadAnswer):
            tally.wrong += 1
        elif issubclass(kind, LinkLost):
            tally.lost += 1


class Tallies:
    """All units of one bus, by number."""

    def __init__(self) -> None:
        self.units: dict[int, Tally] = {}

    def question(self, unit: int, now: Callable[[], float]) -> "Counted":
        """Count the transaction in the body by how it ends; one that was cancelled counts as time only."""
        if unit not in self.units:
            self.units[unit] = Tally()
        return Counted(self.units[unit], now)

    def took(self, unit: int, seconds: float) -> None:
        """A right answer came so long after its question; the silence before that is not the unit's."""
        tally = self.units[unit]
        tally.slowest_s = max(seconds, 0.9 * tally.slowest_s)

    def others_alive(self, unit: int, now: float) -> bool:
        """Whether anybody else on the bus answered lately."""
        return any(now - tally.answered_at < ALIVE_S for number, tally in self.units.items() if number != unit)

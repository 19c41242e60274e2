"""What became of each unit's questions: counted for the technician, and to know who is alive on a bus."""

import contextlib
from collections.abc import Callable, Iterator

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


class Tallies:
    """All units of one bus, by number."""

    def __init__(self) -> None:
        self.units: dict[int, Tally] = {}

    @contextlib.contextmanager
    def question(self, unit: int, now: Callable[[], float]) -> Iterator[None]:
        """Count the transaction in the body by how it ends; one that was cancelled counts as time only."""
        tally = self.units.setdefault(unit, Tally())
        began = now()
        try:
            yield
        except NoAnswer:
            tally.silent += 1
            raise
        except BadAnswer:
            tally.wrong += 1
            raise
        except LinkLost:
            tally.lost += 1
            raise
        except DeviceRefused:
            tally.refused += 1
            tally.answered_at = now()
            raise
        else:
            tally.right += 1
            tally.answered_at = now()
        finally:
            tally.busy_s += now() - began

    def took(self, unit: int, seconds: float) -> None:
        """A right answer came so long after its question; the silence before that is not the unit's."""
        tally = self.units.setdefault(unit, Tally())
        tally.slowest_s = max(seconds, 0.9 * tally.slowest_s)

    def others_alive(self, unit: int, now: float) -> bool:
        """Whether anybody else on the bus answered lately."""
        return any(now - tally.answered_at < ALIVE_S for number, tally in self.units.items() if number != unit)

"""A device's raw registers in a file: what it held, and for a golden dump what its profile must make of them.

`registers` are of the profile's own table; other tables are named. What a case does not name reads as `fill`, a coil
or discrete input as 0.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from drivers.modbus.blocks import RTU_FRAME
from drivers.modbus.profile import Profile
from drivers.modbus.registers import BIT_TABLES, Table
from drivers.quality import Quality
from drivers.reading import Value

Words = Mapping[int, int]


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One moment of a device. `points` and `without` (why it has no value) are only in golden dumps."""

    title: str
    registers: dict[int, int] = {}
    holding: dict[int, int] = {}
    input: dict[int, int] = {}
    coil: dict[int, int] = {}
    discrete: dict[int, int] = {}
    points: dict[str, int | float | str | bool] = {}
    without: dict[str, Quality] = {}

    def table(self, table: Table, own: Table) -> Words:
        """The words of `table`; `own` is the one that `registers` means."""
        named: dict[int, int] = getattr(self, table)
        return {**self.registers, **named} if table == own else named


class Dump(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. `profile` names the profile by which it was read."""

    case: tuple[Case, ...]
    fill: int = 0
    profile: str = ""


def load_dump(path: Path) -> Dump:
    """Read a dump. Raises ValueError that names the place, or OSError."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Dump)
    except msgspec.DecodeError as e:
        raise ValueError(f"{path}: {e}.") from e


def decoded(profile: Profile, dump: Dump, case: Case, frame: int = RTU_FRAME) -> dict[str, tuple[Value, Quality]]:
    """What the profile makes of a case, read in its own blocks."""
    values = {}
    for block in profile.blocks(frame):
        words = case.table(block.table, profile.read.table)
        fill = 0 if block.table in BIT_TABLES else dump.fill
        got = [words.get(at, fill) for at in range(block.address, block.end)]
        for name, point in profile.points_in(block).items():
            values[name] = profile.decode(point, block, got)
    return values

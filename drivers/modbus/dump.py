"""A device's raw registers in a file: what it held, and for a golden dump what its profile must make of them.

`registers` are of the profile's own table; other tables are named. What a case does not name reads as `fill`, a coil
or discrete input as 0.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from drivers.modbus.blocks import RTU_FRAME
from drivers.modbus.profile import Profile
from drivers.modbus.registers import BIT_TABLES, Table
from drivers.quality import Quality
from drivers.reading import Value

Words = Mapping[int, int]
Read = tuple[Value, Quality]


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


def written(title: str, profile: str, own: Table, words: Mapping[Table, Words], values: Mapping[str, Read]) -> str:
    """A dump of one case as TOML, in the form of the golden dumps. `own` is the profile's table."""
    lines = ["fill = 0", f"profile = {_text(profile)}", "", "[[case]]", f"title = {_text(title)}"]
    for table, held in sorted(words.items(), key=lambda entry: entry[0] != own):
        bits = table in BIT_TABLES
        lines += ["", f"[case.{'registers' if table == own else table}]"]
        lines += [f"{at} = {word if bits else f'0x{word:04X}'}" for at, word in sorted(held.items())]
    good = {name: value for name, (value, quality) in values.items() if quality is Quality.GOOD}
    without = {name: quality for name, (_, quality) in values.items() if quality is not Quality.GOOD}
    lines += ["", "[case.points]", *(f"{name} = {_value(value)}" for name, value in good.items())] if good else []
    lines += ["", "[case.without]", *(f"{name} = {_text(why)}" for name, why in without.items())] if without else []
    return "\n".join(lines) + "\n"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(text: str) -> str:
    """A basic string of TOML, which is written as one of JSON."""
    return json.dumps(text, ensure_ascii=False)

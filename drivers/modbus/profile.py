"""A device as data: which registers mean what, and which few commands it takes. Loaded strictly, linted in full.

A profile with one fault is refused, and the error lists all of its faults with their places.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from drivers.modbus.blocks import MAX_REGISTERS, RTU_FRAME, Block, Rules, plan, second_asks, size
from drivers.modbus.errors import ProfileError
from drivers.modbus.lint import faults
from drivers.modbus.registers import Point, Table, WordOrder, decode
from drivers.modbus.sentinels import Sentinels
from drivers.quality import Quality
from drivers.reading import Value

Register = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Count = Annotated[int, msgspec.Meta(ge=1, le=MAX_REGISTERS)]
Is = bool | int | float | str


class Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the device likes to be read. Barriers and exact blocks are of `table`."""

    table: Literal["holding", "input"] = "holding"
    max_registers: Annotated[int, msgspec.Meta(ge=2, le=MAX_REGISTERS)] = MAX_REGISTERS
    bridge: Annotated[int, msgspec.Meta(ge=0, le=MAX_REGISTERS)] | None = None  # longest hole; None: what pays off
    barriers: tuple[Register, ...] = ()  # registers that make the device reject a whole read
    exact: tuple[tuple[Register, Count], ...] = ()  # (address, count) that the device wants read exactly so
    gap_s: Annotated[float, msgspec.Meta(ge=0, le=1)] = (
        0.0  # silence before a question, when 3.5 characters are too few
    )


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The device's own word on an order: two registers read right after it, which must be `value`."""

    at: Register
    value: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]


class Write(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One write. `raw` writes the value as one register (or coil), `gencomm_key` a key and its complement in one
    FC16, `argument` the value as two registers and `command` after them in one FC16."""

    at: Register
    value: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
    function: Literal["registers", "register", "coil"] = "registers"  # FC16, FC6, FC5
    encode: Literal["raw", "gencomm_key", "argument"] = "raw"
    command: Register | None = None
    never_twice: bool = False  # what may toggle; nothing is ever sent twice, here it would also do harm
    answer: Answer | None = None

    @property
    def registers(self) -> list[int]:
        if self.encode == "argument":
            return [self.value >> 16, self.value & 0xFFFF, self.command or 0]
        return [self.value] if self.encode == "raw" else [self.value, 65535 - self.value]


class Observe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must be measured after the write, and by when; any one of several values will do."""

    point: str
    is_: bool | str | int | tuple[str, ...] = msgspec.field(name="is")
    within_s: Annotated[float, msgspec.Meta(gt=0, le=600)]

    @property
    def values(self) -> tuple[Value, ...]:
        return self.is_ if isinstance(self.is_, tuple) else (self.is_,)


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order and its proof. `needs` is `max_age_s` and the points that must have a value before it is sent."""

    write: Write
    observe: Observe
    needs: dict[str, Is]

    @property
    def max_age_s(self) -> float:
        return float(self.needs["max_age_s"])

    @property
    def needed(self) -> dict[str, Value]:
        return {name: value for name, value in self.needs.items() if name != "max_age_s"}


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One device model. `notes` say what nobody has verified on hardware yet.

    `identify` names points and the value (or values) by which a scan knows the model.
    """

    name: str
    kind: Literal["genset", "ups", "meter"]
    source: str
    point: dict[str, Point]
    notes: str = ""
    sentinels: Sentinels = "none"
    word_order: WordOrder = "high_first"  # of values wider than a register
    read: Read = Read()
    lost_by: str = ""  # point that is True while the card that answers has lost its device: then nothing is known
    identify: dict[str, Is | tuple[Is, ...]] = {}
    command: dict[str, Command] = {}

    def table_of(self, point: Point) -> Table:
        """The table in which the point is."""
        return point.table or self.read.table

    def blocks(self, frame: int = RTU_FRAME) -> tuple[Block, ...]:
        """All questions that cover the points, by table and rate. `frame`: what one costs, in registers."""
        kinds: dict[tuple[Table, float], list[tuple[int, int]]] = {}
        for point in self.point.values():
            kinds.setdefault((self.table_of(point), point.every_s), []).append((point.at, point.width))
        blocks: list[Block] = []
        for (table, every_s), spans in kinds.items():
            taken = {size(block) for block in blocks if block.table == table}
            blocks += plan(spans, self._rules(frame, table), table=table, every_s=every_s, taken=taken)
        return tuple(blocks)

    def second_asks(self, blocks: Sequence[Block]) -> dict[Block, Block]:
        """How each block may be asked for at once again, so that a late answer to the first is not taken for it."""
        found: dict[Block, Block] = {}
        for table in {block.table for block in blocks}:
            found |= second_asks(blocks, self._rules(RTU_FRAME, table), table)
        return found

    def points_in(self, block: Block) -> dict[str, Point]:
        """The points that this block brings."""
        return {
            name: point
            for name, point in self.point.items()
            if (self.table_of(point), point.every_s) == (block.table, block.every_s)
            and block.address <= point.at
            and point.at + point.width <= block.end
        }

    def decode(self, point: Point, block: Block, words: Sequence[int]) -> tuple[Value, Quality]:
        """The point's value and quality out of what its block brought."""
        at = point.at - block.address
        return decode(point, words[at : at + point.width], self.sentinels, self.word_order)

    def _rules(self, frame: int, table: Table) -> Rules:
        read = self.read
        if table != read.table:
            return Rules(frame, read.bridge, read.max_registers)
        return Rules(frame, read.bridge, read.max_registers, read.barriers, read.exact)


def load(path: Path) -> Profile:
    """Read and lint a profile. Raises ProfileError with every fault, or OSError."""
    try:
        profile = msgspec.toml.decode(path.read_bytes(), type=Profile)
    except msgspec.DecodeError as e:
        raise ProfileError(f"{path}: {e}.") from e
    if found := faults(profile):
        raise ProfileError("\n".join(f"{path}: {fault}" for fault in found))
    return profile

"""A device as data: which registers mean what, and which few commands it takes. Loaded strictly, linted in full.

A profile with one fault is refused, and the error lists all of its faults with their places.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from drivers.modbus.blocks import MAX_REGISTERS, Block, plan
from drivers.modbus.errors import ProfileError
from drivers.modbus.registers import DECODERS, Point, limits
from drivers.reading import Value

Positive = Annotated[float, msgspec.Meta(gt=0)]
Register = Annotated[int, msgspec.Meta(ge=0, le=65535)]

GENCOMM_SYSTEM_CONTROL = 4104  # page 16, offset 8: key and its complement
GENCOMM_LEAST_KEY = 35700
GENCOMM_STOP = 35700


class Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the device likes to be read."""

    table: Literal["holding", "input"] = "holding"
    max_registers: Annotated[int, msgspec.Meta(ge=2, le=MAX_REGISTERS)] = MAX_REGISTERS
    bridge: Annotated[int, msgspec.Meta(ge=0, le=MAX_REGISTERS)] = 7  # half a frame's overhead on RTU; 31 on TCP
    barriers: tuple[Register, ...] = ()  # registers that make the device reject a whole read
    gap_s: Annotated[float, msgspec.Meta(ge=0, le=1)] = (
        0.0  # silence before a question, when 3.5 characters are too few
    )


class Write(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One FC16. `raw` writes the value as one register, `gencomm_key` writes a key and its complement."""

    at: Register
    value: Register
    encode: Literal["raw", "gencomm_key"] = "raw"

    @property
    def registers(self) -> list[int]:
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
    needs: dict[str, bool | int | float | str]

    @property
    def max_age_s(self) -> float:
        return float(self.needs["max_age_s"])

    @property
    def needed(self) -> dict[str, Value]:
        return {name: value for name, value in self.needs.items() if name != "max_age_s"}


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One device model. `notes` say what nobody has verified on hardware yet."""

    name: str
    kind: Literal["genset", "ups"]
    source: str
    point: dict[str, Point]
    notes: str = ""
    sentinels: Literal["none", "gencomm", "all_ones"] = "none"
    read: Read = Read()
    command: dict[str, Command] = {}

    def blocks(self) -> tuple[Block, ...]:
        """What one poll reads."""
        return plan(
            ((point.at, point.width) for point in self.point.values()),
            bridge=self.read.bridge,
            max_registers=self.read.max_registers,
            barriers=self.read.barriers,
        )


def load(path: Path) -> Profile:
    """Read and lint a profile. Raises ProfileError with every fault, or OSError."""
    try:
        profile = msgspec.toml.decode(path.read_bytes(), type=Profile)
    except msgspec.DecodeError as e:
        raise ProfileError(f"{path}: {e}.") from e
    if found := faults(profile):
        raise ProfileError("\n".join(f"{path}: {fault}" for fault in found))
    return profile


def faults(profile: Profile) -> list[str]:
    """Everything that types alone do not catch, one sentence each."""
    found = [f"point.{name}: {fault}" for name, point in profile.point.items() for fault in _point_faults(point)]
    found += _overlaps(profile)
    for name, command in profile.command.items():
        found += [f"command.{name}: {fault}" for fault in _command_faults(profile, command)]
    if not found:
        try:
            profile.blocks()
        except ValueError as e:
            found.append(f"read: {e}.")
    return found


def _point_faults(point: Point) -> Iterator[str]:
    selectors = [name for name in ("bit", "nibble", "decode", "states") if getattr(point, name) is not None]
    if point.at + point.width > 65536:
        yield f"at = {point.at}: a {point.type} does not fit before the last register."
    if point.bit is not None and point.bit >= 16 * point.width:
        yield f"bit = {point.bit}: a {point.type} has bits 0 to {16 * point.width - 1}."
    if point.bit is not None and len(selectors) > 1:
        yield f"bit: is True or False already; remove {', '.join(selectors[1:])}."
    if point.nibble is not None and point.type != "u16":
        yield f"nibble: is a part of one u16, not of {point.type}."
    if point.decode is not None and point.decode not in DECODERS:
        yield f'decode = "{point.decode}": no such decoder; there are {", ".join(sorted(DECODERS))}.'
    if point.states is not None and not point.states:
        yield "states: is empty."
    if selectors and (point.scale != 1 or point.range is not None):
        yield f"scale and range: are for numbers; remove them or {', '.join(selectors)}."
    yield from _number_faults(point)


def _number_faults(point: Point) -> Iterator[str]:
    try:
        ratio = point.ratio
    except (ValueError, ZeroDivisionError):
        yield f'scale = "{point.scale}": write a number or a fraction such as "1/64".'
        return
    if ratio <= 0:
        yield f"scale = {point.scale}: must be above 0."
    elif point.range is not None:
        least, most = point.range
        lowest, highest = (raw * ratio for raw in limits(point.type))
        if not least < most:
            yield f"range = [{least:g}, {most:g}]: the first must be below the second."
        if least < lowest or most > highest:
            yield f"range = [{least:g}, {most:g}]: a {point.type} reaches {float(lowest):g} to {float(highest):g}."


def _overlaps(profile: Profile) -> Iterator[str]:
    seen: dict[tuple[object, ...], str] = {}
    owners: dict[int, str] = {}
    for name, point in profile.point.items():
        source = (point.at, point.type, point.bit, point.nibble, point.decode)
        if source in seen:
            yield f"point.{name}: is the same as point.{seen[source]}."
        seen.setdefault(source, name)
        for register in range(point.at, point.at + point.width):
            owner = owners.setdefault(register, name)
            if (other := profile.point[owner]).at != point.at or other.type != point.type:
                yield f"point.{name}: register {register} is in point.{owner} too, as another number."
            if register in profile.read.barriers:
                yield f"point.{name}: register {register} is a barrier."


def _command_faults(profile: Profile, command: Command) -> Iterator[str]:
    max_age = command.needs.get("max_age_s")
    if isinstance(max_age, bool | str | None) or not 0 < max_age <= 60:
        yield "needs: give max_age_s, 0 to 60: how old the values may be on which the order rests."
    for name, value in [*command.needed.items(), *((command.observe.point, value) for value in command.observe.values)]:
        if name not in profile.point:
            yield f"there is no point.{name}."
        elif not _can_be(profile.point[name], value):
            yield f"point.{name} can never be {value!r}."
    if not command.observe.values:
        yield "observe: is = [] can never come true."
    write = command.write
    if write.encode == "gencomm_key":
        if write.at != GENCOMM_SYSTEM_CONTROL or write.value < GENCOMM_LEAST_KEY:
            yield f"write: keys are {GENCOMM_LEAST_KEY} and above, at {GENCOMM_SYSTEM_CONTROL}."
        if write.value == GENCOMM_STOP:
            yield "write: 35700 stops the set and leaves it out of auto, deaf to the next outage; cancel with 35733."


def _can_be(point: Point, value: Value) -> bool:
    if point.states is not None:
        return value in point.states.values()
    if point.bit is not None or point.decode is not None:
        return isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool)

"""Faults of a profile that types alone do not catch, each in a sentence with its place."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from drivers.modbus.lint_vocabulary import is_flag, vocabulary_faults
from drivers.modbus.registers import BIT_TABLES, DECODERS, Point, Table
from drivers.modbus.sentinels import limits
from drivers.reading import Value

if TYPE_CHECKING:
    from drivers.modbus.profile import Command, Profile, Write

GENCOMM_SYSTEM_CONTROL = 4104  # page 16, offset 8: key and its complement
GENCOMM_LEAST_KEY = 35700
GENCOMM_STOP = 35700
F32_MOST = 3.4028235e38
ONE_REGISTER = 0xFFFF


def faults(profile: "Profile") -> list[str]:
    """Every fault of the profile; empty when it may be used."""
    found = [f"point.{name}: {fault}" for name, point in profile.point.items() for fault in _point_faults(point)]
    found += vocabulary_faults(profile)
    found += _overlaps(profile)
    found += _identity_faults(profile)
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
    selectors += [name for name in ("true", "false") if getattr(point, name)]
    if point.table in BIT_TABLES:
        if selectors or point.type != "u16" or point.scale != 1 or point.range is not None or point.absent:
            yield f"table = {point.table}: is True or False; leave only at, invert and every_s."
        if point.one_of and point.invert:
            yield "invert: is for one coil or discrete input, not for one_of."
        if point.otherwise is not None and not point.one_of:
            yield "otherwise: is for one_of."
        return
    if point.one_of or point.otherwise is not None:
        yield "one_of and otherwise: are for coils and discrete inputs; use states."
    if point.at + point.width > 65536:
        yield f"at = {point.at}: a {point.type} does not fit before the last register."
    if point.bit is not None and point.bit >= 16 * point.width:
        yield f"bit = {point.bit}: a {point.type} has bits 0 to {16 * point.width - 1}."
    if point.bit is not None and len(selectors) > 1:
        yield f"bit: is True or False already; remove {', '.join(selectors[1:])}."
    if bool(point.true) != bool(point.false) or set(point.true) & set(point.false):
        yield "true and false: go together, and a code is in one of them."
    if point.true and len(selectors) > 2:
        yield f"true and false: is a flag already; remove {selectors[0]}."
    if point.bit is None and point.invert:
        yield "invert: is for a bit, a coil or a discrete input."
    if point.type == "f32" and (selectors or point.absent):
        yield f"type = f32: is a number; remove {', '.join(selectors) or 'absent'}."
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
        ends = (-F32_MOST, F32_MOST) if point.type == "f32" else limits(point.type)
        lowest, highest = (float(raw * ratio) for raw in ends)
        if not least < most:
            yield f"range = [{least:g}, {most:g}]: the first must be below the second."
        if least < lowest or most > highest:
            yield f"range = [{least:g}, {most:g}]: a {point.type} reaches {lowest:g} to {highest:g}."


def _overlaps(profile: "Profile") -> Iterator[str]:
    seen: dict[tuple[object, ...], str] = {}
    owners: dict[tuple[Table, int], str] = {}
    for name, point in profile.point.items():
        table = profile.table_of(point)
        source = (table, point.at, point.type, point.bit, point.nibble, point.decode, point.true)
        if source in seen:
            yield f"point.{name}: is the same as point.{seen[source]}."
        seen.setdefault(source, name)
        for register in range(point.at, point.at + point.width):
            owner = owners.setdefault((table, register), name)
            if (other := profile.point[owner]).at != point.at or other.type != point.type:
                yield f"point.{name}: register {register} is in point.{owner} too, as another number."
            if table == profile.read.table and register in profile.read.barriers:
                yield f"point.{name}: register {register} is a barrier."


def _identity_faults(profile: "Profile") -> Iterator[str]:
    if profile.lost_by and (profile.lost_by not in profile.point or not is_flag(profile.point[profile.lost_by])):
        yield f"lost_by: there is no point.{profile.lost_by} that is True or False."
    for name, values in profile.identify.items():
        if name not in profile.point:
            yield f"identify: there is no point.{name}."
            continue
        for value in values if isinstance(values, tuple) else (values,):
            if not _can_be(profile.point[name], value):
                yield f"identify: point.{name} can never be {value!r}."


def _command_faults(profile: "Profile", command: "Command") -> Iterator[str]:
    max_age = command.needs.get("max_age_s")
    if isinstance(max_age, bool | str | None) or not 0 < max_age <= 60:
        yield "needs: give max_age_s, 0 to 60: how old the values may be on which the order rests."
    for name, value in [*command.needed.items(), *((command.observe.point, value) for value in command.observe.values)]:
        if name not in profile.point:
            yield f"there is no point.{name}."
        elif not _can_be(profile.point[name], value):
            yield f"point.{name} can never be {value!r}."
        elif isinstance(max_age, int | float) and profile.point[name].every_s > max_age:
            yield f"point.{name} is read every {profile.point[name].every_s:g} s, and must not be older than {max_age}."
    if not command.observe.values:
        yield "observe: is = [] can never come true."
    yield from _write_faults(command.write)


def _write_faults(write: "Write") -> Iterator[str]:
    if write.function != "registers" and write.encode != "raw":
        yield f"write: encode = {write.encode} takes several registers in one FC16; remove function."
    if write.function == "coil" and write.value > 1:
        yield "write: a coil is 0 or 1."
    if write.encode != "argument" and write.value > ONE_REGISTER:
        yield f"write: value = {write.value}: one register holds 0 to {ONE_REGISTER}."
    if (write.encode == "argument") != (write.command is not None):
        yield "write: encode = argument and command go together."
    if write.encode == "gencomm_key":
        if write.at != GENCOMM_SYSTEM_CONTROL or write.value < GENCOMM_LEAST_KEY:
            yield f"write: keys are {GENCOMM_LEAST_KEY} and above, at {GENCOMM_SYSTEM_CONTROL}."
        if write.value == GENCOMM_STOP:
            yield "write: 35700 stops the set and leaves it out of auto, deaf to the next outage; cancel with 35733."


def _can_be(point: Point, value: Value) -> bool:
    if point.states is not None:
        return value in point.states.values()
    if point.one_of:
        return value in (*point.one_of, point.otherwise) and value is not None
    if is_flag(point):
        return isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool)

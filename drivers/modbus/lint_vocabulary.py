"""Whether a profile says what the box understands: canonical names, units, states, and ranges that can be."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from drivers.modbus.registers import BIT_TABLES, DECODES_TO_BOOL, Point
from drivers.modbus.vocabulary import COMMANDS, POINTS, STAY_IN_AUTO, Flag, Name, Number

if TYPE_CHECKING:
    from drivers.modbus.profile import Profile


def vocabulary_faults(profile: "Profile") -> Iterator[str]:
    """Names, units and ranges that are not those of the vocabulary, one sentence each."""
    known = POINTS[profile.kind]
    for name, point in profile.point.items():
        meaning = known.get(name)
        if meaning is None:
            yield f"point.{name}: no {profile.kind} has such a point; there are {', '.join(sorted(known))}."
        elif isinstance(meaning, Number):
            yield from (f"point.{name}: {fault}" for fault in _number_faults(point, meaning, profile.sentinels))
        elif isinstance(meaning, Name):
            yield from (f"point.{name}: {fault}" for fault in _name_faults(point, meaning))
        elif isinstance(meaning, Flag) and not is_flag(point):
            yield f"point.{name}: is True or False; give a bit, codes, a decoder of flags, a coil or a discrete input."
    for name in profile.command:
        if name not in COMMANDS[profile.kind]:
            known_commands = ", ".join(sorted(COMMANDS[profile.kind])) or "none"
            yield f"command.{name}: no {profile.kind} has such a command; there are {known_commands}."
        elif name in STAY_IN_AUTO and "mode" in profile.point and profile.command[name].needs.get("mode") != "auto":
            yield f'command.{name}: needs: give mode = "auto"; one that works in another mode is no {name}.'


def is_flag(point: Point) -> bool:
    """Whether the point's value is True or False."""
    if point.table in BIT_TABLES:
        return not point.one_of
    return point.bit is not None or bool(point.true) or point.decode in DECODES_TO_BOOL


def _number_faults(point: Point, meaning: Number, sentinels: str) -> Iterator[str]:
    if is_flag(point) or point.states is not None or point.one_of:
        yield "is a number; remove bit, decode, states and one_of."
        return
    if point.unit != meaning.unit:
        yield f'unit = "{point.unit}": is in "{meaning.unit}" everywhere; let scale convert.'
    if point.range is None:
        if sentinels == "none" and point.type != "f32":
            yield "range: give one; without sentinels every FFFF would be a measurement."
    elif point.range[0] < meaning.least or point.range[1] > meaning.most:
        yield f"range = [{point.range[0]:g}, {point.range[1]:g}]: {meaning.least:g} to {meaning.most:g} is possible."


def _name_faults(point: Point, meaning: Name) -> Iterator[str]:
    names = set(point.one_of) | {point.otherwise} - {None} if point.one_of else set((point.states or {}).values())
    if not names:
        yield f"is a word; give states or one_of, of {', '.join(sorted(meaning.words))}."
    elif unknown := names - meaning.words:
        listed = ", ".join(sorted(map(str, unknown)))
        yield f"states: no {listed}; there are {', '.join(sorted(meaning.words))}."

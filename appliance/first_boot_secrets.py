"""Secrets in the files of the FAT partition: found, filled in from the box where they are blank, and blanked.

A blank one (`password = ""`) means: as the box has it.
"""

import copy
import tomllib
from collections.abc import Callable, Iterable
from typing import Any

from appliance.first_boot_words import Fault, fault
from appliance.toml_lines import HEADER, Spot, Where, look_up, paths, put, replaced, spots

BLANK = '""'
GONE = "  # sudah di dalam kotak; isi hanya untuk mengganti / now in the box; fill in only to change it"
OF_SITE = (("line", "*", "pin"),)
MOVED = "# pin: secrets.toml"
MASK = "••••"

Patterns = Iterable[tuple[str, ...]]


def blanked(text: str, data: dict[str, Any], secrets: Patterns, file: str) -> tuple[str, list[Fault]]:
    """The text without its secrets, or a fault for each that cannot be taken out."""
    where = spots(text)
    wanted = copy.deepcopy(data)
    faults, new = [], {}
    for path in _each(data, secrets):
        if not look_up(data, path):
            continue
        put(wanted, path, "")
        spot = where.get(path)
        if spot is None or not _is(text, spot, look_up(data, path)):
            faults.append(_not_own(path, file, where))
            continue
        told = GONE if GONE.strip() not in text[spot.end :].split("\n", 1)[0] else ""
        new[spot] = BLANK + told
    result = replaced(text, new)
    if not faults and tomllib.loads(result) != wanted:
        faults = [_not_own(path, file, where) for path in _each(data, secrets)]
    return result, faults


def filled(
    text: str, data: dict[str, Any], secrets: Patterns, known: Callable[[Where], str]
) -> tuple[str, list[Where]]:
    """The text with blank secrets as the box knows them, and where it knows none."""
    where, new, missing = spots(text), {}, []
    for path in _each(data, secrets):
        if look_up(data, path) == "":
            spot, value = where.get(path), known(path)
            if spot is None or not value:
                missing.append(path)
            else:
                new[spot] = f'"{value}"'
                put(data, path, value)
    return replaced(text, new), missing


def without_pins(text: str, data: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The site file as the box keeps it, and the PINs by line. Each must stand on a line of its own."""
    where, new, pins = spots(text), {}, {}
    for path in _each(data, OF_SITE):
        pins[str(look_up(data, (*path[:-1], "id")))] = str(look_up(data, path))
        spot = where[path]
        begin = text.rfind("\n", 0, spot.start) + 1
        end = text.find("\n", spot.end)
        new[Spot(spot.line, begin, len(text) if end < 0 else end)] = MOVED
    return replaced(text, new), pins


def masked(text: str, line: int, data: dict[str, Any] | None, secrets: Patterns, *, strange: bool = False) -> str:
    """One line of a file as it may be shown. `strange`: nobody knows what stands there, so no value is shown.

    Nor is any where the file cannot be decoded.
    """
    lines = text.splitlines()
    if not 0 < line <= len(lines):
        return ""
    shown = lines[line - 1]
    key, equals, _ = shown.partition("=")
    if HEADER.match(shown):
        return shown
    if data is None or strange:
        return f"{key}= {MASK}" if equals else MASK
    for path in (path for path, spot in spots(text).items() if spot.line == line):
        if any(path[0] == pattern[0] and path[-1] == pattern[-1] for pattern in secrets):
            return f"{key}= {MASK}"
    for path in _each(data, secrets):  # a secret that stands where nobody looks for it
        if value := look_up(data, path):
            shown = shown.replace(str(value), MASK)
    return shown[:200]


def _each(data: dict[str, Any], secrets: Patterns) -> list[Where]:
    return [path for pattern in secrets for path in paths(data, pattern)]


def _is(text: str, spot: Spot, value: Any) -> bool:
    return bool(tomllib.loads(f"a = {text[spot.start : spot.end]}")["a"] == value)


def _not_own(path: Where, file: str, where: dict[Where, Spot]) -> Fault:
    spot = where.get(path) or where.get(path[:-1])
    told = ".".join(map(str, path))
    return fault("own_line", told, file=file, line=spot.line if spot else 0, name=path[-1])

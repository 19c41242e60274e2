"""Where each value of a TOML text stands: for faults that name a line, and for secrets that are blanked in place.

It knows `key = value` on one line beneath `[table]` and `[[table]]`. Whoever changes a text by it compares afterwards
what the text then says, for TOML can be written in other ways too.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

Where = tuple[str | int, ...]

HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]\]?\s*(#.*)?$")
PAIR = re.compile(r"""\s*([A-Za-z0-9_.-]+)\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^#\n]*?)\s*(#.*)?$""")


class Spot(msgspec.Struct, frozen=True):
    line: int  # from 1
    start: int  # of the value, characters from the text's beginning
    end: int


def spots(text: str) -> dict[Where, Spot]:
    """By path: ("network", "address"), ("line", 0, "pin"). Tables have one too, at their header."""
    found: dict[Where, Spot] = {}
    table: Where = ()
    counts: dict[Where, int] = {}
    at = 0
    for number, whole in enumerate(text.splitlines(keepends=True), 1):
        line = whole.rstrip("\r\n")
        if header := HEADER.match(line):
            table = _inside(tuple(header[2].split(".")), counts)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            found.setdefault(table, Spot(number, at, at + len(line)))
        elif pair := PAIR.match(line):
            found.setdefault((*table, *pair[1].split(".")), Spot(number, at + pair.start(2), at + pair.end(2)))
        at += len(whole)
    return found


def _inside(names: tuple[str, ...], counts: Mapping[Where, int]) -> Where:
    """[a.b] beneath the newest [[a]] is ("a", 0, "b")."""
    path: Where = ()
    for name in names[:-1]:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path])
    return (*path, names[-1])


def replaced(text: str, new: Mapping[Spot, str]) -> str:
    """The text with these values written anew."""
    for spot in sorted(new, key=lambda s: s.start, reverse=True):
        text = text[: spot.start] + new[spot] + text[spot.end :]
    return text


def look_up(data: Any, path: Where) -> Any:
    """What a decoded text says at a path; None where there is nothing."""
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def put(data: Any, path: Where, value: Any) -> None:
    look_up(data, path[:-1])[path[-1]] = value


def paths(data: Any, pattern: Iterable[str]) -> list[Where]:
    """All that are there of a pattern; `*` stands for each item of a list of tables."""
    known: list[Where] = [()]
    for step in pattern:
        if step == "*":
            known = [(*p, i) for p in known for i in range(_length(look_up(data, p)))]
        else:
            known = [(*p, step) for p in known]
    return [p for p in known if look_up(data, p) is not None]


def _length(data: Any) -> int:
    return len(data) if isinstance(data, list) else 0

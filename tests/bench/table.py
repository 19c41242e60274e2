"""The rows of the bench: a figure, what stands beside it, and whether it keeps its aim. Pure; it measures nothing.

`build/bench.json` is a list of these rows, `build/rivals.json` too.
"""

import math
from collections.abc import Iterable, Sequence

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. `floor` is what it is compared with, in the same unit, and `ratio` is value / floor.

    `aim` says in words what is to hold; `holds` is None where there is no aim, or where nothing was measured.
    """

    name: str
    value: float | None
    unit: str
    floor: float | None = None
    ratio: float | None = None
    aim: str | None = None
    holds: bool | None = None


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that at least `percent` of all do not exceed (nearest rank). Raises ValueError for none."""
    ranked = sorted(values)
    if not ranked:
        raise ValueError("there is no percentile of nothing: no round was measured.")
    if not 0 < percent <= 100:
        raise ValueError(f"{percent} is not a percentage above 0.")
    return ranked[math.ceil(percent / 100 * len(ranked)) - 1]


def plain(name: str, value: float, unit: str) -> Row:
    """A figure without an aim."""
    return Row(name=name, value=_short(value), unit=unit)


def at_most(name: str, value: float, unit: str, most: float) -> Row:
    """A figure that is to stay below one that was fixed before."""
    return Row(name=name, value=_short(value), unit=unit, aim=f"at most {most:g} {unit}", holds=value <= most)


def exactly(name: str, value: float, unit: str, wanted: float) -> Row:
    """A count that has to be right."""
    return Row(name=name, value=value, unit=unit, aim=f"{wanted:g} {unit}", holds=value == wanted)


def beside(name: str, value: float, unit: str, floor: float, most: float | None = None) -> Row:
    """A figure beside one that was measured in the same run; `most` is the largest ratio to be."""
    aim = None if most is None else f"at most {most:g} x"
    holds = None if most is None else value <= most * floor
    return Row(
        name=name, value=_short(value), unit=unit, floor=_short(floor), ratio=_ratio(value, floor), aim=aim, holds=holds
    )


def missing(name: str, unit: str, why: str) -> Row:
    """What was not measured stands in the table too; `aim` says why it has no figure."""
    return Row(name=name, value=None, unit=unit, aim=why)


def text(rows: Sequence[Row]) -> str:
    """The table as a person reads it, one row a line."""
    cells = [("", "value", "unit", "beside", "ratio", "aim", "holds"), *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = []
    for line in cells:
        left, right = line[0].ljust(widths[0]), [line[1].rjust(widths[1]), line[2].ljust(widths[2])]
        right += [line[3].rjust(widths[3]), line[4].rjust(widths[4]), line[5].ljust(widths[5]), line[6]]
        lines.append("  ".join([left, *right]).rstrip())
    return "\n".join(lines)


def summary(rows: Sequence[Row]) -> str:
    """How many aims hold, and which do not."""
    judged = [row for row in rows if row.holds is not None]
    fallen = [row.name for row in judged if not row.holds]
    said = f"{len(judged) - len(fallen)} of {len(judged)} aims hold."
    return f"{said} Short of its aim: {'; '.join(fallen)}." if fallen else said


def _cells(row: Row) -> tuple[str, ...]:
    holds = {True: "yes", False: "NO", None: ""}[row.holds]
    return (row.name, _figure(row.value), row.unit, _figure(row.floor), _figure(row.ratio), row.aim or "", holds)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _short(value: float) -> float:
    """Four digits are more than any of these figures repeats."""
    return float(f"{value:.4g}")


def _ratio(value: float, floor: float) -> float:
    if floor <= 0:
        raise ValueError(f"nothing can be compared with a floor of {floor}.")
    return float(f"{value / floor:.3g}")

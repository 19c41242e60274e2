"""The alarm catalogue: which facts raise and clear which alarm. Read from TOML, refused whole when a row is wrong."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from appliance.alarms.alarm_machine import Cause, Row
from appliance.config_power import PowerRules
from appliance.events import KINDS

CATALOGUE = Path(__file__).with_name("catalogue")


class CatalogueError(Exception):
    """A catalogue that must not be used; the text lists every fault with its place."""


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alarm: tuple[Row, ...]


def load_catalogue(folder: Path) -> tuple[Row, ...]:
    """Read and check every file of the folder, or one file. Raises CatalogueError that names every fault found."""
    files = [folder] if folder.is_file() else sorted(folder.glob("*.toml"))
    rows = tuple(row for file in files for row in _rows_of(file))
    found = list(_faults(rows)) if rows else ["there is no alarm in it; install Siaga again."]
    if found:
        raise CatalogueError("\n".join(f"{folder}: {fault}" for fault in found))
    return rows


def _rows_of(file: Path) -> tuple[Row, ...]:
    try:
        return msgspec.toml.decode(file.read_bytes(), type=Catalogue).alarm
    except OSError as e:
        raise CatalogueError(f"{file}: cannot be read ({e.strerror}); install Siaga again.") from e
    except (msgspec.DecodeError, UnicodeDecodeError) as e:
        raise CatalogueError(f"{file}: {e}.") from e


def _faults(rows: tuple[Row, ...]) -> Iterator[str]:
    codes = {row.code: row for row in rows}
    yield from (f"{code}: stands there twice." for code in codes if sum(row.code == code for row in rows) > 1)
    for row in rows:
        if bool(row.raised_by) == bool(row.limit):
            yield f"{row.code}: give either raised_by or limit; raised_by is empty, so it can never be raised."
        if row.held_by and row.held_by not in codes:
            yield f"{row.code}: held_by names {row.held_by!r}, and there is no such alarm."
        if bool(row.about or row.limit) == bool(row.subject):
            yield f"{row.code}: give either about or subject."
        yield from (f"{row.code}: {fault}" for fault in _under_faults(row, codes))
        yield from (f"{row.code}: {fault}" for fault in _limit_faults(row))
        for cause in (*row.raised_by, *row.cleared_by):
            yield from (f"{row.code}: {fault}" for fault in _cause_faults(row, cause))


def _under_faults(row: Row, codes: dict[str, Row]) -> Iterator[str]:
    yield from (f"under names {code!r}, and there is no such alarm." for code in row.under if code not in codes)
    if row.under and row.priority == 1:
        yield "an alarm of priority 1 must not stand under another: it would not be told."
    if row.code in row.under:
        yield "it cannot stand under itself."
    if row.latched and row.on_delay_s:
        yield "on_delay_s: what is over at once cannot last so long."


def _limit_faults(row: Row) -> Iterator[str]:
    if row.limit is None:
        return
    if row.cleared_by or row.about:
        yield "limit: it clears itself, and is about the device; take cleared_by and about away."
    figures = [figure for figure in (row.limit.below, row.limit.above) if figure is not None]
    if len(figures) != 1:
        yield "limit: give either below or above."
    for figure in figures:
        if isinstance(figure, str) and not isinstance(getattr(PowerRules(), figure, None), float | int):
            yield f"limit: there is no figure {figure!r} in the site file's [power]."


def _cause_faults(row: Row, cause: Cause) -> Iterator[str]:
    kind = KINDS.get(cause.event)
    if kind is None:
        yield f"there is no event {cause.event!r}."
        return
    for field in (*row.subject, *cause.where):
        if field not in kind.__struct_fields__:
            yield f"{cause.event} has no field {field!r}; it has {', '.join(kind.__struct_fields__)}."

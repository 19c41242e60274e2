"""The alarms' history, read from the journal's file in a thread, newest first, by filters and page by page."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from appliance.alarm_commands import ListAlarms
from appliance.alarm_events import AlarmRaised
from appliance.period import span
from appliance.view import EntryView
from drivers.jsonsocket import Refusal

MOST_LOOKED_AT = 100_000  # rows for one question: years of alarms, and half a second at the most
BUSY_S = 2.0
NEWEST = 2**62  # above every row
RAISED = str(AlarmRaised.__struct_config__.tag)
# The index on `kind` serves the range: every kind of alarms, and nothing else, lies between these.
QUERY = (
    "SELECT seq, wall, kind, subject, actor, body FROM events "
    "WHERE kind >= 'alarm.' AND kind < 'alarm/' AND seq < ? ORDER BY seq DESC"
)


def read_alarms(file: Path, ask: ListAlarms, zone: ZoneInfo) -> dict[str, Any]:
    """What `ask` wants. Blocks: for a thread. Raises Refusal."""
    within = span(ask.day, zone) if ask.day else None
    found: list[EntryView] = []
    held: dict[str, list[EntryView]] = {}  # by alarm, until the raise before them tells their priority
    try:
        for number, row in enumerate(_rows(file, ask.before or NEWEST)):
            if number == MOST_LOOKED_AT or len(found) > ask.last:
                break
            if _fits(row, ask, within):
                (held.setdefault(row.subject, []) if ask.priority else found).append(row)
            if row.kind == RAISED and (waiting := held.pop(row.subject, [])) and row.body["priority"] == ask.priority:
                found += waiting
    except sqlite3.Error as e:
        raise Refusal("journal", f"The journal cannot be read: {e}.", "The box acts on without it.") from e
    found.sort(key=lambda row: -row.seq)
    return {"rows": [msgspec.to_builtins(row) for row in found[: ask.last]], "more": len(found) > ask.last}


def _rows(file: Path, before: int) -> Iterator[EntryView]:
    db = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=BUSY_S)
    try:
        for seq, wall, kind, subject, actor, body in db.execute(QUERY, (before,)):
            yield EntryView(seq, wall, kind, subject, actor, msgspec.json.decode(body))
    finally:
        db.close()


def _fits(row: EntryView, ask: ListAlarms, within: tuple[float, float] | None) -> bool:
    body = row.body
    listed = body.get("alarms")
    keys = [str(key) for key in listed] if isinstance(listed, list) else [row.subject]
    return (
        (not ask.what or row.kind == ask.what)
        and (not ask.alarm or any(key.startswith(ask.alarm) for key in keys))
        and (not ask.about or any(key.partition("/")[2] == ask.about for key in keys))
        and (not ask.actor or row.actor == ask.actor)
        and (within is None or within[0] <= row.wall < within[1])
    )

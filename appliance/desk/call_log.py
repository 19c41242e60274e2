"""The call log: rows of calls, read from the journal's file in a thread, newest first, by filters and page by page.

It begins at the events that begin a call (found by their kind), and takes all others of a call by its subject; both
have an index. What is looked at is bounded, and an answer that hit the bound says so.
"""

import heapq
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import msgspec

from appliance.call_commands import ListCalls
from appliance.desk.call_row import Told, row_of
from appliance.desk_view import CallLog, CallRow
from appliance.fold_desk import DRILL
from appliance.period import span
from drivers.jsonsocket import Refusal
from drivers.modem.numbers import telephone

MOST_CALLS = 50_000  # that one question looks at: years of a fallback, and half a second at the most
MOST_IN_PERIOD = 20_000  # that indicators are counted over: a month of 27 calls an hour
MOST_ALERTS = 5_000
CHUNK = 200  # calls whose events are fetched at once; SQLite takes 32,766 parameters, each call is two
BUSY_S = 2.0
OPENINGS = ("call.ringing", "call.dialled")
COLUMNS = "seq, wall, mono, boot, kind, actor, body, subject"


def day_of(wall: float, zone: ZoneInfo) -> str:
    """The day of a moment in unix seconds, as 2026-11-22."""
    return datetime.fromtimestamp(wall, zone).strftime("%Y-%m-%d")


def read_log(file: Path, ask: ListCalls, zone: ZoneInfo, own: frozenset[str]) -> CallLog:
    """The calls that `ask` wants. Drills between `own` telephones are left out.

    Blocks: for a thread. Raises Refusal.
    """
    spans = [span(p, zone) for p in (ask.day,) if p]
    with _Reader(file, own) as reader:
        wanted = _wanted(reader, ask)
        rows: list[CallRow] = []
        for row in reader.rows(wanted, spans[0] if spans else None, ask.before):
            if _fits(row, ask):
                rows.append(row)
                if len(rows) > ask.last:
                    break
        return CallLog(tuple(rows[: ask.last]), len(rows) > ask.last, reader.cut)


def read_period(file: Path, period: str, zone: ZoneInfo, own: frozenset[str]) -> tuple[list[CallRow], bool]:
    """All calls that began in a day or month, newest first, and whether there were more than are counted."""
    rows: list[CallRow] = []
    within = span(period, zone)
    with _Reader(file, own) as reader:
        for row in reader.rows(lambda _opening: True, within):
            if len(rows) == MOST_IN_PERIOD:
                return rows, True
            rows.append(row)
        return rows, reader.cut


def _wanted(reader: "_Reader", ask: ListCalls) -> Callable[[Told], bool]:
    """What can be told of a call by its first event and by who is in the lists of marks and outcomes."""
    among: list[set[str]] = []
    if ask.call:
        among.append({ask.call})
    if ask.mark:
        among.append(reader.marked(ask.mark))
    if ask.outcome in ("answered", "refused"):
        kinds = {"answered": ("call.taken", "call.answered"), "refused": ("call.refused", "call.ended")}
        among.append(reader.with_kinds(kinds[ask.outcome]))
    key = telephone(ask.number) if ask.number else ""

    def wanted(opening: Told) -> bool:
        number = opening.body.get("number") or ""
        return (
            all(opening.body["call"] in names for names in among)
            and (not ask.line or opening.body["line"] == ask.line)
            and (not key or not number or telephone(number) == key)
            and (ask.outcome != "out" or opening.kind == "call.dialled")
            and (ask.outcome in ("", "out") or opening.kind == "call.ringing")
        )

    return wanted


def _fits(row: CallRow, ask: ListCalls) -> bool:
    return (
        (not ask.number or (bool(row.number) and telephone(row.number) == telephone(ask.number)))
        and (not ask.mark or row.mark == ask.mark)
        and (not ask.outcome or row.outcome == ask.outcome)
    )


class _Reader:
    """One read-only look at the file."""

    def __init__(self, file: Path, own: frozenset[str]) -> None:
        self._file, self._own = file, own
        self.cut = False

    def __enter__(self) -> "_Reader":
        try:
            self._db = sqlite3.connect(f"file:{quote(str(self._file))}?mode=ro", uri=True, timeout=BUSY_S)
        except sqlite3.Error as e:
            raise _unreadable(e) from e
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._db.close()
        if isinstance(error, sqlite3.Error | msgspec.DecodeError):
            raise _unreadable(error) from error

    def rows(
        self, wanted: Callable[[Told], bool], within: tuple[float, float] | None, before: str = ""
    ) -> Iterator[CallRow]:
        """Rows of calls that began `within` unix seconds and before the call `before`, newest first."""
        alerts = [told for told, _ in self._told("kind = 'alert.issued' ORDER BY seq DESC LIMIT ?", (MOST_ALERTS,))]
        stream = self._openings(wanted, within, before)
        while openings := list(islice(stream, CHUNK)):
            later = self._later(openings)
            for opening in openings:
                row = row_of(opening, later.get(opening.body["call"], ()), alerts)
                if row.why != DRILL and not self._of_drill(row):
                    yield row

    def _of_drill(self, row: CallRow) -> bool:
        """Of a drill that ended before it knew its call. Whom a person took was a caller, whatever number was shown."""
        return bool(row.number and not row.person) and telephone(row.number) in self._own

    def _openings(
        self, wanted: Callable[[Told], bool], within: tuple[float, float] | None, before: str
    ) -> Iterator[Told]:
        streams = [self._told("kind = ? ORDER BY seq DESC LIMIT ?", (kind, MOST_CALLS)) for kind in OPENINGS]
        begun = not before
        for count, (told, _) in enumerate(heapq.merge(*streams, key=lambda pair: -pair[0].seq), 1):
            if count > MOST_CALLS:
                self.cut = True
                return
            fits = (within is None or within[0] <= told.wall < within[1]) and wanted(told)
            if begun and fits:
                yield told
            begun = begun or told.body["call"] == before

    def _later(self, openings: Sequence[Told]) -> dict[str, list[Told]]:
        subjects = [s for o in openings for s in (o.body["call"], f"{o.body['line']}/{o.body['call']}")]
        marks = ", ".join("?" * len(subjects))
        found: dict[str, list[Told]] = {}
        for told, subject in self._told(f"subject IN ({marks}) ORDER BY seq", subjects):
            if told.kind.startswith(("call.", "callback.")) and told.kind not in OPENINGS:
                found.setdefault(subject.rpartition("/")[2], []).append(told)
        return found

    def marked(self, mark: str) -> set[str]:
        """Calls whose last mark is this."""
        last = {t.body["call"]: t.body["mark"] for t, _ in self._told("kind = ? ORDER BY seq", ("call.marked",))}
        return {call for call, said in last.items() if said == mark}

    def with_kinds(self, kinds: Sequence[str]) -> set[str]:
        """Calls that have an event of one of these."""
        names: set[str] = set()
        for kind in kinds:
            rows = self._db.execute("SELECT subject FROM events WHERE kind = ?", (kind,))
            names.update(subject.rpartition("/")[2] for (subject,) in rows)
        return names

    def _told(self, where: str, values: Sequence[Any]) -> Iterator[tuple[Told, str]]:
        for row in self._db.execute(f"SELECT {COLUMNS} FROM events WHERE {where}", values):
            seq, wall, mono, boot, kind, actor, body, subject = row
            yield Told(seq, wall, mono, boot, kind, actor, msgspec.json.decode(body)), subject


def _unreadable(error: BaseException) -> Refusal:
    return Refusal("journal", f"The call log cannot be read: {error}.", "Calls go on without it; siaga journal verify.")

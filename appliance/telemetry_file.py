"""The file of minute values: rows in the order of time, so that a writing touches the file's end and little else.

30 days of minutes, 400 of quarters of an hour. Used by the writer's thread alone; others read (`telemetry_reader.py`).
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from appliance.telemetry_collector import BLOCK, Blocks, Kept, Point, slots_of
from appliance.telemetry_slots import EMPTY, NONE, Slot, condensed, merged, pack, unpack

SCHEMA_VERSION = 1
DAY = 1440  # minutes
QUARTER = 15  # minutes, of a slot of the long keeping
QUARTERS = DAY // QUARTER
MINUTE_DAYS, QUARTER_DAYS = 30, 400
# A clock that is wrong by years must not empty the file: so many of the oldest minutes go at most with one writing,
FORGET_MINUTES = 60
FORGET_DAYS = 2  # and so many days with one condensing, once a day.
BUSY_MS = 500  # ms to wait for a lock: readers and the writer need none of each other, a stranger may hold one
CHECKPOINT = 250  # pages, 1 MB: they go into the file together, each once however often it was written meanwhile
SCHEMA = f"""
CREATE TABLE point (id INTEGER PRIMARY KEY, name TEXT NOT NULL, unit TEXT NOT NULL, kind TEXT NOT NULL,
  UNIQUE (name, unit, kind));
CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE minute (start INTEGER, point INTEGER, slots BLOB NOT NULL, PRIMARY KEY (start, point)) WITHOUT ROWID;
CREATE TABLE quarter (day INTEGER, point INTEGER, slots BLOB NOT NULL, PRIMARY KEY (day, point)) WITHOUT ROWID;
PRAGMA user_version={SCHEMA_VERSION};
"""
MOST_WORDS = 10_000  # a device that says ever new words is one whose words nobody draws


class TelemetryUnreadable(Exception):
    """The file is there, and is not one that this release can read."""


class TelemetryReplaced(Exception):
    """Another file is there under its name, or none: what is written here would be seen by nobody."""


class TelemetryFile:
    """Opened when it is made. Raises sqlite3.Error, OSError, or TelemetryUnreadable for what is no such file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
        try:
            self._prepare(path)
            points = self._db.execute("SELECT * FROM point")
            self._points: dict[Point, int] = {Point(*row[1:]): row[0] for row in points}
            self._words = {text: id for id, text in self._db.execute("SELECT * FROM word")}
            self._condensed_on: int | None = None
            self._path, self._is = path, _identity(path)
        except sqlite3.DatabaseError as e:
            self._db.close()
            if isinstance(e, sqlite3.OperationalError):
                raise
            raise TelemetryUnreadable(f"{path} cannot be read: {e}.") from e
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, path: Path) -> None:
        db = self._db
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")  # a power cut may cost the last writings, never the file
        db.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT}")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise TelemetryUnreadable(f"{path} was written by a later release (schema {version}).")
        if version == 0:
            if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise TelemetryUnreadable(f"{path} is a database, but not of figures.")
            db.executescript(f"BEGIN; {SCHEMA} COMMIT;")

    def close(self) -> None:
        self._db.close()

    def write(self, blocks: Blocks, today: int) -> None:
        """All blocks at once; then, `today` being a day since 1970, days that are over are condensed, old ones go.

        Once a day all of it is looked through. Raises sqlite3.Error, OSError or TelemetryUnreadable; open it anew then.
        """
        if _identity(self._path) != self._is:
            raise TelemetryReplaced(f"{self._path} was removed or replaced by another file.")
        with self._at_once():
            self._write(blocks)
        with self._at_once():
            self._forget_minutes(today)
        if today == self._condensed_on:
            return
        if (found := self._db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise TelemetryUnreadable(f"a page of it is damaged: {found}.")
        for day in self._to_condense(today):
            with self._at_once():
                self._condense(day)
        with self._at_once():
            self._forget_quarters(today)
        self._condensed_on = today

    @contextlib.contextmanager
    def _at_once(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    def _write(self, blocks: Blocks) -> None:
        for start, block in sorted(blocks.items()):
            there = dict(self._db.execute("SELECT point, slots FROM minute WHERE start = ?", (start,)))
            rows = []
            for point, kept in block.items():
                self._learn(kept.values())
                id, slots = self._id(point), slots_of(kept, self._words)
                if id in there:
                    slots = merged(unpack(there[id], BLOCK), slots)
                rows.append((start, id, pack(slots)))
            self._db.executemany("INSERT OR REPLACE INTO minute VALUES (?, ?, ?)", sorted(rows))

    def _id(self, point: Point) -> int:
        if point not in self._points:
            row = self._db.execute("INSERT INTO point (name, unit, kind) VALUES (?, ?, ?)", point)
            self._points[point] = row.lastrowid or 0
        return self._points[point]

    def _learn(self, kept: Iterable[Kept]) -> None:
        for word in {one[0] for one in kept if not isinstance(one, Slot)} - self._words.keys():
            if word and len(self._words) < MOST_WORDS:
                row = self._db.execute("INSERT INTO word (text) VALUES (?)", (word,))
                self._words[word] = row.lastrowid or 0

    def _to_condense(self, today: int) -> list[int]:
        """Days with minutes that have no quarters; and yesterday anyhow: a wrong clock may have ended it too early."""
        days = []
        for day in range(today - MINUTE_DAYS, today):
            span = (day * DAY, (day + 1) * DAY)
            minutes = self._db.execute("SELECT 1 FROM minute WHERE start >= ? AND start < ? LIMIT 1", span).fetchone()
            done = self._db.execute("SELECT 1 FROM quarter WHERE day = ? LIMIT 1", (day,)).fetchone()
            if minutes and (not done or day == today - 1):
                days.append(day)
        return days

    def _condense(self, day: int) -> None:
        """A point after the other: the interpreter is free for core's loop between them."""
        for point, id in self._points.items():
            slots = read_minutes(self._db, id, day * DAY, (day + 1) * DAY)
            if any(slot.quality != NONE for slot in slots):
                parts = (slots[at : at + QUARTER] for at in range(0, DAY, QUARTER))
                quarters = [condensed(part, words=point.kind == "word") for part in parts]
                self._db.execute("INSERT OR REPLACE INTO quarter VALUES (?, ?, ?)", (day, id, pack(quarters)))

    def _forget_minutes(self, today: int) -> None:
        oldest = self._db.execute("SELECT min(start) FROM minute").fetchone()[0]
        until = (today - MINUTE_DAYS) * DAY
        if oldest is not None and oldest < until:
            self._db.execute("DELETE FROM minute WHERE start < ?", (min(until, oldest + FORGET_MINUTES),))

    def _forget_quarters(self, today: int) -> None:
        oldest = self._db.execute("SELECT min(day) FROM quarter").fetchone()[0]
        until = today - QUARTER_DAYS
        if oldest is not None and oldest < until:
            self._db.execute("DELETE FROM quarter WHERE day < ?", (min(until, oldest + FORGET_DAYS),))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def read_minutes(db: sqlite3.Connection, point: int, begin: int, end: int) -> list[Slot]:
    """One slot a minute of [begin, end), minutes since 1970; `begin` and `end` are multiples of BLOCK."""
    slots = [EMPTY] * (end - begin)
    for start, data in _rows(db, "minute", "start", point, range(begin, end, BLOCK)):
        slots[start - begin : start - begin + BLOCK] = unpack(data, BLOCK)
    return slots


def read_quarters(db: sqlite3.Connection, point: int, begin: int, end: int) -> list[Slot]:
    """One slot a quarter of an hour of the days [begin, end), days since 1970."""
    slots = [EMPTY] * ((end - begin) * QUARTERS)
    for day, data in _rows(db, "quarter", "day", point, range(begin, end)):
        slots[(day - begin) * QUARTERS : (day - begin + 1) * QUARTERS] = unpack(data, QUARTERS)
    return slots


def _rows(db: sqlite3.Connection, table: str, key: str, point: int, keys: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Rows by their whole key: they lie in the order of time, so a walk would read those of all other points too."""
    query = f"SELECT t.{key}, t.slots FROM json_each(?) k CROSS JOIN {table} t ON t.{key} = k.value AND t.point = ?"
    yield from db.execute(query, (json.dumps(list(keys)), point))

"""The journal's file: schema and migrations by sqlite-utils, inserts in one transaction, reading without writing.

Readers of a running box open it read-only; of a stopped one with `immutable=1`, since a read-only user can't make
WAL's files.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from appliance.entry import FIRST_HASH, Entry

COLUMNS = ("seq", "wall", "mono", "boot", "quality", "kind", "subject", "actor", "cause", "body", "prev", "hash")
SCHEMA_VERSION = 1
# All of one call without reading the rest. No new schema: an earlier release reads and writes such a journal as before.
SUBJECT_INDEX = "CREATE INDEX IF NOT EXISTS idx_events_subject ON events (subject)"
BUSY_MS = 2000  # ms that a reader's lock may make the writer wait


INSERT = f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


class ForeignChain(Exception):
    """The file holds another chain than the one to be written."""


class JournalUnreadable(Exception):
    """The file is there, and is not a journal that this release can read."""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open or make the journal. Raises sqlite3.Error or OSError when the disk does not let us."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        if db.execute("PRAGMA user_version").fetchone()[0] < SCHEMA_VERSION:
            _migrate(db)
        db.execute(SUBJECT_INDEX)
    except BaseException:
        db.close()
        raise
    return db


def identity(path: Path) -> tuple[int, int] | None:
    """Which file lies there, by device and inode; None: none. Raises OSError when the disk does not say."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


class Disk(NamedTuple):
    """Which disk a folder lies on: its number, which a new one in the same place does not share, and where it hangs."""

    number: int
    mounted: Path

    @classmethod
    def of(cls, folder: Path) -> "Disk":
        """Raises OSError when the folder is not there."""
        number = os.statvfs(folder).f_fsid
        mounted = next(f for f in (folder.resolve(), *folder.resolve().parents) if os.path.ismount(f))
        return cls(number, mounted)

    def replaced_by(self, other: "Disk") -> bool:
        """A new disk hangs where this one did. Else it was taken out, or the file alone is gone."""
        return other.mounted == self.mounted and other.number != self.number


def _migrate(db: sqlite3.Connection) -> None:
    import sqlite_utils  # slow to import and needed once in a journal's life

    types = dict.fromkeys(COLUMNS, str) | {"seq": int, "wall": float, "mono": float, "cause": int}
    table = sqlite_utils.Database(db).table("events")
    table.create(types, pk="seq", not_null=set(COLUMNS) - {"cause"}, if_not_exists=True)
    table.create_index(["kind"], if_not_exists=True)
    for verb in ("UPDATE", "DELETE"):
        db.execute(
            f"CREATE TRIGGER IF NOT EXISTS events_no_{verb.lower()} BEFORE {verb} ON events "
            "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
        )
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def insert(db: sqlite3.Connection, entries: Sequence[Entry], *, gap: bool = False) -> None:
    """All entries in one transaction, but for those written before a failure that was only reported.

    Raises ForeignChain when the file's last row is none of theirs and not the one that they chain to. `gap`: rows
    between may be missing (RAM was full while the disk was gone); the chain shows it.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        seq, hashed = db.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone() or (0, FIRST_HASH)
        ours = hashed in {entries[0].prev, *(e.hash for e in entries)}
        if not ours and not (gap and seq < entries[0].seq - 1):
            raise ForeignChain(f"row {entries[0].seq} does not chain to row {seq} on disk")
        new = [e for e in entries if e.seq > seq]
        db.executemany(INSERT, [(*msgspec.structs.astuple(e)[:9], e.body.decode(), e.prev, e.hash) for e in new])
        db.execute("COMMIT")
    except (sqlite3.Error, ForeignChain):
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def read_entries(
    path: Path, *, after: int = 0, last: int | None = None, stopped: bool = False, alone: bool = False
) -> Iterator[Entry]:
    """Entries with seq > `after`, oldest first; or the `last` so many. Raises JournalUnreadable or sqlite3.Error.

    `alone` is for the writer at its start: it needs no room on the disk, and fails while anybody else reads.
    """
    mode = "mode=rw" if alone else "immutable=1&mode=ro" if stopped else "mode=ro"
    db = sqlite3.connect(f"file:{quote(str(path))}?{mode}", uri=True, timeout=BUSY_MS / 1000)
    try:
        if alone:  # the WAL's index is then kept in RAM: on a full disk its file cannot be made
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise JournalUnreadable(f"{path} was written by a later release (schema {version}); install that release.")
        if version == 0:
            if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise JournalUnreadable(f"{path} is a database, but not a journal.")
            return
        names = ", ".join(COLUMNS)
        if last is not None:
            rows = db.execute(
                f"SELECT * FROM (SELECT {names} FROM events ORDER BY seq DESC LIMIT ?) ORDER BY seq", (last,)
            )
        else:
            rows = db.execute(f"SELECT {names} FROM events WHERE seq > ? ORDER BY seq", (after,))
        for row in rows:
            body = (
                row[9] if isinstance(row[9], str) else repr(row[9])
            )  # of another type: changed, its hash will not fit
            yield Entry(**{**dict(zip(COLUMNS, row, strict=True)), "body": body.encode()})
    except sqlite3.DatabaseError as e:
        if isinstance(e, sqlite3.OperationalError):
            raise
        raise JournalUnreadable(f"{path} cannot be read as a journal: {e}.") from e
    finally:
        db.close()


def rename_aside(path: Path, wall: float) -> str:
    """Put a file that is no journal aside, with its WAL, and return its new name."""
    name = stem = f"{path.name}.unreadable-{int(wall)}"
    number = 1
    while path.with_name(name).exists():  # a clock without a battery shows the same time again
        number += 1
        name = f"{stem}-{number}"
    for suffix in ("", "-wal", "-shm"):
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.rename(path.with_name(name + suffix))
    return name

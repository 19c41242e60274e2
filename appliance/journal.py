"""The journal: one append-only SQLite table of events, chained by hashes, one writer, group commit.

`append` never waits and never fails: the event counts at once, its `durable` future tells when it is on disk.
If the disk fails the entries stay in RAM, bounded, and are written when it is back.
"""

import asyncio
import contextlib
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from appliance.entry import Entry
from appliance.event import Event
from appliance.events import DiskFailed, DiskRestored, JournalReplaced, encode_event
from appliance.journal_file import (
    Disk,
    ForeignChain,
    JournalUnreadable,
    identity,
    insert,
    open_for_writing,
    read_entries,
    rename_aside,
)
from drivers.clock import Clock

MOST_KEPT = 50_000  # entries in RAM while the disk is gone; some 30 MB, days of a bad night
RETRY_DISK = 5.0  # s between attempts to write again after a failure
CLOSE_WAIT = 5.0  # s for the writer to finish at a clean stop
STUCK = 10.0  # s, real ones, that entries wait and the disk takes none: it has failed, though it never said so
RECENT = 50  # entries that `open` gives back

log = logging.getLogger("siaga.journal")


class Appended:
    """An entry and the moment when it is safe. `await durable(0.5)` is False when the disk has not said yes by then."""

    def __init__(self, entry: Entry, written: asyncio.Future[bool]) -> None:
        self.entry, self._written = entry, written

    async def durable(self, timeout: float) -> bool:
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(self._written)
        except TimeoutError:
            return False


class Journal:
    """The one writer. `on_entry` is called for every entry, in order, on the loop, before `append` returns."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        boot: str,
        quality: Callable[[], str],
        on_entry: Callable[[Entry], None],
    ) -> None:
        self._path, self._clock, self._boot, self._quality, self._on_entry = path, clock, boot, quality, on_entry
        self.head = Entry.before_first()
        self.failed: str | None = None  # why the disk does not take entries, None when it does
        self._pending: deque[tuple[Entry, asyncio.Future[bool]]] = deque()
        self._wake = threading.Event()
        self._at_work = False
        self._closing = False
        self._retry: asyncio.TimerHandle | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting_since = 0.0  # unscaled s; for how long the disk has taken nothing
        self.lost = 0  # entries dropped because RAM was full too
        self._is: tuple[int, int] | None = None  # the file that we write to; None: none was there yet
        self._disk: Disk | None = None  # that it lies on
        self._replaced = False  # another one lies there since, and may lack rows

    def open(self) -> list[Entry]:
        """Hand on what there is (oldest first), start the writer, and return the last entries.

        A disk that fails is an event, not an error. A file that is no journal is put aside under another name, never
        overwritten; what could be read of it counts all the same.
        """
        self._loop = asyncio.get_running_loop()
        aside: JournalReplaced | None = None
        recent: deque[Entry] = deque(maxlen=RECENT)  # a journal of years does not fit into RAM
        try:
            try:
                for entry in self._read():
                    recent.append(entry)
                    self._on_entry(entry)
                self.head = recent[-1] if recent else self.head
                open_for_writing(self._path).close()
                self._opened()
            except JournalUnreadable as e:
                aside = JournalReplaced(reason=str(e), kept_as=rename_aside(self._path, self._clock.wall()))
                open_for_writing(self._path).close()
        except (sqlite3.Error, OSError) as e:
            self.failed = str(e)
        self._thread = threading.Thread(target=self._write_forever, name="journal", daemon=True)
        self._thread.start()
        if aside:
            self.append(aside)
        if self.failed:
            log.error("journal %s cannot be written: %s; events stay in RAM until it can", self._path, self.failed)
            self.append(DiskFailed(reason=self.failed))
            self._retry_later()
        return list(recent)

    def _read(self) -> Iterator[Entry]:
        if not self._path.exists():
            return
        begun = False
        try:
            for entry in read_entries(self._path):
                begun = True
                yield entry
        except sqlite3.OperationalError:
            if begun:
                raise
            yield from read_entries(self._path, alone=True)  # a full disk has no room for a reader's index

    def append(self, event: Event, *, actor: str = "", cause: int | None = None) -> Appended:
        """Add a fact. It is folded at once; `Appended.durable` waits for the disk."""
        assert self._loop is not None, "open() first"
        entry = Entry.after(
            self.head,
            wall=self._clock.wall(),
            mono=self._clock.now(),
            boot=self._boot,
            quality=self._quality(),
            kind=event.kind,
            subject=event.subject,
            actor=actor,
            cause=cause,
            body=encode_event(event),
        )
        self.head = entry
        written: asyncio.Future[bool] = self._loop.create_future()
        with self._lock:
            if len(self._pending) >= MOST_KEPT:
                self._pending.popleft()[1].set_result(False)
                self.lost += 1
            if not self._pending:
                self._waiting_since = self._clock.unscaled()
            self._pending.append((entry, written))
        if self.failed is None:
            self._wake.set()
        self._on_entry(entry)
        if self.failed is None and self._clock.unscaled() - self._waiting_since > STUCK:
            self._failed(f"it has taken nothing for {STUCK:g} s")
        return Appended(entry, written)

    @property
    def kept(self) -> int:
        """Entries not on disk yet."""
        return len(self._pending)

    @property
    def writing(self) -> bool:
        """The writer is at work or has been called, also to look whether a disk that failed is back."""
        return self._thread is not None and self._thread.is_alive() and (self._wake.is_set() or self._at_work)

    def _write_forever(self) -> None:
        db: sqlite3.Connection | None = None
        closing = False
        while not closing:
            self._at_work = False  # whoever waits for these rows is told by now
            self._wake.wait()
            self._at_work = True
            self._wake.clear()
            closing = self._closing  # before the batch: all that came before `close` is in it
            db = self._write_batch(db)
        if db is not None:
            db.close()

    def _write_batch(self, db: sqlite3.Connection | None) -> sqlite3.Connection | None:
        """On the writer's thread: put all pending entries on disk in one transaction."""
        with self._lock:
            batch = list(self._pending)
        if not batch:
            return db
        try:
            db = self._in_place(db)
            try:
                insert(db, [entry for entry, _ in batch], gap=self.lost > 0 or self._replaced)
            except ForeignChain:
                # The file could not be read at start and is readable now: keep it, under another name.
                db.close()
                rename_aside(self._path, self._clock.wall())
                db = open_for_writing(self._path)
                self._opened()
                insert(db, [entry for entry, _ in batch], gap=True)
        except (sqlite3.Error, OSError) as e:
            with contextlib.suppress(sqlite3.Error):
                if db is not None:
                    db.close()
            self._tell(self._failed, str(e))
            return None
        with self._lock:
            written = {id(future) for _, future in batch}
            while self._pending and id(self._pending[0][1]) in written:
                self._pending.popleft()
            self._waiting_since = self._clock.unscaled()
        self._tell(self._written, [future for _, future in batch])
        return db

    def _in_place(self, db: sqlite3.Connection | None) -> sqlite3.Connection:
        """The file that lies there now, open. Raises OSError when it was taken away: a second journal that is begun in
        the empty folder where a disk was mounted is found by nobody once that is back. A new disk gets a new one."""
        found = identity(self._path)
        if self._is is not None and found != self._is:
            if db is not None:
                db.close()  # what it wrote last is in that file; SQLite sees that it was moved and deletes nothing
                db = None
            if found is None and not self._on_a_new_disk():
                raise OSError(f"{self._path} is gone; was the disk taken out?")
            self._replaced = True
        if db is None:
            db = open_for_writing(self._path)
            self._opened()
        return db

    def _on_a_new_disk(self) -> bool:
        folder = self._path.parent
        return self._disk is not None and folder.is_dir() and self._disk.replaced_by(Disk.of(folder))

    def _opened(self) -> None:
        self._is, self._disk = identity(self._path), Disk.of(self._path.parent)

    def _tell(self, what: Callable[..., None], *args: object) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(what, *args)

    def _written(self, futures: list[asyncio.Future[bool]]) -> None:
        for future in futures:
            if not future.done():
                future.set_result(True)
        if self.failed is not None:
            self.failed = None
            log.warning(
                "journal %s is written again; %d events had been kept in RAM, %d since the start were lost there",
                self._path, len(futures), self.lost,
            )  # fmt: skip
            self.append(DiskRestored(kept=len(futures)))

    def _failed(self, reason: str) -> None:
        if self.failed is None:
            self.failed = reason
            log.error("journal %s cannot be written: %s; events stay in RAM until it can", self._path, reason)
            self.append(DiskFailed(reason=reason))
        self._retry_later()

    def _retry_later(self) -> None:
        assert self._loop is not None
        if self._retry is None:
            self._retry = self._loop.call_later(RETRY_DISK, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self._wake.set()

    def close(self) -> None:
        """Write what is pending and end the writer."""
        if self._retry is not None:
            self._retry.cancel()
        if self._thread is not None:
            self._closing = True
            self._wake.set()
            self._thread.join(CLOSE_WAIT)


def follow_chain(entries: Iterable[Entry], before: Entry | None = None) -> str | None:
    """None when the chain holds, else what is wrong and at which row. `before`: the row in front."""
    previous = before or Entry.before_first()
    for entry in entries:
        if entry.seq != previous.seq + 1:
            return f"Row {entry.seq} follows row {previous.seq}: {entry.seq - previous.seq - 1} rows are missing."
        if entry.prev != previous.hash:
            return f"Row {entry.seq} does not chain to row {previous.seq}: row {previous.seq} or the link was changed."
        if entry.computed_hash() != entry.hash:
            return f"Row {entry.seq} ({entry.kind}) was changed after it was written: its hash does not fit."
        previous = entry
    return None


def export_lines(entries: Iterable[Entry]) -> Iterable[bytes]:
    """One line of JSON an entry, with its kind, hash and body."""
    for entry in entries:
        yield msgspec.json.encode({**msgspec.to_builtins(entry), "body": msgspec.Raw(entry.body)})

"""A flight recorder of one line: what went to its modem and what came, byte by byte, with the loop's time.

The newest is in RAM, more of it in two files that take turns. A disk that fails costs the file, nothing else.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

Direction = Literal[">", "<", "!"]
TO: Direction = ">"  # the modem
FROM: Direction = "<"
NOTE: Direction = "!"  # what became of the port
DIRECTIONS: dict[str, Direction] = {">": TO, "<": FROM, "!": NOTE}

RING_BYTES = 64 * 1024  # an hour of a quiet line; two lines cost nothing beside core's 60 MB
FILE_BYTES = 1_000_000  # of each of two files; some days of a quiet line on a card of 8 GB
FLUSH_EVERY = 2.0  # s; what a power cut may cost, against wear of the card
UNWRITTEN_BYTES = 256 * 1024  # while the disk hangs; older records are dropped

HEAD = "# siaga modem recording 1"

log = logging.getLogger("siaga.modem")


class RecordingUnreadable(ValueError):
    """A file that is no recording; its text says which line."""


class Record(Struct, frozen=True):
    """`at` is the loop's time in s; `data` the bytes of one write or one read."""

    at: float
    direction: Direction
    data: bytes

    @property
    def line(self) -> str:
        """One line of a recording: printable, every byte told apart."""
        return f"{self.at:.4f} {self.direction} {self.data.decode('latin-1').encode('unicode_escape').decode('ascii')}"


def parse(text: str) -> Iterator[Record]:
    """The records of a recording. Raises RecordingUnreadable; a last line that was cut off is left out."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        try:
            at, direction, data = line.split(" ", 2)
            raw = data.encode("ascii").decode("unicode_escape").encode("latin-1")
            record = Record(float(at), DIRECTIONS[direction], raw)
        except (ValueError, KeyError) as e:
            if number == len(lines):
                return  # power went in the middle of it
            raise RecordingUnreadable(f"line {number}: {line[:60]!r} is no record.") from e
        yield record


def written(records: Iterable[Record]) -> str:
    """The text of a recording."""
    return "\n".join([HEAD, *(record.line for record in records), ""])


def files_of(file: Path) -> tuple[Path, Path]:
    """The two files that take turns, the older first."""
    return file.with_name(f"{file.name}.1"), file


class Recorder:
    """Call `record` with everything; `run` writes it to `file`, made for its owner's eyes only. None: RAM only."""

    def __init__(self, file: Path | None, now: Callable[[], float]) -> None:
        self._file, self._now = file, now
        self._ring: deque[Record] = deque()
        self._ring_bytes = 0
        self._unwritten: deque[Record] = deque()
        self._unwritten_bytes = 0
        self._failed = False
        self._writing = threading.Lock()  # a write that was called off goes on in its thread

    def record(self, direction: Direction, data: bytes) -> None:
        """Keep it; never fails, never waits."""
        record = Record(self._now(), direction, bytes(data))
        self._ring_bytes = _keep(self._ring, record, self._ring_bytes, RING_BYTES)
        if self._file is not None:
            self._unwritten_bytes = _keep(self._unwritten, record, self._unwritten_bytes, UNWRITTEN_BYTES)

    def recent(self) -> list[Record]:
        """The newest records, oldest first."""
        return list(self._ring)

    async def run(self) -> None:
        """Write every FLUSH_EVERY; the rest when it is cancelled."""
        if self._file is None:
            return
        try:
            while True:
                await asyncio.sleep(FLUSH_EVERY)
                if batch := self._taken():
                    await asyncio.to_thread(self._write, self._file, batch)
        finally:
            self._write(self._file, self._taken())

    def _taken(self) -> list[Record]:
        batch = list(self._unwritten)
        self._unwritten.clear()
        self._unwritten_bytes = 0
        return batch

    def _write(self, file: Path, batch: list[Record]) -> None:
        if not batch:
            return
        text = "".join(f"{record.line}\n" for record in batch)
        with self._writing:
            self._append(file, text)

    def _append(self, file: Path, text: str) -> None:
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if file.exists() and file.stat().st_size + len(text) > FILE_BYTES:
                file.replace(files_of(file)[0])
            new = not file.exists()
            if new:
                file.touch(mode=0o600)
            with file.open("a", encoding="ascii") as out:
                out.write(f"{HEAD}\n{text}" if new else text)
        except OSError as e:
            if not self._failed:
                log.warning("the recording %s cannot be written: %s; the line works on without it", file, e)
            self._failed = True
        else:
            self._failed = False


def _keep(records: deque[Record], record: Record, held: int, most: int) -> int:
    """Append and drop the oldest beyond `most` bytes; a record counts 64 bytes more than its data."""
    records.append(record)
    held += len(record.data) + 64
    while held > most and len(records) > 1:
        held -= len(records.popleft().data) + 64
    return held

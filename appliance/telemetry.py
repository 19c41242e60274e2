"""Looks at every figure each second and has a thread of its own write the minutes, some every five of them.

Whatever the disk does, core goes on: minutes wait in RAM, the oldest go first, and a broken file costs only charts.
"""

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from appliance.figure import Figure
from appliance.journal_file import rename_aside
from appliance.telemetry_collector import Blocks, Collector
from appliance.telemetry_file import TelemetryFile, TelemetryReplaced, TelemetryUnreadable
from drivers.clock import Clock

LOOK_S = 1.0  # s between looks; devices are asked once a second
DAY_S = 86_400
RETRY_S = 300.0  # s between attempts after a failure; no chart misses them
CLOSE_WAIT = 3.0  # s, real ones, for the writer at a clean stop

log = logging.getLogger("siaga.telemetry")


class Telemetry:
    """`figures` gives all that is to be kept, by names as "genset/g1/fuel_level"."""

    def __init__(self, *, path: Path, clock: Clock, figures: Callable[[], Iterable[tuple[str, Figure]]]) -> None:
        self._clock, self._figures = clock, figures
        self._collector = Collector()
        self._writer = Writer(path)
        self._retry_at = 0.0
        self._told_refused = False

    @property
    def failed(self) -> str:
        """Why the disk does not take minutes, or nothing."""
        return self._writer.failed

    @property
    def writing(self) -> bool:
        return self._writer.working

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        """Take the figures as they are now, and hand on what is complete when the writer has nothing to do."""
        now = self._clock.now()
        self._collector.look(self._figures(), now, self._clock.wall())
        if self._collector.refused and not self._told_refused:
            self._told_refused = True
            log.warning("more figures than telemetry keeps: some will have no charts")
        if now < self._retry_at:
            return
        if blocks := self._collector.ready():
            self._hand_over(blocks)

    def _hand_over(self, blocks: Blocks) -> None:
        loop = asyncio.get_running_loop()

        def done(why: str) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                loop.call_soon_threadsafe(self._done, blocks, why)

        self._writer.offer(blocks, self._today(), done)

    def _done(self, blocks: Blocks, why: str) -> None:
        if why:
            self._retry_at = self._clock.now() + RETRY_S
        else:
            self._collector.written(blocks)

    def _today(self) -> int:
        return int(self._clock.wall() // DAY_S)

    def close(self) -> None:
        """Write what there is, the minute that runs too, and end the writer."""
        self._writer.close(self._collector.ready(all=True), self._today())


Job = tuple[Blocks, int, Callable[[str], None]]


class Writer:
    """The thread: one job at a time, and none is taken while one is at work."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._jobs: queue.Queue[Job | None] = queue.Queue(3)  # at the most: one not begun yet, the last, and the end
        self._file: TelemetryFile | None = None
        self._thread: threading.Thread | None = None
        self.busy = False
        self.failed = ""

    @property
    def working(self) -> bool:
        return self.busy and self._thread is not None and self._thread.is_alive()

    def offer(self, blocks: Blocks, today: int, done: Callable[[str], None]) -> None:
        """`done` is called on the thread, with why it failed or nothing. A job that comes too early is dropped."""
        if self._thread is not None and not self._thread.is_alive():
            self._thread, self.busy, self.failed = None, False, "its thread died"  # Python has logged of what
            done(self.failed)
            return
        if self.busy:
            return
        self.busy = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="telemetry", daemon=True)
            self._thread.start()
        self._jobs.put_nowait((blocks, today, done))

    def close(self, blocks: Blocks, today: int) -> None:
        waiting = threading.Event()
        self.busy = False  # behind what is at work, if any
        self.offer(blocks, today, lambda why: waiting.set())
        self._jobs.put_nowait(None)
        waiting.wait(CLOSE_WAIT)
        if self._thread is not None:
            self._thread.join(CLOSE_WAIT)

    def _work(self) -> None:
        while job := self._jobs.get():
            blocks, today, done = job
            why = self._write(blocks, today)
            if why and not self.failed:
                log.error("%s cannot be written: %s; figures wait in RAM until it can", self._path, why)
            elif self.failed and not why:
                log.warning("%s is written again", self._path)
            self.failed, self.busy = why, False
            done(why)
        self._end_file()

    def _write(self, blocks: Blocks, today: int) -> str:
        """Once more with a new file where this one is broken. Why it failed, or nothing."""
        try:
            try:
                self._write_once(blocks, today)
            except TelemetryReplaced as e:
                self._end_file()
                log.warning("%s A new one is begun, or that one is gone on with.", e)
                self._write_once(blocks, today)
            except (TelemetryUnreadable, sqlite3.DatabaseError) as e:
                self._end_file()
                if isinstance(e, sqlite3.OperationalError):
                    raise
                name = rename_aside(self._path, today * DAY_S)
                log.error("%s is broken (%s): it is kept as %s, and a new one is begun", self._path, e, name)
                self._write_once(blocks, today)
        except (sqlite3.Error, OSError, TelemetryUnreadable, TelemetryReplaced) as e:
            self._end_file()
            return str(e)
        return ""

    def _write_once(self, blocks: Blocks, today: int) -> None:
        self._file = self._file or TelemetryFile(self._path)
        self._file.write(blocks, today)

    def _end_file(self) -> None:
        if self._file is not None:
            with contextlib.suppress(sqlite3.Error):
                self._file.close()
            self._file = None

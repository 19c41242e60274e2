"""Work beside the sirens: what fails here is logged, and costs no order anything."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

MOST = 64  # at once

log = logging.getLogger("siaga.station")


class Aside:
    """Owns its tasks until `close`."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if len(self._tasks) >= MOST:
            log.error("too much is under way beside the sirens; one thing was left out")
            work.close()
            return
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("something beside the sirens failed", exc_info=error)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

"""The owner of a process's long-lived tasks: it notices a death, says so, and starts the task again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

RESTART_FIRST, RESTART_MOST = 0.5, 10.0  # s; doubled each time, back to the first after a minute of life
STEADY = 60.0

log = logging.getLogger("siaga.keeper")


class Keeper:
    """`keep` starts a task that should live as long as the process. One that dies costs the others nothing."""

    def __init__(self, on_death: Callable[[str, str], None]) -> None:
        self._on_death = on_death
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work()` again whenever it ends or fails."""
        self._tasks.add(asyncio.create_task(self._watch(name, work), name=f"keep {name}"))

    async def _watch(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        wait = RESTART_FIRST
        while True:
            started = loop.time()
            task = asyncio.ensure_future(_run(work))
            try:
                await asyncio.wait({task})
            finally:
                task.cancel()
            error = None if task.cancelled() else task.exception()
            log.error("%s ended; it starts again in %.1f s", name, wait, exc_info=error)
            self._on_death(name, f"{type(error).__name__}: {error}" if error else "it returned")
            if loop.time() - started > STEADY:
                wait = RESTART_FIRST
            await asyncio.sleep(wait)
            wait = min(wait * 2, RESTART_MOST)

    async def stop(self) -> None:
        """Cancel all and wait until they have ended."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()

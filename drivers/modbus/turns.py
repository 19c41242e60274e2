"""One speaker at a time on a bus. Who is in a hurry goes before all who wait, never into a running transaction."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

from drivers.modbus.errors import BusCrowded

MAX_WAITING = 64  # a bus has at most 32 units, each with one poller and now and then a command


class Turns:
    """A lock with two lanes, first come first served in each."""

    def __init__(self) -> None:
        self._taken = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._usual: deque[asyncio.Future[None]] = deque()

    @contextlib.asynccontextmanager
    async def turn(self, *, urgent: bool = False) -> AsyncIterator[None]:
        """Hold the bus for the body. Raises BusCrowded when too many wait already."""
        await self._take(self._urgent if urgent else self._usual)
        try:
            yield
        finally:
            self._hand_on()

    async def _take(self, lane: deque[asyncio.Future[None]]) -> None:
        if not self._taken:
            self._taken = True
            return
        if len(lane) >= MAX_WAITING:
            raise BusCrowded(f"{MAX_WAITING} others wait for this bus; poll less often.")
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._hand_on()  # the turn was ours already when we were told to stop
            else:
                with contextlib.suppress(ValueError):  # taken out by _hand_on meanwhile
                    lane.remove(mine)
            raise

    def _hand_on(self) -> None:
        for lane in (self._urgent, self._usual):
            while lane:
                waiter = lane.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    return
        self._taken = False

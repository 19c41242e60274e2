"""One speaker at a time on a bus. Who is in a hurry goes before all who wait, never into a running transaction."""

import asyncio
import contextlib
from collections import deque

from drivers.modbus.errors import BusCrowded

MAX_WAITING = 64  # a bus has at most 32 units, each with one poller and now and then a command


class Turns:
    """A lock with two lanes, first come first served in each."""

    def __init__(self) -> None:
        self._taken = False
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._usual: deque[asyncio.Future[None]] = deque()

    async def take(self, *, urgent: bool = False) -> None:
        """Hold the bus, until `hand_on`. Raises BusCrowded when too many wait already."""
        lane = self._urgent if urgent else self._usual
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
                self.hand_on()  # the turn was ours already when we were told to stop
            else:
                with contextlib.suppress(ValueError):  # taken out by hand_on meanwhile
                    lane.remove(mine)
            raise

    def hand_on(self) -> None:
        """The bus is the next one's who waits."""
        for lane in (self._urgent, self._usual):
            while lane:
                waiter = lane.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    return
        self._taken = False

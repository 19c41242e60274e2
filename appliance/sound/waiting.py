"""Waits for what the journal will say, with a deadline."""

import asyncio
from collections.abc import Callable


async def until(woken: asyncio.Event, so: Callable[[], object], within: float) -> bool:
    """Look at each waking whether it is so; False when it was not `within` seconds."""
    try:
        async with asyncio.timeout(within):
            while not so():
                woken.clear()
                await woken.wait()
    except TimeoutError:
        return False
    return True

"""A call that core had dialled before it was started again: nobody speaks in it any more, so it has to end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from appliance.logs import about
from appliance.state import State
from drivers.jsonsocket import Refusal

BOX = "box"  # the actor of calls that nobody dialled
WITHIN = 120.0  # s in which it is tried; its modem has to come back first
EACH = 2.0

log = logging.getLogger("siaga.alerting")


def live(state: State, call: str) -> bool:
    known = state.calls.get(call)
    return known is not None and known.live


async def end(state: State, hang_up: Callable[[str, str, str], Awaitable[object]], line: str, call: str) -> None:
    """`hang_up` takes line, call and actor, and raises Refusal while it cannot."""
    for _ in range(int(WITHIN / EACH)):
        if not live(state, call):
            return
        try:
            await hang_up(line, call, BOX)
        except Refusal as e:
            log.debug("a call of before the restart stands yet: %s", e)
        await asyncio.sleep(EACH)
    log.warning("%s: call %s of before a restart does not end", line, call, extra=about(line=line, call=call))

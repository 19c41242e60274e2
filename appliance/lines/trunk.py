"""Watches the 112 trunk: asks its gateway by SIP OPTIONS, and journals when it is lost and when it is back."""

import asyncio
import logging
from collections.abc import Callable

from appliance.config import Site
from appliance.journal import Appended
from appliance.lines.trunk_machine import ANSWERED, TrunkMachine
from appliance.state import State
from drivers.sip import NoAnswer, Probe, Response

ANSWER_WITHIN = 2.0  # s; three tries (RFC 3261's T1 doubles), far above any round trip on a city's network
REQUEST_TIMEOUT = 408
SERVER_FAILURE = 500  # and above: the gateway is there but carries no calls

log = logging.getLogger("siaga.trunk")


class TrunkWatch:
    """Give it a site with a `[trunk]`. The state's `trunk` is what its events make of it."""

    def __init__(self, site: Site, state: State, append: Callable[..., Appended]) -> None:
        assert site.trunk is not None
        self._trunk, self._append = site.trunk, append
        self._machine = TrunkMachine(f"{site.trunk.host}:{site.trunk.port}", state.trunk.up if state.trunk else None)
        self._probe = Probe(site.trunk.host, site.trunk.port)

    async def run(self) -> None:
        """Ask for ever, one probe at a time."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            for event in self._machine.probed(await self._miss()):
                self._append(event)
            await asyncio.sleep(max(0.0, began + self._trunk.poll_s - loop.time()))

    async def _miss(self) -> str:
        """Why this probe was not answered as a working gateway does; ANSWERED when it was."""
        try:
            return judge(await self._probe.ask(ANSWER_WITHIN))
        except NoAnswer as e:
            log.debug("%s", e)
            return e.why


def judge(response: Response) -> str:
    """A refusal (405, 404, 403) comes from a gateway that works; 408 and what begins with 5 or 6 does not."""
    broken = response.status == REQUEST_TIMEOUT or response.status >= SERVER_FAILURE
    return f"status_{response.status}" if broken else ANSWERED

"""A small simulated site: the command centre's core and annunciator, and the mobile network with its two modems.

With `page` the desk's programs too: the page, the audio process, a supervisor beside the operator.
"""

import asyncio
import socket
from pathlib import Path
from typing import Any

import msgspec

from appliance.config import places
from appliance.demo_processes import UP_WITHIN, Processes
from appliance.demo_site import CENTRE, OPERATOR, SUPERVISOR, DemoSite
from appliance.supervisor import Child, until
from drivers.clock import Clock


class LinesDemo:
    """As Demo, without broker, stations and building; what `where()` does not name is not there. `page` is a port."""

    def __init__(self, folder: Path, clock: Clock, page: int | None = None) -> None:
        self._site, self._clock, self._page = DemoSite(folder, (CENTRE,)), clock, page
        self._processes = Processes(self._site, clock)
        self._passwords: dict[str, str] = {}

    @property
    def children(self) -> dict[str, Child]:
        return self._processes.children

    async def start(self) -> None:
        """Returns when core answers, and the page where there is one. Raises NotStarted or OSError."""
        mobile = self._site.sim / "mobile.json"
        mobile.write_bytes(msgspec.json.encode({"modems": self._site.modems()}))
        phones = self._processes.add_simulator("mobile", "drivers.sim.mobile", "--config", mobile)
        site = self._site.write_lines(self._page)
        for role in (OPERATOR, SUPERVISOR) if self._page else (OPERATOR,):
            self._passwords[role] = self._site.person(site, role, role)
        self._processes.add_node(CENTRE)
        for command in ("audio", "web") if self._page else ():
            self._processes.add_siaga(CENTRE, command)
        await asyncio.gather(*(child.start(ready_line=child is phones) for child in self.children.values()))
        await self._processes.answers(CENTRE, places(site, self._site.file(CENTRE)).control)
        if self._page:
            await until("the page", lambda: answers(self._page), UP_WITHIN * self._clock.speed)
        await self._processes.serve_knobs()

    def where(self) -> dict[str, Any]:
        """Ttys, folders, sockets and the passwords of this run."""
        return {
            "folder": str(self._site.folder),
            "speed": self._clock.speed,
            "environment": self._clock.environment(),
            "operator": OPERATOR,
            "password": self._passwords[OPERATOR],
            "passwords": self._passwords,
            **({"page": f"http://127.0.0.1:{self._page}"} if self._page else {}),
            "modems": {m["name"]: {"tty": m["port"], "number": m["number"]} for m in self._site.modems()},
            "nodes": self.nodes(),
            "knobs": {name: str(path) for name, path in self._processes.knobs.items()},
            "logs": str(self._site.logs),
        }

    def nodes(self) -> dict[str, dict[str, str]]:
        """As Demo's, of the one node."""
        return {CENTRE: self._site.node(CENTRE)}

    async def stop(self) -> None:
        await self._processes.stop()


def answers(port: int | None) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port or 0)) == 0

"""A small simulated site: the command centre's core and annunciator, and the mobile network with its two modems."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from appliance.config import places
from appliance.demo_processes import Processes
from appliance.demo_site import CENTRE, OPERATOR, DemoSite
from appliance.supervisor import Child
from drivers.clock import Clock


class LinesDemo:
    """As Demo, without broker, stations, page and building; what `where()` does not name is not there."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._site, self._clock = DemoSite(folder, (CENTRE,)), clock
        self._processes = Processes(self._site, clock)
        self._password = ""

    @property
    def children(self) -> dict[str, Child]:
        return self._processes.children

    async def start(self) -> None:
        """Returns when core answers. Raises NotStarted or OSError."""
        mobile = self._site.sim / "mobile.json"
        mobile.write_bytes(msgspec.json.encode({"modems": self._site.modems()}))
        phones = self._processes.add_simulator("mobile", "drivers.sim.mobile", "--config", mobile)
        site = self._site.write_lines()
        self._password = self._site.operator(site)
        self._processes.add_node(CENTRE)
        await asyncio.gather(*(child.start(ready_line=child is phones) for child in self.children.values()))
        await self._processes.answers(CENTRE, places(site, self._site.file(CENTRE)).control)
        await self._processes.serve_knobs()

    def where(self) -> dict[str, Any]:
        """Ttys, folders, sockets and the password of this run."""
        return {
            "folder": str(self._site.folder),
            "speed": self._clock.speed,
            "environment": self._clock.environment(),
            "operator": OPERATOR,
            "password": self._password,
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

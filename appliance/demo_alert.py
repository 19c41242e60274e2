"""A small simulated site for stories of orders: the command centre, two fire stations, what joins them, and phones.

Between each station and the broker lies a wire that meddles with single messages; so that it can read them there is no
TLS here. The stations' sirens draw a current that can be cut, and relays that can weld.
"""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from appliance.config import Site, load_site, places
from appliance.demo_lines import LinesDemo
from appliance.demo_processes import Processes
from appliance.demo_site import CENTRE, NODES, OPERATOR, STATIONS, SUPERVISOR, DemoSite, page_host, template
from appliance.supervisor import NotStarted
from drivers.clock import Clock

NOT_HERE = ("web", "power", "trunk", "internet", "bus", "genset", "ups", "meter", "ats", "fallback", "credit")
NOTIFY = {"gather_s": 5, "quiet_start_s": 1}  # short, so that a story need not wait long


class AlertSite(DemoSite):
    """The demo's nodes as far as orders need them."""

    def text(self, node: str) -> dict[str, Any]:
        """A node's site file as it lies in the repository, as far as orders need it."""
        return {key: value for key, value in template(node).items() if key not in NOT_HERE}

    def write_alerts(self, broker: dict[str, int], page: int | None = None) -> dict[str, Site]:
        """Write and check all site files; `broker` is the port by node, `page` that of every page."""
        sites = {}
        for node in NODES:
            text = self.text(node)
            if page:
                text["web"] = {"host": page_host(node), "port": page, "tls": False}
            text["broker"] = {"host": "127.0.0.1", "port": broker[node], "tls": False}
            for line in text["line"]:
                line["port"] = str(self._tty(node, line["id"]))
                if node == CENTRE:
                    line["sound"] = {"kind": "serial", "port": str(self._pcm(node, line["id"]))}
            if node == CENTRE:
                text["notify"] = text.get("notify", {}) | NOTIFY
            self.file(node).write_text(tomli_w.dumps(text))
            sites[node] = load_site(self.file(node))
        return sites


class AlertDemo(LinesDemo):
    """Use `start`, then `stop`. `page` is the port of the pages of `pages`."""

    def __init__(
        self, folder: Path, clock: Clock, *, site: type[AlertSite] = AlertSite, page: int | None = None,
        pages: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        super().__init__(folder, clock)
        self._alerts = self._site = site(folder, NODES)
        self._at, self._pages = page, pages
        self._processes = Processes(self._site, clock)

    async def start(self) -> None:
        """Returns when every node answers. Raises NotStarted or OSError."""
        self._site.enrol(self._clock.wall())
        mobile = self._site.sim / "mobile.json"
        mobile.write_bytes(msgspec.json.encode({"modems": self._site.modems()}))
        add = self._processes.add_simulator
        broker, phones = (
            add("broker", "drivers.sim.broker", "--port", "0"),
            add("mobile", "drivers.sim.mobile", "--config", mobile),
        )
        said, _ = await asyncio.gather(broker.start(ready_line=True), phones.start(ready_line=True))
        net = add("net", "drivers.sim.netcut", "--to", str(said["port"]), *(f"--line={name}=0" for name in STATIONS))
        lines = _ports(await net.start(ready_line=True))
        wire = add("wire", "drivers.sim.mqtt_wire", *(f"--line={name}={lines[name]}" for name in STATIONS))
        lines = _ports(await wire.start(ready_line=True))
        sites = self._alerts.write_alerts({CENTRE: int(str(said["port"])), **lines}, self._at)
        for role in (OPERATOR, SUPERVISOR):
            self._passwords[role] = self._site.person(sites[CENTRE], role, role)
        controls = {node: places(sites[node], self._site.file(node)).control for node in NODES}
        await self._processes.start_nodes(controls, self._pages)
        await self._processes.serve_knobs()

    def nodes(self) -> dict[str, dict[str, str]]:
        """As Demo's."""
        return {node: self._site.node(node) for node in NODES}


def _ports(said: dict[str, Any]) -> dict[str, int]:
    ports = said.get("ports")
    if not isinstance(ports, dict):
        raise NotStarted(f"a simulator said {said} instead of its ports.")
    return {name: int(port) for name, port in ports.items()}

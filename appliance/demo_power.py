"""A small simulated site for stories of power: core and annunciator, the building, and one line for notices by SMS."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from appliance.config import Site, load_site, places
from appliance.demo_lines import LinesDemo
from appliance.demo_processes import Processes
from appliance.demo_site import CENTRE, FOR_POWER, OPERATOR, DemoSite, template
from appliance.supervisor import NotStarted
from drivers.clock import Clock

LINE = "l1"
NOTIFY = {"escalate_min": 1, "gather_s": 5, "quiet_start_s": 5}  # short, so that a story need not wait long


class PowerSite(DemoSite):
    """The demo's centre as far as power and alarms need it."""

    def write_power(self, modbus: int) -> Site:
        text = {key: value for key, value in template(CENTRE).items() if key in FOR_POWER}
        text["annunciator"].pop("button", None)  # orders, and there is nobody to order
        text["line"] = [line for line in text["line"] if line["id"] == LINE]
        for line in text["line"]:
            line["port"] = str(self._tty(CENTRE, line["id"]))
        for bus in text["bus"]:
            bus.update({"port": str(self.rtu())} if bus["kind"] == "rtu" else {"tcp_port": modbus})
        text["notify"] |= NOTIFY
        self.file(CENTRE).write_text(tomli_w.dumps(text))
        return load_site(self.file(CENTRE))

    def modems(self) -> list[dict[str, str]]:
        return [modem for modem in super().modems() if modem["name"] == f"{CENTRE}-{LINE}"]


class PowerDemo(LinesDemo):
    """Use `start`, then `stop`."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(folder, clock)
        self._power = self._site = PowerSite(folder, (CENTRE,))
        self._processes = Processes(self._site, clock)
        self._modbus = 0

    async def start(self) -> None:
        """Returns when core answers. Raises NotStarted or OSError."""
        mobile = self._site.sim / "mobile.json"
        mobile.write_bytes(msgspec.json.encode({"modems": self._site.modems()}))
        phones = self._processes.add_simulator("mobile", "drivers.sim.mobile", "--config", mobile)
        building = self._processes.add_simulator("building", "drivers.sim.building", *self._site.building())
        _, said = await asyncio.gather(phones.start(ready_line=True), building.start(ready_line=True))
        port = said.get("tcp_port")
        if not isinstance(port, int):
            raise NotStarted(f"the building said {said} instead of its port.")
        self._modbus = port
        site = self._power.write_power(port)
        self._passwords[OPERATOR] = self._site.person(site, OPERATOR, OPERATOR)
        self._processes.add_node(CENTRE)
        await asyncio.gather(*(child.start() for name, child in self.children.items() if name.startswith(CENTRE)))
        await self._processes.answers(CENTRE, places(site, self._site.file(CENTRE)).control)
        await self._processes.serve_knobs()

    def where(self) -> dict[str, Any]:
        """As LinesDemo's, and where the devices are."""
        return {
            **super().where(),
            "genset": {"tty": str(self._site.rtu()), "baud": 9600, "unit": 10},
            "ups": {"host": "127.0.0.1", "port": self._modbus, "unit": 1},
        }

"""A whole simulated site: command centre, two fire stations, broker and simulators, each a process of its own.

`where()` is what `siaga demo where`, `siaga sim` and scenarios work by.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from appliance.config import places
from appliance.demo_processes import GIVEN_UP, UP_WITHIN, Processes, silent
from appliance.demo_site import CENTRE, NODES, OPERATOR, STATIONS, SUPERVISOR, DemoSite, hold, page_host
from appliance.supervisor import Child, NotStarted, until
from drivers.clock import Clock
from drivers.sim.broker import free_port

WEB_PORT = 8112
HOLD_TRIES, HOLD_AGAIN = 10, 0.05  # s between; `siaga demo where` touches the folder's lock for less than 1 ms


class Demo:
    """One running site in one folder. Use `start`, then `stop`; `say` is told each step. `pages`: nodes with a page."""

    def __init__(
        self, folder: Path, clock: Clock, *, web_port: int = WEB_PORT, say: Callable[[str], None] = lambda text: None,
        pages: tuple[str, ...] = (CENTRE,),
    ) -> None:  # fmt: skip
        self._site, self._clock, self._web_port, self._say, self._pages = DemoSite(folder), clock, web_port, say, pages
        self._processes = Processes(self._site, clock)
        self._lock: int | None = None
        self._passwords: dict[str, str] = {}
        self._ports: dict[str, int] = {}

    @property
    def children(self) -> dict[str, Child]:
        return self._processes.children

    async def start(self, *, fresh: bool = False) -> None:
        """Start everything; returns when every node answers and the page is there. Raises NotStarted or OSError.

        `fresh` forgets what an earlier demo left in the folder. Port 0 is any free one.
        """
        await self._hold()
        self._web_port = self._web_port or free_port()
        for node in self._pages:
            _look_at_port(page_host(node), self._web_port)
        if fresh:
            self._site.forget()
        await self._start_simulators()
        sites = self._site.write(
            web=self._web_port,
            broker={n: self._ports["broker" if n == CENTRE else f"broker/{n}"] for n in NODES},
            modbus=self._ports["modbus"],
            trunk=self._ports["trunk"],
        )
        self._passwords = {role: self._site.person(sites[CENTRE], role, role) for role in (OPERATOR, SUPERVISOR)}
        self._say("annunciators, cores, audio and web")
        controls = {node: places(sites[node], self._site.file(node)).control for node in NODES}
        await self._processes.start_nodes(controls, self._pages)
        for node in self._pages:
            await until("the page", lambda node=node: self._page_answers(node), UP_WITHIN * self._clock.speed)  # type: ignore[misc]
        await self._processes.serve_knobs()
        new = self._where_file.with_suffix(".new")  # whole or not there: others wait for it to appear
        new.write_bytes(msgspec.json.format(msgspec.json.encode(self.where())))
        new.replace(self._where_file)

    async def _hold(self) -> None:
        for _ in range(HOLD_TRIES):
            try:
                self._lock = hold(self._site.folder)
            except BlockingIOError:
                await asyncio.sleep(HOLD_AGAIN * self._clock.speed)
            else:
                self._where_file.unlink(missing_ok=True)  # of a demo that was killed
                return
        raise NotStarted(f"another demo starts, runs or ends in {self._site.folder}; give another --folder, or end it.")

    async def _start_simulators(self) -> None:
        sim = self._site.sim
        self._say("mosquitto and simulators")
        mobile = sim / "mobile.json"
        mobile.write_bytes(msgspec.json.encode({"modems": self._site.modems()}))
        add = self._processes.add_simulator
        self._site.enrol(self._clock.wall())
        broker = add("broker", "drivers.sim.broker", "--port", "0", "--keys", self._site.broker_keys)
        self._ports["broker"] = _port(await broker.start(ready_line=True))
        lines = [f"--line={name}=0" for name in STATIONS]
        net = add("net", "drivers.sim.netcut", "--to", str(self._ports["broker"]), *lines)
        building = add("building", "drivers.sim.building", *self._site.building())
        phones = add("mobile", "drivers.sim.mobile", "--config", mobile)
        trunk = add("trunk", "drivers.sim.trunk", "--port", "0")
        said = await asyncio.gather(*(c.start(ready_line=True) for c in (net, building, phones, trunk)))
        ports: Any = said[0].get("ports", {})
        self._ports |= {f"broker/{name}": int(ports[name]) for name in STATIONS}
        self._ports |= {"modbus": _port(said[1], "tcp_port"), "trunk": _port(said[3])}

    def _page_answers(self, node: str) -> bool:
        if (web := self.children[f"{node}/web"]).starts > GIVEN_UP:
            raise silent(web)
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex((page_host(node), self._web_port)) == 0

    @property
    def _where_file(self) -> Path:
        return self._site.folder / "where.json"

    def where(self) -> dict[str, Any]:
        """Addresses, ttys, folders, process ids and the password of this run."""
        return {
            "supervisor": os.getpid(),
            "folder": str(self._site.folder),
            "speed": self._clock.speed,
            "environment": self._clock.environment(),
            "page": f"http://{page_host(CENTRE)}:{self._web_port}",
            "pages": {node: f"http://{page_host(node)}:{self._web_port}" for node in self._pages},
            "operator": OPERATOR,
            "password": self._passwords[OPERATOR],
            "passwords": self._passwords,
            "broker": {"host": "127.0.0.1", "port": self._ports["broker"], **self._site.reader()},
            "network_of": {name: self._ports[f"broker/{name}"] for name in STATIONS},
            "modems": {m["name"]: {"tty": m["port"], "number": m["number"]} for m in self._site.modems()},
            "genset": {"tty": str(self._site.rtu()), "baud": 9600, "unit": 10},
            "ups": {"host": "127.0.0.1", "port": self._ports["modbus"], "unit": 1},
            "meter": {"host": "127.0.0.1", "port": self._ports["modbus"], "unit": 20},
            "trunk": {"host": "127.0.0.1", "port": self._ports["trunk"]},
            "nodes": self.nodes(),
            "knobs": {name: str(path) for name, path in self._processes.knobs.items()},
            "logs": str(self._site.logs),
            "processes": {name: child.pid for name, child in self.children.items()},
        }

    def nodes(self) -> dict[str, dict[str, str]]:
        """Site file, state folder and sockets of each node."""
        return {n: self._site.node(n) for n in NODES}

    async def stop(self) -> None:
        """End every process, cores before what they stand on."""
        if self._lock is None:  # the folder is not ours
            return
        self._where_file.unlink(missing_ok=True)
        await self._processes.stop()
        os.close(self._lock)
        self._lock = None


def _look_at_port(host: str, port: int) -> None:
    """Raises NotStarted when another program has the page's port: a person would be shown its pages as ours."""
    try:
        socket.create_server((host, port)).close()
    except OSError as e:
        why = os.strerror(e.errno) if e.errno else e
        raise NotStarted(f"port {port} cannot be used for the page ({why}); give another, 0 is any.") from e


def _port(said: dict[str, object], key: str = "port") -> int:
    port = said.get(key)
    if not isinstance(port, int):
        raise NotStarted(f"a simulator said {said} instead of its {key}.")
    return port

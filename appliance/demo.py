"""A whole simulated site: command centre, two fire stations, broker and simulators, each a process of its own.

`where()` is what `siaga demo where`, `siaga sim` and scenarios work by.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from appliance.config import places
from appliance.demo_site import CENTRE, NODES, OPERATOR, STATIONS, DemoSite, hold
from appliance.supervisor import Child, NotStarted, python, until
from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone, Refusal
from drivers.sim.broker import free_port
from drivers.sim.knobs import Knobs

WEB_PORT = 8112
UP_WITHIN = 30.0  # s of real life
GIVEN_UP = 3  # starts of one process; it does not start by being started again
HOLD_TRIES, HOLD_AGAIN = 10, 0.05  # s between; `siaga demo where` touches the folder's lock for less than 1 ms
DEMO_POWER = ("--retransfer", "20", "--cooldown", "15")  # s; real sets wait 30 min, too long to watch


class Demo:
    """One running site in one folder. Use `start`, then `stop`; `say` is told each step."""

    def __init__(
        self, folder: Path, clock: Clock, *, web_port: int = WEB_PORT, say: Callable[[str], None] = lambda text: None
    ) -> None:
        self._site, self._clock, self._web_port, self._say = DemoSite(folder), clock, web_port, say
        self.children: dict[str, Child] = {}
        self._lock: int | None = None
        self._knob_sockets: dict[str, Path] = {}
        self.password = ""
        self._ports: dict[str, int] = {}
        self._own_knobs = Knobs(
            self._site.sim / "processes.sock",
            {
                "process.kill": self._kill,
                "process.stop": self._stop,
                "process.start": self._start,
                "status": lambda: {n: {"pid": c.pid, "starts": c.starts} for n, c in self.children.items()},
            },
        )

    async def start(self, *, fresh: bool = False) -> None:
        """Start everything; returns when every node answers and the page is there. Raises NotStarted or OSError.

        `fresh` forgets what an earlier demo left in the folder. Port 0 is any free one.
        """
        await self._hold()
        self._web_port = self._web_port or free_port()
        _look_at_port(self._web_port)
        if fresh:
            self._site.forget()
        await self._start_simulators()
        sites = self._site.write(
            web=self._web_port,
            broker={n: self._ports["broker" if n == CENTRE else f"broker/{n}"] for n in NODES},
            modbus=self._ports["modbus"],
            trunk=self._ports["trunk"],
        )
        self.password = self._site.operator(sites[CENTRE])
        self._say("annunciators, cores and web")
        for node in NODES:
            self._add(f"{node}/annunciator", *_siaga("annunciator", self._site.file(node)))
            self._add(f"{node}/core", *_siaga("core", self._site.file(node)))
            self._knob_sockets[f"{node}/pins"] = self._site.folder / node / "run" / "pins.sock"
        self._add(f"{CENTRE}/web", *_siaga("web", self._site.file(CENTRE)))
        for node in NODES:
            (self._site.folder / node / "run").mkdir(exist_ok=True)
        await asyncio.gather(*(c.start() for n, c in self.children.items() if n.startswith(NODES)))
        for node in NODES:
            await self._answers(node, places(sites[node], self._site.file(node)).control)
        await until("the page", self._page_answers, UP_WITHIN * self._clock.speed)
        await self._own_knobs.start()
        self._knob_sockets["processes"] = self._site.sim / "processes.sock"
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
        broker = self._add("sim/broker", *python("drivers.sim.broker", "--port", "0", "--knobs", self._knob("broker")))
        self._ports["broker"] = _port(await broker.start(ready_line=True))
        lines = [f"--line={name}=0" for name in STATIONS]
        net = self._add(
            "sim/net",
            *python("drivers.sim.netcut", "--to", str(self._ports["broker"]), "--knobs", self._knob("net"), *lines),
        )
        building = self._add(
            "sim/building",
            *python("drivers.sim.building", "--rtu-port", self._site.rtu(), "--knobs", self._knob("building")),
            *DEMO_POWER,
        )
        phones = self._add(
            "sim/mobile", *python("drivers.sim.mobile", "--config", mobile, "--knobs", self._knob("mobile"))
        )
        trunk = self._add("sim/trunk", *python("drivers.sim.trunk", "--port", "0", "--knobs", self._knob("trunk")))
        said = await asyncio.gather(*(c.start(ready_line=True) for c in (net, building, phones, trunk)))
        ports: Any = said[0].get("ports", {})
        self._ports |= {f"broker/{name}": int(ports[name]) for name in STATIONS}
        self._ports |= {"modbus": _port(said[1], "tcp_port"), "trunk": _port(said[3])}

    def _knob(self, name: str) -> Path:
        self._knob_sockets[name] = self._site.sim / f"{name}.sock"
        return self._knob_sockets[name]

    def _add(self, name: str, *argv: str) -> Child:
        orphaned = signal.SIGTERM if name == "sim/broker" else signal.SIGKILL  # it has mosquitto to end
        keep = not name.startswith("sim/")
        child = Child(name, argv, self._site.logs, self._clock.environment(), keep=keep, orphaned=orphaned)
        self.children[name] = child
        return child

    async def _answers(self, node: str, control: Path) -> None:
        """Wait until a node's control socket answers."""
        deadline = self._clock.now() + UP_WITHIN * self._clock.speed
        core = self.children[f"{node}/core"]
        while self._clock.now() < deadline:
            client = Client(control)
            try:
                await client.connect()
                await client.request({"do": "hello"})
                return
            except (Gone, Refusal):
                await asyncio.sleep(0.02 * self._clock.speed)
            finally:
                client.close()
            if core.starts > GIVEN_UP:
                break
        raise _silent(core)

    def _page_answers(self) -> bool:
        if (web := self.children[f"{CENTRE}/web"]).starts > GIVEN_UP:
            raise _silent(web)
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", self._web_port)) == 0

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
            "page": f"http://127.0.0.1:{self._web_port}",
            "operator": OPERATOR,
            "password": self.password,
            "broker": {"host": "127.0.0.1", "port": self._ports["broker"]},
            "network_of": {name: self._ports[f"broker/{name}"] for name in STATIONS},
            "modems": {m["name"]: {"tty": m["port"], "number": m["number"]} for m in self._site.modems()},
            "genset": {"tty": str(self._site.rtu()), "baud": 9600, "unit": 10},
            "ups": {"host": "127.0.0.1", "port": self._ports["modbus"], "unit": 1},
            "trunk": {"host": "127.0.0.1", "port": self._ports["trunk"]},
            "nodes": self.nodes(),
            "knobs": {name: str(path) for name, path in self._knob_sockets.items()},
            "logs": str(self._site.logs),
            "processes": {name: child.pid for name, child in self.children.items()},
        }

    def nodes(self) -> dict[str, dict[str, str]]:
        """Site file, state folder and sockets of each node."""
        folder = self._site.folder
        return {
            n: {
                "site_file": str(self._site.file(n)),
                "state": str(folder / n / "state"),
                "control": str(folder / n / "run" / "control.sock"),
                "annunciator": str(folder / n / "run" / "annunciator.sock"),
            }
            for n in NODES
        }

    def _child(self, name: str) -> Child:
        if name not in self.children:
            raise ValueError(f"there is no process {name!r}; there is {', '.join(self.children)}")
        return self.children[name]

    def _kill(self, name: str) -> dict[str, Any]:
        """kill -9; it is started again."""
        self._child(name).kill(signal.SIGKILL)
        return {"killed": name}

    async def _stop(self, name: str) -> dict[str, Any]:
        """End it cleanly and leave it ended."""
        await self._child(name).stop()
        return {"stopped": name}

    async def _start(self, name: str) -> dict[str, Any]:
        await self._child(name).start()
        return {"started": name}

    async def stop(self) -> None:
        """End every process, cores before what they stand on."""
        if self._lock is None:  # the folder is not ours
            return
        self._where_file.unlink(missing_ok=True)
        await self._own_knobs.stop()
        # Cores first: one that saw its annunciator or its broker go would raise alarms that the next start still shows.
        for ends in (lambda n: n.endswith(("/core", "/web")), lambda n: not n.startswith("sim/"), lambda n: True):
            await asyncio.gather(*(child.stop() for name, child in self.children.items() if ends(name)))
        os.close(self._lock)
        self._lock = None


def _silent(child: Child) -> NotStarted:
    return NotStarted(f"{child.name} does not answer. Its last words ({child.log}):\n{child.last_words()}")


def _look_at_port(port: int) -> None:
    """Raises NotStarted when another program has the page's port: a person would be shown its pages as ours."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as e:
        why = os.strerror(e.errno) if e.errno else e
        raise NotStarted(f"port {port} cannot be used for the page ({why}); give another, 0 is any.") from e


def _siaga(command: str, file: Path) -> list[str]:
    return [sys.executable, "-m", "appliance.cli", command, "--config", str(file)]


def _port(said: dict[str, object], key: str = "port") -> int:
    port = said.get(key)
    if not isinstance(port, int):
        raise NotStarted(f"a simulator said {said} instead of its {key}.")
    return port

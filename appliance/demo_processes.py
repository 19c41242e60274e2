"""The processes of a simulated site, the sockets of its knobs, and the knobs that kill, stop and start a process."""

import asyncio
import resource
import signal
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from appliance.demo_calendar import due_soon
from appliance.demo_site import CENTRE, DemoSite, set_key
from appliance.supervisor import Child, NotStarted, python
from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone, Refusal
from drivers.sim.knobs import Knobs

UP_WITHIN = 30.0  # s of real life
GIVEN_UP = 3  # starts of one process; it does not start by being started again
LOOK_AGAIN = 0.02  # s of real life


class Processes:
    """`children` by name: `sim/...` the simulators, `NODE/...` the box's own, which are started again when they die."""

    def __init__(self, site: DemoSite, clock: Clock) -> None:
        self._site, self._clock = site, clock
        self.children: dict[str, Child] = {}
        self.knobs: dict[str, Path] = {}
        self._own = Knobs(
            site.sim / "processes.sock",
            {
                "process.kill": self._kill,
                "process.stop": self._stop,
                "process.start": self._start,
                "process.freeze": self._freeze,
                "calendar.due": self._due,
                "site.set": self._set,
                "disk.fill": self._fill,
                "disk.pull": self._pull,
                "disk.insert": self._insert,
                "status": lambda: {n: {"pid": c.pid, "starts": c.starts} for n, c in self.children.items()},
            },
        )

    def add_simulator(self, name: str, module: str, *args: str | Path) -> Child:
        """One that says a first line when it is there; its knobs are known by `name`."""
        self.knobs[name] = self._site.sim / f"{name}.sock"
        return self._add(f"sim/{name}", python(module, *args, "--knobs", self.knobs[name]))

    def add_siaga(self, node: str, command: str, environment: Mapping[str, str] | None = None) -> Child:
        """One of the box's own programs, with its node's site file."""
        argv = python("appliance.cli", command, "--config", self._site.file(node))
        return self._add(f"{node}/{command}", argv, environment)

    def _add(self, name: str, argv: list[str], more: Mapping[str, str] | None = None) -> Child:
        orphaned = signal.SIGTERM if name == "sim/broker" else signal.SIGKILL  # it has mosquitto to end
        keep = not name.startswith("sim/")
        environment = {**self._clock.environment(), **(more or {})}
        child = Child(name, argv, self._site.logs, environment, keep=keep, orphaned=orphaned)
        self.children[name] = child
        return child

    def add_node(self, node: str) -> None:
        """Annunciator and core of a node; its pins have knobs."""
        self.add_siaga(node, "annunciator")
        self.add_siaga(node, "core")
        self.knobs[f"{node}/pins"] = self._site.folder / node / "run" / "pins.sock"
        (self._site.folder / node / "run").mkdir(exist_ok=True)

    async def start_nodes(self, controls: Mapping[str, Path], pages: Collection[str]) -> None:
        """Every node, with sound at the centre and pages where they are wanted. Raises NotStarted."""
        for node in controls:
            self.add_node(node)
        self.add_siaga(CENTRE, "audio")
        for node in pages:
            self.add_siaga(node, "web")
        await asyncio.gather(*(c.start() for n, c in self.children.items() if n.startswith(tuple(controls))))
        for node, control in controls.items():
            await self.answers(node, control)

    async def answers(self, node: str, control: Path) -> None:
        """Wait until a node's control socket answers. Raises NotStarted."""
        deadline = self._clock.now() + UP_WITHIN * self._clock.speed
        core = self.children[f"{node}/core"]
        while self._clock.now() < deadline:
            client = Client(control)
            try:
                await client.connect()
                await client.request({"do": "hello"})
                return
            except (Gone, Refusal):
                await asyncio.sleep(LOOK_AGAIN * self._clock.speed)
            finally:
                client.close()
            if core.starts > GIVEN_UP:
                break
        raise silent(core)

    async def serve_knobs(self) -> None:
        await self._own.start()
        self.knobs["processes"] = self._site.sim / "processes.sock"

    async def stop(self) -> None:
        """End every process, cores before what they stand on."""
        await self._own.stop()
        # Cores first: one that saw its annunciator or its broker go would raise alarms that the next start still shows.
        for ends in (lambda n: n.endswith(("/core", "/web")), lambda n: not n.startswith("sim/"), lambda n: True):
            await asyncio.gather(*(child.stop() for name, child in self.children.items() if ends(name)))

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

    def _freeze(self, name: str, on: bool = True) -> dict[str, Any]:
        """SIGSTOP: it has all its sockets and does nothing; off: it goes on and finds what became of the time."""
        self._child(name).kill(signal.SIGSTOP if on else signal.SIGCONT)
        return {"frozen": on}

    async def _due(self, node: str, test: str) -> dict[str, Any]:
        """A test of the calendar is due at the next full minute; the node's core starts again with that."""
        core = self._child(f"{node}/core")
        time = due_soon(self._site.file(node), test, self._clock.wall())
        await core.stop()
        await core.start()
        return {"due": time}

    def _set(self, node: str, key: str, value: Any) -> dict[str, Any]:
        """What stands in a node's site file; nobody is told, as by an editor. Lists are entered by number."""
        self._child(f"{node}/core")
        return {"before": set_key(self._site.file(node), key, value)}

    # A node's disk

    def _fill(self, node: str, on: bool = True) -> dict[str, Any]:
        """No file of core's grows any more, as on a disk that is full. A core that starts meanwhile has room."""
        pid = self._child(f"{node}/core").pid
        if pid is None:
            raise ValueError(f"the core of {node!r} does not run")
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0 if on else resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return {"full": on}

    def _pull(self, node: str) -> dict[str, Any]:
        """The disk is taken out: where it was mounted an empty folder is left."""
        state, drawer = self._disk(node)
        state.rename(drawer)
        state.mkdir()
        return {"pulled": node}

    def _insert(self, node: str) -> dict[str, Any]:
        """It is put back; what was written meanwhile into the empty folder lies under it, beside."""
        state, drawer = self._disk(node)
        state.rename(state.with_name("under"))
        drawer.rename(state)
        return {"inserted": node}

    def _disk(self, node: str) -> tuple[Path, Path]:
        self._child(f"{node}/core")
        state = Path(self._site.node(node)["state"])
        return state, state.with_name("drawer")


def silent(child: Child) -> NotStarted:
    return NotStarted(f"{child.name} does not answer. Its last words ({child.log}):\n{child.last_words()}")

"""A real `siaga demo` in a process of its own, as tests start it, look at it and end it."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import psutil

from appliance.demo_site import CENTRE, NODES
from appliance.entry import Entry
from appliance.lines import ORDER_PORT
from appliance.scenario_sight import Site
from drivers.jsonsocket import Client, Gone, Refusal
from drivers.sim.knobs import turn

UP_WITHIN = 60.0  # s of real life; some 4 on a quiet machine
DOWN_WITHIN = 30.0
SETTLED_WITHIN = 40.0
LOOK = 0.04  # s between looks
ABROAD = "+62999000666"  # a stranger's telephone


class RunningDemo:
    """One demo, `speed` times as fast as outside. All waits here are in seconds of real life."""

    def __init__(self, speed: float = 4.0, *words: str) -> None:
        self.speed = speed
        self.folder = Path(tempfile.mkdtemp(prefix="siaga-t-"))  # short: Unix sockets
        self.words = [siaga(), "demo", "--folder", str(self.folder), "--port", "0", "--speed", str(speed), *words]
        self.process: subprocess.Popen[bytes] | None = None
        self.unsettled = False

    def start(self) -> "RunningDemo":
        with (self.folder / "said").open("wb") as said:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        deadline = time.monotonic() + UP_WITHIN
        while not (self.folder / "where.json").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self.folder / "said").read_text())
            time.sleep(LOOK)
        self.where: dict[str, Any] = msgspec.json.decode((self.folder / "where.json").read_bytes())
        self.site = Site(self.where)
        self.family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        return self

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it as Ctrl-C does; fails when any process of it is left."""
        if self.process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            self.family += psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(number)
        try:
            self.process.wait(DOWN_WITHIN)
        finally:
            self.process.kill()
            left = self.left()
            for process in left:
                process.kill()
        assert not left, f"still there: {left}"
        shutil.rmtree(self.folder)

    def left(self, within: float = 5.0) -> list[psutil.Process]:
        """What still runs of it `within` s from now: its processes, theirs, and whatever speaks of its folder."""
        deadline = time.monotonic() + within
        while True:
            found = {p for p in self.family if _runs(p)}
            for process in psutil.process_iter(["cmdline"]):
                if any(str(self.folder) in word for word in process.info["cmdline"] or ()) and _runs(process):
                    found.add(process)
            if not found or time.monotonic() > deadline:
                return list(found)
            time.sleep(LOOK)

    # Looking

    async def ask(self, do: str, node: str = CENTRE, **fields: Any) -> Any:
        """At a node's control socket, as the box's own console."""
        async with self.control(node) as client:
            return await client.request({"do": do, **fields}, timeout=20.0 * self.speed)

    @contextlib.asynccontextmanager
    async def control(self, node: str = CENTRE) -> AsyncIterator[Client]:
        client = Client(Path(self.where["nodes"][node]["control"]))
        await client.connect()
        try:
            yield client
        finally:
            client.close()

    async def view(self, node: str = CENTRE) -> dict[str, Any]:
        view: dict[str, Any] = await self.ask("view", node)
        return view

    async def knob(self, process: str, knob: str, **args: Any) -> Any:
        return await turn(Path(self.where["knobs"][process]), knob, timeout=60.0, **args)

    async def send_sms(self, data: bytes, to: str) -> None:
        """Octets from a stranger's telephone to the orders' port of a modem."""
        ports = {"src_port": ORDER_PORT, "dst_port": ORDER_PORT}
        await self.knob("mobile", "sms.binary", number=ABROAD, data_hex=data.hex(), to=to, **ports)

    async def status(self) -> dict[str, dict[str, int | None]]:
        """`pid` and `starts` of each process."""
        status: dict[str, dict[str, int | None]] = await self.knob("processes", "status")
        return status

    async def rises(self, node: str, pin: str = "siren") -> int:
        """How often a pin went on since its process started."""
        return sum(1 for change in await self.knob(f"{node}/pins", "pins.record", name=pin) if change["value"])

    async def level(self, node: str, pin: str = "siren") -> int:
        return int((await self.knob(f"{node}/pins", "pins.read"))[pin])

    def seq(self, node: str) -> int:
        """The last row of a node's journal."""
        rows = self.site.entries(node, 0)
        return rows[-1].seq if rows else 0

    def rows(self, node: str, kind: str, after: int = 0, **fields: Any) -> list[Entry]:
        """Rows of a kind whose bodies have these fields."""
        return [
            e
            for e in self.site.entries(node, after)
            if e.kind == kind and all(msgspec.json.decode(e.body).get(k) == v for k, v in fields.items())
        ]

    async def row(self, node: str, kind: str, after: int = 0, within: float = 20.0, **fields: Any) -> dict[str, Any]:
        """The body of the first such row, waited for."""

        def look() -> list[Entry]:
            return self.rows(node, kind, after, **fields)

        try:
            found = await until(look, within)
        except AssertionError:
            seen = [f"{e.kind} {e.body.decode()[:120]}" for e in self.site.entries(node, after)]
            raise AssertionError(f"no {kind} {fields} at {node} in {within:g} s; there was {seen}") from None
        body: dict[str, Any] = msgspec.json.decode(found[0].body)
        return body

    async def sound(self, *stations: str, seconds: int = 60) -> str:
        """Order a siren at the centre; the alert's id."""
        issued = await self.ask("alert.issue", stations=stations, pattern="steady", seconds=seconds, via="command")
        return str(issued["alert"])

    async def delivery(self, alert: str, station: str) -> dict[str, Any]:
        """What the centre says of it."""
        found = next(a for a in (await self.view())["alerts"] if a["id"] == alert)
        delivery: dict[str, Any] = found["deliveries"][station]
        return delivery

    async def settle(self) -> None:
        """Both stations are online and all lines registered; no alert is open and no siren sounds."""

        left: list[Any] = []  # what was not so when last looked at

        async def settled() -> bool:
            try:
                views = [await self.view(node) for node in NODES]
                left[:] = [
                    *(s for s in views[0]["stations"] if not (s["local"] or (s["contact"] and s["contact"]["online"]))),
                    *(line for v in views for line in v["lines"] if line["can_take_call"] != "registered"),
                    *(a for a in views[0]["alerts"] if a["ended"] is None),
                    *[f"{node} sounds" for node in NODES if await self.level(node)],
                ]
            except (Gone, Refusal) as e:
                left[:] = [e]
            return not left

        assert not self.unsettled, "an earlier test left this site in a state that it does not come out of"
        self.unsettled = True
        try:
            await until_so(settled, SETTLED_WITHIN)
        except AssertionError as e:
            raise AssertionError(f"after {SETTLED_WITHIN:g} s: {left}") from e
        self.unsettled = False

    async def silence(self) -> None:
        """End every alert."""
        await self.ask("alert.stop")
        await self.settle()


def siaga() -> str:
    """The command as a person starts it."""
    return str(Path(sys.executable).with_name("siaga"))


async def until(look: Callable[[], Any], within: float = 20.0) -> Any:
    """What `look` returns once that is true."""

    async def looked() -> Any:
        return look()

    return await until_so(looked, within)


async def until_so(look: Callable[[], Awaitable[Any]], within: float = 20.0) -> Any:
    deadline = time.monotonic() + within
    while True:
        begun = time.monotonic()
        if found := await look():
            return found
        assert begun < deadline, f"{look} did not become true in {within:g} s"
        await asyncio.sleep(LOOK)


def _runs(process: psutil.Process) -> bool:
    if process.pid == os.getpid():
        return False
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

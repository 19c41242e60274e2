"""A box with its lines on simulated modems: the mobile network too, on one loop with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from appliance.annunciator_config import AnnunciatorConfig
from appliance.config import Calls, Line, Site
from appliance.entry import Entry
from appliance.event import Event
from appliance.fold import apply
from appliance.journal import Journal
from appliance.lines.service import Lines
from appliance.model import Role
from appliance.state import State
from appliance.view import LineView
from drivers.clock import Clock, VirtualClock
from drivers.sim.knobs import turn
from drivers.sim.mobile import MobileConfig, ModemConfig, run

CALLS = Calls()
PATIENCE = 200.0  # s of the loop
ROOT = Path(__file__).parents[2]
PROFILES = ROOT / "firmware-config"
NUMBERS = {"l1": "+62000000001", "l2": "+62000000002"}
MODELS = {"l1": "eg25g", "l2": "sim7600"}
OUTSIDE = "+6281234567890"

E = TypeVar("E", bound=Event)


class Network:
    """The simulated modems l1 and l2, EG25-G and SIM7600 unless told otherwise, on ptys in `folder`."""

    def __init__(self, folder: Path, clock: Clock, models: Mapping[str, str] = MODELS) -> None:
        self.folder = folder
        modems = [ModemConfig(name, str(folder / name), NUMBERS[name], models[name]) for name in NUMBERS]
        self._running = asyncio.create_task(run(MobileConfig(modems), folder / "knobs", clock.wall))

    async def until_ready(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while not (self.folder / "knobs").exists():
                await asyncio.sleep(0.1)

    async def turn(self, do: str, **args: Any) -> Any:
        return await turn(self.folder / "knobs", do, timeout=PATIENCE, **args)

    async def stored(self, name: str) -> int:
        """Messages that lie in a modem's memories."""
        return sum((await self.turn("status"))["modems"][name]["stored"].values())

    async def until_empty(self, name: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.stored(name):
                await asyncio.sleep(0.2)

    async def typed(self, name: str) -> str:
        """What its modem heard last."""
        return str(await self.turn("modem.log", name=name, last=60))

    async def stop(self) -> None:
        self._running.cancel()
        await asyncio.wait([self._running])


class Box:
    """One life of the box: journal, fold and lines. `start` and `stop` it; the next life finds the journal."""

    def __init__(
        self,
        folder: Path,
        clock: VirtualClock,
        profiles: Path = PROFILES,
        ask_at: float = 120.0,
        calls: Calls = CALLS,
        **line_keys: Any,
    ) -> None:
        self.offsets: list[tuple[str, float]] = []
        self.state = State()
        self.entries: list[Entry] = []
        self.data: list[tuple[str, bytes]] = []
        self._wake = asyncio.Event()
        self._journal = Journal(folder / "disk" / "journal.db", clock, "boot", lambda: "ntp", self._on_entry)
        self._journal.open()
        clock.busy = lambda: self._journal.writing
        self.entries.clear()
        lines = tuple(
            Line(id=name, name=name, port=str(folder / name), number=NUMBERS[name], **line_keys) for name in NUMBERS
        )
        site = Site(
            role=Role.CENTRE, site="s", id="c", name="C", line=lines, calls=calls,
            annunciator=AnnunciatorConfig(socket="a.sock", factory="mock"),
        )  # fmt: skip
        self.lines = Lines(
            site=site, profiles=profiles, state=self.state, clock=clock, append=self._journal.append,
            on_changed=self._wake.set, on_data=self._on_data, recordings=folder / "disk" / "modem",
            on_time=lambda line, offset: self.offsets.append((line, offset)), uniform=lambda _least, _most: ask_at,
        )  # fmt: skip
        self._running = asyncio.create_task(self.lines.run())

    def _on_entry(self, entry: Entry) -> None:
        apply(self.state, entry)
        self.entries.append(entry)
        self._wake.set()

    def _on_data(self, number: str, payload: bytes) -> None:
        self.data.append((number, payload))
        self._wake.set()

    def all(self, kind: type[E]) -> list[E]:
        return [e.event for e in self.entries if isinstance(e.event, kind)]

    def kinds(self, prefix: str) -> list[str]:
        return [e.kind for e in self.entries if e.kind.startswith(prefix)]

    async def until(self, done: Callable[[], bool], what: str = "") -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not done():
                    self._wake.clear()
                    await self._wake.wait()
        except TimeoutError:
            raise AssertionError(f"never {what}; {[(e.kind, e.body) for e in self.entries]}") from None

    async def event(self, kind: type[E], count: int = 1) -> E:
        """The newest of at least `count` events of a kind."""
        await self.until(lambda: len(self.all(kind)) >= count, f"{count} {kind.__name__}")
        return self.all(kind)[-1]

    async def ready(self) -> None:
        """Both lines are registered."""
        await self.until(lambda: all(v.can_take_call == "registered" for v in self.lines.views()), "registered")

    async def ready_or_in_call(self) -> None:
        await self.until(lambda: all(v.registration.value == "home" for v in self.lines.views()), "registered")

    def append(self, event: Event) -> None:
        self._journal.append(event)

    def view(self, name: str) -> LineView:
        return next(v for v in self.lines.views() if v.id == name)

    async def stop(self) -> None:
        self._running.cancel()
        await asyncio.wait({self._running})
        self._journal.close()


class World:
    """A network, and a box that can be started again."""

    def __init__(self, folder: Path, clock: VirtualClock, models: Mapping[str, str] = MODELS) -> None:
        self._folder, self._clock = folder, clock
        self.network = Network(folder, clock, models)
        self._boxes: list[Box] = []

    async def start(self, profiles: Path = PROFILES, **more: Any) -> Box:
        await self.stop()
        self._boxes.append(Box(self._folder, self._clock, profiles, **more))
        return self._boxes[-1]

    async def stop(self) -> None:
        while self._boxes:
            await self._boxes.pop().stop()


@asynccontextmanager
async def world(folder: Path, clock: VirtualClock, models: Mapping[str, str] = MODELS) -> AsyncIterator[World]:
    made = World(folder, clock, models)
    try:
        await made.network.until_ready()
        yield made
    finally:
        await made.stop()
        await made.network.stop()


def play(folder: Path, story: Callable[[World], Awaitable[None]], models: Mapping[str, str] = MODELS) -> None:
    """Let a story happen in a world and a time of its own. `models` are those of l1 and l2."""

    async def main() -> None:
        async with world(folder, clock, models) as there:
            await story(there)

    clock = VirtualClock()
    clock.run(main())

"""An annunciator for tests: over its real socket, on mock pins, in virtual time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from appliance.annunciator import run
from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_config import AnnunciatorConfig, ConfigRefused, check
from appliance.annunciator_protocol import Barred, InputChange, OutputChange, Pressed, Standing
from drivers.clock import VirtualClock
from drivers.sim.knobs import turn

WIRING: dict[str, Any] = {
    "factory": "mock",
    "output": {
        "siren": {"pin": 17, "kind": "siren", "max_s": 180},
        "buzzer": {"pin": 27, "kind": "buzzer", "max_s": 60},
        "amber": {"pin": 22, "kind": "light"},
        "strobe": {"pin": 24, "kind": "light", "max_s": 20},
        "local": {"pin": 10, "kind": "lamp"},
    },
    "input": {
        "button": {"pin": 23, "kind": "button"},
        "ack": {"pin": 25, "kind": "acknowledge", "pull": "down"},
    },
    "button": {"input": "button", "output": "siren", "pattern": "yelp", "seconds": 45, "lamp": "local"},
}


def wiring(**changes: Any) -> AnnunciatorConfig:
    return msgspec.convert({"socket": "/run/a.sock", **WIRING, **changes}, AnnunciatorConfig)


class Core:
    """A core that writes down what it is told."""

    def __init__(self, path: Path) -> None:
        self.standings: list[Standing] = []
        self.outputs: list[OutputChange] = []
        self.inputs: list[InputChange] = []
        self.presses: list[Pressed] = []
        self.barred: list[Barred] = []
        self._greeted = asyncio.Event()
        self.link = AnnunciatorLink(
            path,
            on_up=self._greet,
            on_output=self.outputs.append,
            on_input=self.inputs.append,
            on_press=self.presses.append,
            on_barred=self.barred.append,
        )
        self._task = asyncio.create_task(self.link.run())

    def _greet(self, standing: Standing) -> None:
        self.standings.append(standing)
        self._greeted.set()

    async def up(self) -> None:
        async with asyncio.timeout(10):
            await self._greeted.wait()

    async def dies(self) -> None:
        client = self.link._link._client
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        if client:
            client.close()
        await asyncio.sleep(0.01)

    def whys(self, output: str = "siren") -> list[tuple[bool, str | None, str]]:
        return [(change.on, change.order, change.why) for change in self.outputs if change.output == output]


class Box:
    """A running annunciator, its knobs, and whoever connects."""

    def __init__(self, folder: Path, clock: VirtualClock) -> None:
        self.clock, self.socket, self.knobs = clock, folder / "a.sock", folder / "knobs.sock"
        self.file: dict[str, Any] = {}  # what a reload finds changed in the file

    @contextlib.asynccontextmanager
    async def running(self, **changes: Any) -> AsyncIterator[None]:
        stop, ready = asyncio.Event(), asyncio.Event()
        config = wiring(socket=str(self.socket), knobs=str(self.knobs), **changes)
        read = partial(self._read, changes)
        task = asyncio.create_task(run(config, stop, ready.set, read))
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            waiting.cancel()
            await task
        yield
        stop.set()
        await task

    def _read(self, changes: dict[str, Any]) -> AnnunciatorConfig:
        config = wiring(**{"socket": str(self.socket), "knobs": str(self.knobs), **changes, **self.file})
        if reasons := check(config):
            raise ConfigRefused("\n".join(reasons))
        return config

    @contextlib.asynccontextmanager
    async def core(self) -> AsyncIterator[Core]:
        core = Core(self.socket)
        await core.up()
        try:
            yield core
        finally:
            await core.dies()

    async def turn(self, knob: str, **args: Any) -> Any:
        return await turn(self.knobs, knob, **args)

    async def level(self, name: str = "siren") -> int:
        levels: dict[str, int] = await self.turn("pins.read")
        return levels[name]

    async def changes(self, name: str = "siren", since: float = 0.0) -> list[tuple[float, int]]:
        record = await self.turn("pins.record", name=name)
        return [(round(c["at"] - since, 2), c["value"]) for c in record if c["at"] >= since]

    async def press(self, name: str = "button") -> float:
        """A short press; returns when it began."""
        began = self.clock.now()
        await self.turn("input.press", name=name, hold_s=0.2)
        await asyncio.sleep(0.3)
        return began


def play(folder: Path, story: Callable[[Box], Awaitable[None]]) -> None:
    """Tell a story with a box whose files are in `folder`; an hour of it takes milliseconds."""
    clock = VirtualClock()

    async def main() -> None:
        await story(Box(folder, clock))

    clock.run(main())

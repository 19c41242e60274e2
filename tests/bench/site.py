"""The demo as the bench runs it: at the speed of real life, on free ports, settled before anything is measured."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from appliance.demo import Demo
from appliance.demo_site import CENTRE, STATIONS
from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone, Refusal
from drivers.sim.broker import free_port
from drivers.sim.knobs import turn

SETTLE_WITHIN = 60.0  # s
LOOK = 0.25  # s
BOX = ("core", "web", "annunciator", "audio")


class Unsettled(Exception):
    """The site did not come to its ordinary state; the text says what is missing."""


class BenchSite:
    """What the bench needs of a running demo."""

    def __init__(self, demo: Demo) -> None:
        self._demo, self.where = demo, demo.where()

    @property
    def centre(self) -> dict[str, str]:
        """The centre's files and sockets."""
        return dict(self.where["nodes"][CENTRE])

    def pids(self) -> list[int]:
        """Of the centre's processes, in the order of BOX."""
        found = [self._demo.children[f"{CENTRE}/{name}"].pid for name in BOX]
        return [pid for pid in found if pid is not None]

    async def process(self, do: str, name: str) -> None:
        """`do` is stop or start; the name is without its node."""
        await turn(Path(self.where["knobs"]["processes"]), f"process.{do}", timeout=30.0, name=f"{CENTRE}/{name}")

    async def settle(self) -> None:
        """Every station is heard, every line registered, the building fed by the mains. Raises Unsettled."""
        deadline, missing = self._clock_now() + SETTLE_WITHIN, ["everything"]
        while missing:
            if self._clock_now() > deadline:
                raise Unsettled(f"the demo does not settle within {SETTLE_WITHIN:g} s: {', '.join(missing)}.")
            await asyncio.sleep(LOOK)
            missing = await self._missing()

    async def _missing(self) -> list[str]:
        client = Client(Path(self.centre["control"]))
        try:
            await client.connect()
            view: dict[str, Any] = await client.request({"do": "view"})
        except (Gone, Refusal) as e:
            return [str(e)]
        finally:
            client.close()
        heard = {s["id"] for s in view["stations"] if s["contact"] and s["contact"]["online"]}
        missing = [f"{name} is not heard" for name in STATIONS if name not in heard]
        missing += [f"line {line['id']} is not registered" for line in view["lines"] if line["can_take_call"] == "no"]
        if (view["power"] or {}).get("source") != "mains":
            missing.append("the mains do not feed")
        return missing

    @staticmethod
    def _clock_now() -> float:
        return asyncio.get_running_loop().time()


@contextlib.asynccontextmanager
async def running_site(folder: Path) -> AsyncIterator[BenchSite]:
    """A demo in `folder`, ended with the context. Raises NotStarted, Unsettled or OSError."""
    demo = Demo(folder, Clock(1.0), web_port=free_port())
    try:
        await demo.start()
        site = BenchSite(demo)
        await site.settle()
        yield site
    finally:
        await demo.stop()

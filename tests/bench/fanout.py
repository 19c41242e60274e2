"""One centre, many stations, one broker: an order to all of them, until each one's answer is verified and on disk.

`python -m tests.bench.fanout --stations 1000 --orders 20` prints the rows; see docs/bench.md.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import psutil

from drivers.clock import Clock
from drivers.jsonsocket import Client
from tests.bench.cost import idle_cpu, memory
from tests.bench.fanout_floor import floor
from tests.bench.fanout_site import FanoutSite, fanout_site
from tests.bench.table import Row, at_most, beside, exactly, percentile, plain, summary, text

WARM = 2  # orders that are not counted
SECONDS = 120  # that an order sounds; each is stopped long before
PAUSE = (0.2, 0.5)  # s between a stop's end and the next order: heartbeats go on
IDLE = 12.0  # s of heartbeats; four of each station
AIMS = {50: 0.5, 99: 1.0}  # s
SHOWN_WITHIN = 30.0  # s
FEWER = (10, 100)  # stations besides, to see what each one costs


class Order(msgspec.Struct):
    """One order to all. Seconds since before the request."""

    told: float  # the person has core's answer: it is on disk
    energised: float  # the last answer is on disk
    ended: float  # since the request to stop it
    cpu: dict[str, float]  # s, by process, until `energised`
    shown: float | None = None  # a page's view tells of all of them


class Found(msgspec.Struct):
    """What was measured with one number of stations."""

    count: int
    orders: list[Order]
    idle: float  # % of a core
    pss: float  # MB
    rss: float
    right: int  # orders that the stations found rightly signed, for them
    watched: list[Order]  # with a page open
    view: float  # kB, of the largest view that the page got


class Watcher:
    """A page's connection to core: gets each view, as web does while a page is open."""

    def __init__(self, site: FanoutSite) -> None:
        self._site = site
        self._client = Client(site.control, self._pushed)
        self._seen = asyncio.Event()
        self._waits = ""
        self.largest = 0

    async def open(self) -> None:
        await self._client.connect()
        await self._client.request({"do": "subscribe", "views": True})

    def close(self) -> None:
        self._client.close()

    async def shown(self, alert: str) -> float:
        """The loop's time at which a view came that tells of each station's siren."""
        self._waits = alert
        self._seen.clear()
        async with asyncio.timeout(SHOWN_WITHIN):
            await self._seen.wait()
        return asyncio.get_running_loop().time()

    def _pushed(self, message: dict[str, Any]) -> None:
        if "view" not in message:
            return
        told = [alert for alert in message["view"]["alerts"] if alert["id"] == self._waits]
        if told and all(delivery.get("energised") for delivery in told[0]["deliveries"].values()):
            self._waits = ""
            self.largest = max(self.largest, len(msgspec.json.encode(message)))
            self._seen.set()


async def measure(folder: Path, count: int, orders: int, idle_s: float = IDLE) -> Found:
    """So many orders to so many stations. Raises Unheard, Gone, Refusal."""
    async with fanout_site(folder, count) as site:
        client = Client(site.control)
        await client.connect()
        try:
            [idle] = await idle_cpu([site.core_pid], idle_s) if idle_s else [0.0]
            for _ in range(WARM):
                await one_order(site, client)
            assert site.stations is not None
            await site.stations.report()
            done = []
            for _ in range(orders):
                await asyncio.sleep(random.uniform(*PAUSE))
                done.append(await one_order(site, client))
            watcher = Watcher(site)
            await watcher.open()
            watched = []
            for _ in range((orders + 1) // 2):
                await asyncio.sleep(random.uniform(*PAUSE))
                watched.append(await one_order(site, client, watcher))
            watcher.close()
            report = await site.stations.report()
            held = memory([site.core_pid])
        finally:
            client.close()
    return Found(
        count, done, idle, held.pss, held.rss, report["orders"] - report["wrong"], watched, watcher.largest / 1e3
    )


async def one_order(site: FanoutSite, client: Client, watcher: Watcher | None = None) -> Order:
    """Sound all stations, then stop them, until both are on disk."""
    loop, count = asyncio.get_running_loop(), len(site.names)
    after = site.rows("", 0)
    processes = {"core": site.core_pid, "broker": site.broker.pid, "stations": site.stations_pid}
    before = {name: spent(pid) for name, pid in processes.items()}
    began = loop.time()
    looking = asyncio.ensure_future(site.written("delivery.energised", count, after=after))
    command = {"do": "alert.issue", "stations": site.names, "seconds": SECONDS, "via": "command"}
    answer = await client.request(command, timeout=30.0)
    told = loop.time()
    seeing = asyncio.ensure_future(watcher.shown(answer["alert"])) if watcher else None
    energised = await looking
    cpu = {name: spent(pid) - before[name] for name, pid in processes.items()}
    shown = await seeing - began if seeing else None
    await asyncio.sleep(0.1)
    stopped = loop.time()
    await client.request({"do": "alert.stop", "alerts": [answer["alert"]], "via": "command"}, timeout=30.0)
    ended = await site.written("alert.ended", 1, after=after)
    return Order(told - began, energised - began, ended - stopped, cpu, shown)


def spent(pid: int) -> float:
    """CPU seconds of a process since its start."""
    return float(sum(psutil.Process(pid).cpu_times()[:2]))


def rows_of(found: Found, floors: Sequence[float]) -> list[Row]:
    n = found.count
    took = [order.energised for order in found.orders]
    name = f"order to {n} stations, until the last signed answer is on disk"
    rows = [at_most(f"{name}, p{percent}", percentile(took, percent), "s", most) for percent, most in AIMS.items()]
    if floors:
        rows.append(
            beside(f"{name}, p50 (floor: one unsigned message)", rows[0].value or 0, "s", percentile(floors, 50))
        )
    rows += [
        plain(
            "  of it until it is durable and its giver is told, p50",
            percentile([o.told for o in found.orders], 50),
            "s",
        ),
        plain(
            f"stop of {n} stations, until the last is seen silent, p50",
            percentile([o.ended for o in found.orders], 50),
            "s",
        ),
    ]
    rows += [
        plain(f"  CPU of {process} in an order", 1e3 * sum(o.cpu[process] for o in found.orders) / len(took), "ms")
        for process in found.orders[0].cpu
    ]
    if found.watched:
        watched = [order.energised for order in found.watched]
        shown = [order.shown for order in found.watched if order.shown is not None]
        rows += [at_most(f"{name}, page open, p50", percentile(watched, 50), "s", AIMS[50])]
        rows += [plain(f"  of it shown, p{percent}", percentile(shown, percent), "s") for percent in AIMS]
        rows.append(plain(f"a view while {n} stations are woken", found.view, "kB"))
    sent = 2 * n * (len(found.orders) + len(found.watched))
    return [*rows, exactly("  orders and stops found rightly signed by their stations", found.right, "orders", sent)]


def cost_rows(found: Found) -> list[Row]:
    """What core costs with so many stations."""
    n = found.count
    each = 1e3 * sum(o.cpu["core"] for o in found.orders) / len(found.orders)
    return [
        plain(f"core with {n} stations: memory, PSS", found.pss, "MB"),
        plain(f"core with {n} stations: idle, a heartbeat of each in 3 s", found.idle, "% of a core"),
        plain(f"core with {n} stations: CPU in an order", each, "ms"),
    ]


async def rows(folder: Path, stations: int, orders: int, fewer: Sequence[int] = FEWER) -> list[Row]:
    """All rows. Raises Unheard, TimeoutError."""
    folder.mkdir(exist_ok=True)
    half = (orders + 1) // 2
    floors = await floor(folder / "floor-before", stations, half)
    costs = [cost_rows(await measure(folder / f"n{n}", n, half)) for n in fewer if n < stations]
    found = await measure(folder / "all", stations, orders)
    floors += await floor(folder / "floor-after", stations, half)
    return [*rows_of(found, floors), *(row for some in costs for row in some), *cost_rows(found)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fanout", description=__doc__)
    parser.add_argument("--stations", type=int, default=1000)
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--only", action="store_true", help="neither fewer stations nor the floor")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="siaga-fanout-") as folder:
        if options.only:
            found = Clock(1.0).run(measure(Path(folder) / "all", options.stations, options.orders))
            table = [*rows_of(found, ()), *cost_rows(found)]
        else:
            table = Clock(1.0).run(rows(Path(folder), options.stations, options.orders))
    print(text(table))
    print(summary(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())

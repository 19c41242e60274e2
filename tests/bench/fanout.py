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
from tests.bench.fanout_page import OpenPage
from tests.bench.fanout_rows import Found, Order, cost_rows, costs_in_markdown, rows_of, tls_rows
from tests.bench.fanout_site import FanoutSite, Unheard, fanout_site
from tests.bench.table import Row, summary, text

WARM = 2  # orders that are not counted
SECONDS = 120  # that an order sounds; each is stopped long before
PAUSE = (0.2, 0.5)  # s between a stop's end and the next order: heartbeats go on
IDLE = 31.0  # s of heartbeats, ten of each station; dashboards are told everything again once in 30
SHOWN_WITHIN = 30.0  # s
FEWER = (10, 100)  # stations besides, to see what each one costs


class Watcher:
    """A page's connection to core: gets each view, as web does while a page is open."""

    def __init__(self, site: FanoutSite) -> None:
        self._site = site
        self._client = Client(site.control, self._pushed)
        self._seen = asyncio.Event()
        self._waits = ""
        self._views, self._missing = 0, "no view at all"
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
        try:
            async with asyncio.timeout(SHOWN_WITHIN):
                await self._seen.wait()
        except TimeoutError:
            raise Unheard(f"no view within {SHOWN_WITHIN:g} s tells of all: {self._missing}.") from None
        return asyncio.get_running_loop().time()

    def _pushed(self, message: dict[str, Any]) -> None:
        if "view" not in message:
            return
        self._views += 1
        told = [alert for alert in message["view"]["alerts"] if alert["id"] == self._waits]
        missing = [d for alert in told for d in alert["deliveries"].values() if not d.get("energised")]
        self._missing = f"{self._views} views since the connection, {len(missing)} stations missing, one {missing[:1]}"
        if told and not missing:
            self._waits = ""
            self.largest = max(self.largest, len(msgspec.json.encode(message)))
            self._seen.set()


async def measure(folder: Path, count: int, orders: int, *, tls: bool = False, pages: bool = False) -> Found:
    """So many orders to so many stations. Raises Unheard, Gone, Refusal, TimeoutError."""
    async with fanout_site(folder, count, tls=tls) as site:
        client = Client(site.control)
        await client.connect()
        try:
            await site.until_settled()
            [idle] = await idle_cpu([site.core_pid], IDLE)
            await several(WARM, site, client)
            assert site.stations is not None
            await site.stations.report()
            done = await several(orders, site, client)
            watcher = Watcher(site)
            await watcher.open()
            watched = await several((orders + 1) // 2, site, client, watcher=watcher)
            watcher.close()
            held = memory([site.core_pid])
            paged, web_pss = await with_page(site, client, orders) if pages else ([], 0.0)
            report = await site.stations.report()
        finally:
            client.close()
    right = report["orders"] - report["wrong"]
    return Found(
        count,
        done,
        idle,
        held.pss,
        held.rss,
        right,
        watched,
        watcher.largest / 1e3,
        paged,
        web_pss,
        WARM if pages else 0,
    )


async def with_page(site: FanoutSite, client: Client, orders: int) -> tuple[list[Order], float]:
    """Orders with `siaga web` and one page in a browser; MB of web afterwards."""
    page = OpenPage(site.file, site.folder / "web.log", site.web_port)
    try:
        await page.open()
        await several(WARM, site, client, page=page)
        return await several(orders, site, client, page=page), memory([page.pid]).pss
    finally:
        await page.close()


async def several(
    orders: int, site: FanoutSite, client: Client, *, watcher: Watcher | None = None, page: OpenPage | None = None
) -> list[Order]:
    done = []
    for _ in range(orders):
        await asyncio.sleep(random.uniform(*PAUSE))
        done.append(await one_order(site, client, watcher, page))
    return done


async def one_order(
    site: FanoutSite, client: Client, watcher: Watcher | None = None, page: OpenPage | None = None
) -> Order:
    """Sound all stations, then stop them, until both are on disk."""
    loop, count = asyncio.get_running_loop(), len(site.names)
    after = site.rows("", 0)
    processes = {"core": site.core_pid, "broker": site.broker.pid, "stations": site.stations_pid}
    for child in psutil.Process(site.core_pid).children():
        processes["verifier"] = child.pid
    if page is not None:
        processes["web"] = page.pid
    sent_before = page.bytes if page else 0
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
    paged = await page.shows(site.rows("", 0)) - energised if page else None
    if page is not None:
        cpu["web"] = spent(page.pid) - before["web"]  # it goes on behind the last answer
    await asyncio.sleep(0.1)
    stopped = loop.time()
    await client.request({"do": "alert.stop", "alerts": [answer["alert"]], "via": "command"}, timeout=30.0)
    ended = await site.written("alert.ended", 1, after=after)
    page_kb = (page.bytes - sent_before) / 1e3 if page else 0.0
    return Order(told - began, energised - began, ended - stopped, cpu, shown, paged, page_kb)


def spent(pid: int) -> float:
    """CPU seconds of a process since its start."""
    return float(sum(psutil.Process(pid).cpu_times()[:2]))


async def rows(folder: Path, stations: int, orders: int, fewer: Sequence[int] = FEWER) -> list[Row]:
    """All rows. Raises Unheard, TimeoutError."""
    return (await all_rows(folder, stations, orders, fewer))[1]


async def all_rows(
    folder: Path, stations: int, orders: int, fewer: Sequence[int] = FEWER
) -> tuple[list[Found], list[Row]]:
    """What was found, by number of stations, and its rows. Raises Unheard, TimeoutError."""
    folder.mkdir(exist_ok=True)
    half = (orders + 1) // 2
    floors = await floor(folder / "floor-before", stations, half)
    every = [await measure(folder / f"n{n}", n, half) for n in fewer if n < stations]
    found = await measure(folder / "all", stations, orders, pages=True)
    floors += await floor(folder / "floor-after", stations, half)
    over_tls = await measure(folder / "tls", stations, half, tls=True)
    every.append(found)
    costs = [row for one in every for row in cost_rows(one)]
    return every, [*rows_of(found, floors), *tls_rows(over_tls, found), *costs]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fanout", description=__doc__)
    parser.add_argument("--stations", type=int, default=1000)
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--only", action="store_true", help="neither fewer stations nor the floor")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="siaga-fanout-") as folder:
        if options.only:
            found = Clock(1.0).run(measure(Path(folder) / "all", options.stations, options.orders, pages=True))
            every, table = [found], [*rows_of(found, ()), *cost_rows(found)]
        else:
            every, table = Clock(1.0).run(all_rows(Path(folder), options.stations, options.orders))
    print(text(table))
    print(summary(table))
    print("\n" + costs_in_markdown(every))
    return 0


if __name__ == "__main__":
    sys.exit(main())

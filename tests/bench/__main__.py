"""`make bench`: how fast and how heavy the box is, beside what the same work costs at least. See docs/bench.md.

Prints a table and writes build/bench.json. Everything is measured in one run, the floor and the presses in turns, so
that what disturbs the one disturbs the other.
"""

import argparse
import asyncio
import contextlib
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import msgspec

from appliance.journal_file import read_entries
from appliance.supervisor import NotStarted
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal
from drivers.sim.broker import BrokerUnavailable
from tests.bench import audio, audio_back, audio_process, codec, fanout, history, modbus_scan, sms_inbound
from tests.bench.compare import Series, beside_rivals, latency_rows
from tests.bench.cost import idle_cpu, memory, start_of_core
from tests.bench.fanout_site import Unheard
from tests.bench.floor import Floor, disk
from tests.bench.noise import Noise
from tests.bench.person import Refused
from tests.bench.press import Lost, Presses
from tests.bench.rivals.codec import WrongText
from tests.bench.rivals.names import BUILD, FILE
from tests.bench.site import BOX, BenchSite, Unsettled, running_site
from tests.bench.table import Row, at_most, exactly, percentile, plain, summary, text
from tests.bench.wire_tap import WireTap

BLOCK = 25  # rounds of one kind before those of another
IDLE = 20.0  # s
CALM = 10.0  # s after the site has settled, and after the last page closed: nobody looks any more
STARTS = 5
STATIONS, ORDERS = 1000, 20  # of the order that wakes a whole city
OTHERS, QUIET = "other programs' CPU meanwhile", 20.0  # % of a core; above it latencies of some ms say little
MOST_MEMORY, MOST_START, MOST_IDLE = 150.0, 1.5, 3.0  # MB, s, % of a core: for a board of 4 GB and 4 slow cores
WRONG = (
    NotStarted,
    Unsettled,
    sms_inbound.Unheard,
    Unheard,
    audio_process.Unready,
    Lost,
    Refused,
    BrokerUnavailable,
    Gone,
    Refusal,
    WrongText,
    TimeoutError,
    OSError,
    AssertionError,
)


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


async def measure(folder: Path, rounds: int) -> list[Row]:
    """All rows, in the order of the table."""
    noise = Noise()
    rows: list[Row] = []
    floor = Floor(folder)
    say("starting the floor's two processes and a demo ...")
    async with running_site(folder / "site") as site:
        say(f"idle for {CALM + IDLE:g} s ...")
        await asyncio.sleep(CALM)
        rows += await _quiet(site)
        presses = Presses(site.where)
        try:
            await floor.start()
            await presses.start()
            rows += await _latency(floor, presses, rounds)
            rows.append(await _order_of_things(site, presses))
            async with presses.person.open_page():
                await asyncio.sleep(CALM)
                rows += _memory("page open, after all presses", site)
        finally:
            presses.stop()
            await floor.stop()
        rows.append(await _start(site, folder / "start.log"))
    say("messages into a core of its own ...")
    inbound = await sms_inbound.rows(folder / "sms", 2 * rounds)
    say("a day of the figures' history ...")
    kept = await history.rows(folder / "history")
    say(f"orders to {STATIONS} stations ...")
    many = await fanout.rows(folder / "fanout", STATIONS, ORDERS)
    say("eight calls with sound ...")
    sound = [
        *await audio.rows(folder / "sound"),
        *await audio_process.rows(folder / "audio"),
        *await audio_back.rows(folder / "back"),
    ]
    say("a Modbus line, and two hundred devices ...")
    bus = await asyncio.to_thread(modbus_scan.rows)
    say("reading and writing SMS ...")
    rivals = msgspec.json.decode(FILE.read_bytes(), type=list[Row]) if FILE.exists() else []
    rows = [*beside_rivals(rows, rivals), *inbound, *kept, *many, *sound, *bus, *await asyncio.to_thread(codec.rows)]
    return [*rows, plain(OTHERS, noise.read(), "% of a core"), *rivals]


async def _latency(floor: Floor, presses: Presses, rounds: int) -> list[Row]:
    kinds = [Series("", [], []), Series(", page open", [], [])]
    for kind in kinds:
        for done in range(0, rounds, BLOCK):
            say(f"press {done} of {rounds}{kind.how}, the floor beside it ...")
            kind.floors.extend(await floor.measure(2 * BLOCK))
            async with presses.person.open_page() if kind.how else contextlib.nullcontext():
                await asyncio.sleep(1.0)
                kind.presses.extend(await presses.measure(BLOCK))
    pressed = [press for kind in kinds for press in kind.presses]
    in_both = await presses.settle(pressed)
    return [
        *latency_rows(kinds, await asyncio.to_thread(disk, floor.folder, 200)),
        exactly("orders in both journals' files, chains unbroken", in_both, "orders", len(pressed)),
        exactly("orders on disk before the person was told", sum(p.durable for p in pressed), "orders", len(pressed)),
    ]


async def _order_of_things(site: BenchSite, presses: Presses) -> Row:
    tap = await asyncio.to_thread(WireTap, site.where)
    try:
        watched = tap.on_disk_first(await presses.measure(BLOCK))
    finally:
        await asyncio.to_thread(tap.close)
    return exactly("orders on disk before they are on the wire", watched, "orders", BLOCK)


async def _quiet(site: BenchSite) -> list[Row]:
    used = await idle_cpu(site.pids(), IDLE)
    return [
        at_most("the centre's idle CPU", sum(used), "% of a core", MOST_IDLE),
        *(plain(f"  of it {name}", one, "% of a core") for name, one in zip(BOX, used, strict=True)),
        *_memory("no page opened yet", site),
    ]


def _memory(when: str, site: BenchSite) -> list[Row]:
    pids = site.pids()
    used, rest, each = memory(pids), memory(pids[:-1]), [memory([pid]) for pid in pids]
    return [
        at_most(f"the centre's memory, {when}, PSS", used.pss, "MB", MOST_MEMORY),
        *(plain(f"  of it {name}, PSS", one.pss, "MB") for name, one in zip(BOX, each, strict=True)),
        plain(f"the centre's memory, {when}, RSS", used.rss, "MB"),
        at_most("  without audio, RSS", rest.rss, "MB", MOST_MEMORY),
    ]


async def _start(site: BenchSite, log: Path) -> Row:
    say("starting core some times ...")
    await site.process("stop", "core")
    rows = sum(1 for _ in read_entries(Path(site.centre["state"]) / "journal.db"))
    control, site_file = Path(site.centre["control"]), Path(site.centre["site_file"])
    took = [await start_of_core(site_file, control, log) for _ in range(STARTS)]
    await site.process("start", "core")
    return at_most(f"start of core, p50 of {STARTS}, journal of {rows} rows", percentile(took, 50), "s", MOST_START)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=150, help="presses with and without an open page (default 150)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a kill ends what we started, as Ctrl-C does
    folder = Path(tempfile.mkdtemp(prefix="siaga-bench-"))
    try:
        rows = Clock(1.0).run(measure(folder, options.rounds))
    except WRONG as e:
        say(f"The bench could not be finished: {e}\nIts files stay in {folder}.")
        return 1
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        return 130
    shutil.rmtree(folder)
    BUILD.mkdir(exist_ok=True)
    written = BUILD / "bench.json"
    written.write_bytes(msgspec.json.format(msgspec.json.encode(rows)) + b"\n")
    print(text(rows))
    print(summary(rows))
    if any(row.name == OTHERS and row.value and row.value > QUIET for row in rows):
        print("Other programs were busy: the latencies of this run say little. Next: run it on a quiet machine.")
    print(f"Written to {written}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

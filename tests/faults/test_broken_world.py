"""A world in which parts are missing, dead or full: what is left works, the page says so, and all comes back alone.

"Alone": without a restart of the process that lost something.
"""

import asyncio
import contextlib
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from running_demo import RunningDemo, siaga, until_so

from appliance.demo_site import CENTRE, NODES
from drivers.jsonsocket import Gone, Refusal
from web.words import load_texts

KOTA, PASSO = "damkar-kota", "damkar-passo"
CORE, ANNUNCIATOR, WEB = f"{CENTRE}/core", f"{CENTRE}/annunciator", f"{CENTRE}/web"
BACK_WITHIN = 2.0  # s after a kill -9
FULL, NO_LIMIT = 0, resource.RLIM_INFINITY  # bytes
WORDS = load_texts("id")


@pytest.fixture(scope="module")
def running() -> Iterator[RunningDemo]:
    demo = RunningDemo()
    try:
        yield demo.start()
    finally:
        demo.stop()


@pytest.fixture
async def world(running: RunningDemo) -> AsyncIterator[RunningDemo]:
    await running.settle()
    try:
        yield running
    finally:
        await mend(running)
    await running.silence()
    for node in NODES:
        assert not running.rows(node, "system.task_died"), f"a task of {node}/core died"


def room(pid: int | None, size: int) -> None:
    """How long a file a process may write: what is longer fails, as on a disk that is full."""
    if pid is not None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, NO_LIMIT))


async def mend(world: RunningDemo) -> None:
    """Put back whatever a test took away, also one that failed half-way."""
    for name, process in (await world.status()).items():
        room(process["pid"], NO_LIMIT)
        if not name.startswith("sim/"):
            await start(world, name)
    await world.knob("broker", "broker.start")
    await world.knob("building", "bus.plug")
    for name in world.where["modems"]:
        await world.knob("mobile", "modem.plug", name=name)
    for line in (KOTA, PASSO):
        await world.knob("net", "net.restore", line=line)


async def stop(world: RunningDemo, name: str) -> None:
    await world.knob("processes", "process.stop", name=name)


async def start(world: RunningDemo, name: str) -> None:
    """Start a process, and if it is a core wait until it answers."""
    await world.knob("processes", "process.start", name=name)
    node, _, part = name.partition("/")
    if part == "core":
        await until_so(lambda: answers(world, node))


async def answers(world: RunningDemo, node: str) -> bool:
    with contextlib.suppress(Gone, Refusal):
        return bool(await world.ask("hello", node))
    return False


async def sees(world: RunningDemo, path: str, node: str = CENTRE, within: float = 20.0, **test: Any) -> None:
    """Wait for a figure of the view."""

    async def look() -> bool:
        seen, _ = await world.site.see({"view": path, "node": node, **test})
        return seen

    await until_so(look, within)


async def page_says(world: RunningDemo, text: str, *, so: bool = True) -> None:
    async def look() -> bool:
        return (text in await world.site.page().get("/")) is so

    await until_so(look)


async def alarm(world: RunningDemo, code: str, *, stands: bool) -> None:
    async def look() -> bool:
        alarms = (await world.view())["alarms"]
        return any(a["alarm"] == code and a["cleared"] is None for a in alarms) is stands

    await until_so(look)


async def level(world: RunningDemo, node: str, wanted: int) -> None:
    async def look() -> bool:
        return await world.level(node) == wanted

    await until_so(look)


async def test_core_starts_without_broker_modem_and_generator_and_finds_them_later(world: RunningDemo) -> None:
    await stop(world, CORE)
    await world.knob("broker", "broker.kill")
    await world.knob("mobile", "modem.unplug", name=f"{CENTRE}-l2")
    await world.knob("building", "bus.unplug")
    await start(world, CORE)
    seq, before = world.seq(CENTRE), (await world.status())[CORE]
    await sees(world, "links.broker.up", **{"is": False})
    await sees(world, "links.genset/genset.up", **{"is": False})
    await sees(world, "lines.l2.why", **{"is": "no_port"})
    await sees(world, "lines.l1.can_take_call", **{"is": "registered"})
    for code in ("broker.link_lost", "genset.link_lost", "line.down"):
        await alarm(world, code, stands=True)
    await page_says(world, WORDS["alarm.broker.link_lost"])
    await page_says(world, WORDS["alarm.genset.link_lost"])

    issued = await world.sound(CENTRE, KOTA)
    await level(world, CENTRE, 1)
    await world.row(KOTA, "order.accepted", alert=issued, path="sms", within=30.0)
    await level(world, KOTA, 1)
    await world.row(CENTRE, "delivery.energised", after=seq, station=KOTA, path="sms", within=30.0)

    await world.knob("broker", "broker.start")
    await world.knob("mobile", "modem.plug", name=f"{CENTRE}-l2")
    await world.knob("building", "bus.plug")
    await sees(world, "links.broker.up", within=40.0, **{"is": True})
    await sees(world, "lines.l2.can_take_call", within=40.0, **{"is": "registered"})
    await sees(world, "links.genset/genset.up", within=40.0, **{"is": True})
    for code in ("broker.link_lost", "genset.link_lost", "line.down"):
        await alarm(world, code, stands=False)
    assert (await world.status())[CORE] == before


async def test_a_station_that_restarted_without_a_broker_is_still_woken_by_sms(world: RunningDemo) -> None:
    """The centre knows only its session of before; the right one comes back by SMS, and the order again behind it."""
    at_centre = world.seq(CENTRE)
    await world.knob("net", "net.cut", line=PASSO)
    await stop(world, f"{PASSO}/core")
    await start(world, f"{PASSO}/core")
    await sees(world, "links.broker.up", PASSO, **{"is": False})
    await sees(world, "lines.l1.can_take_call", PASSO, **{"is": "registered"})
    await world.row(CENTRE, "station.offline", after=at_centre, station=PASSO)
    alert = await world.sound(PASSO, seconds=240)
    await world.row(CENTRE, "delivery.energised", within=60.0, alert=alert, path="sms")
    assert await world.level(PASSO) == 1
    await world.knob("net", "net.restore", line=PASSO)
    await sees(world, "links.broker.up", PASSO, within=40.0, **{"is": True})


@contextlib.asynccontextmanager
async def full_at_start(world: RunningDemo) -> AsyncIterator[int]:
    """The centre's core starts on a full disk; at the end there is room. Gives the last row before."""
    await stop(world, CORE)
    history = world.seq(CENTRE)
    room(world.where["supervisor"], FULL)  # its children inherit it
    try:
        await start(world, CORE)
    finally:
        room(world.where["supervisor"], NO_LIMIT)
    before = (await world.status())[CORE]
    yield history
    assert world.seq(CENTRE) == history
    room(before["pid"], NO_LIMIT)
    await sees(world, "disk_failed", **{"is": None})
    await world.row(CENTRE, "system.disk_restored")
    assert (await world.status())[CORE] == before


async def test_a_disk_that_is_full_at_the_start_stops_no_order_and_is_written_to_once_there_is_room(
    world: RunningDemo,
) -> None:
    await world.site.page().get("/")  # a person who has logged in; the new disk has no people on it
    async with full_at_start(world):
        assert (await world.view())["disk_failed"]
        await alarm(world, "journal.disk_failed", stands=True)
        await page_says(world, WORDS["alarm.journal.disk_failed"])
        alert = await world.sound(CENTRE, KOTA, seconds=240)
        await level(world, CENTRE, 1)
        await level(world, KOTA, 1)
        assert (await world.view())["disk_kept"] > 0
    await world.row(CENTRE, "alert.issued", alert=alert)
    await alarm(world, "journal.disk_failed", stands=False)
    words = [siaga(), "journal", "verify", "--file", str(world.site.journal(CENTRE))]
    assert (await asyncio.to_thread(subprocess.run, words, timeout=60, check=False)).returncode == 0


async def test_a_disk_that_is_full_at_the_start_takes_nothing_from_the_journal(world: RunningDemo) -> None:
    """SQLite's shared memory is a file too: a WAL journal on a full disk needs `locking_mode=EXCLUSIVE` to be read."""
    async with full_at_start(world) as history:
        assert (await world.view())["seq"] >= history
    assert [e.seq for e in world.site.entries(CENTRE, 0)][:history] == list(range(1, history + 1))


async def test_a_dead_annunciator_is_an_alarm_and_sounds_what_is_open_once_it_lives(world: RunningDemo) -> None:
    await stop(world, ANNUNCIATOR)
    await sees(world, "links.annunciator.up", **{"is": False})
    await alarm(world, "annunciator.link_lost", stands=True)
    await page_says(world, WORDS["alarm.annunciator.link_lost"])
    alert = await world.sound(CENTRE, KOTA)
    await world.row(CENTRE, "delivery.energised", alert=alert, station=KOTA)
    assert "energised" not in await world.delivery(alert, CENTRE)
    await start(world, ANNUNCIATOR)
    await world.row(CENTRE, "delivery.energised", alert=alert, station=CENTRE)
    assert await world.level(CENTRE) == 1
    await alarm(world, "annunciator.link_lost", stands=False)


async def test_without_web_orders_go_out_and_the_page_comes_back(world: RunningDemo) -> None:
    await stop(world, WEB)
    with pytest.raises(OSError, match="refused"):
        await world.site.page().get("/")
    alert = await world.sound(CENTRE, KOTA, PASSO)
    for station in (CENTRE, KOTA, PASSO):
        await world.row(CENTRE, "delivery.energised", alert=alert, station=station)
    await start(world, WEB)

    async def look() -> bool:
        with contextlib.suppress(OSError):
            return alert[:4] in await world.site.page().get("/") or True
        return False

    await until_so(look)


def start_takes() -> float:
    """Seconds that this machine needs at this moment to start one such process."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import appliance.core, web.server"], check=True, timeout=60)
    return time.monotonic() - began


@pytest.mark.parametrize("name", [*(f"{n}/{part}" for n in NODES for part in ("core", "annunciator")), WEB])
async def test_a_killed_process_is_back_within_2_s_and_the_page_is_right(world: RunningDemo, name: str) -> None:
    node, _, part = name.partition("/")
    seq, before = world.seq(node), (await world.status())[name]
    began = time.monotonic()
    await world.knob("processes", "process.kill", name=name)
    if part == "core":
        await world.row(node, "system.started", after=seq)
        await until_so(lambda: answers(world, node))
    elif part == "annunciator":
        await world.row(node, "system.link_lost", after=seq, link="annunciator")
        await world.row(node, "system.link_restored", after=seq, link="annunciator")
    else:

        async def page() -> bool:
            with contextlib.suppress(OSError):
                return bool(await world.site.page().get("/"))
            return False

        await until_so(lambda: page())
    took = time.monotonic() - began
    if took > BACK_WITHIN:  # a busy machine
        assert took < 3 * await asyncio.to_thread(start_takes)
    after = (await world.status())[name]
    assert after["starts"] == (before["starts"] or 0) + 1
    assert after["pid"] != before["pid"]
    await page_says(world, WORDS["core.silent"], so=False)
    await sees(world, "links.annunciator.up", node, **{"is": True})
    assert await world.level(node) == 0

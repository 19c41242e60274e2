"""Core's telemetry beside a disk that hangs, is broken or gone: events go on, and only charts have a gap."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.figure import Figure
from appliance.journal import Journal
from appliance.power_events import MainsSuspected
from appliance.telemetry import Telemetry
from appliance.telemetry_collector import BLOCK, Point
from appliance.telemetry_file import DAY, TelemetryFile
from appliance.telemetry_reader import read_telemetry
from appliance.telemetry_slots import Slot
from drivers.clock import Clock, VirtualClock

FUEL = "genset/g1/fuel_level"
MINUTE = 60


class World:
    """Telemetry of one figure in virtual time, whose writer's thread is waited for."""

    def __init__(self, path: Path) -> None:
        self.clock = VirtualClock(start_wall=1_790_000_100.0)
        self.path = path
        self.value = 50.0
        self.telemetry = Telemetry(path=path, clock=self.clock, figures=self.figures)
        self.clock.busy = lambda: self.telemetry.writing

    def figures(self) -> Iterator[tuple[str, Figure]]:
        yield FUEL, Figure(self.value, "%", "good", self.clock.now(), 5.0)

    async def minutes(self, count: float) -> None:
        running = asyncio.create_task(self.telemetry.run())
        await asyncio.sleep(count * MINUTE)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    def known(self, minutes: int) -> int:
        now = self.clock.wall()
        told = read_telemetry(self.path, [FUEL], now - minutes * MINUTE, now, now)
        return sum(value is not None for value in told.points[FUEL].mean)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "state" / "telemetry.db")


def test_minutes_are_on_disk_some_minutes_later_and_all_at_a_clean_stop(world: World) -> None:
    async def story() -> tuple[int, int]:
        await world.minutes(20)
        running = world.known(30)
        world.telemetry.close()
        return running, world.known(30)

    running, stopped = world.clock.run(story())
    assert 15 <= running < 20
    assert 20 <= stopped <= 21


def test_a_file_that_a_stranger_locks_for_some_minutes_costs_none(world: World) -> None:
    async def story() -> tuple[bool, int]:
        await world.minutes(10)
        with contextlib.closing(sqlite3.connect(world.path, isolation_level=None)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")
            await world.minutes(6)
            failed = bool(world.telemetry.failed)
        await world.minutes(15)
        world.telemetry.close()
        return failed, world.known(31)

    failed, known = world.clock.run(story())
    assert failed
    assert known >= 30
    assert not world.telemetry.failed


@pytest.mark.parametrize("content", [b"this is no database, but a long enough text" * 100, b""])
def test_a_broken_file_is_kept_under_another_name_and_a_new_one_is_begun(world: World, content: bytes) -> None:
    world.path.parent.mkdir()
    world.path.write_bytes(content)

    async def story() -> int:
        await world.minutes(12)
        world.telemetry.close()
        return world.known(15)

    assert world.clock.run(story()) >= 12
    aside = [file.read_bytes() for file in world.path.parent.glob("*.unreadable-*")]
    assert aside == ([content] if content else [])


def test_a_page_that_a_card_lost_is_found_when_the_box_starts(world: World) -> None:
    file = TelemetryFile(world.path)
    today = int(world.clock.wall() // 86_400)
    slots = [Slot(float(i), float(i), float(i), 1) for i in range(BLOCK)]
    point = Point(FUEL, "%", "number")
    file.write(
        {start: {point: dict(enumerate(slots))} for start in range((today - 2) * DAY, today * DAY, BLOCK)}, today
    )
    file.close()
    with world.path.open("r+b") as card:
        card.seek(world.path.stat().st_size // 2 // 4096 * 4096)
        card.write(b"\xff" * 4096)

    async def story() -> int:
        await world.minutes(12)
        world.telemetry.close()
        return world.known(15)

    assert world.clock.run(story()) >= 12
    assert list(world.path.parent.glob("*.unreadable-*"))


def test_a_folder_that_cannot_be_written_stops_nothing(world: World) -> None:
    world.path.parent.write_text("a file where the folder should be")

    async def story() -> None:
        await world.minutes(30)
        world.telemetry.close()

    world.clock.run(story())
    assert world.telemetry.failed


def test_a_file_that_somebody_removes_is_begun_anew_and_not_written_where_nobody_reads(world: World) -> None:
    async def story() -> int:
        await world.minutes(12)
        for file in world.path.parent.iterdir():
            file.unlink()
        await world.minutes(20)
        world.telemetry.close()
        return world.known(20)

    assert world.clock.run(story()) >= 19


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_died_is_noticed_and_begins_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    dies = [True, False]
    write = TelemetryFile.write

    def dying(*words: Any) -> None:
        if dies.pop(0) if dies else False:
            raise OverflowError("a figure that nobody thought of")
        write(*words)

    monkeypatch.setattr(TelemetryFile, "write", dying)

    async def story() -> tuple[str, int]:
        await world.minutes(8)
        failed = world.telemetry.failed
        await world.minutes(20)
        world.telemetry.close()
        return failed, world.known(28)

    failed, known = world.clock.run(story())
    assert failed
    assert known >= 27
    assert not world.telemetry.failed


async def test_an_event_is_durable_while_telemetrys_disk_hangs(tmp_path: Path) -> None:
    clock = Clock(speed=300.0)  # a minute in a fifth of a second; the disk is as slow as it is
    journal = Journal(tmp_path / "journal.db", clock, "boot", lambda: "ntp", lambda entry: None)
    telemetry = Telemetry(path=tmp_path / "telemetry.db", clock=clock, figures=lambda: [(FUEL, fuel_now(clock))])
    sqlite3.connect(tmp_path / "telemetry.db").close()
    journal.open()
    stranger = sqlite3.connect(tmp_path / "telemetry.db", isolation_level=None)
    try:
        stranger.execute("BEGIN EXCLUSIVE")
        async with asyncio.timeout(10):
            while not telemetry.writing:
                telemetry.look()
                await asyncio.sleep(0.02)
        assert await journal.append(MainsSuspected(by="ups")).durable(1.0)
        assert telemetry.writing
    finally:
        stranger.close()
        journal.close()
        telemetry.close()


def fuel_now(clock: Clock) -> Figure:
    return Figure(50.0, "%", "good", clock.now(), 5.0)

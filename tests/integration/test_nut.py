"""A UPS behind NUT's real upsd: what we read is what upsc reads, and an order is proven or told as it ended."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nut_box import PASSWORD, USER, NutBox, nut_box

from drivers.modbus.errors import NotReady, UnknownCommand
from drivers.nut.errors import UpsdRefused
from drivers.nut.points import UNITS
from drivers.nut.poller import NutPoller
from drivers.nut.upsd import Login
from drivers.quality import Quality
from drivers.reading import Reading
from drivers.sim.plant import Plant, PlantSettings
from drivers.sim.plant_ups import UpsSettings
from drivers.sim.ups_nut import NutDriver

POLL_S = 0.1
LOGIN = Login(USER, PASSWORD)
DUMMY = {
    "ups.status": "OL",
    "ups.load": "38.5",
    "battery.charge": "97",
    "battery.runtime": "2400",
    "battery.voltage": "27.25",
    "input.voltage": "229.8",
    "output.voltage": "230.1",
    "ups.temperature": "n/a",
}


class Watched:
    """A poller and what it told last."""

    def __init__(self, box: NutBox, ups: str, login: Login | None = LOGIN) -> None:
        self.now: dict[str, Reading] = {}
        self.poller = NutPoller("127.0.0.1", box.port, ups, self._take, interval_s=POLL_S, login=login)

    def _take(self, readings: list[Reading]) -> None:
        self.now |= {r.point: r for r in readings}

    def value(self, point: str) -> object:
        return self.now[point].value if point in self.now else None

    async def until(self, so: Callable[[], object], within: float = 5.0) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while not so():
            assert loop.time() - began < within, {name: (r.value, r.quality) for name, r in self.now.items()}
            await asyncio.sleep(0.01)

    async def until_lost(self) -> None:
        """Before upsd itself would find its driver silent, which takes it MAXAGE, 5 s."""
        await self.until(lambda: {r.quality for r in self.now.values()} == {Quality.NO_LINK}, within=4.0)


@asynccontextmanager
async def running(*watched: Watched) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(w.poller.run()) for w in watched]
    try:
        yield
        assert not any(task.done() for task in tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(scope="module")
def dummy(tmp_path_factory: pytest.TempPathFactory):
    with nut_box(tmp_path_factory.mktemp("nut"), apc="dummy-ups") as box:
        box.start_dummy("apc", DUMMY)
        box.start_upsd()
        yield box


@asynccontextmanager
async def simulated(tmp_path: Path) -> AsyncIterator[tuple[NutBox, Plant, NutDriver]]:
    """upsd over the plant's own UPS; the self-test lasts half a second."""
    now = asyncio.get_running_loop().time
    plant = Plant(PlantSettings(ups=UpsSettings(self_test_s=0.5)), now())
    with nut_box(tmp_path / "nut", ups1="siaga-sim") as box:
        driver = NutDriver(box.socket("siaga-sim", "ups1"), plant, now, poll_s=0.1)
        task = asyncio.create_task(driver.run())
        try:
            await asyncio.to_thread(box.start_upsd)
            yield box, plant, driver
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


SAME = {
    "load": "ups.load",
    "charge": "battery.charge",
    "runtime_s": "battery.runtime",
    "battery_v": "battery.voltage",
    "input_v": "input.voltage",
    "output_v": "output.voltage",
}


async def agreed(ours: Watched, box: NutBox, ups: str, tries: int = 5) -> bool:
    """Whether upsc prints what we read; the figures of a battery in use move between two looks, so look again."""
    for _ in range(tries):
        theirs = await box.upsc(ups)
        status = theirs["ups.status"].split()
        if [ours.value("online"), ours.value("on_battery")] == ["OL" in status, "OB" in status] and all(
            ours.value(point) == float(theirs[name]) for point, name in SAME.items()
        ):
            return True
        await asyncio.sleep(POLL_S)
    return False


async def test_upsc_and_we_agree_on_the_same_dummy_ups(dummy: NutBox) -> None:
    watched = Watched(dummy, "apc")
    async with running(watched):
        await watched.until(lambda: watched.value("online") is True)
        assert await agreed(watched, dummy, "apc")
        assert set(watched.now) == set(UNITS)
        assert watched.now["temperature"].quality is Quality.SENSOR_FAULT
        assert watched.now["output_hz"].quality is Quality.UNIMPLEMENTED
        dummy.write_dummy("apc", DUMMY | {"ups.status": "OB LB", "battery.charge": "9"})
        await watched.until(lambda: watched.value("on_battery") is True)
        assert [watched.value(p) for p in ("online", "low_battery")] == [False, True]
        assert await agreed(watched, dummy, "apc")


async def test_upsc_and_we_agree_on_the_simulated_ups_through_an_outage(tmp_path: Path) -> None:
    async with simulated(tmp_path) as (box, plant, _):
        watched = Watched(box, "ups1")
        async with running(watched):
            await watched.until(lambda: watched.value("online") is True)
            assert watched.value("input_bad") is False
            plant.cut_mains()
            await watched.until(lambda: watched.value("on_battery") is True)
            assert (watched.value("input_bad"), watched.value("transfer_cause")) == (True, "voltage_out_of_range")
            assert await agreed(watched, box, "ups1")


async def test_a_self_test_and_a_mute_are_ordered_once_and_proven(tmp_path: Path) -> None:
    async with simulated(tmp_path) as (box, plant, driver):
        watched = Watched(box, "ups1")
        async with running(watched):
            await watched.until(lambda: watched.value("online") is True)
            proof = await watched.poller.command("self_test")
            assert (proof.point, proof.value in ("running", "passed")) == ("self_test", True)
            await watched.until(lambda: watched.value("self_test") == "passed")
            plant.cut_mains()
            await watched.until(lambda: watched.value("on_battery") is True)
            with pytest.raises(NotReady, match="needs online to be True"):
                await watched.poller.command("self_test")
            assert (await watched.poller.command("mute")).value is True
            assert driver.ordered == ["test.battery.start.quick", "beeper.mute"]


@pytest.mark.parametrize(
    ("login", "raised", "told"),
    [
        (None, NotReady, "nut_login"),
        (Login(USER, "wrong"), UpsdRefused, "ACCESS-DENIED"),
        (Login("reader", "x"), UpsdRefused, "ACCESS-DENIED"),
    ],
    ids=["nobody", "wrong password", "no rights"],
)
async def test_upsd_orders_only_for_whom_it_knows(
    tmp_path: Path, login: Login | None, raised: type[Exception], told: str
) -> None:
    async with simulated(tmp_path) as (box, _, driver):
        watched = Watched(box, "ups1", login)
        async with running(watched):
            await watched.until(lambda: watched.value("online") is True)
            with pytest.raises(raised, match=told):
                await watched.poller.command("self_test")
            assert driver.ordered == []


async def test_a_driver_without_the_command_is_told_so(dummy: NutBox) -> None:
    dummy.write_dummy("apc", DUMMY | {"ups.beeper.status": "enabled"})
    watched = Watched(dummy, "apc")
    async with running(watched):
        await watched.until(lambda: watched.value("beeper_muted") is False)
        with pytest.raises(UnknownCommand, match=r"its driver has none of beeper\.mute"):
            await watched.poller.command("mute")
        with pytest.raises(UnknownCommand, match="there are mute, self_test"):
            await watched.poller.command("load.off")
        with pytest.raises(NotReady, match="needs self_test, which is unimplemented"):
            await watched.poller.command("self_test")


async def test_a_ups_that_its_driver_has_lost_is_no_link_and_comes_back(tmp_path: Path) -> None:
    async with simulated(tmp_path) as (box, _, driver):
        watched = Watched(box, "ups1")
        async with running(watched):
            await watched.until(lambda: watched.value("online") is True)
            driver.stale = True
            await watched.until_lost()
            assert "stale" not in str(await box.upsc("ups1"))  # upsc prints an error and no values
            driver.stale = False
            await watched.until(lambda: watched.value("online") is True)


async def test_upsd_that_died_is_no_link_and_is_found_again_within_five_seconds(tmp_path: Path) -> None:
    async with simulated(tmp_path) as (box, _, _driver):
        watched = Watched(box, "ups1")
        async with running(watched):
            await watched.until(lambda: watched.value("online") is True)
            box.stop_upsd()
            await watched.until_lost()
            await asyncio.to_thread(box.start_upsd)
            await watched.until(lambda: watched.value("online") is True, within=5.5)


async def test_a_ups_that_upsd_does_not_know_is_no_link(dummy: NutBox) -> None:
    watched = Watched(dummy, "nobody")
    async with running(watched):
        await watched.until_lost() if watched.now else await watched.until(lambda: watched.now)
        assert {r.quality for r in watched.now.values()} == {Quality.NO_LINK}

"""Each make of UPS and meter in the simulated building: our profile and mbpoll read the same, and orders are proven."""

import asyncio
import re
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.clock import VirtualClock
from drivers.modbus.bus import Bus
from drivers.modbus.errors import NotReady, UnknownCommand
from drivers.modbus.line import TcpLine
from drivers.modbus.poller import Poller
from drivers.modbus.profile import load
from drivers.quality import Quality
from drivers.reading import Reading, Value
from drivers.sim.building import METER_UNIT, UPS_UNIT, Building, BuildingConfig
from drivers.sim.families import METERS, UPS
from drivers.sim.modbus_slave import Slave, answer
from drivers.sim.modbus_tcp import TcpPort
from drivers.sim.plant import Plant, PlantSettings
from drivers.sim.ups_huawei import HuaweiRegisters
from drivers.sim.ups_riello import RielloRegisters

FIRMWARE = Path(__file__).parents[2] / "firmware-config"
UNITS = {"ups": UPS_UNIT, "meters": METER_UNIT}
ALL = [("ups", name) for name in UPS] + [("meters", name) for name in METERS]
TESTED = sorted(set(UPS) - {"eaton_93pm", "socomec_jbus"})


class Device:
    """One simulated device over a plant of its own, and our poller on it, in virtual time."""

    def __init__(self, kind: str, name: str) -> None:
        now = asyncio.get_running_loop().time
        self.plant = Plant(PlantSettings(), now())
        self.registers = ({**UPS, **METERS})[name](self.plant, now)
        self.profile = load(FIRMWARE / kind / f"{name}.toml")
        self.now: dict[str, Reading] = {}
        self._port = TcpPort({UNITS[kind]: Slave(self.registers)})
        self._unit = UNITS[kind]
        self.poller: Poller | None = None

    async def poll(self, talk: Callable[["Device"], Awaitable[None]]) -> None:
        await self._port.start(0)
        bus = Bus(TcpLine("127.0.0.1", self._port.port))
        self.poller = Poller(bus, self._unit, self.profile, self._take)
        task = asyncio.create_task(self.poller.run())
        try:
            await self.until(lambda: self.now)
            await talk(self)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            bus.close()
            await self._port.stop()

    def _take(self, readings: list[Reading]) -> None:
        self.now |= {r.point: r for r in readings}

    def value(self, point: str) -> Value:
        return self.now[point].value

    async def until(self, so: Callable[[], object], within: float = 30.0) -> None:
        async with asyncio.timeout(within):
            while not so():
                await asyncio.sleep(0.05)

    async def order(self, name: str) -> Reading:
        assert self.poller is not None
        return await self.poller.command(name)


def with_device(kind: str, name: str, talk: Callable[[Device], Awaitable[None]]) -> None:
    async def main() -> None:
        await Device(kind, name).poll(talk)

    VirtualClock().run(main())


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_point_of_a_profile_has_a_value_or_is_known_not_to_be_there(kind: str, name: str) -> None:
    async def talk(device: Device) -> None:
        await device.until(lambda: set(device.now) == set(device.profile.point))
        bad = {p: r.quality for p, r in device.now.items() if r.quality is not Quality.GOOD}
        assert bad == ({"runtime_s": Quality.UNIMPLEMENTED} if name == "socomec_jbus" else {})

    with_device(kind, name, talk)


@pytest.mark.parametrize("name", UPS)
def test_an_outage_is_seen_and_its_end(name: str) -> None:
    async def talk(device: Device) -> None:
        assert (device.value("on_battery"), device.now.get("online", device.now["on_battery"]).value) != (True, True)
        device.plant.cut_mains()
        await device.until(lambda: device.value("on_battery") is True, 3)
        await device.until(lambda: device.value("input_bad" if "input_bad" in device.now else "on_battery") is True, 2)
        if "runtime_s" in device.now:
            runtime = device.plant.ups.runtime_s
            assert device.value("runtime_s") == pytest.approx(runtime, abs=65)
        device.plant.set_charge(5)
        if "low_battery" in device.now:
            await device.until(lambda: device.value("low_battery") is True, 5)
        device.plant.return_mains()
        await device.until(lambda: device.value("on_battery") is False, 6)

    with_device("ups", name, talk)


@pytest.mark.parametrize("name", METERS)
def test_a_meter_sees_the_mains_go_and_return(name: str) -> None:
    async def talk(device: Device) -> None:
        volts = [point for point in device.now if point.startswith("mains_v")]
        assert all(abs(float(device.value(point) or 0) - 230) < 2 for point in volts)
        assert device.value("power_w") == pytest.approx(device.plant.load_w, rel=0.01)
        device.plant.cut_mains()
        await device.until(lambda: all(device.value(point) == 0 for point in [*volts, "mains_hz", "power_w"]), 2)
        device.plant.return_mains()
        await device.until(lambda: all(device.value(point) for point in [*volts, "mains_hz"]), 2)

    with_device("meters", name, talk)


@pytest.mark.parametrize("name", TESTED)
def test_a_self_test_is_proven_and_refused_on_battery(name: str) -> None:
    async def talk(device: Device) -> None:
        assert (await device.order("self_test")).value in (True, "pending", "running")
        await device.until(lambda: device.value("testing") is False and device.value("online") is True)
        device.plant.cut_mains()
        await device.until(lambda: device.value("on_battery") is True)
        with pytest.raises(NotReady):
            await device.order("self_test")

    with_device("ups", name, talk)


@pytest.mark.parametrize("name", sorted(set(UPS) - set(TESTED)))
def test_a_ups_of_which_no_safe_order_is_known_takes_none(name: str) -> None:
    async def talk(device: Device) -> None:
        with pytest.raises(UnknownCommand):
            await device.order("self_test")

    with_device("ups", name, talk)


def test_a_smart_ups_is_muted_until_the_next_alarm() -> None:
    async def talk(device: Device) -> None:
        device.plant.cut_mains()
        await device.until(lambda: device.value("on_battery") is True)
        assert (await device.order("mute")).value is True
        device.plant.return_mains()
        await device.until(lambda: device.value("beeper_muted") is False)

    with_device("ups", "apc_smart_ups", talk)


def test_a_card_that_has_lost_its_ups_is_no_link_whatever_it_repeats() -> None:
    async def talk(device: Device) -> None:
        assert isinstance(device.registers, RielloRegisters)
        device.registers.card_lost = True
        await device.until(lambda: device.now["card_lost_ups"].quality is Quality.NO_LINK)
        assert {r.quality for r in device.now.values()} == {Quality.NO_LINK}
        device.plant.cut_mains()
        await asyncio.sleep(3)
        assert device.value("on_battery") is None
        with pytest.raises(NotReady):
            await device.order("self_test")
        device.registers.card_lost = False
        await device.until(lambda: device.value("on_battery") is True, 3)

    with_device("ups", "riello_netman", talk)


def test_a_huawei_answers_yes_to_fc16_and_does_nothing() -> None:
    plant = Plant(PlantSettings(), 0.0)
    registers = HuaweiRegisters(plant, lambda: 0.0)
    assert answer(registers, struct.pack(">BHHBH", 16, 12028, 1, 2, 1)) == struct.pack(">BHH", 16, 12028, 1)
    assert plant.status()["ups"]["test"] == "none"
    assert answer(registers, struct.pack(">BHH", 6, 12028, 1)) == struct.pack(">BHH", 6, 12028, 1)
    assert plant.status()["ups"]["test"] == "running"


async def mbpoll(port: int, unit: int, kind: str, address: int, count: int) -> list[float]:
    """What mbpoll prints; `kind` is its -t: 1 discrete inputs, 3 input registers, 4 holding, 3:float."""
    command = ["mbpoll", "-0", "-1", "-o", "8", "-B", "-a", str(unit), "-t", kind, "-r", str(address), "-c", str(count)]
    process = await asyncio.create_subprocess_exec(
        *command, "-p", str(port), "127.0.0.1", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    values = [float(value) for value in re.findall(r"^\[\d+\]:\s+(\S+)", said, re.MULTILINE)]
    assert len(values) == count, said
    return values


@pytest.mark.parametrize(
    ("config", "kind", "address", "values"),
    [
        (BuildingConfig(Path(), ups="huawei_ups2000"), "4", 11024, [2]),
        (BuildingConfig(Path(), ups="socomec_jbus"), "4", 0x1020, [15, 1]),
        (BuildingConfig(Path(), ups="eaton_93pm"), "4", 0x40, [3, 8, 0x8001]),
        (BuildingConfig(Path(), ups="riello_netman"), "1", 8, [1, 0, 0, 0, 0, 0, 1]),
        (BuildingConfig(Path(), ups="riello_netman"), "4", 51, [100]),
        (BuildingConfig(Path(), meter="eastron_sdm630"), "3:float", 0, [230, 229.31, 230.92]),
        (BuildingConfig(Path(), meter="generic_mains"), "3:float", 70, [50]),
    ],
)
async def test_mbpoll_reads_what_the_building_serves(
    tmp_path: Path, config: BuildingConfig, kind: str, address: int, values: list[float]
) -> None:
    building = Building(replace(config, rtu_port=tmp_path / "rtu"), tmp_path / "knobs", lambda: 0.0)
    await building.start()
    try:
        unit = config.meter_unit if config.meter else config.ups_unit
        read = await mbpoll(building.tcp_port, unit, kind, address, len(values))
        assert read == pytest.approx(values, rel=1e-4)
    finally:
        await building.stop()

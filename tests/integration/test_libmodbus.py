"""libmodbus reads of every simulated device what our bus reads, in all blocks that its profile asks for."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import libmodbus
import pytest

from drivers.modbus.blocks import TCP_FRAME
from drivers.modbus.bus import Bus
from drivers.modbus.errors import DeviceRefused
from drivers.modbus.line import TcpLine
from drivers.modbus.profile import load
from drivers.sim.building import GENSET_UNIT, Building, BuildingConfig
from drivers.sim.families import GENSETS, METERS, UPS
from drivers.sim.modbus_slave import Slave
from drivers.sim.modbus_tcp import TcpPort
from drivers.sim.plant import Plant, PlantSettings

FIRMWARE = Path(__file__).parents[2] / "firmware-config"
FOLDERS = {"gensets": sorted(GENSETS), "ups": sorted(UPS), "meters": sorted(METERS)}
ALL = [(folder, name) for folder, names in FOLDERS.items() for name in names]
UNITS = {name: unit for unit, (_, name) in enumerate(ALL, 1)}


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A gateway to all of them. Their set runs on load, and from then on no time passes."""
    plant = Plant(PlantSettings(), 0.0)
    plant.cut_mains()
    plant.step(60.0)
    makes: dict[str, Slave] = {name: Slave(make(plant, lambda: 60.0, lambda: 0.0)) for name, make in GENSETS.items()}
    makes |= {name: Slave(make(plant, lambda: 60.0)) for name, make in {**UPS, **METERS}.items()}
    gateway = TcpPort({UNITS[name]: slave for name, slave in makes.items()})
    await gateway.start(0)
    yield gateway.port
    await gateway.stop()


@pytest.mark.parametrize(("folder", "name"), ALL)
async def test_libmodbus_reads_each_register_of_a_profile_as_we_do(port: int, folder: str, name: str) -> None:
    bus = Bus(TcpLine("127.0.0.1", port))
    seen: set[int] = set()
    try:
        for block in load(FIRMWARE / folder / f"{name}.toml").blocks(TCP_FRAME):
            where = (UNITS[name], block.table, block.address, block.count)
            ours = await bus.read(*where)
            assert await asyncio.to_thread(libmodbus.read, port, *where) == ours
            seen |= set(ours)
    finally:
        bus.close()
    assert len(seen) > 3, "all the same: nothing was compared"


async def test_libmodbus_reads_the_controller_on_its_rs485_line(tmp_path: Path) -> None:
    building = Building(BuildingConfig(rtu_port=tmp_path / "rtu"), tmp_path / "knobs", lambda: 0.0)
    await building.start()
    try:
        read = await asyncio.to_thread(libmodbus.read, tmp_path / "rtu", GENSET_UNIT, "holding", 1060, 6)
        assert read == [0, 2300, 0, 2307, 0, 2295]  # V x 10 of three phases
    finally:
        await building.stop()


async def test_libmodbus_and_we_refuse_the_same_address(port: int) -> None:
    where = (UNITS["dse_7320_mk2"], "holding", 60_000, 1)
    bus = Bus(TcpLine("127.0.0.1", port))
    try:
        with pytest.raises(DeviceRefused):
            await bus.read(*where)
    finally:
        bus.close()
    with pytest.raises(libmodbus.LibmodbusError, match="Illegal data address"):
        await asyncio.to_thread(libmodbus.read, port, *where)

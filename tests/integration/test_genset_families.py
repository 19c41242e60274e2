"""All simulated controllers behind one gateway: mbpoll agrees with us, and orders are proven on real sockets."""

import asyncio
import contextlib
import re
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.modbus.bus import Bus
from drivers.modbus.errors import NotReady
from drivers.modbus.line import TcpLine
from drivers.modbus.poller import Poller
from drivers.modbus.profile import load
from drivers.reading import Reading
from drivers.sim.families import GENSETS
from drivers.sim.modbus_slave import Slave
from drivers.sim.modbus_tcp import TcpPort
from drivers.sim.plant import Plant, PlantSettings
from drivers.sim.plant_genset import GensetSettings, Mode

PROFILES = Path(__file__).parents[2] / "firmware-config" / "gensets"
UNITS = {family: unit for unit, family in enumerate(sorted(GENSETS), 1)}
QUICK = GensetSettings(  # an engine that starts and stops at once, so that the proof is there in real time
    start_delay_s=0.1, prestart_s=0.1, fires_after_s=0.1, run_up_s=0.1, warm_up_s=0.1, cooldown_s=0.2, spin_down_s=0.2
)
LOOKED_AT = ("battery_v", "generator_v_l1", "rpm", "genset_closed")
TYPES = {  # mbpoll's names; addresses from 0, high word first
    "holding": {"u16": "4", "s16": "4", "u32": "4:int", "s32": "4:int", "f32": "4:float"},
    "input": {"u16": "3", "s16": "3", "u32": "3:int", "s32": "3:int", "f32": "3:float"},
    "coil": {"u16": "0"},
    "discrete": {"u16": "1"},
}


class Box:
    """A plant of its own for each controller, a gateway in front, and our bus."""

    def __init__(self) -> None:
        now = self._time = asyncio.get_running_loop().time
        self._frozen_at: float | None = None
        self.plants = {family: Plant(PlantSettings(genset=QUICK), now()) for family in GENSETS}
        makes = {name: make(self.plants[name], self.now, lambda: 0.0) for name, make in GENSETS.items()}
        self.gateway = TcpPort({UNITS[name]: Slave(device) for name, device in makes.items()})

    def now(self) -> float:
        return self._time() if self._frozen_at is None else self._frozen_at

    def all_run(self) -> bool:
        for plant in self.plants.values():
            plant.step(self.now())
        return all(plant.genset.rpm == 1500 for plant in self.plants.values())

    def freeze(self) -> None:
        """From now on nothing changes, so that two who look one after the other see the same."""
        self._frozen_at = self._time()

    async def start(self) -> None:
        await self.gateway.start(0)
        self.port = self.gateway.port
        self.bus = Bus(TcpLine("127.0.0.1", self.port))

    @contextlib.asynccontextmanager
    async def polled(self, family: str) -> AsyncIterator[tuple[Poller, dict[str, Reading]]]:
        latest: dict[str, Reading] = {}
        first = asyncio.Event()

        def heard(readings: list[Reading]) -> None:
            latest.update({reading.point: reading for reading in readings})
            first.set()

        poller = Poller(self.bus, UNITS[family], load(PROFILES / f"{family}.toml"), heard, interval_s=0.1)
        task = asyncio.create_task(poller.run())
        try:
            async with asyncio.timeout(5):
                await first.wait()
            yield poller, latest
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    box = Box()
    await box.start()
    yield box
    box.bus.close()
    await box.gateway.stop()


async def mbpoll(port: int, unit: int, address: int, kind: str) -> float:
    command = f"mbpoll -0 -1 -o 8 -B -a {unit} -p {port} -r {address} -c 1 -t {kind} 127.0.0.1"
    process = await asyncio.create_subprocess_exec(
        *command.split(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(10):
        said, _ = await process.communicate()
    (value,) = re.findall(rb"^\[\d+\]:\s+(-?[\d.]+(?:e[+-]?\d+)?)", said, re.MULTILINE)
    return float(value)


async def test_mbpoll_reads_the_numbers_that_the_profiles_decode(box: Box) -> None:
    """One point of each type and table of each family, with the engine running: words, floats, coils, inputs."""
    for plant in box.plants.values():
        plant.genset.telemetry_start = True
    await until(box.all_run)
    box.freeze()
    for family, unit in UNITS.items():
        profile = load(PROFILES / f"{family}.toml")
        points = [profile.point[name] for name in LOOKED_AT if name in profile.point]
        kinds = {(profile.table_of(point), point.type): point for point in points if point.bit is None}
        for (table, type_), point in kinds.items():
            theirs = await mbpoll(box.port, unit, point.at, TYPES[table][type_])
            ours = number(type_, await box.bus.read(unit, table, point.at, point.width))
            assert theirs == ours, (family, table, type_)


# A key pair, a coil, an argument with its command, a register.
STARTED = ["dse_7320_mk2", "comap_intelilite_4", "comap_inteligen_nt", "deif_agc150"]


@pytest.mark.parametrize("family", STARTED)
async def test_a_start_and_its_cancel_are_proven_by_the_device(box: Box, family: str) -> None:
    async with box.polled(family) as (poller, latest):
        async with asyncio.timeout(8):
            assert (await poller.command("start")).value == "running"
            await poller.command("cancel_start")
        box.plants[family].genset.set_mode(Mode.MANUAL)
        await until(lambda: latest["mode"].value == "manual")
        with pytest.raises(NotReady, match="mode to be auto"):
            await poller.command("start")


@pytest.mark.parametrize("family", ["comap_inteligen_nt", "comap_intelilite_4"])
async def test_comap_says_itself_that_it_took_the_horn_reset(box: Box, family: str) -> None:
    steps: list[str] = []
    async with box.polled(family) as (poller, _):
        await poller.command("mute", on_step=steps.append)
    assert steps == ["sent", "accepted"]


@pytest.mark.parametrize("family", ["smartgen_hgm4020", "datakom_d500", "dse_4520_mk2"])
async def test_a_test_and_the_way_back_to_auto_are_proven(box: Box, family: str) -> None:
    async with box.polled(family) as (poller, _), asyncio.timeout(8):
        assert (await poller.command("test_on_load")).value == "test_on_load"
        assert (await poller.command("auto")).value == "auto"


async def test_what_an_engine_at_rest_does_not_know_comes_when_it_runs(box: Box) -> None:
    async with box.polled("kohler_apm603") as (_, latest):
        assert latest["rpm"].quality == "unimplemented"
        box.plants["kohler_apm603"].cut_mains()
        await until(lambda: latest["rpm"].value == 1500)


def number(type_: str, words: list[int]) -> float:
    data = struct.pack(f">{len(words)}H", *words)
    code = {"u16": ">H", "s16": ">H", "u32": ">i", "s32": ">i", "f32": ">f"}[type_]
    (value,) = struct.unpack(code, data)
    return float(f"{value:g}") if type_ == "f32" else float(value)


async def until(true, most: float = 8.0) -> None:
    async with asyncio.timeout(most):
        while not true():
            await asyncio.sleep(0.02)

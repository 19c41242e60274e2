"""`make power-campaign`: weeks of a plant on a noisy bus, in virtual time. No outage is made up, none is missed.

The poller, the profiles, the room and the simulated registers are the real ones; between them a bus that loses and
garbles frames. One bad frame in a thousand passes its checksum with a wrong word in it, far more than a CRC lets by.
`--wire` plays over a real pty instead, byte by byte, which takes some thirty times as long.
All is random by a seed that is printed, and repeats exactly.
"""

import argparse
import asyncio
import struct
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec

from appliance.annunciator_config import AnnunciatorConfig
from appliance.config import Site
from appliance.config_power import Bus as BusConfig
from appliance.config_power import Genset, Ups
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import Started, encode_event
from appliance.fold import apply
from appliance.journal import Appended
from appliance.model import Role
from appliance.power.service import Power
from appliance.power_events import MainsLost, MainsSuspected
from appliance.state import State
from drivers.clock import VirtualClock
from drivers.modbus.bus import Bus
from drivers.modbus.errors import BadAnswer, NoAnswer
from drivers.modbus.line import SerialLine
from drivers.modbus.registers import Table
from drivers.sim.modbus_slave import READ_HOLDING, Registers, Slave, answer
from drivers.sim.plant import Plant, PlantSettings
from drivers.sim.plant_apc import ApcRegisters
from drivers.sim.plant_dse import DseRegisters
from drivers.sim.plant_genset import GensetSettings
from tests.campaign.power_wire import BAUD, NoisyWire

PROFILES = Path(__file__).parents[2] / "firmware-config"
DAY = 86_400.0
BAD = 0.01  # of the frames
UNSEEN = 0.001  # of the bad ones
CHARACTER_S = 11 / 19_200
TURNED_S = 0.01  # that a slave thinks
REST_S = 180.0  # s of mains between two happenings: the plant goes through all its stages
EVERY_S = 5400.0  # s between them, on average
FLICKERS = 0.3  # of what happens
FLICKER_S, OUTAGE_S = (0.1, 0.6), (10.0, 900.0)
LATE_S = 10.0  # s after an outage's end at which it may still be told
QUICK = GensetSettings(retransfer_s=20.0, cooldown_s=10.0, crank_s=3.0, rest_s=2.0)


class Summary(msgspec.Struct):
    """How a campaign went; `faults` is empty when every outage was told and none was made up."""

    seed: int
    days: float
    frames: int = 0
    bad: int = 0
    unseen: int = 0
    outages: int = 0
    flickers: int = 0
    suspected: int = 0
    detected_s: list[float] = []
    faults: list[str] = []

    def quantile(self, share: float) -> float:
        times = sorted(self.detected_s)
        return times[min(len(times) - 1, int(share * len(times)))] if times else 0.0

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.days:g} days, {self.frames} frames, {self.bad} bad, "
            f"{self.unseen} of them unseen; {self.outages} outages, {self.flickers} flickers, "
            f"{self.suspected} suspicions; detected after {self.quantile(0.5):.1f} s (median), "
            f"{self.quantile(0.95):.1f} s (95 %), {self.quantile(1.0):.1f} s (most); faults: {len(self.faults)}"
        )


class NoisyBus(Bus):
    """A wire to simulated registers that loses and garbles frames."""

    def __init__(self, units: dict[int, Registers], plant: Plant, random: Random, summary: Summary) -> None:
        super().__init__(SerialLine("/dev/null", baud=19_200))
        self._units, self._plant, self._random, self._summary = units, plant, random, summary
        self._wire = asyncio.Lock()

    async def read(
        self, unit: int, table: Table, address: int, count: int, *, gap_s: float = 0.0, timeout_s: float | None = None
    ) -> list[int]:
        async with self._wire:
            await asyncio.sleep(max(gap_s, 3.5 * CHARACTER_S) + (13 + 2 * count) * CHARACTER_S + TURNED_S)
            self._plant.step(asyncio.get_running_loop().time())
            words = self._asked(unit, address, count)
            self._summary.frames += 1
            if self._random.random() >= BAD:
                return words
            self._summary.bad += 1
            if self._random.random() < UNSEEN:
                self._summary.unseen += 1
                words[self._random.randrange(count)] = self._random.randrange(0x10000)
                return words
            if self._random.random() < 0.5:
                await asyncio.sleep(timeout_s or self.timeout_s)
                raise NoAnswer(f"unit {unit}: lost")
            await asyncio.sleep(self.quiet_s)
            raise BadAnswer(f"unit {unit}: garbled")

    def _asked(self, unit: int, address: int, count: int) -> list[int]:
        said = answer(self._units[unit], struct.pack(">BHH", READ_HOLDING, address, count))
        assert said[0] == READ_HOLDING, said
        return list(struct.unpack(f">{count}H", said[2:]))


class Campaign:
    """One box, one plant, one journal in memory; and what really happened."""

    def __init__(self, days: float, seed: int, every_s: float, wire: bool = False) -> None:
        self.clock = VirtualClock()
        self.summary, self._random = Summary(seed, days), Random(seed)
        self._state, self._head = State(), Entry.before_first()
        self._every_s, self._wire = every_s, wire
        self._cut: float | None = None  # since when, of a real outage
        self._ended = float("-inf")
        self._told = False

    def append(self, event: Event, *, actor: str = "", cause: int | None = None) -> Appended:
        """In memory: durable at once, as far as the room can see."""
        now = self.clock.now()
        self._head = Entry.after(
            self._head, wall=self.clock.wall(), mono=now, boot="b" * 16, quality="ntp", kind=event.kind,
            subject=event.subject, actor=actor, cause=cause, body=encode_event(event),
        )  # fmt: skip
        apply(self._state, self._head)
        self.summary.suspected += isinstance(event, MainsSuspected)
        if isinstance(event, MainsLost):
            if self._cut is not None and not self._told:
                self._told = True
                self.summary.detected_s.append(now - self._cut)
            elif self._cut is None and now - self._ended > LATE_S:
                self.summary.faults.append(f"{now:.1f}: an outage that was none, by {', '.join(event.by)}")
        durable = asyncio.get_running_loop().create_future()
        durable.set_result(True)
        return Appended(self._head, durable)

    async def play(self) -> None:
        plant = Plant(PlantSettings(genset=QUICK), self.clock.now())
        units: dict[int, Registers] = {
            10: DseRegisters(plant, self.clock.now, self.clock.wall),
            1: ApcRegisters(plant, self.clock.now),
        }
        site = Site(
            role=Role.CENTRE, site="ambon", id="pusat", name="Pusat",
            annunciator=AnnunciatorConfig(socket="a.sock", factory="mock"),
            bus=(BusConfig(id="rtu", kind="rtu", port="/dev/null"),),
            genset=(Genset(id="g1", name="Genset", bus="rtu", unit=10, profile="dse_7320_mk2", tank_litres=400),),
            ups=(Ups(id="u1", name="UPS", bus="rtu", unit=1, profile="apc_smart_ups"),),
        )  # fmt: skip
        self.append(Started(role="centre", version="0", speed=1.0))
        with tempfile.TemporaryDirectory(prefix="siaga-power-") as folder:
            tty = Path(folder) / "tty"
            slaves = {unit: Slave(registers) for unit, registers in units.items()}
            wire = NoisyWire(tty, slaves, self._random, BAD, self.summary) if self._wire else None

            def bus(_: BusConfig) -> Bus:
                return (
                    Bus(SerialLine(str(tty), baud=BAUD)) if wire else NoisyBus(units, plant, self._random, self.summary)
                )

            power = Power(
                site=site, profiles=PROFILES, state=self._state, clock=self.clock, append=self.append,
                on_changed=lambda: None, open_bus=bus,
            )  # fmt: skip
            if wire:
                wire.open()
            running = asyncio.create_task(power.run())
            try:
                await self._happen(plant, running)
            finally:
                running.cancel()
                await asyncio.wait([running])
                if wire:
                    wire.close()

    async def _happen(self, plant: Plant, running: asyncio.Task[None]) -> None:
        end = self.clock.now() + self.summary.days * DAY
        while self.clock.now() < end and not running.done():
            await asyncio.sleep(REST_S + self._random.expovariate(1 / self._every_s))
            flicker = self._random.random() < FLICKERS
            began = self.clock.now()
            plant.step(began)
            plant.cut_mains()
            if not flicker:
                self._cut, self._told = began, False
            await asyncio.sleep(self._random.uniform(*(FLICKER_S if flicker else OUTAGE_S)))
            plant.step(self.clock.now())
            plant.return_mains()
            self.summary.flickers += flicker
            self.summary.outages += not flicker
            if not flicker:
                if not self._told:
                    self.summary.faults.append(f"{began:.1f}: an outage that was not told")
                self._cut, self._ended = None, self.clock.now()
            plant.set_fuel(80.0)


def play(days: float, seed: int, every_s: float = EVERY_S, wire: bool = False) -> Summary:
    """`days` of virtual time, something every `every_s` on average; the same seed is the same story.

    Over the `wire` it is not quite: the kernel decides how bytes come together.
    """
    campaign = Campaign(days, seed, every_s, wire)
    campaign.clock.run(campaign.play())
    return campaign.summary


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="power-campaign", description=__doc__)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wire", action="store_true", help="over a real pty, byte by byte")
    chosen = parser.parse_args(arguments)
    summary = play(chosen.days, chosen.seed, wire=chosen.wire)
    sys.stdout.write("\n".join([*summary.faults, str(summary), ""]))
    return 1 if summary.faults else 0


if __name__ == "__main__":
    sys.exit(main())

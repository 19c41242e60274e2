"""`make power-campaign`: weeks of a plant on a noisy bus, in virtual time. No outage is made up, missed or told late.

The poller, the profiles, the room and the simulated registers are the real ones; between them a bus that loses and
garbles frames (noisy_bus.py). All is random by a seed that is printed, and repeats exactly.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
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
from drivers.sim.plant import Plant, PlantSettings
from drivers.sim.plant_apc import ApcRegisters
from drivers.sim.plant_dse import DseRegisters
from drivers.sim.plant_genset import GensetSettings
from tests.campaign.noisy_bus import Noise, Units, noisy_bus

PROFILES = Path(__file__).parents[2] / "firmware-config"
DAY = 86_400.0
GENSET_UNIT, UPS_UNIT = 10, 1
REST_S = 180.0  # s of mains between two happenings: the plant goes through all its stages
EVERY_S = 5400.0  # s between them, on average
FLICKERS = 0.3  # of what happens
ALONE = 0.15  # of the outages that only one witness sees; the other was silent for so many s before
SILENT_S = 60.0
WITHIN_S = {2: 3.0, 1: 5.0}  # s in which so many witnesses must have told an outage
FLICKER_S, OUTAGE_S = (0.1, 0.6), (10.0, 900.0)
LATE_S = 10.0  # s after an outage's end at which it may still be told
QUICK = GensetSettings(retransfer_s=20.0, cooldown_s=10.0, crank_s=3.0, rest_s=2.0)


SHARES = {0.5: "median", 0.95: "95 %", 1.0: "most"}


class Summary(msgspec.Struct):
    """How a campaign went; `faults` is empty when every outage was told and none was made up."""

    seed: int
    days: float
    noise: Noise
    outages: int = 0
    flickers: int = 0
    suspected: int = 0
    detected_s: dict[int, list[float]] = {}  # by the number of witnesses
    faults: list[str] = []

    def quantile(self, witnesses: int, share: float) -> float:
        times = sorted(self.detected_s.get(witnesses, []))
        return times[min(len(times) - 1, int(share * len(times)))] if times else 0.0

    def told_within(self, witnesses: int) -> str:
        times = [f"{self.quantile(witnesses, share):.2f} s ({word})" for share, word in SHARES.items()]
        return f"{len(self.detected_s.get(witnesses, []))} told by {witnesses} after {', '.join(times)}"

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.days:g} days, {self.noise}; {self.outages} outages, {self.flickers} flickers, "
            f"{self.suspected} suspicions; {self.told_within(2)}; {self.told_within(1)}; faults: {len(self.faults)}"
        )


OpenBus = Callable[[Units, Noise], AbstractContextManager[Bus]]


class Campaign:
    """One box, one plant, one journal in memory; and what really happened."""

    def __init__(
        self, days: float, seed: int, every_s: float, bus: OpenBus,
        on_event: Callable[[float], None], flickers: float,
    ) -> None:  # fmt: skip
        self.clock = VirtualClock()
        self._random = Random(seed)
        self.summary = Summary(seed, days, Noise(self._random))
        self._open_bus, self._on_event, self._flickers = bus, on_event, flickers
        self._state, self._head = State(), Entry.before_first()
        self._every_s = every_s
        self._cut: float | None = None  # since when, of a real outage
        self._ended = self._moved = float("-inf")  # the last outage; and the last flicker or outage
        self._told = False
        self._witnesses = 2

    def append(self, event: Event, *, actor: str = "", cause: int | None = None) -> Appended:
        """In memory: durable at once, as far as the room can see."""
        now = self.clock.now()
        self._head = Entry.after(
            self._head, wall=self.clock.wall(), mono=now, boot="b" * 16, quality="ntp", kind=event.kind,
            subject=event.subject, actor=actor, cause=cause, body=encode_event(event),
        )  # fmt: skip
        apply(self._state, self._head)
        if isinstance(event, MainsSuspected):
            self.summary.suspected += 1
            if self._cut is None and now - self._moved > LATE_S:
                self.summary.faults.append(f"{now:.1f}: a suspicion without a ground, by {event.by}")
        if isinstance(event, MainsLost):
            if self._cut is not None and not self._told:
                self._told = True
                took = now - self._cut
                self.summary.detected_s.setdefault(self._witnesses, []).append(took)
                if took > WITHIN_S[self._witnesses]:
                    self.summary.faults.append(f"{self._cut:.1f}: told after {took:.2f} s by {', '.join(event.by)}")
            elif self._cut is None and now - self._ended > LATE_S:
                self.summary.faults.append(f"{now:.1f}: an outage that was none, by {', '.join(event.by)}")
        durable = asyncio.get_running_loop().create_future()
        durable.set_result(True)
        return Appended(self._head, durable)

    async def play(self) -> None:
        plant = Plant(PlantSettings(genset=QUICK), self.clock.now())
        units: Units = {
            GENSET_UNIT: DseRegisters(plant, self.clock.now, self.clock.wall),
            UPS_UNIT: ApcRegisters(plant, self.clock.now),
        }
        site = Site(
            role=Role.CENTRE, site="ambon", id="pusat", name="Pusat",
            annunciator=AnnunciatorConfig(socket="a.sock", factory="mock"),
            bus=(BusConfig(id="rtu", kind="rtu", port="/dev/null"),),
            genset=(
                Genset(id="g1", name="Genset", bus="rtu", unit=GENSET_UNIT, profile="dse_7320_mk2", tank_litres=400),
            ),
            ups=(Ups(id="u1", name="UPS", bus="rtu", unit=UPS_UNIT, profile="apc_smart_ups"),),
        )  # fmt: skip
        self.append(Started(role="centre", version="0", speed=1.0))
        with self._open_bus(units, self.summary.noise) as bus:
            await self._live(site, plant, bus)

    async def _live(self, site: Site, plant: Plant, bus: Bus) -> None:
        power = Power(
            site=site, profiles=PROFILES, state=self._state, clock=self.clock, append=self.append,
            on_changed=lambda: None, open_bus=lambda _: bus,
        )  # fmt: skip
        running = asyncio.create_task(power.run())
        try:
            await self._happen(plant, running)
        finally:
            running.cancel()
            await asyncio.wait([running])

    async def _happen(self, plant: Plant, running: asyncio.Task[None]) -> None:
        end = self.clock.now() + self.summary.days * DAY
        while not running.done():
            rest_s = REST_S + self._random.expovariate(1 / self._every_s)
            if self.clock.now() + rest_s >= end:
                await asyncio.sleep(end - self.clock.now())
                return
            await asyncio.sleep(rest_s)
            flicker = self._random.random() < self._flickers
            self._witnesses = 1 if not flicker and self._random.random() < ALONE else 2
            if self._witnesses == 1:
                self.summary.noise.mute = self._random.choice((GENSET_UNIT, UPS_UNIT))
                await asyncio.sleep(SILENT_S)
            began = self.clock.now()
            plant.step(began)
            plant.cut_mains()
            if not flicker:
                self._cut, self._told = began, False
            await asyncio.sleep(self._random.uniform(*(FLICKER_S if flicker else OUTAGE_S)))
            plant.step(self.clock.now())
            plant.return_mains()
            self.summary.noise.mute = None
            self._moved = self.clock.now()
            self.summary.flickers += flicker
            self.summary.outages += not flicker
            if not flicker:
                if not self._told:
                    self.summary.faults.append(f"{began:.1f}: an outage that was not told")
                self._cut, self._ended = None, self.clock.now()
            plant.set_fuel(80.0)
            self._on_event(self.clock.now() / DAY)


def play(
    days: float, seed: int, every_s: float = EVERY_S, bus: OpenBus = noisy_bus,
    progress: Callable[[str], None] | None = None, flickers: float = FLICKERS,
) -> Summary:  # fmt: skip
    """`days` of virtual time, something every `every_s` on average; the same seed is the same story.

    `flickers` is their share of what happens; `progress` gets a line for each day.
    """
    told = 0

    def tell(day: float) -> None:
        nonlocal told
        if progress and int(day) > told:
            told = int(day)
            progress(f"day {told}: {campaign.summary}")

    campaign = Campaign(days, seed, every_s, bus, tell, flickers)
    campaign.clock.run(campaign.play())
    return campaign.summary


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="power-campaign", description=__doc__)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=EVERY_S, help="s between outages and flickers, on average")
    chosen = parser.parse_args(arguments)
    logging.disable()
    summary = play(chosen.days, chosen.seed, chosen.every, progress=_say)
    for line in (*summary.faults, str(summary)):
        _say(line)
    return 1 if summary.faults else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

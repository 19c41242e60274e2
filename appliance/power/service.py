"""The building's power as it is measured: polls its devices, journals what the machines make of it, and shows it.

A device with a profile that cannot be used, or on a bus that is not there, is a lost link; the others go on.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from operator import is_
from pathlib import Path

from appliance.clock import boot_id
from appliance.config import Site
from appliance.config_power import Bus as BusConfig
from appliance.journal import Appended
from appliance.model import Mains
from appliance.power.buses import bus_of
from appliance.power.learned import Learned
from appliance.power.look import Look, look
from appliance.power.measured import Measured, Switch
from appliance.power.orderable import Orderable, orderable_of
from appliance.power.picture import lines, picture
from appliance.power.plant_machine import PlantMachine
from appliance.power.polling import Asks, poller_of
from appliance.power.seen import WITNESS, Words
from appliance.power_view import PowerView, Ready
from appliance.stamp import Stamp
from appliance.state import State
from drivers.clock import Clock
from drivers.modbus.bus import Bus
from drivers.reading import Reading

LINES_S = 5.0  # s between looks at the readiness list: what it tells must have stayed so for two minutes
TICK_S = 0.5  # s between looks when nothing arrives: for deadlines, and for what has grown old
HURRY_FOR_S = 6.0  # s of hurry about mains: one witness alone is believed by then, and one that lies hurries no longer


class Power:
    """`run` polls; `view` is what is known now. `append` writes to the journal, `state` is its fold."""

    def __init__(
        self, *, site: Site, profiles: Path, state: State, clock: Clock,
        append: Callable[..., Appended], on_changed: Callable[[], None],
        open_bus: Callable[[BusConfig], Bus] = bus_of,
    ) -> None:  # fmt: skip
        self._site, self._state, self._clock = site, state, clock
        self._append, self._on_changed, self._open_bus = append, on_changed, open_bus
        self._boot = boot_id()
        now = clock.now()
        self._gensets = {d.id: Measured(d, "genset", profiles / "gensets", now) for d in site.genset}
        self._ups = {d.id: Measured(d, "ups", profiles / "ups", now) for d in site.ups}
        self._meters = {d.id: Measured(d, "meter", profiles / "meters", now) for d in site.meter}
        self._switches = {d.id: Switch(d) for d in site.ats}
        self._devices = [*self._gensets.values(), *self._ups.values(), *self._meters.values()]
        self._looked: Look | None = None
        self._looked_words: list[Words] = []
        self._inputs: dict[str, bool] | None = None
        self._orderables: dict[str, Orderable] = {}  # by "genset/g1", while `run` runs
        self._pollers: list[Asks] = []
        self._start_anew()

    def _start_anew(self) -> None:
        """New machines, from what the journal says."""
        now = self._clock.now()
        self._machine = PlantMachine(
            gensets=self._gensets, ups=self._ups, meters=self._meters, switches=self._switches,
            silent_s={d.link: d.fresh_s for d in self._devices}, start_s=self._site.power.start_s,
            load_s=self._site.power.load_s, state=self._state, since=self.age, now=now,
        )  # fmt: skip
        self._lines_at = self._stepped_at = float("-inf")
        self._doubted_at: float | None = None
        self._learned = Learned(self._site, self._state, self.age, now)

    def age(self, stamp: Stamp) -> float:
        """Seconds since then."""
        return stamp.elapsed(self._clock.now(), self._clock.wall(), self._boot)

    def orderable(self, link: str) -> Orderable | None:
        """The device that takes orders under this link, if it is polled."""
        return self._orderables.get(link)

    async def run(self) -> None:
        """Poll everything for as long as the task lives. Started again, it goes on from the folded state."""
        self._start_anew()
        buses = {config.id: self._open_bus(config) for config in self._site.bus}
        try:
            async with asyncio.TaskGroup() as group:
                for device, share in zip(self._devices, _shares(self._devices), strict=True):
                    if poller := poller_of(device, buses, self._taker(device), share):
                        self._pollers.append(poller)
                        self._orderables[device.link] = orderable_of(poller.command, device.profile)
                        group.create_task(poller.run(), name=f"poll {device.link}")
                while True:
                    if (wait := self._stepped_at + TICK_S - self._clock.now()) <= 0:
                        self._step()
                    await asyncio.sleep(wait if wait > 0 else TICK_S)
        finally:
            self._orderables.clear()
            self._pollers.clear()
            for bus in buses.values():
                bus.close()

    def _taker(self, device: Measured) -> Callable[[list[Reading]], None]:
        def take(readings: list[Reading]) -> None:
            device.take(readings)
            self._step()
            self._on_changed()

        return take

    def on_inputs(self, inputs: Mapping[str, bool] | None) -> None:
        """All inputs of the annunciator, as it greets; None: it is gone."""
        self._inputs = None if inputs is None else dict(inputs)

    def on_input(self, name: str, active: bool) -> None:
        """One input changed."""
        if self._inputs is not None:
            self._inputs[name] = active

    def look(self) -> Look:
        """What every device says now."""
        now = self._clock.now()
        words = [d.words(now) for d in self._devices]
        same = self._looked is not None and not self._switches and all(map(is_, words, self._looked_words))
        if self._looked is None or not same:
            self._looked, self._looked_words = look(
                self._site, self._gensets, self._ups, self._meters, self._switches, self._inputs, now
            ), words  # fmt: skip
        return self._looked

    def _step(self) -> None:
        seen, now = self.look(), self._clock.now()
        self._stepped_at = now
        for event in self._machine.step(seen.sets, seen.batteries, now, seen.meters, seen.switches):
            self._append(event)
        self._hurry(now)
        ready: list[Ready] = []
        if now - self._lines_at >= LINES_S:
            self._lines_at = now
            ready = lines(self._site, self._state, seen, self._machine, self.age)
        for event in self._learned.step(
            phases={id: watch.phase for id, watch in self._machine.gensets.items()}, measures=seen.measures,
            on_battery=self._machine.on_battery, batteries=seen.charges, lines=ready,
            lost=self._machine.mains.believed is Mains.LOST, now=now, age=self.age,
        ):  # fmt: skip
            self._append(event)

    def _hurry(self, now: float) -> None:
        """While it is not decided whether mains is lost, its witnesses are asked more often."""
        if not self._machine.mains.doubted:
            self._doubted_at = None
            return
        if self._doubted_at is None:
            self._doubted_at = now
        if now - self._doubted_at < HURRY_FOR_S:
            for poller in self._pollers:
                poller.hurry(WITNESS)

    def view(self) -> PowerView:
        """What is known now; states behind a lost link are not."""
        seen = self.look()
        view = picture(self._site, self._state, seen, self._machine, self._learned, self.age, self._clock.now())
        view.genset_devices = [d.view(self._state) for d in self._gensets.values()]
        view.ups_devices = [d.view(self._state) for d in self._ups.values()]
        view.meter_devices = [d.view(self._state) for d in self._meters.values()]
        view.ats_devices = [d.view(seen.switches[id], self._state) for id, d in self._switches.items()]
        return view


def _shares(devices: Sequence[Measured]) -> list[float]:
    """Where in its interval each is asked, so that those of one bus do not all wait behind one that is not heard."""
    buses = [device.config.bus for device in devices]
    return [buses[:i].count(bus) / buses.count(bus) for i, bus in enumerate(buses)]

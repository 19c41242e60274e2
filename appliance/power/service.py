"""The building's power as it is measured: polls generator controllers and UPSes, journals what the machine makes of it.

A device with a profile that cannot be used, or on a bus that is not there, is a lost link; the others go on.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from appliance.clock import boot_id
from appliance.config import Site
from appliance.config_power import Bus as BusConfig
from appliance.config_power import Device
from appliance.figure import Figure
from appliance.journal import Appended
from appliance.model import GensetPhase, Mains
from appliance.power.dark import dark, source
from appliance.power.orderable import Orderable, by_profile
from appliance.power.plant_machine import GensetSeen, PlantMachine, UpsSeen
from appliance.power.seen import genset_seen, ups_seen
from appliance.power_view import DeviceView, PowerView
from appliance.state import Genset, State, Ups
from drivers.clock import Clock
from drivers.modbus.bus import Bus
from drivers.modbus.errors import ProfileError
from drivers.modbus.line import SerialLine, TcpLine
from drivers.modbus.poller import Poller
from drivers.modbus.profile import Profile, load
from drivers.quality import Quality
from drivers.reading import Reading

TICK_S = 0.5  # s between looks when nothing arrives: for deadlines, and for what has grown old
MISSED_POLLS, SLACK_S = 3, 2.0  # a reading is fresh for so many polls and so many s: a dead unit delays its bus

log = logging.getLogger("siaga.power")


class Measured:
    """One device and its newest readings; every point of its profile is there from the start, without a value."""

    def __init__(self, config: Device, kind: str, folder: Path, now: float) -> None:
        self.config, self.link = config, f"{kind}/{config.id}"
        self.fresh_s = MISSED_POLLS * config.poll_s + SLACK_S
        self.profile: Profile | None = None
        self.readings: dict[str, Reading] = {}
        try:
            self.profile = load(folder / f"{config.profile}.toml")
        except (ProfileError, OSError) as e:
            log.error("%s is not polled: %s", self.link, e)
            return
        self.readings = {
            name: Reading(name, None, point.unit, Quality.NO_LINK, now) for name, point in self.profile.point.items()
        }

    def view(self, state: State) -> DeviceView:
        figures = {
            name: Figure(r.value, r.unit, r.quality.value, r.at, self.fresh_s) for name, r in self.readings.items()
        }
        return DeviceView(self.config.id, self.config.name, figures, state.links.get(self.link))


class Power:
    """`run` polls; `view` is what is known now. `append` writes to the journal, `state` is its fold."""

    def __init__(
        self, *, site: Site, profiles: Path, state: State, clock: Clock,
        append: Callable[..., Appended], on_changed: Callable[[], None],
    ) -> None:  # fmt: skip
        self._site, self._state, self._clock = site, state, clock
        self._append, self._on_changed = append, on_changed
        self._boot = boot_id()
        self._orderables: dict[str, Orderable] = {}
        now = clock.now()
        self._gensets = {d.id: Measured(d, "genset", profiles / "gensets", now) for d in site.genset}
        self._ups = {d.id: Measured(d, "ups", profiles / "ups", now) for d in site.ups}
        self._machine = self._new_machine()
        self._look()

    def _new_machine(self) -> PlantMachine:
        now, wall = self._clock.now(), self._clock.wall()
        return PlantMachine(
            gensets=self._gensets,
            ups=self._ups,
            silent_s={d.link: d.fresh_s for d in self._devices()},
            start_s=self._site.power.start_s,
            state=self._state,
            since=lambda stamp: stamp.elapsed(now, wall, self._boot),
            now=now,
        )

    def orderable(self, link: str) -> Orderable | None:
        """The device that takes orders under this link, if it is polled."""
        return self._orderables.get(link)

    def _devices(self) -> list[Measured]:
        return [*self._gensets.values(), *self._ups.values()]

    async def run(self) -> None:
        """Poll everything for as long as the task lives. Started again, it goes on from the folded state."""
        self._machine = self._new_machine()
        buses = {config.id: _bus(config) for config in self._site.bus}
        try:
            async with asyncio.TaskGroup() as group:
                for device in self._devices():
                    if poller := self._poller(device, buses[device.config.bus]):
                        group.create_task(poller.run(), name=f"poll {device.link}")
                while True:
                    self._step()
                    await asyncio.sleep(TICK_S)
        finally:
            for bus in buses.values():
                bus.close()

    def _poller(self, device: Measured, bus: Bus) -> Poller | None:
        if device.profile is None:
            return None

        def take(readings: list[Reading]) -> None:
            device.readings |= {r.point: r for r in readings}
            self._step()
            self._on_changed()

        try:
            poller = Poller(bus, device.config.unit, device.profile, take, interval_s=device.config.poll_s)
        except ValueError as e:
            log.error("%s is not polled: %s", device.link, e)
            return None
        self._orderables[device.link] = by_profile(poller.command, device.profile)
        return poller

    def _look(self) -> None:
        """Put what was measured last into the machine's words."""
        now = self._clock.now()
        self._sets: dict[str, GensetSeen] = {
            id: genset_seen(d.readings, now, d.fresh_s) for id, d in self._gensets.items()
        }
        self._batteries: dict[str, UpsSeen] = {id: ups_seen(d.readings, now, d.fresh_s) for id, d in self._ups.items()}

    def _step(self) -> None:
        self._look()
        for event in self._machine.step(self._sets, self._batteries, self._clock.now()):
            self._append(event)

    def view(self) -> PowerView:
        """What is known now; states behind a lost link are not."""
        self._look()
        state, now = self._state, self._clock.now()
        feeds = source(self._sets.values(), self._batteries.values(), self._machine.witnesses)
        on_battery = [d for id, d in self._ups.items() if self._batteries[id].on_battery]
        fresh_s = max((d.fresh_s for d in on_battery), default=SLACK_S)
        mains = self._machine.mains
        # An outage stands until its end was seen; "present" needs somebody who says so now.
        believed = Mains.UNKNOWN if mains.believed is Mains.PRESENT and not mains.known else mains.believed
        return PowerView(
            source=feeds,
            mains=believed,
            mains_since=state.mains_since,
            witnesses=state.witnesses,
            dark=dark(feeds, [d.readings for d in on_battery], now, fresh_s),
            gensets={id: self._genset(id) for id in self._gensets},
            ups={id: Ups(b.on_battery, state.ups[id].since) if id in state.ups else Ups(b.on_battery)
                 for id, b in self._batteries.items()},
            genset_devices=[d.view(state) for d in self._gensets.values()],
            ups_devices=[d.view(state) for d in self._ups.values()],
        )  # fmt: skip

    def _genset(self, id: str) -> Genset:
        seen, watch = self._sets[id], self._machine.gensets[id]
        since = self._state.gensets[id].since if id in self._state.gensets else Genset().since
        if not seen.linked:
            return Genset(GensetPhase.UNKNOWN, since, None, "", "")
        proof_holds = seen.mode == "auto" and seen.fault == ""
        ready = None if watch.ready and not proof_holds else watch.ready
        return Genset(watch.phase, since, ready, seen.mode, watch.fault)


def _bus(config: BusConfig) -> Bus:
    if config.kind == "rtu":
        return Bus(SerialLine(config.port, config.baud))
    return Bus(TcpLine(config.host, config.tcp_port))

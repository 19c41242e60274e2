"""Power and alarms on real bytes: the simulated building, a real RTU line, TCP and a real journal."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from appliance.alarm_commands import AcknowledgeAlarm
from appliance.alarm_events import AlarmCleared, AlarmRaised
from appliance.alarms.desk import AlarmDesk
from appliance.alarms.service import Alarms
from appliance.annunciator_config import AnnunciatorConfig
from appliance.config import Site
from appliance.config_power import Bus, Genset, Ups
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import LinkLost, LinkRestored, Started
from appliance.fold import apply
from appliance.journal import Journal
from appliance.model import GensetPhase, Mains, Role, Source
from appliance.power.service import Power
from appliance.power_events import GensetFailedToStart, GensetNotInAuto, MainsLost, MainsReturned
from appliance.power_view import PowerView
from appliance.state import State
from drivers.clock import Clock, VirtualClock
from drivers.sim.building import TICK_S, Building, BuildingConfig
from drivers.sim.knobs import turn
from drivers.sim.plant import PlantSettings
from drivers.sim.plant_genset import GensetSettings

ROOT = Path(__file__).parents[2]
PROFILES = ROOT / "firmware-config"
QUICK = GensetSettings(retransfer_s=4.0, cooldown_s=3.0, crank_s=3.0, rest_s=2.0)  # a day's work in a minute

Story = Callable[["Box"], Awaitable[None]]


class Box:
    """Core's part of the work: journal, fold, alarms and power, on one loop; and a hand on the building's knobs."""

    def __init__(self, folder: Path, clock: Clock, tcp_port: int, buses: tuple[str, str]) -> None:
        self.folder, self.clock = folder, clock
        self.site = Site(
            role=Role.CENTRE,
            site="ambon",
            id="pusat",
            name="Pusat",
            annunciator=AnnunciatorConfig(socket="a.sock", factory="mock"),
            bus=(
                Bus(id="rtu", kind="rtu", port=str(folder / "rtu")),
                Bus(id="tcp", kind="tcp", host="127.0.0.1", tcp_port=tcp_port),
            ),
            genset=(Genset(id="g1", name="Genset", bus=buses[0], unit=10, profile="dse_7320_mk2"),),
            ups=(Ups(id="u1", name="UPS", bus=buses[1], unit=1, profile="apc_smart_ups"),),
        )
        self.events: list[Event] = []
        self.news = asyncio.Event()

    async def turn(self, knob: str, **args: object) -> None:
        await turn(self.folder / "knobs", knob, timeout=5.0, **args)

    @contextlib.asynccontextmanager
    async def on(self) -> AsyncIterator[None]:
        """Switched on, from what the journal holds; switched off at the end."""
        self.state = State()
        self.alarms: Alarms | None = None
        self.journal = Journal(self.folder / "journal.db", self.clock, "b" * 16, lambda: "ntp", self._on_entry)
        self.journal.open()
        self.clock.busy = lambda: self.journal.writing
        self.power = Power(
            site=self.site, profiles=PROFILES, state=self.state, clock=self.clock, append=self.journal.append,
            on_changed=self.news.set,
        )  # fmt: skip
        self.alarms = Alarms(site=self.site, state=self.state, clock=self.clock, append=self.journal.append)
        self.journal.append(Started(role="centre", version="0", speed=self.clock.speed))
        running = [asyncio.create_task(part.run()) for part in (self.power, self.alarms)]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            for ended in await asyncio.gather(*running, return_exceptions=True):
                assert isinstance(ended, asyncio.CancelledError), ended
            self.journal.close()

    def _on_entry(self, entry: Entry) -> None:
        apply(self.state, entry)
        if self.alarms is not None:
            self.events.append(entry.event)
            self.alarms.on_entry(entry)
        self.news.set()

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]

    def view(self) -> PowerView:
        return self.power.view()

    async def until(self, true: Callable[[], object], most: float = 60.0) -> None:
        """Wait in the box's time until it is so; a failure tells what happened instead."""
        try:
            async with asyncio.timeout(most):
                while not true():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            pytest.fail(f"not within {most} s; there was {self.kinds}, and now {self.view().source}")

    async def until_told(self, kind: str, most: float = 60.0) -> None:
        await self.until(lambda: kind in self.kinds, most)

    async def until_calm(self) -> None:
        """Both devices have been read, and all is well."""
        await self.until(lambda: self.view().source is Source.MAINS and self.view().gensets["g1"].ready)
        self.events.clear()

    def told_of(self, *things: str) -> list[str]:
        """The kinds of what was told of these, in order: `power`, `genset`, `ups`."""
        return [kind for kind in self.kinds if kind.partition(".")[0] in things]


def play(folder: Path, *stories: Story, buses: tuple[str, str] = ("rtu", "rtu")) -> None:
    """Tell stories of one building, the box started anew for each. `buses` are the controller's and the UPS's.

    All of it lives on one loop whose time moves on only when nobody has anything left to do.
    """
    clock = VirtualClock()

    async def told() -> None:
        async with building(folder, clock) as port:
            for story in stories:
                box = Box(folder, clock, port, buses)
                async with box.on():
                    await story(box)

    clock.run(told())


@contextlib.asynccontextmanager
async def building(folder: Path, clock: Clock) -> AsyncIterator[int]:
    there = Building(
        BuildingConfig(rtu_port=folder / "rtu", plant=PlantSettings(genset=QUICK)), folder / "knobs", clock.wall
    )
    await there.start()
    ageing = asyncio.create_task(age(there))
    try:
        yield there.tcp_port
    finally:
        ageing.cancel()
        await asyncio.wait([ageing])
        await there.stop()


async def age(there: Building) -> None:
    while True:
        there.plant.step(asyncio.get_running_loop().time())
        await asyncio.sleep(TICK_S)


def test_a_blackout_from_its_first_second_to_the_set_being_ready_again_with_a_restart_of_the_box_in_between(
    tmp_path: Path,
) -> None:
    async def outage(box: Box) -> None:
        await box.until_calm()
        await box.turn("mains.cut")
        await box.until_told("power.mains_lost")
        lost = next(e for e in box.events if isinstance(e, MainsLost))
        assert (lost.witnesses, set(lost.by)) == (2, {"genset/g1", "ups/u1"})
        view = box.view()
        assert (view.source, view.mains, view.dark.reason) == (Source.BATTERY, Mains.LOST, "ups_runtime")
        assert 21 < (view.dark.minutes or 0) <= 23
        assert AlarmRaised(alarm="power.mains_lost", about="mains", priority=2, first_out=True) in box.events
        await box.until_told("genset.on_load")
        assert box.view().source is Source.GENSET
        assert box.view().dark.minutes is None
        assert box.told_of("power", "genset") == [
            "power.mains_lost", "genset.starting", "genset.running", "genset.start_measured", "genset.on_load",
        ]  # fmt: skip

    async def later(box: Box) -> None:
        await box.until(lambda: box.view().source is Source.GENSET)
        await asyncio.sleep(3)
        assert box.told_of("power", "genset", "ups") == []
        assert box.view().gensets["g1"].phase is GensetPhase.ON_LOAD
        await box.turn("mains.return")
        await box.until_told("power.mains_returned")
        by = next(e for e in box.events if isinstance(e, MainsReturned)).by
        assert by == ("genset/g1",)
        assert AlarmCleared(alarm="power.mains_lost", about="mains") in box.events
        await box.until_told("genset.ready")
        await box.until(lambda: box.view().source is Source.MAINS)
        assert box.told_of("power", "genset") == [
            "power.mains_returned", "genset.off_load", "genset.cooling", "genset.stopped", "genset.run_ended",
            "genset.ready",
        ]  # fmt: skip

    play(tmp_path, outage, later)


def test_a_set_that_refuses_is_an_alarm_of_the_first_priority_until_it_runs(tmp_path: Path) -> None:
    raised = AlarmRaised(alarm="genset.fail_to_start", about="g1", priority=1, first_out=False)

    async def story(box: Box) -> None:
        await box.until_calm()
        await box.turn("genset.refuse", on=True)
        await box.turn("mains.cut")
        await box.until(lambda: raised in box.events)
        assert GensetFailedToStart(genset="g1", reason="controller") in box.events
        view = box.view()
        assert (view.source, view.gensets["g1"].phase) == (Source.BATTERY, GensetPhase.FAILED)
        assert view.gensets["g1"].ready is False
        assert box.alarms
        desk = AlarmDesk(
            state=box.state, append=box.journal.append, rows=box.alarms.rows, journal=Path("none"), zone="WIT"
        )  # fmt: skip
        said = desk.acknowledge(AcknowledgeAlarm(alarm="genset.fail_to_start", about="g1"), "operator")
        assert said["now"] == "acknowledged"
        await box.turn("genset.refuse", on=False)
        await box.turn("genset.mode", mode="stop")
        await box.until(lambda: any(isinstance(e, GensetNotInAuto) for e in box.events))
        await box.turn("genset.mode", mode="auto")
        await box.until_told("genset.running")
        assert AlarmCleared(alarm="genset.fail_to_start", about="g1") in box.events
        assert "genset.fail_to_start/g1" not in box.state.alarms
        assert "genset.not_in_auto/g1" in box.state.alarms  # over, and nobody has seen it
        assert box.state.alarms["genset.not_in_auto/g1"].cleared
        assert box.events.count(raised) == 1

    play(tmp_path, story, buses=("tcp", "rtu"))


def test_a_flicker_and_a_self_test_are_no_outage(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        await box.until_calm()
        await box.turn("ups.test")
        await box.until(lambda: box.view().ups_devices[0].figures["testing"].value)
        assert box.view().source is Source.MAINS
        await box.until(lambda: not box.view().ups_devices[0].figures["testing"].value)
        assert box.told_of("power", "genset", "ups") == []
        await box.turn("mains.cut")
        await asyncio.sleep(0.8)
        await box.turn("mains.return")
        await asyncio.sleep(6)
        assert box.told_of("power", "genset") == []
        assert not any(alarm.startswith("power.") for alarm in box.state.alarms)

    play(tmp_path, story)


@pytest.mark.parametrize(("mute", "by"), [("ups", "genset/g1"), ("genset", "ups/u1")])
def test_with_one_device_silent_the_other_alone_is_believed_within_five_seconds(
    tmp_path: Path, mute: str, by: str
) -> None:
    async def story(box: Box) -> None:
        await box.until_calm()
        link = f"{mute}/{mute[0]}1"
        await box.turn("bus.mute", device=mute)
        await box.until(lambda: LinkLost(link=link, reason="no_answer") in box.events)
        await box.turn("mains.cut")
        began = box.clock.now()
        await box.until_told("power.mains_lost")
        assert 3.0 <= box.clock.now() - began <= 5.0
        assert MainsLost(witnesses=1, by=(by,)) in box.events
        assert box.events.count(LinkLost(link=link, reason="no_answer")) == 1
        if mute == "genset":
            genset = box.view().gensets["g1"]
            assert (genset.phase, genset.ready) == (GensetPhase.UNKNOWN, None)
        await box.turn("bus.mute", device=mute, on=False)
        await box.until(lambda: LinkRestored(link=link) in box.events)
        await box.until_told("genset.on_load")

    play(tmp_path, story)


def test_a_bus_that_vanishes_in_the_outage_makes_everything_unknown_and_nothing_lost(tmp_path: Path) -> None:
    async def story(box: Box) -> None:
        await box.until_calm()
        await box.turn("bus.unplug")
        await box.turn("mains.cut")
        await box.until(lambda: {"genset.link_lost/g1", "ups.link_lost/u1"} <= set(box.state.alarms))
        view = box.view()
        assert (view.source, view.mains, view.dark.minutes) == (Source.UNKNOWN, Mains.UNKNOWN, None)
        assert view.ups["u1"].on_battery is None
        await asyncio.sleep(5)
        assert not any(k.startswith("power.") for k in box.kinds)
        await box.turn("bus.plug")
        await box.until_told("genset.on_load")

    play(tmp_path, story)

"""A plant in words for the plant machine: its devices are set by hand, time passes in polls, events are folded."""

from collections.abc import Iterable
from typing import Any

import msgspec

from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.fold import apply
from appliance.model import GensetPhase, Mains
from appliance.power.genset_machine import Engine, GensetSeen
from appliance.power.plant_machine import PlantMachine, UpsSeen
from appliance.power_state import Genset, Ups
from appliance.state import State

START_S, SILENT_S, POLL_S = 90.0, 5.0, 1.0
BOOT = "b" * 16
STANDBY = GensetSeen(
    linked=True, engine=Engine.STOPPED, feeding=False, mains=True, mode="auto", failed_to_start=False, fault=""
)
ON_LINE = UpsSeen(linked=True, on_battery=False, off=False)
WITHOUT_LINK = GensetSeen()
UPS_WITHOUT_LINK = UpsSeen()


class Plant:
    """Generator `g1` and UPS `u1`, or what `gensets` and `ups` name. `told` are all events since the last `forget`."""

    def __init__(self, gensets: Iterable[str] = ("g1",), ups: Iterable[str] = ("u1",)) -> None:
        self.now = 1000.0
        self.sets: dict[str, GensetSeen] = dict.fromkeys(gensets, STANDBY)
        self.batteries: dict[str, UpsSeen] = dict.fromkeys(ups, ON_LINE)
        self.state, self._head = State(), Entry.before_first()
        self.told: list[Event] = []
        self.restart()

    def restart(self) -> None:
        """A new machine from what the journal says."""
        self.state.links = {}
        self.machine = PlantMachine(
            gensets=self.sets,
            ups=self.batteries,
            silent_s={f"genset/{g}": SILENT_S for g in self.sets} | {f"ups/{u}": SILENT_S for u in self.batteries},
            start_s=START_S,
            state=self.state,
            since=lambda stamp: stamp.elapsed(self.now, self.now, BOOT),
            now=self.now,
        )

    def calm(self) -> "Plant":
        """All is well and known to be; nothing is told of it."""
        self.wait(3)
        self.forget()
        return self

    def forget(self) -> None:
        self.told = []

    def genset(self, id: str = "g1", **words: Any) -> None:
        self.sets[id] = msgspec.structs.replace(self.sets[id], **words)

    def ups(self, id: str = "u1", **words: Any) -> None:
        self.batteries[id] = msgspec.structs.replace(self.batteries[id], **words)

    def cut(self) -> None:
        """Both witnesses see mains go."""
        for id in self.sets:
            self.genset(id, mains=False)
        for id in self.batteries:
            self.ups(id, on_battery=True)

    def take_load(self) -> None:
        self.genset(engine=Engine.RUNNING, feeding=True)
        self.ups(on_battery=False)

    def poll(self, seconds: float = POLL_S) -> list[Event]:
        """Everything that has a link is measured once, `seconds` later."""
        self.now += seconds
        at = self.now
        for id, s in self.sets.items():
            self.sets[id] = msgspec.structs.replace(s, at=at, mains_at=at, mode_at=at, fault_at=at) if s.linked else s
        for id, u in self.batteries.items():
            self.batteries[id] = msgspec.structs.replace(u, at=at) if u.linked else u
        return self.step()

    def step(self) -> list[Event]:
        """The machine looks again, at the same measurements."""
        events = self.machine.step(self.sets, self.batteries, self.now)
        for event in events:
            self._fold(event)
        self.told += events
        return events

    def wait(self, seconds: float, poll_s: float = POLL_S) -> list[Event]:
        """Poll for so long; what was told meanwhile."""
        first = len(self.told)
        for _ in range(round(seconds / poll_s)):
            self.poll(poll_s)
        return self.told[first:]

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.told]

    def _fold(self, event: Event) -> None:
        self._head = Entry.after(
            self._head, wall=self.now, mono=self.now, boot=BOOT, quality="ntp", kind=event.kind,
            subject=event.subject, actor="", cause=None, body=encode_event(event),
        )  # fmt: skip
        apply(self.state, self._head)

    def disagreements(self) -> list[str]:
        """Where the machine believes something else than the fold of what it told."""
        found = []
        if self.machine.mains.believed is not self.state.mains:
            found.append(f"mains: {self.machine.mains.believed}, folded {self.state.mains}")
        for id, watch in self.machine.gensets.items():
            folded = self.state.gensets.get(id, Genset())
            # A set first seen at rest is no news; `ready` tells of it.
            unseen = folded.phase == "unknown" and watch.phase == "stopped"
            if watch.phase is not folded.phase and not unseen:
                found.append(f"{id}: {watch.phase}, folded {folded.phase}")
            if (watch.ready, watch.fault) != (folded.ready, folded.fault):
                found.append(f"{id}: ready {watch.ready} {watch.fault!r}, folded {folded.ready} {folded.fault!r}")
        for id, on_battery in self.machine.on_battery.items():
            folded_ups = self.state.ups.get(id, Ups())
            if on_battery != folded_ups.on_battery and (on_battery or folded_ups.on_battery is not None):
                found.append(f"{id}: on battery {on_battery}, folded {folded_ups.on_battery}")
        return found


def is_out(plant: Plant) -> bool:
    return plant.state.mains is Mains.LOST


def outage() -> Plant:
    """Mains lost and told, the set still at rest."""
    plant = Plant().calm()
    plant.cut()
    plant.wait(3)
    assert is_out(plant)
    plant.forget()
    return plant


def on_load() -> Plant:
    plant = outage()
    plant.genset(engine=Engine.STARTING)
    plant.wait(4)
    plant.take_load()
    plant.wait(2)
    assert plant.machine.gensets["g1"].phase is GensetPhase.ON_LOAD
    plant.forget()
    return plant

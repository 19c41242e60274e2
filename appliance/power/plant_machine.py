"""The building's power as one pure machine: what the devices show, folded into mains, generator and UPS events."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from appliance import events as ev
from appliance import power_events as pw
from appliance.event import Event
from appliance.model import Mains
from appliance.power.genset_machine import MAY_FAIL, Engine, GensetSeen, GensetWatch
from appliance.power.mains_machine import MainsWatch, Witness
from appliance.power_state import Genset, GensetRecord
from appliance.stamp import Stamp
from appliance.state import State


class UpsSeen(msgspec.Struct, frozen=True):
    """One UPS now. `on_battery` is False in a self-test; None means not known."""

    linked: bool = False
    at: float = 0.0
    on_battery: bool | None = None
    off: bool | None = None
    charge: float | None = None  # %


class MeterSeen(msgspec.Struct, frozen=True):
    """One meter on the mains' side."""

    linked: bool = False
    mains: bool | None = None
    mains_at: float = 0.0


class SwitchSeen(msgspec.Struct, frozen=True):
    """A transfer switch's contacts. None: not wired, or the annunciator is not there; it has no link of its own."""

    mains: bool | None = None
    genset: bool | None = None  # gives volts
    on_mains: bool | None = None
    on_genset: bool | None = None
    at: float = 0.0


NOT_SEEN, NO_UPS, NO_METER, NO_SWITCH = GensetSeen(), UpsSeen(), MeterSeen(), SwitchSeen()


class PlantMachine:
    """The whole plant. Made from the folded state, so that a restart goes on and tells nothing twice."""

    def __init__(
        self, *, gensets: Iterable[str], ups: Iterable[str], silent_s: Mapping[str, float], start_s: float,
        state: State, since: Callable[[Stamp], float], now: float, load_s: float = 30.0,
        meters: Iterable[str] = (), switches: Iterable[str] = (),
    ) -> None:  # fmt: skip
        """`silent_s`: seconds without an answer until a link is lost, by link; `since`: seconds since a stamp."""
        self.mains = MainsWatch(state.mains)
        lost_for = since(state.mains_since) if state.mains is Mains.LOST else None
        self.gensets: dict[str, GensetWatch] = {}
        for id in gensets:
            known = state.gensets.get(id, Genset())
            # A start that began after the outage did has its own time.
            starts = lost_for is not None and known.phase in MAY_FAIL
            due = now + start_s - min(lost_for or 0.0, since(known.since)) if starts else None
            record = state.genset_records.get(id, GensetRecord())
            self.gensets[id] = GensetWatch(id, start_s, load_s, known, due, record.not_taking)
        self.on_battery = {id: state.ups[id].on_battery if id in state.ups else None for id in ups}
        self._meters, self._switches = tuple(meters), tuple(switches)
        self._link_names = [
            *(f"genset/{id}" for id in self.gensets),
            *(f"ups/{id}" for id in self.on_battery),
            *(f"meter/{id}" for id in self._meters),
        ]
        self._links = {link: found.up for link, found in state.links.items()}
        self._silent_s, self._began = silent_s, now
        self._at_rest = not self.gensets  # no set can have begun to feed without our seeing it
        self.witnesses: list[Witness] = []  # as they spoke last

    def step(
        self, gensets: Mapping[str, GensetSeen], ups: Mapping[str, UpsSeen], now: float,
        meters: Mapping[str, MeterSeen] | None = None, switches: Mapping[str, SwitchSeen] | None = None,
    ) -> list[Event]:  # fmt: skip
        """What is news at `now`, in the order in which it is to be told."""
        sets = {id: gensets.get(id, NOT_SEEN) for id in self.gensets}
        batteries = {id: ups.get(id, NO_UPS) for id in self.on_battery}
        measures = {id: (meters or {}).get(id, NO_METER) for id in self._meters}
        contacts = {id: (switches or {}).get(id, NO_SWITCH) for id in self._switches}
        linked = [s.linked for s in sets.values()]
        linked += [b.linked for b in batteries.values()]
        linked += [m.linked for m in measures.values()]
        events = self._look_at_links(zip(self._link_names, linked, strict=True), now)
        for id, battery in batteries.items():
            events += self._look_at_ups(id, battery)
        self.witnesses = self._witnesses(sets, batteries)
        self.witnesses += [Witness(f"meter/{id}", m.mains, m.mains_at) for id, m in measures.items()]
        self.witnesses += [Witness(f"ats/{id}", c.mains, c.at) for id, c in contacts.items()]
        events += self.mains.step(self.witnesses, any(_turns(s) for s in sets.values()))
        demanded = self.mains.believed is Mains.LOST
        on_battery = any(b.on_battery for b in batteries.values())
        for id, seen in sets.items():
            if seen.engine is Engine.RUNNING and seen.feeding and not on_battery:
                seen = msgspec.structs.replace(seen, engine=Engine.LOADED)
            events += self.gensets[id].step(seen, now, demanded, on_battery)
        return events

    def _look_at_links(self, links: Iterable[tuple[str, bool]], now: float) -> list[Event]:
        events: list[Event] = []
        for link, linked in links:
            known = self._links.get(link)
            if linked is known:
                continue
            if known is None and not linked and now - self._began < self._silent_s.get(link, 0.0):
                continue  # it was not asked often enough yet
            self._links[link] = linked
            events.append(ev.LinkRestored(link=link) if linked else ev.LinkLost(link=link, reason="no_answer"))
        return events

    def _look_at_ups(self, id: str, seen: UpsSeen) -> list[Event]:
        known, is_ = self.on_battery[id], seen.on_battery
        if is_ is None or is_ == known:
            return []
        self.on_battery[id] = is_
        if known is None and not is_:
            return []
        return [pw.UpsOnBattery(ups=id, charge=seen.charge) if is_ else pw.UpsOnLine(ups=id)]

    def _witnesses(self, sets: Mapping[str, GensetSeen], batteries: Mapping[str, UpsSeen]) -> list[Witness]:
        """A UPS is a witness of the mains only while no set can be what feeds it.

        Behind a lost link a set that was at rest is so for as long as every UPS stays on line: a transfer would show.
        """
        feeding = [s.feeding for s in sets.values()]
        on_line = all(b.on_battery is False for b in batteries.values())
        if None in feeding:
            self._at_rest = self._at_rest and on_line
        else:
            self._at_rest = on_line and not any(feeding) and not any(_turns(s) for s in sets.values())
        may_be_fed = any(feeding) or (None in feeding and not self._at_rest)
        witnesses = [Witness(f"genset/{id}", s.mains, s.mains_at) for id, s in sets.items()]
        for id, b in batteries.items():
            silent = b.on_battery is None or (any(feeding) if b.on_battery else may_be_fed)
            witnesses.append(Witness(f"ups/{id}", None if silent else not b.on_battery, b.at))
        return witnesses


def _turns(seen: GensetSeen) -> bool:
    return seen.engine not in (None, Engine.STOPPED, Engine.STANDING, Engine.STARTING)

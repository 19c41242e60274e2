"""The building's power as one pure machine: what the devices show, folded into mains, generator and UPS events.

Two independent witnesses make an outage. A witness counts by its measurements only, from the first that says so to the
last: one bad value, a lost link and the start of the box are no outage.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, auto

import msgspec

from appliance import events as ev
from appliance import power_events as pw
from appliance.event import Event
from appliance.model import GensetPhase, Mains
from appliance.power_state import Genset
from appliance.stamp import Stamp
from appliance.state import State

BOTH_S = 1.0  # s that two witnesses must say "lost"; a flicker that no lamp minds is over by then
ONE_S = 3.0  # s of one witness until it is a suspicion; a UPS needs 2.7 s to come back from a flicker of 0.5 s
ALONE_S = 5.0  # s of one witness that nobody contradicts until it is an outage
TRANSFER_S = 15.0  # s; while a set turns, a transfer takes a UPS's input away for a moment: that is no suspicion
RETURN_S = 3.0  # s that all who speak must say "present"
NOT_AUTO_S = 3.0  # s; a hand that turns the selector passes other modes
REST_S = 20.0  # s of a standing engine until a start is over, where only rpm is known: cranks rest for 15
JITTER_S = 0.1  # s that two polls may be closer together than their interval

ON_LOAD_PATH: tuple[type[pw.GensetEvent], ...] = (pw.GensetRunning, pw.GensetOnLoad)
MAY_FAIL = (GensetPhase.UNKNOWN, GensetPhase.STOPPED, GensetPhase.STARTING)  # to start


class Engine(Enum):
    """What a set is seen to do. TURNING: not up to speed, and not said whether up or down."""

    STOPPED = auto()
    STANDING = auto()  # no speed, and the controller does not say whether it rests between cranks
    STARTING = auto()
    TURNING = auto()
    RUNNING = auto()
    LOADED = auto()
    COOLING = auto()
    STOPPING = auto()


class GensetSeen(msgspec.Struct, frozen=True):
    """One controller now; None and "" mean not known. Times are those of the measurements."""

    linked: bool = False
    at: float = 0.0
    engine: Engine | None = None
    feeding: bool | None = None  # current flows
    mains: bool | None = None  # present
    mains_at: float = 0.0
    mode: str = ""
    mode_at: float = 0.0
    failed_to_start: bool | None = None
    fault: str | None = None  # what the controller holds, "" for nothing
    fault_at: float = 0.0


class UpsSeen(msgspec.Struct, frozen=True):
    """One UPS now. `on_battery` is False in a self-test; None means not known."""

    linked: bool = False
    at: float = 0.0
    on_battery: bool | None = None
    off: bool | None = None


NOT_SEEN, NO_UPS = GensetSeen(), UpsSeen()

# What is told when a phase meets what is seen; what is not here is no news. Each event sets its phase.
TRANSITIONS: dict[tuple[GensetPhase, Engine], tuple[type[pw.GensetEvent], ...]] = {
    (GensetPhase.UNKNOWN, Engine.STARTING): (pw.GensetStarting,),
    (GensetPhase.UNKNOWN, Engine.TURNING): (pw.GensetStarting,),
    (GensetPhase.UNKNOWN, Engine.RUNNING): (pw.GensetRunning,),
    (GensetPhase.UNKNOWN, Engine.LOADED): ON_LOAD_PATH,
    (GensetPhase.UNKNOWN, Engine.COOLING): (pw.GensetCooling,),
    (GensetPhase.STOPPED, Engine.STARTING): (pw.GensetStarting,),
    (GensetPhase.STOPPED, Engine.TURNING): (pw.GensetStarting,),
    (GensetPhase.STOPPED, Engine.RUNNING): (pw.GensetRunning,),
    (GensetPhase.STOPPED, Engine.LOADED): ON_LOAD_PATH,
    (GensetPhase.STOPPED, Engine.COOLING): (pw.GensetCooling,),
    (GensetPhase.STARTING, Engine.STOPPED): (pw.GensetStopped,),
    (GensetPhase.STARTING, Engine.RUNNING): (pw.GensetRunning,),
    (GensetPhase.STARTING, Engine.LOADED): ON_LOAD_PATH,
    (GensetPhase.STARTING, Engine.COOLING): (pw.GensetCooling,),
    (GensetPhase.RUNNING, Engine.STOPPED): (pw.GensetStopped,),
    (GensetPhase.RUNNING, Engine.STARTING): (pw.GensetStarting,),
    (GensetPhase.RUNNING, Engine.LOADED): (pw.GensetOnLoad,),
    (GensetPhase.RUNNING, Engine.COOLING): (pw.GensetCooling,),
    (GensetPhase.ON_LOAD, Engine.STOPPED): (pw.GensetOffLoad, pw.GensetStopped),
    (GensetPhase.ON_LOAD, Engine.STARTING): (pw.GensetOffLoad, pw.GensetStarting),
    (GensetPhase.ON_LOAD, Engine.COOLING): (pw.GensetOffLoad, pw.GensetCooling),
    (GensetPhase.COOLING, Engine.STOPPED): (pw.GensetStopped,),
    (GensetPhase.COOLING, Engine.STARTING): (pw.GensetStarting,),
    (GensetPhase.COOLING, Engine.RUNNING): (pw.GensetRunning,),
    (GensetPhase.COOLING, Engine.LOADED): ON_LOAD_PATH,
    (GensetPhase.FAILED, Engine.RUNNING): (pw.GensetRunning,),
    (GensetPhase.FAILED, Engine.LOADED): ON_LOAD_PATH,
    (GensetPhase.FAILED, Engine.COOLING): (pw.GensetCooling,),
}
PHASE_AFTER: dict[type[pw.GensetEvent], GensetPhase] = {
    pw.GensetStarting: GensetPhase.STARTING,
    pw.GensetRunning: GensetPhase.RUNNING,
    pw.GensetOnLoad: GensetPhase.ON_LOAD,
    pw.GensetOffLoad: GensetPhase.RUNNING,
    pw.GensetCooling: GensetPhase.COOLING,
    pw.GensetStopped: GensetPhase.STOPPED,
}


class Held:
    """How long something was measured without a break: from the first sample to the last, never beyond."""

    def __init__(self) -> None:
        self._first = self._last = 0.0
        self._samples = 0

    def see(self, so: object, at: float) -> None:
        """A sample taken `at`; the same one again changes nothing."""
        if not so:
            self._samples = 0
        elif not self._samples:
            self._first = self._last = at
            self._samples = 1
        elif at > self._last:
            self._last = at
            self._samples += 1

    def lasts(self, seconds: float) -> bool:
        """At least two samples, the last `seconds` after the first."""
        return self._samples >= 2 and self._last - self._first >= seconds - JITTER_S


class Witness(msgspec.Struct, frozen=True):
    """What one device says of the mains. `present` None: it cannot say."""

    name: str  # "genset/g1", "ups/u1"
    present: bool | None
    at: float


class MainsWatch:
    """Mains from its witnesses."""

    def __init__(self, believed: Mains) -> None:
        self.believed = believed
        self.known = False  # whether any witness speaks
        self._lost: dict[str, Held] = {}
        self._returned = Held()

    def step(self, witnesses: Sequence[Witness], turning: bool) -> list[Event]:
        """`turning`: some engine turns, so a UPS alone may only be seeing a transfer."""
        for w in witnesses:
            self._lost.setdefault(w.name, Held()).see(w.present is False, w.at)
        lost = [w for w in witnesses if w.present is False]
        present = [w for w in witnesses if w.present]
        self.known = bool(lost or present)
        self._returned.see(present and not lost, max((w.at for w in present), default=0.0))
        match self.believed:
            case Mains.UNKNOWN if present and not lost:
                return self._now(Mains.PRESENT, pw.MainsPresent(by=_names(present)))
            case Mains.LOST | Mains.SUSPECT if self._returned.lasts(RETURN_S):
                return self._now(Mains.PRESENT, pw.MainsReturned(by=_names(present)))
            case Mains.LOST:
                return []
        if by := self._outage(lost, present):
            return self._now(Mains.LOST, pw.MainsLost(witnesses=len(by), by=_names(by)))
        suspects = [w for w in lost if self._said_for(w, TRANSFER_S if turning and _is_ups(w) else ONE_S)]
        if suspects and self.believed is not Mains.SUSPECT:
            return self._now(Mains.SUSPECT, pw.MainsSuspected(by=suspects[0].name))
        return []

    def _outage(self, lost: list[Witness], present: list[Witness]) -> list[Witness]:
        """The witnesses that make an outage, or none. Two of one kind may hang on one fuse, and are not independent."""
        both = [w for w in lost if self._said_for(w, BOTH_S)]
        if len({_is_ups(w) for w in both}) == 2 or (len(both) >= 2 and not present):
            return both
        alone = [w for w in lost if self._said_for(w, ALONE_S)]
        return alone if not present and len(alone) == len(lost) else []  # a second one is about to be believed

    def _said_for(self, witness: Witness, seconds: float) -> bool:
        return self._lost[witness.name].lasts(seconds)

    def _now(self, mains: Mains, event: Event) -> list[Event]:
        self.believed = mains
        return [event]


class GensetWatch:
    """One set's phases, its mode, and whether it is proven ready for the next outage."""

    def __init__(self, id: str, start_s: float, known: Genset, deadline: float | None) -> None:
        self.id, self._start_s = id, start_s
        self.phase, self.proven, self.fault = known.phase, known.ready is True, known.fault
        self.mode = known.mode or "auto"  # until it is seen otherwise nothing is told
        self._deadline = deadline  # of the start that is due, None while none is
        self._rested = self._saw_alarm = False  # since the last failure
        self._standing, self._alarm, self._ready, self._faulty = Held(), Held(), Held(), Held()
        self._mode_seen, self._mode_held = "", Held()

    @property
    def ready(self) -> bool | None:
        """True only when proven; None when it is not known."""
        if self.phase is GensetPhase.FAILED or self.fault or self.mode != "auto":
            return False
        return True if self.proven else None

    def step(self, seen: GensetSeen, now: float, demanded: bool, on_battery: bool) -> list[Event]:
        """`demanded`: mains is lost. `on_battery`: a UPS is, so no set feeds it."""
        events = self._phases(seen, demanded)
        events += self._failures(seen, now, demanded, on_battery)
        return events + self._readiness(seen)

    def _tell(self, *kinds: type[pw.GensetEvent]) -> list[Event]:
        for kind in kinds:
            self.phase = PHASE_AFTER[kind]
            self.proven = False
            if self.phase in (GensetPhase.STARTING, GensetPhase.RUNNING):
                self.fault = ""
        return [kind(genset=self.id) for kind in kinds]

    def _phases(self, seen: GensetSeen, demanded: bool) -> list[Event]:
        engine = seen.engine
        self._standing.see(engine is Engine.STANDING, seen.at)
        if engine is Engine.STANDING:
            resting = self.phase is GensetPhase.STARTING and not self._standing.lasts(REST_S)
            engine = None if resting else Engine.STOPPED
        events: list[Event] = []
        if self.phase is GensetPhase.ON_LOAD and seen.feeding is False:
            events += self._tell(pw.GensetOffLoad)
        if engine is None or (engine is Engine.STOPPED and self.phase is GensetPhase.STARTING and seen.failed_to_start):
            return events  # not known, or a failure that its next sample will tell
        if self.phase is GensetPhase.FAILED:
            events += self._after_failure(seen, engine, demanded)
        elif self.phase is GensetPhase.UNKNOWN and engine is Engine.STOPPED:
            self.phase = GensetPhase.STOPPED
        return events + self._tell(*TRANSITIONS.get((self.phase, engine), ()))

    def _after_failure(self, seen: GensetSeen, engine: Engine, demanded: bool) -> list[Event]:
        """A failure stands while its alarm does, until the set is reset, is wanted no more, or tries again."""
        if seen.failed_to_start:
            self._rested = self._saw_alarm = True
            return []
        if engine is Engine.STOPPED:
            self._rested = True
            return self._tell(pw.GensetStopped) if self._saw_alarm or not demanded else []
        return self._tell(pw.GensetStarting) if engine is Engine.STARTING and self._rested else []

    def _failures(self, seen: GensetSeen, now: float, demanded: bool, on_battery: bool) -> list[Event]:
        self._alarm.see(seen.failed_to_start, seen.fault_at)
        if not demanded or self.phase not in MAY_FAIL:
            self._deadline = None
        elif self._deadline is None:
            self._deadline = now + self._start_s
        if self.phase not in MAY_FAIL:
            return []
        if self._alarm.lasts(0.0):
            return self._failed("controller")
        # Behind a lost link it may well run; it feeds nobody while a UPS lives from its battery.
        late = self._deadline is not None and now >= self._deadline and not seen.mains
        return self._failed("deadline") if late and (seen.engine is not None or on_battery) else []

    def _failed(self, reason: str) -> list[Event]:
        self.phase, self.proven, self._deadline = GensetPhase.FAILED, False, None
        self._rested = self._saw_alarm = False
        return [pw.GensetFailedToStart(genset=self.id, reason=reason)]

    def _readiness(self, seen: GensetSeen) -> list[Event]:
        events: list[Event] = []
        if seen.mode != self._mode_seen:
            self._mode_seen, self._mode_held = seen.mode, Held()
        self._mode_held.see(seen.mode, seen.mode_at)
        in_auto = seen.mode == "auto"
        if seen.mode != self.mode and self._mode_held.lasts(0.0 if in_auto else NOT_AUTO_S):
            self.mode, self.proven = seen.mode, False
            moved = pw.GensetInAuto(genset=self.id) if in_auto else pw.GensetNotInAuto(genset=self.id, mode=seen.mode)
            events.append(moved)
        # A failed start is told as such; its alarm may be read a poll later than the sum it is in.
        faulty = seen.fault if not seen.failed_to_start and self.phase is not GensetPhase.FAILED else ""
        self._faulty.see(faulty, seen.fault_at)
        if faulty and not self.fault and self._faulty.lasts(0.0):
            self.fault, self.proven = faulty, False
            events.append(pw.GensetShutDown(genset=self.id, reason=faulty))
        at_rest = self.phase is GensetPhase.STOPPED and seen.engine in (Engine.STOPPED, Engine.STANDING)
        whole = seen.fault == "" and not seen.failed_to_start
        self._ready.see(at_rest and whole and seen.mode == self.mode == "auto", min(seen.at, seen.mode_at))
        if not self.proven and self._ready.lasts(0.0):
            self.proven, self.fault = True, ""
            events.append(pw.GensetReady(genset=self.id))
        return events


class PlantMachine:
    """The whole plant. Made from the folded state, so that a restart goes on and tells nothing twice."""

    def __init__(
        self, *, gensets: Iterable[str], ups: Iterable[str], silent_s: Mapping[str, float], start_s: float,
        state: State, since: Callable[[Stamp], float], now: float,
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
            self.gensets[id] = GensetWatch(id, start_s, known, due)
        self.on_battery = {id: state.ups[id].on_battery if id in state.ups else None for id in ups}
        self._links = {link: found.up for link, found in state.links.items()}
        self._silent_s, self._began = silent_s, now
        self._at_rest = not self.gensets  # no set can have begun to feed without our seeing it
        self.witnesses: list[Witness] = []  # as they spoke last

    def step(self, gensets: Mapping[str, GensetSeen], ups: Mapping[str, UpsSeen], now: float) -> list[Event]:
        """What is news at `now`, in the order in which it is to be told."""
        sets = {id: gensets.get(id, NOT_SEEN) for id in self.gensets}
        batteries = {id: ups.get(id, NO_UPS) for id in self.on_battery}
        events = self._look_at_links(sets, batteries, now)
        for id, battery in batteries.items():
            events += self._look_at_ups(id, battery)
        self.witnesses = self._witnesses(sets, batteries)
        events += self.mains.step(self.witnesses, any(_turns(s) for s in sets.values()))
        demanded = self.mains.believed is Mains.LOST
        on_battery = any(b.on_battery for b in batteries.values())
        for id, seen in sets.items():
            if seen.engine is Engine.RUNNING and seen.feeding and not on_battery:
                seen = msgspec.structs.replace(seen, engine=Engine.LOADED)
            events += self.gensets[id].step(seen, now, demanded, on_battery)
        return events

    def _look_at_links(
        self, sets: Mapping[str, GensetSeen], batteries: Mapping[str, UpsSeen], now: float
    ) -> list[Event]:
        links = {f"genset/{id}": s.linked for id, s in sets.items()} | {
            f"ups/{id}": s.linked for id, s in batteries.items()
        }
        events: list[Event] = []
        for link, linked in links.items():
            known = self._links.get(link)
            if known is None and not linked and now - self._began < self._silent_s.get(link, 0.0):
                continue  # it was not asked often enough yet
            if linked != known:
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
        return [pw.UpsOnBattery(ups=id) if is_ else pw.UpsOnLine(ups=id)]

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


def _is_ups(witness: Witness) -> bool:
    return witness.name.startswith("ups/")


def _names(witnesses: Iterable[Witness]) -> tuple[str, ...]:
    return tuple(w.name for w in witnesses)


def _turns(seen: GensetSeen) -> bool:
    return seen.engine not in (None, Engine.STOPPED, Engine.STANDING, Engine.STARTING)

"""One generator set: its phases, its mode, its failures, and whether it is proven ready for the next outage."""

from enum import Enum, auto

import msgspec

from appliance import power_events as pw
from appliance.event import Event
from appliance.model import GensetPhase
from appliance.power.mains_machine import Held
from appliance.power_state import Genset

NOT_AUTO_S = 3.0  # s; a hand that turns the selector passes other modes
AUTO = ("auto", "auto_manual_restore")  # modes; both start by themselves at an outage
TURNING_RPM = 100.0  # below a starter's 150 to 250; a standing engine's pickup may show some
RUNNING_RPM = 1350.0  # 90 % of a four-pole set's 1500
REST_S = 20.0  # s of a standing engine until a start is over, where only rpm is known: cranks rest for 15

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
    closed: bool | None = None  # its breaker, or its side of the transfer switch
    mains: bool | None = None  # present
    mains_at: float = 0.0
    mode: str = ""
    mode_at: float = 0.0
    failed_to_start: bool | None = None
    fault: str | None = None  # what the controller holds, "" for nothing
    fault_at: float = 0.0


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


class GensetWatch:
    """One set's phases, its mode, and whether it is proven ready for the next outage."""

    def __init__(
        self, id: str, start_s: float, load_s: float, known: Genset, deadline: float | None, not_taking: str = ""
    ) -> None:
        """`deadline`: of the start that is due, monotonic; `not_taking`: why it does not take the load, as was told."""
        self.id, self._start_s, self._load_s = id, start_s, load_s
        self.not_taking = not_taking
        self._idle = Held()
        self.phase, self.proven, self.fault = known.phase, known.ready is True, known.fault
        self.mode = known.mode or "auto"  # until it is seen otherwise nothing is told
        self._deadline = deadline
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
        events += self._load(seen, demanded, on_battery)
        return events + self._readiness(seen)

    def _tell(self, *kinds: type[pw.GensetEvent]) -> list[Event]:
        for kind in kinds:
            self.phase = pw.PHASE_AFTER[kind]
            self.proven = False
            if self.phase in (GensetPhase.STARTING, GensetPhase.RUNNING):
                self.fault = ""
        return [kind(genset=self.id) for kind in kinds]

    def _load(self, seen: GensetSeen, demanded: bool, on_battery: bool) -> list[Event]:
        """A set that runs, and mains is lost: the load must be on it in time."""
        if self.phase is not GensetPhase.RUNNING:
            self.not_taking = ""
        idle = demanded and self.phase is GensetPhase.RUNNING and seen.engine is Engine.RUNNING
        self._idle.see(idle, seen.at)
        if not idle or self.not_taking or not self._idle.lasts(self._load_s):
            return []
        if seen.closed is False:
            self.not_taking = "breaker_open"
        elif seen.feeding is False:
            self.not_taking = "no_current"
        else:  # it feeds, as far as is known, and a UPS does not take what it gives
            self.not_taking = "ups_on_battery" if on_battery else "not_known"
        return [pw.GensetNotTakingLoad(genset=self.id, reason=self.not_taking)]

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

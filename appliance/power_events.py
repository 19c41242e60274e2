"""Events of power: mains, generators and UPSes, and what the box has learned of them."""

from appliance.event import Event
from appliance.model import GensetPhase


class MainsSuspected(Event, tag="power.mains_suspected", frozen=True):
    by: str


class MainsLost(Event, tag="power.mains_lost", frozen=True):
    witnesses: int
    by: tuple[str, ...]


class MainsReturned(Event, tag="power.mains_returned", frozen=True):
    by: tuple[str, ...]


class MainsPresent(Event, tag="power.mains_present", frozen=True):
    """Found present when nothing was known of it: the first look of a new box."""

    by: tuple[str, ...]


class GensetEvent(Event, frozen=True):
    SUBJECT = ("genset",)
    genset: str


class GensetStarting(GensetEvent, tag="genset.starting", frozen=True): ...


class GensetRunning(GensetEvent, tag="genset.running", frozen=True): ...


class GensetOnLoad(GensetEvent, tag="genset.on_load", frozen=True): ...


class GensetOffLoad(GensetEvent, tag="genset.off_load", frozen=True): ...


class GensetCooling(GensetEvent, tag="genset.cooling", frozen=True): ...


class GensetStopped(GensetEvent, tag="genset.stopped", frozen=True): ...


class GensetFailedToStart(GensetEvent, tag="genset.failed_to_start", frozen=True):
    reason: str  # "controller" said so, or "deadline" passed


PHASE_AFTER: dict[type[GensetEvent], GensetPhase] = {
    GensetStarting: GensetPhase.STARTING,
    GensetRunning: GensetPhase.RUNNING,
    GensetOnLoad: GensetPhase.ON_LOAD,
    GensetOffLoad: GensetPhase.RUNNING,
    GensetCooling: GensetPhase.COOLING,
    GensetStopped: GensetPhase.STOPPED,
    GensetFailedToStart: GensetPhase.FAILED,
}


class GensetReady(GensetEvent, tag="genset.ready", frozen=True):
    """Stopped, in auto, without a fault: it will start at the next outage."""


class GensetNotInAuto(GensetEvent, tag="genset.not_in_auto", frozen=True):
    mode: str


class GensetInAuto(GensetEvent, tag="genset.in_auto", frozen=True):
    """Back in auto after it was not, whether it stands still or runs."""


class GensetShutDown(GensetEvent, tag="genset.shut_down", frozen=True):
    """The controller holds a fault other than a failed start: it will not start, or not go on."""

    reason: str  # the point of the controller that says so, "emergency_stop"


class GensetNotTakingLoad(GensetEvent, tag="genset.not_taking_load", frozen=True):
    """It runs, mains is lost, and the load is not on it."""

    reason: str  # "breaker_open", "no_current", "not_known"


class GensetStartMeasured(GensetEvent, tag="genset.start_measured", frozen=True):
    """What a start took, as far as the polls could see it: the set's signature is made of these."""

    crank_s: float | None = None  # from the first sign of the start until the engine turned by itself
    up_s: float | None = None  # until volts and hertz were right
    dip_v: float | None = None  # the starting battery's lowest


class GensetStartDrifted(GensetEvent, tag="genset.start_drifted", frozen=True):
    """A start took longer, or pulled the battery lower, than those before it."""

    figure: str  # "crank_s", "up_s", "dip_v"
    value: float
    usual: float


class GensetStartUsual(GensetEvent, tag="genset.start_usual", frozen=True):
    """A start like those before it again."""


class GensetRunNoted(GensetEvent, tag="genset.run_noted", frozen=True):
    """A long run so far: a restart of the box goes on from it. Fields as in power_state.RunSums."""

    minutes: float
    minutes_loaded: float
    load_minutes: float
    load_percent_minutes: float
    load_most: float | None
    fuel_from: float | None
    kwh_from: float | None
    outage: bool


class GensetRunEnded(GensetEvent, tag="genset.run_ended", frozen=True):
    """Fields as in power_state.Run."""

    why: str
    grade: str
    minutes: float
    minutes_loaded: float
    load_mean: float | None
    load_most: float | None
    fuel_from: float | None
    fuel_to: float | None
    kwh: float | None


class GensetExerciseOverdue(GensetEvent, tag="genset.exercise_overdue", frozen=True):
    days: int  # since the last run that counts, or since the set is known


class GensetFuelFalling(GensetEvent, tag="genset.fuel_falling", frozen=True):
    """Fuel goes while the set stands still: a leak, or a thief."""

    was: float  # %
    now: float
    minutes: float


class GensetFuelSteady(GensetEvent, tag="genset.fuel_steady", frozen=True):
    """It falls no more, was refilled, or the set runs."""


class GensetFuelLearned(GensetEvent, tag="genset.fuel_learned", frozen=True):
    """What a band of load takes, over all that was seen of it."""

    band: str  # its least load in %: "0", "25", "50", "75"
    litres_per_kwh: float
    kwh: float  # that it rests on


class ReadyItemEvent(Event, frozen=True):
    """A line of the readiness list (power_view.Ready)."""

    SUBJECT = ("device", "item")
    device: str  # "genset/g1", "ups/u1"
    item: str  # "battery", "charger", "battery_dip", "ups_battery", "ups_test"


class ReadyItemFailed(ReadyItemEvent, tag="power.unready", frozen=True):
    why: str  # code


class ReadyItemGood(ReadyItemEvent, tag="power.ready_again", frozen=True): ...


class UpsOnBattery(Event, tag="ups.on_battery", frozen=True):
    SUBJECT = ("ups",)
    ups: str
    charge: float | None = None  # % as it began


class UpsOnLine(Event, tag="ups.on_line", frozen=True):
    SUBJECT = ("ups",)
    ups: str


class UpsDischarged(Event, tag="ups.discharged", frozen=True):
    """A discharge that was long enough to tell how long the battery really lasts."""

    SUBJECT = ("ups",)
    ups: str
    minutes: float
    charge_from: float
    charge_to: float
    load: float | None  # % of the UPS's rating, on average
    full_minutes: float  # from 100 % to 0 at this rate

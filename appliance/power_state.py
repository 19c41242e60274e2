"""State of power: what the journal's events say of generators and UPSes, and what was learned of them."""

import msgspec

from appliance.model import GensetPhase
from appliance.stamp import Stamp

STARTS_KEPT, RUNS_KEPT = 10, 20  # of each set; the journal keeps them all


class Genset(msgspec.Struct):
    phase: GensetPhase = GensetPhase.UNKNOWN
    since: Stamp = Stamp()
    ready: bool | None = None
    mode: str = ""
    fault: str = ""  # why the controller shut it down


class Ups(msgspec.Struct):
    on_battery: bool | None = None
    since: Stamp = Stamp()
    charge: float | None = None  # %, at `since`


class Start(msgspec.Struct, frozen=True):
    """How a set started: what its next starts are compared with."""

    at: Stamp
    crank_s: float | None
    up_s: float | None
    dip_v: float | None


class Run(msgspec.Struct, frozen=True):
    """A set's run from start to stop, graded when it was an exercise. Loads in % of the set's rating."""

    genset: str
    why: str  # "outage", "exercise"
    began: Stamp
    ended: Stamp | None
    minutes: float
    minutes_loaded: float  # at or above the load that an exercise asks for
    load_mean: float | None
    load_most: float | None
    grade: str  # "passed", "light", "short", "failed", "" for an outage's
    crank_s: float | None = None
    up_s: float | None = None  # from the crank to rated volts
    dip_v: float | None = None  # the starting battery's lowest
    fuel_from: float | None = None
    fuel_to: float | None = None
    kwh: float | None = None


class RunSums(msgspec.Struct, frozen=True):
    """What a run that goes on has come to, as far as it was noted: a restart goes on from it."""

    minutes: float = 0.0  # that were watched
    minutes_loaded: float = 0.0
    load_minutes: float = 0.0  # with a known load
    load_percent_minutes: float = 0.0
    load_most: float | None = None
    fuel_from: float | None = None
    kwh_from: float | None = None
    outage: bool = False  # mains was lost at any time of it


class Burn(msgspec.Struct, frozen=True):
    """Fuel a band of load was seen to take. `kwh` is how much it rests on."""

    litres_per_kwh: float
    kwh: float


class GensetRecord(msgspec.Struct):
    """What was learned of a set. All of it comes from events, so it survives."""

    known: Stamp | None = None  # the first that was heard of it
    began: Stamp | None = None  # of the run that goes on
    sums: RunSums = RunSums()
    starts: list[Start] = []  # oldest first
    drifted: dict[str, float] = {}  # "crank_s", "up_s", "dip_v" of the last start, where it left its signature
    runs: list[Run] = []  # oldest first
    exercised: Stamp | None = None  # the end of the last run that counts as one
    overdue: bool = False
    burns: dict[str, Burn] = {}  # by load band, "0", "25", "50", "75": its least load in %
    fuel_falling: bool = False
    not_taking: str = ""  # why it does not take the load, while it should


class UpsRecord(msgspec.Struct):
    """What was learned of a UPS."""

    full_minutes: float | None = None  # that its battery lasts from 100 %, at `load`, by its last discharge
    load: float | None = None
    at: Stamp = Stamp()

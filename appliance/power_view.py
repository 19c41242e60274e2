"""The view's part for power: what feeds what and for how long, what is ready, what was ordered and what came of it."""

from enum import StrEnum

import msgspec

from appliance.figure import Figure
from appliance.model import Source
from appliance.power_order_state import PlantOrder
from appliance.power_state import Genset, Run, Ups
from appliance.stamp import Stamp
from appliance.state import Link


class Stage(StrEnum):
    """Where the plant is on its way through an outage."""

    UNKNOWN = "unknown"
    NORMAL = "normal"
    SUSPECT = "suspect"
    WAITING = "waiting"  # mains is lost, no set turns yet
    CRANKING = "cranking"
    RUNNING = "running"  # a set runs and has not taken the load
    ON_LOAD = "on_load"
    MAINS_BACK = "mains_back"  # the set still feeds while the mains proves itself
    RETRANSFER = "retransfer"  # the load is on the mains again, the set still turns hot
    COOLING = "cooling"
    FAILED = "failed"  # mains is lost and no set will come
    EXERCISE = "exercise"  # a set runs, and the mains was never lost


class Dark(msgspec.Struct, frozen=True):
    """Minutes until dark. None with a reason when it is not known, or when nothing threatens."""

    minutes: float | None
    reason: str  # "ups_runtime", "ups_observed", "fuel", "genset_feeds", "mains_feeds", "dark", "unknown"
    at: float = 0.0
    fresh_s: float = 0.0
    parts: tuple["DarkPart", ...] = ()


class DarkPart(msgspec.Struct, frozen=True):
    """One thing that the minutes are made of. Those of `counts` made the number; the others stand beside it."""

    what: str  # "ups_runtime" (its own word), "ups_observed", "genset_start" (until it is due), "fuel"
    about: str  # device id
    minutes: float | None
    why: str = ""  # code, when it is not known: "no_figure", "stale", "no_tank", "not_learned", "no_load"
    counts: bool = False


class Ready(msgspec.Struct, frozen=True):
    """One line of the readiness list. `ok` None: not known, which is never good."""

    about: str  # device id
    item: str  # "auto", "battery", "battery_dip", "fuel", "charger", "last_test", "alarms", "link", "ups_charge", ...
    ok: bool | None
    value: float | int | str | None = None
    unit: str = ""
    why: str = ""  # code of the fault
    at: float | None = None  # monotonic, of the value; None: it is from the record
    wall: float | None = None  # of what is from the record: the last test


class Offer(msgspec.Struct, frozen=True):
    """A command that a device takes. `why` says in a code what stands in the way now, "" for nothing."""

    device: str  # "genset/g1", "ups/u1"
    command: str  # "start", "cancel_start", "test_on_load", "auto", "self_test", "mute", "start_relay"
    roles: tuple[str, ...]
    why: str = ""


class FeedView(msgspec.Struct, frozen=True):
    """What a one-line diagram draws: None is not known and never drawn as open or closed."""

    mains: bool | None = None  # present
    mains_closed: bool | None = None  # the transfer switch's mains side
    genset_closed: bool | None = None
    genset_running: bool | None = None
    ups_on_battery: bool | None = None
    load_fed: bool | None = None


class DeviceView(msgspec.Struct):
    id: str
    name: str
    figures: dict[str, Figure]
    link: Link | None
    kind: str  # "genset", "ups", "meter", "ats"
    model: str = ""  # the profile's name


class PowerView(msgspec.Struct):
    source: Source
    mains: str  # model.Mains
    mains_since: Stamp
    witnesses: tuple[str, ...]
    dark: Dark
    gensets: dict[str, Genset]
    ups: dict[str, Ups]
    genset_devices: list[DeviceView]
    ups_devices: list[DeviceView]
    meter_devices: list[DeviceView] = []
    ats_devices: list[DeviceView] = []
    stage: Stage = Stage.UNKNOWN
    stage_until: float | None = None  # monotonic: when the stage is due to end (start, retransfer, cool-down)
    feed: FeedView = FeedView()
    readiness: list[Ready] = []
    offers: list[Offer] = []
    orders: list[PlantOrder] = []  # newest first
    runs: list[Run] = []  # newest first, the last twenty
    litres_per_kwh: dict[str, float] = {}  # learned, by genset, at the present load

    @property
    def devices(self) -> list[DeviceView]:
        return [*self.genset_devices, *self.ups_devices, *self.meter_devices, *self.ats_devices]

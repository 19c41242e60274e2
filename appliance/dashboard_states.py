"""What a dashboard gets on each topic: payloads made from the view, and their schemas.

A value that is not known is null beside its quality and its age; the last value that was known is never said again.
"""

from typing import Any

import msgspec

from appliance.alert_state import StationHealth
from appliance.alert_view import StationHealthView
from appliance.figure import Figure
from appliance.power_view import FeedView, PowerView
from appliance.stamp import Stamp
from appliance.view import LineView, View

# Their change alone is no change of a payload: of a thousand stations one would be heard of each millisecond.
TOLD_EACH_TIME = ("wall", "age_s", "signal_age_s", "heard_s")


class PowerState(msgspec.Struct, frozen=True):
    """`since` of the mains' standing, in unix seconds; null while it has none."""

    source: str
    stage: str
    mains: str
    since: float | None
    witnesses: tuple[str, ...]
    minutes_until_dark: float | None
    reason: str
    feed: FeedView
    wall: float


class ReadyState(msgspec.Struct, frozen=True):
    """`ok` null: not known, which is not ready; an old value is not known."""

    about: str
    item: str
    ok: bool | None
    value: float | int | str | None
    unit: str
    why: str


class ReadinessState(msgspec.Struct, frozen=True):
    ready: bool | None
    items: tuple[ReadyState, ...]
    wall: float


class ReadingState(msgspec.Struct, frozen=True):
    """`wall` is when it was measured, `age_s` how long ago that was when this was said."""

    value: float | int | str | bool | None
    unit: str
    quality: str
    age_s: float
    wall: float


class GensetState(msgspec.Struct, frozen=True):
    phase: str
    since: float | None
    ready: bool | None
    mode: str
    fault: str


class UpsState(msgspec.Struct, frozen=True):
    on_battery: bool | None
    since: float | None


class RunState(msgspec.Struct, frozen=True):
    """A generator's last run. `grade` of an exercise: "passed", "light", "short", "failed"."""

    why: str
    began: float
    ended: float | None
    minutes: float
    minutes_loaded: float
    load_mean: float | None
    grade: str


class OrderState(msgspec.Struct, frozen=True):
    """The last command to a device, and what came of it: requested, sent, accepted, proven, failed."""

    id: str
    command: str
    state: str
    since: float
    why: str
    proof: str


class LineState(msgspec.Struct, frozen=True):
    can_take_call: str
    why: str
    operator: str | None
    technology: str | None
    signal_dbm: float | None
    signal_quality: str
    signal_age_s: float
    in_call: bool


class StationState(msgspec.Struct, frozen=True):
    """`heard_s`: since its last signed word; null while there was none, or where it is the box itself."""

    online: bool
    sounding: bool | None
    heard_s: float | None


class StationHealthState(msgspec.Struct, frozen=True):
    """A station's own word about itself, null where it does not know, and the lockout of its siren by the centre.

    `faults`: names of order-format.md's bits in lower case. Days since key and certificate were made.
    """

    supply: str
    supply_v: float | None
    battery: int | None
    disk_free: int | None
    clock_ahead_s: float | None
    key_days: int | None
    certificate_days: int | None
    faults: tuple[str, ...]
    locked_out: bool
    locked_until: float | None
    wall: float | None  # of this word


class AlertState(msgspec.Struct, frozen=True):
    """`kinds` by alert: "actual", "sounding_test", "silent_test", "drill". Only the first is an emergency."""

    open: tuple[str, ...]
    kinds: dict[str, str]
    deliveries: dict[str, dict[str, str]]


class TrunkState(msgspec.Struct, frozen=True):
    """`standing`: "unknown", "up", "degraded", "down"; `layer` is at fault, "" while none is."""

    standing: str
    layer: str
    reason: str


class FallbackState(msgspec.Struct, frozen=True):
    """Who uses which number while it stands. `since` and `over` in unix seconds."""

    stands: bool
    why: str
    since: float | None
    over: float | None
    citizens: tuple[str, ...]
    agencies: dict[str, tuple[str, ...]]


class OpenAlarm(msgspec.Struct, frozen=True):
    """`under`: the alarm that it follows from. `condition` as on the page: "unacknowledged", "shelved", ..."""

    alarm: str
    about: str
    priority: int
    condition: str
    since: float
    acknowledged: bool
    first_out: bool
    under: str


class AlarmState(msgspec.Struct, frozen=True):
    open: tuple[OpenAlarm, ...]
    unacknowledged: int
    flood: bool
    last_10min: int


class LinkState(msgspec.Struct, frozen=True):
    up: bool
    since: float
    reason: str


class LinksState(msgspec.Struct, frozen=True):
    links: dict[str, LinkState]


class EventState(msgspec.Struct, frozen=True):
    """A row of the journal, as `control.entry_view` makes it. `body` is the event's own."""

    seq: int
    wall: float
    kind: str
    subject: str
    actor: str
    body: dict[str, Any]


# By topic below siaga/<site>/, + for each part that a site names.
SCHEMAS: dict[str, Any] = {
    "state/+/online": bool,
    "state/+/power": PowerState,
    "state/+/readiness": ReadinessState,
    "state/+/reading/+/+": ReadingState,
    "state/+/genset/+": GensetState,
    "state/+/ups/+": UpsState,
    "state/+/run/+": RunState,
    "state/+/order/+": OrderState,
    "state/+/line/+": LineState,
    "state/+/station/+": StationState,
    "state/+/station_health/+": StationHealthState,
    "state/+/trunk": TrunkState,
    "state/+/fallback": FallbackState,
    "state/+/alerts": AlertState,
    "state/+/alarms": AlarmState,
    "state/+/links": LinksState,
    "event/+/+": EventState,
}


def schemas() -> dict[str, Any]:
    """JSON schema of each topic, as published in docs/mqtt-schemas.json."""
    return {topic: msgspec.json.schema(kind) for topic, kind in SCHEMAS.items()}


def same_but_for_time(payload: msgspec.Struct) -> bytes:
    """What tells whether a payload says anything new."""
    changing = {name: 0.0 for name in TOLD_EACH_TIME if name in payload.__struct_fields__}
    return msgspec.json.encode(msgspec.structs.replace(payload, **changing))


def states(view: View) -> dict[str, msgspec.Struct]:
    """All payloads by topic below siaga/<site>/state/<box>/."""
    said: dict[str, msgspec.Struct] = {}
    if view.power:
        said |= _power(view.power, view)
    for line in view.lines:
        said[f"line/{line.id}"] = _line(line, view.at)
    for station in view.stations:
        online = station.local or bool(station.contact and station.contact.online)
        heard = None if station.heard_at is None else _age(station.heard_at, view)
        said[f"station/{station.id}"] = StationState(online, station.sounding, heard)
    for about in view.supervision.stations if view.supervision else ():
        if about.health is not None or about.lockout is not None:
            said[f"station_health/{about.station}"] = _health(about)
    if view.trunk_watched or view.trunk_verdict:
        verdict = view.trunk_verdict
        known = ("unknown", "", "") if verdict is None else (verdict.standing, verdict.layer, verdict.reason)
        said["trunk"] = TrunkState(*known)
    if (now := view.fallback) is not None:
        said["fallback"] = FallbackState(
            now.stands, now.why, now.declared.wall if now.declared else None, now.over.wall if now.over else None,
            now.citizens, {a.id: a.uses for a in now.agencies},
        )  # fmt: skip
    open_alerts = [a for a in view.alerts if a.ended is None]
    said["alerts"] = AlertState(
        tuple(a.id for a in open_alerts),
        {a.id: a.kind.value for a in open_alerts},
        {a.id: {name: d.state.value for name, d in a.deliveries.items()} for a in open_alerts},
    )
    said["alarms"] = _alarms(view)
    said["links"] = LinksState({name: LinkState(x.up, x.since.wall, x.reason) for name, x in view.links.items()})
    return said


def _power(power: PowerView, view: View) -> dict[str, msgspec.Struct]:
    dark = power.dark.minutes
    said: dict[str, msgspec.Struct] = {
        "power": PowerState(
            power.source, power.stage, power.mains, _wall(power.mains_since), power.witnesses,
            None if dark is None else round(dark, 1), power.dark.reason, power.feed, view.wall,
        )
    }  # fmt: skip
    if power.readiness:
        oks = [item.ok for item in power.readiness]
        said["readiness"] = ReadinessState(
            False if False in oks else None if None in oks else True,
            tuple(ReadyState(r.about, r.item, r.ok, r.value, r.unit, r.why) for r in power.readiness),
            view.wall,
        )
    for name, genset in power.gensets.items():
        said[f"genset/{name}"] = GensetState(genset.phase, _wall(genset.since), genset.ready, genset.mode, genset.fault)
    for name, ups in power.ups.items():
        said[f"ups/{name}"] = UpsState(ups.on_battery, _wall(ups.since))
    for run in reversed(power.runs):  # the newest is written last
        said[f"run/{run.genset}"] = RunState(
            run.why, run.began.wall, run.ended.wall if run.ended else None, round(run.minutes, 1),
            round(run.minutes_loaded, 1), run.load_mean, run.grade,
        )  # fmt: skip
    for order in reversed(power.orders):
        name = order.device.rpartition("/")[2]
        said[f"order/{name}"] = OrderState(
            order.id, order.command, order.state, order.since.wall, order.why, order.proof
        )
    for device in power.devices:
        for point, figure in device.figures.items():
            said[f"reading/{device.id}/{point}"] = _reading(figure, view)
    return said


def _alarms(view: View) -> AlarmState:
    summary = view.alarm_summary
    standing = tuple(
        OpenAlarm(a.alarm, a.about, a.priority, a.condition, a.since.wall, a.acknowledged is not None, a.first_out,
                  a.under)
        for a in view.alarms
        if a.cleared is None
    )  # fmt: skip
    return AlarmState(standing, summary.unacknowledged, summary.flood, summary.last_10min)


def _line(line: LineView, now: float) -> LineState:
    signal = line.signal_dbm
    return LineState(
        line.can_take_call, line.why, _text(line.operator, now), _text(line.technology, now), _number(signal, now),
        signal.quality_at(now), round(max(0.0, now - signal.at), 1), line.call is not None,
    )  # fmt: skip


def _reading(figure: Figure, view: View) -> ReadingState:
    known = figure.known(view.at)
    return ReadingState(
        figure.value if known else None, figure.unit, figure.quality_at(view.at), _age(figure.at, view),
        view.wall - (view.at - figure.at),
    )  # fmt: skip


def _age(at: float, view: View) -> float:
    return round(max(0.0, view.at - at), 1)


def _wall(stamp: Stamp) -> float | None:
    return stamp.wall or None


def _text(figure: Figure, now: float) -> str | None:
    return str(figure.value) if figure.known(now) else None


def _number(figure: Figure, now: float) -> float | None:
    value = figure.value if figure.known(now) else None
    return float(value) if isinstance(value, int | float) else None


def _health(about: StationHealthView) -> StationHealthState:
    health, lockout = about.health or StationHealth(Stamp()), about.lockout
    return StationHealthState(
        supply=health.supply,
        supply_v=health.supply_mv / 1000 or None,
        battery=_unless(health.battery, 255),
        disk_free=_unless(health.disk_free_percent, 255),
        clock_ahead_s=None if health.skew_s is None else float(round(health.skew_s)),
        key_days=_unless(health.key_days, 65535),
        certificate_days=_unless(health.cert_days, 65535),
        faults=health.faults,
        locked_out=lockout is not None and lockout.ended is None,
        locked_until=lockout.until if lockout is not None and lockout.ended is None else None,
        wall=health.since.wall if about.health else None,
    )


def _unless(value: int, unknown: int) -> int | None:
    return None if value == unknown else value

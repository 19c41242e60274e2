"""State on MQTT, for dashboards: retained, with quality and time, and Home Assistant's device discovery. Read-only.

Nothing here is an order and nothing that arrives here is obeyed. A broker that lost its power has forgotten all of
it, so everything is published again at each connection.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from appliance.config import Site
from appliance.control import entry_view
from appliance.entry import Entry
from appliance.figure import Figure
from appliance.power_view import DeviceView
from appliance.view import View
from drivers.clock import Clock

EVERY = 1.0  # s between looks for what changed
AGAIN = 30.0  # s; unchanged state is said again, so that a dashboard's `expire_after` of three times that holds
EXPIRE_AFTER = 90
# Heard by everyone who may read the broker: texts and callers' numbers are not for a dashboard.
PRIVATE = ("sms.", "call.", "person.", "fallback.notified", "caller.", "callback.")


class PowerState(msgspec.Struct, frozen=True):
    source: str
    mains: str
    witnesses: tuple[str, ...]
    minutes_until_dark: float | None
    reason: str
    wall: float


class ReadingState(msgspec.Struct, frozen=True):
    value: float | int | str | bool | None
    unit: str
    quality: str
    wall: float


class GensetState(msgspec.Struct, frozen=True):
    phase: str
    ready: bool | None
    mode: str


class LineState(msgspec.Struct, frozen=True):
    can_take_call: str
    operator: str | None
    technology: str | None
    signal_dbm: float | None
    in_call: bool


class StationState(msgspec.Struct, frozen=True):
    online: bool
    sounding: bool | None


class AlertState(msgspec.Struct, frozen=True):
    open: tuple[str, ...]
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


class AlarmState(msgspec.Struct, frozen=True):
    open: tuple[dict[str, Any], ...]


SCHEMAS = {
    "power": PowerState,
    "reading/+/+": ReadingState,
    "genset/+": GensetState,
    "line/+": LineState,
    "station/+": StationState,
    "trunk": TrunkState,
    "fallback": FallbackState,
    "alerts": AlertState,
    "alarms": AlarmState,
}


class Dashboards:
    """`publish(topic, payload)` is retained; it is skipped by its owner while no broker is there."""

    def __init__(
        self, *, site: Site, view: Callable[[], View], clock: Clock, publish: Callable[[str, bytes], None],
        publish_event: Callable[[str, bytes], None],
    ) -> None:  # fmt: skip
        self._site, self._view, self._clock = site, view, clock
        self._publish, self._publish_event = publish, publish_event
        self._root = f"siaga/{site.site}"
        self._said: dict[str, bytes] = {}
        self._said_all_at = 0.0

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            if self._clock.now() - self._said_all_at >= AGAIN:
                self.publish_all()
            else:
                self._publish_changes()

    def publish_all(self) -> None:
        """At each connection, and when Home Assistant says that it has started."""
        self._said.clear()
        self._said_all_at = self._clock.now()
        self._publish(f"{self._root}/state/{self._site.id}/online", b"true")
        self._publish(f"homeassistant/device/siaga-{self._site.site}-{self._site.id}/config", self._discovery())
        self._publish_changes()

    def on_entry(self, entry: Entry) -> None:
        """Events as they come, not retained."""
        if not entry.kind.startswith(PRIVATE):
            topic = f"{self._root}/event/{self._site.id}/{entry.kind}"
            # Later: what is being appended may be an order on its way, which goes first.
            payload = msgspec.json.encode(entry_view(entry))
            asyncio.get_running_loop().call_soon(self._publish_event, topic, payload)

    def _publish_changes(self) -> None:
        view = self._view()
        for name, payload in self._states(view).items():
            data = msgspec.json.encode(payload)
            # The time of an unchanged figure is no change of it.
            same = msgspec.json.encode(msgspec.structs.replace(payload, wall=0.0)) if hasattr(payload, "wall") else data
            if self._said.get(name) != same:
                self._said[name] = same
                self._publish(f"{self._root}/state/{self._site.id}/{name}", data)

    def _states(self, view: View) -> dict[str, msgspec.Struct]:
        states: dict[str, msgspec.Struct] = {}
        if power := view.power:
            dark = power.dark.minutes
            states["power"] = PowerState(
                power.source,
                power.mains,
                power.witnesses,
                None if dark is None else round(dark, 1),
                power.dark.reason,
                view.wall,
            )
            for name, genset in power.gensets.items():
                states[f"genset/{name}"] = GensetState(genset.phase, genset.ready, genset.mode)
            for device in power.genset_devices + power.ups_devices:
                for point, figure in device.figures.items():
                    states[f"reading/{device.id}/{point}"] = self._reading(figure, view)
        for line in view.lines:
            states[f"line/{line.id}"] = LineState(
                line.can_take_call,
                _text(line.operator, view.at),
                _text(line.technology, view.at),
                _number(line.signal_dbm, view.at),
                line.call is not None,
            )
        for station in view.stations:
            online = station.local or bool(station.contact and station.contact.online)
            states[f"station/{station.id}"] = StationState(online, station.sounding)
        if view.trunk_watched or view.trunk_verdict:
            verdict = view.trunk_verdict
            known = ("unknown", "", "") if verdict is None else (verdict.standing, verdict.layer, verdict.reason)
            states["trunk"] = TrunkState(*known)
        if (now := view.fallback) is not None:
            states["fallback"] = FallbackState(
                now.stands, now.why, now.declared.wall if now.declared else None, now.over.wall if now.over else None,
                now.citizens, {a.id: a.uses for a in now.agencies},
            )  # fmt: skip
        open_alerts = [a for a in view.alerts if a.ended is None]
        states["alerts"] = AlertState(
            tuple(a.id for a in open_alerts),
            {a.id: {name: d.state.value for name, d in a.deliveries.items()} for a in open_alerts},
        )
        states["alarms"] = AlarmState(
            tuple(
                {"alarm": a.alarm, "about": a.about, "priority": a.priority, "acknowledged": a.acknowledged is not None}
                for a in view.alarms
                if a.cleared is None
            )
        )
        return states

    def _reading(self, figure: Figure, view: View) -> ReadingState:
        known = figure.known(view.at)
        quality = figure.quality if known or figure.quality != "good" else "stale"
        return ReadingState(figure.value if known else None, figure.unit, quality, view.wall - (view.at - figure.at))

    def _discovery(self) -> bytes:
        base = f"{self._root}/state/{self._site.id}"
        unique = f"siaga_{self._site.site}_{self._site.id}"
        view = self._view()
        parts: dict[str, dict[str, Any]] = {}

        def add(name: str, topic: str, template: str, **more: Any) -> None:
            more = {"p": "sensor", "expire_after": EXPIRE_AFTER, **more}
            key = name.lower().replace(" ", "_").replace("/", "_")
            parts[key] = {
                "name": name, "unique_id": f"{unique}_{key}", "state_topic": f"{base}/{topic}",
                "value_template": "{{ " + template + " }}", **more,
            }  # fmt: skip

        if view.power:
            add("Power source", "power", "value_json.source")
            add("Mains", "power", "value_json.mains")
            add("Minutes until dark", "power", "value_json.minutes_until_dark", unit_of_measurement="min")
            for device in view.power.genset_devices + view.power.ups_devices:
                self._discover_device(device, add)
        for line in view.lines:
            add(f"Line {line.id}", f"line/{line.id}", "value_json.can_take_call")
        for station in view.stations:
            add(
                f"Station {station.id}", f"station/{station.id}", "'ON' if value_json.online else 'OFF'",
                p="binary_sensor", device_class="connectivity",
            )  # fmt: skip
        if view.trunk_watched:
            add("Trunk 112", "trunk", "value_json.standing")
        if view.fallback is not None:
            add(
                "Fallback", "fallback", "'ON' if value_json.stands else 'OFF'", p="binary_sensor",
                device_class="problem",
            )  # fmt: skip
        add("Open alarms", "alarms", "value_json.open | count", state_class="measurement")
        online = {"topic": f"{base}/online", "payload_available": "true", "payload_not_available": "false"}
        return msgspec.json.encode(
            {
                "dev": {"ids": [unique], "name": self._site.name, "mf": "Siaga", "sw": view.version},
                "o": {"name": "siaga", "sw": view.version},
                "cmps": parts,
                "availability": [online],
                "availability_mode": "all",
                "qos": 1,
            }
        )

    @staticmethod
    def _discover_device(device: DeviceView, add: Callable[..., None]) -> None:
        for point, figure in device.figures.items():
            more: dict[str, Any] = {}
            if figure.unit:
                more = {"unit_of_measurement": figure.unit, "state_class": "measurement"}
            add(f"{device.id} {point}", f"reading/{device.id}/{point}", "value_json.value", **more)


def _text(figure: Figure, now: float) -> str | None:
    return str(figure.value) if figure.known(now) else None


def _number(figure: Figure, now: float) -> float | None:
    return figure.value if figure.known(now) and isinstance(figure.value, int | float) else None


def schemas() -> dict[str, Any]:
    """JSON schema of each payload below `siaga/<site>/state/<box>/`, by topic."""
    return {topic: msgspec.json.schema(kind) for topic, kind in SCHEMAS.items()}

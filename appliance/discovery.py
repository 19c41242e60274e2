"""Home Assistant's device discovery: one retained message tells it of every figure, with unit, class and expiry.

A figure is told of once its first value showed of what kind it is: Home Assistant keeps what it was told, and a
register that a device does not have would stand there for ever.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from appliance.config import Site
from appliance.view import View

EXPIRE_AFTER = 90  # s; three times what unchanged state waits for being said again
MEASURED = "measurement"
# What Home Assistant calls a figure of this unit; it refuses a class whose unit does not fit.
CLASSES = {
    "V": "voltage", "A": "current", "Hz": "frequency", "W": "power", "VA": "apparent_power", "kWh": "energy",
    "°C": "temperature", "kPa": "pressure", "bar": "pressure", "s": "duration", "min": "duration",
    "dBm": "signal_strength", "L": "volume_storage",
}  # fmt: skip
COUNTERS = {"energy_kwh", "run_time_s", "starts"}  # they only grow
DIGITS = {"V": 1, "A": 1, "Hz": 2, "%": 1, "°C": 1, "kWh": 1, "kPa": 0, "W": 0}
PROBLEMS = {
    "fault", "input_bad", "overload", "low_battery", "shutdown_imminent", "over_temperature", "battery_disconnected",
    "battery_replace", "charger_fault", "inverter_fault", "shutdown_alarm", "electrical_trip_alarm", "warning_alarm",
    "emergency_stop", "low_oil_pressure", "high_coolant_temperature", "overspeed", "fail_to_start", "fail_to_stop",
    "charge_alternator_failed", "battery_low", "fuel_low", "generator_fails_to_close", "mains_fails_to_close",
    "mains_failed",
}  # fmt: skip
SOURCES = {"online", "output_on", "mains_present", "genset_present"}

Part = dict[str, Any]


class Discovery:
    """`learn` a view, then `payload` for it; `topic` is where it goes, retained."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._base = f"siaga/{site.site}/state/{site.id}"
        self._unique = f"siaga_{site.site}_{site.id}"
        self.topic = f"homeassistant/device/siaga-{site.site}-{site.id}/config"
        self._kinds: dict[tuple[str, str], tuple[str, str]] = {}  # device and point: kind of value and unit

    def learn(self, view: View) -> bool:
        """Whether there is something that Home Assistant was not told of."""
        before = len(self._kinds)
        if view.power:
            for device in view.power.devices:
                for point, figure in device.figures.items():
                    if figure.kind and (device.id, point) not in self._kinds:
                        self._kinds[device.id, point] = (figure.kind, figure.unit)
        return len(self._kinds) != before

    def payload(self, view: View) -> bytes:
        parts: dict[str, Part] = {}
        for key, part in [*self._readings(view), *self._power(view), *self._others(view)]:
            parts[key] = {"unique_id": f"{self._unique}_{key}", "expire_after": EXPIRE_AFTER, **part}
        online = {"topic": f"{self._base}/online", "payload_available": "true", "payload_not_available": "false"}
        return msgspec.json.encode(
            {
                "dev": {"ids": [self._unique], "name": self._site.name, "mf": "Siaga", "sw": view.version},
                "o": {"name": "siaga", "sw": view.version},
                "cmps": parts,
                "availability": [online],
                "availability_mode": "all",
                "qos": 1,
            }
        )

    def _readings(self, view: View) -> list[tuple[str, Part]]:
        found = []
        for device in view.power.devices if view.power else ():
            for point in device.figures:
                if told := self._kinds.get((device.id, point)):
                    topic = f"{self._base}/reading/{device.id}/{point}"
                    name = f"{device.name or device.id} {point.replace('_', ' ')}"
                    part = {
                        "name": name,
                        "state_topic": topic,
                        "json_attributes_topic": topic,
                        **_reading(point, *told),
                    }
                    found.append((_key(f"{device.id} {point}"), part))
        return found

    def _power(self, view: View) -> list[tuple[str, Part]]:
        power = view.power
        if power is None:
            return []
        return [
            self._word("Power source", "power", "source"),
            self._word("Power stage", "power", "stage"),
            self._word("Mains", "power", "mains"),
            self._number("Minutes until dark", "power", "minutes_until_dark", unit="min", device_class="duration"),
            self._yes("Power ready", "readiness", "ready"),
            *(self._word(f"{id} phase", f"genset/{id}", "phase") for id in power.gensets),
            *(self._yes(f"{id} ready", f"genset/{id}", "ready") for id in power.gensets),
            *(self._yes(f"{id} on battery now", f"ups/{id}", "on_battery") for id in power.ups),
        ]

    def _others(self, view: View) -> list[tuple[str, Part]]:
        found = [
            *(self._word(f"Line {line.id}", f"line/{line.id}", "can_take_call") for line in view.lines),
            *(
                self._number(f"Line {line.id} signal", f"line/{line.id}", "signal_dbm", unit="dBm",
                             device_class="signal_strength")
                for line in view.lines
            ),
            *(self._yes(f"Station {s.id}", f"station/{s.id}", "online", "connectivity") for s in view.stations),
            *(self._yes(f"Siren {s.id}", f"station/{s.id}", "sounding", "sound") for s in view.stations),
            *self._healths(view),
        ]  # fmt: skip
        if view.trunk_watched:
            found.append(self._word("Trunk 112", "trunk", "standing"))
        if view.fallback is not None:
            found.append(self._yes("Fallback", "fallback", "stands", "problem"))
        found.append(self._number("Open alarms", "alarms", "open | count"))
        found.append(self._number("Unacknowledged alarms", "alarms", "unacknowledged"))
        found.append(self._yes("Alarm flood", "alarms", "flood", "problem"))
        return found

    def _healths(self, view: View) -> Iterator[tuple[str, Part]]:
        """What stations tell of themselves, as diagnostics; all of it is in the attributes of the first."""
        for about in view.supervision.stations if view.supervision else ():
            if about.health is None:
                continue
            name, topic = f"Station {about.station}", f"station_health/{about.station}"
            key, fault = self._yes(f"{name} fault", topic, "faults", "problem")
            found = [
                (key, fault | {"json_attributes_topic": f"{self._base}/{topic}"}),
                self._yes(f"{name} locked out", topic, "locked_out"),
                self._number(f"{name} battery", topic, "battery", "%", "battery"),
            ]
            yield from ((key, part | {"entity_category": "diagnostic"}) for key, part in found)

    def _word(self, name: str, topic: str, field: str) -> tuple[str, Part]:
        return _key(name), {"p": "sensor", "name": name, "state_topic": f"{self._base}/{topic}", **_template(field)}

    def _number(self, name: str, topic: str, field: str, unit: str = "", device_class: str = "") -> tuple[str, Part]:
        key, part = self._word(name, topic, field)
        part["state_class"] = MEASURED
        return key, part | _given(unit_of_measurement=unit, device_class=device_class)

    def _yes(self, name: str, topic: str, field: str, device_class: str = "") -> tuple[str, Part]:
        part = {"p": "binary_sensor", "name": name, "state_topic": f"{self._base}/{topic}", **_yes_template(field)}
        return _key(name), part | _given(device_class=device_class)


def _reading(point: str, kind: str, unit: str) -> Part:
    if kind == "bool":
        device_class = "problem" if point in PROBLEMS else "power" if point in SOURCES else ""
        return {"p": "binary_sensor", **_yes_template("value"), **_given(device_class=device_class)}
    part: Part = {"p": "sensor", **_template("value")}
    if kind == "word":
        return part
    device_class = "battery" if point == "charge" and unit == "%" else CLASSES.get(unit, "")
    if point == "power_factor":
        device_class = "power_factor"
    part["state_class"] = "total_increasing" if point in COUNTERS or unit == "kWh" else MEASURED
    if unit in DIGITS:
        part["suggested_display_precision"] = DIGITS[unit]
    return part | _given(unit_of_measurement=unit, device_class=device_class)


def _template(field: str) -> Part:
    return {"value_template": f"{{{{ value_json.{field} }}}}"}


def _yes_template(field: str) -> Part:
    """Home Assistant takes None for not known; what is not known is neither on nor off."""
    value = f"value_json.{field}"
    return {"value_template": f"{{{{ None if {value} is none else 'ON' if {value} else 'OFF' }}}}"}


def _given(**fields: str) -> Part:
    return {name: value for name, value in fields.items() if value}


def _key(name: str) -> str:
    return name.lower().replace(" ", "_").replace("/", "_")

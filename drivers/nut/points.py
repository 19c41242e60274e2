"""NUT's variables to the points of a UPS, by the same names and units as a Modbus profile gives them.

NUT says in `ups.status` what is so. What a driver may leave out (an alarm's text, a test) is true or not known, never
false: nobody said that it is well.
"""

from collections.abc import Iterable, Mapping

import msgspec

from drivers.quality import Quality
from drivers.reading import Reading, Value

STATUS = {  # words of ups.status that every driver uses alike (developer guide, "Status data")
    "online": ("OL",),
    "on_battery": ("OB",),
    "bypass": ("BYPASS",),
    "output_off": ("OFF",),
    "overload": ("OVER",),
    "low_battery": ("LB",),
    "battery_replace": ("RB",),
}
STATUS_IF_SAID = {"shutdown_imminent": ("FSD",), "eco_mode": ("ECO",), "testing": ("TEST", "CAL")}
ALARMS = {  # parts of ups.alarm, as usbhid-ups, snmp-ups, apc_modbus, socomec_jbus and huawei-ups2000 write them
    "fault": (
        "internal ups fault",
        "internal fault",
        "fuse fault",
        "inverter fault",
        "rectifier fault",
        "fan fail",
        "general error",
    ),
    "over_temperature": ("temperature too high", "overtemperature", "over temperature", "overheat"),
    "battery_disconnected": ("no battery installed", "battery disconnected", "battery circuit open"),
    "charger_fault": ("charger fail", "charger fault"),
    "shutdown_imminent": ("shutdown imminent", "imminent stop"),
}
TESTS = (  # parts of ups.test.result, the telling ones first: usbhid-ups and snmp-ups say "Done and passed"
    ("in progress", "running"),
    ("running", "running"),
    ("no test", "none"),
    ("not yet", "none"),
    ("scheduled", "pending"),
    ("pending", "pending"),
    ("abort", "aborted"),
    ("refus", "refused"),
    ("fail", "failed"),
    ("error", "failed"),
    ("warn", "failed"),  # done, but the battery is not as it should be
    ("bad", "failed"),
    ("pass", "passed"),
    ("good", "passed"),
    ("ok", "passed"),
)
CAUSES = (  # parts of input.transfer.reason, small and without blanks
    ("selftest", "automatic_test"),
    ("automatictest", "automatic_test"),
    ("acceptableinput", "acceptable_input"),
    ("frequency", "frequency"),
    ("high", "high_voltage"),
    ("low", "low_voltage"),
    ("utilityoff", "low_voltage"),
    ("blackout", "low_voltage"),
    ("brownout", "low_voltage"),
    ("voltage", "voltage_out_of_range"),
    ("distort", "distorted"),
    ("spike", "distorted"),
    ("rapid", "rapid_change"),
)


class _Number(msgspec.Struct, frozen=True):
    """Where a figure stands: one variable, or one for each phase, of which the worst counts."""

    unit: str
    range: tuple[float, float]
    names: tuple[str, ...]
    phases: str = ""  # with {} for L1, L2, L3
    worst: str = "min"


NUMBERS = {
    "runtime_s": _Number("s", (0, 1_000_000), ("battery.runtime",)),
    "charge": _Number("%", (0, 105), ("battery.charge",)),
    "battery_v": _Number("V", (1, 1000), ("battery.voltage",)),
    "temperature": _Number("°C", (-20, 120), ("ups.temperature", "battery.temperature")),
    "load": _Number("%", (0, 300), ("ups.load",), "output.{}.power.percent", "max"),
    "output_v": _Number("V", (0, 350), ("output.voltage",), "output.{}-N.voltage"),
    "output_hz": _Number("Hz", (0, 75), ("output.frequency",)),
    "output_a": _Number("A", (0, 10_000), ("output.current",), "output.{}.current", "max"),
    "input_v": _Number("V", (0, 350), ("input.voltage",), "input.{}-N.voltage"),
}
PHASES = ("L1", "L2", "L3")
BEEPERS = ("enabled", "disabled", "muted")
FLAGS = (*STATUS, *STATUS_IF_SAID, *(name for name in ALARMS if name not in STATUS_IF_SAID), "input_bad")
WORDS = ("self_test", "transfer_cause", "beeper_muted")
UNITS = {**dict.fromkeys((*FLAGS, *WORDS), ""), **{name: number.unit for name, number in NUMBERS.items()}}
WAITING = "WAIT"  # in ups.status: the driver has not asked the UPS yet
UNSURE_STATES = ("init", "reconnect", "cleanup", "exit")  # how driver.state begins while the driver has no UPS

Given = tuple[Value, Quality]
NOT_THERE: Given = (None, Quality.UNIMPLEMENTED)


def readings(variables: Mapping[str, str], at: float) -> list[Reading]:
    """A reading for each point in UNITS, measured at `at`. All are no_link while NUT's driver has no UPS to ask."""
    if no_ups(variables):
        return lost(at)
    given = {**_flags(variables), **_words(variables)}
    given |= {name: _number(number, variables) for name, number in NUMBERS.items()}
    return [Reading(name, given[name][0], unit, given[name][1], at) for name, unit in UNITS.items()]


def lost(at: float) -> list[Reading]:
    """What is known of a UPS that cannot be asked."""
    return [Reading(name, None, unit, Quality.NO_LINK, at) for name, unit in UNITS.items()]


def no_ups(variables: Mapping[str, str]) -> bool:
    """Whether NUT's driver says that it does not talk to the UPS now."""
    status = variables.get("ups.status", "").split()
    return not status or WAITING in status or variables.get("driver.state", "").startswith(UNSURE_STATES)


def _flags(variables: Mapping[str, str]) -> dict[str, Given]:
    said = set(variables["ups.status"].split())
    alarm = variables.get("ups.alarm", "").lower()
    given: dict[str, Given] = {name: (not said.isdisjoint(tokens), Quality.GOOD) for name, tokens in STATUS.items()}
    for name in (*STATUS_IF_SAID, *ALARMS):
        true = not said.isdisjoint(STATUS_IF_SAID.get(name, ())) or any(part in alarm for part in ALARMS.get(name, ()))
        given[name] = (True, Quality.GOOD) if true else given.get(name, NOT_THERE)
    return {**given, "input_bad": _input_bad(variables)}


def _input_bad(variables: Mapping[str, str]) -> Given:
    """By the driver's own word, or by the limits at which the UPS leaves its input."""
    if status := variables.get("input.voltage.status"):
        return status != "good", Quality.GOOD
    volts = _number(NUMBERS["input_v"], variables)[0]
    low, high = (_float(variables.get(f"input.transfer.{end}", "")) for end in ("low", "high"))
    if not isinstance(volts, float) or low is None:
        return NOT_THERE
    return volts < low or (high is not None and volts > high), Quality.GOOD


def _words(variables: Mapping[str, str]) -> dict[str, Given]:
    reason = "".join(c for c in variables.get("input.transfer.reason", "").lower() if c.isalpha())
    beeper = variables.get("ups.beeper.status", "")
    return {
        "self_test": _first(TESTS, variables.get("ups.test.result", "").lower()),
        "transfer_cause": _first(CAUSES, reason),
        "beeper_muted": (beeper != "enabled", Quality.GOOD) if beeper in BEEPERS else NOT_THERE,
    }


def _first(table: Iterable[tuple[str, str]], text: str) -> Given:
    if not text:
        return NOT_THERE
    found = next((word for part, word in table if part in text), None)
    return (found, Quality.GOOD) if found else (None, Quality.OVER_RANGE)


def _number(number: _Number, variables: Mapping[str, str]) -> Given:
    texts = [variables[name] for name in number.names if name in variables][:1]
    if not texts and number.phases:
        texts = [text for phase in PHASES if (text := variables.get(number.phases.format(phase))) is not None]
    if not texts:
        return NOT_THERE
    values = [_float(text) for text in texts]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None, Quality.SENSOR_FAULT
    value = max(known) if number.worst == "max" else min(known)
    if value < number.range[0]:
        return None, Quality.UNDER_RANGE
    return (None, Quality.OVER_RANGE) if value > number.range[1] else (value, Quality.GOOD)


def _float(text: str) -> float | None:
    """A plain decimal number; nan and inf are none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None

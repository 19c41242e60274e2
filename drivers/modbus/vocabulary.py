"""The names that profiles give to points and commands, and what each must be: the rest of the box reads no others.

A profile for a new device uses these names and units, so that nothing else has to learn about the device.
"""

from typing import Literal

import msgspec

Kind = Literal["genset", "ups", "meter"]


class Number(msgspec.Struct, frozen=True):
    """A measurement in `unit`, which no device can truly find below `least` or above `most`."""

    unit: str
    least: float
    most: float


class Name(msgspec.Struct, frozen=True):
    """One of these words."""

    words: frozenset[str]


class Flag(msgspec.Struct, frozen=True):
    """True or False."""


class Identity(msgspec.Struct, frozen=True):
    """Whatever tells one device or model from another; nothing is made of it."""


Meaning = Number | Name | Flag | Identity

FOREVER = 2.0**33  # counters: more seconds or kilowatt-hours than any set lives

LV = Number("V", 0, 700)  # phase to neutral, up to a 690 V net that counts line to line
HERTZ = Number("Hz", 0, 100)
AMPERES = Number("A", 0, 20_000)
WATTS = Number("W", -20_000_000, 20_000_000)
STARTER_V = Number("V", 0, 60)  # 12, 24 or 48 V
ENERGY = Number("kWh", 0, FOREVER)
PERCENT_LOAD = Number("%", -300, 300)

IDENTITIES = dict.fromkeys(("manufacturer", "model", "serial", "firmware"), Identity())


def _phases(name: str, meaning: Meaning) -> dict[str, Meaning]:
    return {f"{name}_l{phase}": meaning for phase in (1, 2, 3)}


def _flags(names: str) -> dict[str, Meaning]:
    return dict.fromkeys(names.split(), Flag())


def _words(names: str) -> Name:
    return Name(frozenset(names.split()))


GENSET: dict[str, Meaning] = {
    **IDENTITIES,
    "mode": _words("auto manual stop test_on_load test_off_load off auto_manual_restore user"),
    "engine_state": _words("stopped prestart cranking warm_up running cooling post_run failed"),
    "rpm": Number("rpm", 0, 6000),
    "generator_hz": HERTZ,
    **_phases("generator_v", LV),
    **_phases("generator_a", AMPERES),
    "generator_w": WATTS,
    "generator_load": PERCENT_LOAD,
    **_phases("mains_v", LV),
    "mains_hz": HERTZ,
    **_flags("mains_failed genset_closed mains_closed"),
    "fuel_level": Number("%", 0, 130),
    "battery_v": STARTER_V,
    "charge_alternator_v": STARTER_V,
    "coolant_temperature": Number("°C", -60, 250),
    "oil_pressure": Number("kPa", 0, 2000),
    "run_time_s": Number("s", 0, FOREVER),
    "energy_kwh": ENERGY,
    "starts": Number("", 0, FOREVER),
    **_flags("shutdown_alarm electrical_trip_alarm warning_alarm emergency_stop low_oil_pressure"),
    **_flags("high_coolant_temperature overspeed fail_to_start fail_to_stop charge_alternator_failed"),
    **_flags("battery_low fuel_low generator_fails_to_close mains_fails_to_close"),
}

UPS: dict[str, Meaning] = {
    **IDENTITIES,
    **_flags("online on_battery bypass output_off output_on fault input_bad testing eco_mode overload low_battery"),
    **_flags("shutdown_imminent over_temperature battery_disconnected battery_replace charger_fault inverter_fault"),
    **_flags("beeper_muted card_lost_ups"),  # what answers is a card in the UPS, and it has lost the UPS
    "runtime_s": Number("s", 0, FOREVER),
    "charge": Number("%", 0, 130),
    "battery_v": Number("V", 0, 1000),
    "temperature": Number("°C", -60, 150),
    "load": PERCENT_LOAD,
    "apparent_load": PERCENT_LOAD,
    "output_v": LV,
    "output_hz": HERTZ,
    "output_a": AMPERES,
    "output_w": WATTS,
    "input_v": LV,
    "input_hz": HERTZ,
    "self_test": _words("none pending running passed failed refused aborted"),
    "transfer_cause": Identity(),  # each make has causes of its own; they are shown, not judged
}

METER: dict[str, Meaning] = {
    **IDENTITIES,
    **_phases("mains_v", LV),
    "mains_hz": HERTZ,
    **_phases("a", AMPERES),
    "power_w": WATTS,
    "energy_kwh": ENERGY,
    "power_factor": Number("", -1, 1),
}

POINTS: dict[Kind, dict[str, Meaning]] = {"genset": GENSET, "ups": UPS, "meter": METER}

COMMANDS: dict[Kind, frozenset[str]] = {
    "genset": frozenset({"start", "cancel_start", "test_on_load", "auto", "mute"}),
    "ups": frozenset({"self_test", "mute"}),
    "meter": frozenset(),
}

STAY_IN_AUTO = frozenset({"start", "cancel_start"})  # a set left out of auto is deaf to the next outage

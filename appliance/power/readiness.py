"""What must be so for the next outage to be survived, line by line; what is not known is never good."""

from collections.abc import Callable, Iterable
from statistics import median

import msgspec

from appliance.power.genset_machine import Engine, GensetSeen
from appliance.power.run_machine import Measures, usual
from appliance.power.seen import FAULTS, Words
from appliance.power_state import GensetRecord
from appliance.power_view import Ready
from appliance.stamp import Stamp

DAY_S = 86_400.0
NOMINAL = 16.0  # V; a starting battery above it is one of 24 V
REST_V = 12.4  # of one of 12 V: three quarters full
FLOAT_V = 13.0  # a charger that works holds it above; at rest a full battery falls to 12.8
DIP_V = 8.0  # the least that a 12 V starter and its controller still live on
CHARGE = 90.0  # % of a UPS after an outage's recharge
WARNINGS = ("warning_alarm", "fail_to_stop", "charge_alternator_failed", "mains_fails_to_close", "fail_to_start")
BATTERY_FAULTS = ("battery_replace", "battery_disconnected", "charger_fault", "fault")
TOLD = ("battery", "charger", "battery_dip", "ups_battery", "ups_test")  # by event; others have their own, or are slow


class GensetLines(msgspec.Struct, frozen=True):
    """What one set's lines are made of."""

    about: str  # "genset/g1"
    seen: GensetSeen
    measures: Measures
    record: GensetRecord
    turns: bool  # it does, or it is not known to stand
    mains: bool  # believed to be there: the charger can work
    fuel_low: float
    every_days: float


def genset_lines(g: GensetLines, words: Words, age: Callable[[Stamp], float]) -> list[Ready]:
    """In the order in which a technician goes through them."""
    id, at, volts = g.about, g.measures.at, g.measures.battery_v
    times = 2.0 if volts is not None and volts > NOMINAL else 1.0
    lines = [
        Ready(id, "link", g.seen.linked, why="" if g.seen.linked else "no_link"),
        _word(id, "auto", g.seen.mode, g.seen.mode == "auto", "not_in_auto", g.seen.mode_at),
        Ready(id, "battery", None, volts, "V", "under_starter", at)
        if g.seen.engine is Engine.STARTING and volts is not None
        else _least(id, "battery", volts, REST_V * times, "V", "low", at),
    ]
    if g.turns or not g.mains or volts is None:
        lines.append(Ready(id, "charger", None, volts, "V", "no_figure" if volts is None else "not_charging_now", at))
    else:
        lines.append(_least(id, "charger", volts, FLOAT_V * times, "V", "not_charging", at))
    lines.append(_least(id, "fuel", g.measures.fuel, g.fuel_low, "%", "low", at))
    lines += [_dip(g), _start(g), _last_test(g, age)]
    lines.append(_none_of(id, "alarms", words, (*FAULTS, *WARNINGS)))
    if g.record.fuel_falling:
        lines.append(Ready(id, "fuel_stays", False, why="falling"))
    return lines


def _dip(g: GensetLines) -> Ready:
    """The starting battery's lowest at the last crank: what its volts at rest do not show."""
    last = next((start for start in reversed(g.record.starts) if start.dip_v is not None), None)
    if last is None or last.dip_v is None:
        return Ready(g.about, "battery_dip", None, unit="V", why="not_learned")
    highest = median([s.dip_v for s in g.record.starts if s.dip_v is not None])
    least = DIP_V * (2.0 if max(g.measures.battery_v or 0.0, highest) > NOMINAL else 1.0)
    weak = "weak" if last.dip_v < least else "drifted" if "dip_v" in g.record.drifted else ""
    return Ready(g.about, "battery_dip", not weak, last.dip_v, "V", weak, wall=last.at.wall)


def _start(g: GensetLines) -> Ready:
    """How long the last start took, beside its signature."""
    if not g.record.starts:
        return Ready(g.about, "start", None, unit="s", why="not_learned")
    last = g.record.starts[-1]
    slow = bool({"crank_s", "up_s"} & g.record.drifted.keys())
    ok = False if slow else True if usual("up_s", g.record.starts) is not None else None
    return Ready(
        g.about, "start", ok, last.up_s, "s", "drifted" if slow else "" if ok else "not_learned", wall=last.at.wall
    )


def _last_test(g: GensetLines, age: Callable[[Stamp], float]) -> Ready:
    """The last run that a diesel needs, and how many days ago it was."""
    last = g.record.exercised
    if last is None:
        return Ready(g.about, "last_test", False if g.record.overdue else None, why="never")
    days = age(last) / DAY_S
    late = days > g.every_days
    return Ready(g.about, "last_test", not late, round(days, 1), "d", "overdue" if late else "", wall=last.wall)


def ups_lines(about: str, words: Words, on_battery: bool | None) -> list[Ready]:
    """A UPS's lines."""
    charge, test = words.number("charge"), words.word("self_test")
    lines = [Ready(about, "link", words.linked, why="" if words.linked else "no_link")]
    lines.append(
        Ready(about, "on_line", None if on_battery is None else not on_battery, why="on_battery" if on_battery else "")
    )
    lines.append(_least(about, "ups_charge", charge, CHARGE, "%", "low", words.at("charge")))
    lines.append(_none_of(about, "ups_battery", words, BATTERY_FAULTS))
    if test:
        ok = {"passed": True, "failed": False}.get(test)
        lines.append(Ready(about, "ups_test", ok, test, why="failed" if ok is False else "" if ok else "not_tested"))
    return lines


def _least(about: str, item: str, value: float | None, least: float, unit: str, why: str, at: float) -> Ready:
    if value is None:
        return Ready(about, item, None, unit=unit, why="no_figure")
    return Ready(about, item, value >= least, value, unit, "" if value >= least else why, at)


def _none_of(about: str, item: str, words: Words, flags: Iterable[str]) -> Ready:
    """Good when none of the flags is raised, of which one at least must be known."""
    said = {name: words.flag(name) for name in flags}
    if raised := next((name for name, on in said.items() if on), ""):
        return Ready(about, item, False, why=raised)
    known = any(on is not None for on in said.values())
    return Ready(about, item, True if known else None, why="" if known else "no_figure")


def _word(about: str, item: str, value: str, ok: bool, why: str, at: float) -> Ready:
    if not value:
        return Ready(about, item, None, why="no_figure")
    return Ready(about, item, ok, value, why="" if ok else why, at=at)

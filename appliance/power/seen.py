"""What controllers, UPSes and meters say, from their readings: the few words that the plant machine judges by.

A reading that is bad or too old says nothing: every answer here may be "not known".
"""

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

import msgspec

from appliance.power.discharge_machine import BatterySeen
from appliance.power.genset_machine import AUTO, RUNNING_RPM, TURNING_RPM, Engine, GensetSeen
from appliance.power.plant_machine import MeterSeen, SwitchSeen, UpsSeen
from appliance.power.run_machine import Measures
from drivers.quality import Quality
from drivers.reading import Reading

T = TypeVar("T")

PHASES = ("l1", "l2", "l3")
MAINS_V = [f"mains_v_{p}" for p in PHASES]
GENERATOR_V = [f"generator_v_{p}" for p in PHASES]
GENERATOR_A = [f"generator_a_{p}" for p in PHASES]
WITNESS = frozenset(  # what mains is judged by
    [*MAINS_V, "mains_failed", "on_battery", "online", "bypass", "testing", "self_test", "input_bad"]
)
MAINS_LOW_V = 184.0  # 80 % of 230 V, phase to neutral: where controllers and UPSes leave the mains
RUNNING_V = (207.0, 253.0)  # within 10 % of 230 V
RUNNING_HZ = (47.5, 52.5)  # within 5 % of 50 Hz
FLOWS_A, FLOWS_W = 1.0, 200.0  # what a current transformer without current may still show
ENGINE_STATES = {
    "stopped": Engine.STOPPED,
    "prestart": Engine.STARTING,
    "warm_up": Engine.STARTING,
    "cooling": Engine.COOLING,
    "post_run": Engine.STOPPING,
}
# What keeps a set from running or from feeding, the telling ones before the sums.
FAULTS = (
    "emergency_stop",
    "low_oil_pressure",
    "high_coolant_temperature",
    "overspeed",
    "generator_fails_to_close",
    "shutdown_alarm",
    "electrical_trip_alarm",
)
HOLDING = ("shutdown_alarm", "electrical_trip_alarm", "emergency_stop")  # the controller holds until it is reset


class Words:
    """The good and fresh readings of one device. `fresh_s` is the age at which a reading says nothing more."""

    def __init__(self, readings: Mapping[str, Reading], now: float, fresh_s: float) -> None:
        fresh = {name: r for name, r in readings.items() if now - r.at <= fresh_s}
        self.until = min((r.at for r in fresh.values()), default=float("inf")) + fresh_s  # so long all this is so
        self.linked = any(r.quality is not Quality.NO_LINK for r in fresh.values())
        self._good = {name: r for name, r in fresh.items() if r.quality is Quality.GOOD}
        self._made: dict[object, object] = {}

    def once(self, make: "Callable[[Words], T]") -> T:
        """What `make` makes of these words; asked again, it is the same."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast(T, self._made[make])

    def number(self, point: str) -> float | None:
        reading = self._good.get(point)
        value = reading.value if reading else None
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def numbers(self, points: list[str]) -> list[float]:
        return [n for point in points if (n := self.number(point)) is not None]

    def flag(self, point: str) -> bool | None:
        reading = self._good.get(point)
        return reading.value if reading and isinstance(reading.value, bool) else None

    def word(self, point: str) -> str:
        reading = self._good.get(point)
        return reading.value if reading and isinstance(reading.value, str) else ""

    def at(self, *points: str) -> float:
        """When the newest of these points that are known was measured."""
        return max((self._good[p].at for p in points if p in self._good), default=0.0)


def genset_seen(words: Words) -> GensetSeen:
    """What a generator controller shows."""
    mode = words.word("mode")
    holding = [words.flag(p) for p in HOLDING]
    fault = next((p for p in FAULTS if words.flag(p)), "") if any(holding) else ""
    return GensetSeen(
        linked=words.linked,
        at=words.at("engine_state", "rpm", "generator_hz", *GENERATOR_V),
        engine=_engine(words),
        feeding=_feeding(words),
        closed=words.flag("genset_closed"),
        mains=_mains(words),
        mains_at=_mains_at(words),
        mode="auto" if mode in AUTO else mode,
        mode_at=words.at("mode"),
        failed_to_start=words.flag("fail_to_start"),
        fault=None if all(h is None for h in holding) else fault,
        fault_at=words.at("fail_to_start", *HOLDING),
    )


def ups_seen(words: Words) -> UpsSeen:
    """What a UPS shows. A self-test on a good input is no loss of the input."""
    on_battery = words.flag("on_battery")
    testing = words.flag("testing") or words.word("self_test") == "running"
    if on_battery and testing and not words.flag("input_bad"):
        on_battery = False
    elif on_battery is False and words.flag("online") is False and not words.flag("bypass"):
        on_battery = None  # neither: it is off, or it is a map of zeros
    off = words.flag("output_off")
    if off is None and (output_on := words.flag("output_on")) is not None:
        off = not output_on
    return UpsSeen(
        linked=words.linked, at=words.at("on_battery"), on_battery=on_battery, off=off, charge=words.number("charge")
    )


def battery_seen(words: Words) -> BatterySeen:
    """What a UPS shows of its battery."""
    return BatterySeen(
        at=words.at("charge"), charge=words.number("charge"), load=words.number("load"),
        runtime_s=words.number("runtime_s"), runtime_at=words.at("runtime_s"),
    )  # fmt: skip


def measures(words: Words, rated_kw: float | None) -> Measures:
    """A set's figures. Load in % by its own word, else by its power and its rating; power the same way round."""
    watts, load = words.number("generator_w"), words.number("generator_load")
    kw = None if watts is None else watts / 1000
    if load is None and kw is not None and rated_kw:
        load = 100 * kw / rated_kw
    if kw is None and load is not None and rated_kw:
        kw = load / 100 * rated_kw
    return Measures(
        at=words.at("engine_state", "rpm", "generator_hz", "battery_v", *GENERATOR_V), rpm=words.number("rpm"),
        load=load, kw=kw, kwh=words.number("energy_kwh"), fuel=words.number("fuel_level"),
        battery_v=words.number("battery_v"),
    )  # fmt: skip


def by_switch(seen: GensetSeen, switch: SwitchSeen) -> GensetSeen:
    """A set as its transfer switch's contact says too, where the controller has no word of its own breaker."""
    if seen.closed is not None or switch.on_genset is None:
        return seen
    closed = switch.on_genset
    feeding = closed if seen.feeding is None else seen.feeding if seen.feeding is closed else None
    return msgspec.structs.replace(seen, closed=closed, feeding=feeding)


def meter_seen(words: Words) -> MeterSeen:
    """What a meter shows of the mains."""
    return MeterSeen(linked=words.linked, mains=_mains(words), mains_at=_mains_at(words))


def _mains(words: Words) -> bool | None:
    """Whether the controller sees mains: by its volts, and by its own judgement where it gives one."""
    volts, failed = words.numbers(MAINS_V), words.flag("mains_failed")
    if failed or (volts and max(volts) < MAINS_LOW_V):
        return False
    return True if volts or failed is False else None


def _mains_at(words: Words) -> float:
    """When that was measured: a loss by its volts, if they show it."""
    volts = words.numbers(MAINS_V)
    return words.at(*MAINS_V) if volts and max(volts) < MAINS_LOW_V else words.at("mains_failed", *MAINS_V)


def _feeding(words: Words) -> bool | None:
    """Whether the generator feeds: current flows, and its breaker, where a source tells it, is closed.

    Where the two contradict each other it is not known.
    """
    amperes, watts, closed = words.numbers(GENERATOR_A), words.number("generator_w"), words.flag("genset_closed")
    if not amperes and watts is None:
        return closed
    flows = any(a >= FLOWS_A for a in amperes) or (watts is not None and watts >= FLOWS_W)
    return flows if closed in (None, flows) else None


def _engine(words: Words) -> Engine | None:
    """By what the controller says it does, and by what is measured, which wins."""
    state, rpm = words.word("engine_state"), words.number("rpm")
    turning = rpm is not None and rpm > TURNING_RPM
    if state in ("cooling", "post_run"):
        return ENGINE_STATES[state]
    if _up_to_speed(words, rpm):
        return Engine.RUNNING
    if state in ("prestart", "warm_up"):
        return Engine.STARTING
    if turning or state == "running":
        return Engine.TURNING
    if state == "stopped":
        return Engine.STOPPED
    return None if rpm is None else Engine.STANDING


def _up_to_speed(words: Words, rpm: float | None) -> bool:
    """rpm, volts and hertz as they must be. Volts must be known; a set without a speed pickup is judged by the rest.

    The highest phase counts: a single-phase set may show 0 V on the others.
    """
    volts, hertz = words.numbers(GENERATOR_V), words.number("generator_hz")
    return (
        bool(volts)
        and RUNNING_V[0] <= max(volts) <= RUNNING_V[1]
        and (rpm is None or rpm > RUNNING_RPM)
        and (hertz is None or RUNNING_HZ[0] <= hertz <= RUNNING_HZ[1])
    )

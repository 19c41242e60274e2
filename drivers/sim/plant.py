"""The simulated power of one building: mains, transfer switch, standby set, UPS and the load behind them.

Pure: time is handed in. The model moves in fixed steps, so what happens does not depend on how often it is asked.
"""

from dataclasses import dataclass, field
from typing import Any

from drivers.sim.plant_genset import RATED_V, Genset, GensetSettings, Mode, Phase
from drivers.sim.plant_ups import Ups, UpsSettings

STEP_S = 0.05  # s; four times finer than the quickest thing in here, mains detection
DEAD_V = 100.0  # below it the building's other load draws nothing
MOST_FLICKER_S = 60.0  # what is longer is cut, and returns


@dataclass(frozen=True)
class PlantSettings:
    genset: GensetSettings = field(default_factory=GensetSettings)
    ups: UpsSettings = field(default_factory=UpsSettings)
    other_load_w: float = 4400.0  # lights, cooling and radios that no UPS carries


class Plant:
    """Call `step(now)` before reading anything or turning any knob."""

    def __init__(self, settings: PlantSettings, now: float) -> None:
        self.settings = settings
        self.genset = Genset(settings.genset)
        self.ups = Ups(settings.ups)
        self.mains_v = RATED_V
        self.genset_fuse = self.meter_fuse = True  # of the wires by which controller and meter measure the mains
        self.ups_breaker = True  # in front of the UPS
        self.leak_percent_per_h = 0.0
        self._returns_in = 0.0  # s; 0: nothing is on its way
        self._began, self._steps = now, 0
        self.moves = 0  # steps in which anything may have happened

    def step(self, now: float) -> None:
        """Move on to `now` (s, monotonic), less than STEP_S short of it."""
        until = int((now - self._began) / STEP_S + 1e-9)
        while self._steps < until:
            if self._rests:
                self.ups.rest(STEP_S, until - self._steps)
                self.genset.rest(STEP_S, until - self._steps)
                self._steps = until
                return
            self._steps += 1
            self.moves += 1
            if 0.0 < self._returns_in <= STEP_S:
                self.mains_v = RATED_V
            self._returns_in = max(0.0, self._returns_in - STEP_S)
            self.ups.step(STEP_S, self._ups_input_v)
            self.genset.step(STEP_S, self._sensed_v, self.load_w)
            leaked = self.leak_percent_per_h * STEP_S / 3600.0
            self.genset.fuel_percent = max(0.0, self.genset.fuel_percent - leaked)

    @property
    def _rests(self) -> bool:
        """Whether every further step would only count time on: then all of them are one."""
        still = not self._returns_in and not self.leak_percent_per_h
        return still and self.genset.rests(self._sensed_v) and self.ups.rests(self._ups_input_v)

    @property
    def _ups_input_v(self) -> float:
        return self.supply_v if self.ups_breaker else 0.0

    @property
    def _sensed_v(self) -> float:
        """The mains as the set's controller measures it."""
        return self.mains_v if self.genset_fuse else 0.0

    @property
    def supply_v(self) -> float:
        """Volts on the building's busbar behind the transfer switch."""
        if self.genset.breaker_closed:
            return self.genset.volts
        return self.mains_v if self.genset.mains_contactor_closed else 0.0

    @property
    def source(self) -> str:
        """What feeds the busbar: `mains`, `genset` or `none`."""
        if self.supply_v < DEAD_V:
            return "none"
        return "genset" if self.genset.breaker_closed else "mains"

    @property
    def load_w(self) -> float:
        """Watts drawn from the busbar."""
        return 0.0 if self.source == "none" else self.settings.other_load_w + self.ups.input_w

    @property
    def meter_v(self) -> float:
        """What a meter on the mains has at its terminals."""
        return self.mains_v if self.meter_fuse else 0.0

    def cut_mains(self) -> None:
        self.mains_v = self._returns_in = 0.0

    def return_mains(self) -> None:
        self.mains_v, self._returns_in = RATED_V, 0.0

    def flicker_mains(self, seconds: float) -> None:
        """Gone, and back after `seconds`."""
        self.mains_v, self._returns_in = 0.0, _number(seconds, 0.05, MOST_FLICKER_S, "s")

    def blow_genset_fuse(self, on: bool = True) -> None:
        """The controller measures 0 V of a mains that is there, and does what it does without one."""
        self.genset_fuse = not switch(on)

    def blow_meter_fuse(self, on: bool = True) -> None:
        """The meter measures 0 V."""
        self.meter_fuse = not switch(on)

    def trip_ups_breaker(self, on: bool = True) -> None:
        """The UPS alone has no input."""
        self.ups_breaker = not switch(on)

    def leak_fuel(self, percent_per_h: float) -> None:
        """Out of the tank, whether the set runs or not; 0 is tight."""
        self.leak_percent_per_h = _number(percent_per_h, 0.0, 100.0, "% an hour")

    def refuse_start(self, on: bool = True) -> None:
        """The engine cranks and never fires, as with air in its fuel line."""
        self.genset.refuses = switch(on)

    def set_mode(self, mode: str) -> None:
        """Select `auto`, `stop`, `manual` or `test` (on load) at the panel. Raises ValueError for another one."""
        modes = {known.name.lower(): known for known in Mode}
        if mode not in modes:
            raise ValueError(f"there is no mode {mode!r}; modes: {', '.join(sorted(modes))}")
        self.genset.set_mode(modes[mode])

    def stick_breaker(self, on: bool = True) -> None:
        """The generator breaker stays where it is, open or closed."""
        self.genset.breaker_stuck = switch(on)

    def set_fuel(self, percent: float) -> None:
        self.genset.fuel_percent = _percentage(percent)

    def set_charge(self, percent: float) -> None:
        self.ups.charge = _percentage(percent)

    def status(self) -> dict[str, Any]:
        """The whole model in words and numbers, for people and tests."""
        genset, ups = self.genset, self.ups
        return {
            "source": self.source,
            "mains": {"volts": self.mains_v, "contactor_closed": genset.mains_contactor_closed},
            "load_w": self.load_w,
            "genset": {
                "mode": genset.mode.name.lower(),
                "phase": genset.phase.name.lower(),
                "rpm": round(genset.rpm),
                "volts": round(genset.volts, 1),
                "hertz": round(genset.hertz, 1),
                "breaker_closed": genset.breaker_closed,
                "breaker_stuck": genset.breaker_stuck,
                "load_w": round(genset.load_w),
                "fuel_percent": round(genset.fuel_percent, 2),
                "starter_v": round(genset.starter_v, 1),
                "coolant_c": round(genset.coolant_c, 1),
                "starts": genset.starts,
                "telemetry_start": genset.telemetry_start,
                "remote_start": genset.remote_start,
                "refuses": genset.refuses,
                "ready": genset.mode is Mode.AUTO and genset.phase is Phase.STOPPED and not genset.shut_down,
                "alarms": {alarm.name.lower(): severity.name.lower() for alarm, severity in genset.alarms.items()},
            },
            "ups": {
                "state": ups.state.name.lower(),
                "charge": round(ups.charge, 2),
                "runtime_s": round(ups.runtime_s),
                "input_v": round(ups.input_v, 1),
                "charging": ups.charging,
                "load_w": ups.load_w,
                "transfer": ups.transfer.name.lower(),
                "test": ups.test_result.name.lower(),
            },
        }


def switch(on: bool) -> bool:
    """`on` itself. Raises ValueError when it is something else than true or false."""
    if not isinstance(on, bool):
        raise ValueError(f"{on!r} is not true or false")
    return on


def _percentage(percent: float) -> float:
    return _number(percent, 0.0, 100.0, "%")


def _number(value: float, least: float, most: float, unit: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{value!r} is not a number of {unit} from {least:g} to {most:g}")
    return float(value)

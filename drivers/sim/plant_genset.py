"""A standby diesel set under a DSE 7320 MkII as a model: engine, starting, transfer switch, alarms.

Time is handed in. The controller starts by itself in auto only; a shutdown alarm holds until stop mode resets it.
"""

import math
from dataclasses import dataclass
from enum import Enum, auto

RATED_RPM, RATED_V, RATED_W = 1500.0, 230.0, 16_000.0  # a four-pole 20 kVA set
CRANK_RPM, CRANK_WOBBLE_RPM = 190.0, 30.0  # compression strokes make a starter's speed swing
EXCITES_RPM = 600.0  # below it the alternator builds no voltage
HEATED_COOLANT_C, RUNNING_COOLANT_C = 40.0, 82.0  # the jacket heater keeps a standby set warm
COOLANT_TAU_S = 180.0
REST_V, CRANKING_V, CHARGED_V = 13.2, 9.8, 14.1  # starting battery on its charger, under the starter, engine running
CRANK_WEAR_V = 0.3  # V lost by each further crank
BATTERY_TAU_S = 0.4
TANK_L, IDLE_L_PER_H, L_PER_KWH = 120.0, 1.2, 0.3
LOW_FUEL_PERCENT = 15.0
MAINS_LOW_V = 184.0  # 80 % of 230 V


class Mode(Enum):
    STOP = auto()
    AUTO = auto()
    MANUAL = auto()
    TEST = auto()  # on load


class Phase(Enum):
    STOPPED = auto()
    START_DELAY = auto()
    PRESTART = auto()
    CRANKING = auto()
    CRANK_REST = auto()
    RUN_UP = auto()
    RUNNING = auto()
    COOLING = auto()
    POST_RUN = auto()


class Alarm(Enum):
    LOW_FUEL = auto()
    FAIL_TO_START = auto()
    UNDERSPEED = auto()
    GENERATOR_FAILS_TO_CLOSE = auto()
    GENERATOR_FAILS_TO_OPEN = auto()
    MAINS_LOW_VOLTAGE = auto()
    MAINS_FAILED = auto()


class Severity(Enum):
    INDICATION = auto()
    WARNING = auto()
    SHUTDOWN = auto()


TURNING = frozenset({Phase.RUN_UP, Phase.RUNNING, Phase.COOLING})
STARTING = frozenset({Phase.START_DELAY, Phase.PRESTART, Phase.CRANKING, Phase.CRANK_REST})


@dataclass(frozen=True)
class GensetSettings:
    """Seconds. The sum from mains cut to load is 9.2 s: within the 10 s of NFPA 110 type 10."""

    mains_detect_s: float = 0.2
    start_delay_s: float = 3.0
    prestart_s: float = 0.5
    fires_after_s: float = 2.0
    run_up_s: float = 1.5
    warm_up_s: float = 1.3
    transfer_s: float = 0.7  # both breakers open
    crank_s: float = 15.0
    rest_s: float = 15.0
    cranks: int = 3
    retransfer_s: float = 1800.0  # mains must be stable this long
    cooldown_s: float = 300.0
    spin_down_s: float = 4.0
    breaker_fault_s: float = 2.0  # a breaker that has not moved by then raises its alarm


class Genset:
    """Engine, controller and both breakers. Inputs are plain attributes; `step` moves it on."""

    def __init__(self, settings: GensetSettings) -> None:
        self.settings = settings
        self.mode = Mode.AUTO
        self.phase = Phase.STOPPED
        self.telemetry_start = False
        self.remote_start = False  # the contact at its remote start input is closed
        self.refuses = False  # the engine will not fire
        self.breaker_stuck = False  # the generator breaker stays where it is
        self.breaker_closed = False
        self.mains_contactor_closed = True
        self.mains_v = RATED_V
        self.mains_failed = False
        self.load_w = 0.0
        self.fuel_percent = 74.0
        self.coolant_c = HEATED_COOLANT_C
        self.starter_v = REST_V
        self.run_s = 86 * 3600.0
        self.starts = 214
        self.energy_kwh = 512.4
        self.alarms: dict[Alarm, Severity] = {}
        self._age_s = 0.0  # in this phase
        self._crank = 0  # attempts in this start
        self._left_rpm = 0.0  # speed at which post-run began
        self._mains_bad_s = 0.0
        self._mains_good_s = 0.0
        self._take_load = False
        self._transfer_age_s = 0.0

    def step(self, dt: float, mains_v: float, load_w: float) -> None:
        """Move on by `dt` seconds; `load_w` is what the building draws through the generator's breaker."""
        self._age_s += dt
        self._watch_mains(dt, mains_v)
        if (phase := self._next()) is not None:
            self._enter(phase)
        self._switch(dt)
        self.load_w = load_w if self.breaker_closed and self.phase in TURNING else 0.0
        self._wear(dt)
        self._warn()

    def rests(self, mains_v: float) -> bool:
        """It stands by and is not wanted, and nothing will happen while mains stays as it is."""
        return (
            self.phase is Phase.STOPPED
            and self.mains_contactor_closed
            and not (self.breaker_closed or self._take_load or self.mains_failed or self.alarms or self._mains_bad_s)
            and mains_v == self.mains_v
            and self._mains_good_s > self.settings.mains_detect_s
            and abs(self.starter_v - REST_V) < 1e-9
            and self.fuel_percent >= LOW_FUEL_PERCENT
            and not self._wanted()
        )

    def rest(self, dt: float, steps: int) -> None:
        """As many steps as one: all that moves is its coolant."""
        self._age_s += dt * steps
        self._mains_good_s += dt * steps
        self._transfer_age_s += dt * steps
        self.coolant_c = HEATED_COOLANT_C + (self.coolant_c - HEATED_COOLANT_C) * (1 - dt / COOLANT_TAU_S) ** steps

    def set_mode(self, mode: Mode) -> None:
        """Select a mode, as its key on the panel does. Stop resets alarms and stops the engine at once."""
        self.mode = mode
        if mode is not Mode.AUTO:
            self.telemetry_start = False
        if mode is Mode.STOP:
            self.alarms.clear()
            if self.phase in TURNING:
                self._enter(Phase.POST_RUN)
            elif self.phase in STARTING:
                self._enter(Phase.STOPPED)

    @property
    def shut_down(self) -> bool:
        return Severity.SHUTDOWN in self.alarms.values()

    @property
    def rpm(self) -> float:
        match self.phase:
            case Phase.CRANKING:
                wobble = CRANK_WOBBLE_RPM * math.sin(20.0 * self._age_s)
                return max(0.0, min(1.0, self._age_s / 0.3) * (CRANK_RPM + wobble))
            case Phase.RUN_UP:
                return CRANK_RPM + (RATED_RPM - CRANK_RPM) * min(1.0, self._age_s / self.settings.run_up_s)
            case Phase.RUNNING | Phase.COOLING:
                return RATED_RPM
            case Phase.POST_RUN:
                return self._left_rpm * max(0.0, 1.0 - self._age_s / self.settings.spin_down_s)
            case _:
                return 0.0

    @property
    def volts(self) -> float:
        return RATED_V * self.rpm / RATED_RPM if self.rpm > EXCITES_RPM else 0.0

    @property
    def hertz(self) -> float:
        return self.rpm / 30.0 if self.volts else 0.0

    @property
    def charge_alternator_v(self) -> float:
        return CHARGED_V + 0.1 if self.phase in TURNING else 0.0

    def _wanted(self) -> bool:
        """Whether the controller wants the engine to run."""
        if self.shut_down or self.mode is Mode.STOP:
            return False
        if self.mode is Mode.MANUAL:
            return self.phase not in (Phase.STOPPED, Phase.POST_RUN)
        if self.mode is Mode.TEST:
            return True
        on_load = self._take_load or (self.breaker_closed and self.phase is Phase.RUNNING)
        return self.mains_failed or self.telemetry_start or self.remote_start or on_load

    def _watch_mains(self, dt: float, mains_v: float) -> None:
        self.mains_v = mains_v
        good = mains_v >= MAINS_LOW_V
        self._mains_good_s = self._mains_good_s + dt if good else 0.0
        self._mains_bad_s = 0.0 if good else self._mains_bad_s + dt
        if self._mains_bad_s >= self.settings.mains_detect_s:
            self.mains_failed = True
        elif self._mains_good_s >= self.settings.mains_detect_s:
            self.mains_failed = False

    def _next(self) -> Phase | None:
        """The phase to go to now, or None to stay."""
        age, s, wanted = self._age_s, self.settings, self._wanted()
        match self.phase:
            case Phase.STOPPED:
                return Phase.START_DELAY if wanted else None
            case Phase.START_DELAY if not wanted:
                return Phase.STOPPED
            case Phase.START_DELAY:
                return Phase.PRESTART if age >= s.start_delay_s else None
            case Phase.PRESTART:
                return Phase.CRANKING if age >= s.prestart_s else None
            case Phase.CRANKING if not self.refuses and self.fuel_percent > 0 and age >= s.fires_after_s:
                return Phase.RUN_UP
            case Phase.CRANKING if age >= s.crank_s:
                return Phase.CRANK_REST if self._crank < s.cranks else self._fail(Alarm.FAIL_TO_START, Phase.STOPPED)
            case Phase.CRANK_REST if not wanted:
                return Phase.STOPPED
            case Phase.CRANK_REST:
                return Phase.CRANKING if age >= s.rest_s else None
            case Phase.RUN_UP | Phase.RUNNING | Phase.COOLING if self.fuel_percent <= 0:
                return self._fail(Alarm.UNDERSPEED, Phase.POST_RUN)
            case Phase.RUN_UP:
                return Phase.RUNNING if age >= s.run_up_s else None
            case Phase.RUNNING:
                return None if wanted else Phase.COOLING
            case Phase.COOLING if wanted and self.mode is not Mode.MANUAL:
                return Phase.RUNNING
            case Phase.COOLING:
                return Phase.POST_RUN if age >= s.cooldown_s else None
            case Phase.POST_RUN:
                return Phase.STOPPED if age >= s.spin_down_s else None
        return None

    def _fail(self, alarm: Alarm, phase: Phase) -> Phase:
        self.alarms[alarm] = Severity.SHUTDOWN
        return phase

    def _enter(self, phase: Phase) -> None:
        if phase is Phase.POST_RUN:
            self._left_rpm = self.rpm
        elif phase is Phase.CRANKING:
            self._crank += 1
        elif phase is Phase.PRESTART:
            self._crank = 0
            self.starts += 1
        self.phase, self._age_s = phase, 0.0

    def _switch(self, dt: float) -> None:
        """Move both breakers; never both closed. The ready generator takes load when mains has failed, or in a test."""
        s = self.settings
        take = self._take_load
        if self.phase is not Phase.RUNNING:
            take = False
        elif not take:
            take = (self.mains_failed or self.mode is Mode.TEST) and self._age_s >= s.warm_up_s
        elif self.mode is Mode.AUTO and self._mains_good_s >= s.retransfer_s:
            take = False
        if take != self._take_load:
            self._take_load, self._transfer_age_s = take, 0.0
        self._transfer_age_s += dt
        if take:
            self.mains_contactor_closed = False
        elif not self.breaker_stuck:
            self.breaker_closed = False
        if self._transfer_age_s >= s.transfer_s:
            if take and not self.breaker_stuck:
                self.breaker_closed = True
            elif not take and not self.breaker_closed:
                self.mains_contactor_closed = True

    def _wear(self, dt: float) -> None:
        turning = self.phase in TURNING
        cranking = self.phase is Phase.CRANKING
        target_v = CHARGED_V if turning else CRANKING_V - CRANK_WEAR_V * (self._crank - 1) if cranking else REST_V
        self.starter_v += (target_v - self.starter_v) * min(1.0, dt / BATTERY_TAU_S)
        target_c = RUNNING_COOLANT_C if turning else HEATED_COOLANT_C
        self.coolant_c += (target_c - self.coolant_c) * dt / COOLANT_TAU_S
        if turning:
            kwh = self.load_w / 1000.0 * dt / 3600.0
            litres = IDLE_L_PER_H * dt / 3600.0 + L_PER_KWH * kwh
            self.fuel_percent = max(0.0, self.fuel_percent - 100.0 * litres / TANK_L)
            self.energy_kwh += kwh
            self.run_s += dt

    def _warn(self) -> None:
        late = self._transfer_age_s >= self.settings.transfer_s + self.settings.breaker_fault_s
        self._set(Alarm.LOW_FUEL, Severity.WARNING, self.fuel_percent < LOW_FUEL_PERCENT)
        self._set(
            Alarm.GENERATOR_FAILS_TO_CLOSE, Severity.WARNING, late and self._take_load and not self.breaker_closed
        )
        self._set(Alarm.GENERATOR_FAILS_TO_OPEN, Severity.WARNING, late and not self._take_load and self.breaker_closed)
        self._set(Alarm.MAINS_LOW_VOLTAGE, Severity.INDICATION, self.mains_failed)
        self._set(Alarm.MAINS_FAILED, Severity.INDICATION, self.mains_failed)

    def _set(self, alarm: Alarm, severity: Severity, active: bool) -> None:
        if active:
            self.alarms[alarm] = severity
        else:
            self.alarms.pop(alarm, None)

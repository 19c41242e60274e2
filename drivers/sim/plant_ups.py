"""A double-conversion UPS as a model: what its input, its battery and its self-test make of it over time.

Time is handed in. A self-test runs on the battery while the input is good: it looks like an outage and is none.
"""

from dataclasses import dataclass
from enum import Enum, auto

INPUT_LOW_V, INPUT_HIGH_V = 184.0, 276.0  # 80 % and 120 % of 230 V: what a Smart-UPS takes before it transfers
SELF_TEST_MIN_CHARGE = 50.0  # %; below it a Smart-UPS refuses the test
FULL_CHARGE = 100.0


class UpsState(Enum):
    ONLINE = auto()
    ON_BATTERY = auto()
    TESTING = auto()
    DARK = auto()  # battery empty, no input: the load is off and so is the UPS's own Modbus card


class Transfer(Enum):
    """Why the UPS last changed state."""

    STARTED = auto()
    INPUT_LOW = auto()
    INPUT_ACCEPTABLE = auto()
    SELF_TEST = auto()
    TEST_ENDED = auto()


class TestResult(Enum):
    NONE = auto()
    RUNNING = auto()
    PASSED = auto()
    REFUSED = auto()
    ABORTED = auto()


@dataclass(frozen=True)
class UpsSettings:
    rated_va: float = 3000.0
    rated_w: float = 2700.0
    load_w: float = 1800.0
    runtime_s: float = 1380.0  # 23 min at load_w with a full battery
    recharge_s: float = 10_800.0  # 3 h from empty, as makers state for 90 %
    transfer_s: float = 0.1  # until the status registers say "on battery"
    requalify_s: float = 2.0  # an input must be good this long before the UPS goes back to it
    self_test_s: float = 10.0
    imminent_s: float = 120.0  # runtime left at which the UPS announces its shutdown
    charger_w: float = 250.0


class Ups:
    """The UPS and the load it carries. `step` moves it on; everything else is what can be read from it."""

    def __init__(self, settings: UpsSettings) -> None:
        self.settings = settings
        self.state = UpsState.ONLINE
        self.transfer = Transfer.STARTED
        self.test_result = TestResult.NONE
        self.charge = FULL_CHARGE
        self.load_w = settings.load_w
        self.input_v = 230.0
        self._input_good_s = 0.0
        self._input_bad_s = 0.0
        self._test_s = 0.0

    def step(self, dt: float, input_v: float) -> None:
        """Move on by `dt` seconds with `input_v` volts at the input."""
        self.input_v = input_v
        good = INPUT_LOW_V <= input_v <= INPUT_HIGH_V
        self._input_good_s = self._input_good_s + dt if good else 0.0
        self._input_bad_s = 0.0 if good else self._input_bad_s + dt
        self._move_charge(dt)
        if self.state in (UpsState.ONLINE, UpsState.TESTING):
            self._watch_input(dt)
        elif self._input_good_s >= self.settings.requalify_s:
            self.state, self.transfer = UpsState.ONLINE, Transfer.INPUT_ACCEPTABLE
        elif self.charge <= 0.0:
            self.state = UpsState.DARK

    def rests(self, input_v: float) -> bool:
        """Nothing will happen while the input stays as it is: it only charges."""
        return self.state is UpsState.ONLINE and self._input_good_s > 0.0 and input_v == self.input_v

    def rest(self, dt: float, steps: int) -> None:
        """As many steps as one."""
        self._input_good_s += dt * steps
        self._test_s += dt * steps
        self._move_charge(dt * steps)

    def _watch_input(self, dt: float) -> None:
        self._test_s += dt
        if self._input_bad_s >= self.settings.transfer_s:
            if self.state is UpsState.TESTING:
                self.test_result = TestResult.ABORTED
            self.state, self.transfer = UpsState.ON_BATTERY, Transfer.INPUT_LOW
        elif self.state is UpsState.TESTING and self._test_s >= self.settings.self_test_s:
            self._end_test(TestResult.PASSED)

    def _move_charge(self, dt: float) -> None:
        if self.state in (UpsState.ON_BATTERY, UpsState.TESTING):
            self.charge = max(0.0, self.charge - FULL_CHARGE * dt / self._full_runtime_s())
        elif self.charging:
            self.charge = min(FULL_CHARGE, self.charge + FULL_CHARGE * dt / self.settings.recharge_s)

    def _full_runtime_s(self) -> float:
        return self.settings.runtime_s * self.settings.load_w / max(self.load_w, 1.0)

    def start_test(self) -> None:
        """Begin a self-test; off line or with a low battery the UPS refuses it and says so."""
        if self.state is UpsState.TESTING:
            return
        if self.state is not UpsState.ONLINE or self.charge < SELF_TEST_MIN_CHARGE:
            self.test_result = TestResult.REFUSED
            return
        self.state, self.transfer, self.test_result = UpsState.TESTING, Transfer.SELF_TEST, TestResult.RUNNING
        self._test_s = 0.0

    def abort_test(self) -> None:
        if self.state is UpsState.TESTING:
            self._end_test(TestResult.ABORTED)

    def _end_test(self, result: TestResult) -> None:
        self.state, self.transfer, self.test_result = UpsState.ONLINE, Transfer.TEST_ENDED, result

    @property
    def output_on(self) -> bool:
        return self.state is not UpsState.DARK

    @property
    def answers(self) -> bool:
        """Whether the UPS has any power to run its Modbus card."""
        return self.state is not UpsState.DARK

    @property
    def charging(self) -> bool:
        return self.state is UpsState.ONLINE and self._input_good_s > 0.0 and self.charge < FULL_CHARGE

    @property
    def input_w(self) -> float:
        """What the UPS draws from its input."""
        if self.state is not UpsState.ONLINE:
            return 0.0
        return self.load_w + (self.settings.charger_w if self.charging else 0.0)

    @property
    def runtime_s(self) -> float:
        """Seconds the battery would carry the present load from now."""
        return self._full_runtime_s() * self.charge / FULL_CHARGE

    @property
    def shutdown_imminent(self) -> bool:
        return self.state is UpsState.ON_BATTERY and self.runtime_s < self.settings.imminent_s

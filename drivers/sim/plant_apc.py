"""What an APC Smart-UPS would serve over Modbus for a Plant (register map 990-9840).

A read answers zeros for registers that do not exist, as the real one does.
"""

from collections.abc import Callable

from drivers.sim.modbus_slave import (
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    READ_HOLDING,
    READ_INPUT,
    WRITE_MANY,
    WRITE_ONE,
    Exceptional,
)
from drivers.sim.plant import Plant
from drivers.sim.plant_registers import Image, put_long, text, word
from drivers.sim.plant_ups import TestResult, Transfer, Ups, UpsState

TEST_COMMAND, CALIBRATION_COMMAND, INTERFACE_COMMAND = 1541, 1542, 1543
TEST_START, TEST_ABORT, MUTE = 1, 2, 1 << 2
ALARM_SOUNDS, ALARM_MUTED = 1 << 1, 1 << 2
UPS_ONLINE, UPS_ON_BATTERY, UPS_OFF, UPS_INPUT_BAD, UPS_TESTING = 1 << 1, 1 << 2, 1 << 4, 1 << 6, 1 << 7
OUTLETS_ON, OUTLETS_OFF = 1, 2
POWER_FAILURE, SHUTDOWN_IMMINENT = 1, 2
TRANSFERS = {
    Transfer.STARTED: 0,
    Transfer.INPUT_LOW: 2,
    Transfer.INPUT_ACCEPTABLE: 8,
    Transfer.SELF_TEST: 9,
    Transfer.TEST_ENDED: 10,
}
TEST_RESULTS = {
    TestResult.NONE: 0,
    TestResult.RUNNING: 1 << 1 | 1 << 6,  # bit 6: asked for over a protocol
    TestResult.PASSED: 1 << 2 | 1 << 6,
    TestResult.REFUSED: 1 << 4 | 1 << 6,
    TestResult.ABORTED: 1 << 5 | 1 << 6,
}
STATES = {
    UpsState.ONLINE: UPS_ONLINE,
    UpsState.ON_BATTERY: UPS_ON_BATTERY,
    UpsState.TESTING: UPS_ON_BATTERY | UPS_TESTING,
    UpsState.DARK: UPS_OFF,
}
EFFICIENCY_ON_BATTERY = -4  # a reason code in place of a figure
BATTERY_FLOAT_V, BATTERY_FULL_V, BATTERY_EMPTY_V = 109.2, 101.0, 84.0  # eight 12 V blocks
BATTERY_DATE = 8_963  # days since 2000-01-01: 2024-07-16
NO_TIMER = -1
MEASURES, NAMEPLATE_FROM = 128, 516  # where these registers begin
NAMEPLATE = {
    **text(516, "UPS 04.1", 8),
    **text(532, "Smart-UPS SRT 3000", 16),
    **text(564, "AS2428190417", 8),
}
POWER_FACTOR = 0.9  # of the load: computers and radios


class ApcRegisters:
    """The UPS. A read beyond its map answers zeros, which no reader may take for values."""

    functions = frozenset({READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY})

    def __init__(self, plant: Plant, now: Callable[[], float]) -> None:
        self._plant, self._now = plant, now
        self._muted = False  # until the next alarm
        self._served: dict[tuple[int, int], tuple[object, list[int]]] = {}

    @property
    def answers(self) -> bool:
        self._plant.step(self._now())
        return self._plant.ups.answers

    def read(self, address: int, count: int) -> list[int]:
        self._plant.step(self._now())
        self._muted &= self._plant.ups.state is UpsState.ON_BATTERY
        ups = self._plant.ups
        state = (ups.state, ups.charge, ups.load_w, ups.input_v, ups.transfer, ups.test_result, self._muted)
        known, words = self._served.get((address, count), (None, []))
        if known != state:
            image = apc_image(ups, address, address + count)
            image[26] = ALARM_SOUNDS * (ups.state is UpsState.ON_BATTERY) | ALARM_MUTED * self._muted
            words = [image.get(at, 0) for at in range(address, address + count)]
            self._served[address, count] = state, words
        return list(words)

    def write(self, address: int, values: list[int]) -> None:
        self._plant.step(self._now())
        if len(values) != 1 or address not in (TEST_COMMAND, CALIBRATION_COMMAND, INTERFACE_COMMAND):
            raise Exceptional(ILLEGAL_ADDRESS)
        if address != TEST_COMMAND:
            self._muted |= address == INTERFACE_COMMAND and values[0] == MUTE
            return  # it takes a calibration without ever running it
        if values[0] == TEST_START:
            self._plant.ups.start_test()
        elif values[0] == TEST_ABORT:
            self._plant.ups.abort_test()
        else:
            raise Exceptional(ILLEGAL_VALUE)


def apc_image(ups: Ups, first: int, end: int) -> Image:
    """The registers that this UPS implements, at least those from `first` to before `end`."""
    image: Image = {}
    if first < MEASURES:
        _status(image, ups)
    if first < NAMEPLATE_FROM and end > MEASURES:
        _measures(image, ups)
    if end > NAMEPLATE_FROM:
        image |= NAMEPLATE | {588: word(ups.settings.rated_va), 589: word(ups.settings.rated_w), 595: BATTERY_DATE}
    return image


def _status(image: Image, ups: Ups) -> None:
    input_bad = ups.state in (UpsState.ON_BATTERY, UpsState.DARK)
    image[2] = TRANSFERS[ups.transfer]
    image[18] = POWER_FAILURE * input_bad | SHUTDOWN_IMMINENT * ups.shutdown_imminent
    image[23] = TEST_RESULTS[ups.test_result]
    put_long(image, 0, STATES[ups.state] | UPS_INPUT_BAD * input_bad)
    put_long(image, 3, OUTLETS_ON if ups.output_on else OUTLETS_OFF)


def _measures(image: Image, ups: Ups) -> None:
    s = ups.settings
    output_v = 230.0 if ups.output_on else 0.0
    image |= {
        130: word(ups.charge * 512),
        131: word(_battery_v(ups) * 32),
        135: word(29.5 * 128),
        136: word(100 * ups.load_w / s.rated_w * 256),
        138: word(100 * ups.load_w / POWER_FACTOR / s.rated_va * 256),
        140: word(ups.load_w / POWER_FACTOR / 230.0 * 32),
        142: word(output_v * 64),
        144: word(50.0 * 128),
        151: word(ups.input_v * 64),
        154: word(EFFICIENCY_ON_BATTERY if ups.state is not UpsState.ONLINE else 92.5 * 128),
        155: word(NO_TIMER),
        156: word(NO_TIMER),
    }
    put_long(image, 128, ups.runtime_s)
    put_long(image, 157, NO_TIMER)


def _battery_v(ups: Ups) -> float:
    if ups.state is UpsState.ONLINE:
        return BATTERY_FLOAT_V
    return BATTERY_EMPTY_V + (BATTERY_FULL_V - BATTERY_EMPTY_V) * ups.charge / 100.0

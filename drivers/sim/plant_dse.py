"""What DSE's controllers would serve over Modbus for a Plant (GenComm 1.29; address = page * 256 + offset).

It answers sentinels for what a page lacks, exception 2 for pages that do not exist, and takes only FC3 and FC16.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from drivers.sim.genset_phases import LINE_TO_LINE, amperes, generator_volts, mains_hertz, mains_volts, oil_kpa, watts
from drivers.sim.modbus_slave import (
    ILLEGAL_ADDRESS,
    NEGATIVE_ACKNOWLEDGE,
    READ_HOLDING,
    WRITE_MANY,
    Exceptional,
)
from drivers.sim.plant import Plant
from drivers.sim.plant_genset import RATED_W, Alarm, Genset, Mode, Phase, Severity
from drivers.sim.plant_registers import Image, put_long, word

UNIMPLEMENTED_U16, UNIMPLEMENTED_S16, UNIMPLEMENTED_U32 = 0xFFFF, 0x7FFF, 0xFFFFFFFF
PAGE = 256
OLD_ALARM_PAGE = 8
PAGES = frozenset({3, 4, 5, 6, 7, 16, 154})
CLOCK_ADDRESS = 1792
KEY_ADDRESS = 4104
MODE_KEYS = {35700: Mode.STOP, 35701: Mode.AUTO, 35702: Mode.MANUAL, 35703: Mode.TEST}
KEY_START, KEY_CANCEL = 35732, 35733  # telemetry start, in auto only
KEYS = (*MODE_KEYS, KEY_START, KEY_CANCEL)
KEY_BASE, KEY_BITS_ADDRESS, KEY_BITS_COUNT = 35700, 4096, 8
MANUFACTURER, SERIAL = 1, 20_241_117
MAINTENANCE_EVERY_S = 250 * 3600
MODES = {Mode.STOP: 0, Mode.AUTO: 1, Mode.MANUAL: 2, Mode.TEST: 3}
ENGINE_STATES = {
    Phase.STOPPED: 0,
    Phase.START_DELAY: 0,
    Phase.PRESTART: 1,
    Phase.CRANKING: 1,
    Phase.CRANK_REST: 1,
    Phase.RUN_UP: 2,
    Phase.RUNNING: 3,
    Phase.COOLING: 4,
    Phase.POST_RUN: 6,
}
STATUS_SHUTDOWN, STATUS_WARNING = 0x1000, 0x0400
SEVERITIES = {Severity.WARNING: 2, Severity.SHUTDOWN: 3, Severity.INDICATION: 10}
INACTIVE, NO_ALARM_HERE = 1, 15
NO_ALARMS = [  # a register with so many alarms, all inactive
    sum((INACTIVE if nibble < present else NO_ALARM_HERE) << (12 - 4 * nibble) for nibble in range(4))
    for present in range(5)
]
# (register, nibble from the top) of the old alarm page 8 and of page 154 as 72xx, 73xx and 74xx MkII have it
OLD_ALARMS_ADDRESS, OLD_ALARM_REGISTERS = 2049, 25
OLD_ALARMS = {
    Alarm.FAIL_TO_START: (2050, 2),
    Alarm.UNDERSPEED: (2050, 0),
    Alarm.LOW_FUEL: (2055, 2),
    Alarm.GENERATOR_FAILS_TO_CLOSE: (2056, 0),
    Alarm.GENERATOR_FAILS_TO_OPEN: (2056, 2),
    Alarm.MAINS_LOW_VOLTAGE: (2057, 0),
    Alarm.MAINS_FAILED: (2058, 2),
}
OLD_ALARMS_PRESENT = {2049: 4, 2050: 4, 2051: 4, 2052: 4, 2054: 4, 2055: 4, 2056: 4, 2057: 2, 2058: 4}
NAMED_ALARMS_ADDRESS = 39425
NAMED_ALARMS = {
    Alarm.UNDERSPEED: (39426, 0),
    Alarm.FAIL_TO_START: (39428, 1),
    Alarm.GENERATOR_FAILS_TO_CLOSE: (39428, 3),
    Alarm.LOW_FUEL: (39430, 2),
}
NAMED_ALARMS_PRESENT = dict.fromkeys(range(39425, 39435), 4)


@dataclass(frozen=True)
class DseModel:
    """What differs from model to model."""

    number: int
    named_alarm_registers: int  # on page 154
    old_alarms: bool = False  # page 8 is there
    mains: bool = True  # it measures them
    telemetry: bool = True  # it takes the telemetry start that it advertises


DSE_4520 = DseModel(32807, 11, telemetry=False)
DSE_6120 = DseModel(32800, 15)  # the number is that of the 6110 MkII
DSE_7310 = DseModel(32840, 20, mains=False)
DSE_7320 = DseModel(32841, 20, old_alarms=True)  # a guess: the 7410 and 7420 MkII are known to be 32845 and 32846
DSE_8610 = DseModel(32832, 39, mains=False)


class DseRegisters:
    """The controller. Writes take only the key pair, in one piece; a bad pair or key answers exception 7."""

    functions = frozenset({READ_HOLDING, WRITE_MANY})
    answers = True  # it runs from the starting battery

    def __init__(
        self, plant: Plant, now: Callable[[], float], wall: Callable[[], float], model: DseModel = DSE_7320
    ) -> None:
        self._plant, self._now, self._wall, self._model = plant, now, wall, model
        self._pages = PAGES | {OLD_ALARM_PAGE} if model.old_alarms else PAGES
        self._served: dict[tuple[int, int], tuple[object, list[int]]] = {}

    def read(self, address: int, count: int) -> list[int]:
        if not {address // PAGE, (address + count - 1) // PAGE} <= self._pages:
            raise Exceptional(ILLEGAL_ADDRESS)
        self._plant.step(self._now())
        genset = self._plant.genset
        state = (
            self._plant.moves, genset.mode, genset.fuel_percent, round(genset.coolant_c), len(genset.alarms),
            self._wall() if CLOCK_ADDRESS - count < address < CLOCK_ADDRESS + 2 else 0,
        )  # fmt: skip
        known, words = self._served.get((address, count), (None, []))
        if known != state:
            asked = range(address // PAGE, (address + count - 1) // PAGE + 1)
            image = dse_image(self._plant, self._wall(), self._model, asked)
            words = [image.get(at, UNIMPLEMENTED_U16) for at in range(address, address + count)]
            self._served[address, count] = state, words
        return list(words)

    def write(self, address: int, values: list[int]) -> None:
        if address != KEY_ADDRESS:
            raise Exceptional(ILLEGAL_ADDRESS)
        if len(values) != 2 or values[0] + values[1] != 0xFFFF or values[0] not in KEYS:
            raise Exceptional(NEGATIVE_ACKNOWLEDGE)
        self._plant.step(self._now())
        genset = self._plant.genset
        if values[0] in MODE_KEYS:
            genset.set_mode(MODE_KEYS[values[0]])
        elif values[0] == KEY_CANCEL and self._model.telemetry:
            genset.telemetry_start = False
        elif genset.mode is Mode.AUTO and self._model.telemetry:
            genset.telemetry_start = True
        else:
            raise Exceptional(NEGATIVE_ACKNOWLEDGE)


def dse_image(plant: Plant, wall: float, model: DseModel, pages: Collection[int]) -> Image:
    """All registers that this controller implements on these pages; `wall` in Unix seconds."""
    genset = plant.genset
    image: Image = {}
    if 3 in pages:
        image |= {768: MANUFACTURER, 769: model.number, 772: MODES[genset.mode], 774: _dse_status(genset)}
        put_long(image, 770, SERIAL)
    if 4 in pages:
        _page_4(image, genset, model)
    if 5 in pages:
        image[1408] = ENGINE_STATES[genset.phase]
    if 6 in pages:
        put_long(image, 1536, genset.load_w)
        image[1558] = word(genset.load_w / RATED_W * 1000)
    if 7 in pages:
        put_long(image, CLOCK_ADDRESS, wall)
        put_long(image, 1794, MAINTENANCE_EVERY_S - genset.run_s % MAINTENANCE_EVERY_S)
        put_long(image, 1798, genset.run_s)
        put_long(image, 1800, genset.energy_kwh * 10)
        put_long(image, 1808, genset.starts)
    if OLD_ALARM_PAGE in pages and model.old_alarms:
        _alarms(image, genset, OLD_ALARMS_ADDRESS, OLD_ALARM_REGISTERS, OLD_ALARMS_PRESENT, OLD_ALARMS)
    if KEY_BITS_ADDRESS // PAGE in pages:
        image |= dict.fromkeys(range(KEY_BITS_ADDRESS, KEY_BITS_ADDRESS + KEY_BITS_COUNT), 0)
        for key in KEYS:
            code = key - KEY_BASE
            image[KEY_BITS_ADDRESS + code // 16] |= 1 << (15 - code % 16)
    if NAMED_ALARMS_ADDRESS // PAGE in pages:
        named = model.named_alarm_registers
        _alarms(image, genset, NAMED_ALARMS_ADDRESS, named, NAMED_ALARMS_PRESENT, NAMED_ALARMS)
    return image


def _dse_status(genset: Genset) -> int:
    active = set(genset.alarms.values())
    return STATUS_SHUTDOWN * (Severity.SHUTDOWN in active) | STATUS_WARNING * (Severity.WARNING in active)


def _page_4(image: Image, genset: Genset, model: DseModel) -> None:
    image |= {
        1024: word(oil_kpa(genset)),
        1025: word(genset.coolant_c),
        1026: UNIMPLEMENTED_S16,  # no oil temperature sender is fitted
        1027: word(genset.fuel_percent),
        1028: word(genset.charge_alternator_v * 10),
        1029: word(genset.starter_v * 10),
        1030: word(genset.rpm),
        1031: word(genset.hertz * 10),
    }
    put_long(image, 1050, UNIMPLEMENTED_U32)  # no earth fault transformer is fitted
    phases = zip(generator_volts(genset), amperes(genset), watts(genset), strict=True)
    for phase, (volts, ampere, watt) in enumerate(phases):
        put_long(image, 1032 + 2 * phase, volts * 10)
        put_long(image, 1038 + 2 * phase, volts * LINE_TO_LINE * 10)
        put_long(image, 1044 + 2 * phase, ampere * 10)
        put_long(image, 1052 + 2 * phase, watt)
    if model.mains:
        image[1059] = word(mains_hertz(genset) * 10)
        for phase, volts in enumerate(mains_volts(genset)):
            put_long(image, 1060 + 2 * phase, volts * 10)
            put_long(image, 1066 + 2 * phase, volts * LINE_TO_LINE * 10)


def _alarms(
    image: Image,
    genset: Genset,
    first: int,
    count: int,
    present: dict[int, int],
    places: dict[Alarm, tuple[int, int]],
) -> None:
    """Four alarms a register, the first in the top nibble; the register before them counts them."""
    image[first - 1] = 4 * count
    for at in range(first, first + count):
        image[at] = NO_ALARMS[present.get(at, 0)]
    for alarm, severity in genset.alarms.items():
        at, nibble = places.get(alarm, (0, 0))
        if first <= at < first + count:
            shift = 12 - 4 * nibble
            image[at] = image[at] & ~(0xF << shift) | SEVERITIES[severity] << shift

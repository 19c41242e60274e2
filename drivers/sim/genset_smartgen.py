"""What SmartGen's HGM4020 and HGM6120N would serve over Modbus for a Plant.

Start works in manual only, stop leaves auto, and two coils toggle the breakers: whoever writes them twice undoes it.
"""

from drivers.sim.genset_controller import Bits, GensetController, put_words
from drivers.sim.genset_phases import amperes, generator_volts, mains_hertz, mains_volts, oil_kpa, watts
from drivers.sim.modbus_slave import (
    ILLEGAL_ADDRESS,
    READ_COILS,
    READ_HOLDING,
    WRITE_COIL,
    Exceptional,
)
from drivers.sim.plant_genset import RATED_W, Alarm, Genset, Mode, Phase, Severity
from drivers.sim.plant_registers import Image, put_long, word

NO_DATA, SENDER_OPEN = 0x7FFF, 0x7FFE
STATES = {
    Phase.STOPPED: 0,
    Phase.START_DELAY: 0,
    Phase.PRESTART: 1,
    Phase.CRANKING: 3,
    Phase.CRANK_REST: 4,
    Phase.RUN_UP: 5,
    Phase.RUNNING: 9,
    Phase.COOLING: 10,
    Phase.POST_RUN: 13,
}
AFTER_STOP = 15
MODE_COILS = {Mode.TEST: 40, Mode.AUTO: 41, Mode.MANUAL: 42, Mode.STOP: 43}
KEY_START, KEY_STOP, KEY_TEST, KEY_AUTO, KEY_MANUAL, KEY_TOGGLE_GENSET, KEY_TOGGLE_MAINS = range(7)
MODE_KEYS = {KEY_STOP: Mode.STOP, KEY_TEST: Mode.TEST, KEY_AUTO: Mode.AUTO, KEY_MANUAL: Mode.MANUAL}
REGISTERS, COILS = 82, 85


class Hgm4020(GensetController):
    """The small one with mains."""

    functions = frozenset({READ_COILS, READ_HOLDING, WRITE_COIL})
    post_run = STATES[Phase.POST_RUN]

    def image(self, genset: Genset) -> Image:
        image: Image = dict.fromkeys(range(REGISTERS), 0)
        put_words(image, 0, mains_volts(genset))
        image[6] = word(mains_hertz(genset) * 10)
        put_words(image, 7, generator_volts(genset))
        image[13] = word(genset.hertz * 10)
        put_words(image, 14, (phase * 10 for phase in amperes(genset)))
        image |= {
            17: word(genset.coolant_c),
            19: word(oil_kpa(genset)),
            21: word(genset.fuel_percent),
            23: word(genset.rpm),
            24: word(genset.starter_v * 10),
            25: word(genset.charge_alternator_v * 10),
            26: word(genset.load_w / 100),
            29: 90 if genset.load_w else 0,
            30: NO_DATA,  # no further sender is fitted
            34: self.post_run if genset.phase is Phase.POST_RUN else STATES[genset.phase],
            55: word(100 * genset.load_w / RATED_W),
            59: SENDER_OPEN,  # oil temperature
        }
        put_long(image, 42, genset.run_s // 3600)
        image[44] = int(genset.run_s // 60 % 60)
        put_long(image, 46, genset.starts)
        put_long(image, 48, genset.energy_kwh)
        put_words(image, 52, (phase / 100 for phase in watts(genset)))
        return image

    def bits(self, function: int, genset: Genset) -> Bits:
        active = set(genset.alarms.values())
        return dict.fromkeys(range(COILS), False) | {
            0: bool(active & {Severity.WARNING, Severity.SHUTDOWN}),
            1: Severity.WARNING in active,
            2: genset.shut_down,
            6: genset.mains_contactor_closed,
            7: genset.breaker_closed,
            10: Alarm.UNDERSPEED in genset.alarms,
            17: Alarm.FAIL_TO_START in genset.alarms,
            28: Alarm.LOW_FUEL in genset.alarms,
            MODE_COILS[genset.mode]: True,
            64: genset.mains_failed,
            65: not genset.mains_failed,
        }

    def write_coil(self, address: int, on: bool) -> None:
        genset = self._stepped()
        if address in MODE_KEYS and on:
            genset.set_mode(MODE_KEYS[address])
        elif address not in (*MODE_KEYS, KEY_START, KEY_TOGGLE_GENSET, KEY_TOGGLE_MAINS):
            raise Exceptional(ILLEGAL_ADDRESS)


class Hgm6120N(Hgm4020):
    """The same table; it has a state for the time after a stop."""

    post_run = AFTER_STOP

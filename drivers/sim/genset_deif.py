"""What a DEIF AGC 150 would serve over Modbus for a Plant: input registers, discrete inputs, one command register."""

from drivers.sim.genset_controller import Bits, GensetController, put_words
from drivers.sim.genset_phases import amperes, generator_volts, mains_hertz, mains_volts, oil_kpa, watts
from drivers.sim.modbus_slave import (
    ILLEGAL_ADDRESS,
    READ_DISCRETE,
    READ_HOLDING,
    READ_INPUT,
    WRITE_MANY,
    WRITE_ONE,
    Exceptional,
)
from drivers.sim.plant_genset import TURNING, Genset, Mode
from drivers.sim.plant_registers import Image, put_long, put_text, word

FIRST, LAST = 500, 800
DISCRETES = 64
MODE_FLAGS = {Mode.STOP: 6, Mode.MANUAL: 7, Mode.AUTO: 9, Mode.TEST: 10}
COMMAND_AT, COMMAND, START, AUTO = 6, 1, 1 << 11, 1 << 13


class Agc150(GensetController):
    """The controller. Input and holding registers are told apart by their addresses alone."""

    functions = frozenset({READ_DISCRETE, READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY})

    def image(self, genset: Genset) -> Image:
        image: Image = dict.fromkeys(range(FIRST, LAST), 0)
        put_words(image, 504, generator_volts(genset))
        image[507] = image[508] = image[509] = word(genset.hertz * 100)
        put_words(image, 513, amperes(genset))
        put_words(image, 516, (phase / 1000 for phase in watts(genset)))
        image[519] = word(genset.load_w / 1000)
        put_long(image, 536, genset.energy_kwh)
        put_words(image, 542, mains_volts(genset))
        image[545] = image[546] = image[547] = word(mains_hertz(genset) * 100)
        put_long(image, 554, genset.run_s // 3600)
        image |= {
            558: len(genset.alarms),
            566: genset.starts,
            567: word(genset.starter_v * 10),
            576: word(genset.rpm),
            583: word(genset.fuel_percent),
            593: word(genset.rpm),
            594: word(genset.coolant_c * 10),
            595: word(oil_kpa(genset)),
            776: 6,  # multi input 20 is a level sender
        }
        put_text(image, 770, "AGC150GEN".ljust(12, "\0"), 6)
        return image

    def bits(self, function: int, genset: Genset) -> Bits:
        return dict.fromkeys(range(DISCRETES), False) | {
            0: genset.breaker_closed,
            1: genset.mains_contactor_closed,
            3: genset.phase in TURNING,
            4: genset.volts > 200,
            5: genset.mains_failed,
            MODE_FLAGS[genset.mode]: True,
            11: not genset.breaker_closed,
            12: not genset.mains_contactor_closed,
            14: True,
        }

    def write(self, address: int, values: list[int]) -> None:
        if address != COMMAND_AT or len(values) != 1:
            raise Exceptional(ILLEGAL_ADDRESS)
        genset, (order,) = self._stepped(), values
        if order & AUTO:
            genset.set_mode(Mode.AUTO)
        elif order & COMMAND:
            genset.telemetry_start = bool(order & START) and genset.mode is Mode.AUTO

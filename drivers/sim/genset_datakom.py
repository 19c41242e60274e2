"""What a Datakom D-500 would serve over Modbus for a Plant: reads of at most 16 registers, orders as its buttons."""

from drivers.sim.genset_controller import GensetController, put_longs
from drivers.sim.genset_phases import amperes, generator_volts, mains_hertz, mains_volts, oil_kpa
from drivers.sim.modbus_slave import ILLEGAL_ADDRESS, ILLEGAL_VALUE, READ_HOLDING, WRITE_MANY, WRITE_ONE, Exceptional
from drivers.sim.plant_genset import Genset, Mode, Phase
from drivers.sim.plant_registers import Image, put_long, word

NO_SENDER = 0x7FFF
FIRST, LAST = 10240, 10700
STATES = {
    Phase.STOPPED: 0,
    Phase.START_DELAY: 1,
    Phase.PRESTART: 2,
    Phase.CRANKING: 5,
    Phase.CRANK_REST: 4,
    Phase.RUN_UP: 7,
    Phase.RUNNING: 8,
    Phase.COOLING: 22,
    Phase.POST_RUN: 25,
}
ON_LOAD = 13
MODES = {Mode.STOP: 1, Mode.MANUAL: 2, Mode.AUTO: 4, Mode.TEST: 8}
BUTTONS_AT = 8193
BUTTONS = {code: mode for mode, code in MODES.items()}  # the buttons have the bits of their modes


class DatakomD500(GensetController):
    """The controller. Registers that mean nothing read 0; outside of them a read is rejected."""

    functions = frozenset({READ_HOLDING, WRITE_ONE, WRITE_MANY})
    most = 16

    def image(self, genset: Genset) -> Image:
        image: Image = dict.fromkeys(range(FIRST, LAST), 0)
        put_longs(image, 10240, (volts * 10 for volts in mains_volts(genset)))
        put_longs(image, 10246, (volts * 10 for volts in generator_volts(genset)))
        put_longs(image, 10270, (phase * 10 for phase in amperes(genset)))
        put_long(image, 10294, genset.load_w / 100)
        on_load = genset.phase is Phase.RUNNING and genset.breaker_closed
        image |= {
            10338: word(mains_hertz(genset) * 100),
            10339: word(genset.hertz * 100),
            10341: word(genset.starter_v * 100),
            10361: word(oil_kpa(genset) / 10),
            10362: word(genset.coolant_c * 10),
            10363: word(genset.fuel_percent * 10),
            10364: NO_SENDER,
            10376: word(genset.rpm),
            10604: ON_LOAD if on_load else STATES[genset.phase],
            10605: MODES[genset.mode],
            10609: 0xD500,
            10611: 56,
        }
        put_long(image, 10616, genset.starts)
        put_long(image, 10622, genset.run_s / 36)
        put_long(image, 10628, genset.energy_kwh * 10)
        return image

    def write(self, address: int, values: list[int]) -> None:
        if address != BUTTONS_AT or len(values) != 1:
            raise Exceptional(ILLEGAL_ADDRESS)
        if values[0] not in BUTTONS:
            raise Exceptional(ILLEGAL_VALUE)
        self._stepped().set_mode(BUTTONS[values[0]])

"""What ComAp's InteliLite 4 and InteliGen NT would serve over Modbus for a Plant.

A read over a register that does not exist is rejected whole. The last word on a command is read back where it was
written; the start and stop buttons work in manual only, remote start in auto only.
"""

from drivers.sim.genset_controller import GensetController, Now, put_words
from drivers.sim.genset_phases import amperes, generator_volts, mains_hertz, mains_volts, oil_kpa
from drivers.sim.modbus_slave import (
    ILLEGAL_ADDRESS,
    READ_COILS,
    READ_HOLDING,
    READ_INPUT,
    WRITE_COIL,
    WRITE_MANY,
    WRITE_ONE,
    Exceptional,
)
from drivers.sim.plant import Plant
from drivers.sim.plant_genset import Genset, Mode, Phase, Severity
from drivers.sim.plant_registers import Image, put_long, put_text, word

NO_VALUE = 0x8000
MODES = {Mode.STOP: 0, Mode.MANUAL: 1, Mode.AUTO: 2, Mode.TEST: 3}
READY, NOT_READY, LOADED = 1, 2, 8
STATES = {
    Phase.START_DELAY: READY,
    Phase.PRESTART: 3,
    Phase.CRANKING: 4,
    Phase.CRANK_REST: 5,
    Phase.RUN_UP: 6,
    Phase.RUNNING: 7,
    Phase.COOLING: 10,
    Phase.POST_RUN: 11,
}
HORN_RESET, FAULT_RESET, REMOTE_ON, REMOTE_OFF = 0x04FB_0000, 0x08F7_0000, 0x0020_0000, 0x0010_0000
BUTTONS = {HORN_RESET: 0x0000_04FC, FAULT_RESET: 0x0000_08F8}  # argument to what is read back
PRESS, REMOTE_SWITCH = 1, 26  # commands
WRONG_ARGUMENT, REFUSED = 1, 2
START, STOP = 0x01FE_0000, 0x02FD_0000  # buttons; in manual only, which this plant's people press at the panel
IDENTITY, IDENTITY_REGISTERS = 1307, 16
REMOTE_COIL = 4700


class _ComAp(GensetController):
    """The command registers: argument in two, command in the third; without the third nothing happens."""

    functions = frozenset({READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY})
    command_at: int

    def __init__(self, plant: Plant, now: Now) -> None:
        super().__init__(plant, now)
        self._argument = self._said = 0

    def write(self, address: int, values: list[int]) -> None:
        genset = self._stepped()
        if address == self.command_at and len(values) in (2, 3):
            self._argument = values[0] << 16 | values[1]
            if len(values) == 3:
                self._said = self._order(genset, values[2])
        elif address == self.command_at + 2 and len(values) == 1:
            self._said = self._order(genset, values[0])
        else:
            raise Exceptional(ILLEGAL_ADDRESS)

    def _order(self, genset: Genset, command: int) -> int:
        if command == PRESS and self._argument in (START, STOP):
            return REFUSED
        if command == PRESS and self._argument in BUTTONS:
            return BUTTONS[self._argument]
        return WRONG_ARGUMENT


class InteliLite4(_ComAp):
    """The small one: remote start is a coil, the identification comes in one piece or not at all."""

    functions = _ComAp.functions | {READ_COILS, WRITE_COIL}
    command_at = 4207

    def read(self, address: int, count: int) -> list[int]:
        identity = range(IDENTITY, IDENTITY + IDENTITY_REGISTERS)
        touches = address < identity.stop and address + count > identity.start
        if touches and (address, count) != (IDENTITY, IDENTITY_REGISTERS):
            raise Exceptional(ILLEGAL_ADDRESS)
        return super().read(address, count)

    def bits(self, function: int, genset: Genset) -> dict[int, bool]:
        return {REMOTE_COIL: genset.telemetry_start}

    def read_bits(self, function: int, address: int, count: int) -> list[bool]:
        if (address, count) != (REMOTE_COIL, 1):
            raise Exceptional(ILLEGAL_ADDRESS)
        return super().read_bits(function, address, count)

    def write_coil(self, address: int, on: bool) -> None:
        if address != REMOTE_COIL:
            raise Exceptional(ILLEGAL_ADDRESS)
        genset = self._stepped()
        genset.telemetry_start = on and genset.mode is Mode.AUTO

    def image(self, genset: Genset) -> Image:
        image: Image = {
            1004: word(genset.rpm),
            1006: word(genset.coolant_c),
            1008: word(oil_kpa(genset) / 10),
            1010: NO_VALUE,  # no engine computer says its load
            1020: word(genset.load_w / 1000),
            1036: word(genset.hertz * 10),
            1053: word(genset.starter_v * 10),
            1055: word(genset.fuel_percent),
            1298: _state(genset),
            1382: MODES[genset.mode],
        }
        put_long(image, 1013, genset.run_s / 360)
        put_words(image, 1037, generator_volts(genset))
        put_words(image, 1043, amperes(genset))
        put_long(image, 1263, genset.energy_kwh)
        put_text(image, IDENTITY, "InteliLite4-AMF25".ljust(32, "\0"), IDENTITY_REGISTERS)
        put_long(image, self.command_at, self._said)
        return image


class InteliGenNT(_ComAp):
    """The big one: remote start is remote switch 1, wired to Rem start/stop in the configuration."""

    command_at = 6358

    def _order(self, genset: Genset, command: int) -> int:
        if command == REMOTE_SWITCH and self._argument in (REMOTE_ON, REMOTE_OFF):
            genset.telemetry_start = self._argument == REMOTE_ON and genset.mode is Mode.AUTO
            return self._said  # the guide knows no answer to it
        return super()._order(genset, command)

    def image(self, genset: Genset) -> Image:
        active = set(genset.alarms.values())
        image: Image = {
            12: word(genset.starter_v * 10),
            14: word(genset.charge_alternator_v * 10),
            15: word(oil_kpa(genset) / 10),
            16: word(genset.coolant_c),
            17: word(genset.fuel_percent),
            162: _state(genset),
            163: 3 if genset.mains_contactor_closed else 2 if genset.breaker_closed else 1,
            167: MODES[genset.mode],
            255: word(genset.hertz * 10),
            263: word(genset.load_w / 1000),
            295: word(mains_hertz(genset) * 10),
            314: word(genset.rpm),
            3588: genset.starts,
        }
        put_words(image, 248, generator_volts(genset))
        put_words(image, 257, amperes(genset))
        put_words(image, 287, mains_volts(genset))
        bits = {
            0: Severity.WARNING in active,
            1: genset.shut_down,
            9: True,
            10: genset.mains_contactor_closed,
            12: True,
            13: genset.breaker_closed,
        }
        put_long(image, 406, sum(on << bit for bit, on in bits.items()))
        put_long(image, 3586, genset.run_s / 3600)
        put_long(image, 3594, genset.energy_kwh)
        put_long(image, self.command_at, self._said)
        return image


def _state(genset: Genset) -> int:
    if genset.phase is Phase.STOPPED:
        return NOT_READY if genset.shut_down or genset.mode is Mode.STOP else READY
    if genset.phase is Phase.RUNNING and genset.breaker_closed:
        return LOADED
    return STATES[genset.phase]

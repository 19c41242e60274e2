"""What a Kohler APM603 would serve over Modbus for a Plant: floats, coils, no orders, and a silent engine at rest."""

import struct

from drivers.sim.genset_controller import Bits, GensetController
from drivers.sim.genset_phases import LINE_TO_LINE, amperes, generator_volts, watts
from drivers.sim.modbus_slave import READ_COILS, READ_HOLDING
from drivers.sim.plant_genset import TURNING, Alarm, Genset, Mode, Phase, Severity
from drivers.sim.plant_registers import Image

MEASURED, SUMS, IDENTITY = range(0x3A), range(0x282, 0x2A2), 0x270E
COILS = 0x13A


class Apm603(GensetController):
    """The controller. While the engine stands still, a read of what only the engine knows is rejected."""

    functions = frozenset({READ_COILS, READ_HOLDING})

    def image(self, genset: Genset) -> Image:
        image: Image = dict.fromkeys([*MEASURED, *SUMS], 0)
        image[IDENTITY] = 74
        for phase, (volts, current, power) in enumerate(
            zip(generator_volts(genset), amperes(genset), watts(genset), strict=True)
        ):
            _put_float(image, 0x00 + 2 * phase, volts * LINE_TO_LINE)
            _put_float(image, 0x06 + 2 * phase, volts)
            _put_float(image, 0x0C + 2 * phase, current)
            _put_float(image, 0x282 + 2 * phase, power)
        _put_float(image, 0x14, genset.hertz)
        _put_float(image, 0x28E, genset.load_w)
        _put_float(image, 0x29E, genset.run_s / 3600)
        _put_float(image, 0x2A0, genset.starter_v)
        if genset.phase in TURNING:
            image |= dict.fromkeys(range(0xF2, 0x10E), 0)
            _put_float(image, 0x100, genset.rpm)
            _put_float(image, 0x104, genset.coolant_c)
            _put_float(image, 0x10A, genset.run_s / 3600)
            _put_float(image, 0x10C, genset.starter_v)
        return image

    def bits(self, function: int, genset: Genset) -> Bits:
        active = set(genset.alarms.values())
        return dict.fromkeys(range(COILS), False) | {
            3: genset.breaker_closed,
            6: genset.mode is Mode.AUTO,
            7: genset.mode in (Mode.MANUAL, Mode.TEST),
            20: genset.phase in TURNING or genset.phase is Phase.CRANKING,
            21: genset.phase is Phase.CRANKING,
            23: genset.shut_down,
            24: Severity.WARNING in active,
            200: Alarm.FAIL_TO_START in genset.alarms,
            218: genset.phase in TURNING,
            219: genset.phase in (Phase.STOPPED, Phase.START_DELAY),
            232: genset.breaker_closed,
            233: genset.mode is not Mode.AUTO,
            298: Alarm.LOW_FUEL in genset.alarms,
        }


def _put_float(image: Image, at: int, value: float) -> None:
    image[at], image[at + 1] = struct.unpack(">2H", struct.pack(">f", value))

"""What an Eaton 93PM with a Modbus-MS card would serve for a Plant: its status words, 40 to 47 of the manual."""

from drivers.sim.modbus_slave import READ_HOLDING
from drivers.sim.plant_registers import Image
from drivers.sim.plant_ups import INPUT_LOW_V, Ups, UpsState
from drivers.sim.ups_registers import UpsRegisters, low_battery, on_battery

LOAD_PROTECTED, COUPLED, GENERAL_ALARM, IN_BACKUP, LOW_WARNING, LOW = (1 << b for b in (0, 1, 2, 4, 5, 6))
ONLINE_CLASS = 0b100 << 1
BATTERY_PRESENT, BREAKER_CLOSED = 1 << 0, 1 << 15
MAINS_1_OUT = 1 << 8
WARNING_S = 300.0


class EatonRegisters(UpsRegisters):
    """It takes no orders at all."""

    functions = frozenset({READ_HOLDING})
    blocks = ((0x40, 8),)

    def image(self, ups: Ups) -> Image:
        battery = on_battery(ups)
        return {
            0x40: (LOAD_PROTECTED | COUPLED) * ups.output_on
            | GENERAL_ALARM * (ups.state is UpsState.ON_BATTERY)
            | IN_BACKUP * battery
            | LOW_WARNING * (battery and ups.runtime_s < WARNING_S)
            | LOW * low_battery(ups),
            0x41: ONLINE_CLASS,
            0x42: BATTERY_PRESENT | BREAKER_CLOSED,
            0x44: MAINS_1_OUT * (ups.input_v < INPUT_LOW_V),
        }

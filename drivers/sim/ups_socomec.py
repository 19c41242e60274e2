"""What a three-phase Socomec Delphys would serve over JBUS for a Plant. It refuses whatever lies between its blocks."""

from drivers.sim.plant_registers import Image, word
from drivers.sim.plant_ups import INPUT_LOW_V, Ups, UpsState
from drivers.sim.ups_registers import (
    OUTPUT_HZ,
    OUTPUT_V,
    ROOM_C,
    UpsRegisters,
    battery_v,
    load_percent,
    low_battery,
    on_battery,
    output_a,
)

DELPHYS_MX = 515
STATES, ALARMS, MEASURES = 0x1020, 0x1040, 0x1060
INPUT_PRESENT, INVERTER_ON, RECTIFIER_ON, LOAD_ON_INVERTER, LOAD_ON_BATTERY, NEAR_END = (
    1 << b for b in (0, 1, 2, 3, 5, 15)
)
TEST_FAILED, BATTERY_OK, CHARGING = 1 << 14, 1 << 0, 1 << 11
GENERAL_ALARM, INPUT_OUT, IMMINENT_STOP = 1 << 0, 1 << 5, 1 << 15
NOT_MEASURED = 0xFFFF


class SocomecRegisters(UpsRegisters):
    blocks = ((0x1000, 12), (STATES, 6), (ALARMS, 4), (MEASURES, 48), (0x10E0, 32))

    def image(self, ups: Ups) -> Image:
        present, battery = ups.input_v >= INPUT_LOW_V, on_battery(ups)
        volts, amperes, percent = word(OUTPUT_V), word(output_a(ups) / 3), word(load_percent(ups))
        minutes = word(ups.runtime_s // 60) if battery else NOT_MEASURED
        return {
            0x1000: DELPHYS_MX,
            0x1001: word(ups.settings.rated_va / 100),
            STATES: INPUT_PRESENT * present
            | RECTIFIER_ON * (ups.state is UpsState.ONLINE)
            | (INVERTER_ON | LOAD_ON_INVERTER) * ups.output_on
            | LOAD_ON_BATTERY * battery
            | NEAR_END * low_battery(ups),
            STATES + 1: BATTERY_OK | CHARGING * ups.charging,
            ALARMS: (GENERAL_ALARM | INPUT_OUT) * (not present),
            ALARMS + 1: IMMINENT_STOP * ups.shutdown_imminent,
            **{MEASURES + phase: percent for phase in range(4)},
            MEASURES + 4: word(ups.charge),
            MEASURES + 5: 400,
            **{MEASURES + phase: word(ups.input_v) for phase in (6, 7, 8)},
            **{MEASURES + phase: volts for phase in (9, 10, 11)},
            **{MEASURES + phase: amperes for phase in (15, 16, 17)},
            MEASURES + 18: word(OUTPUT_HZ * 10),
            MEASURES + 19: word(OUTPUT_HZ * 10),
            MEASURES + 20: word(battery_v(ups) * 10),
            MEASURES + 22: word(ROOM_C),
            MEASURES + 23: minutes,
            0x10E0: 230,
            0x10E1: 230,
        }

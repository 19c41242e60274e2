"""What a Huawei UPS2000 would serve over Modbus for a Plant. Its FC16 says success and does nothing."""

from drivers.sim.modbus_slave import ILLEGAL_ADDRESS, ILLEGAL_VALUE, Exceptional
from drivers.sim.plant_registers import Image, put_long, word
from drivers.sim.plant_ups import Ups, UpsState
from drivers.sim.ups_registers import (
    OUTPUT_HZ,
    OUTPUT_V,
    ROOM_C,
    UpsRegisters,
    battery_v,
    load_percent,
    low_battery,
    output_a,
)

QUICK_TEST, TEST_STOP = 12028, 12023
MODES = {UpsState.ONLINE: 2, UpsState.ON_BATTERY: 3, UpsState.TESTING: 3, UpsState.DARK: 0}
CHARGER_RESTS, CHARGER_WORKS, BATTERY_WORKS = 2, 3, 5
IN_TEST, LOW = 1 << 2, 1 << 6


class HuaweiRegisters(UpsRegisters):
    """All addresses are the manual's + 10000, of its alarms + 1024."""

    blocks = ((11000, 50), (12000, 40), (19000, 20), (41180, 27))

    def image(self, ups: Ups) -> Image:
        works = ups.state is not UpsState.ONLINE
        image: Image = {
            11000: word(ups.input_v * 10),
            11003: word(500 if ups.input_v else 0),
            11008: word(OUTPUT_V * 10),
            11011: word(output_a(ups) * 10),
            11014: word(OUTPUT_HZ * 10),
            11015: word(ups.load_w / 100),
            11021: word(load_percent(ups) * 10),
            11024: MODES[ups.state],
            11027: word(ROOM_C * 10),
            11043: IN_TEST * (ups.state is UpsState.TESTING) | LOW * low_battery(ups),
            12000: word(battery_v(ups) * 10),
            12002: BATTERY_WORKS if works else CHARGER_WORKS if ups.charging else CHARGER_RESTS,
            12003: word(ups.charge),
            19009: word(ups.settings.rated_va / 100),
        }
        put_long(image, 12004, ups.runtime_s)
        return image

    def order(self, address: int, value: int) -> None:
        if address not in (QUICK_TEST, TEST_STOP):
            raise Exceptional(ILLEGAL_ADDRESS)
        if value != 1:
            raise Exceptional(ILLEGAL_VALUE)
        if address == QUICK_TEST:
            self.ups.start_test()
        else:
            self.ups.abort_test()

    def write_many(self, address: int, values: list[int]) -> None:
        """A firmware takes FC16 and does nothing with it."""

"""What a Riello NetMan 204 would serve over Modbus for the UPS of a Plant. `card_lost` is a knob: it repeats itself."""

from collections.abc import Callable

from drivers.sim.modbus_slave import (
    ILLEGAL_ADDRESS,
    READ_COILS,
    READ_DISCRETE,
    READ_HOLDING,
    READ_INPUT,
    WRITE_MANY,
    WRITE_ONE,
    Exceptional,
)
from drivers.sim.plant import Plant
from drivers.sim.plant_registers import Image, word
from drivers.sim.plant_ups import FULL_CHARGE, INPUT_LOW_V, TestResult, Ups, UpsState
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

COMMAND, RESULT = 112, 116
TEST_BATTERY, REFUSED = 20, 100
BITS = 128
LOST_BIT = 62


class RielloRegisters(UpsRegisters):
    """Its states are bits, which the first registers hold too, lowest first."""

    functions = frozenset({READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY})
    blocks = ((0, 131),)
    fill = 0xFFFF

    def __init__(self, plant: Plant, now: Callable[[], float]) -> None:
        super().__init__(plant, now)
        self.card_lost = False
        self._result = 0
        self._last: tuple[set[int], Image] = (set(), {})

    def image(self, ups: Ups) -> Image:
        bits, measured = self._now_or_last(ups)
        packed = {at: sum(1 << bit % 16 for bit in bits if bit // 16 == at) for at in range(8)}
        return {**measured, **packed, RESULT: self._result}

    def read_bits(self, _function: int, address: int, count: int) -> list[bool]:
        if address + count > BITS:
            raise Exceptional(ILLEGAL_ADDRESS)
        bits, _ = self._now_or_last(self.ups)
        return [bit in bits for bit in range(address, address + count)]

    def write_coil(self, _address: int, _on: bool) -> None:
        raise Exceptional(ILLEGAL_ADDRESS)

    def order(self, address: int, value: int) -> None:
        if address != COMMAND:
            raise Exceptional(ILLEGAL_ADDRESS)
        if value != TEST_BATTERY:
            self._result = 0  # unknown, or one that this UPS does not take from here
            return
        self.ups.start_test()
        self._result = value + REFUSED * (self.ups.test_result is TestResult.REFUSED)

    def _now_or_last(self, ups: Ups) -> tuple[set[int], Image]:
        if not self.card_lost:
            self._last = states(ups), measures(ups)
        bits, measured = self._last
        return (bits | {LOST_BIT}, measured) if self.card_lost else self._last


def states(ups: Ups) -> set[int]:
    """The bits that are on."""
    true = {
        0: ups.state is UpsState.TESTING,
        2: ups.shutdown_imminent,
        4: ups.charge >= FULL_CHARGE,
        5: ups.charging,
        8: ups.state is UpsState.ONLINE,
        11: low_battery(ups),
        12: on_battery(ups),
        14: ups.output_on,
        27: ups.input_v >= INPUT_LOW_V,
    }
    return {bit for bit, on in true.items() if on}


def measures(ups: Ups) -> Image:
    """The measurements of a single-phase unit; what it does not have stays FFFF."""
    return {
        11: word(ups.input_v),
        17: word(500 if ups.input_v else 0),
        25: word(OUTPUT_V),
        31: word(output_a(ups) * 10),
        37: word(load_percent(ups)),
        40: word(ups.load_w / 100),
        43: word(OUTPUT_HZ * 10),
        47: word(battery_v(ups) * 10),
        51: word(ups.charge),
        53: word(ups.runtime_s // 60),
        61: word(ROOM_C),
        77: 230,
        78: 500,
        79: word(ups.settings.rated_va / 100),
        128: 205,
    }

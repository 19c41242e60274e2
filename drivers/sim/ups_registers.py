"""What the UPSes of other makers would serve over Modbus for a Plant: the parts that they have in common.

A family says in `image` what its registers hold, in `blocks` which there are, and in `order` what it takes.
"""

from collections.abc import Callable, Sequence

from drivers.sim.modbus_slave import ILLEGAL_ADDRESS, READ_HOLDING, WRITE_MANY, WRITE_ONE, Exceptional
from drivers.sim.plant import Plant
from drivers.sim.plant_registers import Image
from drivers.sim.plant_ups import Ups, UpsState

BATTERY_FLOAT_V, BATTERY_FULL_V, BATTERY_EMPTY_V = 273.0, 252.0, 210.0  # twenty 12 V blocks
OUTPUT_V, OUTPUT_HZ = 230.0, 50.0
POWER_FACTOR = 0.9  # of the load: computers and radios
ROOM_C = 28.0


class UpsRegisters:
    """A UPS whose map is `blocks` of (address, count); what lies in none of them is refused."""

    functions = frozenset({READ_HOLDING, WRITE_ONE, WRITE_MANY})
    blocks: Sequence[tuple[int, int]] = ()
    fill = 0

    def __init__(self, plant: Plant, now: Callable[[], float]) -> None:
        self._plant, self._now = plant, now

    @property
    def answers(self) -> bool:
        return self.ups.answers

    @property
    def ups(self) -> Ups:
        """The UPS as it is now."""
        self._plant.step(self._now())
        return self._plant.ups

    def image(self, ups: Ups) -> Image:
        raise NotImplementedError

    def order(self, address: int, value: int) -> None:
        """One register written. Raises Exceptional."""
        raise Exceptional(ILLEGAL_ADDRESS)

    def read(self, address: int, count: int) -> list[int]:
        if not any(at <= address and address + count <= at + size for at, size in self.blocks):
            raise Exceptional(ILLEGAL_ADDRESS)
        image = self.image(self.ups)
        return [image.get(at, self.fill) for at in range(address, address + count)]

    def write(self, address: int, values: list[int]) -> None:
        if len(values) != 1:
            raise Exceptional(ILLEGAL_ADDRESS)
        self.order(address, values[0])


def battery_v(ups: Ups) -> float:
    """Volts of the battery: floating, or falling with its charge."""
    if ups.state is UpsState.ONLINE:
        return BATTERY_FLOAT_V
    return BATTERY_EMPTY_V + (BATTERY_FULL_V - BATTERY_EMPTY_V) * ups.charge / 100.0


def load_percent(ups: Ups) -> float:
    return 100.0 * ups.load_w / ups.settings.rated_w


def output_a(ups: Ups) -> float:
    return ups.load_w / POWER_FACTOR / OUTPUT_V


def on_battery(ups: Ups) -> bool:
    """Whether the battery feeds the load, for whatever reason."""
    return ups.state in (UpsState.ON_BATTERY, UpsState.TESTING)


def low_battery(ups: Ups) -> bool:
    return on_battery(ups) and ups.shutdown_imminent

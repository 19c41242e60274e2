"""What all simulated controllers have in common: an image of their registers over the plant, and few writes.

Each family fills its own image and knows its own orders; what its image lacks it answers as the real one does.
"""

from collections.abc import Callable, Iterable

from drivers.sim.modbus_slave import ILLEGAL_ADDRESS, ILLEGAL_VALUE, MAX_READ, Exceptional
from drivers.sim.plant import Plant
from drivers.sim.plant_genset import Genset
from drivers.sim.plant_registers import Image, put_long

Bits = dict[int, bool]
Now = Callable[[], float]


class GensetController:
    """One controller on the bus; `fill` None: a read that touches a register which does not exist is rejected."""

    functions: frozenset[int]
    answers = True  # it runs from the starting battery
    fill: int | None = None
    most = MAX_READ  # registers in one read

    def __init__(self, plant: Plant, now: Now) -> None:
        self._plant, self._now = plant, now

    def image(self, genset: Genset) -> Image:
        """All registers that there are."""
        raise NotImplementedError

    def bits(self, function: int, genset: Genset) -> Bits:
        """All coils (FC1) or discrete inputs (FC2) that there are."""
        raise Exceptional(ILLEGAL_ADDRESS)

    def read(self, address: int, count: int) -> list[int]:
        if count > self.most:
            raise Exceptional(ILLEGAL_VALUE)
        image = self.image(self._stepped())
        return [self._word(image, at) for at in range(address, address + count)]

    def read_bits(self, function: int, address: int, count: int) -> list[bool]:
        bits = self.bits(function, self._stepped())
        if not bits or address + count - 1 > max(bits):
            raise Exceptional(ILLEGAL_ADDRESS)
        return [bits.get(at, False) for at in range(address, address + count)]

    def write(self, address: int, values: list[int]) -> None:
        raise Exceptional(ILLEGAL_ADDRESS)

    def write_coil(self, address: int, on: bool) -> None:
        raise Exceptional(ILLEGAL_ADDRESS)

    def _stepped(self) -> Genset:
        self._plant.step(self._now())
        return self._plant.genset

    def _word(self, image: Image, at: int) -> int:
        word = image.get(at, self.fill)
        if word is None:
            raise Exceptional(ILLEGAL_ADDRESS)
        return word


def put_words(image: Image, at: int, values: Iterable[float]) -> None:
    """One register each; negative values in two's complement."""
    for place, value in enumerate(values):
        image[at + place] = round(value) & 0xFFFF


def put_longs(image: Image, at: int, values: Iterable[float]) -> None:
    """Two registers each, high word first."""
    for place, value in enumerate(values):
        put_long(image, at + 2 * place, value)

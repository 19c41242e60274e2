"""What an Eastron meter on the building's mains would serve over Modbus for a Plant: floats in input registers."""

import struct
from collections.abc import Callable

from drivers.sim.modbus_slave import ILLEGAL_ADDRESS, READ_INPUT, Exceptional
from drivers.sim.plant import Plant
from drivers.sim.plant_registers import Image

LAST = 382  # of its input registers
UNBALANCE = (1.0, 0.997, 1.004)  # of the phases' volts
SHARES = (0.36, 0.33, 0.31)  # of the load that each phase carries
POWER_FACTOR = 0.94
JOULES_PER_KWH = 3.6e6
ENERGY_SO_FAR_KWH = 41_236.5


class _Eastron:
    """`phases` before the transfer switch: what the generator feeds is not counted."""

    functions = frozenset({READ_INPUT})
    phases = 3

    def __init__(self, plant: Plant, now: Callable[[], float]) -> None:
        self._plant, self._now = plant, now
        self._at, self._kwh = now(), ENERGY_SO_FAR_KWH

    @property
    def answers(self) -> bool:
        """Its supply is the UPS's output: one that lives on what it measures could not tell that it is gone."""
        self._plant.step(self._now())
        return self._plant.ups.output_on

    def read(self, address: int, count: int) -> list[int]:
        if address % 2 or count % 2 or address + count > LAST:
            raise Exceptional(ILLEGAL_ADDRESS)  # it gives whole floats only
        image = self._image()
        return [image.get(at, 0) for at in range(address, address + count)]

    def write(self, _address: int, _values: list[int]) -> None:
        raise Exceptional(ILLEGAL_ADDRESS)

    def _image(self) -> Image:
        plant, now = self._plant, self._now()
        plant.step(now)
        watts = plant.load_w if plant.source == "mains" else 0.0
        self._kwh += watts * (now - self._at) / JOULES_PER_KWH
        self._at = now
        image: Image = {}
        for phase in range(self.phases):
            volts = plant.meter_v * UNBALANCE[phase]
            share = watts * (SHARES[phase] if self.phases > 1 else 1.0)
            _put(image, 2 * phase, volts)
            _put(image, 6 + 2 * phase, share / POWER_FACTOR / volts if volts else 0.0)
            _put(image, 12 + 2 * phase, share)
            _put(image, 30 + 2 * phase, POWER_FACTOR if share else 1.0)
        if self.phases > 1:
            _put(image, 52, watts)
            _put(image, 62, POWER_FACTOR if watts else 1.0)
        _put(image, 70, 50.0 if plant.meter_v else 0.0)
        _put(image, 72, self._kwh)
        return image


class Sdm630Registers(_Eastron):
    """Three phases."""


class Sdm230Registers(_Eastron):
    """One phase."""

    phases = 1


def _put(image: Image, at: int, value: float) -> None:
    image[at], image[at + 1] = struct.unpack(">HH", struct.pack(">f", value))

"""A simulated building with a hand on its clock, for tests of the plant and of its two devices."""

import struct
from collections.abc import Callable
from typing import Any

from drivers.sim.modbus_slave import answer
from drivers.sim.plant import Plant, PlantSettings
from drivers.sim.plant_apc import ApcRegisters
from drivers.sim.plant_dse import DseRegisters
from drivers.sim.plant_genset import GensetSettings
from drivers.sim.plant_ups import UpsState

UNIX = 1_788_739_200  # 2026-09-07, one year after the first site opened
START, CANCEL, AUTO, STOP = 35732, 35733, 35701, 35700


class Site:
    """A plant with a hand on its clock and the two devices that look at it."""

    def __init__(self, retransfer_s: float = 1800.0, cooldown_s: float = 300.0) -> None:
        self.now = 1000.0
        genset = GensetSettings(retransfer_s=retransfer_s, cooldown_s=cooldown_s)
        self.plant = Plant(PlantSettings(genset=genset), self.now)
        self.dse = DseRegisters(self.plant, lambda: self.now, lambda: UNIX)
        self.apc = ApcRegisters(self.plant, lambda: self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.plant.step(self.now)

    def seconds_until(self, true: Callable[[Plant], Any], most: float = 300.0) -> float:
        began = self.now
        while not true(self.plant):
            assert self.now - began < most, f"not within {most} s: {self.plant.status()}"
            self.wait(0.05)
        return self.now - began

    def genset(self, address: int, kind: str = "H") -> int:
        return self._value(self.dse.read, address, kind)

    def ups(self, address: int, kind: str = "H") -> int:
        return self._value(self.apc.read, address, kind)

    def _value(self, read: Callable[[int, int], list[int]], address: int, kind: str) -> int:
        count = struct.calcsize(kind) // 2
        (value,) = struct.unpack(f">{kind}", struct.pack(f">{count}H", *read(address, count)))
        assert isinstance(value, int)
        return value

    def nibble(self, address: int, place: int) -> int:
        return self.genset(address) >> (12 - 4 * place) & 0xF

    def key(self, key: int, check: int | None = None) -> bytes:
        pair = (key, 65535 - key if check is None else check)
        return answer(self.dse, struct.pack(">BHHBHH", 16, 4104, 2, 4, *pair))


def on_load(plant: Plant) -> bool:
    return plant.source == "genset" and plant.ups.state is UpsState.ONLINE

"""A pty with simulated slaves behind it, whose frames lose bits on the way: for the whole stack, checksums and all."""

import asyncio
import contextlib
import os
import tty
from collections.abc import Iterator

from drivers.modbus.bus import Bus
from drivers.modbus.line import SerialLine
from drivers.sim.modbus_rtu import RtuLine
from drivers.sim.modbus_slave import Slave
from tests.campaign.noisy_bus import BAUD, Noise, Units


class ByteLine:
    """One pty. A spoilt frame has a bit turned in its question or in its answer."""

    def __init__(self, units: Units, noise: Noise) -> None:
        self._noise = noise
        self._slaves = {number: Slave(registers) for number, registers in units.items()}
        self._rtu = RtuLine(self._slaves, self._say, BAUD)
        self._master, self._held = os.openpty()
        tty.setraw(self._held)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._held)
        self._spoil_answer = False
        asyncio.get_running_loop().add_reader(self._master, self._heard)

    def _heard(self) -> None:
        question = os.read(self._master, 512)
        for number, slave in self._slaves.items():
            slave.muted = number == self._noise.mute
        self._spoil_answer = False
        if self._noise.spoils():
            self._spoil_answer = self._noise.random.random() < 0.5
            if not self._spoil_answer:
                question = self._turned(question)
        self._rtu.received(question)

    def _say(self, answer: bytes) -> None:
        if self._spoil_answer:
            self._spoil_answer, answer = False, self._turned(answer)
        os.write(self._master, answer)

    def _turned(self, data: bytes) -> bytes:
        at = self._noise.random.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << self._noise.random.randrange(8)]) + data[at + 1 :]

    def close(self) -> None:
        self._rtu.cut()
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self._held)


@contextlib.contextmanager
def byte_bus(units: Units, noise: Noise) -> Iterator[Bus]:
    """The real bus on such a line."""
    line = ByteLine(units, noise)
    try:
        yield Bus(SerialLine(line.path, baud=BAUD))
    finally:
        line.close()

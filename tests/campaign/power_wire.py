"""The plant's devices behind a real pty, on a line that garbles: for the campaign's short form over real bytes.

A bad exchange loses a byte, has a bit turned, is cut short or not heard at all, in the question or in the answer.
"""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Protocol

from drivers.sim.modbus_rtu import RtuLine
from drivers.sim.modbus_slave import Slave
from drivers.sim.pty_port import PtyPort

BAUD = 19_200


class Count(Protocol):
    """What happened on the wire."""

    frames: int
    bad: int


class NoisyWire:
    """`share` of the exchanges are bad; `path` is the tty."""

    def __init__(self, path: Path, slaves: Mapping[int, Slave], random: Random, share: float, count: Count) -> None:
        self._random, self._share, self._count = random, share, count
        self._port = PtyPort(path, self._asked)
        self._line = RtuLine(slaves, self._answered, BAUD)
        self._bad = False  # the next piece of an answer will be

    def open(self) -> None:
        self._port.open()

    def close(self) -> None:
        self._line.cut()
        self._port.close()

    def _asked(self, data: bytes) -> None:
        self._count.frames += 1
        bad = self._random.random() < self._share
        self._count.bad += bad
        if bad and self._random.random() < 0.5:
            data = self._garbled(data)
        else:
            self._bad = bad
        if data:
            self._line.received(data)

    def _answered(self, data: bytes) -> None:
        if self._bad:
            self._bad = False
            data = self._garbled(data)
        if data:
            self._port.write(data)

    def _garbled(self, data: bytes) -> bytes:
        at = self._random.randrange(len(data))
        return self._random.choice(
            (b"", data[:at], data[:at] + data[at + 1 :], data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        )

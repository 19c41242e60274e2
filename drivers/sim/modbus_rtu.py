"""A half-duplex RTU line with Modbus slaves on it, paced by the loop's time as its baud rate asks.

Bytes in, bytes out: it owns no port. A frame is lost when its checksum is wrong or when it meets an answer.
"""

import asyncio
import struct
from collections.abc import Callable
from functools import partial

from drivers.sim.modbus_slave import MAX_WAITING, WRITE_MANY, WRITE_ONE, Slaves

MAX_FRAME = 256  # bytes, by the standard
CHARACTER_BITS = 10  # 8N1
SILENCE_CHARACTERS = 3.5  # that end a frame
BROKEN_FRAME_S = 0.02  # s without a byte after which an unfinished frame is thrown away
TURNAROUND_S = 0.010  # s a controller thinks before it answers; 5 to 20 ms is common
CHUNK = 16  # bytes handed over at a time while a frame is on the wire


def crc16(data: bytes) -> bytes:
    """The RTU checksum as it stands on the wire, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


class RtuLine:
    """A half-duplex line at `baud`: feed `received` with what the master wrote; answers go out by `write`."""

    def __init__(self, slaves: Slaves, write: Callable[[bytes], None], baud: int) -> None:
        self._slaves, self._write = slaves, write
        self._character_s = CHARACTER_BITS / baud
        self._buffer = bytearray()
        self._broken: asyncio.TimerHandle | None = None
        self._timers: set[asyncio.TimerHandle] = set()
        self._free_at = 0.0  # when our own last byte is off the wire

    def received(self, data: bytes) -> None:
        if asyncio.get_running_loop().time() < self._free_at:
            return  # the master talks over an answer: nobody on the line understands it
        self._buffer += data[: MAX_FRAME + 1 - len(self._buffer)]
        if self._broken:
            self._broken.cancel()
        if len(self._buffer) == _request_length(self._buffer):
            self._end_of_frame()
        else:
            self._broken = asyncio.get_running_loop().call_later(BROKEN_FRAME_S, self._end_of_frame)

    def _end_of_frame(self) -> None:
        frame = bytes(self._buffer)
        self._buffer.clear()
        if not 4 <= len(frame) <= MAX_FRAME or crc16(frame[:-2]) != frame[-2:]:
            return
        slave = self._slaves.get(frame[0])
        if slave is None or slave.silent or len(self._timers) >= MAX_WAITING:
            return
        unit, said = slave.answer(frame[0], frame[1:-2])
        body = bytes([unit]) + said
        on_wire = (len(frame) + SILENCE_CHARACTERS) * self._character_s
        self._after(on_wire + TURNAROUND_S + slave.late_s, partial(self._transmit, body + crc16(body)))

    def _transmit(self, frame: bytes) -> None:
        now = asyncio.get_running_loop().time()
        start = max(now, self._free_at)
        self._free_at = start + len(frame) * self._character_s
        for at in range(0, len(frame), CHUNK):
            chunk = frame[at : at + CHUNK]
            off_wire = start + (at + len(chunk)) * self._character_s
            self._after(off_wire - now, partial(self._write, chunk))

    def _after(self, delay: float, act: Callable[[], None]) -> None:
        def due() -> None:
            self._timers.discard(timer)
            act()

        timer = asyncio.get_running_loop().call_later(delay, due)
        self._timers.add(timer)

    def cut(self) -> None:
        """The line is gone, and with it everything that was under way."""
        for timer in [*self._timers, *([self._broken] if self._broken else [])]:
            timer.cancel()
        self._timers.clear()
        self._buffer.clear()
        self._free_at = 0.0


def _request_length(buffer: bytes | bytearray) -> int | None:
    """Bytes in the whole request that begins here, or None when only silence can tell."""
    if len(buffer) >= 2 and 1 <= buffer[1] <= WRITE_ONE:
        return 8
    if len(buffer) >= 7 and buffer[1] == WRITE_MANY:
        return 9 + buffer[6]
    return None

"""Slaves for the Modbus bench, in a process of their own: a pty that keeps the time of a 9600 8N1 line, and a TCP port.

A register holds its own address. Run with `line` or `tcp`; the first line printed says where it is. On the line, stdin
takes `late SECONDS` (the next answer only) and `count` (prints requests seen, and those that came before 3.5 characters
of silence were over); its end is the slave's end.
"""

import asyncio
import os
import select
import struct
import sys
import time
import tty

from drivers.sim.modbus_rtu import crc16

CHARACTER_S = 10 / 9600
SILENCE = 3.5  # characters
TOO_SOON = 3.4  # characters; a tenth is for the clocks of two processes
QUESTION = 8  # bytes of a read on RTU


def registers(address: int, count: int) -> bytes:
    """The data of the answer to a read."""
    return struct.pack(f">B{count}H", 2 * count, *((address + i) & 0xFFFF for i in range(count)))


class Line:
    """A question takes its characters on the wire, the answer comes 3.5 characters later and byte by byte."""

    def __init__(self) -> None:
        self.master, held = os.openpty()
        tty.setraw(held)
        self.path = os.ttyname(held)
        self._buffer = bytearray()
        self._began = self._free = 0.0
        self.seen = self.too_soon = 0
        self.late_s = 0.0

    def readable(self) -> None:
        if not self._buffer:
            self._began = time.monotonic()
        self._buffer += os.read(self.master, 512)
        if len(self._buffer) < QUESTION:
            return
        question = bytes(self._buffer[:QUESTION])
        self._buffer.clear()
        assert crc16(question[:6]) == question[6:], question.hex(" ")
        self.seen += 1
        self.too_soon += self._began < self._free + TOO_SOON * CHARACTER_S
        body = question[:2] + registers(*struct.unpack(">HH", question[2:6]))
        self._say(body + crc16(body))

    def _say(self, answer: bytes) -> None:
        at = max(self._began, self._free) + (QUESTION + SILENCE) * CHARACTER_S + self.late_s
        self.late_s = 0.0
        for byte in answer:
            at += CHARACTER_S
            time.sleep(max(0.0, at - time.monotonic()))
            os.write(self.master, bytes([byte]))
        self._free = at


def line() -> None:
    slave = Line()
    print(slave.path, flush=True)
    while True:
        for ready in select.select([slave.master, sys.stdin], [], [])[0]:
            if ready == slave.master:
                slave.readable()
                continue
            match sys.stdin.readline().split():
                case ["late", seconds]:
                    slave.late_s = float(seconds)
                    print("ok", flush=True)
                case ["count"]:
                    print(slave.seen, slave.too_soon, flush=True)
                    slave.seen = slave.too_soon = 0
                case _:
                    return


class Device(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        transaction, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", data)
        body = bytes([unit, function]) + registers(address, count)
        self._transport.write(struct.pack(">HHH", transaction, 0, len(body)) + body)


async def tcp() -> None:
    server = await asyncio.get_running_loop().create_server(Device, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    if sys.argv[1] == "line":
        line()
    else:
        asyncio.run(tcp())

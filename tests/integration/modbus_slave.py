"""A Modbus RTU slave on a pty, written by hand apart from the driver: it answers as a test tells it to, lies too."""

import asyncio
import os
import struct
import tty
from collections.abc import Callable
from pathlib import Path


def crc(data: bytes) -> bytes:
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ 0xA001 if register & 1 else register >> 1
    return struct.pack("<H", register)


def frame(*body: int) -> bytes:
    return bytes(body) + crc(bytes(body))


def registers(request: bytes) -> bytes:
    """The right answer: a register holds its own address, a write is echoed."""
    unit, function, address, count = struct.unpack(">BBHH", request[:6])
    if function == 16:
        return frame(*request[:6])
    return frame(unit, function, 2 * count, *struct.pack(f">{count}H", *range(address, address + count)))


class Slave:
    """`answer` gets a request and returns (seconds to wait, bytes); answers go out in the order of the requests."""

    def __init__(self, link: str, answer: Callable[[bytes], tuple[float, bytes]]) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self.heard_at: list[float] = []  # first byte of each request
        self.done_at: list[float] = []  # last byte of each answer
        self._buffer = b""
        self._master, self._held = os.openpty()
        tty.setraw(self._held)
        os.set_blocking(self._master, False)
        self._link = Path(link)
        self._link.symlink_to(os.ttyname(self._held))
        self._out: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._master, self._read)
        self._speaker = self._loop.create_task(self._speak())

    def _read(self) -> None:
        if not self._buffer:
            self.heard_at.append(self._loop.time())
        self._buffer += os.read(self._master, 512)
        while len(self._buffer) >= 8:
            size = 8 if self._buffer[1] != 16 else 9 + self._buffer[6]
            if len(self._buffer) < size:
                return
            request, self._buffer = self._buffer[:size], self._buffer[size:]
            assert crc(request[:-2]) == request[-2:]
            self.requests.append(request)
            delay, answer = self.answer(request)
            self._out.put_nowait((self._loop.time() + delay, answer))

    async def _speak(self) -> None:
        while True:
            at, answer = await self._out.get()
            await asyncio.sleep(at - self._loop.time())
            self.say(answer)

    def say(self, data: bytes) -> None:
        os.write(self._master, data)
        self.done_at.append(self._loop.time())

    def unplug(self) -> None:
        """The port vanishes, as a USB adapter's does."""
        self._speaker.cancel()
        self._loop.remove_reader(self._master)
        os.close(self._master)
        os.close(self._held)
        self._link.unlink()


def addresses(slave: Slave) -> list[int]:
    return [int.from_bytes(request[2:4], "big") for request in slave.requests]


async def until(true: Callable[[], object], within_s: float = 100.0) -> None:
    """Wait for a condition; TimeoutError when it does not come true. The clock may run 50 times as fast."""
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.005)

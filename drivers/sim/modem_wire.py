"""What a modem's octets go through on their way to the host: a good wire, a slow one, one that tears, or noise."""

import asyncio
import random

from drivers.sim.pty_port import PtyPort

WAITING = 65536  # octets that wait on a slow wire; more are lost
CHUNK_MOST = 7  # octets; shorter than any answer, so every line is torn somewhere
GAP_S = (0.002, 0.05)  # s between torn chunks; a USB modem's own scheduling makes such gaps
GARBAGE_MOST = 4096  # octets


class Wire:
    """`run` it while the modem is on. `seed` makes its tearing the same each time."""

    def __init__(self, port: PtyPort, seed: str) -> None:
        self._port = port
        self._random = random.Random(seed)
        self._waiting, self._more = bytearray(), asyncio.Event()
        self.s_per_byte = 0.0
        self.torn = False

    def send(self, data: bytes) -> None:
        if self._waiting or self.torn or self.s_per_byte:
            self._waiting += data[: WAITING - len(self._waiting)]
            self._more.set()
        else:
            self._port.write(data)

    def garbage(self, count: int) -> None:
        """Noise, `count` octets of it."""
        self.send(self._random.randbytes(count))

    def clear(self) -> None:
        """Power off: what waits is lost."""
        self._waiting.clear()

    async def run(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while self._waiting:
                size = self._random.randint(1, CHUNK_MOST) if self.torn else 1 if self.s_per_byte else WAITING
                chunk = bytes(self._waiting[:size])
                del self._waiting[:size]
                self._port.write(chunk)
                gap = self._random.uniform(*GAP_S) if self.torn else 0.0
                await asyncio.sleep(gap + len(chunk) * self.s_per_byte)

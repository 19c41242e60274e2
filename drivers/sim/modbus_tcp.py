"""Modbus TCP on loopback: the header around what a slave answers. Its unit chooses the device, as at a gateway."""

import asyncio
import struct

from drivers.sim.modbus_slave import MAX_WAITING, NO_TARGET, Slaves

MAX_FRAME = 260  # bytes with the header, by the standard
MAX_CONNECTIONS = 8  # small gateways take four to eight
MAX_UNSENT = 65_536  # bytes for a client that asks and never reads; then it is cut off


class TcpPort:
    """The listening side. A unit nobody has answers exception 11; a silent one answers nothing."""

    def __init__(self, slaves: Slaves) -> None:
        self._slaves = slaves
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Transport] = set()
        self.port = 0

    async def start(self, port: int) -> None:
        """Listen on `port`, 0 for any free one; `self.port` tells which."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self._slaves, self._open), "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            for transport in list(self._open):
                transport.abort()
            await self._server.wait_closed()


class _Connection(asyncio.Protocol):
    def __init__(self, slaves: Slaves, opened: set[asyncio.Transport]) -> None:
        self._slaves, self._opened = slaves, opened
        self._buffer = bytearray()
        self._waiting: set[asyncio.TimerHandle] = set()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._opened) >= MAX_CONNECTIONS:
            transport.abort()
            return
        self._opened.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport:
            self._opened.discard(self._transport)
        self._transport = None
        for timer in self._waiting:
            timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 8:
            transaction, protocol, length, unit = struct.unpack(">HHHB", self._buffer[:7])
            if protocol != 0 or not 2 <= length <= MAX_FRAME - 6:
                if self._transport:
                    self._transport.abort()
                return
            if len(self._buffer) < 6 + length:
                return
            pdu = bytes(self._buffer[7 : 6 + length])
            del self._buffer[: 6 + length]
            self._asked(transaction, unit, pdu)

    def _asked(self, transaction: int, unit: int, pdu: bytes) -> None:
        slave = self._slaves.get(unit)
        if slave is None:
            self._send(transaction, unit, bytes([pdu[0] | 0x80, NO_TARGET]))
        elif slave.silent or len(self._waiting) >= MAX_WAITING:
            return
        elif slave.late_s:
            self._later(slave.late_s, transaction, *slave.answer(unit, pdu))
        else:
            self._send(transaction, *slave.answer(unit, pdu))

    def _later(self, delay: float, transaction: int, unit: int, pdu: bytes) -> None:
        def due() -> None:
            self._waiting.discard(timer)
            self._send(transaction, unit, pdu)

        timer = asyncio.get_running_loop().call_later(delay, due)
        self._waiting.add(timer)

    def _send(self, transaction: int, unit: int, pdu: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > MAX_UNSENT:
            self._transport.abort()
        else:
            self._transport.write(struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu)

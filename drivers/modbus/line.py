"""The kinds of line: RTU on a serial port, TCP, and RTU through a serial server's socket.

What differs between them is here and nowhere else.
"""

from collections.abc import Callable
from typing import ClassVar, Literal

import msgspec
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from drivers.modbus.blocks import RTU_FRAME, TCP_FRAME
from drivers.modbus.frames import Found, Question, rtu_answer, tcp_answer

Client = AsyncModbusSerialClient | AsyncModbusTcpClient
TracePacket = Callable[[bool, bytes], bytes]
TraceConnect = Callable[[bool], None]

SILENT_CHARACTERS = 3.5  # between RTU frames
NOBODY = "Nobody takes a connection there: check power, cable, address and port."
LEAST_SILENCE_S = 0.00175  # above 19200 baud the standard fixes it


class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How RTU runs on a pair of wires, wherever the port is."""

    baud: int = 9600
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1

    units: ClassVar[range] = range(1, 248)  # 0 is everybody, and nobody answers
    numbered: ClassVar[bool] = False  # an answer does not say to which question
    frame: ClassVar[int] = RTU_FRAME  # what a question costs, in registers

    @property
    def character_s(self) -> float:
        """Seconds that one character takes on the wire."""
        return (1 + 8 + (self.parity != "N") + self.stopbits) / self.baud

    @property
    def silence_s(self) -> float:
        """Seconds of silence that must separate two frames."""
        return max(SILENT_CHARACTERS * self.character_s, LEAST_SILENCE_S)

    def find(self, question: Question, _sent: bytes, heard: bytes) -> Found:
        """The answer in what was heard. Raises WrongFrame."""
        return rtu_answer(question, heard)


class SerialLine(Wire, frozen=True, forbid_unknown_fields=True, tag="serial"):
    """RTU on a serial port (or a pty)."""

    path: str

    has_connection: ClassVar[bool] = False  # that may have died without a word
    absent: ClassVar[str] = "Check the adapter (ls /dev/serial/by-id) and that no other program has it."

    def client(self, timeout_s: float, packet: TracePacket, connect: TraceConnect) -> Client:
        """A closed client that neither retries nor reconnects by itself."""
        return AsyncModbusSerialClient(
            self.path,
            baudrate=self.baud,
            parity=self.parity,
            stopbits=self.stopbits,
            timeout=timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_packet=packet,
            trace_connect=connect,
        )

    def __str__(self) -> str:
        return self.path


class RtuTcpLine(Wire, frozen=True, forbid_unknown_fields=True, tag="rtu_tcp"):
    """RTU frames, checksum and all, in the stream of a serial server (Moxa, USR and their like in transparent mode).

    The answers carry no number, so all of RTU's care applies; `baud` is that of the wire behind the server.
    """

    host: str
    port: int = 502

    has_connection: ClassVar[bool] = True
    absent: ClassVar[str] = NOBODY

    def client(self, timeout_s: float, packet: TracePacket, connect: TraceConnect) -> Client:
        """A closed client that neither retries nor reconnects by itself."""
        return _tcp_client(self, FramerType.RTU, timeout_s, packet, connect)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class TcpLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="tcp"):
    """Modbus TCP, to a device or a gateway. asyncio sets TCP_NODELAY on its own."""

    host: str
    port: int = 502

    units: ClassVar[range] = range(256)  # devices without a gateway like 0, 1 or 255
    numbered: ClassVar[bool] = True
    has_connection: ClassVar[bool] = True
    absent: ClassVar[str] = NOBODY
    frame: ClassVar[int] = TCP_FRAME
    character_s: ClassVar[float] = 0.0
    silence_s: ClassVar[float] = 0.0

    def find(self, question: Question, sent: bytes, heard: bytes) -> Found:
        """The answer, and the late answers before it. Raises WrongFrame."""
        return tcp_answer(question, sent, heard)

    def client(self, timeout_s: float, packet: TracePacket, connect: TraceConnect) -> Client:
        """A closed client that neither retries nor reconnects by itself."""
        return _tcp_client(self, FramerType.SOCKET, timeout_s, packet, connect)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


Line = SerialLine | TcpLine | RtuTcpLine


def _tcp_client(
    line: TcpLine | RtuTcpLine, framer: FramerType, timeout_s: float, packet: TracePacket, connect: TraceConnect
) -> Client:
    return AsyncModbusTcpClient(
        line.host,
        port=line.port,
        framer=framer,
        timeout=timeout_s,
        retries=0,
        reconnect_delay=0,
        trace_packet=packet,
        trace_connect=connect,
    )

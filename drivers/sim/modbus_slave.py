"""What a Modbus slave answers to one request, written from the standard and apart from any driver.

The frames around it are in modbus_rtu.py and modbus_tcp.py. A device may be mute or late.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast, runtime_checkable

READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT, WRITE_COIL, WRITE_ONE, WRITE_MANY = 1, 2, 3, 4, 5, 6, 16
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, NEGATIVE_ACKNOWLEDGE, NO_TARGET = 1, 2, 3, 7, 11
MAX_READ, MAX_WRITE, MAX_READ_BITS = 125, 123, 2000  # registers and bits in one frame, by the standard
MAX_WAITING = 32  # answers of one connection not sent yet; further questions are lost


class Exceptional(Exception):
    """The device answers with this Modbus exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"Modbus exception {code}")
        self.code = code


class Registers(Protocol):
    """What a device serves. Both methods raise Exceptional."""

    functions: frozenset[int]

    @property
    def answers(self) -> bool:
        """False while the device has no power to answer with."""

    def read(self, address: int, count: int) -> list[int]: ...

    def write(self, address: int, values: list[int]) -> None: ...


class Bits(Registers, Protocol):
    """A device that serves coils or discrete inputs too. Both methods raise Exceptional."""

    def read_bits(self, function: int, address: int, count: int) -> list[bool]: ...

    def write_coil(self, address: int, on: bool) -> None: ...


@runtime_checkable
class OwnWriteMany(Protocol):
    """A device whose FC16 does something else than its FC6."""

    def write_many(self, address: int, values: list[int]) -> None: ...


@dataclass
class Slave:
    """One device on the bus and how it misbehaves."""

    registers: Registers | Bits
    muted: bool = False
    late_s: float = 0.0
    says_unit: int | None = None  # in its answers, instead of the one that was asked
    stuck: dict[int, int] = field(default_factory=dict)  # words that it says instead of its own, by address

    @property
    def silent(self) -> bool:
        return self.muted or not self.registers.answers

    def answer(self, unit: int, pdu: bytes) -> tuple[int, bytes]:
        """Its answer to a request that it got as `unit`, and the unit that it gives itself."""
        said = bytearray(answer(self.registers, pdu))
        if said[0] in (READ_HOLDING, READ_INPUT):
            first = int.from_bytes(pdu[1:3], "big")
            for address, value in self.stuck.items():
                if 0 <= (at := 2 + 2 * (address - first)) - 2 < said[1]:
                    said[at : at + 2] = value.to_bytes(2, "big")
        return unit if self.says_unit is None else self.says_unit, bytes(said)


Slaves = Mapping[int, Slave]


def answer(registers: Registers | Bits, pdu: bytes) -> bytes:
    """The answer PDU to a request PDU (function code and data, no unit and no checksum)."""
    function = pdu[0]
    try:
        if function not in registers.functions:
            raise Exceptional(ILLEGAL_FUNCTION)
        if function in (READ_HOLDING, READ_INPUT):
            return _read(registers, pdu)
        if function in (READ_COILS, READ_DISCRETE, WRITE_COIL):
            return _bits(cast(Bits, registers), pdu)
        return _write(registers, pdu)
    except Exceptional as e:
        return bytes([function | 0x80, e.code])


def _read(registers: Registers, pdu: bytes) -> bytes:
    if len(pdu) != 5:
        raise Exceptional(ILLEGAL_VALUE)
    address, count = struct.unpack(">HH", pdu[1:])
    if not 1 <= count <= MAX_READ:
        raise Exceptional(ILLEGAL_VALUE)
    if address + count > 0x10000:
        raise Exceptional(ILLEGAL_ADDRESS)
    return struct.pack(f">BB{count}H", pdu[0], 2 * count, *registers.read(address, count))


def _bits(registers: Bits, pdu: bytes) -> bytes:
    if len(pdu) != 5:
        raise Exceptional(ILLEGAL_VALUE)
    function, address, second = struct.unpack(">BHH", pdu)
    if function == WRITE_COIL:
        if second not in (0x0000, 0xFF00):
            raise Exceptional(ILLEGAL_VALUE)
        registers.write_coil(address, second == 0xFF00)
        return pdu
    if not 1 <= second <= MAX_READ_BITS:
        raise Exceptional(ILLEGAL_VALUE)
    if address + second > 0x10000:
        raise Exceptional(ILLEGAL_ADDRESS)
    packed = sum(1 << i for i, on in enumerate(registers.read_bits(function, address, second)) if on)
    size = (second + 7) // 8
    return bytes([function, size]) + packed.to_bytes(size, "little")


def _write(registers: Registers, pdu: bytes) -> bytes:
    if len(pdu) < 5:
        raise Exceptional(ILLEGAL_VALUE)
    address, second = struct.unpack(">HH", pdu[1:5])
    if pdu[0] == WRITE_ONE:
        values = [second]
    else:
        if not 1 <= second <= MAX_WRITE or len(pdu) != 6 + 2 * second or pdu[5] != 2 * second:
            raise Exceptional(ILLEGAL_VALUE)
        values = list(struct.unpack(f">{second}H", pdu[6:]))
    if address + len(values) > 0x10000:
        raise Exceptional(ILLEGAL_ADDRESS)
    if pdu[0] == WRITE_MANY and isinstance(registers, OwnWriteMany):
        registers.write_many(address, values)
    else:
        registers.write(address, values)
    return pdu[:5]

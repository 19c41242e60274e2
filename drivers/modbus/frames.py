"""What the right answer to a question looks like, byte by byte: unit, function, count, echo, checksum.

Bytes in, a verdict out. A frame that is right in all but one of these is some other question's answer.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple

import msgspec
from pymodbus.framer import FramerRTU

READ_COILS, READ_DISCRETES, READ_HOLDING, READ_INPUT = 1, 2, 3, 4  # function codes
WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS = 5, 6, 16
WRITES = frozenset({WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS})
COIL_ON = 0xFF00  # what a write of one coil carries for 1; for 0 it carries 0

NAMES = {
    READ_COILS: "read of coils",
    READ_DISCRETES: "read of discrete inputs",
    READ_HOLDING: "read of holding registers",
    READ_INPUT: "read of input registers",
    WRITE_COIL: "write of coil",
    WRITE_REGISTER: "write of register",
    WRITE_REGISTERS: "write of registers",
}

MAX_NOISE = 2  # characters before or after a frame on RTU: a badly biased pair makes one or two when drivers turn
LENGTHS = range(3, 255)  # what the length field of Modbus TCP can say: unit, function and 1 to 252 bytes
MBAP = struct.Struct(">HHHB")  # transaction, protocol (0), length, unit


class WrongFrame(ValueError):
    """These bytes answer no question, or another one; the text says which check failed."""


class Question(msgspec.Struct, frozen=True):
    """What was asked. `count` of a write of one coil or register is the value that it carries, which is echoed."""

    unit: int
    function: int
    address: int
    count: int

    @property
    def data_bytes(self) -> int:
        """Bytes of registers or coils in the answer to a read."""
        return -(-self.count // 8) if self.function in (READ_COILS, READ_DISCRETES) else 2 * self.count

    def __str__(self) -> str:
        if self.function in (WRITE_COIL, WRITE_REGISTER):
            return f"{NAMES[self.function]} {self.address}"
        return f"{NAMES[self.function]} {self.address} to {self.address + self.count - 1}"


class Found(NamedTuple):
    """`passed` is what the next layer may see; `complete` when the answer is in it."""

    passed: bytes
    complete: bool


Finder = Callable[[Question, bytes, bytes], Found]  # what was asked, the bytes sent, the bytes heard since

WAITING = Found(b"", False)


def answer_size(question: Question, function: int) -> int:
    """Bytes from the function code to the last before the checksum, in an answer that begins with `function`."""
    if function & 0x80:
        return 2  # function, exception code
    return 5 if question.function in WRITES else 2 + question.data_bytes


def fault(question: Question, pdu: bytes) -> str:
    """Why `pdu`, or what came of it so far, cannot be the answer; empty while it can."""
    if not pdu or pdu[0] == question.function | 0x80:
        return ""
    if pdu[0] != question.function:
        return f"function {pdu[0]} instead of {question.function}"
    if question.function in WRITES:
        echo = struct.pack(">HH", question.address, question.count)
        return "" if echo.startswith(pdu[1:5]) else f"the echo of another write ({pdu[1:5].hex(' ')})"
    if len(pdu) > 1 and pdu[1] != question.data_bytes:
        return f"{pdu[1]} bytes of data instead of {question.data_bytes}"
    return ""


def rtu_answer(question: Question, heard: bytes) -> Found:
    """The answer's frame within all that was heard since the question was sent. Raises WrongFrame."""
    wrong = None
    for noise in range(min(len(heard), MAX_NOISE) + 1):
        try:
            return _rtu_frame(question, heard[noise:])
        except WrongFrame as e:
            wrong = wrong or e
    assert wrong is not None
    raise wrong


def _rtu_frame(question: Question, heard: bytes) -> Found:
    if heard and heard[0] != question.unit:
        raise WrongFrame(f"unit {heard[0]} instead of {question.unit}")
    if reason := fault(question, heard[1:]):
        raise WrongFrame(reason)
    if len(heard) < 2:
        return WAITING
    size = 1 + answer_size(question, heard[1]) + 2
    if len(heard) < size:
        return WAITING
    if not FramerRTU.check_CRC(heard[: size - 2], int.from_bytes(heard[size - 2 : size], "big")):
        raise WrongFrame("a wrong checksum")
    if len(heard) > size + MAX_NOISE:
        raise WrongFrame(f"{len(heard) - size} bytes too many")
    return Found(heard[:size], True)


def tcp_answer(question: Question, sent: bytes, heard: bytes) -> Found:
    """The frames up to the answer, late answers to earlier transactions included. Raises WrongFrame."""
    asked = int.from_bytes(sent[:2], "big")
    at = 0
    while len(heard) - at >= MBAP.size:
        transaction, protocol, length, unit = MBAP.unpack_from(heard, at)
        if protocol != 0 or length not in LENGTHS:
            raise WrongFrame("something that is not Modbus TCP")
        end = at + MBAP.size - 1 + length
        if len(heard) < end:
            break
        if transaction == asked:
            _check_tcp(question, unit, heard[at + MBAP.size : end])
            return Found(heard[:end], True)
        at = end
    return Found(heard[:at], False)


def _check_tcp(question: Question, unit: int, pdu: bytes) -> None:
    if unit != question.unit:
        raise WrongFrame(f"unit {unit} instead of {question.unit}")
    if reason := fault(question, pdu):
        raise WrongFrame(reason)
    if len(pdu) != (size := answer_size(question, pdu[0])):
        raise WrongFrame(f"{len(pdu)} bytes instead of {size}")

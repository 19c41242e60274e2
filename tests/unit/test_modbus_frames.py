"""Which bytes answer a question, and which only look like it."""

import struct

import pytest

from drivers.modbus.frames import Question, WrongFrame, rtu_answer, tcp_answer

READ = Question(unit=10, function=3, address=1024, count=2)
WRITE = Question(unit=10, function=16, address=4104, count=2)


def crc(data):
    """The checksum as the RTU guide spells it out, bit by bit."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ 0xA001 if register & 1 else register >> 1
    return struct.pack("<H", register)


def rtu(*body):
    return bytes(body) + crc(bytes(body))


def tcp(transaction, *body, protocol=0):
    return struct.pack(">HHH", transaction, protocol, len(body)) + bytes(body)


RIGHT = rtu(10, 3, 4, 1, 2, 3, 4)

WRONG_ON_RTU = {
    "another unit": (READ, rtu(11, 3, 4, 1, 2, 3, 4)),
    "another function": (READ, rtu(10, 4, 4, 1, 2, 3, 4)),
    "fewer registers": (READ, rtu(10, 3, 2, 1, 2)),
    "more registers": (READ, rtu(10, 3, 6, 1, 2, 3, 4, 5, 6)),
    "an odd number of bytes": (READ, rtu(10, 3, 5, 1, 2, 3, 4, 5)),
    "a wrong checksum": (READ, RIGHT[:-1] + bytes([RIGHT[-1] ^ 1])),
    "two answers": (READ, RIGHT + RIGHT),
    "garbage": (READ, b"\x55" * 9),
    "an exception to another function": (READ, rtu(10, 0x90, 2)),
    "a read's answer to a write": (WRITE, RIGHT),
    "the echo of another address": (WRITE, rtu(10, 16, 16, 9, 0, 2)),
    "the echo of another count": (WRITE, rtu(10, 16, 16, 8, 0, 1)),
}


@pytest.mark.parametrize(("question", "heard"), WRONG_ON_RTU.values(), ids=WRONG_ON_RTU.keys())
def test_what_is_not_the_answer_is_refused(question, heard):
    with pytest.raises(WrongFrame):
        rtu_answer(question, heard)


@pytest.mark.parametrize("frame", [RIGHT, rtu(10, 0x83, 2)], ids=["registers", "exception"])
def test_the_answer_passes_when_its_last_byte_is_there_and_not_before(frame):
    for end in range(len(frame)):
        assert rtu_answer(READ, frame[:end]) == (b"", False)
    assert rtu_answer(READ, frame) == (frame, True)


def test_the_echo_of_a_write_passes():
    frame = rtu(10, 16, 16, 8, 0, 2)
    assert rtu_answer(WRITE, frame) == (frame, True)


@pytest.mark.parametrize("noise", [b"\x00", b"\xff\x00"])
def test_the_noise_of_drivers_that_turn_is_cut_off(noise):
    assert rtu_answer(READ, noise + RIGHT) == (RIGHT, True)
    assert rtu_answer(READ, RIGHT + noise) == (RIGHT, True)


def test_more_noise_than_that_is_no_noise():
    with pytest.raises(WrongFrame):
        rtu_answer(READ, b"\x00\x00\x00" + RIGHT)


SENT = tcp(7, 10, 3, 4, 0, 0, 2)


def test_a_late_answer_on_tcp_is_passed_over():
    late, right = tcp(6, 10, 3, 4, 9, 9, 9, 9), tcp(7, 10, 3, 4, 1, 2, 3, 4)
    assert tcp_answer(READ, SENT, late) == (late, False)
    assert tcp_answer(READ, SENT, late + right[:-1]) == (late, False)
    assert tcp_answer(READ, SENT, late + right) == (late + right, True)


WRONG_ON_TCP = {
    "another unit": tcp(7, 11, 3, 4, 1, 2, 3, 4),
    "another function": tcp(7, 10, 4, 4, 1, 2, 3, 4),
    "fewer registers": tcp(7, 10, 3, 2, 1, 2),
    "more bytes than it says": tcp(7, 10, 3, 4, 1, 2, 3, 4, 5),
    "another protocol": tcp(7, 10, 3, 4, 1, 2, 3, 4, protocol=1),
    "no length": struct.pack(">HHHBB", 7, 0, 2, 10, 3),
    "text": b"HTTP/1.1 400 Bad Request\r\n",
}


@pytest.mark.parametrize("heard", WRONG_ON_TCP.values(), ids=WRONG_ON_TCP.keys())
def test_what_is_not_the_answer_is_refused_on_tcp(heard):
    with pytest.raises(WrongFrame):
        tcp_answer(READ, SENT, heard)

"""FLAC files whose writer was killed: they hold all but the last moment, and do not know how long they are.

A FLAC is a row of frames, each with its number and its checksum; only the length in the head is written at the end.
`mend` finds the last whole frame, cuts what is behind it and writes the length. Layout: RFC 9639.
"""

import mmap
import os
from pathlib import Path

HEAD = b"fLaC"
STREAMINFO = 8  # where its content begins: behind the mark and the block's own head
LENGTH_AT, LENGTH_OCTETS = STREAMINFO + 13, 5  # 36 bits of samples behind 4 of other things
FIXED = b"\xff\xf8"  # how a frame begins where all are of one size, as libFLAC makes them
SAME = 4  # octets at a frame's beginning that are the same in all of ours: sync, sizes, channels
LONGEST_NUMBER = 6  # octets of a frame's number
EXTRA = {0b0110: 1, 0b0111: 2}  # octets of the size where it has no code of its own
EXTRA_RATE = {0b1100: 1, 0b1101: 2, 0b1110: 2}


class NotMendable(ValueError):
    """No FLAC of ours; its text says why and what to do."""


def unfinished(file: Path) -> bool:
    """Whether nobody closed it. Raises OSError, NotMendable."""
    with file.open("rb") as opened:
        head = opened.read(LENGTH_AT + LENGTH_OCTETS)
    if len(head) and not head.startswith(HEAD[: len(head)]):
        raise NotMendable(f"{file} is no FLAC file: move it away from the recordings.")
    return len(head) < LENGTH_AT + LENGTH_OCTETS or _length(head) == 0


def mend(file: Path) -> float:
    """Make an unfinished file whole, in place and synced; seconds of sound in it. 0: nothing was kept, throw it away.

    Reads it all: call it in a thread. Raises OSError, NotMendable.
    """
    if not unfinished(file):
        with file.open("rb") as opened:
            head = opened.read(LENGTH_AT + LENGTH_OCTETS)
        return _length(head) / _rate(head)
    with file.open("r+b") as opened:
        size = opened.seek(0, os.SEEK_END)
        if size <= LENGTH_AT + LENGTH_OCTETS:
            return 0.0
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            head = data[: LENGTH_AT + LENGTH_OCTETS]
            end, frames = _whole_frames(data, _first_frame(data))
        samples = frames * int.from_bytes(head[STREAMINFO : STREAMINFO + 2], "big")
        opened.truncate(end)
        first = head[LENGTH_AT] & 0xF0 | samples >> 32
        opened.seek(LENGTH_AT)
        opened.write(bytes([first]) + (samples & 0xFFFFFFFF).to_bytes(4, "big"))
        opened.flush()
        os.fsync(opened.fileno())
    return samples / _rate(head)


def _length(head: bytes) -> int:
    return int.from_bytes(head[LENGTH_AT : LENGTH_AT + LENGTH_OCTETS], "big") & 0xFFFFFFFFF


def _rate(head: bytes) -> int:
    return int.from_bytes(head[STREAMINFO + 10 : STREAMINFO + 13], "big") >> 4 or 1


def _first_frame(data: mmap.mmap) -> int:
    """Where the blocks of the head end."""
    at = len(HEAD)
    while at + 4 <= len(data):
        last, length = data[at] & 0x80, int.from_bytes(data[at + 1 : at + 4], "big")
        at += 4 + length
        if last:
            break
    return min(at, len(data))


def _whole_frames(data: mmap.mmap, first: int) -> tuple[int, int]:
    """Where the last whole frame ends, and how many there are up to it."""
    begins = data[first : first + SAME]
    if len(begins) < SAME or not begins.startswith(FIXED):
        return first, 0
    at, end = len(data), len(data)
    while (at := data.rfind(begins, first, at + SAME - 1)) >= 0:
        number = _number(data[at : at + 16])
        if number is not None:
            if _crc16(data[at:end]) == 0:
                return end, number + 1
            end = at
    return first, 0


def _number(head: bytes) -> int | None:
    """The number in a frame's head, None where it is none."""
    if len(head) < 16:
        head = head.ljust(16, b"\0")
    lead = head[SAME]
    octets = 1 if lead < 0x80 else 8 - (lead ^ 0xFF).bit_length()
    if (lead >= 0x80 and octets < 2) or octets > LONGEST_NUMBER:
        return None
    number = lead if octets == 1 else lead & (0x7F >> octets)
    for octet in head[SAME + 1 : SAME + octets]:
        number = number << 6 | octet & 0x3F
    length = SAME + octets + EXTRA.get(head[2] >> 4, 0) + EXTRA_RATE.get(head[2] & 0xF, 0)
    return number if _crc8(head[: length + 1]) == 0 else None


def _crc8(data: bytes) -> int:
    """x^8 + x^2 + x + 1; 0 where the checksum is its last octet and right."""
    crc = 0
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = (crc << 1 ^ (0x07 if crc & 0x80 else 0)) & 0xFF
    return crc


def _crc16(data: bytes) -> int:
    """x^16 + x^15 + x^2 + 1; 0 where the checksum is its last two octets and right."""
    crc = 0
    for octet in data:
        crc ^= octet << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x8005 if crc & 0x8000 else 0)) & 0xFFFF
    return crc

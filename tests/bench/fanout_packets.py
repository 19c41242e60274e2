"""MQTT 5 as little as simulated stations and a floor need: a few packets out, whole packets off a buffer. No sockets.

Written from the standard and not over paho: a thousand clients in one process must cost less than what they measure.
"""

import struct
from collections.abc import Iterator

CONNACK, PUBLISH, PUBACK, SUBACK = 0x20, 0x30, 0x40, 0x90  # the high four bits of a first octet
QOS1 = 0x02  # in the first octet of a publish
EXPIRY = 0x02  # property: Message Expiry Interval, u32
U16 = struct.Struct("!H")
U32 = struct.Struct("!I")
SMALL = 0x80  # from here on a length takes a second octet


def text(value: str) -> bytes:
    """A string with its length before it."""
    octets = value.encode()
    return U16.pack(len(octets)) + octets


def packet(first: int, body: bytes) -> bytes:
    left, length = len(body), bytearray()
    while True:
        left, digit = divmod(left, SMALL)
        length.append(digit | (SMALL if left else 0))
        if not left:
            return bytes([first]) + bytes(length) + body


def connect(name: str, keepalive_s: int) -> bytes:
    """A clean start, without a will or a password."""
    return packet(0x10, text("MQTT") + b"\x05\x02" + U16.pack(keepalive_s) + b"\x00" + text(name))


def subscribe(topic: str) -> bytes:
    return packet(0x82, U16.pack(1) + b"\x00" + text(topic) + b"\x01")


def publish_head(topic: str, expiry_s: int | None = None) -> tuple[bytes, bytes]:
    """What stands before and behind the packet's number in each QoS 1 publish to `topic`."""
    if expiry_s is None:
        return text(topic), b"\x00"
    return text(topic), b"\x05" + bytes([EXPIRY]) + U32.pack(expiry_s)


def publish(head: tuple[bytes, bytes], number: int, payload: bytes) -> bytes:
    return packet(PUBLISH | QOS1, head[0] + U16.pack(number) + head[1] + payload)


def puback(number: int) -> bytes:
    return b"\x40\x02" + U16.pack(number)


def payload_of(first: int, body: bytes) -> tuple[int, bytes]:
    """The number (0 at QoS 0) and the payload of a publish."""
    at = 2 + U16.unpack_from(body)[0]
    number = 0
    if first & 0x06:
        number = U16.unpack_from(body, at)[0]
        at += 2
    skipped, at = _length(body, at)
    return number, body[at + skipped :]


def _length(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """A length of up to four octets at `at`, and where what it counts begins. Raises IndexError when it is cut off."""
    value = shift = 0
    while True:
        octet = data[at]
        value |= (octet & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not octet & SMALL:
            return value, at


def packets(buffer: bytearray) -> Iterator[tuple[int, bytes]]:
    """Takes whole packets off `buffer`: first octet and body each."""
    at = 0
    try:
        while at < len(buffer):
            length, begins = _length(buffer, at + 1)
            if begins + length > len(buffer):
                break
            yield buffer[at], bytes(buffer[begins : begins + length])
            at = begins + length
    except IndexError:
        pass  # the length itself is not whole yet
    del buffer[:at]

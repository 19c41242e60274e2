"""paho's client with a socket that is connected already, and without what costs most when a thousand stations answer.

paho asks the kernel three times for each packet, and once more for each that it sends; for every message and every
acknowledgement it builds a table of all of MQTT 5's properties, and a lock for each that it publishes. What stands here
is from the same standard and does the ordinary case itself: to publish and to take a message at QoS 0 and 1, with an
expiry and a content type, and their acknowledgements. Anything else goes paho's own way.
"""

import contextlib
import functools
import socket
import ssl
import struct
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt import MQTTException
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from drivers.mqtt_message import Incoming

CHUNK = 65536  # bytes asked of the kernel, and given to it, at once
LARGEST = 2 * CHUNK  # bytes of a packet; we tell the broker to send none above half of it
U16, U32 = struct.Struct("!H"), struct.Struct("!I")
PUBLISH, PUBACK = 0x30, b"\x40\x02"  # a publish's first octet; a PUBACK without a reason, up to its number
QOS, QOS_2, RETAIN = 0x06, 0x04, 0x01  # bits of a publish's first octet
EXPIRY, CONTENT_TYPE = 0x02, 0x03  # properties of a publish
ONE_OCTET = 0x80  # lengths below it take one octet


@functools.lru_cache(maxsize=256)
def packed(expiry_s: int | None, content_type: str | None) -> bytes:
    """The properties of a publish as they go over the wire; made once for all orders of one lifetime."""
    body = b"" if expiry_s is None else bytes([EXPIRY]) + U32.pack(expiry_s)
    if content_type is not None:
        text = content_type.encode()
        body += bytes([CONTENT_TYPE]) + U16.pack(len(text)) + text
    if len(body) >= ONE_OCTET:
        raise ValueError(f"{content_type!r} is too long for a content type.")
    return bytes([len(body)]) + body


@functools.lru_cache(maxsize=256)
def _reason(value: int) -> ReasonCode:
    """Raises MQTTException, and before that KeyError, for one that is none of a PUBACK."""
    return ReasonCode(PacketTypes.PUBACK, identifier=value)


class Client(paho.Client):
    """`ready` is the socket to use next. `taken` gets each message, `answered` each PUBACK: in paho's callbacks."""

    def __init__(
        self, client_id: str, *, taken: Callable[[Incoming], None], answered: Callable[[int, ReasonCode], None]
    ) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5)
        self.ready: socket.socket | None = None
        self.dropped = 0  # messages with a topic that is no text
        self._taken, self._answered = taken, answered
        self._read, self._at = b"", 0
        self._unsent = bytearray()
        self._open: set[int] = set()  # numbers of our publishes that the broker has not acknowledged

    @property
    def buffered(self) -> bool:
        """A whole packet was read that is not looked at yet; the socket does not tell of it."""
        return _whole(self._read, self._at) is not None

    @property
    def unsent(self) -> int:
        """Octets that the kernel has not taken."""
        return len(self._unsent)

    def want_write(self) -> bool:
        return bool(self._unsent) or super().want_write()

    def send(self, topic: bytes, payload: bytes, qos: int, retain: bool, properties: bytes) -> int | None:
        """A publish, of 64 KiB at most, that goes with the next `push`. Its number, 0 at QoS 0; None: no connection."""
        if self._sock is None:
            return None
        number, head = 0, U16.pack(len(topic)) + topic
        if qos:
            number = self._number()
            self._open.add(number)
            head += U16.pack(number)
        body = head + properties + payload
        self._unsent += bytes([PUBLISH | qos << 1 | retain]) + _length(len(body)) + body
        return number

    def _number(self) -> int:
        while (number := self._mid_generate()) in self._open:
            pass  # there are 65,535, and never so many open
        return number

    def push(self) -> None:
        """Give the kernel what waits, as much as it takes. A connection that is lost is seen by its reader."""
        while self._unsent:
            try:
                sent = super()._sock_send(bytes(self._unsent[:CHUNK]))
            except BlockingIOError:
                return
            except OSError:
                self._unsent.clear()
                return
            del self._unsent[:sent]

    # What paho calls

    def _create_socket(self) -> socket.socket:
        if self.ready is None:
            raise RuntimeError("paho wanted a socket by itself")
        self._forget()
        return self.ready

    def _forget(self) -> None:
        self._read, self._at = b"", 0
        self._unsent.clear()
        self._open.clear()

    def _sock_close(self) -> None:
        with contextlib.suppress(OSError):
            self.push()
        super()._sock_close()
        self._forget()

    def _packet_read(self) -> MQTTErrorCode:
        while (found := _whole(self._read, self._at)) is None:
            try:
                data = self._received()
            except BlockingIOError:
                return MQTTErrorCode.MQTT_ERR_AGAIN
            except OSError:
                return MQTTErrorCode.MQTT_ERR_CONN_LOST
            if not data:
                return MQTTErrorCode.MQTT_ERR_CONN_LOST
            self._read, self._at = self._read[self._at :] + data, 0
            self._last_bytes_received = time.monotonic()
        begins, ends = found
        if ends - begins > LARGEST:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        held = self._in_packet
        held["command"], held["remaining_length"] = self._read[self._at], ends - begins
        held["packet"] = bytearray(self._read[begins:ends])
        self._at = ends
        try:
            return self._packet_handle()
        except MalformedPacket:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        finally:
            held["command"] = 0

    def _received(self) -> bytes:
        """What has come, up to a chunk. A read of TLS gives one record, which is one packet of a thousand stations'."""
        data: bytes = self._sock_recv(CHUNK)
        if not isinstance(self._sock, ssl.SSLSocket):
            return data
        records, size = [data], len(data)
        with contextlib.suppress(OSError):  # no more now, or lost: the next read says which
            while data and size < CHUNK:
                data = self._sock_recv(CHUNK)
                records.append(data)
                size += len(data)
        return b"".join(records)

    def _sock_send(self, buf: bytes | bytearray) -> int:
        self._unsent += buf  # it goes with `push`, all in one
        return len(buf)

    def _call_socket_register_write(self) -> None:
        """Whoever has paho queue a packet pushes it a moment later; only what the kernel did not take waits for it."""
        if self._unsent:
            super()._call_socket_register_write()

    def _packet_write(self) -> MQTTErrorCode:
        done = super()._packet_write()
        self.push()
        return done

    def _handle_publish(self) -> MQTTErrorCode:
        first, packet = self._in_packet["command"], bytes(self._in_packet["packet"])
        if first & QOS_2:
            return super()._handle_publish()
        try:
            at = 2 + U16.unpack_from(packet)[0]
            topic, number = packet[2:at], 0
            if first & QOS:
                number = U16.unpack_from(packet, at)[0]
                at += 2
            found = _properties(packet, at)
        except (struct.error, IndexError):
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        if found is None:
            return super()._handle_publish()
        expiry_s, at = found
        try:
            name = topic.decode()
        except UnicodeDecodeError:
            self.dropped += 1
        else:
            self._taken(Incoming(name, packet[at:], (first & QOS) >> 1, bool(first & RETAIN), expiry_s))
        if first & QOS:
            self._unsent += PUBACK + U16.pack(number)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _handle_pubackcomp(self, cmd: Any) -> MQTTErrorCode:
        packet = self._in_packet["packet"]
        if cmd != "PUBACK":
            return super()._handle_pubackcomp(cmd)
        if len(packet) < 2:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        try:
            reason = _reason(packet[2] if len(packet) > 2 else 0)  # why in words may follow: not looked at
        except (KeyError, MQTTException):
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        number = U16.unpack_from(packet)[0]
        if number in self._open:
            self._open.discard(number)
            self._answered(number, reason)
        return MQTTErrorCode.MQTT_ERR_SUCCESS


def _length(value: int) -> bytes:
    """As MQTT writes the length of a packet."""
    if value < ONE_OCTET:
        return bytes([value])
    digits = bytearray()
    while value >= ONE_OCTET:
        digits.append(value & 0x7F | ONE_OCTET)
        value >>= 7
    return bytes([*digits, value])


def _whole(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at `at` begins and ends, once all of it is there; too large a one at once."""
    value, here = 0, at + 1
    for shift in (0, 7, 14, 21):
        if here >= len(data):
            return None
        octet = data[here]
        value, here = value | (octet & 0x7F) << shift, here + 1
        if octet < ONE_OCTET:
            return (here, here + value) if here + value <= len(data) or value > LARGEST else None
    return here, here + LARGEST + 1  # a fifth octet of length: no MQTT


def _properties(packet: bytes, at: int) -> tuple[int | None, int] | None:
    """Expiry, and where the payload begins; None: paho has to read them. Raises struct.error, IndexError."""
    length = packet[at]
    if length == 0:
        return None, at + 1
    if length == 1 + U32.size and packet[at + 1] == EXPIRY:
        return U32.unpack_from(packet, at + 2)[0], at + 1 + length
    return None

"""paho's client with a socket that is connected already, and without what costs most when a thousand stations answer.

paho asks the kernel three times for each packet, and once more for each that it sends; for every message and every
acknowledgement it builds a table of all of MQTT 5's properties. What stands here is from the same standard and does
the ordinary case itself: QoS 0 and 1, an expiry, a content type. Anything else goes paho's own way.
"""

import contextlib
import functools
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt import MQTTException
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.exception import MalformedPacket
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from drivers.mqtt_message import Incoming

CHUNK = 65536  # bytes asked of the kernel, and given to it, at once
LARGEST = 2 * CHUNK  # bytes of a packet; we tell the broker to send none above half of it
U16, U32 = struct.Struct("!H"), struct.Struct("!I")
QOS, QOS_2, RETAIN = 0x06, 0x04, 0x01  # bits of a publish's first octet
EXPIRY, CONTENT_TYPE = 0x02, 0x03  # properties of a publish
ONE_OCTET = 0x80  # lengths below it take one octet


class Packed(Properties):
    """The properties of a publish as they go over the wire: paho asks for nothing else of them."""

    def __init__(self, octets: bytes) -> None:  # paho's would build its tables
        object.__setattr__(self, "octets", octets)

    def pack(self) -> bytes:
        return bytes(object.__getattribute__(self, "octets"))


@functools.lru_cache(maxsize=256)
def packed(expiry_s: int | None, content_type: str | None) -> Packed:
    """Made once for all orders of one lifetime."""
    body = b"" if expiry_s is None else bytes([EXPIRY]) + U32.pack(expiry_s)
    if content_type is not None:
        text = content_type.encode()
        body += bytes([CONTENT_TYPE]) + U16.pack(len(text)) + text
    if len(body) >= ONE_OCTET:
        raise ValueError(f"{content_type!r} is too long for a content type.")
    return Packed(bytes([len(body)]) + body)


@functools.lru_cache(maxsize=256)
def _reason(value: int) -> ReasonCode:
    """Raises MQTTException, and before that KeyError, for one that is none of a PUBACK."""
    return ReasonCode(PacketTypes.PUBACK, identifier=value)


NOTHING_MORE = packed(None, None)


class Client(paho.Client):
    """`ready` is the socket to use next. `taken` gets each message, `answered` each PUBACK: in paho's callbacks."""

    def __init__(
        self, client_id: str, *, taken: Callable[[Incoming], None], answered: Callable[[int, ReasonCode], None]
    ) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5)
        self.max_inflight_messages = 0  # ours are counted where they wait; paho would look through all at each PUBACK
        self.max_queued_messages = 0
        self.ready: socket.socket | None = None
        self.dropped = 0  # messages with a topic that is no text
        self._taken, self._answered = taken, answered
        self._read, self._at = b"", 0
        self._unsent = bytearray()

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

    def _sock_close(self) -> None:
        with contextlib.suppress(OSError):
            self.push()
        super()._sock_close()
        self._forget()

    def _packet_read(self) -> MQTTErrorCode:
        while (found := _whole(self._read, self._at)) is None:
            try:
                data = self._sock_recv(CHUNK)
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

    def _sock_send(self, buf: bytes | bytearray) -> int:
        self._unsent += buf  # it goes with `push`, all in one
        return len(buf)

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
        return self._send_puback(number) if first & QOS else MQTTErrorCode.MQTT_ERR_SUCCESS

    def _handle_pubackcomp(self, cmd: Any) -> MQTTErrorCode:
        packet = self._in_packet["packet"]
        if cmd != "PUBACK" or not 2 <= len(packet) <= 3:
            return super()._handle_pubackcomp(cmd)
        try:
            reason = _reason(packet[2] if len(packet) == 3 else 0)
        except (KeyError, MQTTException):
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        number = U16.unpack_from(packet)[0]
        with self._out_message_mutex:
            if number in self._out_messages:
                return self._do_on_publish(number, reason, NOTHING_MORE)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _do_on_publish(self, mid: int, reason_code: ReasonCode, properties: Properties) -> MQTTErrorCode:
        self._answered(mid, reason_code)
        return super()._do_on_publish(mid, reason_code, properties)


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

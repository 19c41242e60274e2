"""paho on the asyncio loop: one client, its socket, and what it noted, without a thread and without blocking.

paho holds a lock that is not reentrant while it calls back: what it calls here only notes, and `happened` is handed
over by the adapter afterwards.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt import MQTTException
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from drivers.mqtt_message import Incoming, Will, properties
from drivers.mqtt_paho import Client

TICK = 1.0  # s between looks at the keepalive
MAX_PACKET = 65536  # bytes, either way; an order is 120, a page of state some thousands
# Unacknowledged at once, each way, if the broker allows as many (HiveMQ 10, EMQX 32): an order to 1,000 stations, and
# their answers, must not wait for a round trip every few of them.
IN_FLIGHT = 100
AT_ONCE = 50  # messages that one turn hands over: the box has more to do
TOGETHER = 32  # messages that go to the kernel in one piece, when so many are published in one turn

NO_MQTT = (MQTTException, ValueError, LookupError, struct.error)  # what paho raises on bytes that it cannot read
PLAINLY = {  # paho's words -> ours
    "Keep alive timeout": "the broker did not answer within its keepalive",
    "Session taken over": "another client connected under our client id",
    "Unspecified error": "the connection broke",
}


class Accepted:
    """The broker's CONNACK: from here on we may publish."""


class MqttLink:
    """`begin` with a connected socket, `turn` until `ended` says why it ended, `end`; then again."""

    def __init__(self, client_id: str, will: Will | None, *, keepalive_s: int, session_expiry_s: int) -> None:
        self.happened: deque[Incoming | Accepted] = deque()  # bounded by what one turn reads
        self.ended = ""
        self.dropped = 0  # messages too large, or with a topic that is no text
        self._keepalive_s, self._session_expiry_s = keepalive_s, session_expiry_s
        self._wake = asyncio.Event()
        self.allowed = IN_FLIGHT  # unacknowledged ones that this broker takes
        self.answered: Callable[[int, ReasonCode], None] = lambda mid, reason: None  # each PUBACK
        self._gathering = 0
        self.client = client = Client(
            client_id, taken=self._noted, answered=lambda mid, reason: self.answered(mid, reason)
        )  # fmt: skip
        if will:
            client.will_set(will.topic, will.payload, will.qos, will.retain, will.properties())
        client.on_connect = self._noted_answer
        client.on_disconnect = self._noted_end
        client.on_message = self._noted_message
        client.on_socket_open = self._watch
        client.on_socket_close = self._watch_no_more
        client.on_socket_register_write = self._watch_writing
        client.on_socket_unregister_write = self._watch_writing_no_more

    def begin(self, sock: socket.socket, host: str, port: int) -> None:
        """Take over a connected socket and greet the broker on it."""
        self.ended = ""
        self._wake.clear()
        self.client.ready = sock
        wishes = properties(
            PacketTypes.CONNECT,
            SessionExpiryInterval=self._session_expiry_s,
            MaximumPacketSize=MAX_PACKET,
            ReceiveMaximum=IN_FLIGHT,
        )
        clean = self._session_expiry_s == 0
        self.client.connect_async(host, port, self._keepalive_s, clean_start=clean, properties=wishes)
        self.client.reconnect()
        self.flush()

    async def turn(self, gather_s: float = 0.0, *, wait: bool = True) -> None:
        """Wait until bytes came (or a tick passed), gather what else comes in `gather_s`, and let paho read them and
        look at its keepalive. Without `wait` it looks at what is there now, and others of the loop have their turn."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TICK if wait else 0.0):
                await self._wake.wait()
        if gather_s and not self.client.buffered:
            await self._gather(gather_s)
        self._wake.clear()
        try:
            self.client.loop_read()
            while self.client.buffered and len(self.happened) < AT_ONCE and not self.ended:
                self.client.loop_read()
        except NO_MQTT as e:
            self.ended = self.ended or f"what it sent is no MQTT ({type(e).__name__}: {e})"
        if isinstance(self.client.ready, ssl.SSLSocket) and not self.ended and self.client.ready.pending():
            self._wake.set()  # decrypted already: no selector tells of it
        self.client.loop_misc()
        if not self.ended:
            self.flush()  # acknowledgements, a ping
        if self.client.buffered and not self.ended:
            self._wake.set()  # read already: no selector tells of it

    async def _gather(self, seconds: float) -> None:
        """Leave what comes where it is. Watched meanwhile, it would have the loop turn without a rest."""
        loop, sock = asyncio.get_running_loop(), self.client.socket()
        if sock is None:
            return
        loop.remove_reader(sock.fileno())
        try:
            await asyncio.sleep(seconds)
        finally:
            if self.client.socket() is sock:  # else paho has closed it, and its number may be another's by now
                loop.add_reader(sock.fileno(), self._wake.set)

    def flush(self) -> None:
        """Write what paho has to write now, not a turn of the loop later. Never call it from paho's callbacks."""
        self.client.loop_write()

    def flush_all(self) -> None:
        """As `flush` the first time in a turn of the loop; what follows in that turn goes together, a little later."""
        if not self._gathering:
            asyncio.get_running_loop().call_soon(self._gathered)
        if self._gathering % TOGETHER == 0:
            self.flush()
        self._gathering += 1

    def _gathered(self) -> None:
        self._gathering = 0
        self.flush()

    def leave(self, why: str) -> None:
        """End it from our side, with the session kept at the broker and our will not sent."""
        self.client.disconnect()
        self.flush()
        self.ended = why
        self._wake.set()

    def end(self, *, leaving: bool = False) -> None:
        """Close the socket and forget what was under way; `leaving` asks the broker to send our will."""
        if leaving and not self.ended:
            self.client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
            self.flush()
        self.happened.clear()
        if self.client.ready is not None:
            self.client.connect_async(self.client.host, self.client.port)  # closes the socket, connects nowhere
            self.client.ready.close()
            self.client.ready = None

    def _watch(self, _client: Any, _data: Any, sock: "paho.SocketLike") -> None:
        asyncio.get_running_loop().add_reader(sock.fileno(), self._wake.set)

    def _watch_no_more(self, _client: Any, _data: Any, sock: "paho.SocketLike") -> None:
        asyncio.get_running_loop().remove_reader(sock.fileno())
        self._wake.set()

    def _watch_writing(self, _client: Any, _data: Any, sock: "paho.SocketLike") -> None:
        asyncio.get_running_loop().add_writer(sock.fileno(), self.flush)

    def _watch_writing_no_more(self, _client: Any, _data: Any, sock: "paho.SocketLike") -> None:
        asyncio.get_running_loop().remove_writer(sock.fileno())

    def _noted_answer(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, allowed: Any) -> None:
        if reason.is_failure:
            self.ended = f"the broker refused us: {reason}"
        else:
            self.allowed = min(IN_FLIGHT, getattr(allowed, "ReceiveMaximum", IN_FLIGHT))
            self.happened.append(Accepted())

    def _noted_end(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self.ended = self.ended or PLAINLY.get(str(reason), f"the broker ended it: {reason}")
        self._wake.set()

    def _noted_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        try:
            self._noted(Incoming.of(message))
        except UnicodeDecodeError:
            self.dropped += 1

    def _noted(self, incoming: Incoming) -> None:
        if len(incoming.payload) > MAX_PACKET:
            self.dropped += 1
            return
        self.happened.append(incoming)

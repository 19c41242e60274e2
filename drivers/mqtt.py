"""The one MQTT adapter: an asyncio client of one broker that connects again for ever.

paho does the protocol and asyncio the sockets, without a thread between an order and its socket. "Acknowledged"
means that the broker has a message, never that a station has.
"""

import asyncio
import dataclasses
import logging
import socket
from collections.abc import Callable
from typing import Any

import msgspec
from paho.mqtt import MQTTException
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from drivers.dial import Dialer
from drivers.mqtt_link import Accepted, MqttLink
from drivers.mqtt_message import Fate, Incoming, Outgoing, Sent, Will
from drivers.mqtt_outbox import Outbox
from drivers.tls import Credential, handshake, in_words

__all__ = ["Counts", "Fate", "Incoming", "Mqtt", "Sent", "Will"]

RETRY_FIRST, RETRY_MOST = 0.2, 5.0  # s between attempts
STEADY = 5.0  # s a connection lasts before the next attempt is quick again: two clients of one name chase each other
CONNECT_WITHIN = 10.0  # s for the TCP connection, and again for the broker's answer on it
FORGIVEN = (ValueError, OSError, msgspec.MsgspecError, MQTTException)  # of callbacks: bad input, a full disk

log = logging.getLogger(__name__)


@dataclasses.dataclass
class Counts:
    """Since the start."""

    connections: int = 0
    received: int = 0
    callback_errors: int = 0


class Mqtt:
    """One client of one broker (MQTT 5). Run `run()` in a task that somebody owns; everything else is immediate.

    `on_up` follows each connection, after the subscriptions: publish all state there, a broker that lost its power
    has forgotten it. `session_expiry_s` above 0 has the broker keep messages for us so long. `keepalive_s` is real
    time: a frozen connection is noticed after one to two of them. `on_message` gets its messages in order, none of
    them before `on_up`. `credential` is asked at each connection: TLS with what it gives, in clear with None; an
    OSError that it raises says why there is none now. `gather_s` is asked before each wait: what comes is read so much
    later, together; 0 where each message counts at once.
    """

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        *,
        on_message: Callable[[Incoming], None],
        on_up: Callable[[], None],
        on_down: Callable[[str], None],
        will: Will | None = None,
        session_expiry_s: int = 0,
        keepalive_s: int = 10,
        credential: Callable[[], Credential | None] | None = None,
        gather_s: Callable[[], float] = lambda: 0.0,
        look_ahead: Callable[[list[Incoming]], asyncio.Future[None] | None] = lambda messages: None,
    ) -> None:
        self.counts = Counts()
        self._credential, self._gather_s, self._look_ahead = credential, gather_s, look_ahead
        self._ahead: tuple[list[Incoming], asyncio.Future[None]] | None = None  # read, and not handed over yet
        self._on_message, self._on_up, self._on_down = on_message, on_up, on_down
        self._dialer = Dialer(host, port)
        self._link = MqttLink(client_id, will, keepalive_s=keepalive_s, session_expiry_s=session_expiry_s)
        self._link.client.on_subscribe = self._subscription_answered
        self._outbox = Outbox(self._link)
        self._subscriptions: dict[str, int] = {}
        self._accepted = False
        self._complained = False
        self._at_once = False

    @property
    def up(self) -> bool:
        """The broker accepted us, and the connection is not known to be lost."""
        return self._accepted and not self._link.ended

    @property
    def dropped(self) -> int:
        """Messages that came and were thrown away: too large, or with a topic that is no text."""
        return self._link.dropped + self._link.client.dropped

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry_s: int | None = None,
        content_type: str | None = None,
        queue: bool = False,
    ) -> Sent:
        """Send now. Refused when not `up`, unless `queue`: then it waits for a connection, `expiry_s` at most, and
        goes again when a connection is lost before its acknowledgement (receivers see it twice).

        The broker counts `expiry_s` in real seconds. Raises ValueError for a topic or QoS that cannot be published.
        """
        if qos not in (0, 1) or not topic or "+" in topic or "#" in topic:
            raise ValueError(f"{topic!r}, QoS {qos}: publish to one full topic at QoS 0 or 1.")
        expires_at = None if expiry_s is None else asyncio.get_running_loop().time() + expiry_s
        sent = Sent(Outgoing(topic, payload, qos, retain, queue, expires_at, content_type))
        self._outbox.take(sent, up=self.up)
        return sent

    def subscribe(self, topic_filter: str, qos: int = 1) -> None:
        """Receive what matches, from now on and after each reconnect. Retained messages come again each time."""
        self._subscriptions[topic_filter] = qos
        if self.up:
            self._ask_for(topic_filter, qos)

    def reconnect(self, why: str) -> None:
        """Leave this connection and make another at once, with the credential as it is then."""
        if self.up:
            log.info("MQTT: connecting again: %s.", why)
            self._complained = self._at_once = True
            self._link.leave(why)

    async def run(self) -> None:
        """Connect, and again whenever the connection is lost, until cancelled: then leave, and the will is sent.

        What a callback raises is logged and counted if it is bad input or the system's (ValueError, OSError, a decode
        error). Anything else is a fault of the program: it ends this task, for its owner to see.
        """
        wait = RETRY_FIRST
        loop = asyncio.get_running_loop()
        try:
            while True:
                began = loop.time()
                self._lost(await self._connection())
                if loop.time() - began >= STEADY or self._at_once:
                    wait = RETRY_FIRST
                if self._at_once:
                    self._at_once = False
                    continue
                await asyncio.sleep(wait)
                wait = min(wait * 2, RETRY_MOST)
        finally:
            self._end("this client left", leaving=self._accepted)
            self._dialer.close()

    async def _connection(self) -> str:
        """One connection, or the attempt, until it ended; says why it did."""
        try:
            sock = await self._socket()
        except TimeoutError:
            return f"nobody answers within {CONNECT_WITHIN:g} s"
        except OSError as e:
            return in_words(e)
        self._link.begin(sock, self._dialer.host, self._dialer.port)
        patience = asyncio.get_running_loop().time() + CONNECT_WITHIN
        while not self._link.ended:
            await self._link.turn(self._gather_s() if self._accepted else 0.0, wait=self._ahead is None)
            await self._hand_over()
            if not self._accepted and asyncio.get_running_loop().time() >= patience:
                return f"it takes the connection, but does not answer within {CONNECT_WITHIN:g} s"
        return self._link.ended

    async def _socket(self) -> socket.socket:
        credential = self._credential() if self._credential else None
        context = credential.context() if credential else None
        sock = await self._dialer.dial(timeout=CONNECT_WITHIN)
        if credential is None or context is None:
            return sock
        return await handshake(sock, context, credential.name, within_s=CONNECT_WITHIN)

    async def _hand_over(self) -> None:
        """What came, in its order. Where `look_ahead` has begun with it, what came before it goes first meanwhile."""
        ahead = list[Incoming]()
        while self._link.happened:
            happened = self._link.happened.popleft()
            if isinstance(happened, Accepted):
                self._begin()
            else:
                ahead.append(happened)
        begun = self._look_ahead(ahead) if ahead else None
        if self._ahead:
            before, done = self._ahead
            self._ahead = None
            await done
            self._give(before)
        if begun and not self._link.ended:
            self._ahead = ahead, begun
        else:
            self._give(ahead)

    def _give(self, messages: list[Incoming]) -> None:
        for message in messages:
            self.counts.received += 1
            self._call(self._on_message, message)

    def _begin(self) -> None:
        self._accepted, self._complained = True, False
        self.counts.connections += 1
        log.info("MQTT: connected to %s port %d.", self._dialer.host, self._dialer.port)
        for topic_filter, qos in self._subscriptions.items():
            self._ask_for(topic_filter, qos)
        self._outbox.send_kept()
        self._call(self._on_up)

    def _lost(self, why: str) -> None:
        was_up = self._accepted
        self._end(why)
        if was_up:
            self._call(self._on_down, why)
        if not self._complained:
            self._complained = True
            where = f"{self._dialer.host} port {self._dialer.port}"
            log.warning("MQTT: no broker at %s: %s. Trying again; is mosquitto up, and the network?", where, why)

    def _end(self, why: str, *, leaving: bool = False) -> None:
        self._link.end(leaving=leaving)
        self._accepted = False
        self._outbox.disconnected(why)
        self._outbox.drop_expired()

    def _call(self, callback: Callable[..., None], *arguments: Any) -> None:
        try:
            callback(*arguments)
        except FORGIVEN:
            self.counts.callback_errors += 1
            log.exception("MQTT: a callback failed on %.200r; going on.", arguments)

    def _ask_for(self, topic_filter: str, qos: int) -> None:
        # As published: an order that was sent with `retain` is to be seen as such also when it arrives live.
        self._link.client.subscribe(topic_filter, options=SubscribeOptions(qos=qos, retainAsPublished=True))
        self._link.flush()

    def _subscription_answered(
        self, _client: Any, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        for reason in reasons:
            if reason.is_failure:
                log.error("MQTT: a subscription of %s was refused: %s.", sorted(self._subscriptions), reason)

"""The messages that we publish, until their fate is final: some wait for the broker's answer, some for a connection."""

import asyncio
from collections import deque

from paho.mqtt.reasoncodes import ReasonCode

from drivers.mqtt_link import MAX_PACKET, MqttLink
from drivers.mqtt_message import Fate, Sent
from drivers.mqtt_paho import packed

MAX_OPEN = 4096  # messages not yet acknowledged; an order to 1,000 stations, its stop, and what dashboards are told
MAX_KEPT = 256  # messages that wait for a connection; the largest plan wakes some 60 stations
MAX_OCTETS = 4 << 20  # of all that waits for the network, and of all that waits for the broker's acknowledgement
HEADER = 128  # bytes left for a packet's header and properties


class Outbox:
    """Sends over a link and notes each PUBACK. Nothing is resent by paho: what is kept goes again from here.

    Not more are unacknowledged at once than the broker allows; the others wait their turn here.
    """

    def __init__(self, link: MqttLink) -> None:
        self._link = link
        self._open: dict[int, Sent] = {}
        self._turn: deque[Sent] = deque()
        self._kept: deque[Sent] = deque()
        self._turning = False
        self._octets = 0  # of `_open` and `_turn`
        link.answered = self._answered

    def take(self, sent: Sent, *, up: bool) -> None:
        """Send now, keep for later, or refuse."""
        message = sent.message
        if len(message.topic.encode()) + len(message.payload) + HEADER > MAX_PACKET:
            sent.settle(Fate.REFUSED, f"{len(message.payload)} bytes do not fit into a packet of {MAX_PACKET}")
        elif up:
            self._send(sent)
        elif message.keep:
            self._keep(sent)
        else:
            sent.settle(Fate.REFUSED, "there is no connection to the broker")

    def send_kept(self) -> None:
        """The connection is there: send what waited for it."""
        self.drop_expired()
        kept, self._kept = self._kept, deque()
        for sent in kept:
            self._send(sent)

    def disconnected(self, why: str) -> None:
        """The connection is gone: what was not acknowledged is lost, or kept for the next one."""
        unanswered, self._open = [*self._open.values(), *self._turn], {}
        self._turn.clear()
        self._octets = 0
        for sent in unanswered:
            if sent.message.keep:
                self._keep(sent)
            else:
                sent.settle(Fate.LOST, f"not acknowledged: {why}")

    def drop_expired(self) -> None:
        now = asyncio.get_running_loop().time()
        for sent in [sent for sent in self._kept if sent.message.expired(now)]:
            self._kept.remove(sent)
            sent.settle(Fate.EXPIRED, "there was no connection to the broker in time")

    def _send(self, sent: Sent) -> None:
        size = len(sent.message.payload)
        waits = max(self._octets, self._link.client.unsent)  # at QoS 1 much of it is in both
        if len(self._open) + len(self._turn) >= MAX_OPEN or waits + size > MAX_OCTETS:
            sent.settle(Fate.REFUSED, "too much already waits for the broker's acknowledgement")
            return
        if sent.message.qos and len(self._open) >= self._link.allowed:
            sent.fate = Fate.SENT
            self._octets += size
            self._turn.append(sent)
            return
        if self._hand_over(sent) and sent.message.qos:
            self._octets += size
        self._link.flush_all()

    def _hand_over(self, sent: Sent) -> bool:
        """To the link; False when it was refused."""
        m = sent.message
        left = m.left_s(asyncio.get_running_loop().time())
        number = self._link.client.send(m.topic.encode(), m.payload, m.qos, m.retain, packed(left, m.content_type))
        if number is None:
            sent.settle(Fate.REFUSED, "there is no connection to the broker")
            return False
        if m.qos:
            sent.fate = Fate.SENT
            self._open[number] = sent
        else:
            sent.settle(Fate.SENT)
        return True

    def _keep(self, sent: Sent) -> None:
        if len(self._kept) >= MAX_KEPT:
            sent.settle(Fate.REFUSED, f"{MAX_KEPT} messages already wait for a connection")
            return
        sent.fate = Fate.KEPT
        self._kept.append(sent)

    def _answered(self, mid: int, reason: ReasonCode) -> None:
        sent = self._open.pop(mid, None)
        if sent is None:
            return
        self._octets -= len(sent.message.payload)
        sent.answered(reason)
        if self._turn and not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._next)  # once for all that the broker acknowledged together

    def _next(self) -> None:
        """Whose turn it is."""
        self._turning = False
        now = asyncio.get_running_loop().time()
        while self._turn and len(self._open) < self._link.allowed:
            sent = self._turn.popleft()
            if sent.message.expired(now):
                sent.settle(Fate.EXPIRED, "its turn did not come in time")
                self._octets -= len(sent.message.payload)
            elif not self._hand_over(sent):
                self._octets -= len(sent.message.payload)
        self._link.flush_all()

"""The messages that we publish, until their fate is final: some wait for the broker's answer, some for a connection."""

import asyncio
from collections import deque
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode

from drivers.mqtt_link import MAX_PACKET, MqttLink
from drivers.mqtt_message import Fate, Sent

MAX_OPEN = 4096  # messages not yet acknowledged; an order to 1,000 stations, its stop, and what dashboards are told
MAX_KEPT = 256  # messages that wait for a connection; the largest plan wakes some 60 stations
HEADER = 128  # bytes left for a packet's header and properties


class Outbox:
    """Sends over a link and notes each PUBACK. Nothing is resent by paho: what is kept goes again from here."""

    def __init__(self, link: MqttLink) -> None:
        self._link = link
        self._open: dict[int, Sent] = {}
        self._kept: deque[Sent] = deque()
        link.client.on_publish = self._answered

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
        unanswered, self._open = list(self._open.values()), {}
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
        if len(self._open) >= MAX_OPEN:
            sent.settle(Fate.REFUSED, f"{MAX_OPEN} messages already wait for the broker's acknowledgement")
            return
        m = sent.message
        properties = m.properties(asyncio.get_running_loop().time())
        info = self._link.client.publish(m.topic, m.payload, m.qos, m.retain, properties)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            sent.settle(Fate.REFUSED, paho.error_string(info.rc))
            return
        sent.fate = Fate.SENT
        self._open[info.mid] = sent
        self._link.flush()

    def _keep(self, sent: Sent) -> None:
        if len(self._kept) >= MAX_KEPT:
            sent.settle(Fate.REFUSED, f"{MAX_KEPT} messages already wait for a connection")
            return
        sent.fate = Fate.KEPT
        self._kept.append(sent)

    def _answered(self, _client: Any, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        if sent := self._open.pop(mid, None):
            sent.answered(reason)

"""What passes through the MQTT adapter: a message that came, a message that goes and what became of it, a last will."""

import asyncio
import contextlib
import enum
import math
from collections.abc import Callable

import msgspec
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

NO_MATCHING_SUBSCRIBERS = 0x10  # MQTT 5, 3.4.2.1: taken, and nobody is there to hear it


def properties(packet_type: int, **values: int | str | None) -> Properties:
    """MQTT 5 properties of one packet, by paho's names for them; None leaves one out."""
    make: Callable[[int], Properties] = Properties  # paho has not typed it
    made = make(packet_type)
    for name, value in values.items():
        if value is not None:
            setattr(made, name, value)
    return made


class Will(msgspec.Struct, frozen=True):
    """What the broker publishes for us once our connection is lost, `delay_s` seconds (the broker's) later."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True
    delay_s: int = 0

    def properties(self) -> Properties:
        return properties(PacketTypes.WILLMESSAGE, WillDelayInterval=self.delay_s or None)


class Incoming(msgspec.Struct, frozen=True):
    """A message as it came. `retain` is as its sender set it, also when it comes live; `expiry_s` is what is left."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    expiry_s: int | None = None
    content_type: str | None = None

    @classmethod
    def of(cls, message: MQTTMessage) -> "Incoming":
        """Raises UnicodeDecodeError when the topic is not UTF-8."""
        return cls(
            topic=message.topic,
            payload=bytes(message.payload),
            qos=message.qos,
            retain=message.retain,
            expiry_s=getattr(message.properties, "MessageExpiryInterval", None),
            content_type=getattr(message.properties, "ContentType", None),
        )


class Outgoing(msgspec.Struct, frozen=True):
    """A message to publish. `keep` has it wait for a connection, and go again when one is lost before the broker
    acknowledged; `expires_at` is in the loop's time."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    keep: bool
    expires_at: float | None
    content_type: str | None

    def expired(self, now: float) -> bool:
        return self.expires_at is not None and now >= self.expires_at

    def left_s(self, now: float) -> int | None:
        """Whole seconds that the broker may keep it; None: for ever."""
        return None if self.expires_at is None else max(1, math.ceil(self.expires_at - now))


class Fate(enum.Enum):
    """How far a message came. The last four are final; SENT is final at QoS 0, which nobody acknowledges."""

    KEPT = "kept"  # waits for a connection
    SENT = "sent"  # on its way; the broker has not answered
    ACKNOWLEDGED = "acknowledged"  # the broker has it; that says nothing about any receiver
    REFUSED = "refused"
    LOST = "lost"  # the connection went before the acknowledgement came: it may have arrived or not
    EXPIRED = "expired"  # its time ran out before there was a connection


class Sent:
    """One published message. `why` explains REFUSED, LOST and EXPIRED; `unheard` says that nobody subscribes to it."""

    def __init__(self, message: Outgoing) -> None:
        self.message = message
        self.fate = Fate.KEPT
        self.why = ""
        self.unheard = False
        self._settled = asyncio.Event()

    @property
    def refused(self) -> bool:
        return self.fate is Fate.REFUSED

    async def settled(self, within_s: float) -> Fate:
        """Its fate once that is final, or what it is after `within_s` seconds. Never raises."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._settled.wait()
        return self.fate

    def settle(self, fate: Fate, why: str = "") -> None:
        self.fate, self.why = fate, why
        self._settled.set()

    def answered(self, reason: ReasonCode) -> None:
        """The broker's PUBACK; at QoS 0 the message was written, no more."""
        if self.message.qos == 0:
            self.settle(Fate.SENT)
        elif reason.is_failure:
            self.settle(Fate.REFUSED, f"the broker refused it: {reason}")
        else:
            self.unheard = reason.value == NO_MATCHING_SUBSCRIBERS
            self.settle(Fate.ACKNOWLEDGED)

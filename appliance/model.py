"""The vocabulary's words: what an order, a delivery, a path, a source can be. Names are the field's."""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

Language = Literal["id", "en"]  # that people are told in


class Role(StrEnum):
    CENTRE = "centre"
    STATION = "station"


class AlertKind(StrEnum):
    """Only `actual`, or a `sounding_test` that the site allows, may energise a siren."""

    ACTUAL = "actual"
    SOUNDING_TEST = "sounding_test"
    SILENT_TEST = "silent_test"
    DRILL = "drill"


class Pattern(StrEnum):
    STEADY = "steady"
    WAIL = "wail"
    YELP = "yelp"
    PULSE = "pulse"
    ALTERNATING = "alternating"
    MORSE = "morse"


class Path(StrEnum):
    """How an order or an answer travelled."""

    GPIO = "gpio"
    MQTT = "mqtt"
    SMS = "sms"
    VOICE = "voice"


class About(StrEnum):
    """What a text to the recipients of an alert says."""

    ANNOUNCE = "announce"
    ALL_CLEAR = "all_clear"
    FALSE_ALARM = "false_alarm"
    TAKEN = "taken"  # to contacts alone: another one of the sequence has accepted


class ContactState(StrEnum):
    """Of one alert at one contact; the last five are ends."""

    QUEUED = "queued"
    ASKED = "asked"  # a text or a call is on its way
    DELIVERED = "delivered"  # the network says that its phone has the text
    ACCEPTED = "accepted"
    DECLINED = "declined"
    SPARED = "spared"  # another one of the sequence had accepted
    UNREACHED = "unreached"
    CANCELLED = "cancelled"


class CardOutcome(StrEnum):
    """What came of a card. `sent`: nobody answered, and somebody is on the way to wake them."""

    REACHED = "reached"
    SENT = "sent"
    NOT_NEEDED = "not_needed"


class DeliveryState(StrEnum):
    """In the order of certainty; the last four end a delivery that never sounded."""

    QUEUED = "queued"
    SENT = "sent"
    RECEIVED = "received"
    ENERGISED = "energised"
    PROVEN = "proven"
    ENDED = "ended"  # was energised, is off again
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Mains(StrEnum):
    UNKNOWN = "unknown"
    PRESENT = "present"
    SUSPECT = "suspect"
    LOST = "lost"


class GensetPhase(StrEnum):
    UNKNOWN = "unknown"
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    ON_LOAD = "on_load"
    COOLING = "cooling"
    FAILED = "failed"

    @property
    def at_rest(self) -> bool:
        """The engine stands. UNKNOWN neither rests nor runs."""
        return self in (GensetPhase.STOPPED, GensetPhase.FAILED)

    @property
    def runs(self) -> bool:
        """The engine is up to speed, with or without the load."""
        return self in (GensetPhase.RUNNING, GensetPhase.ON_LOAD, GensetPhase.COOLING)


class CallPhase(StrEnum):
    """Of a call on a line; the last two are its end. One rings or is dialled first, whichever way it goes."""

    DIALLING = "dialling"
    ALERTING = "alerting"  # it rings at the other side
    RINGING = "ringing"
    WAITING = "waiting"  # it rings behind another call of the line
    TALKING = "talking"
    HELD = "held"
    JOINED = "joined"  # talked on together with others: a conference
    ENDED = "ended"
    MISSED = "missed"


class OutgoingState(StrEnum):
    """Of a message that goes out; what stands from `delivered` on is an end."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"  # the network has it; the end of one that wants no report
    DELIVERED = "delivered"
    UNCONFIRMED = "unconfirmed"  # the network took it, and no report came in time; a late one still counts
    UNDELIVERED = "undelivered"


class Purpose(StrEnum):
    """What a message is for, the most urgent first: in this order they go out."""

    ORDER = "order"
    ANSWER = "answer"
    HELLO = "hello"
    ALERT = "alert"  # an alert's text to a contact
    TEST = "test"  # of a way to a station: a silent order
    TEXT = "text"  # of an operator
    TRIAL = "trial"  # of a technician, through a line that they name
    NOTICE = "notice"  # of the box itself


class Standing(StrEnum):
    """Of one witness of the trunk."""

    UNKNOWN = "unknown"
    UP = "up"
    LOST = "lost"


class Trunk(StrEnum):
    """Whether calls can come over the trunk. Degraded: they may, and something on the way is not well."""

    UNKNOWN = "unknown"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


class Layer(StrEnum):
    """Whose fault it is that the trunk is not well, the deepest first: without a route nothing else can answer."""

    ROUTE = "route"
    CARRIER = "carrier"
    DNS = "dns"
    TRUNK = "trunk"
    LOSS = "loss"


class Source(StrEnum):
    """What feeds the building now."""

    MAINS = "mains"
    GENSET = "genset"
    BATTERY = "battery"
    DARK = "dark"
    UNKNOWN = "unknown"


class Ladder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds from an order's issue until each path starts, and how long an order may be believed."""

    sms_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 5.0
    voice_s: Annotated[float, msgspec.Meta(ge=0, le=300)] = 30.0
    parallel: bool = True  # an order of priority 1 goes by every path at once
    card_s: Annotated[float, msgspec.Meta(ge=5, le=600)] = 60.0
    lifetime_s: Annotated[int, msgspec.Meta(ge=30, le=3600)] = 300  # a handshake by SMS may cost 120 of them

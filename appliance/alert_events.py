"""Events of orders, deliveries, stations, sirens and buttons, at the centre and at a station."""

import msgspec

from appliance.event import Event

# Orders, at the centre


class AlertIssued(Event, tag="alert.issued", frozen=True):
    SUBJECT = ("alert",)
    alert: str  # 16 hex digits
    alert_kind: str  # model.AlertKind
    pattern: str
    seconds: int
    lifetime_s: int
    incident_code: int
    stations: tuple[str, ...]  # the plan's order decides who goes first
    via: str  # "page", "button", "command", "rule"
    key: str = ""  # the giver's idempotency key
    zones: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict
    )  # by station, where not the whole of it is meant
    groups: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()  # ids, those of the groups too, in the order in which they are asked
    text: str = ""
    language: str = "id"
    priority: int = 2
    paths: tuple[str, ...] = ()  # only these; none named: all
    test: str = ""  # id of the test run that this is a part of
    sequences: dict[str, tuple[str, ...]] = msgspec.field(
        default_factory=dict
    )  # by group: contacts that are asked one after the other, until one accepts


class AlertStopped(Event, tag="alert.stopped", frozen=True):
    SUBJECT = ("alert",)
    alert: str
    via: str


class AlertEnded(Event, tag="alert.ended", frozen=True):
    SUBJECT = ("alert",)
    alert: str


class DeliveryEvent(Event, frozen=True):
    SUBJECT = ("alert", "station")
    alert: str
    station: str


class DeliverySent(DeliveryEvent, tag="delivery.sent", frozen=True):
    path: str  # model.Path
    action: str  # "start", "stop"
    sequence: int


class DeliverySendFailed(DeliveryEvent, tag="delivery.send_failed", frozen=True):
    path: str
    action: str
    reason: str


class DeliveryCalled(DeliveryEvent, tag="delivery.called", frozen=True):
    """A call that speaks to the station's phone was dialled."""

    action: str  # "start", "stop"
    line: str
    call: str


class DeliverySpoken(DeliveryEvent, tag="delivery.spoken", frozen=True):
    """Who answered the call pressed the key: the start, or that it was taken back, is understood."""

    action: str
    line: str
    call: str


class DeliveryReceived(DeliveryEvent, tag="delivery.received", frozen=True):
    path: str


class DeliveryEnergised(DeliveryEvent, tag="delivery.energised", frozen=True):
    path: str
    remaining_s: int


class DeliveryProven(DeliveryEvent, tag="delivery.proven", frozen=True):
    path: str


class DeliveryHeard(DeliveryEvent, tag="delivery.heard", frozen=True):
    """A microphone at the station heard the siren."""

    path: str


class DeliveryAcknowledged(DeliveryEvent, tag="delivery.acknowledged", frozen=True):
    path: str


class DeliverySilenced(DeliveryEvent, tag="delivery.silenced", frozen=True):
    """The station itself ended its sound; the order stands."""

    path: str


class DeliveryRefused(DeliveryEvent, tag="delivery.refused", frozen=True):
    path: str
    reason: str


class DeliveryEnded(DeliveryEvent, tag="delivery.ended", frozen=True):
    """The station's siren was seen to be off again."""

    path: str


class DeliveryExpired(DeliveryEvent, tag="delivery.expired", frozen=True): ...


class DeliveryCancelled(DeliveryEvent, tag="delivery.cancelled", frozen=True): ...


class DeliveryFailed(DeliveryEvent, tag="delivery.failed", frozen=True):
    reason: str


class CardRaised(DeliveryEvent, tag="delivery.card_raised", frozen=True):
    """The last rung: a person must phone this station now."""

    phone: str
    reason: str
    wait_s: int = 0  # until the path that is slow will begin, for reasons "slow_sms" and "slow_voice"


class CardHandled(DeliveryEvent, tag="delivery.card_handled", frozen=True):
    """What came of a card, by the word of the person who phoned."""

    outcome: str  # model.CardOutcome
    text: str = ""


class DeliveryTestFailed(DeliveryEvent, tag="delivery.test_failed", frozen=True):
    """A person's test or drill did not get through to this station. Nobody has to be woken: it is no card."""

    reason: str


class DeliveryTold(DeliveryEvent, tag="delivery.told", frozen=True):
    """A text that belongs to the alert went out to the station: its words, all clear, false alarm."""

    path: str
    about: str  # model.About


class DeliveryUntold(DeliveryEvent, tag="delivery.untold", frozen=True):
    """Such a text did not go out to the station by any path: a person must say it."""

    about: str  # model.About
    reason: str


# Recipients beyond stations


class ContactEvent(Event, frozen=True):
    SUBJECT = ("alert", "contact")
    alert: str
    contact: str
    about: str  # model.About


class ContactAsked(ContactEvent, tag="contact.asked", frozen=True):
    path: str  # "sms", "voice"
    message: str = ""  # id of the text
    call: str = ""  # id of the call


class ContactDelivered(ContactEvent, tag="contact.delivered", frozen=True):
    path: str


class ContactAccepted(ContactEvent, tag="contact.accepted", frozen=True):
    path: str
    by: str  # "key", "text", or the actor who says so


class ContactDeclined(ContactEvent, tag="contact.declined", frozen=True):
    path: str
    by: str


class ContactFailed(ContactEvent, tag="contact.failed", frozen=True):
    """One way did not reach it; the next one is tried."""

    path: str
    reason: str


class ContactUnreached(ContactEvent, tag="contact.unreached", frozen=True):
    """No way reached it: a person must."""

    reason: str


class ContactSpared(ContactEvent, tag="contact.spared", frozen=True):
    """Another of its sequence had accepted."""

    accepted_by: str


class ContactCancelled(ContactEvent, tag="contact.cancelled", frozen=True):
    """It is asked no more."""

    reason: str  # "stopped", "told" (all clear or false alarm), "not_in_site"


class SequenceEvent(Event, frozen=True):
    SUBJECT = ("alert", "group")
    alert: str
    group: str


class SequenceTaken(SequenceEvent, tag="sequence.taken", frozen=True):
    """One of it has accepted; the others are told that they are not needed."""

    contact: str


class SequenceExhausted(SequenceEvent, tag="sequence.exhausted", frozen=True):
    """All were asked and nobody has accepted: a person must find somebody."""


class RecipientsTold(Event, tag="alert.told", frozen=True):
    """A person says all clear or false alarm to everybody who was told of the alert."""

    SUBJECT = ("alert",)
    alert: str
    about: str  # model.About
    text: str
    key: str = ""


class AnswerRefused(Event, tag="answer.refused", frozen=True):
    SUBJECT = ("station",)
    station: str
    reason: str
    path: str


class StationOnline(Event, tag="station.online", frozen=True):
    SUBJECT = ("station",)
    station: str
    session: str  # 16 hex digits
    path: str


class StationOffline(Event, tag="station.offline", frozen=True):
    SUBJECT = ("station",)
    station: str
    silent_s: float


# Sirens and buttons, at either end


class SirenEnergised(Event, tag="siren.energised", frozen=True):
    SUBJECT = ("output",)
    output: str
    order: str  # the alert's id; "" for a local press
    seconds: int
    why: str  # "ordered", "local"


class SirenReleased(Event, tag="siren.released", frozen=True):
    SUBJECT = ("output",)
    output: str
    why: str  # "ended", "stopped", "silenced", "annunciator_lost"


class ButtonPressed(Event, tag="button.pressed", frozen=True):
    SUBJECT = ("button",)
    button: str
    taken: bool  # False: the annunciator had already gone local


class ButtonBarred(Event, tag="button.barred", frozen=True):
    """The red button was pressed while its siren was locked out, and nobody took the press: nothing sounded.

    `on` False: so long ago that whoever pressed has been seen to, or not.
    """

    SUBJECT = ("button",)
    button: str
    on: bool


class InputChanged(Event, tag="input.changed", frozen=True):
    SUBJECT = ("input",)
    input: str
    active: bool


# Orders, at the station


class OrderAccepted(Event, tag="order.accepted", frozen=True):
    SUBJECT = ("alert",)
    alert: str
    action: str
    path: str
    issuer: int
    sequence: int
    seconds: int
    order: str  # the signed bytes, hex: what was acted upon can be proven
    alert_kind: str = "actual"  # model.AlertKind
    pattern: str = ""
    incident: int = 0
    zones: tuple[str, ...] = ()  # none: the whole station


class OrderBarred(Event, tag="order.barred", frozen=True):
    """An order that a lockout keeps silent here. People read it all the same, and may acknowledge it."""

    SUBJECT = ("alert",)
    alert: str
    path: str
    issuer: int
    seconds: int
    alert_kind: str = "actual"  # model.AlertKind
    pattern: str = ""
    incident: int = 0
    zones: tuple[str, ...] = ()  # none: the whole station


class OrderRefused(Event, tag="order.refused", frozen=True):
    SUBJECT = ("alert",)
    alert: str  # "" when not even that could be read
    path: str
    reason: str

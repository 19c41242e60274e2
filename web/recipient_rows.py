"""Everybody an order went to, a row each: where it stands, what proves it and when, who answered, what was told after.

The abnormal stand first; of a thousand only as many rows are drawn as a person can read, and all are counted.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from appliance.alert_state import ContactDelivery
from appliance.alert_view import ContactView
from appliance.model import AlertKind, ContactState, DeliveryState, Path
from appliance.stamp import Stamp
from appliance.state import Alert, Delivery
from web.scene import Mark, Scene, actor_words, grouped
from web.station_panel import delivery_mark

CONTACT_SHAPES = {
    ContactState.QUEUED: ("none", ""),
    ContactState.ASKED: ("sent", ""),
    ContactState.DELIVERED: ("half", ""),
    ContactState.ACCEPTED: ("ok", ""),
    ContactState.DECLINED: ("done", "p2"),
    ContactState.SPARED: ("done", "dim"),
    ContactState.UNREACHED: ("bad", "p1"),
    ContactState.CANCELLED: ("done", "dim"),
}
ORDERED = (  # of what a person has to look at first
    DeliveryState.FAILED, DeliveryState.REFUSED, DeliveryState.EXPIRED, DeliveryState.QUEUED, DeliveryState.SENT,
    DeliveryState.RECEIVED, DeliveryState.ENERGISED, DeliveryState.PROVEN, DeliveryState.ENDED,
    DeliveryState.CANCELLED,
)  # fmt: skip
CONTACTS_ORDERED = (
    ContactState.UNREACHED, ContactState.DECLINED, ContactState.QUEUED, ContactState.ASKED, ContactState.DELIVERED,
    ContactState.ACCEPTED, ContactState.SPARED, ContactState.CANCELLED,
)  # fmt: skip


class StationRow(NamedTuple):
    """Times are wall clock; empty where it did not happen. `phone`: the number that somebody must phone now."""

    id: str
    name: str
    mark: Mark
    paths: str
    energised: str
    proven: str
    acknowledged: str
    note: str
    phone: str
    came: str  # what came of its card, or that nobody has said


class ContactRow(NamedTuple):
    id: str
    name: str
    group: str
    mark: Mark
    by: str
    tries: str
    note: str
    phone: str


class Count(NamedTuple):
    mark: Mark
    many: int


def delivery_counts(scene: Scene, alert: Alert) -> list[Count]:
    """How many stations stand in each state, the worst first, without the reasons."""
    found, test = Counter(d.state for d in alert.deliveries.values()), alert.kind is not AlertKind.ACTUAL
    plain = [(delivery_mark(scene, Delivery("", state, alert.issued), test=test), found[state]) for state in ORDERED]
    return [Count(mark, count) for mark, count in plain if count]


def contact_counts(scene: Scene, alert: Alert) -> list[Count]:
    found = Counter(c.state for c in alert.contacts.values())
    return [Count(contact_mark(scene, state), found[state]) for state in CONTACTS_ORDERED if found[state]]


def worst_first(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Cards that wait before all, then by state; among equals in the plan's order."""
    return sorted(deliveries, key=lambda d: (not d.unhandled, ORDERED.index(d.state)))


def station_row(scene: Scene, alert: Alert, delivery: Delivery) -> StationRow:
    words = scene.words
    silent = alert.kind in (AlertKind.SILENT_TEST, AlertKind.DRILL)
    proofs = [
        f"{words(f'own.proof.{name}')} {clock}"
        for name, clock in (("current", _clock(scene, delivery.proven)), ("heard", _clock(scene, delivery.heard)))
        if clock
    ]
    acknowledged = _clock(scene, delivery.acknowledged)
    if acknowledged and delivery.by:
        acknowledged += f" · {words.code('path', delivery.by)}"
    notes = [words("delivery_silenced")] if delivery.silenced else []
    notes += _told(scene, delivery.told)
    if zones := alert.zones.get(delivery.station):
        notes.insert(0, words("orders.zones", zones=", ".join(zones)))
    return StationRow(
        delivery.station, scene.name(delivery.station),
        delivery_mark(scene, delivery, test=alert.kind is not AlertKind.ACTUAL), _paths(scene, delivery),
        "" if silent else _clock(scene, delivery.energised), " · ".join(proofs), acknowledged, " · ".join(notes),
        _card(scene, delivery) if alert.kind is AlertKind.ACTUAL else "",
        card_came(scene, delivery) if alert.kind is AlertKind.ACTUAL else "",
    )  # fmt: skip


def contact_row(scene: Scene, contact: ContactDelivery) -> ContactRow:
    words = scene.words
    tries = [
        f"{words.code('path', path)} {scene.clock(at)}" + (f" {words.code('contact.why', why)}" if why else "")
        for path, _, at, why in contact.tries
    ]
    by = _clock(scene, contact.since) if contact.state in (ContactState.ACCEPTED, ContactState.DECLINED) else ""
    if by and contact.by:
        by += f" · {words.code('contact.by', contact.by)}"
    if contact.state is ContactState.SPARED and contact.reason:
        by = words("orders.spared", who=name_of(scene, contact.reason))
    phone = ""
    if contact.state is ContactState.UNREACHED:
        phone = next((c.voice or c.sms for c in contacts_of(scene) if c.id == contact.contact), "")
    reason = words.code("contact.why", contact.reason) if contact.state is ContactState.UNREACHED else ""
    return ContactRow(
        contact.contact, name_of(scene, contact.contact), name_of(scene, contact.group) if contact.group else "",
        contact_mark(scene, contact.state), by, " · ".join(tries),
        " · ".join(filter(None, [reason, *_told(scene, contact.told)])),
        (grouped(phone) if scene.known else words("call.hidden_number", end=phone[-3:])) if phone else "",
    )  # fmt: skip


def contact_mark(scene: Scene, state: ContactState) -> Mark:
    shape, tone = CONTACT_SHAPES[state]
    return Mark(shape, scene.words.code("contact", state), tone)


def contacts_of(scene: Scene) -> tuple[ContactView, ...]:
    """Of the site; none while core has not said."""
    return scene.view.supervision.contacts if scene.view.supervision else ()


def name_of(scene: Scene, id: str) -> str:
    """A contact's, group's, station's or zone's name."""
    supervision = scene.view.supervision
    if supervision:
        known = {c.id: c.name for c in supervision.contacts} | {g.id: g.name for g in supervision.groups}
        if id in known:
            return known[id]
    station, _, zone = id.partition("/")
    return f"{scene.name(station)} · {zone}" if zone else scene.name(id)


def _clock(scene: Scene, at: Stamp | None) -> str:
    return scene.clock(at) if at is not None else ""


def _told(scene: Scene, told: dict[str, Stamp]) -> list[str]:
    return [f"{scene.words.code('about', about)} {scene.clock(at)}" for about, at in told.items()]


def _paths(scene: Scene, delivery: Delivery) -> str:
    """Each path once, with its first time; one that failed says so."""
    told: dict[Path, str] = {}
    for attempt in delivery.attempts:
        if attempt.action != "start":
            continue
        text = f"{scene.words.code('path', attempt.path)} {scene.clock(attempt.at)}"
        if attempt.failed:
            text += f" {scene.words.code('reason', attempt.failed)}"
        told.setdefault(attempt.path, text)
    return " · ".join(told.values())


def card_came(scene: Scene, delivery: Delivery) -> str:
    """What a record says of a card: who has handled it, how, when; or that nobody has said so."""
    words = scene.words
    if delivery.card is None:
        return ""
    raised = scene.clock(delivery.card)
    if delivery.handled is None:
        settled = not delivery.unhandled and delivery.state is not DeliveryState.CANCELLED
        return "" if settled else words("card.unhandled", raised=raised)
    told = words(
        "card.handled", raised=raised, outcome=words.code("card.outcome", delivery.outcome),
        who=actor_words(scene, delivery.handled.actor), clock=scene.clock(delivery.handled),
    )  # fmt: skip
    return f"{told}: {delivery.outcome_text}" if delivery.outcome_text else told


def _card(scene: Scene, delivery: Delivery) -> str:
    """The number to phone, until the station's own word or a person's settles it; the order's end does not."""
    if not delivery.unhandled:
        return ""
    phone = next((s.phone for s in scene.view.stations if s.id == delivery.station), None)
    return grouped(phone) if phone else scene.words("card.no_phone")

"""The page of orders: each with everybody it went to, and what a person says to all of them afterwards."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from appliance.alert_state import ContactDelivery
from appliance.model import AlertKind
from appliance.state import Alert, Delivery
from web.own_panel import what_of
from web.recipient_rows import (
    CONTACTS_ORDERED,
    ContactRow,
    Count,
    StationRow,
    contact_counts,
    contact_row,
    delivery_counts,
    name_of,
    station_row,
    worst_first,
)
from web.scene import Scene, actor_words

READ = 24  # stations of one order on the live page, the worst first; its own page has them all
LISTED = 100  # rows on one page of an order's record


class OrderRow(NamedTuple):
    """`test`: not the real thing. `hidden`: how many stations are not among `stations`."""

    id: str
    code: str
    test: bool
    open: bool
    kind: str
    what: str
    text: str
    with_what: str
    clock: str
    span: str
    who: str
    stopped: str
    told: tuple[str, ...]
    may_tell: bool
    counts: list[Count]
    stations: list[StationRow]
    hidden: int
    unhandled: int  # cards that wait for a person
    contact_counts: list[Count]
    contacts: list[ContactRow]


def orders_panel(scene: Scene) -> dict[str, Any]:
    return {"orders": [order_row(scene, alert, READ) for alert in sorted(scene.view.alerts, key=_first)]}


def _first(alert: Alert) -> tuple[bool, bool]:
    """What is open or waits for a person before what is over, the real before tests."""
    return alert.ended is not None and not alert.unhandled, alert.kind is not AlertKind.ACTUAL


def order_row(scene: Scene, alert: Alert, most: int) -> OrderRow:
    deliveries = worst_first(alert.deliveries.values())
    return _row(scene, alert, deliveries[:most], len(deliveries) - most, contacts_in_order(alert))


def contacts_in_order(alert: Alert) -> list[ContactDelivery]:
    return sorted(alert.contacts.values(), key=lambda c: CONTACTS_ORDERED.index(c.state))


def _row(
    scene: Scene, alert: Alert, deliveries: list[Delivery], hidden: int, contacts: list[ContactDelivery]
) -> OrderRow:
    words = scene.words
    test = alert.kind is not AlertKind.ACTUAL
    what = what_of(scene, alert.incident_code) if alert.incident_code else ""
    to = [name_of(scene, group) for group in alert.groups]
    with_what = [words.code("pattern", alert.pattern), words("seconds", seconds=alert.seconds),
                 words("orders.priority", priority=alert.priority), *to]  # fmt: skip
    if alert.paths:
        with_what.append(words("orders.only", paths=", ".join(words.code("path", p) for p in alert.paths)))
    told = tuple(
        words(
            "orders.told", what=words.code("own.told_short", t.about), clock=scene.clock(t.at), text=t.text,
            who=actor_words(scene, t.at.actor),
        ).strip(" ·")
        for t in alert.told
    )  # fmt: skip
    return OrderRow(
        alert.id, alert.id[:4].upper(), test, alert.ended is None, words.code("kind", alert.kind), what, alert.text,
        " · ".join(with_what), scene.clock(alert.issued), scene.span(alert.issued),
        actor_words(scene, alert.issued.actor), words("orders.stopped", clock=scene.clock(alert.stopped))
        if alert.stopped else "", told, not alert.told, delivery_counts(scene, alert),
        [station_row(scene, alert, d) for d in deliveries], max(0, hidden),
        sum(d.unhandled for d in alert.deliveries.values()) if alert.unhandled else 0, contact_counts(scene, alert),
        [contact_row(scene, c) for c in contacts],
    )  # fmt: skip


def order_record(scene: Scene, id: str, query: Mapping[str, str]) -> dict[str, Any] | None:
    """One order with all its stations, a page of them at a time; None when it is not known any more."""
    alert = next((a for a in scene.view.alerts if a.id == id), None)
    if alert is None:
        return None
    wanted, state = query.get("q", "").strip()[:40], query.get("state", "")[:20]
    found = [
        d for d in worst_first(alert.deliveries.values())
        if wanted.casefold() in scene.name(d.station).casefold() and state in ("", d.state)
    ]  # fmt: skip
    page = int(query["page"]) if query.get("page", "").isdecimal() and len(query["page"]) < 5 else 1
    shown = found[(page - 1) * LISTED : page * LISTED]
    row = _row(scene, alert, shown, 0, contacts_in_order(alert) if page == 1 else [])
    states = sorted({d.state for d in alert.deliveries.values()})
    return {
        "order": row, "q": wanted, "state": state, "states": states, "number": page, "found": len(found),
        "more": page * LISTED < len(found), "head": scene.view.head,
    }  # fmt: skip

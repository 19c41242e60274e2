"""The stations panel: by what each can be woken, and what is known of the order that is open for it.

Sent is not sounding, a relay that is on is not proven: each has its own shape and its own words.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from appliance.alert_state import Revoked
from appliance.model import AlertKind, DeliveryState
from appliance.reach import Wake, reach, supervised, wake
from appliance.state import Alert, Delivery
from appliance.view import StationView
from web.scene import Mark, Scene, grouped

SHAPES = {
    DeliveryState.QUEUED: ("none", ""),
    DeliveryState.SENT: ("sent", ""),
    DeliveryState.RECEIVED: ("half", ""),
    DeliveryState.ENERGISED: ("relay", ""),
    DeliveryState.PROVEN: ("sound", ""),
    DeliveryState.ENDED: ("done", "dim"),
    DeliveryState.REFUSED: ("bad", "p1"),
    DeliveryState.EXPIRED: ("bad", "p1"),
    DeliveryState.CANCELLED: ("done", "dim"),
    DeliveryState.FAILED: ("bad", "p1"),
}
MOST_TILES = 20  # that fit without scrolling; the page of stations has them all
ON = (DeliveryState.ENERGISED, DeliveryState.PROVEN)


class Tile(NamedTuple):
    """`extra`: what a person has to know besides; `phone`: the card's number when someone must phone now."""

    id: str
    name: str
    mark: Mark
    extra: str
    card: str
    phone: str
    loud: bool
    alert: str = ""


def station_panel(scene: Scene) -> dict[str, Any]:
    known = wakes(scene)
    stations, hidden = _read(scene, known)
    tiles = [_tile(scene, station, known[station.id]) for station in stations]
    reachable = sum(1 for found in known.values() if scene.live and found.proven)
    unproven = sum(1 for found in known.values() if found.why.startswith("sms_"))
    return {
        "tiles": tiles, "reachable": reachable, "unproven": unproven, "count": len(known), "hidden": hidden,
    }  # fmt: skip


def wakes(scene: Scene) -> dict[str, Wake]:
    """By station, by what it is proven that it can be woken."""
    seen = supervised(scene.view)
    return {s.id: wake(scene.view, s, seen.get(s.id), scene.now, scene.wall) for s in scene.view.stations}


def _read(scene: Scene, known: Mapping[str, Wake]) -> tuple[list[StationView], int]:
    """The stations that have a tile and how many have none: of more than fit, what a person has to look at."""
    stations = scene.view.stations
    if len(stations) <= MOST_TILES:
        return list(stations), 0
    ranks = {"p1": 0, "p2": 1, "p3": 2}

    def rank(station: StationView) -> tuple[bool, int, bool]:
        found = open_delivery(scene, station.id)
        mark = _reach_mark(scene, station, known[station.id]) if found is None else delivery_mark(scene, found[1])
        card = found is not None and found[1].unhandled
        return not card, ranks.get(mark.tone, 3), found is None

    shown = sorted(stations, key=rank)[:MOST_TILES]
    return shown, len(stations) - len(shown)


def open_delivery(scene: Scene, station: str) -> tuple[Alert, Delivery] | None:
    """The alert that a tile shows: a real one that is open, one that is over whose card waits, then a test."""
    found = [(a, a.deliveries[station]) for a in scene.view.alerts if station in a.deliveries]
    shown = [(a, d) for a, d in found if a.ended is None or (d.unhandled and a.kind is AlertKind.ACTUAL)]
    return min(shown, key=lambda x: (x[0].kind is not AlertKind.ACTUAL, x[0].ended is not None), default=None)


def _tile(scene: Scene, station: StationView, known: Wake) -> Tile:
    found = open_delivery(scene, station.id)
    mark = _reach_mark(scene, station, known)
    if found is None or not scene.live:
        return Tile(station.id, station.name, mark, "", "", "", station.sounding is True and scene.live)
    alert, delivery = found
    extra = [delivery_detail(scene, alert, delivery)]
    if alert.kind is not AlertKind.ACTUAL:
        extra.insert(0, f"{scene.words('own.test')} · {scene.words.code('kind', alert.kind)}")
    phone = card = ""
    if delivery.unhandled and alert.kind is AlertKind.ACTUAL:
        card = scene.words("card.phone_now")
        phone = grouped(station.phone) if station.phone else scene.words("card.no_phone")
    mark = delivery_mark(scene, delivery, test=alert.kind is not AlertKind.ACTUAL)
    return Tile(
        station.id, station.name, mark, " · ".join(filter(None, extra)), card, phone, delivery.state in ON, alert.id
    )


def delivery_mark(scene: Scene, delivery: Delivery, *, test: bool = False) -> Mark:
    """Shape, word and tone of a delivery's state; nothing of a test is red."""
    shape, tone = SHAPES[delivery.state]
    tone = "p2" if test and tone == "p1" else tone
    word = scene.words.code("delivery", delivery.state)
    if delivery.reason:
        word = f"{word}: {scene.words.code('reason', delivery.reason)}"
    return Mark(shape, word, tone)


def delivery_detail(scene: Scene, alert: Alert, delivery: Delivery) -> str:
    """When, by which path, acknowledged, silenced."""
    words = scene.words
    parts = []
    if delivery.state in (DeliveryState.SENT, DeliveryState.RECEIVED, DeliveryState.QUEUED):
        tries = dict.fromkeys(a.path for a in delivery.attempts if not a.failed)
        by = "+".join(words.code("path", p) for p in tries)
        parts.append(" ".join(filter(None, [by, scene.span(alert.issued)])))
    elif delivery.state in ON and delivery.energised:
        parts.append(scene.span(delivery.energised))
    if delivery.acknowledged:
        parts.append(words("delivery_ack", clock=scene.clock(delivery.acknowledged)))
    if delivery.silenced:
        parts.append(words("delivery_silenced"))
    return " · ".join(parts)


def revoked_words(scene: Scene, revoked: Revoked) -> str:
    """That its key is, by whom, when and why."""
    who = revoked.who or scene.words("station.somebody")
    told = scene.words("station.revoked", who=who, clock=scene.clock(revoked.at))
    return f"{told}: {revoked.why}" if revoked.why else told


def _reach_mark(scene: Scene, station: StationView, known: Wake) -> Mark:
    words = scene.words
    if not scene.live:
        return Mark("unknown", words("station.unknown_now"), "dim")
    if station.sounding:
        return Mark("relay", words("station.sounds_by_itself"), "p2")
    if station.revoked is not None:
        return Mark("bad", revoked_words(scene, station.revoked), "p1")
    if known.why == "locked_out":
        return Mark("pause", words("station.locked_out"), "p2")
    paths = reach(scene.view, station, scene.now)
    told = " · ".join(words.code("path", p) for p in paths)
    if station.local:
        return Mark("ok", words("station.local")) if paths else Mark("bad", words("station.local_lost"), "p1")
    contact = station.contact
    if paths and "mqtt" in paths:
        return Mark("ok", told)
    silent = scene.span(contact.since) if contact is not None and contact.since.seq else ""
    if known.proven:
        return Mark("half", words("station.sms_only", span=silent).strip(" ·"), "p3")
    if paths:
        return Mark("none", words("station.unproven", why=words.code("station.why", known.why)), "p2")
    return Mark("warn", words("station.silent", span=silent) if silent else words("station.never_heard"), "p1")

"""Open orders and the last events in words; codes come from the journal, words from here."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from appliance.incident_codes import incident
from appliance.state import Alert, Delivery
from appliance.view import EntryView
from web.alarm_panel import about_words
from web.plant_orders import proof_words, refusal_words
from web.recipient_rows import Count, contact_counts, delivery_counts, worst_first
from web.scene import Mark, Scene, actor_words
from web.station_panel import delivery_detail, delivery_mark
from web.words import Words

# The fields of an event's body that hold codes, and the group that has their words.
GROUPS = {
    "alert_kind": "kind",
    "path": "path",
    "pattern": "pattern",
    "reason": "reason",
    "why": "reason",
    "via": "via",
    "action": "action",
    "role": "role",
    "purpose": "purpose",
    "step": "recovery_step",
    "alarm": "alarm",
    "mode": "genset.mode",
    "registration": "line.why",
    "state": "sim_state",
    "networks": "networks",
    "layer": "layer",
    "code": "line.why",
    "what": "fallback.what",
    "figure": "start_figure",
    "item": "ready_item",
    "grade": "grade",
}
DECIMALS = {"litres_per_kwh": 2, "crank_s": 1, "up_s": 1, "dip_v": 1, "value": 1, "usual": 1}  # others have none
NAMED = (
    "contact",
    "accepted_by",
    "station",
    "line",
    "genset",
    "ups",
    "link",
    "output",
    "button",
    "input",
    "trunk",
    "agency",
    "device",
)
SECRET = ("text", "pdu", "order")  # never in the short words of a row
QUIET = (  # steps whose outcome has its own row
    "delivery.sent", "sms.part_received", "sms.queued", "sms.sending", "sms.sent", "sms.reported",
    "genset.run_noted",
)  # fmt: skip


ORDER_WORDS: dict[str, Callable[[Words, str], str]] = {
    "command": lambda words, code: words.code("offer.command", code),
    "why": lambda words, code: refusal_words(words, code),
    "proof": lambda words, proof: proof_words(words, proof),
    "word": lambda words, word: words("plant_order.by_device") if word == "device" else proof_words(words, word),
}
ABOUT, TEST = {"about": "about"}, {"what": "test.what", "reason": "test.why"}
# Codes of stations, contacts and tests: by event and field, the group that has their words.
ALERTING_WORDS: dict[str, dict[str, str]] = {
    **{f"contact.{k}": ABOUT | {"by": "contact.by", "reason": "contact.why"}
       for k in ("asked", "delivered", "accepted", "declined", "failed", "unreached", "spared", "cancelled")},
    "delivery.card_handled": {"outcome": "card.outcome"},
    "delivery.told": ABOUT, "delivery.untold": ABOUT, "alert.told": ABOUT, "order.text": ABOUT,
    "order.announced": ABOUT | {"outcome": "announced"},
    "station.health": {"faults": "fault"},
    "siren.locked": {"reason": ""}, "lockout.named": {"reason": ""},
    "lockout.set": {"reason": "lockout.reason", "who": "lockout.who"},
    "siren.unlocked": {"why": "lockout.why"}, "lockout.ended": {"why": "lockout.why"},
    "siren.lock_confirmed": {"locked": "lockout.is"},
    "siren.proof": {"proof": "own.proof"}, "siren.fault": {"fault": "fault", "on": "fault_is"},
    "order.acknowledged": {"by": "acknowledged_by"}, "order.ended": {"why": "own.why"},
    "test.begun": TEST, "test.missed": TEST, "test.announced": TEST,
    "test.result": TEST | {"good": "test.is"},
}  # fmt: skip
MOST_ROWS = 8  # stations of one order on the first page; the page of orders has more
NAMED_ALARMS = 2  # in one row; the message itself has them all


class DeliveryRow(NamedTuple):
    name: str
    mark: Mark
    detail: str


class AlertRow(NamedTuple):
    id: str
    code: str  # the id's first digits, as a person says them
    clock: str
    kind: str
    what: str
    who: str
    stopped: str
    deliveries: list[DeliveryRow]
    actual: bool
    text: str  # incident and words
    hidden: int  # stations without a row here
    counts: list[Count]  # of all stations, where not each has a row
    contacts: list[Count]
    told: str


class EventRow(NamedTuple):
    seq: int
    clock: str
    text: str


def alerts_panel(scene: Scene) -> dict[str, Any]:
    alerts = sorted((a for a in scene.view.alerts if a.ended is None), key=lambda a: a.kind != "actual")
    waiting = [
        (a.id, a.id[:4].upper(), sum(d.unhandled for d in a.deliveries.values()))
        for a in scene.view.alerts if a.ended is not None and a.unhandled
    ]  # fmt: skip
    return {"alerts": [_alert(scene, a) for a in alerts], "waiting": waiting}


def _alert(scene: Scene, alert: Alert) -> AlertRow:
    words = scene.words
    seconds = words("seconds", seconds=alert.seconds)
    deliveries = [
        DeliveryRow(
            scene.name(name), delivery_mark(scene, d, test=alert.kind != "actual"), delivery_detail(scene, alert, d)
        )
        for name, d in _read(alert)
    ]
    stopped = words("alert.stopped", clock=scene.clock(alert.stopped)) if alert.stopped else ""
    return AlertRow(
        alert.id, alert.id[:4].upper(), scene.clock(alert.issued), words.code("kind", alert.kind),
        f"{words.code('pattern', alert.pattern)} · {seconds}", actor_words(scene, alert.issued.actor), stopped,
        deliveries, alert.kind == "actual",
        " · ".join(filter(None, (incident_words(scene, alert.incident_code), alert.text))),
        len(alert.deliveries) - len(deliveries),
        delivery_counts(scene, alert) if len(deliveries) < len(alert.deliveries) else [], contact_counts(scene, alert),
        " · ".join(f"{words.code('own.told_short', t.about)} {scene.clock(t.at)}" for t in alert.told),
    )  # fmt: skip


def incident_words(scene: Scene, code: int) -> str:
    name = incident(code)
    return scene.words.code("incident", name) if name else ""


def _read(alert: Alert) -> list[tuple[str, Delivery]]:
    """The deliveries that have a row on the first page: all of a few, of many those that need a person."""
    if len(alert.deliveries) <= MOST_ROWS:
        return list(alert.deliveries.items())
    return [(d.station, d) for d in worst_first(alert.deliveries.values())[:MOST_ROWS]]


def events_panel(scene: Scene) -> dict[str, Any]:
    rows = [r for r in scene.view.last if r.kind not in QUIET]
    return {"events": [EventRow(r.seq, scene.words.clock(r.wall, scene.wall), event_text(scene, r)) for r in rows]}


def event_text(scene: Scene, row: EntryView) -> str:
    """A journal row in words. A kind that a later release wrote shows its code and subject."""
    key = f"event.{row.kind}"
    if not scene.words.has(key):
        return f"{row.kind} {row.subject}".strip()
    if row.kind == "order.accepted" and row.body.get("action") in ("lock", "unlock"):  # its seconds are minutes
        key = "own.lock_taken"
    if row.kind == "line.down" and not row.body.get("code"):  # written by a release that had but the driver's words
        row = msgspec.structs.replace(row, body=row.body | {"code": row.body.get("reason", "")})
    fields = {name: _field(scene, name, value, row.kind) for name, value in row.body.items() if name not in SECRET}
    try:
        text = scene.words(key, **fields)
    except KeyError:  # written by another release, which had other fields
        return f"{row.kind} {row.subject}".strip()
    actor = actor_words(scene, row.actor)
    return f"{text} · {actor}" if actor and row.kind != "person.logged_in" else text


def _field(scene: Scene, name: str, value: object, kind: str = "") -> str:
    words = scene.words
    if kind.startswith("power.order_") and name in ORDER_WORDS:
        return ORDER_WORDS[name](words, str(value))
    if kind == "alarm.notified":
        if name == "what":
            return words.code("board.what", value)
        if name == "alarms" and isinstance(value, list):
            return _alarms(scene, [str(key) for key in value])
        if name == "why":
            return words.code("board.told_why", value) if value else ""
    if name == "under":
        return words.code("alarm", str(value).partition("/")[0])
    if name == "number":
        return scene.number(None if value is None else str(value))
    if kind in ALERTING_WORDS and name in ALERTING_WORDS[kind]:
        return alerting_word(words, ALERTING_WORDS[kind][name], value)
    if name == "about":
        return about_words(scene, str(value)) or "-"
    if name in NAMED:
        return scene.name(str(value))
    if isinstance(value, list):
        return ", ".join(scene.name(str(v)) for v in value)
    if name in GROUPS:
        return words.code(GROUPS[name], value)
    if isinstance(value, float):
        return words.number(value, DECIMALS.get(name, 0))
    if value is None:
        return "-"
    return str(value)


def alerting_word(words: Words, group: str, value: object) -> str:
    """A code in words, or several; a group without a name: what a person wrote."""
    if isinstance(value, list):
        return ", ".join(words.code(group, v) for v in value) or "-"
    code = str(value).lower() if isinstance(value, bool) else str(value)
    return words.code(group, code) if group and code else code


def _alarms(scene: Scene, keys: list[str]) -> str:
    told = [scene.words.code("alarm", key.partition("/")[0]) for key in keys[:NAMED_ALARMS]]
    more = [scene.words("alarms.more", count=len(keys) - NAMED_ALARMS)] if len(keys) > NAMED_ALARMS else []
    return ", ".join([*told, *more])

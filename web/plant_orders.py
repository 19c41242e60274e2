"""Commands on the plant: what each device takes now, what stands in the way, and what came of the last ones."""

from typing import Any, NamedTuple

from appliance.power_order_state import PlantOrder
from appliance.power_view import Offer, PowerView
from web.scene import Mark, Scene
from web.words import Words

SHOWN = 6  # orders; the journal has them all
STATES = {
    "requested": ("none", ""),
    "sent": ("sent", ""),
    "accepted": ("half", ""),
    "proven": ("ok", ""),
    "failed": ("bad", "p1"),
}
OPEN = ("requested", "sent", "accepted")
UNITS = {"rpm": "rpm", "generator_hz": "Hz", "battery_v": "V"}
DIGITS = {"generator_hz": 1, "battery_v": 1}


class Button(NamedTuple):
    """One command. `name` is the device's as the page shows it; `why` what stands in the way, empty for nothing.

    `roles` in words, `allowed` their codes.
    """

    device: str
    command: str
    name: str
    word: str
    asks: str
    roles: str
    allowed: str
    why: str


class Group(NamedTuple):
    name: str
    buttons: tuple[Button, ...]


class OrderRow(NamedTuple):
    id: str
    mark: Mark
    text: str
    told: str
    when: str
    late: bool


def orders_panel(scene: Scene) -> dict[str, Any]:
    power = scene.view.power
    if power is None:
        return {"groups": (), "orders": ()}
    groups: dict[str, list[Button]] = {}
    for offer in power.offers:
        groups.setdefault(offer.device, []).append(_button(scene, offer))
    return {
        "groups": [Group(scene.name(device), tuple(buttons)) for device, buttons in groups.items()],
        "orders": [_order(scene, order) for order in power.orders[:SHOWN]],
    }


def orders_inputs(power: PowerView | None) -> object:
    return power and (power.offers, power.orders)


def _button(scene: Scene, offer: Offer) -> Button:
    words, name = scene.words, scene.name(offer.device)
    why = words.code("offer.why", offer.why) if offer.why else ""
    if not scene.live:
        why = words("core.silent")
    asks = f"offer.asks.{offer.command}"
    return Button(
        offer.device, offer.command, name, words.code("offer.command", offer.command),
        words(asks, device=name) if words.has(asks) else f"{words.code('offer.command', offer.command)} · {name}",
        ", ".join(words.code("person.role", role) for role in offer.roles), " ".join(offer.roles), why,
    )  # fmt: skip


def _order(scene: Scene, order: PlantOrder) -> OrderRow:
    words = scene.words
    shape, tone = STATES.get(order.state, ("unknown", ""))
    word = words.code("plant_order.state", order.state)
    told, late = [], False
    if order.state == "failed" and order.why:
        told.append(words.code("plant_order.why", order.why))
    if order.state == "failed" and order.proof:
        told.append(words("plant_order.instead", seen=proof_words(words, order.proof)))
    if order.state == "proven" and order.proof:
        told.append(proof_words(words, order.proof))
    if order.state in OPEN and order.due is not None:
        left = order.due - scene.now
        late = left < 0
        told.append(words("power.late" if late else "plant_order.due", span=words.span(abs(left))))
    if order.way and order.way != "modbus":
        told.append(words.code("plant_order.way", order.way))
    told.append(order.actor)
    text = f"{words.code('offer.command', order.command)} · {scene.name(order.device)}"
    return OrderRow(
        order.id, Mark(shape, word, tone), text, " · ".join(filter(None, told)), scene.clock(order.requested), late
    )


def proof_words(words: Words, proof: str) -> str:
    """ "engine_state=running" in words; also what stood in the way, which is a code without a value."""
    point, _, value = proof.partition("=")
    if not value and words.has(f"offer.why.{point}"):
        return words(f"offer.why.{point}")
    kinds = ("genset", "ups", "ats", "order")
    key = next((k for k in (f"point.{kind}.{point}" for kind in kinds) if words.has(k)), f"point.{point}")
    name = words(key) if words.has(key) else words.code("flag", point)
    group = {"mode": "genset.mode", "engine_state": "genset.engine", "self_test": "ups.self_test"}.get(point)
    told = {"True": words("flag_is.yes"), "False": words("flag_is.no")}.get(value) or (
        words.code(group, value) if group else _figure(words, point, value)
    )
    return f"{name}: {told}" if value else name


def refusal_words(words: Words, why: str) -> str:
    """Why an order has failed, or was refused: the codes of PlantOrderFailed, of Offer.why and of a person's right."""
    groups = ("plant_order.why", "offer.why", "plant_order.refused")
    return next((words(f"{g}.{why}") for g in groups if words.has(f"{g}.{why}")), why)


def _figure(words: Words, point: str, value: str) -> str:
    """A measured number as the page writes it, with the unit of what orders are proven by."""
    try:
        number = float(value)
    except ValueError:
        return value
    return f"{words.number(number, DIGITS.get(point, 0))} {UNITS.get(point, '')}".strip()

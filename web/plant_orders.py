"""Commands on the plant: what each device takes now, what stands in the way, and what came of the last ones."""

from typing import Any, NamedTuple

from appliance.power_order_state import PlantOrder
from appliance.power_view import Offer, PowerView
from web.scene import Mark, Scene

SHOWN = 6  # orders; the journal has them all
STATES = {
    "requested": ("none", ""),
    "sent": ("sent", ""),
    "accepted": ("half", ""),
    "proven": ("ok", ""),
    "failed": ("bad", "p1"),
}
OPEN = ("requested", "sent", "accepted")


class Button(NamedTuple):
    """One command. `name` is the device's as the page shows it; `why` what stands in the way, empty for nothing."""

    device: str
    command: str
    name: str
    word: str
    asks: str
    roles: str
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
        ", ".join(words.code("person.role", role) for role in offer.roles), why,
    )  # fmt: skip


def _order(scene: Scene, order: PlantOrder) -> OrderRow:
    words = scene.words
    shape, tone = STATES.get(order.state, ("unknown", ""))
    word = words.code("plant_order.state", order.state)
    told, late = [], False
    if order.state == "failed" and order.why:
        told.append(words.code("plant_order.why", order.why))
    if order.state == "proven" and order.proof:
        told.append(words("plant_order.proof", proof=_proof(scene, order.proof)))
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


def _proof(scene: Scene, proof: str) -> str:
    """ "engine_state=running" in words."""
    point, _, value = proof.partition("=")
    words = scene.words
    kinds = ("genset", "ups", "ats")
    key = next((k for k in (f"point.{kind}.{point}" for kind in kinds) if words.has(k)), f"point.{point}")
    name = words(key) if words.has(key) else words.code("flag", point)
    group = {"mode": "genset.mode", "engine_state": "genset.engine", "self_test": "ups.self_test"}.get(point)
    told = {"True": words("flag_is.yes"), "False": words("flag_is.no")}.get(value) or (
        words.code(group, value) if group else value
    )
    return f"{name}: {told}" if value else name

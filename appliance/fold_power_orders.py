"""The fold's part for orders to the plant."""

from appliance import power_order_events as po
from appliance.folding import Folds
from appliance.power_order_state import PlantOrder, RelayHeld
from appliance.stamp import Stamp
from appliance.state import State

FOLDS = Folds()
MOST_ORDERS = 50  # a month of them; the journal has them all


@FOLDS.of(po.PlantOrderRequested)
def _(s: State, e: po.PlantOrderRequested, at: Stamp) -> None:
    orders = s.plant_orders.orders
    orders[e.order] = PlantOrder(e.order, e.device, e.command, at.actor, "requested", at, at, key=e.key)
    over = (o.id for o in tuple(orders.values()) if o.over)
    while len(orders) > MOST_ORDERS and (oldest := next(over, None)) is not None:
        del orders[oldest]


@FOLDS.of(po.PlantOrderSent)
def _(s: State, e: po.PlantOrderSent, at: Stamp) -> None:
    if order := _move(s, e, "sent", at):
        order.way, order.due = e.way, at.mono + e.within_s


@FOLDS.of(po.PlantOrderAccepted)
def _(s: State, e: po.PlantOrderAccepted, at: Stamp) -> None:
    _move(s, e, "accepted", at)


@FOLDS.of(po.PlantOrderProven)
def _(s: State, e: po.PlantOrderProven, at: Stamp) -> None:
    if order := _move(s, e, "proven", at):
        order.proof, order.due = e.proof, None


@FOLDS.of(po.PlantOrderFailed)
def _(s: State, e: po.PlantOrderFailed, at: Stamp) -> None:
    if order := _move(s, e, "failed", at):
        order.why, order.proof, order.due = e.why, e.seen, None


@FOLDS.of(po.StartRelayHeld)
def _(s: State, e: po.StartRelayHeld, at: Stamp) -> None:
    s.plant_orders.relays[e.genset] = RelayHeld(e.output, e.order, at)


@FOLDS.of(po.StartRelayReleased)
def _(s: State, e: po.StartRelayReleased, at: Stamp) -> None:
    s.plant_orders.relays.pop(e.genset, None)


def _move(s: State, e: po.PlantOrderEvent, state: str, at: Stamp) -> PlantOrder | None:
    """An order that is over stays so."""
    order = s.plant_orders.orders.get(e.order)
    if order is None or order.over:
        return None
    order.state, order.since = state, at
    return order

"""Which orders a page gets: all that somebody has still to do something about, and the last of those that are over."""

from types import SimpleNamespace
from typing import Any

from appliance.make_view import MOST_ALERTS, MOST_DELIVERIES, ViewMaker
from appliance.model import AlertKind, DeliveryState, Role
from appliance.stamp import Stamp
from appliance.state import Alert, Delivery, State
from drivers.clock import Clock

MANY = 3 * MOST_ALERTS


def at(seconds: float) -> Stamp:
    return Stamp(seq=int(seconds), wall=seconds, mono=seconds, boot="b")


def alert(name: int, *, ended: bool, card: bool = False, stations: int = 1) -> Alert:
    made = Alert(f"{name}", AlertKind.ACTUAL, "wail", 60, 300, 0, (), "page", "", at(name))
    made.ended = at(name + 60) if ended else None
    for i in range(stations):
        state = DeliveryState.FAILED if ended else DeliveryState.SENT
        made.deliveries[f"s{i}"] = Delivery(f"s{i}", state, at(name), card=at(name) if card else None)
    return made


def view(*alerts: Alert) -> list[Alert]:
    """Those of a page, of what the state keeps: oldest first."""
    state = State()
    state.alerts = {a.id: a for a in alerts}
    site: Any = SimpleNamespace(
        role=Role.STATION, site="ambon", id="x", name="X", zone="WIT", language="id", trunk=None
    )
    journal: Any = SimpleNamespace(head=SimpleNamespace(hash=""), failed="", kept=0)
    return ViewMaker(
        site=site, state=state, journal=journal, clock=Clock(), quality=lambda: "ntp", power=None, lines=None,
        stations=list,
    )().alerts  # fmt: skip


def test_every_open_order_is_shown_however_many_there_are_the_newest_first() -> None:
    everything = [alert(n, ended=False) for n in range(MANY)]
    assert view(*everything) == everything[::-1]


def test_a_card_that_waits_for_somebody_is_not_pushed_out_by_newer_orders() -> None:
    waits = alert(1, ended=True, card=True)
    assert view(waits, *(alert(n, ended=False, stations=MOST_DELIVERIES) for n in range(2, MANY)))[-1] is waits


def test_of_those_that_are_over_the_last_few_are_shown_behind_what_is_open() -> None:
    over = [alert(n, ended=True) for n in range(MANY)]
    newest = over[: -MOST_ALERTS - 1 : -1]
    assert view(*over) == newest
    opened = alert(MANY, ended=False)
    assert view(*over, opened) == [opened, *newest[:-1]]
    assert view(alert(1, ended=True, stations=MOST_DELIVERIES + 1)) == []

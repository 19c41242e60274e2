"""Which order stands large on a station's screen, and which in the lines below it."""

from types import SimpleNamespace
from typing import Any, cast

from appliance.alert_state import OwnOrder
from appliance.alert_view import OwnView
from appliance.stamp import Stamp
from web.own_panel import shown
from web.scene import Scene

NOW = 1000.0
SCENE = cast(Scene, SimpleNamespace(since=lambda stamp: NOW - stamp.mono))


def at(mono: float) -> Stamp:
    return Stamp(seq=int(mono), wall=mono, mono=mono, boot="b")


def order(alert: str, came: float, **more: Any) -> OwnOrder:
    fields: dict[str, Any] = {"kind": "actual", "pattern": "wail", "incident": 1, "zones": (), "seconds": 60}
    return OwnOrder(alert=alert, path="mqtt", accepted=at(came), **fields | more)


def names(*orders: OwnOrder) -> list[str]:
    return [o.alert for o in shown(SCENE, OwnView("Damkar", (), orders))]


def test_who_acknowledges_what_sounds_keeps_its_place_before_an_old_order_that_nobody_saw() -> None:
    old = order("old", 100, ended=at(160))
    assert names(old, order("fire", 980)) == ["fire", "old"]
    assert names(old, order("fire", 980, acknowledged=at(990))) == ["fire", "old"]
    assert names(old, order("fire", 900, acknowledged=at(910), ended=at(960))) == ["fire", "old"]


def test_what_nobody_acknowledged_stands_before_what_came_earlier_or_still_sounds_beside_it() -> None:
    seen = order("seen", 900, acknowledged=at(910))
    assert names(seen, order("new", 950)) == ["new", "seen"]
    assert names(seen, order("new", 950, ended=at(960))) == ["new", "seen"]
    assert names(seen, order("long", 890, seconds=600)) == ["long", "seen"], "it sounds, and nobody has said they go"


def test_the_real_stands_before_a_test_and_what_the_centre_took_back_behind_what_stands() -> None:
    test = order("test", 990, kind="drill")
    back = order("back", 985, about="false_alarm")
    assert names(test, back, order("fire", 900, acknowledged=at(910))) == ["fire", "back", "test"]

"""`siaga alert list`: when an order was given, when each station sounded, acknowledged, and what came of its card."""

from zoneinfo import ZoneInfo

from appliance.cli_alert_rows import alert_rows
from appliance.model import AlertKind, DeliveryState, Role
from appliance.stamp import Stamp
from appliance.state import Alert, Delivery
from appliance.view import View

WIT = ZoneInfo("Asia/Jayapura")
NIGHT = 1_794_852_000.0  # 2026-11-17 03:00 WIT


def at(seconds: float, actor: str = "") -> Stamp:
    return Stamp(seq=1, wall=NIGHT + seconds, mono=seconds, boot="b", actor=actor)


def view(*alerts: Alert) -> View:
    return View(
        seq=1, head="", at=100.0, wall=NIGHT + 100.0, clock_quality="ntp", zone="WIT", speed=1.0, role=Role.CENTRE,
        site="s", id="c", name="C", language="id", version="", power=None, lines=[], trunk=None, trunk_watched=False,
        stations=[], alerts=list(alerts), sirens={}, alarms=[], calls=[], messages=[], links={}, disk_failed=None,
        disk_kept=0, last=[],
    )  # fmt: skip


def order(issued: float = 0.0) -> Alert:
    deliveries = {
        "damkar": Delivery("damkar", DeliveryState.PROVEN, at(3), "mqtt", energised=at(2), proven=at(3),
                           acknowledged=at(41)),
        "satpol": Delivery("satpol", DeliveryState.EXPIRED, at(60), card=at(15), card_reason="no_proof"),
        "bpbd": Delivery("bpbd", DeliveryState.EXPIRED, at(60), card=at(15), card_reason="no_path",
                         handled=at(70, "budi"), outcome="sent", outcome_text="mobil patroli"),
    }  # fmt: skip
    return Alert(
        "7c2f00aa00bb00cc", AlertKind.ACTUAL, "wail", 60, 300, 1, tuple(deliveries), "page", "", at(issued, "budi"),
        ended=at(62), deliveries=deliveries,
    )  # fmt: skip


def test_everything_in_the_list_has_its_time() -> None:
    assert alert_rows(view(order()), WIT) == [
        "7c2f00aa00bb00cc 03:00:00 by budi actual wail 60 s, ended 03:01:02",
        "  damkar               proven by mqtt 03:00:03, energised 03:00:02, acknowledged 03:00:41",
        "  satpol               expired 03:01:00, PHONE this station (no_proof, since 03:00:15)",
        "  bpbd                 expired 03:01:00, card: sent by budi 03:01:10 mobil patroli",
    ]


def test_an_order_of_another_day_has_its_day_and_no_orders_are_said_too() -> None:
    assert alert_rows(view(order(-86400.0)), WIT)[0].startswith("7c2f00aa00bb00cc 2026-11-16 03:00:00 by budi")
    assert alert_rows(view(), WIT) == ["No orders."]

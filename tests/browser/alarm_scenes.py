"""What the fake core shows of alarms: an outage with what follows from it, things put aside, and a flood."""

from collections.abc import Callable
from typing import Any

import msgspec
from scenes import Moment, blackout, calm

from appliance.alarm_state import Told
from appliance.alarm_view import AlarmsSummary, AlarmView, DutyNow, OutView, ShelfView
from appliance.view import View
from drivers.clock import Clock

NOTE = "Bagian Umum sudah ditelepon, teknisi datang 20 menit lagi"
HOURS = (0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 1, 6)


def outage(clock: Clock) -> View:
    """One mains failure is one alarm with its consequences under it; the set's failure counts by itself."""
    view, m = blackout(clock), Moment(clock)
    lost = "power.mains_lost/mains"
    view.alarms = [
        AlarmView("genset.fail_to_start", "g1", 1, m.ago(110), first_out=True, condition="unacknowledged", tell="duty",
                  told=[Told("Yanti Latuconsina", 1, "raised", m.ago(104), "cc01"),
                        Told("Rudi", 2, "escalated", m.ago(20), why="no_line")], below=1),
        AlarmView("genset.shut_down", "g1", 1, m.ago(109), under="genset.fail_to_start/g1", condition="suppressed"),
        AlarmView("power.mains_lost", "mains", 2, m.ago(206), m.ago(190, "budi"), NOTE, condition="acknowledged",
                  tell="duty", below=2),
        AlarmView("trunk.lost", "127.0.0.1", 2, m.ago(204), under=lost, condition="suppressed"),
        AlarmView("ups.link_lost", "ups/u1", 3, m.ago(203), under=lost, condition="suppressed"),
        AlarmView("sms.undelivered", "cc000140", 2, m.ago(40), condition="unacknowledged", latched=True),
        AlarmView("line.down", "l3", 3, m.ago(900), cleared=m.ago(300), condition="returned", chattering=4),
        AlarmView("clock.wrong", "clock", 3, m.ago(5000), condition="shelved", reason="GPS dipasang besok", by="sri",
                  shelved_until=clock.wall() + 3000),
    ]  # fmt: skip
    wall = clock.wall()
    view.alarm_summary = AlarmsSummary(
        unacknowledged=3, standing=4, suppressed=3,
        shelved=(ShelfView("clock.wrong", "clock", "GPS dipasang besok", "sri", wall - 600, wall + 3000,
            standing=True),),
        out=(OutView("line.credit_low", "", "kartu pascabayar, diurus kantor", "rani", wall - 90000, standing=0),),
        last_10min=6, hours=HOURS, sounding=True, rota=(DutyNow("Yanti Latuconsina", 1, on=True),
            DutyNow("Rudi", 2, on=False)),
    )  # fmt: skip
    return view


def flood(clock: Clock) -> View:
    """More than a person can read; the buzzer was silenced."""
    view, m = outage(clock), Moment(clock)
    for n in range(9):
        view.alarms.append(AlarmView("station.offline", f"s{n}", 3, m.ago(100 + n * 9), condition="unacknowledged"))
    view.alarm_summary = msgspec.structs.replace(
        view.alarm_summary, flood=True, flood_since=clock.wall() - 80, last_10min=17, hours=(*HOURS[:-1], 19),
        sounding=False, silenced_by="budi", unacknowledged=12,
    )  # fmt: skip
    return view


def quiet(clock: Clock) -> View:
    """Nothing stands, and the box has just started."""
    view = calm(clock)
    view.alarm_summary = AlarmsSummary(hours=(0,) * 24, quiet_start=True)
    return view


def alarm_log(clock: Clock, asked: dict[str, Any]) -> dict[str, Any]:
    """130 rows, newest first; the filters of event and alarm work."""
    kinds = (
        ("alarm.raised", {"alarm": "genset.fail_to_start", "about": "g1", "priority": 1, "first_out": True,
            "under": ""}, ""),
        ("alarm.acknowledged", {"alarm": "power.mains_lost", "about": "mains", "note": NOTE}, "budi"),
        ("alarm.suppressed", {"alarm": "trunk.lost", "about": "127.0.0.1", "under": "power.mains_lost/mains"}, ""),
        ("alarm.shelved", {"alarm": "clock.wrong", "about": "clock", "seconds": 3600,
            "reason": "GPS dipasang besok"}, "sri"),
        ("alarm.notified", {"person": "Rudi", "level": 2, "what": "escalated", "alarms": [], "message": "",
            "why": ""}, ""),
        ("alarm.cleared", {"alarm": "genset.fail_to_start", "about": "g1"}, ""),
    )  # fmt: skip
    rows = []
    for seq in range(130, 0, -1):
        kind, body, actor = kinds[seq % len(kinds)]
        row = {"seq": seq, "wall": clock.wall() - (131 - seq) * 900.0, "kind": kind, "subject": "", "actor": actor}
        rows.append(row | {"body": body})
    before = asked.get("before") or 1000
    found = [r for r in rows if r["seq"] < before and asked.get("what", r["kind"]) == r["kind"]]
    found = [r for r in found if str(r["body"].get("alarm", "")).startswith(asked.get("alarm", ""))]
    return {"rows": found[: asked["last"]], "more": len(found) > asked["last"]}


ALARM_SCENES: dict[str, Callable[[Clock], View]] = {"outage": outage, "flood": flood, "quiet": quiet}

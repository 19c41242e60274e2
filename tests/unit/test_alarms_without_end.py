"""Alarms that no event will ever end, and more alarms than anybody reads: the list stays true, short and alive."""

import time
from pathlib import Path

import msgspec
import pytest
from alarm_desk import Desk, raised

from appliance import alarm_events as ae
from appliance import alert_events as al
from appliance import events as ev
from appliance import power_events as pw
from appliance.alarms.alarm_machine import Condition
from appliance.config_power import Genset
from appliance.event import Event
from appliance.fold_alarms import MOST_ALARMS
from appliance.sms_events import SmsUndelivered

A_LINE = 1 << 20  # octets that a socket's line may have: all of a view goes in one
GONE: dict[str, tuple[Event, dict[str, object]]] = {
    "genset.not_in_auto/g1": (pw.GensetNotInAuto(genset="g1", mode="stop"), {"genset": ()}),
    "genset.link_lost/g1": (ev.LinkLost(link="genset/g1", reason="x"), {"genset": (Genset(id="g9", name="g"),)}),
    "ups.test_failed/u1": (pw.ReadyItemFailed(device="ups/u1", item="ups_test", why="failed"), {"ups": ()}),
    "power.mains_lost/mains": (pw.MainsLost(witnesses=1, by=("ups/u1",)), {"genset": (), "ups": ()}),
    "line.down/l1": (ev.LineDown(line="l1", reason="x"), {"line": ()}),
    "station.offline/damkar": (al.StationOffline(station="damkar", silent_s=9.0), {}),
    "broker.link_lost/broker": (ev.LinkLost(link="broker", reason="x"), {}),
    "siren.cut_short/horn": (al.SirenReleased(output="horn", why="annunciator_lost"), {}),
}


async def restarted(desk: Desk, **site: object) -> None:
    """Core begins again with another site file."""
    desk.site = msgspec.structs.replace(desk.site, **site)
    desk.start()
    await desk.run_for_a_moment()


@pytest.mark.parametrize(("name", "given"), GONE.items(), ids=list(GONE))
async def test_an_alarm_about_what_the_site_no_longer_has_is_over(
    name: str, given: tuple[Event, dict[str, object]]
) -> None:
    desk, (event, site) = Desk(), given
    code, _, about = name.partition("/")
    assert raised(code, desk.happens(event)) == 1
    await restarted(desk, **site)
    assert desk.told[-1] == ae.AlarmCleared(alarm=code, about=about, why="removed")
    assert desk.condition(code, about) is Condition.RETURNED_UNACKNOWLEDGED, "who has not seen it sees it still"
    desk.acknowledge(code, about)
    assert desk.state.alarms == {}


async def test_an_alarm_whose_row_left_the_catalogue_is_over_and_its_shelf_ends_by_itself(tmp_path: Path) -> None:
    old = tmp_path / "old.toml"
    old.write_text(
        '[[alarm]]\ncode = "a.b"\npriority = 2\nconsequence = "c"\naction = "d"\nabout = "x"\n'
        'raised_by = [{ event = "genset.running" }]\ncleared_by = [{ event = "genset.stopped" }]\n'
    )
    desk = Desk(old)
    desk.happens(pw.GensetRunning(genset="g1"))
    desk.append(ae.AlarmShelved(alarm="a.b", about="x", seconds=600, reason="known"), actor="budi")
    await restarted(desk)
    assert desk.told[-1] == ae.AlarmCleared(alarm="a.b", about="x", why="removed")
    assert ae.AlarmUnshelved(alarm="a.b", about="x", why="ended") in desk.passes(601)
    desk.acknowledge("a.b", "x")
    assert desk.state.alarms == {}


async def test_what_the_site_still_has_stands_through_a_restart() -> None:
    desk = Desk()
    desk.happens(
        pw.GensetNotInAuto(genset="g1", mode="stop"), ev.LinkLost(link="ups/u1", reason="x"),
        pw.MainsLost(witnesses=1, by=("ups/u1",)), ev.LineDown(line="l1", reason="x"),
        ev.LinkLost(link="annunciator", reason="x"), ev.TrunkLost(trunk="sip", reason="x"), ev.DiskFailed(reason="x"),
    )  # fmt: skip
    before = len(desk.told)
    await restarted(desk)
    assert desk.told[before:] == []


def undelivered(number: int, purpose: str = "text") -> SmsUndelivered:
    return SmsUndelivered(message=f"{number:08x}", number="+62811", purpose=purpose, reason="expired")


def test_what_is_over_and_unseen_is_bounded_and_what_stands_is_kept() -> None:
    desk = Desk()
    desk.happens(pw.MainsLost(witnesses=1, by=("ups/u1",)), ev.TaskDied(task="x", reason="y"))
    for number in range(5 * MOST_ALARMS):
        desk.append(undelivered(number))
        desk.append(
            ae.AlarmNotified(
                person="Budi", level=1, what="again", alarms=("power.mains_lost/mains",), message=f"{number:08x}"
            )
        )
    assert len(desk.state.alarms) == MOST_ALARMS
    assert desk.condition("power.mains_lost", "mains") is Condition.UNACKNOWLEDGED
    assert f"sms.undelivered/{5 * MOST_ALARMS - 1:08x}" in desk.state.alarms, "the newest is there"
    assert "system.task_died/x" not in desk.state.alarms, "the least urgent went first"
    began = time.process_time()
    views, summary = desk.alarms.views(), desk.alarms.summary()
    assert time.process_time() - began < 0.2
    assert len(msgspec.json.encode(views)) < A_LINE / 4
    assert summary.forgotten == 4 * MOST_ALARMS + 2
    for alarm in list(desk.state.alarms.values()):
        desk.acknowledge(alarm.alarm, alarm.about)
    assert desk.alarms.summary().forgotten == 0


def test_texts_to_those_on_duty_that_do_not_arrive_are_one_alarm_which_makes_no_text_of_its_own() -> None:
    desk = Desk()
    for number in range(50):
        desk.happens(undelivered(number, "notice"))
    assert list(desk.state.alarms) == ["duty.not_reached/duty"]
    assert desk.alarms.views()[0].tell == "page"

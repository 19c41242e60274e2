"""What hides, delays and counts alarms: limits, suppression by design, shelves, chatter, first-out, flood."""

from pathlib import Path

import pytest
from alarm_desk import Desk, raised

from appliance import alarm_events as ae
from appliance import alert_events as al
from appliance import events as ev
from appliance import power_events as pw
from appliance import station_events as st
from appliance.alarm_commands import (
    AlarmCommand,
    PutInService,
    ShelveAlarm,
    SilenceAlarms,
    TakeOutOfService,
    UnshelveAlarm,
)
from appliance.alarms.under_machine import LINGER
from appliance.entry import Entry
from appliance.events import encode_event
from appliance.fold import apply
from appliance.stamp import Stamp
from drivers.jsonsocket import Refusal

FUEL = "genset.fuel_low", "g1"
MAINS = "power.mains_lost", "mains"
LOST, RETURNED = pw.MainsLost(witnesses=2, by=("a", "b")), pw.MainsReturned(by=("a",))
BROKER_LOST, BROKER_BACK = ev.LinkLost(link="broker", reason="x"), ev.LinkRestored(link="broker")
OFFLINE = al.StationOffline(station="damkar", silent_s=9.0)
ONLINE = al.StationOnline(station="damkar", session="0" * 16, path="mqtt")


async def obey(desk: Desk, command: AlarmCommand) -> None:
    await desk.desk.obey(command, "budi")


def shown(desk: Desk) -> dict[str, str]:
    return {view.key: view.condition for view in desk.alarms.views()}


def test_a_limit_must_be_passed_for_a_while_and_is_over_only_behind_the_deadband() -> None:
    desk = Desk()
    desk.reads("genset", "g1", "fuel_level", 24.0)
    assert desk.passes(29) == []
    assert raised("genset.fuel_low", desk.passes(3)) == 1
    desk.reads("genset", "g1", "fuel_level", 27.0)
    assert desk.passes(60) == [], "back by less than the deadband"
    desk.reads("genset", "g1", "fuel_level", 29.0)
    assert ae.AlarmCleared(alarm="genset.fuel_low", about="g1") in desk.passes(35)


def test_a_limit_that_is_passed_for_a_moment_only_is_no_alarm() -> None:
    desk = Desk()
    for _ in range(5):
        desk.reads("genset", "g1", "fuel_level", 20.0)
        desk.passes(10)
        desk.reads("genset", "g1", "fuel_level", 40.0)
        desk.passes(2)
    assert desk.told == []


@pytest.mark.parametrize("quality", ["no_link", "stale", "sensor_fault"])
def test_a_reading_that_is_not_known_neither_raises_nor_clears(quality: str) -> None:
    desk = Desk()
    desk.reads("genset", "g1", "fuel_level", 0.0, quality)
    assert desk.passes(60) == []
    desk.reads("genset", "g1", "fuel_level", 20.0)
    desk.passes(40)
    desk.reads("genset", "g1", "fuel_level", 90.0, quality)
    desk.passes(60)
    assert desk.state.alarms["genset.fuel_low/g1"].cleared is None


def test_fuel_that_is_nearly_out_is_one_alarm_and_not_two() -> None:
    desk = Desk()
    desk.reads("genset", "g1", "fuel_level", 20.0)
    desk.passes(40)
    desk.reads("genset", "g1", "fuel_level", 8.0)
    desk.passes(40)
    assert shown(desk) == {"genset.fuel_critical/g1": "unacknowledged", "genset.fuel_low/g1": "suppressed"}


def test_what_follows_from_another_alarm_stands_under_it_and_is_not_counted() -> None:
    desk = Desk()
    desk.happens(BROKER_LOST)
    [told] = desk.happens(OFFLINE)
    assert isinstance(told, ae.AlarmRaised)
    assert told.under == "broker.link_lost/broker"
    assert shown(desk)["station.offline/damkar"] == "suppressed"
    assert desk.alarms.summary().last_10min == 1
    assert [view.below for view in desk.alarms.views() if view.alarm == "broker.link_lost"] == [1]


def test_a_consequence_that_came_first_goes_under_its_cause_when_that_is_seen() -> None:
    desk = Desk()
    desk.happens(OFFLINE)
    assert desk.happens(BROKER_LOST)[1:] == [
        ae.AlarmSuppressed(alarm="station.offline", about="damkar", under="broker.link_lost/broker")
    ]


def test_a_consequence_that_outlasts_its_cause_counts_by_itself_after_a_while() -> None:
    desk = Desk()
    desk.happens(BROKER_LOST, OFFLINE, BROKER_BACK)
    assert desk.passes(LINGER - 2) == []
    assert desk.passes(4) == [ae.AlarmReleased(alarm="station.offline", about="damkar")]
    assert desk.alarms.summary().last_10min == 2


def test_a_consequence_that_ends_with_its_cause_is_never_told_and_leaves_nothing_behind() -> None:
    desk = Desk()
    desk.happens(BROKER_LOST, OFFLINE, BROKER_BACK)
    desk.passes(5)
    desk.happens(ONLINE)
    assert desk.passes(60) == []
    assert list(desk.state.alarms) == ["broker.link_lost/broker"]


def test_what_is_out_of_service_explains_nothing() -> None:
    desk = Desk()
    desk.append(ae.AlarmOutOfService(alarm="broker.link_lost", about="", reason="broker moves"), actor="budi")
    desk.happens(BROKER_LOST, OFFLINE)
    assert shown(desk) == {"broker.link_lost/broker": "out_of_service", "station.offline/damkar": "unacknowledged"}


async def test_a_shelved_alarm_comes_back_as_new_when_its_time_is_over() -> None:
    desk = Desk()
    desk.happens(OFFLINE)
    await obey(desk, ShelveAlarm(alarm="station.offline", about="damkar", minutes=30, reason="antena diganti"))
    assert shown(desk) == {"station.offline/damkar": "shelved"}
    [shelf] = desk.alarms.summary().shelved
    assert (shelf.reason, shelf.by, shelf.standing) == ("antena diganti", "budi", True)
    assert desk.passes(1798) == []
    assert desk.passes(4) == [ae.AlarmUnshelved(alarm="station.offline", about="damkar", why="ended")]
    alarm = desk.state.alarms["station.offline/damkar"]
    assert alarm.announced
    assert alarm.announced.seq > alarm.raised.seq


async def test_a_shelf_lasts_through_a_restart_and_through_clearing_and_ends_by_a_person() -> None:
    desk = Desk()
    desk.happens(OFFLINE)
    await obey(desk, ShelveAlarm(alarm="station.offline", about="damkar", minutes=30, reason="antena diganti"))
    desk.happens(ONLINE)
    desk.start()
    desk.happens(OFFLINE)
    assert shown(desk) == {"station.offline/damkar": "shelved"}
    await obey(desk, UnshelveAlarm(alarm="station.offline", about="damkar"))
    assert shown(desk) == {"station.offline/damkar": "unacknowledged"}


async def test_what_is_not_there_cannot_be_shelved_and_what_is_unknown_not_taken_out_of_service() -> None:
    desk = Desk()
    with pytest.raises(Refusal, match="no alarm"):
        await obey(desk, ShelveAlarm(alarm="station.offline", about="damkar", minutes=30, reason="antena"))
    with pytest.raises(Refusal, match="no alarm"):
        await obey(desk, TakeOutOfService(alarm="no.such", reason="rusak"))


async def test_out_of_service_lasts_until_a_person_ends_it() -> None:
    desk = Desk()
    await obey(desk, TakeOutOfService(alarm="station.offline", reason="stasiun dibangun"))
    desk.happens(OFFLINE)
    desk.passes(3600)
    assert shown(desk) == {"station.offline/damkar": "out_of_service"}
    assert desk.alarms.summary().last_10min == 0
    await obey(desk, PutInService(alarm="station.offline"))
    assert shown(desk) == {"station.offline/damkar": "unacknowledged"}
    assert desk.alarms.summary().last_10min == 1


def test_what_comes_and_goes_is_one_alarm_until_it_is_quiet() -> None:
    desk, told = Desk(), []
    for _ in range(20):
        told += desk.happens(OFFLINE)
        told += desk.passes(5)
        told += desk.happens(ONLINE)
        told += desk.passes(5)
    assert raised("station.offline", told) == 3
    assert next(e for e in told if isinstance(e, ae.AlarmChattering)).count == 3
    assert desk.state.alarms["station.offline/damkar"].chattering == 3
    assert ae.AlarmCleared(alarm="station.offline", about="damkar") in desk.passes(60)


def test_of_a_group_the_first_is_marked_until_all_are_normal() -> None:
    desk = Desk()
    failed = pw.GensetFailedToStart(genset="g1", reason="deadline")
    firsts = [e.first_out for e in desk.happens(LOST, failed) if isinstance(e, ae.AlarmRaised)]
    assert firsts == [True, False]
    desk.happens(RETURNED, pw.GensetReady(genset="g1"))
    desk.acknowledge(*MAINS)
    desk.acknowledge("genset.fail_to_start", "g1")
    assert [e.first_out for e in desk.happens(failed) if isinstance(e, ae.AlarmRaised)] == [True]


def test_ten_alarms_in_ten_minutes_are_a_flood_until_fewer_than_five_are() -> None:
    desk = Desk()
    for number in range(9):
        desk.happens(ev.TaskDied(task=f"t{number}", reason="x"))
    assert desk.passes(2) == []
    desk.happens(ev.TaskDied(task="t9", reason="x"))
    assert desk.passes(1) == [ae.AlarmsFlooding(count=10)]
    assert desk.alarms.summary().flood
    assert desk.passes(590) == []
    assert desk.passes(20) == [ae.AlarmFloodOver(count=1)]
    assert sum(desk.alarms.summary().hours) == 10


def test_a_cause_that_waited_when_core_died_waits_on_after_its_restart(tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text("""[[alarm]]
code = "station.offline"
priority = 2
raised_by = [{ event = "station.offline" }]
cleared_by = [{ event = "station.online" }]
on_delay_s = 30
subject = ["station"]
consequence = "c"
action = "a"
""")
    desk = Desk(catalogue)
    desk.happens(OFFLINE)
    assert desk.passes(20) == []
    desk.start(catalogue)
    assert raised("station.offline", desk.passes(9)) == 0
    assert raised("station.offline", desk.passes(2)) == 1


def test_a_limit_that_is_still_passed_after_a_restart_waits_anew() -> None:
    desk = Desk()
    desk.reads("genset", "g1", "fuel_level", 20.0)
    desk.passes(20)
    desk.start()
    assert raised("genset.fuel_low", desk.passes(29)) == 0
    assert raised("genset.fuel_low", desk.passes(3)) == 1


async def test_silence_lasts_until_a_new_alarm() -> None:
    desk = Desk()
    desk.passes(31)
    desk.happens(LOST)
    assert [a.alarm for a in desk.alarms.audible()] == ["power.mains_lost"]
    await obey(desk, SilenceAlarms())
    assert desk.alarms.audible() == []
    assert desk.alarms.lamp(), "silence acknowledges nothing"
    assert desk.alarms.summary().silenced_by == "budi"
    desk.happens(OFFLINE)
    assert [a.alarm for a in desk.alarms.audible()] == ["station.offline"]
    desk.acknowledge("station.offline", "damkar")
    assert desk.alarms.audible() == []


def test_a_box_that_has_just_started_is_quiet_for_a_while_and_then_tells_what_still_stands() -> None:
    desk = Desk()
    desk.happens(LOST, OFFLINE, ONLINE)
    assert desk.alarms.audible() == []
    desk.passes(31)
    assert [a.alarm for a in desk.alarms.audible()] == ["power.mains_lost"]


def test_a_shelf_of_a_clock_that_was_hours_ahead_ends_in_its_time_after_the_box_was_started_again() -> None:
    """A clock kept in local time is nine hours ahead in WIT until the network has been asked."""
    desk, before = Desk(), Entry.before_first()
    event = ae.AlarmShelved(alarm="power.mains_lost", about="mains", seconds=1800, reason="known")
    desk.happens(LOST)
    apply(
        desk.state,
        Entry.after(
            before, wall=desk.clock.wall() + 9 * 3600, mono=5000.0, boot="before", quality="unknown", kind=event.kind,
            subject=event.subject, actor="budi", cause=None, body=encode_event(event),
        ),
    )  # fmt: skip
    assert shown(desk) == {"power.mains_lost/mains": "shelved"}
    assert ae.AlarmUnshelved(alarm="power.mains_lost", about="mains", why="ended") in desk.passes(1801)


def test_of_an_earlier_boot_a_stamp_is_at_least_as_old_as_this_one_and_within_a_boot_no_step_of_clocks_counts() -> None:
    stamp = Stamp(1, wall=9 * 3600.0, mono=5000.0, boot="before")
    assert stamp.age(now=60.0, wall=60.0, boot="now") == 60.0
    assert stamp.age(now=60.0, wall=10 * 3600.0, boot="now") == 3600.0
    assert stamp.age(now=5060.0, wall=0.0, boot="before") == 60.0


def test_a_second_lockout_in_the_place_of_the_first_leaves_no_alarm_behind() -> None:
    desk = Desk()
    for lock in ("1a", "2b"):
        desk.happens(st.LockoutSet(lock=lock, minutes=6, until=0.0, reason="other", who="centre"))
    assert list(shown(desk)) == ["siren.locked_here/siren"]
    desk.happens(st.LockoutEnded(lock="2b", why="centre"))
    assert set(shown(desk).values()) == {"returned"}

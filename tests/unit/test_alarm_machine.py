"""Alarms: each state of ISA-18.2 by its events, the shipped catalogue, and a box whose catalogue cannot be read."""

from pathlib import Path

import pytest
from alarm_desk import Desk, raised

from appliance import alarm_events as ae
from appliance import alert_events as al
from appliance import call_events as ce
from appliance import events as ev
from appliance import key_events as ke
from appliance import line_events as le
from appliance import power_events as pw
from appliance import power_order_events as po
from appliance import sms_events as sms
from appliance import station_events as st
from appliance import trunk_events as tr
from appliance.alarms.alarm_machine import Cause, Condition, Row, wanted
from appliance.alarms.catalogue import CATALOGUE, CatalogueError, load_catalogue
from appliance.alerting.wire_health import Fault
from appliance.event import Event
from appliance.supervision.health_machine import CLOCK_SKEW, LOCKED_THERE
from drivers.jsonsocket import Refusal

MAINS = "power.mains_lost", "mains"
LOST, RETURNED = pw.MainsLost(witnesses=2, by=("a", "b")), pw.MainsReturned(by=("a",))


def test_an_alarm_goes_through_every_state_and_is_then_forgotten() -> None:
    desk = Desk()
    assert desk.condition(*MAINS) is Condition.NORMAL
    assert desk.happens(LOST) == [ae.AlarmRaised(alarm="power.mains_lost", about="mains", priority=2, first_out=True)]
    assert desk.condition(*MAINS) is Condition.UNACKNOWLEDGED
    desk.acknowledge(*MAINS)
    assert desk.condition(*MAINS) is Condition.ACKNOWLEDGED
    assert desk.happens(RETURNED) == [ae.AlarmCleared(alarm="power.mains_lost", about="mains")]
    assert desk.condition(*MAINS) is Condition.NORMAL
    assert desk.state.alarms == {}


def test_an_alarm_that_is_over_stays_until_a_person_has_seen_it() -> None:
    desk = Desk()
    desk.happens(LOST, RETURNED)
    assert desk.condition(*MAINS) is Condition.RETURNED_UNACKNOWLEDGED
    desk.acknowledge(*MAINS)
    assert desk.state.alarms == {}


def test_an_alarm_that_comes_again_is_raised_again_and_new() -> None:
    desk = Desk()
    desk.happens(LOST, RETURNED)
    assert len(desk.happens(LOST)) == 1
    assert desk.condition(*MAINS) is Condition.UNACKNOWLEDGED


def test_what_stands_is_not_raised_twice_nor_cleared_twice_also_after_a_restart() -> None:
    desk = Desk()
    assert len(desk.happens(LOST, LOST)) == 1
    desk.start()
    assert desk.happens(LOST) == []
    assert len(desk.happens(RETURNED, RETURNED)) == 1


def test_an_acknowledgement_names_who_gave_it_and_counts_once() -> None:
    desk = Desk()
    desk.happens(LOST)
    said = desk.acknowledge(*MAINS, note="PLN sudah dihubungi")
    assert (said["repeated"], said["now"]) == (False, "acknowledged")
    alarm = desk.state.alarms["power.mains_lost/mains"]
    assert alarm.acknowledged
    assert (alarm.acknowledged.actor, alarm.note) == ("operator", "PLN sudah dihubungi")
    told = len(desk.told)
    assert desk.acknowledge(*MAINS)["repeated"]
    assert len(desk.told) == told


def test_an_alarm_that_nobody_raised_cannot_be_acknowledged() -> None:
    with pytest.raises(Refusal, match=r"no alarm power\.mains_lost"):
        Desk().acknowledge(*MAINS)


def test_what_has_no_end_is_over_at_once_and_stays_unseen_once() -> None:
    desk = Desk()
    died = ev.TaskDied(task="lines", reason="ValueError")
    assert [e.kind for e in desk.happens(died)] == ["alarm.raised", "alarm.cleared"]
    assert desk.happens(died, died) == []
    desk.acknowledge("system.task_died", "lines")
    assert len(desk.happens(died)) == 2


def test_the_last_line_to_go_down_is_worth_more_than_the_first() -> None:
    desk = Desk()
    first, last = (desk.happens(ev.LineDown(line=line, reason="x"))[0] for line in ("l1", "l2"))
    assert first == ae.AlarmRaised(alarm="line.down", about="l1", priority=3)
    assert last == ae.AlarmRaised(alarm="line.down", about="l2", priority=2)
    alone = Desk(lines=("l1",)).happens(ev.LineDown(line="l1", reason="x"))
    assert alone == [ae.AlarmRaised(alarm="line.down", about="l1", priority=2)]


STATION_FAULTS = {
    "siren_stuck": 1, "press_barred": 1, "siren_line": 2,
    "no_current": 2, "not_heard": 2, "annunciator": 2, "supply_low": 2,
    "tamper": 2,
    "centre_silent": 2, "on_battery": 3, "door": 3, "disk": 3, "modem": 3, "broker": 3, "clock": 3, "clock_skew": 3,
    "audio": 3, "key_old": 3, "button_stuck": 3, "locked_there": 3,
}  # fmt: skip
CARD = {"alert": "0123456789abcdef", "station": "damkar"}
PERSON = {"alert": "aa", "contact": "rsud", "about": "announce"}
CASES: list[tuple[Event, str, str, int, Event]] = [
    (pw.GensetFailedToStart(genset="g1", reason="controller"), "genset.fail_to_start", "g1", 1,
     pw.GensetRunning(genset="g1")),
    (pw.GensetFailedToStart(genset="g1", reason="deadline"), "genset.fail_to_start", "g1", 1,
     pw.GensetReady(genset="g1")),
    (pw.GensetShutDown(genset="g1", reason="overspeed"), "genset.shut_down", "g1", 1, pw.GensetReady(genset="g1")),
    (pw.GensetNotInAuto(genset="g1", mode="stop"), "genset.not_in_auto", "g1", 2, pw.GensetInAuto(genset="g1")),
    (ev.LinkLost(link="genset/g1", reason="x"), "genset.link_lost", "g1", 2, ev.LinkRestored(link="genset/g1")),
    (ev.LinkLost(link="ups/u1", reason="x"), "ups.link_lost", "u1", 2, ev.LinkRestored(link="ups/u1")),
    (ev.LinkLost(link="meter/m1", reason="x"), "meter.link_lost", "m1", 3, ev.LinkRestored(link="meter/m1")),
    (pw.GensetNotTakingLoad(genset="g1", reason="breaker_open"), "genset.not_taking_load", "g1", 1,
     pw.GensetOnLoad(genset="g1")),
    (pw.GensetFuelFalling(genset="g1", was=60.0, now=56.0, minutes=90.0), "genset.fuel_falling", "g1", 2,
     pw.GensetFuelSteady(genset="g1")),
    (pw.GensetStartDrifted(genset="g1", figure="up_s", value=20.0, usual=9.0), "genset.start_drifted", "g1", 3,
     pw.GensetStartUsual(genset="g1")),
    (pw.GensetExerciseOverdue(genset="g1", days=32), "genset.exercise_overdue", "g1", 3,
     pw.GensetRunEnded(genset="g1", why="exercise", grade="passed", minutes=31.0, minutes_loaded=30.0, load_mean=40.0,
                       load_most=45.0, fuel_from=None, fuel_to=None, kwh=None)),
    *((pw.ReadyItemFailed(device=device, item=item, why="low"), alarm, device[-2:], priority,
       pw.ReadyItemGood(device=device, item=item)) for device, item, alarm, priority in (
        ("genset/g1", "charger", "genset.charger_off", 2), ("genset/g1", "battery", "genset.battery_low", 2),
        ("genset/g1", "battery_dip", "genset.battery_weak", 3), ("ups/u1", "ups_battery", "ups.battery_bad", 2),
        ("ups/u1", "ups_test", "ups.test_failed", 2))),
    (ev.LinkLost(link="annunciator", reason="x"), "annunciator.link_lost", "annunciator", 1,
     ev.LinkRestored(link="annunciator")),
    (ev.LinkLost(link="broker", reason="x"), "broker.link_lost", "broker", 2, ev.LinkRestored(link="broker")),
    (pw.MainsSuspected(by="ups/u1"), "power.mains_suspected", "mains", 3, LOST),
    (ev.LineDown(line="l1", reason="x"), "line.down", "l1", 3, ev.LineUp(line="l1", modem="m")),
    (le.LineUnstable(line="l1", falls=3, minutes=10.0), "line.unstable", "l1", 3, le.LineSteadied(line="l1", up=True)),
    (ev.LineUnregistered(line="l1", registration="denied"), "line.no_network", "l1", 3, ev.LineRegistered(line="l1")),
    (ev.LineUnregistered(line="l1", registration="denied"), "line.no_network", "l1", 3,
     ev.LineDown(line="l1", reason="x")),
    (ev.SimBad(line="l1", state="pin", reason="pin_refused"), "line.sim", "l1", 3, ev.SimGood(line="l1")),
    (ev.CreditLow(line="l1", why="validity", days=3), "line.credit_low", "l1", 3, ev.CreditEnough(line="l1")),
    (ev.CreditLow(line="l1", why="credit", days=0), "line.credit_low", "l1", 3, ev.CreditPostpaid(line="l1")),
    (ev.CreditUnknown(line="l1", reason="refused"), "line.credit_unknown", "l1", 3,
     ev.CreditSeen(line="l1", rupiah=0, until="", text="")),
    (ev.ClockWrong(offset_s=300.0, by=("l1",)), "clock.wrong", "clock", 3, ev.ClockRight()),
    (ev.SmsMemoryFilling(line="l1", memory="SM", used=40, total=50), "line.sms_memory", "l1/SM", 2,
     ev.SmsMemoryFreed(line="l1", memory="SM", used=39, total=50)),
    (ev.LinkLost(link="audio", reason="x"), "sound.audio_down", "audio", 2, ev.LinkRestored(link="audio")),
    (ev.LinkLost(link="tls", reason="x"), "web.tls_down", "tls", 3, ev.LinkRestored(link="tls")),
    (ce.CallSound(line="l1", call="a", end="line", what="silent"), "sound.line_silent", "l1", 2,
     ce.CallSound(line="l1", call="b", end="line", what="heard")),
    (ce.CallSound(line="l1", call="a", end="line", what="lost", why="unplugged"), "sound.line_silent", "l1", 2,
     ce.CallSound(line="l1", call="a", end="line", what="back")),
    (ce.CallSound(line="l1", call="a", end="line", what="lost", why="unplugged"), "sound.line_silent", "l1", 2,
     ev.CallEnded(line="l1", call="a", seconds=4.0, reason="line_lost")),
    (ce.CallSound(line="l1", call="a", end="person", what="lost"), "sound.person_lost", "l1", 2,
     ce.CallSound(line="l1", call="a", end="person", what="back")),
    (ce.VoiceProven(line="l1", other="l2", ok=False, why="one_way"), "line.voice_unproven", "l2", 2,
     ce.VoiceProven(line="l1", other="l2", ok=True)),
    (ev.TrunkLost(trunk="sip", reason="x"), "trunk.lost", "sip", 2, ev.TrunkRestored(trunk="sip")),
    (tr.TrunkDegraded(trunk="sip", layer="loss", reason="loss"), "trunk.degraded", "sip", 3,
     tr.TrunkSteady(trunk="sip")),
    (tr.TrunkDegraded(trunk="sip", layer="dns", reason="x"), "trunk.degraded", "sip", 3,
     ev.TrunkLost(trunk="sip", reason="x")),
    (ce.FallbackDeclared(why="trunk"), "fallback.declared", "trunk", 1, ce.FallbackOver(why="restored")),
    (al.StationOffline(station="damkar", silent_s=9.0), "station.offline", "damkar", 2,
     al.StationOnline(station="damkar", session="0" * 16, path="mqtt")),
    (al.CardRaised(**CARD, phone="", reason="no_proof"), "delivery.card", "0123456789abcdef/damkar", 1,
     al.DeliveryEnergised(**CARD, path="sms", remaining_s=60)),
    *((al.CardRaised(**CARD, phone="", reason="expired"), "delivery.card", "0123456789abcdef/damkar", 1, over)
      for over in (al.CardHandled(**CARD, outcome="reached"), al.DeliveryAcknowledged(**CARD, path="sms"))),
    (al.DeliveryTestFailed(**CARD, reason="not_allowed"), "delivery.test_failed", "0123456789abcdef/damkar", 3,
     al.DeliveryFailed(**CARD, reason="not_allowed")),
    (al.SequenceExhausted(alert="aa", group="rs"), "sequence.exhausted", "aa/rs", 1,
     al.SequenceTaken(alert="aa", group="rs", contact="rsud")),
    (al.ContactUnreached(**PERSON, reason="no_answer"), "contact.unreached", "aa/rsud", 2,
     al.ContactAccepted(**PERSON, path="sms", by="text")),
    (al.ContactUnreached(**PERSON | {"about": "all_clear"}, reason="no_line"), "contact.unreached", "aa/rsud", 2,
     al.ContactDelivered(**PERSON | {"about": "all_clear"}, path="sms")),
    (al.DeliveryUntold(**CARD, about="all_clear", reason="no_path"), "delivery.untold", "0123456789abcdef/damkar", 2,
     al.DeliveryTold(**CARD, path="mqtt", about="all_clear")),
    (al.SirenReleased(output="siren", why="annunciator_lost"), "siren.cut_short", "siren", 1,
     al.SirenEnergised(output="siren", order="", seconds=60, why="ordered")),
    (st.SirenFault(output="siren", fault="stuck", on=True), "relay.stuck", "siren", 1,
     st.SirenFault(output="siren", fault="stuck", on=False)),
    *((st.StationFault(station="damkar", fault=fault, on=True), f"station.{fault}", "damkar", priority,
       st.StationFault(station="damkar", fault=fault, on=False)) for fault, priority in STATION_FAULTS.items()),
    (st.SirenLocked(station="damkar", lock="0", minutes=60, until=0.0, reason="x"), "siren.locked_out", "damkar", 3,
     st.SirenUnlocked(station="damkar", lock="0", why="ended")),
    (st.StationTestMissed(what="silent", due="x", reason="not_running"), "test.missed", "silent", 2,
     st.StationTestBegun(test="0", what="silent", due="y", stations=(), paths=())),
    *((st.StationTestResult(test="0", station="damkar", path=path, good=False, reason="no_answer"), alarm, about,
       priority, st.StationTestResult(test="1", station="damkar", path=path, good=True))
      for path, alarm, about, priority in (
        ("siren", "test.siren_silent", "damkar", 2), ("mqtt", "test.path_failed", "damkar/mqtt", 3),
        ("sms", "test.path_failed", "damkar/sms", 3), ("voice", "test.path_failed", "damkar/voice", 3))),
    *((st.SirenFault(output="siren", fault=fault, on=True), code, "siren", priority,
       st.SirenFault(output="siren", fault=fault, on=False)) for fault, code, priority in (
        ("line", "siren.line_failed", 1), ("no_current", "siren.no_current", 2), ("not_heard", "siren.not_heard", 2))),
    (st.LockoutSet(lock="10c4", minutes=60, until=0.0, reason="siren_repair", who="centre"), "siren.locked_here",
     "siren", 3, st.LockoutEnded(lock="10c4", why="time")),
    (al.ButtonBarred(button="red", on=True), "button.barred", "red", 1, al.ButtonBarred(button="red", on=False)),
    (st.CentreSilent(issuer="pusat", silent_s=600.0), "centre.silent", "pusat", 2,
     st.CentreHeard(issuer="pusat", path="mqtt")),
    (ke.KeysUnreadable(reason="x"), "keys.unreadable", "keys", 2, ke.KeysReadable()),
    (ev.DiskFailed(reason="x"), "journal.disk_failed", "journal", 2, ev.DiskRestored(kept=1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("event", "code", "about", "priority", "over"), CASES, ids=[f"{c[1]}-{c[4].kind}" for c in CASES]
)
def test_the_catalogue_raises_and_clears(event: Event, code: str, about: str, priority: int, over: Event) -> None:
    desk = Desk()
    [begun] = desk.happens(event)
    assert isinstance(begun, ae.AlarmRaised)
    assert (begun.alarm, begun.about, begun.priority, begun.under) == (code, about, priority, "")
    assert ae.AlarmCleared(alarm=code, about=about) in desk.happens(over)


def test_each_fault_that_a_station_can_tell_of_has_its_alarm() -> None:
    told = {fault.name.lower() for fault in Fault if fault.name}
    assert set(STATION_FAULTS) == told | {CLOCK_SKEW, LOCKED_THERE}


def test_a_siren_that_a_person_locked_out_is_not_told_as_one_that_failed_its_test() -> None:
    desk = Desk()
    desk.happens(st.SirenLocked(station="damkar", lock="0" * 16, minutes=60, until=0.0, reason="x"))
    failed = st.StationTestResult(test="0", station="damkar", path="siren", good=False, reason="locked_out")
    assert desk.happens(failed) == []
    desk.happens(st.SirenUnlocked(station="damkar", lock="0" * 16, why="person"))
    assert raised("test.siren_silent", desk.happens(failed)) == 1


def test_a_card_stands_when_its_order_ends_until_somebody_says_what_came_of_it() -> None:
    desk = Desk()
    assert raised("delivery.card", desk.happens(al.CardRaised(**CARD, phone="", reason="no_proof"))) == 1
    assert desk.happens(al.DeliveryExpired(**CARD), al.DeliveryFailed(**CARD, reason="end_not_seen")) == []
    assert desk.happens(al.AlertEnded(alert=CARD["alert"])) == []
    handled = al.CardHandled(**CARD, outcome="sent", text="mobil patroli")
    assert ae.AlarmCleared(alarm="delivery.card", about="0123456789abcdef/damkar") in desk.happens(handled)


def test_a_siren_that_may_not_sound_in_a_test_raises_nothing_and_what_cannot_be_tested_does_not_stand() -> None:
    desk = Desk()
    skipped = st.StationTestResult(
        test="0", station="damkar", path="siren", good=False, reason="not_allowed", skipped=True
    )
    assert desk.happens(skipped) == []
    failed = st.StationTestResult(test="1", station="damkar", path="siren", good=False, reason="no_answer")
    assert raised("test.siren_silent", desk.happens(failed)) == 1
    gave_way = st.StationTestResult(
        test="2", station="damkar", path="siren", good=False, reason="alert_open", skipped=True
    )
    assert desk.happens(gave_way) == []
    assert ae.AlarmCleared(alarm="test.siren_silent", about="damkar") in desk.happens(skipped)


def test_a_line_that_falls_again_and_again_is_one_alarm_until_it_is_steady_or_stays_down() -> None:
    desk, down, up = Desk(), ev.LineDown(line="l1", reason="x"), ev.LineUp(line="l1", modem="m")
    assert raised("line.down", desk.happens(down, up, down)) == 2
    told = desk.happens(le.LineUnstable(line="l1", falls=3, minutes=10.0))
    assert ae.AlarmCleared(alarm="line.down", about="l1") in told
    assert raised("line.unstable", told) == 1
    assert desk.happens(up, down, up, down) == []
    assert raised("line.down", desk.happens(ev.LineDown(line="l2", reason="x"))) == 1  # another line's is its own
    assert raised("line.down", desk.happens(le.LineSteadied(line="l1", up=False))) == 1
    desk.happens(up, le.LineUnstable(line="l1", falls=3, minutes=10.0))
    assert raised("line.down", desk.happens(le.LineSteadied(line="l1", up=True))) == 0
    assert raised("line.down", desk.happens(down)) == 1


def test_what_concerns_another_thing_clears_nothing() -> None:
    desk = Desk()
    desk.happens(ev.LinkLost(link="genset/g1", reason="x"), al.CardRaised(**CARD, phone="", reason="no_proof"))
    assert desk.happens(ev.LinkRestored(link="genset/g2"), ev.LinkRestored(link="ups/g1")) == []
    other = CARD | {"alert": "f" * 16}
    assert desk.happens(al.DeliveryEnergised(**other, path="mqtt", remaining_s=1)) == []
    assert desk.happens(al.SirenReleased(output="siren", why="ended")) == []


def test_an_order_that_failed_is_an_alarm_until_a_person_has_seen_it_but_not_one_that_was_taken_back() -> None:
    desk = Desk()
    about = {"order": "0a", "device": "genset/g1", "command": "start"}
    assert desk.happens(po.PlantOrderFailed(**about, why="cancelled")) == []
    for why in ("not_observed", "not_sent", "refused", "relay_released", "restarted"):
        told = Desk().happens(po.PlantOrderFailed(**about, why=why))
        assert raised("power.order_failed", told) == 1
    assert desk.happens(po.StartRelayReleased(genset="g1", output="start", why="cancelled")) == []


def test_a_start_relay_that_let_go_before_the_set_turned_is_an_alarm_until_a_person_has_seen_it() -> None:
    desk = Desk()
    for why in ("core_left", "annunciator_lost", "limit", "failed"):
        assert raised("power.relay_dropped", desk.happens(po.StartRelayReleased(genset="g1", output="s", why=why))) == 1
        desk.acknowledge("power.relay_dropped", "g1")
        assert desk.state.alarms == {}


def test_every_alarm_of_the_catalogue_is_in_a_case_or_has_no_end() -> None:
    without_end = {row.code for row in load_catalogue(CATALOGUE) if row.latched or row.limit}
    covered = {case[1] for case in CASES} | without_end | {"power.mains_lost"}
    assert {row.code for row in load_catalogue(CATALOGUE)} == covered


WRONG = {
    'raised_by = [{ event = "power.lost" }]\nabout = "x"': "there is no event 'power.lost'",
    'raised_by = [{ event = "genset.running" }]\nsubject = ["ups"]': "has no field 'ups'; it has genset",
    'raised_by = [{ event = "genset.running", where = { mode = "x" } }]\nabout = "x"': "has no field 'mode'",
    'raised_by = []\nabout = "x"': "raised_by is empty",
    'raised_by = [{ event = "genset.running" }]': "give either about or subject",
    'raised_by = [{ event = "genset.running" }]\nabout = "x"\nloud = true': "unknown field `loud`",
}


def test_who_has_seen_that_a_text_is_undelivered_is_told_again_when_nobody_hears_it_by_telephone_either() -> None:
    desk = Desk()
    gone = sms.SmsUndelivered(message="m1", number="+62811", purpose="text", reason="expired")
    assert raised("sms.undelivered", desk.happens(gone)) == 1
    unheard = ce.TextUnheard(message="m1", call="a", why="no_key")
    assert desk.happens(unheard) == [], "nobody has seen the first one"
    desk.acknowledge("sms.undelivered", "m1")
    assert desk.state.alarms == {}, "and then it is gone: no fact will clear it"
    assert raised("sms.undelivered", desk.happens(unheard)) == 1


@pytest.mark.parametrize(("row", "says"), WRONG.items(), ids=list(WRONG.values()))
def test_a_catalogue_with_a_wrong_row_is_refused_with_the_reason(tmp_path: Path, row: str, says: str) -> None:
    file = tmp_path / "catalogue.toml"
    file.write_text(f'[[alarm]]\ncode = "a.b"\npriority = 1\nconsequence = "c"\naction = "d"\n{row}\n')
    with pytest.raises(CatalogueError, match=says):
        load_catalogue(file)


async def test_without_a_catalogue_the_box_runs_on_with_one_alarm_that_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "none.toml")
    assert desk.happens(LOST) == []
    for _ in range(2):
        await desk.run_for_a_moment()
    raised = [e for e in desk.told if isinstance(e, ae.AlarmRaised)]
    assert raised == [ae.AlarmRaised(alarm="alarms.no_catalogue", about="catalogue", priority=2)]
    desk.start()
    await desk.run_for_a_moment()
    assert ae.AlarmCleared(alarm="alarms.no_catalogue", about="catalogue") in desk.told
    assert len(desk.happens(LOST)) == 1


def test_the_machine_asks_only_what_it_is_given() -> None:
    row = Row(
        code="x.y", priority=1, raised_by=(Cause("genset.running", {"genset": "g*"}),), subject=("genset",),
        consequence="c", action="d",
    )  # fmt: skip
    assert wanted(pw.GensetRunning(genset="h1"), {"x.y": row}, {}) == []
    assert [w.key for w in wanted(pw.GensetRunning(genset="g1"), {"x.y": row}, {})] == ["x.y/g1"]


def test_a_siren_that_is_locked_out_raises_no_alarm_of_its_own_until_that_is_over() -> None:
    for fault in ("no_current", "not_heard", "siren_line"):
        desk = Desk()
        desk.happens(st.SirenLocked(station="damkar", lock="0" * 16, minutes=60, until=0.0, reason="x"))
        [begun] = desk.happens(st.StationFault(station="damkar", fault=fault, on=True))
        assert isinstance(begun, ae.AlarmRaised)
        assert begun.under == "siren.locked_out/damkar"
        [other] = desk.happens(st.StationFault(station="passo", fault=fault, on=True))
        assert isinstance(other, ae.AlarmRaised)
        assert other.under == "", "another station's siren is not in repair"

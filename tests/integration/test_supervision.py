"""Supervision over real orders and signed answers: tests by calendar, kills in the middle, lockouts, health."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from order_world import CENTRE, STATION
from supervised_world import Supervised, play

from appliance import alert_events as al
from appliance import station_events as st
from appliance.alerting.wire import Action
from appliance.alerting.wire_health import ClockQuality, Fault
from appliance.commands import LockSiren, RunTest, UnlockSiren
from appliance.model import Path as Way
from drivers.jsonsocket import Refusal

SILENT: dict[str, Any] = {"silent_test": "09:02", "report": "09:15"}
SOUNDING: dict[str, Any] = {
    "sounding_day": 1, "sounding_time": "09:03", "sounding_seconds": 5, "announce_before_h": 1.0, "grace_min": 5.0,
}  # fmt: skip


def results(w: Supervised) -> list[tuple[str, str, bool, str]]:
    return [(r.station, r.path, r.good, r.reason) for r in w.all(st.StationTestResult)]


def test_a_night_of_silence_proves_both_ways_to_the_station_and_no_siren_moves(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        await w.at(180)
        far = [(STATION, "mqtt", True, ""), (STATION, "sms", True, "")]
        assert sorted(results(w)) == [*far, (CENTRE, "gpio", True, "")]
        [begun], [ended] = w.all(st.StationTestBegun), w.all(st.StationTestEnded)
        assert (begun.due, ended.good, ended.bad) == ("2026-01-01 09:02", 3, 0)
        assert "siren.energised" not in {e.kind for e in w.rows}
        await w.at(960)
        assert [(r.day, r.failures) for r in w.all(st.StationTestReported)] == [("2026-01-01", 0)]
        assert not w.lines.texts, "nothing failed: nobody is told by text"
        assert not w.all(al.CardRaised)
        [view] = [s for s in w.room.view().stations if s.station == STATION]
        ways = {p.path: p for p in view.paths}
        assert ways["sms"].proven
        assert ways["sms"].worst_s == 24 * 3600 + 3600 + 420
        assert ways["mqtt"].worst_s == 10.0
        assert w.room.view().tests.due

    play(tmp_path, story, SILENT)


def test_a_way_that_is_deaf_is_told_in_the_morning_and_to_nobody_at_night(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        w.net.swallows = True
        await w.greeted()
        await w.at(880)
        assert (STATION, "sms", False, "no_answer") in results(w)
        assert not w.lines.texts
        await w.at(960)
        [text] = w.lines.texts.values()
        assert text == "Pusat 2026-01-01: uji stasiun, 1 tidak baik: Damkar SMS. Lihat Stasiun di layar pusat."
        assert not w.all(al.CardRaised), "a test calls nobody to the phone"
        await w.kill(CENTRE)
        w.centre_up()
        await w.at(1100)
        assert len(w.all(st.StationTestReported)) == 1

    play(tmp_path, story, SILENT)


@pytest.mark.parametrize("step", ["test.begun", "alert.issued", "delivery.sent", "delivery.received", "test.result"])
def test_core_killed_at_any_step_ends_the_test_once_and_asks_nobody_who_answered(tmp_path: Path, step: str) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()

        def reached() -> bool:
            return any(e.kind == step for e in w.rows)

        await w.until(reached, 200)
        await w.kill(CENTRE)
        await asyncio.sleep(2)
        w.centre_up()
        await w.at(900)
        assert len(w.all(st.StationTestBegun)) == 1
        far, near = [(STATION, "mqtt", True), (STATION, "sms", True)], (CENTRE, "gpio", True)
        assert [r[:3] for r in sorted(results(w))] == [*far, near]
        assert len(w.all(st.StationTestEnded)) == 1
        assert not w.all(st.StationTestMissed)

    play(tmp_path, story, {"silent_test": "09:02"})


def test_a_real_alert_puts_a_test_off_and_past_the_grace_it_was_missed(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        await w.at(100)
        await w.issue(seconds=60)
        await w.at(150)
        assert not w.all(st.StationTestBegun)
        await w.at(260)
        assert [b.due for b in w.all(st.StationTestBegun)] == ["2026-01-01 09:02"]

    play(tmp_path, story, {"silent_test": "09:02", "grace_min": 3.0})


def test_a_box_that_was_off_over_the_time_says_that_the_test_did_not_run(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        await w.at(60)
        await w.kill(CENTRE)
        await w.at(400)
        w.centre_up()
        await w.at(410)
        assert [(m.due, m.reason) for m in w.all(st.StationTestMissed)] == [("2026-01-01 09:02", "not_running")]
        assert not w.all(st.StationTestBegun)

    play(tmp_path, story, {"silent_test": "09:02", "grace_min": 3.0})


def test_a_sounding_test_is_announced_sounds_its_seconds_and_is_on_record(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        assert [t.due for t in w.all(st.StationTestAnnounced)] == ["2026-01-01 09:03"]
        [text] = w.lines.texts.values()
        assert "UJI COBA" in text
        await w.until(lambda: w.far.relay.on, 200)
        await w.until(lambda: not w.far.relay.on, 7)
        await w.at(260)
        assert (STATION, "siren", True, "energised") in results(w)
        assert {a.alert_kind for a in w.all(al.AlertIssued)} == {"sounding_test"}

    play(tmp_path, story, SOUNDING, sounding_test=True)


def test_a_real_alert_ends_a_sounding_test_and_the_siren_sounds_for_the_alert(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        await w.until(lambda: w.far.relay.on, 200)
        await w.issue(seconds=60)
        await asyncio.sleep(5)
        assert [s.via for s in w.all(al.AlertStopped)] == ["rule"]
        assert w.far.relay.on
        with pytest.raises(Refusal, match="real alert"):
            await w.room.tests.command(RunTest(test="silent"), "console:x")

    play(tmp_path, story, SOUNDING | {"sounding_seconds": 120}, sounding_test=True)


def test_a_person_may_test_at_any_time_and_the_same_key_makes_one_run(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        first = await w.room.tests.command(RunTest(test="sms_probe", key="k"), "console:x")
        assert (await w.room.tests.command(RunTest(test="sms_probe", key="k"), "console:x"))["test"] == first["test"]
        with pytest.raises(Refusal, match="Another test"):
            await w.room.tests.command(RunTest(test="silent"), "console:x")
        await w.until(lambda: bool(w.all(st.StationTestEnded)), 120)
        assert results(w) == [(STATION, "sms", True, "")]
        for wrong in (
            RunTest(test="loud"),
            RunTest(test="silent", stations=("atlantis",)),
            RunTest(test="voice", stations=(CENTRE,)),
        ):
            with pytest.raises(Refusal):
                await w.room.tests.command(wrong, "console:x")

    play(tmp_path, story, {})


def test_a_lockout_is_said_until_the_station_confirms_it_also_after_a_restart_and_taken_back(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        w.deaf_to_locks = True
        told = await w.room.lockouts.lock(LockSiren(station=STATION, hours=2, reason="relai diganti"), "budi")
        await asyncio.sleep(25)
        assert {(o.action, o.alert.hex()) for o in w.locks} == {(Action.LOCK, told["lock"])}
        assert [o.seconds for o in w.locks] == [120, 120, 120]
        await w.kill(CENTRE)
        w.deaf_to_locks = False
        w.centre_up()
        await w.until(lambda: w.state.lockouts[STATION].confirmed is not None, 30)
        said = len(w.locks)
        await asyncio.sleep(90)
        assert len(w.locks) == said, "confirmed, and its health says so too"
        [view] = [s for s in w.room.view().stations if s.station == STATION]
        assert view.lockout
        assert (view.lockout.reason, view.lockout.since.actor) == ("relai diganti", "budi")
        alert = await w.issue(seconds=10)
        await w.until(lambda: w.delivery(alert).card is not None, 5)
        assert w.delivery(alert).reason == "locked_out"
        assert not w.far.relay.on
        await w.stop(alert)
        await w.room.lockouts.unlock(UnlockSiren(station=STATION), "siti")
        await w.until(lambda: w.state.lockouts[STATION].end_confirmed is not None, 5)
        await asyncio.sleep(2)
        assert [s.lockout for s in w.room.view().stations if s.station == STATION] == [None]
        await w.issue(seconds=10)
        await w.until(lambda: w.far.relay.on, 5)
        with pytest.raises(Refusal, match="not locked out"):
            await w.room.lockouts.unlock(UnlockSiren(station=STATION), "siti")
        with pytest.raises(Refusal, match="There is no station nowhere"):
            await w.room.lockouts.unlock(UnlockSiren(station="nowhere"), "siti")

    play(tmp_path, story, {})


def test_a_lockout_that_silences_a_siren_brings_the_card_at_once(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        alert = await w.issue(seconds=600)
        await w.until(lambda: w.far.relay.on, 5)
        await asyncio.sleep(400)  # beyond the order's lifetime
        await w.room.lockouts.lock(LockSiren(station=STATION, hours=1, reason="relai"), "budi")
        await w.until(lambda: w.delivery(alert).card is not None, 5)
        assert not w.far.relay.on
        delivery = w.delivery(alert)
        assert (delivery.state, delivery.card_reason) == ("refused", "locked_out")
        await asyncio.sleep(60)
        assert not w.delivery(alert).over, "the card stands until somebody ends the order"
        await w.stop(alert)
        await w.until(lambda: w.delivery(alert).over, 5)
        assert len(w.all(al.CardRaised)) == 1

    play(tmp_path, story, {})


def test_a_crew_that_has_acknowledged_needs_no_card_when_a_lockout_silences_its_siren(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        alert = await w.issue(seconds=600)
        await w.until(lambda: w.far.relay.on, 5)
        w.station.on_acknowledge()
        await w.until(lambda: w.delivery(alert).acknowledged is not None, 5)
        await w.room.lockouts.lock(LockSiren(station=STATION, hours=1, reason="relai"), "budi")
        await w.until(lambda: w.delivery(alert).over, 5)
        assert (w.delivery(alert).state, w.all(al.CardRaised)) == ("ended", [])

    play(tmp_path, story, {})


def test_a_station_that_has_lost_its_lockout_is_told_again_with_what_is_left(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        await w.room.lockouts.lock(LockSiren(station=STATION, hours=1, reason="relai"), "budi")
        await w.until(lambda: w.state.lockouts[STATION].confirmed is not None, 30)
        assert len(w.locks) == 1
        await asyncio.sleep(600)
        await w.kill(STATION)  # another board with the same key: it knows of no lockout
        w.station_up()
        await w.until(lambda: len(w.locks) > 1, 200)
        assert 45 < w.locks[-1].seconds < 51
        await asyncio.sleep(120)
        assert len(w.locks) == 2

    play(tmp_path, story, {})


def test_a_lockout_ends_by_its_time_at_both_ends(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        await w.room.lockouts.lock(LockSiren(station=STATION, hours=0.1, reason="kabel"), "budi")
        await asyncio.sleep(380)
        assert [u.why for u in w.all(st.SirenUnlocked)] == ["ended"]
        await w.issue(seconds=10)
        await w.until(lambda: w.far.relay.on, 5)
        assert {lock.action for lock in w.locks} == {Action.LOCK}

    play(tmp_path, story, {})


def test_health_is_journaled_when_it_is_news_and_shown_as_it_is(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        wall = int(w.clock.wall())
        w.healthy(faults=Fault.SIREN_STUCK | Fault.DOOR, disk_free_percent=40, wall=wall + 300, cert_days=10)
        faults = [(f.fault, f.on) for f in w.all(st.StationFault)]
        assert faults == [("clock_skew", True), ("door", True), ("siren_stuck", True)]
        w.healthy(faults=Fault.SIREN_STUCK | Fault.DOOR, disk_free_percent=38, wall=wall + 300, cert_days=10)
        assert len(w.all(st.StationHealthChanged)) == 1, "two percent less is no news"
        w.room._look.changed()
        [view] = [s.health for s in w.room.view().stations if s.station == STATION]
        assert view
        assert view.disk_free_percent == 38
        payload = w.healthy(clock_quality=ClockQuality.NTP, wall=wall, disk_free_percent=38, cert_days=40)
        assert {(f.fault, f.on) for f in w.all(st.StationFault)} >= {("siren_stuck", False), ("clock_skew", False)}
        assert w.state.health[STATION].faults == ()
        before = len(w.rows)
        w._hand(CENTRE, payload, Way.MQTT)  # played again
        w._hand(CENTRE, payload[:-1] + b"x", Way.MQTT)
        assert [e.kind for e in w.rows[before:]] == ["answer.refused"]
        w.healthy(way=Way.SMS, wall=wall - 900, disk_free_percent=38, cert_days=40)
        assert w.state.health[STATION].faults == (), "nothing is learned of a clock by a text that was long on its way"

    play(tmp_path, story, {})


def test_the_centres_own_siren_is_locked_in_core_and_annunciator_and_behind_both_restarts(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        await w.room.lockouts.lock(LockSiren(station=CENTRE, hours=1, reason="relai"), "budi")
        await w.until(lambda: w.near.locked_until > w.clock.now(), 5)
        await w.until(lambda: w.state.lockouts[CENTRE].confirmed is not None, 5)
        order = await w.issue(10, CENTRE)
        await w.until(lambda: bool(w.state.alerts[order].deliveries[CENTRE].card), 5)
        assert w.state.alerts[order].deliveries[CENTRE].reason == "locked_out"
        assert not w.near.spans
        await w.stop(order)
        w.near.lose_power()
        w.near.power()  # an annunciator that restarts has forgotten it
        assert not w.near.locked_until
        await w.until(lambda: w.near.locked_until > w.clock.now(), 5)
        await w.kill(CENTRE)
        w.centre_up()
        await w.greeted()
        order = await w.issue(10, CENTRE)
        await asyncio.sleep(10)
        assert not w.near.spans
        await w.stop(order)
        await w.room.lockouts.unlock(UnlockSiren(station=CENTRE), "budi")
        await w.until(lambda: w.state.lockouts[CENTRE].end_confirmed is not None, 5)
        order = await w.issue(10, CENTRE)
        await w.until(lambda: w.near.relay.on, 5)

    play(tmp_path, story, {})


def test_tests_hold_for_the_centres_own_siren_and_a_silent_one_finds_its_broken_line(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        await w.room.tests.command(RunTest(test="silent", stations=(CENTRE,)), "budi")
        await w.until(lambda: bool(w.all(st.StationTestEnded)), 60)
        assert [(r.path, r.good) for r in w.all(st.StationTestResult)] == [("gpio", True)]
        w.near.relay.fault = "reads off"
        await w.room.tests.command(RunTest(test="silent", stations=(CENTRE,)), "budi")
        await w.until(lambda: len(w.all(st.StationTestEnded)) == 2, 90)
        assert w.all(st.StationTestResult)[-1].good is False
        w.near.relay.fault = None
        await w.room.lockouts.lock(LockSiren(station=CENTRE, hours=1, reason="relai"), "budi")
        await w.room.tests.command(RunTest(test="sounding", stations=(CENTRE,)), "budi")
        await w.until(lambda: len(w.all(st.StationTestEnded)) == 3, 900)
        assert w.all(st.StationTestResult)[-1].reason == "locked_out"
        assert not w.near.spans

    play(tmp_path, story, {})


def test_a_centre_that_a_station_does_not_hear_is_told_so_by_sms_while_the_broker_takes_all(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        w.net.loses = True  # both are connected, and nothing comes through
        await asyncio.sleep(590)
        assert ("centre_silent", True) not in [(f.fault, f.on) for f in w.all(st.StationFault)]
        await asyncio.sleep(60)
        assert ("centre_silent", True) in [(f.fault, f.on) for f in w.all(st.StationFault)]
        assert w.state.health[STATION].path == Way.SMS
        texts = [way for _, to, way, octets in w.net.sent if to == CENTRE and way is Way.SMS and octets[0] == 0x82]
        assert len(texts) == 1
        w.net.loses = False
        await w.until(lambda: "centre_silent" not in w.state.health[STATION].faults, 700)

    play(tmp_path, story, {})


def test_a_sounding_test_is_shown_at_the_station_ahead_and_when_it_is_over(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        await w.until(lambda: bool(w.all(st.StationTestNoticed)), 60)
        taken = [e for _, e in w.station_rows if isinstance(e, st.NoticeTaken)]
        assert [(e.about, e.language) for e in taken] == [("notice", "id")]
        assert taken[0].text.startswith("UJI COBA sirene 2026-01-")
        await w.until(lambda: len(w.all(st.StationTestNoticed)) == 2, 1200)
        taken = [e for _, e in w.station_rows if isinstance(e, st.NoticeTaken)]
        assert [e.about for e in taken] == ["notice", "notice_over"]
        assert taken[1].text.endswith("selesai.")
        assert {(e.station, e.path) for e in w.all(st.StationTestNoticed)} == {(STATION, "mqtt")}
        await w.kill(CENTRE)
        w.centre_up()
        await asyncio.sleep(120)
        assert len(w.all(st.StationTestNoticed)) == 2, "a restart tells nobody again"

    play(tmp_path, story, SOUNDING, sounding_test=True)


def test_words_of_a_test_that_the_broker_does_not_take_go_by_sms_at_once(tmp_path: Path) -> None:
    async def story(w: Supervised) -> None:
        await w.greeted()
        w.room._notices._publish = lambda topic, payload, expiry_s, qos=1: "too much waits already"
        began = w.clock.now()
        await w.until(lambda: any(isinstance(e, st.NoticeTaken) for _, e in w.station_rows), 60)
        assert w.clock.now() - began < 20
        assert [(n.station, n.path) for n in w.all(st.StationTestNoticed)] == [(STATION, "sms")]

    play(tmp_path, story, SOUNDING | {"sounding_time": "09:30"}, sounding_test=True)

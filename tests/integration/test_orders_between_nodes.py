"""Siren orders from a centre to a station over a network that fails in every way, and boxes that die."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from order_world import CENTRE, KEYS, STATION, World, centre_site, play

from appliance import alert_events as al
from appliance.alerting.wire import decode_order
from appliance.keys import key_id
from appliance.model import DeliveryState
from appliance.model import Path as Way
from appliance.state import State
from drivers.jsonsocket import Refusal


def test_an_order_sounds_once_for_its_seconds_and_is_seen_to_end(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(60)
        await w.until(lambda: w.delivery(alert).state is DeliveryState.ENERGISED, 1)
        await w.until(lambda: w.alert(alert).ended is not None, 62)
        assert w.delivery(alert).state is DeliveryState.ENDED
        assert w.far.sounded(alert) == pytest.approx(60, abs=0.5)

    play(tmp_path, story)


# What may sound


def test_a_drill_never_energises_the_box_own_siren(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(60, to=CENTRE, alert_kind="drill")
        await w.until(lambda: w.alert(alert).ended is not None, 100)
        assert w.near.spans == []

    play(tmp_path, story)


@pytest.mark.parametrize(("allowed", "sounded"), [(False, 0), (True, 20)])
def test_a_sounding_test_sounds_only_where_the_station_allows_it(tmp_path: Path, allowed: bool, sounded: int) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(20, alert_kind="sounding_test")
        await asyncio.sleep(30)
        assert w.far.sounded(alert) == pytest.approx(sounded, abs=0.5)
        assert (w.delivery(alert).card is None) is allowed

    play(tmp_path, story, sounding_test=allowed)


# The disk


def test_an_order_is_on_disk_before_it_is_on_the_wire_but_a_dead_disk_holds_it_back_only_half_a_second(
    tmp_path: Path,
) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.journal.free.clear()
        began, before = w.clock.now(), len(w.net.sent)
        issuing = asyncio.create_task(w.issue(20))
        await asyncio.sleep(0.4)
        orders = [m for m in w.net.sent[before:] if m[1] == STATION]
        assert orders == []
        alert = await issuing
        assert w.clock.now() - began < 0.6
        await w.until(lambda: w.far.sounds(alert), 1)

    play(tmp_path, story)


def test_the_same_key_again_is_the_same_alert_and_says_whether_it_is_on_disk(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.journal.free.clear()
        alert = await w.issue(20, key="k")
        assert w.centre
        again = await w.centre.issue(w.order(20, key="k"), "test")
        assert again == {"alert": alert, "durable": False, "repeated": True}
        w.journal.free.set()
        await w.until(lambda: w.journal.kept == 0, 60)
        again = await w.centre.issue(w.order(20, key="k"), "test")
        assert again == {"alert": alert, "durable": True, "repeated": True}

    play(tmp_path, story)


# Restarts


def test_an_open_alert_for_a_station_that_left_the_site_file_holds_nothing_up(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.net.loses = True
        old = await w.issue(60)
        await w.kill(CENTRE)
        site = centre_site()
        w.site = msgspec.structs.replace(site, station=tuple(s for s in site.station if s.local))
        w.centre_up()
        new = await w.issue(20, to=CENTRE)
        await w.until(lambda: w.near.sounds(new), 2)
        assert w.delivery(old).state is DeliveryState.FAILED

    play(tmp_path, story)


def test_after_a_reboot_with_a_clock_that_stood_still_no_start_goes_out_and_a_person_is_told(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.net.loses, w.net.sms = True, False
        alert = await w.issue(60)
        await asyncio.sleep(20)
        at = w.clock.wall()
        await w.kill(CENTRE)
        await asyncio.sleep(6 * 3600)
        w.clock._start_wall = at - w.clock.now()  # no clock ran while the power was off
        w.boot, w.net.loses, w.net.sms = "boot2", False, True
        w.centre_up()
        await asyncio.sleep(60)
        assert w.far.spans == []
        assert w.delivery(alert).card is not None

    play(tmp_path, story)


def test_a_stop_that_the_disk_never_had_leaves_the_own_siren_silent_and_the_alert_over(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(60, to=CENTRE)
        await asyncio.sleep(5)
        w.journal.free.clear()
        stopping = asyncio.create_task(w.stop(alert))
        await asyncio.sleep(0.1)
        assert not w.near.sounds(alert)
        stopping.cancel()
        await w.kill(CENTRE)
        w.centre_up()
        await w.until(lambda: w.alert(alert).ended is not None, 5)
        assert not w.near.sounds(alert)

    play(tmp_path, story)


def test_a_centre_that_dies_while_a_siren_sounds_learns_of_its_end(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(20)
        await asyncio.sleep(10)
        await w.kill(CENTRE)
        w.leave(STATION)
        await asyncio.sleep(10.2)
        w.centre_up()
        w.join(STATION)
        await w.until(lambda: w.alert(alert).ended is not None, 30)
        assert w.delivery(alert).state is DeliveryState.ENDED
        assert w.far.sounded(alert) == pytest.approx(20, abs=0.5)

    play(tmp_path, story)


def test_word_of_a_siren_that_comes_late_does_not_make_it_sound_twice_after_a_power_cut(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.leave(CENTRE)
        w.net.sms_s = 30
        alert = await w.issue(60)
        await w.until(lambda: w.delivery(alert).state is DeliveryState.ENERGISED, 120)
        await w.until(lambda: not w.far.sounds(alert), 120)
        await w.kill(STATION)
        w.far.lose_power()
        w.far.power()
        w.station_up()
        w.join(CENTRE)
        await asyncio.sleep(60)
        assert w.far.sounded(alert) <= 61

    play(tmp_path, story)


# The annunciator


def test_a_siren_that_cannot_sound_is_told_at_once_and_a_person_phones(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.far.lose_power()
        alert = await w.issue(60)
        await w.until(lambda: w.delivery(alert).card is not None, 6)
        assert w.delivery(alert).state is not DeliveryState.ENERGISED
        await asyncio.sleep(10)
        assert w.delivery(alert).state is not DeliveryState.RECEIVED
        w.far.power()
        await w.until(lambda: w.delivery(alert).state is DeliveryState.ENERGISED, 5)

    play(tmp_path, story)


@pytest.mark.parametrize("keeps_power", [True, False])
def test_a_stop_holds_when_the_annunciator_is_away_as_it_comes(tmp_path: Path, keeps_power: bool) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(60)
        await w.until(lambda: w.far.sounds(alert), 2)
        if keeps_power:
            w.far.lose_wire()
        else:
            w.far.lose_power()
        await w.stop(alert)
        await asyncio.sleep(4)
        w.leave(STATION)  # no other stop comes
        w.net.sms = False
        if keeps_power:
            w.far.wire()
        else:
            w.far.power()
        await asyncio.sleep(1)
        before = w.far.sounded(alert)
        await asyncio.sleep(10)
        assert not w.far.sounds(alert)
        assert w.far.sounded(alert) == before
        assert not [span for span in w.far.spans if span[1] > 10]

    play(tmp_path, story)


def test_an_end_that_nobody_told_is_found_out_and_no_heartbeat_says_sounding_for_ever(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(20)
        await w.until(lambda: w.far.sounds(alert), 2)
        await asyncio.sleep(15)
        w.far.lose_wire()
        await asyncio.sleep(8)
        assert w.centre
        await asyncio.sleep(3)
        assert w.centre.contacts[STATION].sounding is False
        w.far.wire()
        await w.until(lambda: w.delivery(alert).state is DeliveryState.ENDED, 5)

    play(tmp_path, story)


@pytest.mark.parametrize("where", [CENTRE, STATION])
def test_a_line_that_fails_while_it_sounds_is_a_failure_and_a_card_at_once(tmp_path: Path, where: str) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(60, to=where)
        box = w.near if where == CENTRE else w.far
        await w.until(lambda: w.delivery(alert).state is DeliveryState.ENERGISED, 2)
        box.breaks()
        await asyncio.sleep(4)
        assert w.delivery(alert).state is DeliveryState.FAILED
        assert w.delivery(alert).card is not None
        assert w.centre
        assert not w.centre.contacts[STATION].sounding

    play(tmp_path, story)


# Paths


def test_an_sms_that_no_modem_took_is_tried_again(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.net.loses = True
        fails, w.net.sms = asyncio.get_running_loop().call_later(6, lambda: setattr(w.net, "sms", False)), True
        alert = await w.issue(30)
        await asyncio.sleep(12)
        assert any(a.failed for a in w.delivery(alert).attempts if a.path is Way.SMS)
        w.net.sms = True
        await w.until(lambda: w.far.sounds(alert), 30)
        fails.cancel()

    play(tmp_path, story)


def test_a_stop_reaches_a_station_that_comes_back_after_a_minute_of_silence(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(600)
        await w.until(lambda: w.far.sounds(alert), 2)
        w.net.loses, w.net.swallows = True, True
        await w.stop(alert)
        for _ in range(8):  # a link that comes and goes, and never carries what is sent
            await asyncio.sleep(10)
            w.net.loses = False
            assert w.station
            w.station._answer(2, Way.MQTT)  # a heartbeat that slips through
            w.net.loses = True
        await asyncio.sleep(120)
        w.net.loses = False
        await w.until(lambda: not w.far.sounds(alert), 30)
        await w.until(lambda: w.delivery(alert).state is DeliveryState.ENDED, 5)

    play(tmp_path, story)


def test_what_may_sound_unanswered_can_be_stopped_even_when_nobody_may_start_it_any_more(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(600)
        w._tasks[CENTRE].get_name()
        w.net.sms = False
        await w.until(lambda: any(m[1] == STATION for m in w.net.sent), 1)
        await asyncio.sleep(0.01)
        w.net.loses = True  # the order is on its way, no answer ever comes
        await asyncio.sleep(320)
        assert w.far.sounds(alert)
        assert w.delivery(alert).card is not None
        w.net.loses = False
        await w.stop(alert)
        await w.until(lambda: not w.far.sounds(alert), 5)

    play(tmp_path, story)


def test_no_signature_makes_an_order_live_longer_than_its_alert(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        issued = w.clock.wall()
        w.net.loses, w.net.sms_s, w.net.swallows = True, 60, True
        await w.issue(60)
        await asyncio.sleep(200)
        await w.kill(STATION)
        w.net.loses = False
        w.leave(STATION)
        w.station_up()
        w.join(STATION)
        await asyncio.sleep(30)
        keys = {key_id(KEYS[CENTRE].public_key()): KEYS[CENTRE].public_key()}
        orders = [decode_order(m[3], keys) for m in w.net.sent if m[1] == STATION]
        ends = [o.issued_at + o.lifetime_s for o in orders if o.action.name == "START"]
        assert len(ends) > 3
        assert max(ends) <= issued + 302

    play(tmp_path, story)


def test_a_station_never_heard_of_is_woken_by_sms(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        w.leave(STATION)
        w.station_up()
        w.net.swallows = True
        await asyncio.sleep(70)  # its announcement is lost
        w.net.swallows = False
        w.centre_up()
        alert = await w.issue(60)
        await w.until(lambda: w.delivery(alert).state is DeliveryState.ENERGISED, 100)

    play(tmp_path, story)


def test_an_announcement_that_no_modem_took_is_made_again(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        w.leave(STATION)
        w.net.sms = False
        w.station_up()
        w.centre_up()
        await asyncio.sleep(70)
        w.net.sms = True
        assert w.centre
        contact = w.centre.contacts[STATION]
        await w.until(lambda: contact.session is not None, 120)

    play(tmp_path, story)


def test_what_an_sms_said_of_a_while_ago_is_not_shown_as_sounding_now(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.leave(STATION)
        w.net.keeps = False
        await asyncio.sleep(12)
        w.net.sms_s = 30
        alert = await w.issue(10)
        await w.until(lambda: w.delivery(alert).energised is not None, 120)
        w.net.swallows = True
        assert w.centre
        assert not w.far.sounds(alert)
        assert w.centre.contacts[STATION].sounding is not True

    play(tmp_path, story)


# Attackers


def test_a_flood_of_rubbish_fills_no_journal(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(5)
        await asyncio.sleep(10)
        assert w.reports
        assert w.station
        recorded = [m[3] for m in w.net.sent if m[1] == STATION]
        await w.kill(STATION)
        w.station_up()
        rows, far_rows = w.journal.head.seq, len(w.station_rows)
        for n in range(600):
            w.reports.on_answer(b"x", Way.MQTT, named=f"no-such-{n}" + "x" * 60_000)
            w.station.on_order(bytes([n % 256]) * 106, Way.MQTT)
            w.station.on_order(recorded[n % len(recorded)], Way.MQTT)
            await asyncio.sleep(0.1)
        assert w.journal.head.seq - rows < 60
        assert len(w.station_rows) - far_rows < 60
        assert all(len(e.station) < 40 for e in [*_refusals(w)])
        assert alert

    play(tmp_path, story)


def _refusals(w: World) -> list[al.AnswerRefused]:
    from appliance.journal_file import read_entries

    return [e.event for e in read_entries(w.file) if e.kind == "answer.refused"]  # type: ignore[misc]


def test_recorded_orders_played_to_a_station_cost_few_sms(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        for _ in range(5):
            await w.issue(2)
            await asyncio.sleep(4)
        recorded = [m[3] for m in w.net.sent if m[1] == STATION]
        await w.kill(STATION)
        w.station_up()
        before = len([m for m in w.net.sent if m[2] is Way.SMS])
        assert w.station
        for n in range(300):
            w.station.on_order(recorded[n % len(recorded)], Way.SMS)
            await asyncio.sleep(0.2)
        await asyncio.sleep(10)
        assert len([m for m in w.net.sent if m[2] is Way.SMS and m[1] == CENTRE]) - before <= 12

    play(tmp_path, story)


assert State
assert Refusal

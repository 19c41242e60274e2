"""Siren orders over paths that fail, come late or are somebody else's."""

import asyncio
from pathlib import Path

from order_world import CENTRE, KEYS, STATION, World, play

from appliance.alert_events import OrderAccepted
from appliance.alerting.wire import What, decode_order
from appliance.journal_file import read_entries
from appliance.keys import key_id
from appliance.model import DeliveryState
from appliance.model import Path as Way


def test_an_sms_that_no_modem_took_is_tried_again(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.net.loses = True
        asyncio.get_running_loop().call_later(6, lambda: setattr(w.net, "sms", False))
        alert = await w.issue(30)
        await asyncio.sleep(12)
        assert any(a.failed for a in w.delivery(alert).attempts if a.path is Way.SMS)
        w.net.sms = True
        await w.until(lambda: w.far.sounds(alert), 30)

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
            w.station._answer(What.ALIVE, Way.MQTT)  # a heartbeat that slips through
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


def test_an_order_that_comes_by_ten_minutes_late_is_refused_and_that_is_on_record_behind_its_end(
    tmp_path: Path,
) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        w.net.loses, w.net.sms_s = True, 600
        alert = await w.issue(30)
        await asyncio.sleep(100)
        w.net.sms_s = 8
        await w.until(lambda: w.delivery(alert).state is DeliveryState.EXPIRED, 700)
        await asyncio.sleep(300)
        told = [e.body for e in read_entries(w.file) if e.kind == "delivery.refused"]
        assert told
        assert all(b'"reason":"expired"' in body for body in told)
        assert w.delivery(alert).state is DeliveryState.EXPIRED
        assert not any(isinstance(event, OrderAccepted) for _, event in w.station_rows)

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
        await w.issue(5)
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
        assert all(len(e.body) < 200 for e in read_entries(w.file) if e.kind == "answer.refused")

    play(tmp_path, story)


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

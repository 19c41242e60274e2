"""Siren orders from a centre to a station over a network that fails in every way, and boxes that die."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from order_world import CENTRE, STATION, World, centre_site, play

from appliance.model import DeliveryState


def test_an_order_sounds_once_for_its_seconds_and_is_seen_to_end(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(60)
        await w.until(lambda: w.delivery(alert).state is DeliveryState.ENERGISED, 1)
        await w.until(lambda: w.alert(alert).ended is not None, 62)
        assert w.delivery(alert).state is DeliveryState.ENDED
        assert w.far.sounded(alert) == pytest.approx(60, abs=0.5)

    play(tmp_path, story)


def test_a_feedback_contact_proves_what_was_only_energised(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(60)
        await w.until(lambda: w.delivery(alert).state is DeliveryState.ENERGISED, 1)
        assert w.station is not None
        w.station.on_feedback()
        await w.until(lambda: w.delivery(alert).state is DeliveryState.PROVEN, 1)
        await w.until(lambda: w.alert(alert).ended is not None, 62)
        w.station.on_feedback()  # a contact that chatters afterwards proves nothing any more
        await asyncio.sleep(1)
        assert w.delivery(alert).state is DeliveryState.ENDED

    play(tmp_path, story)


def test_a_silent_test_that_arrived_ends_and_is_not_called_cancelled(tmp_path: Path) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        alert = await w.issue(60, alert_kind="silent_test")
        await w.until(lambda: w.alert(alert).ended is not None, 5)
        assert w.delivery(alert).state is DeliveryState.ENDED
        assert w.far.spans == []

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
        w.net.sms = False  # the word "ended" is lost
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
        w.net.sms_s, w.net.keeps = 30, False
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
def test_a_line_that_cannot_be_switched_on_is_no_order_that_came_to_its_end(tmp_path: Path, where: str) -> None:
    async def story(w: World) -> None:
        await w.greeted()
        (w.near if where == CENTRE else w.far).relay.broken = True
        alert = await w.issue(60, to=where)
        await w.until(lambda: w.delivery(alert).card is not None, 2)
        await asyncio.sleep(10)
        assert w.delivery(alert).state in (DeliveryState.REFUSED, DeliveryState.SENT, DeliveryState.FAILED)

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

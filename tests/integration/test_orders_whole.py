"""Stories that random ones found, each told by itself; and that the account of a story sees what it is there for."""

import asyncio
from pathlib import Path

from order_world import CENTRE, STATION
from whole_account import Account
from whole_story import Told
from whole_world import Whole, play_whole

from appliance.commands import LockSiren, UnlockSiren
from appliance.model import DeliveryState


def test_a_station_whose_only_issuer_is_revoked_believes_nobody_behind_its_restart(tmp_path: Path) -> None:
    async def story(w: Whole) -> None:
        await w.greeted()
        w.revoke_at_station()
        await w.kill(STATION)
        w.station_up()
        await asyncio.sleep(1)
        alert = await w.issue(30)
        await asyncio.sleep(120)
        assert not w.far.spans
        assert w.delivery(alert).card

    play_whole(tmp_path, story)


def test_a_lock_that_comes_late_by_sms_does_not_replace_a_later_one(tmp_path: Path) -> None:
    async def story(w: Whole) -> None:
        await w.greeted()
        w.leave(CENTRE)
        await asyncio.sleep(15)
        w.net.sms_s = 60.0
        await w.room.lockouts.lock(LockSiren(station=STATION, hours=1, reason="repair"), "test")
        await asyncio.sleep(5)
        w.join(CENTRE)
        await asyncio.sleep(5)
        await w.room.lockouts.lock(LockSiren(station=STATION, hours=1, reason="repair"), "test")
        await asyncio.sleep(120)
        await w.room.lockouts.unlock(UnlockSiren(station=STATION), "test")
        await asyncio.sleep(5)
        alert = await w.issue(30)
        await asyncio.sleep(5)
        assert w.far.sounds()
        assert not w.delivery(alert).card

    play_whole(tmp_path, story)


def test_a_late_copy_of_a_lock_is_answered_as_locked(tmp_path: Path) -> None:
    async def story(w: Whole) -> None:
        await w.greeted()
        w.leave(CENTRE)
        await asyncio.sleep(15)
        w.net.sms_s = 60.0
        await w.room.lockouts.lock(LockSiren(station=STATION, hours=1, reason="repair"), "test")
        await asyncio.sleep(5)
        w.join(CENTRE)
        await asyncio.sleep(120)
        assert w.station and w.station._lockout.on  # noqa: PT018
        assert w.state.lockouts[STATION].ended is None
        assert w.state.lockouts[STATION].end_confirmed is None

    play_whole(tmp_path, story)


def test_a_siren_that_a_lock_silences_before_its_word_came_is_told_to_a_person(tmp_path: Path) -> None:
    async def story(w: Whole) -> None:
        await w.greeted()
        alert = await w.issue(60)
        await w.room.lockouts.lock(LockSiren(station=STATION, hours=1, reason="repair"), "test")
        await asyncio.sleep(0.07)
        w.leave(STATION)
        await asyncio.sleep(20)
        w.join(STATION)
        await asyncio.sleep(30)
        assert not w.far.sounds()
        assert w.delivery(alert).card_reason == "locked_out"

    play_whole(tmp_path, story)


def test_a_siren_that_sounds_when_core_dies_behind_a_lock_is_silenced_when_core_is_back(tmp_path: Path) -> None:
    async def story(w: Whole) -> None:
        await w.greeted()
        await w.issue(60)
        await asyncio.sleep(2)
        w.far.lose_wire()
        await w.room.lockouts.lock(LockSiren(station=STATION, hours=1, reason="repair"), "test")
        await asyncio.sleep(1)
        await w.kill(STATION)
        w.far.wire()
        w.station_up()
        await asyncio.sleep(2)
        assert not w.far.sounds()

    play_whole(tmp_path, story)


def test_a_lock_bars_every_order_that_waits_for_its_annunciator_at_once(tmp_path: Path) -> None:
    async def story(w: Whole) -> None:
        await w.greeted()
        await w.issue(60)
        await asyncio.sleep(2)
        w.far.lose_wire()
        await asyncio.sleep(1)
        await w.issue(60)
        await asyncio.sleep(0.5)
        await w.room.lockouts.lock(LockSiren(station=STATION, hours=1, reason="repair"), "test")
        await asyncio.sleep(1)
        w.far.wire()
        await asyncio.sleep(10)
        assert [span.since < 5 for span in w.far.spans] == [True, True]  # the first order's, and no other
        assert not w.far.sounds()

    play_whole(tmp_path, story)


def test_a_short_order_whose_word_was_lost_ends_as_one_that_sounded(tmp_path: Path) -> None:
    async def story(w: Whole) -> None:
        await w.greeted()
        alert = await w.issue(5)
        w.leave(CENTRE)
        await asyncio.sleep(60)
        assert w.far.spans
        assert w.delivery(alert).state is DeliveryState.ENDED

    play_whole(tmp_path, story)


def test_a_siren_that_never_sounded_is_no_order_that_ended(tmp_path: Path) -> None:
    async def story(w: Whole) -> None:
        await w.greeted()
        w.far.lose_wire()
        alert = await w.issue(5)
        w.leave(CENTRE)
        await asyncio.sleep(60)
        assert not w.far.spans
        assert w.delivery(alert).card

    play_whole(tmp_path, story)


def test_the_account_sees_a_siren_that_nobody_ordered(tmp_path: Path) -> None:
    async def story(w: Whole) -> None:
        await w.greeted()
        await w.far.sound("ab", "siren", "wail", 5)
        await asyncio.sleep(10)
        assert any("without an order" in fault for fault in Account(w, Told()).faults())

    play_whole(tmp_path, story)

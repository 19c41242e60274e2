"""A station whose siren is locked out: an order is silent and stands on its screen, with whose lockout it is."""

import asyncio
from pathlib import Path

from station_box import Station, play

from appliance.alerting.wire import Reason, What
from appliance.alerting.wire_text import TextAbout


def test_an_order_at_a_locked_siren_stands_on_its_screen_with_its_words_and_can_be_acknowledged(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.lock(60)
        await asyncio.sleep(0.1)
        s.words("sari: relai zona asrama diganti", TextAbout.LOCKOUT, alert=b"lock...1")
        s.words("Api di Pasar Mardika")  # before its order
        s.start_order()
        await asyncio.sleep(0.1)
        order = s.state.own.orders[b"alert..1".hex()]
        assert (order.why, order.text, order.kind) == ("locked_out", "Api di Pasar Mardika", "actual")
        assert s.box.on() == set()
        assert s.state.own.lockout is not None
        assert (s.state.own.lockout.who, s.state.own.lockout.reason) == ("sari", "relai zona asrama diganti")
        assert s.node.on_acknowledge("page") == [b"alert..1".hex()]
        assert (s.said()[-1], s.answers()[-1].alert) == (What.ACKNOWLEDGED, b"alert..1")
        s.words("Selesai", TextAbout.ALL_CLEAR)
        assert s.state.own.orders[b"alert..1".hex()].about == "all_clear"
        assert s.node.on_acknowledge("page") == []

    play(tmp_path, story)


def test_an_order_that_a_lockout_kept_silent_stays_silent_behind_an_unlock_and_a_restart(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.lock(60)
        await asyncio.sleep(0.1)
        order = s.start_order()
        await asyncio.sleep(0.1)
        s.unlock()
        await asyncio.sleep(0.1)
        assert s.said()[-1] is What.UNLOCKED
        await s.kill()
        await s.start()
        s.greet()
        s.start_order(alert=order.alert)  # the centre does not know what became of it, and asks again
        await asyncio.sleep(0.1)
        assert s.answers()[-1].reason is Reason.LOCKED_OUT
        assert s.box.on() == set()
        s.start_order(alert=b"alert..2")
        await asyncio.sleep(0.1)
        assert s.box.on() == {"siren"}

    play(tmp_path, story)


def test_whose_a_lockout_is_may_come_before_the_lock_and_counts_for_no_other(tmp_path: Path) -> None:
    async def story(s: Station) -> None:
        s.words("sari: tiang dicat", TextAbout.LOCKOUT, alert=b"lock...2")
        s.lock(60)
        await asyncio.sleep(0.1)
        assert s.state.own.lockout is not None
        assert s.state.own.lockout.reason == "siren_repair"
        s.lock(60, b"lock...2")
        await asyncio.sleep(0.1)
        assert (s.state.own.lockout.who, s.state.own.lockout.reason) == ("sari", "tiang dicat")

    play(tmp_path, story)

"""Orders from the page: what is held is sent once, what is let go is not sent, and the page says only what is so."""

from typing import Any

import pytest
from page_box import Box, Tab, until

from appliance.model import CallPhase
from appliance.state import Call
from appliance.view import View
from drivers.jsonsocket import Refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELD = 1.25  # s; a second is asked for


def alerts(box: Box) -> list[dict[str, Any]]:
    return [o for o in box.core.orders if o["do"] == "alert.issue"]


async def hold(tab: Tab, seconds: float) -> None:
    await tab.hold("#siren", seconds)


async def choose(tab: Tab, *names: str) -> None:
    for name in names:
        await tab.page.click(f".chip >> text={name}")


async def test_a_button_released_early_sends_nothing_and_says_so(tab: Tab) -> None:
    await tab.open()
    await hold(tab, 0.1)
    await tab.shows("#said", "Pilih stasiun dahulu")
    await choose(tab, "Damkar Passo")
    await hold(tab, 0.6)
    await tab.shows("#said", "Dilepas terlalu cepat: tidak ada yang dikirim")

    await tab.page.focus("#siren")
    async with tab.time_stands() as goes:
        for key in ("Space", "Enter"):
            await tab.page.keyboard.down(key)
            await tab.shows("#said", "Tahan terus")
            await goes(0.9)
            await tab.page.keyboard.up(key)
            await tab.shows("#said", "Dilepas terlalu cepat")

        await tab.page.hover("#siren")
        await tab.page.mouse.down()
        await tab.page.mouse.move(10, 10)  # dragged off the button
        await tab.shows("#said", "Dilepas terlalu cepat")
        await goes(HELD)
        await tab.page.mouse.up()

        await tab.page.hover("#siren")
        await tab.page.mouse.down()
        await tab.shows("#said", "Tahan terus")
        await tab.page.evaluate("document.activeElement.blur()")
        await tab.shows("#said", "Dilepas terlalu cepat")
        await goes(HELD)
        await tab.page.mouse.up()
    assert alerts(tab.box) == []


async def test_a_place_that_an_order_does_not_hold_is_told_before_the_button_is_held(tab: Tab) -> None:
    await tab.open()
    await choose(tab, "Damkar Passo")
    await tab.page.fill(".place", "é" * 81)
    await hold(tab, HELD)
    await tab.shows("#said", "terlalu panjang")
    assert alerts(tab.box) == []
    await tab.page.fill(".place", "é" * 80)
    await hold(tab, HELD)
    await tab.shows("#said", "tercatat")
    assert [o["text"] for o in alerts(tab.box)] == ["é" * 80]


async def test_a_held_button_sends_one_order_with_what_was_chosen(tab: Tab) -> None:
    await tab.open()
    await choose(tab, "Damkar Passo", "BPBD")
    await tab.page.select_option("[name=pattern]", "yelp")
    await tab.page.select_option("[name=seconds]", "120")
    assert "2 stasiun · Sesungguhnya · salak · 120 dtk" in await tab.text("#siren")
    await hold(tab, HELD)
    await tab.shows("#said", "tercatat dan terkirim ke 2 stasiun. Terkirim belum berarti berbunyi")
    [order] = alerts(tab.box)
    assert len(order.pop("key")) == 32
    assert order == {
        "do": "alert.issue", "stations": ["passo", "bpbd"], "pattern": "yelp", "alert_kind": "actual", "seconds": 120,
        "actor": "budi",
    }  # fmt: skip

    await tab.page.focus("#siren")
    async with tab.time_stands() as goes:
        await tab.page.keyboard.down("Space")
        await goes(HELD)
        await tab.page.keyboard.up("Space")
    await until(lambda: len(alerts(tab.box)) == 2)
    assert len({o.get("key") for o in alerts(tab.box)}) == 2


async def test_all_stations_are_one_press_away_and_a_silent_test_is_no_red_button(tab: Tab) -> None:
    await tab.open()
    await tab.page.click(".chip.all")
    assert "7 stasiun" in await tab.text("#siren")
    await tab.page.select_option("[name=kind]", "silent_test")
    assert "Tahan untuk uji senyap" in await tab.text("#siren")
    assert await tab.page.locator("#siren.silent").count() == 1
    await choose(tab, "Damkar Teluk")
    assert "6 stasiun" in await tab.text("#siren")
    assert not await tab.page.is_checked("#all")


async def test_the_page_says_sent_only_when_it_is_on_disk(tab: Tab) -> None:
    await tab.open()
    tab.box.core.answers["alert.issue"] = {"durable": False}
    await tab.page.click(".chip.all")
    await hold(tab, HELD)
    await tab.shows("#said", "BELUM TERCATAT di disk")
    tab.box.core.answers["alert.issue"] = Refusal("no_centre", "This box is a station.")
    await hold(tab, HELD)
    await tab.shows("#said", "Tidak dikirim: kotak ini sebuah stasiun")
    await tab.box.stop_core()
    await hold(tab, HELD)
    await tab.shows("#said", "TIDAK TERKIRIM: core tidak menjawab")


async def test_an_order_whose_answer_is_lost_is_asked_for_again_under_the_same_key(tab: Tab) -> None:
    await tab.open()
    lost = 0

    async def lose_two_answers(route: Any) -> None:
        nonlocal lost
        answer = await route.fetch()
        if lost == 2:
            await route.fulfill(response=answer)
        else:
            lost += 1
            await route.abort("connectionreset")

    await tab.page.route("**/alert", lose_two_answers)
    await tab.page.click(".chip.all")
    await hold(tab, HELD)
    await tab.shows("#said", "sudah diterima sebelumnya; tidak dikirim dua kali")
    assert len({o["key"] for o in alerts(tab.box)}) == 1
    assert len(alerts(tab.box)) == 3


async def test_news_never_take_away_what_a_hand_is_at(tab: Tab) -> None:
    await tab.open()
    await choose(tab, "Damkar Passo")
    await tab.page.select_option("[name=pattern]", "pulse")
    await tab.page.evaluate("document.querySelector('#siren').marked = true")
    await tab.page.hover("#siren")
    async with tab.time_stands() as goes:
        await tab.page.mouse.down()
        tab.box.core.scene = "alert"  # alarms, a call and an open order come in
        tab.box.core.push()
        await tab.shows("#stations", "relai hidup")
        assert await tab.page.evaluate("document.querySelector('#siren').classList.contains('holding')")
        await goes(HELD)
        await until(lambda: bool(alerts(tab.box)))
        await tab.page.mouse.up()
    assert await tab.page.evaluate("document.querySelector('#siren').marked")
    [order] = alerts(tab.box)
    assert (order["stations"], order["pattern"]) == (["passo"], "pulse")
    await tab.page.click("#order-state")
    await until(lambda: tab.box.core.orders[-1]["do"] == "alert.stop")
    assert tab.box.core.orders[-1]["alerts"] == []  # all that are open


async def test_enter_answers_the_call_that_rings_longest(tab: Tab) -> None:
    def two_calls(view: View) -> None:
        first = view.lines[0].call
        assert first is not None
        view.lines[1].call = Call("l2", "cc00cc00", "+628111", CallPhase.RINGING, first.began, first.since)

    tab.box.core.scene, tab.box.core.change = "blackout", two_calls
    await tab.open()
    await choose(tab, "BPBD")  # a chip has the focus, and Enter is still for the call
    await tab.page.keyboard.press("Enter")
    await until(lambda: len(tab.box.core.orders) == 1)
    await tab.page.click("#card-cc00cc00 >> text=Tolak")
    await until(lambda: len(tab.box.core.orders) == 2)
    assert tab.box.core.orders == [
        {"do": "call.next", "talk": "headset", "actor": "budi"},
        {"do": "call.reject", "line": "l2", "call": "cc00cc00", "actor": "budi"},
    ]


async def test_a_login_that_has_ended_orders_nothing_and_hides_what_it_showed(tab: Tab) -> None:
    tab.box.core.scene = "blackout"
    await tab.open()
    await tab.page.click(".chip.all")
    await tab.page.hover("#siren")
    async with tab.time_stands() as goes:
        await tab.page.mouse.down()  # a page with nobody's hand on it goes to its login at once
        tab.box.core.tokens.clear()
        await goes(HELD)
        await tab.shows("#said", "login berakhir")
        await tab.page.mouse.up()
    await tab.shows(".login", "Login berakhir. Masuk lagi.", 20.0)
    assert "Pohon tumbang" not in await tab.page.content()
    assert alerts(tab.box) == []

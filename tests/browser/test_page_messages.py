"""Texts from the page: written, counted, sent once, and told what came of it; lines in detail beside them."""

from typing import Any

import pytest
from page_box import Tab, until
from scenes import EVIL

from drivers.jsonsocket import Refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBER, WORDS = "+6281150509999", "Kapal Siwalima berangkat pukul 4"


def texts(tab: Tab) -> list[dict[str, Any]]:
    return [order for order in tab.box.core.orders if order["do"] == "sms.send"]


async def write(tab: Tab, number: str = NUMBER, text: str = WORDS) -> None:
    await tab.page.click("#messages [popovertarget=write]")
    await tab.page.fill("#write [name=number]", number)
    await tab.page.fill("#write [name=text]", text)


async def test_a_text_is_counted_while_it_is_written_and_sent_once(tab: Tab) -> None:
    await tab.open()
    await write(tab)
    await tab.shows("#write-count", f"{len(WORDS)} huruf, 1 SMS")
    await tab.page.press("#write [name=number]", "Enter")  # no accident sends it
    assert texts(tab) == []
    await tab.page.click("[data-send]")
    await tab.shows("#write-said", "SMS ke +62 811 5050 9999 tercatat (1 SMS) dan menunggu dikirim")
    [order] = texts(tab)
    assert len(order.pop("key")) == 32
    assert order == {"do": "sms.send", "number": NUMBER, "text": WORDS, "actor": "budi"}
    assert await tab.page.input_value("#write [name=text]") == ""


async def test_a_text_whose_outcome_is_not_known_is_asked_for_again_under_the_same_key(tab: Tab) -> None:
    await tab.open()
    await write(tab)
    arrives = await tab.loses_answers("**/message")
    await tab.page.click("[data-send]")
    await tab.shows("#write-said", "TIDAK TERKIRIM")
    arrives.set()
    await tab.page.click("[data-send]")  # by hand, and still the same text
    await tab.shows("#write-said", "sudah diterima sebelumnya; tidak dikirim dua kali")
    assert len(texts(tab)) == 4
    assert len({order["key"] for order in texts(tab)}) == 1


async def test_a_text_that_is_refused_stays_to_be_mended_and_says_why_in_both_languages(tab: Tab) -> None:
    await tab.open()
    tab.box.core.answers["sms.send"] = Refusal("bad_number", "x")
    for language, told in (("id", "nomor itu tidak dapat dituju"), ("en", "that number cannot be written to")):
        await tab.page.click(f"header button[value={language}]")
        await tab.page.wait_for_selector(f"html[lang={language}]")
        await write(tab, "112")
        await tab.page.click("[data-send]")
        await tab.shows("#write-said", told)
        assert await tab.page.input_value("#write [name=text]") == WORDS
        await tab.page.keyboard.press("Escape")


async def test_news_never_take_away_a_text_that_is_being_written(tab: Tab) -> None:
    await tab.open()
    await write(tab)
    tab.box.core.scene = "alert"
    tab.box.core.push()
    await tab.shows("#stations", "relai hidup")
    assert await tab.page.is_visible("#write")
    assert await tab.page.input_value("#write [name=text]") == WORDS
    assert await tab.page.evaluate("document.activeElement.name") == "text"
    await tab.page.click("#phone [data-enter]")  # a call that rings is in reach all the time
    await until(lambda: [o["do"] for o in tab.box.core.orders] == ["call.next"])


async def test_a_reply_and_a_second_try_begin_with_what_they_are_about(tab: Tab) -> None:
    tab.box.core.scene = "blackout"
    await tab.open()
    await tab.page.click("#message-bb00bb01 [data-write]")
    assert await tab.page.input_value("#write [name=number]") == "+6281344445555"
    await tab.page.keyboard.press("Escape")
    await tab.page.click(".message.p2 [data-write]")
    assert await tab.page.input_value("#write [name=text]") == "Kapal Siwalima berangkat pukul 4, bawa tandu"
    await tab.page.click("[data-send]")
    await until(lambda: len(texts(tab)) == 1)
    assert texts(tab)[0]["number"].replace(" ", "") == "+6281150501111"


async def test_all_texts_have_a_page_of_their_own_for_those_who_are_logged_in(tab: Tab) -> None:
    tab.box.core.scene = "blackout"
    await tab.page.goto(tab.box.url + "messages")
    assert "hanya tampak setelah masuk" in await tab.text("main")
    assert "Siwalima" not in await tab.page.content()
    await tab.open()
    await tab.page.click("header nav a[href='/messages']")
    assert EVIL in await tab.text("main")
    assert await tab.page.locator("img, main script").count() == 0
    assert await tab.page.locator("#all-messages .message").count() == 5
    await tab.streams()  # alarms and the time are live here too
    tab.box.core.scene = "calm"
    await tab.shows("#alarms", "Tidak ada alarm")
    for width, height in ((1366, 768), (390, 844)):
        await tab.page.set_viewport_size({"width": width, "height": height})
        assert await tab.page.evaluate("document.documentElement.scrollWidth") == width


async def test_details_of_lines_stay_open_while_news_come_and_leave_the_call_in_sight(tab: Tab) -> None:
    await tab.open()
    await tab.page.click("[popovertarget=line-details]")
    await tab.shows("#line-details", "Pulsa Rp 84.500")
    tab.box.core.scene = "blackout"
    tab.box.core.push()
    await tab.shows("#detail-l3", "tidak dapat menerima panggilan: tanpa jaringan")
    assert await tab.page.is_visible("#line-details")
    await tab.page.click("#phone [data-enter]")
    await until(lambda: [o["do"] for o in tab.box.core.orders] == ["call.next"])
    label = await tab.page.get_attribute("#line-l1 .spark", "aria-label")
    assert label is not None
    assert "dBm" in label

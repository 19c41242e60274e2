"""What the page shows: to whom, in which language, on which screen, and what it never shows."""

from typing import Any

import pytest
from page_box import Tab, until
from page_sights import COLOURS
from scenes import EVIL

from appliance.view import View

pytestmark = pytest.mark.asyncio(loop_scope="module")

INJECTED = """
() => {
  const script = document.createElement("script");
  script.textContent = "window.injected = 1";
  const image = document.createElement("img");
  image.setAttribute("onerror", "window.injected = 2");
  image.src = "http://127.0.0.1:9/x.png";
  document.body.append(script, image);
}
"""

OVERFLOWING = """
() => [...document.querySelectorAll(".panel, .tiles, .tile, .bar, .note, .big > span:last-child")]
  .filter((e) => e.checkVisibility() && (e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1))
  .map((e) => [e.id || e.className, e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight])
"""


async def test_status_is_for_everybody_and_numbers_texts_and_orders_only_after_login(tab: Tab) -> None:
    tab.box.core.scene = "blackout"
    await tab.open(login=False)
    assert "23 menit sampai gelap" in await tab.text("#power")
    body = await tab.page.content()
    assert "4471" not in body.replace("…471", "")
    assert "Pohon tumbang" not in body
    assert await tab.page.locator("#siren").count() == 0
    assert await tab.page.locator("[data-post]:enabled").count() == 0

    await tab.page.fill("[name=name]", "budi")
    await tab.page.fill("[name=password]", "salah")
    await tab.page.click(".login button")
    await tab.shows(".login", "Nama atau kata sandi salah")
    await tab.open()
    await tab.shows("#phone", "+62 812 5550 4471")
    assert "Pohon tumbang" in await tab.text("#messages")
    cookies = {c["name"]: c for c in await tab.page.context.cookies()}
    assert cookies["siaga"]["httpOnly"]
    assert cookies["siaga"]["sameSite"] == "Strict"

    await tab.page.click("header form[action='/logout'] button")
    await tab.page.wait_for_selector(".login")
    assert "Pohon tumbang" not in await tab.page.content()
    assert tab.box.core.tokens == {}


async def test_the_language_is_switched_and_stays(tab: Tab) -> None:
    await tab.open(login=False)
    assert "Tidak ada alarm" in await tab.text("#alarms")
    await tab.page.click("button[value=en]")
    await tab.shows("#alarms", "No alarms")
    await tab.page.reload()
    await tab.streams()  # what comes by the stream is in the same language
    assert "No alarms" in await tab.text("#alarms")
    assert await tab.page.get_attribute("html", "lang") == "en"


async def test_words_of_strangers_stay_words(tab: Tab) -> None:
    def evil(view: View) -> None:
        view.name = EVIL
        view.lines[1].name = EVIL
        view.stations[1].name = EVIL
        view.lines[0].call.number = EVIL  # type: ignore[union-attr]

    tab.box.core.scene, tab.box.core.change = "blackout", evil
    await tab.open()
    await tab.shows("#stations", EVIL)
    await tab.page.reload()  # the header's name is no part of the stream
    for panel in ("#phone", "#lines", "#stations", "#messages", "header .site"):
        assert EVIL in await tab.text(panel)
    assert await tab.page.locator("img, main script").count() == 0
    assert tab.faults == []


async def test_the_page_obeys_its_own_policy_and_loads_nothing_from_elsewhere(tab: Tab) -> None:
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    tab.box.core.scene = "alert"
    await tab.open()
    await tab.page.click("#theme")
    await tab.page.click("[popovertarget]")
    assert await tab.page.is_visible("#alarm-list")
    assert asked
    assert all(url.startswith(tab.box.url) for url in asked)
    await tab.page.evaluate(INJECTED)
    await until(lambda: len(tab.faults) >= 3)  # the policy said no to each
    assert await tab.page.evaluate("window.injected") is None
    tab.faults.clear()


@pytest.mark.parametrize("scene", ["calm", "blackout", "alert", "worn"])
async def test_every_screen_shows_all_without_scrolling(tab: Tab, scene: str) -> None:
    tab.box.core.scene = scene
    await tab.open()
    for language in ("id", "en"):
        await tab.page.click(f"button[value={language}]")
        await tab.page.wait_for_selector("#siren")
        for width, height in ((1366, 768), (1920, 1080)):
            await tab.page.set_viewport_size({"width": width, "height": height})
            assert await tab.page.evaluate("document.documentElement.scrollHeight") == height
            assert await tab.page.evaluate(OVERFLOWING) == []
        await tab.page.set_viewport_size({"width": 390, "height": 844})
        assert await tab.page.evaluate("document.documentElement.scrollWidth") == 390
        assert await tab.page.evaluate(OVERFLOWING) == []


async def test_every_text_stands_out_by_day_and_by_night(tab: Tab) -> None:
    tab.box.core.scene = "alert"
    await tab.open()
    await tab.page.click("#siren")  # a word of warning is on the page too
    for opens in ("", "[popovertarget=line-details]", "#messages [popovertarget=write]"):
        if opens:
            await tab.page.click(opens)
        for theme in ("light", "dark"):
            await tab.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
            weak: list[Any] = await tab.page.evaluate(COLOURS)
            assert weak == [], (opens, theme)
        await tab.page.keyboard.press("Escape")


async def test_only_a_new_alarm_of_priority_one_is_called_out(tab: Tab) -> None:
    await tab.open()
    assert await tab.page.locator("[role=alert]").count() == 1
    assert await tab.text("#shout") == ""
    tab.box.core.scene = "blackout"
    await tab.shows("#shout", "Genset gagal hidup")
    assert "PLN padam" not in await tab.text("#shout")  # of priority 2
    await until(lambda: _titled(tab, "▲"))
    await tab.page.click("#alarms [data-post]")
    await until(lambda: bool(tab.box.core.orders))
    assert tab.box.core.orders == [
        {"do": "alarm.acknowledge", "alarm": "genset.fail_to_start", "about": "g1", "note": "", "actor": "budi"}
    ]


async def _titled(tab: Tab, text: str) -> bool:
    return text in await tab.page.title()


CUT = """
() => [...document.querySelectorAll("header .site, header .who, header nav a, header #moment")]
  .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline"
    || e.getBoundingClientRect().right > innerWidth
    || (!e.matches(".site") && e.getClientRects().length && e.offsetHeight > 40))
  .map((e) => [e.className || e.id, e.textContent])
"""


@pytest.mark.parametrize("login", [False, True])
async def test_the_header_cuts_no_name_and_breaks_no_words_at_1366(tab: Tab, login: bool) -> None:
    def long(view: View) -> None:
        view.name = "Pusat Komando 112 Kota Ambon dan Pulau-Pulau Lease"

    for change in (lambda view: None, long):
        tab.box.core.change = change
        tab.box.core.push()
        await tab.open(login=login and await tab.page.locator("form[action='/logout']").count() == 0)
        for language in ("id", "en"):
            await tab.page.click(f"header button[value={language}]")
            await tab.page.wait_for_selector(f"html[lang={language}]")
            assert await tab.page.evaluate(CUT) == []
            assert await tab.page.evaluate("document.querySelector('header').offsetHeight") <= 64

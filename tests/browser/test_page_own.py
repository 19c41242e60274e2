"""A station's own page: read from five metres, acknowledged by one press, and no test looks like the real thing."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from own_scenes import ORDER, OTHER, OWN_SCENES, OWN_SITE, PLACE
from page_box import Box, Tab, until
from page_sights import COLOURS, SPILLED

from drivers.jsonsocket import Refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Reds of the page: what has more of red than of the rest, of anything that is seen.
REDS = """
() => {
  const rgb = (c) => (c.match(/[\\d.]+/g) || [0, 0, 0]).map(Number);
  const red = (c) => { const [r, g, b, a] = rgb(c); return a !== 0 && r > 140 && r - Math.max(g, b) > 60; };
  return [...document.querySelectorAll("#own, #own *")].filter((e) => e.checkVisibility()).filter((e) => {
    const s = getComputedStyle(e);
    return red(s.color) || red(s.backgroundColor) || (parseFloat(s.borderTopWidth) && red(s.borderTopColor));
  }).map((e) => e.className || e.tagName);
}
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running_box(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Box]:
    """A station's box, once for this module."""
    box = Box(tmp_path_factory.mktemp("station"), OWN_SITE)
    try:
        await box.start_core()
        await box.start_web()
        yield box
    finally:
        await box.stop_web()
        await box.stop_core()


async def opened(tab: Tab, scene: str) -> Tab:
    tab.box.core.scene = scene
    return await tab.open(login=False)


async def letters(tab: Tab, selector: str) -> float:
    size: float = await tab.page.evaluate(
        f"parseFloat(getComputedStyle(document.querySelector('{selector}')).fontSize)"
    )
    return size


async def test_no_text_leaves_its_place_and_each_stands_out(tab: Tab) -> None:
    await opened(tab, "own_calm")
    for language in ("id", "en"):
        await tab.page.click(f"header button[value={language}]")
        await tab.page.wait_for_selector(f"html[lang={language}]")
        for scene in OWN_SCENES:
            before = await tab.text("#own")
            tab.box.core.scene = scene
            tab.box.core.push()
            if scene != "own_calm":
                await until(lambda before=before: _other(tab, "#own", before))  # type: ignore[misc]
            for width, height in ((1366, 768), (390, 844)):
                await tab.page.set_viewport_size({"width": width, "height": height})
                assert await tab.page.evaluate("document.documentElement.scrollWidth") == width, scene
                assert await tab.page.evaluate(SPILLED) == [], scene
            for theme in ("light", "dark") if language == "id" else ():
                await tab.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
                assert await tab.page.evaluate(COLOURS) == [], scene


async def test_what_where_since_when_and_the_turnout_are_read_from_five_metres(tab: Tab) -> None:
    await opened(tab, "own_actual")
    told = await tab.text("#own")
    for words in (
        "PERINTAH SIRENE",
        "KEBAKARAN",
        PLACE,
        "Seluruh stasiun",
        "Waktu berangkat".upper(),
        "sasaran 1 mnt 20",
    ):
        assert words in told
    # 768 lines on a screen of 23 inches are 0.37 mm each; at 5 m a letter of 25 mm is read: 68 lines.
    assert await letters(tab, "#own h1") >= 100
    assert await letters(tab, "#own .where") >= 68
    assert await letters(tab, "#own .timer b") >= 150
    box = await tab.page.locator("#acknowledge").bounding_box()
    assert box
    assert box["width"] > 1200
    assert box["height"] >= 150
    assert box["y"] + box["height"] <= 768
    assert "Relai hidup" in await tab.text(".proofs")
    assert "+0,7 dtk" in await tab.text(".proofs")
    core, watching = tab.box.core, set(tab.box.core.watchers)
    core.watchers.clear()  # each view of this scene tells of an order of 47 s ago
    first = await tab.text(".timer b")
    await until(lambda: _other(tab, ".timer b", first))  # it counts by itself
    core.watchers |= watching


async def _other(tab: Tab, selector: str, text: str) -> bool:
    return await tab.text(selector) != text


async def test_one_press_acknowledges_without_a_login_at_the_boxs_own_screen(tab: Tab) -> None:
    await opened(tab, "own_actual")
    await tab.page.click("#acknowledge")
    await tab.page.click("#acknowledge")
    await tab.shows("#said", "Diakui. Pusat diberi tahu")
    given = tab.box.core.orders
    assert {(o["do"], o["alert"]) for o in given} == {("order.acknowledge", ORDER)}
    assert len({o["key"] for o in given}) == 1
    tab.box.core.scene = "own_seen"
    await tab.shows("#own", "DIAKUI")
    assert await tab.page.locator("#acknowledge").count() == 0
    assert await tab.text(".timer b") == "0:33"
    tab.box.core.answers["order.acknowledge"] = Refusal("no_alert", "It is over.")
    tab.box.core.scene = "own_two"
    await tab.shows("#own", "UJI COBA")
    await tab.page.click("#acknowledge")
    await tab.shows("#said", "tidak terbuka")
    await tab.page.click(f"#own-{OTHER} [data-acknowledge]")
    await until(lambda: tab.box.core.orders[-1]["alert"] == OTHER)


async def test_the_button_stays_in_sight_under_a_long_place_and_what_is_wrong_is_said(tab: Tab) -> None:
    await opened(tab, "own_late")
    box = await tab.page.locator("#acknowledge").bounding_box()
    assert box
    assert box["y"] + box["height"] <= 768
    told = await tab.text("#own")
    for words in ("SIRENE DIKUNCI", "sari: relai zona asrama diganti", "Garasi", "Arus TIDAK ADA", "memakai baterai"):
        assert words in told
    await tab.page.wait_for_selector(".timer [data-own-late]")  # the page's counters look four times a second


async def test_a_locked_siren_hides_no_order_and_says_whose_lockout_it_is(tab: Tab) -> None:
    await opened(tab, "own_barred")
    assert await tab.text("#own h1") == "KEBAKARAN"
    told = await tab.text("#own .locked")
    assert "SIRENE DIKUNCI, TIDAK BERBUNYI oleh sari: relai zona asrama diganti · sampai" in told
    strip = await tab.page.locator("#own .locked").bounding_box()
    button = await tab.page.locator("#acknowledge").bounding_box()
    assert strip
    assert button
    assert strip["y"] + strip["height"] <= button["y"], "the button, which stays in sight, covers nothing of it"


@pytest.mark.parametrize(("scene", "words"), [("own_false", "ALARM PALSU"), ("own_clear", "AMAN")])
async def test_what_the_centre_took_back_is_the_first_thing_that_is_read(tab: Tab, scene: str, words: str) -> None:
    await opened(tab, scene)
    assert words in await tab.text("#own .kind")
    assert await letters(tab, "#own .kind strong") > await letters(tab, "#own h1")
    assert await tab.page.evaluate(REDS) == []


@pytest.mark.parametrize("scene", ["own_test", "own_drill"])
async def test_a_test_has_a_frame_and_a_word_of_its_own_and_no_red(tab: Tab, scene: str) -> None:
    await opened(tab, scene)
    for theme in ("light", "dark"):
        await tab.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        assert await tab.page.evaluate(REDS) == []
    assert "UJI COBA" in await tab.text("#own-test")
    assert "BUKAN kejadian nyata" in await tab.text("#own-test")
    assert await letters(tab, "#own-test strong") > 120
    assert await letters(tab, "#own-test strong") > await letters(tab, "#own h1")
    assert await tab.page.locator(".timer").count() == 0
    await tab.page.click("header button[value=en]")
    await tab.shows("#own-test", "TEST")
    tab.box.core.scene = "own_actual"
    await tab.shows("#own", "SIREN ORDER")
    assert await tab.page.evaluate(REDS) != []


async def test_a_real_order_stands_before_a_test_and_before_what_was_a_false_alarm(tab: Tab) -> None:
    await opened(tab, "own_two")
    assert await tab.text("#own h1") == "KEBAKARAN"
    rows = [" ".join(t.split()) for t in await tab.page.locator(".other").all_inner_texts()]
    assert ["ALARM PALSU" in row for row in rows] == [True, False]
    assert "UJI COBA" in rows[1]


async def test_a_calm_station_shows_its_centre_and_its_journal(tab: Tab) -> None:
    await opened(tab, "own_calm")
    assert "Tidak ada perintah" in await tab.text("#own")
    assert "pusat terdengar baru saja" in await tab.text("#own")
    assert "Sirene: Mikrofon setelah 2 s" in await tab.text("#own-log")
    assert "0:50" in await tab.text("#own-orders")
    assert await tab.page.locator("header nav a").all_inner_texts() == ["Ikhtisar", "Alarm", "SMS"]
    tab.box.core.scene = "own_silent"
    await tab.shows("#own .state", "pusat BISU sejak 1 jam 6 mnt")


async def test_without_core_the_address_stays_and_the_page_sends_people_off_and_to_the_telephone(tab: Tab) -> None:
    await opened(tab, "own_actual")
    await tab.box.stop_core()
    await tab.shows("#own", "berangkat, kabari pusat lewat telepon atau radio", 30.0)
    assert PLACE in await tab.text("#own")
    assert await tab.page.locator("#acknowledge:disabled").count() == 1

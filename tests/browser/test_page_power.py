"""The power page: what feeds what and until when, what is ready, commands asked for once more, the record on paper."""

from typing import Any

import pytest
from page_box import Tab, until
from page_sights import COLOURS, SPILLED
from power_scenes import POWER_SCENES

from appliance.power_view import FeedView, Offer
from appliance.view import View
from drivers.jsonsocket import Refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

DRAWN_OVER = """
() => [...document.querySelectorAll(".lines1 .box:not(.switch)")].flatMap((g) => {
  const box = g.querySelector("rect").getBoundingClientRect();
  const over = [...g.querySelectorAll("text")].filter((t) => t.getBoundingClientRect().right > box.right);
  return over.map((t) => t.textContent);
})
"""


async def opened(tab: Tab, scene: str, *, login: bool = True) -> Tab:
    tab.box.core.scene = scene
    tab.box.core.role = "supervisor"
    return await tab.open("power", login=login)


def orders(tab: Tab) -> list[dict[str, Any]]:
    return [order for order in tab.box.core.orders if order["do"] == "power.order"]


@pytest.mark.parametrize("scene", POWER_SCENES)
async def test_no_text_leaves_its_place_on_any_screen(tab: Tab, scene: str) -> None:
    await opened(tab, scene)
    for language in ("id", "en"):
        await tab.page.click(f"header button[value={language}]")
        await tab.page.wait_for_selector(f"html[lang={language}]")
        await tab.page.goto(tab.box.url + "power")
        for width, height in ((1366, 768), (1920, 1080), (390, 844)):
            await tab.page.set_viewport_size({"width": width, "height": height})
            assert await tab.page.evaluate("document.documentElement.scrollWidth") == width
            assert await tab.page.evaluate(SPILLED) == []
            assert await tab.page.evaluate(DRAWN_OVER) == []
        await tab.page.set_viewport_size({"width": 1366, "height": 768})


async def test_the_stage_tells_how_long_it_may_last_and_what_comes_next(tab: Tab) -> None:
    await opened(tab, "cranking")
    assert "51 menit sampai gelap" in await tab.text("#power-now")
    assert "Genset sedang start" in await tab.text(".stage")
    assert "paling lama 1 mnt" in await tab.text(".stage .due")
    assert await tab.text(".stage [aria-current=step]") == "Start"
    assert await tab.page.locator(".stage li.done").all_inner_texts() == ["Padam"]
    counting = await tab.page.locator(".parts .counts").all_inner_texts()
    assert ["Dari laju baterai · UPS 1" in text for text in counting] == [True]
    assert "beban tidak diketahui" in await tab.text(".parts")
    tab.box.core.scene = "many"
    await tab.shows(".stage", "terlambat")
    tab.box.core.scene = "plant"
    await tab.shows("#power-now", "PLN sejak")
    assert await tab.page.locator(".stage").count() == 0


async def test_the_switch_stands_as_its_contacts_or_the_power_say_and_else_not_at_all(tab: Tab) -> None:
    def feed(mains: bool | None, genset: bool | None) -> Any:
        def change(view: View) -> None:
            assert view.power
            view.power.feed = FeedView(True, mains, genset)

        return change

    await opened(tab, "plant")
    label = tab.page.locator("#power-now .lines1")
    for closed, told, blades in (
        ((True, False), "ke PLN", 1), ((False, True), "ke genset", 1), ((False, False), "terbuka", 1),
        ((True, True), "DUA-DUANYA TERTUTUP", 2), ((None, False), "ke PLN", 1), ((None, None), "tidak diketahui", 0),
    ):  # fmt: skip
        tab.box.core.change = feed(*closed)
        await until(lambda told=told: _labelled(label, f"ATS: {told}"))  # type: ignore[misc]
        assert await tab.page.locator("#power-now .blade").count() == blades


async def _labelled(what: Any, text: str) -> bool:
    return text in str(await what.get_attribute("aria-label"))


async def test_what_is_not_ready_stands_first_and_what_is_not_known_is_never_ready(tab: Tab) -> None:
    await opened(tab, "failed")
    rows = [" ".join(text.split()) for text in await tab.page.locator(".ready li").all_inner_texts()]
    assert ["TIDAK SIAP" in row for row in rows[:4]] == [True, True, True, False]
    assert "Pengisi aki" in rows[3]
    assert "tidak diukur" in rows[3]
    assert "3 tidak siap" in await tab.text("#power-ready h2")
    tab.box.core.scene = "stale"
    await tab.shows("#power-ready h2", "10 tidak diketahui")
    assert await tab.page.locator(".ready use[href='#s-ok']").count() == 0
    assert "12,6" not in await tab.text("main")  # the battery's volts of a minute and a half ago
    assert "tidak menjawab" in await tab.text("#device-genset-g1")


async def test_a_command_is_asked_for_once_more_and_goes_out_once_with_the_name_that_was_shown(tab: Tab) -> None:
    await opened(tab, "plant")
    await tab.page.click("[data-plant='genset/g1'][data-command=test_on_load]")
    assert orders(tab) == []
    assert "Uji berbeban · Genset 1" in await tab.text("#plant-ask")
    assert "mengambil beban gedung" in await tab.text("#plant-ask")
    assert "supervisor, teknisi" in await tab.text("#plant-ask")
    await tab.page.keyboard.press("Escape")
    assert orders(tab) == []
    await tab.page.click("[data-plant='genset/g1'][data-command=test_on_load]")
    await tab.page.click("[data-confirm]")
    await tab.shows("#plant-said", "Terkirim belum berarti terjadi")
    [order] = orders(tab)
    assert len(order.pop("key")) == 32
    assert order == {
        "do": "power.order", "device": "genset/g1", "command": "test_on_load", "name": "Genset 1", "confirm": True,
        "actor": "budi",
    }  # fmt: skip
    assert await tab.page.is_disabled("[data-confirm]")


async def test_a_command_whose_answer_is_lost_keeps_its_key(tab: Tab) -> None:
    await opened(tab, "plant")
    arrives = await tab.loses_answers("**/power/order")
    await tab.page.click("[data-command=start]")
    await tab.page.click("[data-confirm]")
    await tab.shows("#plant-said", "TIDAK TERKIRIM")
    arrives.set()
    await tab.page.click("[data-confirm]")
    await tab.shows("#plant-said", "Terkirim belum berarti terjadi")
    assert len({order["key"] for order in orders(tab)}) == 1


async def test_what_stands_in_the_way_is_said_beside_the_button_and_in_the_refusal(tab: Tab) -> None:
    await opened(tab, "plant")
    tab.box.core.answers["power.order"] = Refusal("outage", "Mains is lost.")
    await tab.page.click("[data-command=start]")
    await tab.page.click("[data-confirm]")
    await tab.shows("#plant-said", "Tidak dikirim: tidak selagi PLN padam")
    await tab.page.keyboard.press("Escape")
    tab.box.core.scene = "cranking"
    await tab.shows("#power-orders", "tidak selagi PLN padam")
    assert await tab.page.is_disabled("[data-command=start]")
    assert await tab.page.is_enabled("[data-plant='genset/g1'][data-command=mute]")


async def test_the_outcome_of_an_order_is_its_proof_or_its_failure(tab: Tab) -> None:
    await opened(tab, "failed")
    sent, lost, proven = [
        " ".join(text.split()) for text in await tab.page.locator(".plant-orders li").all_inner_texts()
    ]
    assert "terkirim, belum terbukti" in sent
    assert "bukti paling lama 1 mnt" in sent
    assert "lewat relai" in sent
    assert "GAGAL" in lost
    assert "akibatnya tidak terlihat" in lost
    assert "terbukti · " in proven
    assert "Uji baterai: lulus" in proven


async def test_without_a_login_all_is_seen_and_nothing_can_be_ordered(tab: Tab) -> None:
    await opened(tab, "plant", login=False)
    assert "74 %" in await tab.text("#power-figures")
    assert "lulus" in await tab.text("#power-runs")
    assert await tab.page.locator("[data-plant]:enabled").count() == 0
    assert "Masuk untuk memberi perintah" in await tab.text("#power-orders")


async def test_a_silent_core_leaves_nothing_that_looks_like_now(tab: Tab) -> None:
    await opened(tab, "plant")
    await tab.box.stop_core()
    await tab.shows("#power-now .figure", "---")
    await tab.shows("#power-now .note", "terakhir diketahui: PLN")
    assert await tab.page.locator("#power-now .w.carries").count() == 0
    assert await tab.page.locator("[data-plant]:enabled").count() == 0
    assert await tab.page.locator(".ready use[href='#s-ok']").count() == 0


async def test_the_record_of_runs_alone_goes_on_paper(tab: Tab) -> None:
    await opened(tab, "on_load")
    assert "masih hidup" in await tab.text("#power-runs tbody tr:first-child")
    assert "beban kurang" in await tab.text("#power-runs")
    await tab.page.emulate_media(media="print")
    assert not await tab.page.is_visible("#power-now")
    assert not await tab.page.is_visible("header")
    assert await tab.page.is_visible("#power-runs")
    assert await tab.page.is_visible("#power-runs .sign")
    assert "tiap 31 hari, 30 mnt, beban ≥ 30 %" in await tab.text("#power-runs")


@pytest.mark.parametrize("scene", ["failed", "many"])
async def test_every_text_of_it_stands_out_by_day_and_by_night(tab: Tab, scene: str) -> None:
    await opened(tab, scene)
    for theme in ("light", "dark"):
        await tab.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        assert await tab.page.evaluate(COLOURS) == [], theme


async def test_charts_have_their_places(tab: Tab) -> None:
    await opened(tab, "plant")
    points = await tab.page.evaluate("[...document.querySelectorAll('.chart')].map((e) => e.dataset.points)")
    assert points == [
        "genset/g1/generator_load,ups/u1/load",
        "genset/g1/fuel_level",
        "ups/u1/charge",
        "genset/g1/battery_v",
    ]


async def test_words_of_a_later_release_are_shown_as_they_are(tab: Tab) -> None:
    def later(view: View) -> None:
        assert view.power
        view.power.offers = [Offer("genset/g1", "sing", ("choir",), "hoarse")]

    tab.box.core.change = later
    await opened(tab, "plant")
    assert "hoarse" in await tab.text("#power-orders")

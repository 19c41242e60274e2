"""The alarm page: one failure with its consequences under it, what is put aside and by whom, and the history."""

from typing import Any

import pytest
from alarm_scenes import ALARM_SCENES, NOTE
from page_box import Tab, until
from page_sights import COLOURS, SPILLED

pytestmark = pytest.mark.asyncio(loop_scope="module")

FAILED = "#board-genset-fail_to_start-g1"


async def opened(tab: Tab, scene: str = "outage", *, login: bool = True, ask: str = "") -> Tab:
    tab.box.core.scene = scene
    return await tab.open("alarms" + ask, login=login)


def given(tab: Tab) -> list[dict[str, Any]]:
    return tab.box.core.orders


@pytest.mark.parametrize("scene", ALARM_SCENES)
async def test_no_text_leaves_its_place_and_each_stands_out(tab: Tab, scene: str) -> None:
    await opened(tab, scene)
    for language in ("id", "en"):
        await tab.page.click(f"header button[value={language}]")
        await tab.page.wait_for_selector(f"html[lang={language}]")
        await tab.page.goto(tab.box.url + "alarms")
        for width, height in ((1366, 768), (390, 844)):
            await tab.page.set_viewport_size({"width": width, "height": height})
            assert await tab.page.evaluate("document.documentElement.scrollWidth") == width
            assert await tab.page.evaluate(SPILLED) == []
    for theme in ("light", "dark"):
        await tab.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        assert await tab.page.evaluate(COLOURS) == []


async def test_one_mains_failure_is_one_alarm_with_its_consequences_under_it(tab: Tab) -> None:
    await opened(tab)
    lost = tab.page.locator("#board-power-mains_lost-mains")
    below = [" ".join(t.split()) for t in await lost.locator(".below > li").all_inner_texts()]
    assert ["Trunk 112 putus" in t or "UPS tidak menjawab" in t for t in below] == [True, True]
    assert NOTE in await lost.inner_text()
    top = await tab.page.locator(".alarm-rows:not(.asides) > li > .what > strong").all_inner_texts()
    assert [t.split(" · ")[0] for t in top] == ["P1", "P2", "P3", "P2"]  # unseen before seen, the urgent first
    assert "PERTAMA" in await tab.text(FAILED)
    assert "Rudi" in await tab.text(FAILED)
    assert "TIDAK TERKIRIM, tidak ada saluran" in await tab.text(FAILED)
    bar = await tab.text("#alarms .bar")
    assert "Genset gagal hidup" in bar
    assert "+3 lainnya" in bar  # what is suppressed or shelved is not counted


async def test_acknowledging_shelving_and_taking_out_of_service_carry_what_a_person_wrote(tab: Tab) -> None:
    await opened(tab)
    await tab.page.click(f"{FAILED} >> nth=0 >> [data-post='/alarm/acknowledge'] >> nth=0")
    await until(lambda: len(given(tab)) == 1)

    async def act(path: str, reason: str) -> None:
        await tab.page.click(f"{FAILED} > .acts [data-alarm-act]")
        await tab.page.fill("#alarm-act [name=reason]", reason)
        await tab.page.click(f"[data-act='{path}'] [data-do]")

    await act("/alarm/acknowledge", NOTE)
    await tab.shows("#said", "Alarm diakui")
    await act("/alarm/shelve", "  ")
    await tab.shows("#act-said", "Tulis alasannya dulu")
    assert len(given(tab)) == 2
    await tab.page.select_option("#alarm-act [name=minutes]", "120")
    await tab.page.fill("#alarm-act [name=reason]", "aki diganti")
    await tab.page.click("[data-act='/alarm/shelve'] [data-do]")
    await tab.shows("#said", "Alarm ditunda")
    await act("/alarm/out-of-service", "genset dibongkar")
    await tab.shows("#said", "dinonaktifkan")
    await tab.page.click(".asides li:first-child [data-post='/alarm/unshelve']")
    await until(lambda: len(given(tab)) == 5)
    await tab.page.click(".asides [data-post='/alarm/in-service']")
    await tab.page.click("#alarm-board h2 [data-post='/alarm/silence']")
    await until(lambda: len(given(tab)) == 7)
    of = {"alarm": "genset.fail_to_start", "about": "g1", "actor": "budi"}
    assert given(tab) == [
        {"do": "alarm.acknowledge", "note": "", **of},
        {"do": "alarm.acknowledge", "note": NOTE, **of},
        {"do": "alarm.shelve", "minutes": 120, "reason": "aki diganti", **of},
        {"do": "alarm.out_of_service", "reason": "genset dibongkar", **of},
        {"do": "alarm.unshelve", "alarm": "clock.wrong", "about": "clock", "actor": "budi"},
        {"do": "alarm.in_service", "alarm": "line.credit_low", "about": "", "actor": "budi"},
        {"do": "alarm.silence", "actor": "budi"},
    ]


async def test_a_flood_is_told_on_every_page_and_leads_to_the_first_alarm(tab: Tab) -> None:
    tab.box.core.scene = "flood"
    await tab.open()
    assert "Banjir alarm · 17 dalam 10 mnt" in await tab.text("#alarms .bar")
    await tab.page.click("#alarms .flood")
    await tab.shows("#alarm-board .flooded", "Lihat yang PERTAMA dulu")
    assert "disenyapkan oleh budi" in await tab.text("#alarm-board h2")
    assert await tab.page.locator("#alarm-board rect.many").count() == 1
    tab.box.core.scene = "quiet"
    await tab.shows("#alarm-board", "Tidak ada alarm")
    assert "belum dibunyikan atau dikirim" in await tab.text("#alarm-board")


async def test_what_a_person_is_writing_stays_while_alarms_come_and_go(tab: Tab) -> None:
    await opened(tab)
    await tab.page.click(f"{FAILED} > .acts [data-alarm-act]")
    await tab.page.fill("#alarm-act [name=reason]", "teknisi di jalan")
    tab.box.core.scene = "flood"
    tab.box.core.push()
    await tab.shows("#alarm-board", "Banjir alarm")
    assert await tab.page.input_value("#alarm-act [name=reason]") == "teknisi di jalan"
    assert await tab.page.is_visible("#alarm-act")


async def test_history_is_filtered_and_read_page_by_page(tab: Tab) -> None:
    await opened(tab, login=False)
    assert "Riwayat hanya tampak setelah masuk" in await tab.text("#history")
    assert "Yanti" not in await tab.page.content()
    assert await tab.page.locator("[data-post]:enabled, [data-alarm-act]:enabled").count() == 0
    await opened(tab)
    assert await tab.page.locator("#history tbody tr").count() == 60
    assert "Alarm akibat Listrik PLN padam: Trunk 112 putus" in await tab.text("#history")
    await tab.page.click("#history [rel=next]")
    await tab.page.click("#history [rel=next]")
    assert await tab.page.locator("#history tbody tr").count() == 10
    await tab.page.click("#history .pages a")
    await tab.page.select_option("#history [name=what]", "alarm.shelved")
    await tab.page.click("#history .filters .go")
    await tab.page.wait_for_url("**what=alarm.shelved**")
    rows = await tab.page.locator("#history td.event").all_inner_texts()
    assert rows
    assert all("ditunda" in row for row in rows)
    await tab.page.goto(tab.box.url + "alarms?what=nonsense&priority=9&before=x")  # what cannot be meant is not asked
    assert await tab.page.locator("#history tbody tr").count() == 60

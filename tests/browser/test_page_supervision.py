"""Orders with their recipients, stations under supervision and their tests, few stations and a thousand."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from page_box import Box, Tab, until
from page_sights import COLOURS, SPILLED
from scenes import ALERT
from supervision_scenes import DRILL, MANY, MANY_SITE, RUN, SOUNDING

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGES = (("told", "orders"), ("told", f"orders/{ALERT}"), ("watched", "stations"), ("watched", "tests"),
         ("watched", f"tests/{RUN}"))  # fmt: skip


async def opened(tab: Tab, scene: str, page: str, *, login: bool = True) -> Tab:
    tab.box.core.scene = scene
    return await tab.open(page, login=login)


def given(tab: Tab) -> list[dict[str, Any]]:
    return tab.box.core.orders


@pytest.mark.parametrize(("scene", "page"), PAGES)
async def test_no_text_leaves_its_place_and_each_stands_out(tab: Tab, scene: str, page: str) -> None:
    await opened(tab, scene, page)
    for language in ("id", "en"):
        await tab.page.click(f"header button[value={language}]")
        await tab.page.wait_for_selector(f"html[lang={language}]")
        await tab.page.goto(tab.box.url + page)
        for width, height in ((1366, 768), (390, 844)):
            await tab.page.set_viewport_size({"width": width, "height": height})
            assert await tab.page.evaluate("document.documentElement.scrollWidth") == width
            assert await tab.page.evaluate(SPILLED) == []
    for theme in ("light", "dark"):
        await tab.page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        assert await tab.page.evaluate(COLOURS) == []


async def test_an_order_shows_each_recipient_with_its_proofs_and_answers_the_worst_first(tab: Tab) -> None:
    await opened(tab, "told", "orders")
    order = tab.page.locator(f"#order-{ALERT}")
    names = await order.locator("tbody td:first-child").all_inner_texts()
    assert names[0] == "Satpol PP"  # somebody must phone it
    assert "TELEPON +62 000 5550 006" in await tab.text(f"#to-{ALERT}-satpol")
    assert "Arus" in await tab.text(f"#to-{ALERT}-passo")
    assert "zona garasi" in await tab.text(f"#to-{ALERT}-passo")
    assert "menerima" in await tab.text(f"#to-{ALERT}-haulussy")
    assert "tombol telepon" in await tab.text(f"#to-{ALERT}-haulussy")
    assert "RSUD dr. Haulussy sudah menerima" in await tab.text(f"#to-{ALERT}-bhakti")
    assert "TELEPON +62 000 0003 7" in await tab.text(f"#to-{ALERT}-pln")
    ids = [await a.get_attribute("id") for a in await tab.page.locator("article.order-of").all()]
    assert ids[:2] == [f"order-{ALERT}", f"order-{DRILL}"]  # the real one first
    assert "UJI COBA" in await tab.text(f"#order-{DRILL}")
    assert await tab.page.locator(f"#order-{DRILL} .p1:not(.m)").count() == 0


async def test_all_clear_and_false_alarm_go_to_everybody_once(tab: Tab) -> None:
    await opened(tab, "told", "orders")
    await tab.page.click(f"#order-{ALERT} [data-tell]")
    await tab.page.fill("#tell textarea", "api padam")
    await tab.page.click("#tell [data-about=all_clear]")
    await tab.shows("#said", "sedang dikirim ke semua penerima")
    [order] = given(tab)
    assert len(order.pop("key")) == 32
    assert order == {"do": "alert.tell", "alert": ALERT, "about": "all_clear", "text": "api padam", "actor": "budi"}
    assert "ALARM PALSU" in await tab.text(".told-all")
    assert await tab.page.locator("#order-55aa00aa00bb00cc [data-tell]").count() == 0


async def test_the_form_orders_zones_groups_and_contacts_with_words_and_a_priority(tab: Tab) -> None:
    await opened(tab, "told", "")
    await tab.page.click(".chip >> text=Damkar Passo")
    await tab.page.select_option("[name=incident]", "1")
    await tab.page.fill("[name=text]", "Jl. Patty 3")
    await tab.page.click("#order-details")
    await tab.page.select_option("[name=priority]", "1")
    await tab.page.click("#order-more .chip >> text=Rumah sakit")
    await tab.page.click("#order-more .chip >> text=PLN Posko")
    await tab.page.keyboard.press("Escape")
    assert "Prioritas 1 · 1 kelompok · 1 kontak" in await tab.text("#order-details")
    assert "1 stasiun +2 · Sesungguhnya · KEBAKARAN · raung · 60 dtk" in await tab.text("#siren")
    await tab.hold("#siren", 1.2)
    await until(lambda: bool(given(tab)))
    order = given(tab)[0]
    del order["key"]
    assert order == {
        "do": "alert.issue", "stations": ["passo"], "pattern": "wail", "alert_kind": "actual", "seconds": 60,
        "incident_code": 1, "groups": ["rs"], "contacts": ["pln"], "text": "Jl. Patty 3", "language": "id",
        "priority": 1, "actor": "budi",
    }  # fmt: skip


async def test_a_lockout_has_a_name_a_reason_and_an_end_and_shows_whether_the_station_took_it(tab: Tab) -> None:
    tab.box.core.role = "supervisor"
    await opened(tab, "watched", "stations")
    assert "dikunci budi: papan dibuka" in await tab.text("#watched-satpol")
    assert "belum dipastikan stasiun" in await tab.text("#watched-satpol")
    assert "dikunci sari" in await tab.text("#watched-teluk")
    assert "belum dipastikan" not in await tab.text("#watched-teluk")
    await tab.page.click("#all-stations [data-lock=passo]")
    await tab.page.click("#lock [data-do]")
    await tab.shows("#lock-said", "Tulis alasannya dulu")
    await tab.page.fill("#lock textarea", "klakson dibuka")
    await tab.page.select_option("#lock [name=hours]", "4")
    await tab.page.click("#lock [data-do]")
    await tab.shows("#said", "Tunggu kepastian dari stasiun")
    await tab.page.click("#watched-teluk [data-unlock]")
    await until(lambda: len(given(tab)) == 2)
    assert given(tab) == [
        {"do": "siren.lock", "station": "passo", "hours": 4.0, "reason": "klakson dibuka", "actor": "budi"},
        {"do": "siren.unlock", "station": "teluk", "actor": "budi"},
    ]


async def test_what_is_wrong_with_a_station_stands_first_and_each_path_has_its_worst_time(tab: Tab) -> None:
    await opened(tab, "watched", "stations", login=False)
    names = await tab.page.locator("#stations-board tbody td:first-child b").all_inner_texts()
    assert names[0] == "Satpol PP"
    assert "Damkar Passo" not in names  # it is well
    assert "MQTT ≤ 9 dtk" in await tab.text("#watched-ambulans")
    assert "uji GAGAL 4 mnt lalu" in await tab.text("#watched-ambulans")
    assert "−41,2 dtk" in await tab.text("#watched-bpbd")
    assert "12 hari" in await tab.text("#watched-bpbd")
    assert "tidak akan diketahui" in await tab.text("#watched-posko")
    assert await tab.page.locator("[data-lock]:enabled, [data-unlock]:enabled").count() == 0


async def test_a_card_stays_behind_its_order_until_a_person_says_what_came_of_it(tab: Tab) -> None:
    await opened(tab, "left", "")
    await tab.shows("#station-satpol", "TELEPON")
    assert "TELEPON" in await tab.text("#station-ambulans")
    assert "TELEPON" not in await tab.text("#station-bpbd")
    assert "2 stasiun belum ditangani" in await tab.text("#alerts")
    await tab.page.click("#station-satpol a")
    await tab.shows(f"#order-{ALERT}", "2 stasiun belum ditangani")
    assert "Tidak menjawab, orang dikirim · budi" in await tab.text(f"#to-{ALERT}-bpbd")
    await tab.page.click(f"#to-{ALERT}-satpol [data-card]")
    await tab.page.fill("#card textarea", "Pak Agus menjawab")
    await tab.page.click("#card [data-outcome=reached]")
    await tab.shows("#said", "Tercatat")
    [order] = given(tab)
    assert order == {"do": "alert.card", "alert": ALERT, "stations": ["satpol"], "outcome": "reached",
                     "text": "Pak Agus menjawab", "actor": "budi"}  # fmt: skip
    await tab.page.click(f"#order-{ALERT} .unhandled [data-card]")
    await tab.page.click("#card [data-outcome=sent]")
    await until(lambda: len(given(tab)) == 2)
    assert given(tab)[1]["stations"] == []
    await tab.open(f"orders/{ALERT}", login=False)
    assert "BELUM ada catatan" in await tab.text("#record tbody"), "the record says so on paper"


async def test_only_a_station_that_a_proof_says_can_be_woken_is_counted(tab: Tab) -> None:
    """A number for texts proves nothing: the others are told as not proven, with why."""
    await opened(tab, "mute", "")
    await tab.shows("#stations h2", "2 dari 7 dapat dibangunkan · 3 belum terbukti")
    assert "SMS saja" in await tab.text("#station-passo")
    assert "belum terbukti: uji SMS gagal" in await tab.text("#station-bpbd")
    assert "belum terbukti: SMS belum pernah teruji" in await tab.text("#station-ambulans")
    assert "belum terbukti: bukti SMS terlalu lama" in await tab.text("#station-satpol")
    assert "tidak terjangkau" in await tab.text("#station-posko")


async def test_a_revoked_key_is_told_with_who_and_when(tab: Tab) -> None:
    await opened(tab, "mute", "")
    await tab.shows("#station-teluk", "kunci DICABUT sari")
    assert "kunci DICABUT sari" in await tab.text("#alarms")
    assert "kotak dicuri" in await tab.text("#alarms")
    assert "daftarkan kunci baru" in await tab.text("#alarms")
    await tab.open("stations", login=False)
    assert "kunci DICABUT sari" in await tab.text("#watched-teluk")
    assert "terlalu lama" in await tab.text("#watched-satpol")


async def test_a_test_is_asked_for_twice_and_its_record_names_what_failed(tab: Tab) -> None:
    tab.box.core.role = "supervisor"
    await opened(tab, "watched", "tests")
    assert "26/11/2026 10:00" in await tab.text("#tests-board .due")
    await tab.page.click("[data-test=sounding]")
    assert "SIRENE BERBUNYI" in await tab.text("#test-ask")
    await tab.page.click("#test-ask [data-do]")
    await tab.shows("#said", "Uji dimulai")
    assert given(tab)[0]["do"] == "test.run"
    assert given(tab)[0]["test"] == "sounding"
    await tab.page.click(f"#run-{RUN} a")
    await tab.shows("#record", "GAGAL")
    row = await tab.text("#record tbody tr:first-child")
    assert "PLN Posko SMS" in row
    assert "tidak dijawab" in row
    assert "1 tidak diuji" in await tab.text("#record")
    assert "lulus" in await tab.text("#record tbody"), "the view has no lines of those that passed; the record has"
    await tab.page.emulate_media(media="print")
    assert await tab.page.is_visible("#record .sign")
    assert "ab" * 32 in await tab.text("#record .head")


async def test_a_station_that_may_not_sound_is_not_tested_by_rule_and_has_not_failed(tab: Tab) -> None:
    await opened(tab, "watched", "tests")
    row = await tab.text(f"#run-{SOUNDING}")
    assert "1 GAGAL" in row
    assert "4 1 2" in row, "passed, failed, not tested"
    await tab.page.click(f"#run-{SOUNDING} a")
    await tab.shows("#record", "2 tidak diuji menurut aturan")
    shown = await tab.text("#record tbody")
    assert "BPBD sirene tidak diuji, menurut aturan stasiun itu tidak mengizinkannya" in shown, shown
    assert shown.count("GAGAL") == 1


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def large(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Box]:
    """A box with a thousand stations."""
    box = Box(tmp_path_factory.mktemp("large"), MANY_SITE)
    try:
        box.core.reset("crowd")
        await box.start_core()
        await box.start_web()
        yield box
    finally:
        await box.stop_web()
        await box.stop_core()


async def test_a_thousand_stations_are_counted_searched_and_paged(tab: Tab, large: Box) -> None:
    tab.box = large
    await tab.open()
    assert await tab.page.locator("#stations .tile").count() == 20
    assert "+980 lainnya" in await tab.text("#stations")
    assert "gagal" in await tab.text("#alerts .counted")
    await tab.page.click(".picked button")
    await tab.page.fill("#find-station", "0777")
    assert await tab.page.locator("#order-more .chips.many .chip:visible:not(.all)").count() == 1
    await tab.page.click("#order-more .chip >> text=Pos 0777")
    await tab.page.keyboard.press("Escape")
    assert "Pos 0777" in await tab.text("#picked")
    await tab.page.goto(large.url + "orders")
    assert await tab.page.locator(f"#order-{ALERT} tbody tr").count() == 24
    assert "gagal" in await tab.text(f"#order-{ALERT} tbody tr:first-child")
    await tab.page.goto(large.url + f"orders/{ALERT}?q=0777")
    assert await tab.page.locator("#record tbody tr").count() == 1
    await tab.page.goto(large.url + "stations")
    await tab.shows("#stations-board", f"dari {MANY} stasiun baik")  # until a view has come, it says that it knows none
    assert await tab.page.locator("#all-stations tbody tr").count() == 50
    await tab.page.click("#all-stations [rel=next]")
    await tab.shows("#all-stations", "halaman 2 dari 20")


async def test_a_thousand_stations_are_ordered_at_once(tab: Tab, large: Box) -> None:
    tab.box = large
    large.core.orders.clear()
    await tab.open()
    await tab.page.click(".picked button")
    await tab.page.click("#order-more .chip.all")
    await tab.page.keyboard.press("Escape")
    await tab.hold("#siren", 1.2)
    await until(lambda: bool(large.core.orders))
    assert len(large.core.orders[0]["stations"]) == MANY

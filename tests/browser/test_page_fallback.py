"""The fallback on the page: the banner, the card on screen and paper, orders that are held."""

import pytest
from page_box import Tab, until

from appliance.clock import boot_id
from appliance.stamp import Stamp
from appliance.state import TrunkVerdict
from appliance.trunk_view import AgencyView, DutyView, FallbackView, WitnessView
from appliance.view import View

pytestmark = pytest.mark.asyncio(loop_scope="module")


def declared(view: View) -> None:
    at = Stamp(200, view.wall - 300, view.at - 300, boot_id())
    view.trunk_verdict = TrunkVerdict("down", at, "carrier", "no_answer")
    view.witnesses = [
        WitnessView("trunk", "lost", "192.0.2.5:5060", "no_answer", view.at - 300, None, view.at),
        WitnessView("route", "up", "", "", view.at - 9000, 0.4, view.at),
        WitnessView("dns", "unwatched"),
        WitnessView("loss", "up", value=3.0, at=view.at),
    ]
    view.fallback = FallbackView(
        True, "carrier", at, None, "", ("+62000000001",),
        [AgencyView("polres", "Polres", "+62000000201", ("+62000000002",), None)],
        [DutyView("Kepala giliran", "undelivered")],
    )  # fmt: skip


def calm(view: View) -> None:
    view.fallback = FallbackView(False, "", None, None, "", ("+62000000001",), [], [])


async def given(tab: Tab, do: str) -> None:
    await until(lambda: any(order["do"] == do for order in tab.box.core.orders))


async def test_the_banner_stands_on_every_page_and_leads_to_the_card(tab: Tab) -> None:
    tab.box.core.change = calm
    await tab.open()
    assert not await tab.page.is_visible("#fallback")
    tab.box.core.change = declared
    await tab.shows("#fallback", "JALUR CADANGAN BERLAKU")
    assert "+62 000 0000 01" in await tab.text("#fallback")
    await tab.page.click("#fallback a")
    await tab.shows("#fallback-card", "Polres")
    card = await tab.text("#fallback-card")
    for told in ("jaringan penyedia", "TIDAK BAIK", "tidak diawasi", "3 % hilang", "Kepala giliran", "berlaku: "):
        assert told in card, told


async def test_told_is_one_press_and_ending_is_held(tab: Tab) -> None:
    tab.box.core.change = declared
    await tab.open("fallback")
    await tab.shows("#fallback-card", "Polres")
    await tab.page.click("[data-agency=polres]")
    await given(tab, "fallback.told")
    button = tab.page.locator("[data-hold]")
    await button.click()
    await tab.shows("#said", await button.get_attribute("data-early") or "-")
    assert not any(order["do"] == "fallback.end" for order in tab.box.core.orders)
    await button.focus()
    await tab.page.keyboard.down("Space")
    await given(tab, "fallback.end")
    await tab.page.keyboard.up("Space")
    [end] = [order for order in tab.box.core.orders if order["do"] == "fallback.end"]
    assert end["actor"] == "budi"


async def test_on_paper_stands_the_card_alone(tab: Tab) -> None:
    tab.box.core.change = declared
    await tab.open("fallback")
    await tab.shows("#fallback-card", "Polres")
    await tab.page.emulate_media(media="print")
    for hidden in ("header", "#alarms", "[data-hold]", "[data-print]", ".behind"):
        assert not await tab.page.is_visible(hidden), hidden
    assert await tab.page.is_visible("#fallback-card .numbers")
    assert await tab.page.is_visible("#agency-polres .box")
    await tab.page.emulate_media(media="screen")


async def test_without_login_the_card_keeps_agencies_numbers_and_names_of_people(tab: Tab) -> None:
    tab.box.core.change = declared
    await tab.open("fallback", login=False)
    await tab.shows("#fallback-card", "Polres")
    card = await tab.text("#fallback-card")
    assert "Kepala giliran" not in card
    assert "…201" in card
    assert await tab.page.is_disabled("[data-hold]")

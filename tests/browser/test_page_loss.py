"""What the page does when something is gone: a figure, core, the web server, the journal's last minutes."""

import asyncio

import msgspec
import pytest
from page_box import Tab, until
from playwright.async_api import Browser, Route

from appliance.alarm_view import AlarmView as Alarm
from appliance.stamp import Stamp
from appliance.view import View

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_script_that_comes_late_stops_no_stream(tab: Tab) -> None:
    async def late(route: Route) -> None:
        await asyncio.sleep(0.5)
        await route.continue_()

    await tab.page.route("**/hx-sse*", late)
    await tab.open(login=False)


async def test_a_stale_figure_is_blanked_with_its_age(tab: Tab) -> None:
    def old_fuel(view: View) -> None:
        assert view.power
        figures = view.power.genset_devices[0].figures
        figures["fuel_level"] = msgspec.structs.replace(figures["fuel_level"], at=view.at - 61.0)
        figures["battery_v"] = msgspec.structs.replace(figures["battery_v"], value=None, quality="sensor_fault")

    await tab.open()
    assert "74 %" in await tab.text("#power")
    tab.box.core.change = old_fuel
    await tab.shows("#power", "Bahan bakar --- 1 mnt 1 dtk lalu")
    assert "74 %" not in await tab.text("#power")
    assert "Aki starter --- sensor rusak" in await tab.text("#power")
    assert "100 %" in await tab.text("#power")  # the others stand


async def test_without_core_nothing_is_shown_as_now_and_it_comes_back_by_itself(tab: Tab) -> None:
    tab.box.core.scene = "blackout"
    await tab.open()
    await tab.page.evaluate("window.same = true")
    await tab.box.stop_core()
    await tab.shows("#alarms", "Core tidak menjawab")
    await tab.shows("#power", "--- menit sampai gelap")
    await tab.shows("#power", "Bahan bakar --- ")
    assert "terdaftar" not in await tab.text("#lines")
    assert "MQTT" not in await tab.text("#stations")
    assert await tab.page.locator(".ring, .call").count() == 0
    assert "4 lainnya" in await tab.text("#alarms")  # what was wrong is not forgotten
    assert await tab.page.evaluate("document.documentElement.scrollWidth") == 1366
    tab.box.core.scene = "calm"
    await tab.box.start_core()
    await tab.shows("#power", "PLN sejak 3 jam 12 mnt")
    await tab.shows("#alarms", "Tidak ada alarm")
    assert await tab.page.evaluate("window.same")


async def test_the_page_catches_up_without_reload_after_the_web_server_was_gone(tab: Tab) -> None:
    def alarmed(view: View) -> None:
        stamp = Stamp(177, view.wall - 2, view.at - 2, "", "")
        view.seq = 180
        view.alarms = [Alarm("genset.fail_to_start", "g1", 1, stamp)]

    await tab.open()
    await tab.page.evaluate("window.same = true")
    await tab.page.click(".chip.all")
    await tab.box.stop_web()
    await tab.page.wait_for_selector("#lost", state="visible")
    assert await tab.text("#moment") == "WIT · NTP"
    blank = "getComputedStyle(document.querySelector('#moment .v'), '::after').content"
    assert await tab.page.evaluate(blank) == '"---"'
    assert "PLN sejak" not in await tab.text("#power")
    assert "100 %" not in await tab.text("#power")
    tab.box.core.change = alarmed
    await tab.box.start_web()
    await tab.shows("#alarms", "Genset gagal hidup")
    await until(lambda: tab.page.is_hidden("#lost"))
    await tab.shows("#shout", "Genset gagal hidup")  # raised while the page was away, and not lost
    await tab.shows("#say", "peristiwa selama terputus")
    assert "PLN sejak" in await tab.text("#power")
    assert await tab.page.evaluate("window.same")
    assert await tab.page.is_checked("#all")


async def test_a_page_that_no_longer_fits_is_loaded_anew(tab: Tab) -> None:
    await tab.open()
    await tab.page.evaluate("window.same = true")
    await tab.box.stop_web()
    file, text = tab.box.file, tab.box.file.read_text()
    file.write_text(text.replace("Damkar Teluk", "Damkar Teluk Ambon"))
    await tab.box.start_web()
    file.write_text(text)
    await tab.shows(".chips", "Damkar Teluk Ambon", 15.0)
    assert await tab.page.evaluate("window.same") is None


async def test_a_login_that_ended_while_the_page_was_away_is_asked_for_again(tab: Tab) -> None:
    await tab.open()
    await tab.box.stop_web()
    tab.box.core.tokens.clear()
    await tab.box.start_web()
    await tab.shows(".login", "Login berakhir. Masuk lagi.")


async def test_with_no_page_open_core_makes_no_views(tab: Tab, browser: Browser) -> None:
    await tab.open()
    await until(lambda: len(tab.box.core.watchers) == 1)
    other = await browser.new_page()
    await other.goto(tab.box.url)
    await tab.page.close()
    await other.close()
    await until(lambda: not tab.box.core.watchers, 12.0)
    made = tab.box.core.views_made
    await asyncio.sleep(1.5)
    assert tab.box.core.views_made == made

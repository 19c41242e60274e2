"""Orders, lockout and tests on real cores: what one page gives, the other end's page shows, and back again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from page_box import free_port, until
from playwright.async_api import Browser, Page

from appliance.demo_alert import AlertDemo, AlertSite
from appliance.demo_site import CENTRE, OPERATOR, SUPERVISOR, page_host
from drivers.clock import Clock

pytestmark = pytest.mark.asyncio(loop_scope="module")

KOTA, PASSO = "damkar-kota", "damkar-passo"
SPEED = 5.0
WITHIN_MS = 20_000.0
PLACE = "Pasar Mardika, dekat terminal, blok C lantai dua"
REASON = "relai diganti, Pak Ongen"


class Zoned(AlertSite):
    """The small site, where the first station has a zone with a bell of its own."""

    def text(self, node: str) -> dict[str, Any]:
        text = super().text(node)
        if node == KOTA:
            text["annunciator"]["output"]["bell"] = {"pin": 18, "kind": "buzzer", "max_s": 600}
            text["own"]["zone"] = [{"id": "garasi", "name": "Garasi", "output": "bell"}]
        if node == CENTRE:
            next(s for s in text["station"] if s["id"] == KOTA)["zones"] = ["garasi"]
        return text


class Site:
    """A running site and its pages."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        clock = Clock(SPEED)
        self.demo = AlertDemo(folder, clock, site=Zoned, page=self._port, pages=(CENTRE, KOTA, PASSO))

    def url(self, node: str, path: str = "/") -> str:
        return f"http://{page_host(node)}:{self._port}{path}"

    async def serves(self, node: str) -> bool:
        try:
            _, writer = await asyncio.open_connection(page_host(node), self._port)
        except OSError:
            return False
        writer.close()
        return True


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    site = Site(tmp_path_factory.mktemp("s"))
    try:
        await site.demo.start()
        for node in (CENTRE, KOTA, PASSO):
            await until(lambda node=node: site.serves(node))  # type: ignore[misc]
        yield site
    finally:
        await site.demo.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1366, "height": 768})
    context.set_default_timeout(WITHIN_MS)
    yield await context.new_page()
    await context.close()


async def enter(page: Page, site: Site, role: str) -> None:
    await page.goto(site.url(CENTRE))
    await page.fill("[name=name]", role)
    await page.fill("[name=password]", site.demo.where()["passwords"][role])
    await page.click(".login button")
    await page.wait_for_selector("#siren")


async def shows(page: Page, where: str, text: str) -> None:
    await page.wait_for_function(
        "([where, text]) => document.querySelector(where)?.innerText.includes(text)", arg=[where, text]
    )


async def test_an_order_to_a_zone_is_read_and_acknowledged_there_and_the_centre_sees_the_turnout(
    page: Page, site: Site
) -> None:
    await enter(page, site, OPERATOR)
    station = await page.context.new_page()
    await station.goto(site.url(KOTA))
    await shows(page, "#stations", "3 dari 3")
    await page.check(f"[name=stations][value={KOTA}]")
    await page.select_option("[name=incident]", label="KEBAKARAN")
    await page.fill("[name=text]", PLACE)
    await page.click("#order-details")
    await page.check(f"[name=zones][value='{KOTA}/garasi']")
    await page.click("#order-more h2 button")
    await page.locator("#siren").hover()
    await page.mouse.down()
    await shows(page, "#said", "tercatat dan terkirim")
    await page.mouse.up()

    await shows(station, "#own .zones", "Garasi")
    await shows(station, "#own .where", PLACE)
    assert await station.inner_text("#own h1") == "KEBAKARAN"
    lines = await station.evaluate(
        "[...document.querySelectorAll('#own h1, #own .where')].map((e) => e.getBoundingClientRect().width)"
    )
    assert min(lines) > 500, "words stand side by side"
    await station.click("#acknowledge")
    await shows(station, "#own .acknowledged", "DIAKUI")
    await page.goto(site.url(CENTRE, "/orders"))
    await page.wait_for_function(
        "document.querySelector('.recipients tbody tr')?.querySelector('[data-is=Diakui]')?.innerText.includes(':')"
    )
    await shows(page, "#orders-board", PLACE)
    await page.click("#orders-board [data-post='/alert/stop']")
    await shows(station, "#own", "dihentikan pusat")


async def test_a_lockout_has_a_name_a_reason_and_an_end_and_is_only_offered_to_those_who_may(
    page: Page, site: Site
) -> None:
    await enter(page, site, OPERATOR)
    await page.goto(site.url(CENTRE, "/stations"))
    await shows(page, "#stations-board", "Damkar Passo")
    assert await page.locator("[data-lock]:visible, [data-unlock]:visible").count() == 0
    await page.goto(site.url(CENTRE, "/tests"))
    assert await page.locator("[data-test]").count() == 0
    await page.context.clear_cookies()

    await enter(page, site, SUPERVISOR)
    await page.goto(site.url(CENTRE, "/stations"))
    await page.click(f"#watched-{PASSO} [data-lock]")
    await page.fill("#lock textarea", REASON)
    await page.click("#lock [data-do]")
    await shows(page, f"#watched-{PASSO} .lock", f"dikunci {SUPERVISOR}: {REASON} · sampai")
    station = await page.context.new_page()
    await station.goto(site.url(PASSO))
    await shows(station, "#own", "SIRENE DIKUNCI")
    await shows(station, "#own", "sampai")
    await page.click(f"#watched-{PASSO} [data-unlock]")
    await shows(station, "#own", "Tidak ada perintah")
    await page.wait_for_selector(f"#watched-{PASSO} [data-lock]")


async def test_a_sounding_test_ends_in_a_record_on_paper(page: Page, site: Site) -> None:
    await enter(page, site, SUPERVISOR)
    await page.goto(site.url(CENTRE, "/tests"))
    await page.click("[data-test=sounding]")
    await shows(page, "#test-ask", "SIRENE BERBUNYI")
    await page.click("#test-ask [data-do]")
    station = await page.context.new_page()
    await station.goto(site.url(PASSO))
    await shows(station, "#own-test", "UJI COBA")
    await page.wait_for_selector(
        "#tests-board tbody tr:has-text('Uji berbunyi'):not(:has-text('berjalan')) a", timeout=60_000
    )
    await page.click("#tests-board tbody tr:has-text('Uji berbunyi') a")
    await page.emulate_media(media="print")
    told = await page.inner_text("#record")
    for words in ("Damkar Passo", "UJI BERBUNYI", SUPERVISOR):
        assert words in told
    assert await page.is_visible("#record .sign")
    assert await page.is_visible("#record .head")

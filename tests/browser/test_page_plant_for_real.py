"""The power and alarm pages on a real core over a simulated building: an order, its proof, and an alarm put aside."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
import tomli_w
from page_box import free_port, until
from playwright.async_api import Browser, Page

from appliance.config import load_site, places
from appliance.journal_file import read_entries
from appliance.people import set_password
from drivers.clock import Clock
from drivers.sim.knobs import turn

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]
SPEED = 5.0  # a UPS tests itself for ten seconds
PASSWORD = "abcd-efgh-jkmn"
UPS = "[data-plant='ups/u1'][data-command=self_test]"
REASON = "PLN memelihara gardu"


class Small:
    """A centre that only sees a UPS: building, core and web as processes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.knobs, self.file = folder / "knobs", folder / "site.toml"
        self._time = Clock(SPEED).environment()
        self._processes: list[asyncio.subprocess.Process] = []

    async def start(self) -> None:
        where = ["--rtu-port", str(self.folder / "rtu"), "--knobs", str(self.knobs)]
        building = await self._run("drivers.sim.building", *where, stdout=asyncio.subprocess.PIPE)
        assert building.stdout
        ready = msgspec.json.decode(await building.stdout.readline())
        site = {
            "role": "centre", "site": "ambon", "id": "pusat", "name": "Pusat", "zone": "WIT",
            "web": {"port": self.port},
            "bus": [{"id": "tcp", "kind": "tcp", "host": "127.0.0.1", "tcp_port": ready["tcp_port"]}],
            "ups": [{"id": "u1", "name": "UPS 1", "bus": "tcp", "unit": 1, "profile": "apc_smart_ups"}],
            "annunciator": {"socket": "annunciator.sock", "factory": "mock", "output": {}},
        }  # fmt: skip
        self.file.write_text(tomli_w.dumps(site))
        self.where = places(load_site(self.file), self.file)
        set_password(self.where.people, "sari", "supervisor", PASSWORD)
        set_password(self.where.people, "adi", "operator", PASSWORD)
        await self._run("appliance.cli", "core", "--config", str(self.file))
        await self._run("web", "--config", str(self.file))
        await until(self.where.control.exists)
        await until(self._serves)

    async def _run(self, module: str, *options: str, stdout: int | None = None) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *options, cwd=ROOT, stdout=stdout, stderr=asyncio.subprocess.DEVNULL,
            env=os.environ | self._time,
        )  # fmt: skip
        self._processes.append(process)
        return process

    async def _serves(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    async def end(self) -> None:
        for process in reversed(self._processes):
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()

    def journal(self, kind: str) -> list[tuple[str, str]]:
        """Actor and subject of the rows of one kind."""
        return [(e.actor, e.subject) for e in read_entries(self.where.journal) if e.kind == kind]


@pytest_asyncio.fixture(loop_scope="module")
async def small(tmp_path: Path) -> AsyncIterator[Small]:
    small = Small(tmp_path)
    try:
        await small.start()
        yield small
    finally:
        await small.end()


async def logged_in(browser: Browser, small: Small, name: str) -> Page:
    page = await (await browser.new_context()).new_page()
    await page.goto(f"http://127.0.0.1:{small.port}/")
    await page.fill("[name=name]", name)
    await page.fill("[name=password]", PASSWORD)
    await page.press("[name=password]", "Enter")
    await page.wait_for_selector("body[data-role]:not([data-role=''])")
    return page


async def shows(page: Page, where: str, text: str) -> None:
    await page.wait_for_function(
        "([where, text]) => document.querySelector(where)?.textContent.includes(text)", arg=[where, text]
    )


async def test_an_order_ends_in_its_proof_and_an_alarm_on_the_shelf_with_its_reason(
    browser: Browser, small: Small
) -> None:
    url = f"http://127.0.0.1:{small.port}"
    page = await logged_in(browser, small, "adi")
    await page.goto(f"{url}/power")
    await page.click(UPS)
    await shows(page, "#plant-said", "Peran Anda: operator")
    assert await page.is_disabled("[data-confirm]")
    await page.context.close()

    page = await logged_in(browser, small, "sari")
    await page.goto(f"{url}/power")
    await page.click(UPS)
    await page.click("[data-confirm]")
    await shows(page, "#said", "Terkirim belum berarti terjadi")
    assert not await page.is_visible("#plant-ask")
    await shows(page, ".plant-orders", "Uji baterai: berjalan")
    assert small.journal("power.order_proven") == [("", "ups/u1")]
    assert small.journal("power.order_requested") == [("sari", "ups/u1")]
    await shows(page, "#power-now", "menguji baterai")
    await page.wait_for_selector(UPS + ":enabled")  # the test is over

    await turn(small.knobs, "mains.cut")
    await shows(page, "#alarms", "PLN")
    await page.goto(f"{url}/alarms")
    await page.click("[data-alarm-act]")
    await page.fill("#alarm-act [name=reason]", REASON)
    await page.click("[data-act='/alarm/shelve'] [data-do]")
    await shows(page, "#said", "Alarm ditunda")
    await shows(page, ".asides", REASON)
    await shows(page, "#alarms", "Tidak ada alarm")
    assert [who for who, _ in small.journal("alarm.shelved")] == ["sari"]
    await page.click(".asides [data-post='/alarm/unshelve']")
    await shows(page, "#alarms", "PLN")
    await page.context.close()

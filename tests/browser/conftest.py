"""One box and one browser a module: starting them takes longer than most tests. Each test gets its own tab."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from page_box import Box, Tab, until
from playwright.async_api import Browser, async_playwright

CHROMIUM = "/usr/bin/chromium-headless-shell"  # a third less work for each page than a whole browser without a screen
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running_box(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Box]:
    """One for a module: starting it takes longer than most tests."""
    box = Box(tmp_path_factory.mktemp("box"))
    try:
        await box.start_core()
        await box.start_web()
        yield box
    finally:
        await box.stop_web()
        await box.stop_core()


@pytest_asyncio.fixture(loop_scope="module")
async def box(running_box: Box) -> Box:
    """The module's box, both of its processes running, calm and without memory of the test before."""
    if running_box.web_ended:
        await running_box.start_web()
    if running_box.core_ended:
        await running_box.start_core()
    await until(running_box.reaches_core)
    running_box.core.reset()
    return running_box


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def tab(box: Box, browser: Browser) -> AsyncIterator[Tab]:
    """A tab at 1366x768, without cookies, that must have thrown nothing when the test is over."""
    context = await browser.new_context(viewport={"width": 1366, "height": 768})
    try:
        tab = Tab(await context.new_page(), box)
        yield tab
        assert tab.faults == []
    finally:
        await context.close()

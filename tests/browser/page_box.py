"""A page in a real browser: a fake core on this loop, `siaga web` as its own process, Chromium without a screen."""

import asyncio
import contextlib
import re
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from fake_core import PASSWORD, FakeCore, write_site
from playwright.async_api import Error, Page, Route

from appliance.config import load_site, places
from drivers.clock import Clock

ROOT = Path(__file__).parents[2]
START_WITHIN = 20.0  # s; an interpreter and FastAPI on a busy machine
STILL_AHEAD = 0.3, 1.0, 3.0  # s; stopped time stands at a moment that is still to come when the page hears of it
WITHIN = 20.0  # s that a page may take to show something while others keep the machine busy


async def until(condition: Callable[[], bool | Awaitable[bool]], within: float = WITHIN) -> None:
    """Wait for a condition; fails when it does not come true in time."""
    async with asyncio.timeout(within):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.03)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Box:
    """A fake core and a web process; either can be ended and started again."""

    def __init__(self, folder: Path, site: dict[str, Any] | None = None, **web: Any) -> None:
        self.port = free_port()
        self.file = write_site(folder, self.port, **((site or {}) | {"web": {"port": self.port} | web}))
        self.where = places(load_site(self.file), self.file)
        self.where.run.mkdir()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.core = FakeCore(self.where.control, Clock())
        self._core_task: asyncio.Task[None] | None = None
        self._web: asyncio.subprocess.Process | None = None

    @property
    def web_ended(self) -> bool:
        return self._web is None

    @property
    def core_ended(self) -> bool:
        return self._core_task is None

    async def start_core(self) -> None:
        self._core_task = asyncio.create_task(self.core.run())
        await until(self.where.control.exists)

    async def reaches_core(self) -> bool:
        """Whether a login given to web is answered by core: web finds one that was gone a moment after it is back."""
        async with httpx.AsyncClient() as person:
            told = await person.post(self.url + "login", data={"name": "nobody", "password": "wrong"})
        return told.headers["location"] == "/?login=wrong"

    async def stop_core(self) -> None:
        if self._core_task:
            self._core_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._core_task
            self._core_task = None

    async def start_web(self) -> None:
        command = [sys.executable, "-m", "web", "--config", str(self.file)]
        self._web = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stderr=asyncio.subprocess.DEVNULL)
        await until(self._answers, START_WITHIN)

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    async def stop_web(self) -> None:
        if self._web:
            if self._web.returncode is None:
                self._web.terminate()
            await self._web.wait()
            self._web = None


class Tab:
    """A page with its faults: what it threw, and what the security policy refused."""

    def __init__(self, page: Page, box: Box) -> None:
        self.page, self.box = page, box
        self.faults: list[str] = []
        self.said: list[str] = []
        self._has_clock = False  # real time, until a test takes it in its own hand
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._said)

    def _said(self, message: Any) -> None:
        self.said.append(message.text)
        if "Content Security Policy" in message.text or "Refused to" in message.text:
            self.faults.append(message.text)

    async def open(self, page: str = "", *, login: bool = True) -> "Tab":
        """Wait for a page that shows what is so now; who logs in does it on the first one."""
        since = self.box.core.clock.now()
        self.box.core.push()
        await until(lambda: self._serves(since))  # what no stream changes afterwards, as forms, is of now too
        if login or not page:
            await self.page.goto(self.box.url)
        if login:
            await self.page.fill("[name=name]", "budi")
            await self.page.fill("[name=password]", PASSWORD)
            await self.page.click(".login button")
            await self.page.wait_for_selector("#siren, .login .p1")
            assert "?login=" not in self.page.url, await self.text(".login")
        if page:
            await self.page.goto(self.box.url + page)
        await self.streams()
        return self

    async def streams(self) -> None:
        """Wait until the page shows what the box says now, and not what it said before this."""
        core = self.box.core
        since = core.clock.now()
        core.push()
        try:
            await until(lambda: self._newer(since))
        except TimeoutError:
            shown, watchers = await self.text("#moment"), len(core.watchers)
            raise AssertionError(f"{shown!r} is still shown; core has {watchers} watchers; {self.said}") from None

    async def _serves(self, since: float) -> bool:
        """Whether web makes pages of a view of that time or later: it goes on for a while with an older one."""
        found = re.search(r'data-view="([0-9.]+)"', await (await self.page.request.get(self.box.url)).text())
        return found is not None and float(found[1]) >= since

    async def _newer(self, since: float) -> bool:
        """Whether what is drawn is a view of that time or later; web's own clock goes on with an older one too."""
        return float(await self.page.get_attribute("#moment", "data-view") or 0) >= since

    @contextlib.asynccontextmanager
    async def time_stands(self) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
        """The page's own time goes on only by the seconds that are awaited of this: what is held is held no longer.

        A busy machine lets a second pass between two lines of a test, and a hand that let go early sends an order.
        """
        clock = self.page.clock
        if not self._has_clock:
            await clock.install()
            self._has_clock = True
        await self._stop_time()
        try:
            yield lambda seconds: clock.run_for(round(1000 * seconds))
        finally:
            await clock.resume()

    async def _stop_time(self) -> None:
        for ahead in STILL_AHEAD:
            now = await self.page.evaluate("Date.now()") / 1000
            try:
                return await self.page.clock.pause_at(now + ahead)
            except Error as e:
                late = e
        raise late

    async def hold(self, where: str, seconds: float) -> None:
        """Press the mouse on an element, and let it go after so long of the page's time."""
        await self.page.hover(where)
        async with self.time_stands() as goes:
            await self.page.mouse.down()
            await goes(seconds)
            await self.page.mouse.up()

    async def loses_answers(self, to: str) -> asyncio.Event:
        """What is posted there arrives and its answer does not, until the event is set."""
        over = asyncio.Event()

        async def lose(route: Route) -> None:
            answer = await route.fetch()
            if over.is_set():
                await route.fulfill(response=answer)
            else:
                await route.abort("connectionreset")

        await self.page.route(to, lose)
        return over

    async def text(self, selector: str) -> str:
        return " ".join((await self.page.inner_text(selector)).split())

    async def shows(self, selector: str, text: str, within: float = WITHIN) -> None:
        """Wait until an element shows a text."""
        await until(lambda: self._has(selector, text), within)

    async def _has(self, selector: str, text: str) -> bool:
        return await self.page.locator(selector).count() > 0 and text in await self.text(selector)

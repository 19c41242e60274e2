"""Takes docs/page.png from a running demo: a blackout, a station without network, a call, and a siren order.

Run by hand, after `make demo` in another terminal: `.venv/bin/python tools/take_picture.py`. What it did to the demo
it takes back. It gives the order as a person does: logs in and holds the button.
"""

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Error as BrowserError
from playwright.async_api import Page, async_playwright

from appliance.cli_node import running_demo
from appliance.demo_site import CENTRE, default_folder
from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone, Message, Refusal
from drivers.sim.knobs import turn

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "page.png"
SIZE = (1440, 900)  # px; a common screen of a control room
MOST_BYTES = 250_000  # a picture in a repository is fetched by everyone
HOLD_MS = 1300  # ms; the page asks for one second
PATIENCE = 40.0  # s for each thing that has to be so before the picture; an order by SMS takes some 5
SETTLE = 1.2  # s for the page to draw what core says already
CUT, AWAKE = "damkar-passo", "damkar-kota"

Turns = tuple[tuple[str, str, dict[str, Any]], ...]  # process, knob, arguments
TEXT = "Api di Pasar Mardika dekat terminal, angin kencang"
BEFORE: Turns = (
    ("net", "net.cut", {"line": CUT}), ("building", "genset.refuse", {"on": True}),
    ("mobile", "sms.from", {"number": "+628115550202", "text": TEXT, "to": f"{CENTRE}-l2"}),
)  # fmt: skip
OUTAGE: Turns = (("building", "mains.cut", {}),)
ACKNOWLEDGE: Turns = ((f"{AWAKE}/pins", "input.press", {"name": "acknowledge", "hold_s": 0.3}),)
CALL: Turns = (("mobile", "call.from", {"number": "+628115550101", "to": f"{CENTRE}-l1"}),)
BACK: Turns = (
    ("building", "genset.refuse", {"on": False}), ("building", "mains.return", {}),
    ("mobile", "call.drop", {"to": f"{CENTRE}-l1"}), ("net", "net.restore", {"line": CUT}),
)  # fmt: skip


class NotSeen(Exception):
    """What the picture should show did not come."""


class Director:
    """Turns the running demo's knobs and waits for what core says."""

    def __init__(self, where: dict[str, Any]) -> None:
        self._where = where
        self._core = Client(Path(where["nodes"][CENTRE]["control"]), self._pushed)
        self._view: dict[str, Any] = {}
        self._new = asyncio.Event()

    async def connect(self) -> None:
        await self._core.connect()
        await self._core.request({"do": "subscribe", "views": True})

    def _pushed(self, message: Message) -> None:
        if "view" in message:
            self._view = message["view"]
            self._new.set()

    async def play(self, knobs: Turns) -> None:
        for process, knob, args in knobs:
            await turn(Path(self._where["knobs"][process]), knob, **args)

    async def until(self, what: str, so: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until the view says so. Raises NotSeen."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not self._view or not so(self._view):
                    self._new.clear()
                    await self._new.wait()
        except TimeoutError:
            raise NotSeen(f"{what} did not come within {PATIENCE:g} s.") from None

    async def tidy(self) -> None:
        """Everything as it was; what is over already is passed by."""
        for ending in BACK:
            try:
                await self.play((ending,))
            except Refusal:
                continue
        await self._core.request({"do": "alert.stop"})
        self._core.close()


async def order(page: Page, where: dict[str, Any]) -> None:
    """Log in, choose all stations, hold the button."""
    await page.goto(where["page"])
    await page.fill("input[name=name]", where["operator"])
    await page.fill("input[name=password]", where["password"])
    await page.press("input[name=password]", "Enter")
    await page.check("#all")
    box = await page.locator("#siren").bounding_box()
    if box is None:
        raise NotSeen("The siren button is not on the page.")
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.down()
    await page.wait_for_timeout(HOLD_MS)
    await page.mouse.up()


def sounding(view: dict[str, Any]) -> bool:
    """Every station of the open order has its relay on."""
    deliveries = [d for a in view["alerts"] if not a["ended"] for d in a["deliveries"].values()]
    return bool(deliveries) and all(d["state"] in ("energised", "proven") for d in deliveries)


async def take(where: dict[str, Any], to: Path, theme: str) -> None:
    director = Director(where)
    await director.connect()
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium's own does not work for root
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=sandbox)
        try:
            width, height = SIZE
            page = await browser.new_page(viewport={"width": width, "height": height})
            await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            await director.play(BEFORE)
            await director.until("The silent station", lambda v: not online(v, CUT))
            await director.play(OUTAGE)
            await director.until("The outage", lambda v: v["power"]["source"] == "battery" and v["alarms"] != [])
            await order(page, where)
            await director.until("The sound at every station", sounding)
            await director.play(ACKNOWLEDGE)
            await director.play(CALL)
            await director.until("The call", lambda v: any(line["call"] for line in v["lines"]))
            await asyncio.sleep(SETTLE)
            await page.screenshot(path=to)
        finally:
            await director.tidy()
            await browser.close()


def online(view: dict[str, Any], station: str) -> bool:
    found = next(s for s in view["stations"] if s["id"] == station)
    return bool(found["contact"] and found["contact"]["online"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=default_folder(), help="the running demo's folder")
    parser.add_argument("--to", type=Path, default=PICTURE, help=f"the picture (default {PICTURE})")
    parser.add_argument("--theme", choices=["light", "dark"], default="light")
    options = parser.parse_args()
    where = running_demo(options.folder)
    if where is None:
        sys.exit(f"No demo runs in {options.folder}. Start one in another terminal: make demo ARGS=--fresh")
    try:
        Clock().run(take(where, options.to, options.theme))
    except (NotSeen, BrowserError, Gone, Refusal, OSError) as e:
        sys.exit(f"No picture was taken: {e}")
    size = options.to.stat().st_size
    print(f"{options.to}: {size // 1000} kB. Look at it before you commit it.")
    if size > MOST_BYTES:
        sys.exit(f"It is over {MOST_BYTES // 1000} kB: make its size or its contents smaller.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

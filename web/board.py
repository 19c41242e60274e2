"""What all open pages show: the newest view, and each panel drawn once for every kind of viewer.

Pages only ever get the newest drawing, so a slow one skips and never queues. What no open page shows is not drawn.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from appliance.clock import boot_id
from appliance.config import ZONES, Site
from appliance.view import View
from drivers.clock import Clock
from web.history import empty_view
from web.panels import OVERVIEW, PANELS, Drawer
from web.scene import Scene
from web.words import LANGUAGES, Words, load_texts

FRESH = 3.0  # s without a view, then core does not speak; it sends one every second
FRESH_REAL = 1.5  # s of a person's clock: at a high speed a busy machine must not look like a dead core
TICK, TICK_REAL = 1.0, 0.25  # s between drawings of what tells an age
MOST_PAGES = 60  # open streams; a room has five screens
QUIET_REAL = 0.03  # s that drawing waits for more of the same


class Viewer(NamedTuple):
    """A kind of viewer: all of one kind see the same. `here`: at the box's own screen."""

    language: str
    known: bool
    here: bool = False


class Drawing:
    """Panels as drawn for one kind of viewer, each with the number of its last change."""

    def __init__(self) -> None:
        self.html: dict[str, str] = {}
        self.change: dict[str, int] = {}
        self.inputs: dict[str, object] = {}
        self.users = 0


class Page:
    """One open stream: which panels it has, and which changes it has got."""

    def __init__(self, viewer: Viewer, panels: frozenset[str] = OVERVIEW) -> None:
        self.viewer, self.panels = viewer, panels
        self.got: dict[str, int] = {}
        self.wake = asyncio.Event()


class Board:
    """`take` gives it views; `run` draws for open pages; `core_up` says whether core's socket is open."""

    def __init__(self, site: Site, clock: Clock, drawer: Drawer, core_up: Callable[[], bool]) -> None:
        self.site, self._clock, self._drawer, self._core_up = site, clock, drawer, core_up
        self._boot = boot_id()
        self._words = {name: Words(name, load_texts(name), ZONES[site.zone]) for name in LANGUAGES}
        self.view: View = empty_view(site, clock)
        self.history = True  # the view is not core's own word but what the journal says
        self.closing = False
        self._pages: set[Page] = set()
        self._drawings: dict[Viewer, Drawing] = {}
        self._changes = 0
        self._changed = asyncio.Event()
        self.on_watched: Callable[[bool], None] = lambda watched: None

    def take(self, view: View, *, history: bool = False) -> None:
        """A newer view."""
        self.view, self.history = view, history
        self._changed.set()

    @property
    def live(self) -> bool:
        """Whether core spoke just now."""
        fresh = max(FRESH, FRESH_REAL * self._clock.speed)
        return not self.history and self._core_up() and self._clock.now() - self.view.at <= fresh

    def words(self, language: str) -> Words:
        return self._words[language]

    def scene(self, viewer: Viewer) -> Scene:
        now, wall = self._clock.now(), self._clock.wall()
        words = self._words[viewer.language]
        return Scene(
            self.site, self.view, words, now, wall, self._boot, self.live, self.history, viewer.known, viewer.here
        )  # fmt: skip

    # Pages

    def full(self) -> bool:
        return len(self._pages) >= MOST_PAGES

    def open(self, viewer: Viewer, panels: frozenset[str] = OVERVIEW) -> Page:
        page = Page(viewer, panels)
        self._pages.add(page)
        self._drawings.setdefault(viewer, Drawing()).users += 1
        self.on_watched(True)
        self._changed.set()
        page.wake.set()
        return page

    def move(self, page: Page, viewer: Viewer) -> None:
        """The page's viewer has become another: a login began or ended."""
        if page.viewer != viewer:
            self._leave(page)
            page.viewer, page.got = viewer, {}
            self._drawings.setdefault(viewer, Drawing()).users += 1
            self._changed.set()

    def close(self, page: Page) -> None:
        self._pages.discard(page)
        self._leave(page)
        if not self._pages:
            self.on_watched(False)

    def _leave(self, page: Page) -> None:
        drawing = self._drawings[page.viewer]
        drawing.users -= 1
        if not drawing.users:
            del self._drawings[page.viewer]

    def end(self) -> None:
        """End all streams: the process stops."""
        self.closing = True
        for page in self._pages:
            page.wake.set()

    def news(self, page: Page) -> list[tuple[str, str]]:
        """Names and HTML of the panels that changed since this page was last asked, the newest drawing of each."""
        drawing = self._drawings[page.viewer]
        names = [name for name, change in drawing.change.items() if page.got.get(name) != change]
        page.got = dict(drawing.change)
        return [(name, drawing.html[name]) for name in names if name in page.panels]

    # Drawing

    async def run(self) -> None:
        """Draw when the view changed, and what tells an age every second."""
        speed = self._clock.speed
        tick = max(TICK, TICK_REAL * speed)
        ticked = 0.0
        while True:
            due = ticked + tick - self._clock.now()
            try:
                async with asyncio.timeout(max(0.0, due) if self._pages else None):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            ticks = self._clock.now() - ticked >= tick
            if ticks:
                ticked = self._clock.now()
            for viewer in list(self._drawings):
                self._draw(viewer, ticks=ticks)
            await asyncio.sleep(QUIET_REAL * speed)

    def _draw(self, viewer: Viewer, *, ticks: bool) -> None:
        scene, drawing = self.scene(viewer), self._drawings[viewer]
        before = self._changes
        shown = frozenset[str]().union(*(page.panels for page in self._pages if page.viewer == viewer))
        for panel in PANELS:
            if panel.name not in shown:
                continue
            inputs = (self.history, scene.live, panel.inputs(self.view))
            if panel.name in drawing.html and not (ticks and panel.ticks) and drawing.inputs[panel.name] == inputs:
                continue
            drawing.inputs[panel.name] = inputs
            html = self._drawer.panel(panel, scene)
            if drawing.html.get(panel.name) != html:
                self._changes += 1
                drawing.html[panel.name], drawing.change[panel.name] = html, self._changes
        if self._changes != before:
            for page in self._pages:
                if page.viewer == viewer:
                    page.wake.set()

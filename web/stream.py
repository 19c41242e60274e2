"""Server-Sent Events: the HTML of changed panels, under the journal's seq as id, from the page's last seq on.

A page that comes back gets all panels and hears of every priority 1 alarm raised since the id that it names.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from markupsafe import escape
from starlette.responses import StreamingResponse

from web.alarm_panel import alarm_text
from web.board import Board, Page, Viewer
from web.scene import Scene

RETRY_MS = 500  # ms until a browser comes back
LINE_END = re.compile(r"\r\n|\r|\n")
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

WhoNow = Callable[[], Awaitable[tuple[Viewer, bool]]]  # asked before each event; whether the viewer may order


class Start(NamedTuple):
    """From where a page reads on. `again`: it was open before and lost us."""

    seq: int
    again: bool


def start_from(last_event_id: str | None, page_seq: str) -> Start:
    """Last-Event-ID where the browser names one, else the seq that the page was made at."""
    given = last_event_id if last_event_id is not None else page_seq
    return Start(
        int(given) if given.isascii() and given.isdigit() and len(given) < 19 else 0, last_event_id is not None
    )


def event(data: str, *, id: int | None = None, name: str = "") -> bytes:
    """One event; every line end that the standard knows begins a new `data` line."""
    lines = [f"id: {id}"] if id is not None else []
    lines += [f"event: {name}"] if name else []
    lines += [f"data: {line}" for line in LINE_END.split(data)]
    return ("\n".join(lines) + "\n\n").encode()


def partial(target: str, html: str, swap: str) -> str:
    return f'<hx-partial hx-target="#{target}" hx-swap="{swap}">{html}</hx-partial>'


class Stream:
    """What one page gets. `outdated`: the page was made by another release or site file and has to load anew.

    `may_order`: it was made for one who may order, and goes to its login once that has ended, even while it was away.
    """

    def __init__(
        self, board: Board, page: Page, start: Start, who_now: WhoNow, *, outdated: bool, may_order: bool
    ) -> None:
        self._board, self._page, self._start, self._who_now = board, page, start, who_now
        self._outdated, self._may_order = outdated, may_order
        self._told = start.seq  # what was raised up to here has been called out
        self._greeted = False

    def response(self) -> StreamingResponse:
        return StreamingResponse(self._events(), media_type="text/event-stream", headers=HEADERS)

    async def _events(self) -> AsyncIterator[bytes]:
        board, page = self._board, self._page
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            if self._outdated:
                yield event("", name="outdated")
            while not board.closing:
                await page.wake.wait()
                page.wake.clear()
                viewer, may_order = await self._who_now()
                if self._may_order and not may_order:
                    self._may_order = False
                    yield event("", name="login-ended")
                board.move(page, viewer)
                scene = board.scene(viewer)
                news = [partial(name, html, "outerMorph") for name, html in board.news(page)]
                if not news:
                    continue
                news += self._aloud(scene)
                yield event("".join(news), id=board.view.seq or None)
        finally:
            board.close(page)

    def _aloud(self, scene: Scene) -> list[str]:
        """What a screen reader says at once: new alarms of priority 1, and what was missed."""
        view = scene.view
        if not scene.live:
            return []
        if self._told > view.seq:  # a journal that was begun anew counts from 1 again
            self._told = 0
        new = [a for a in view.alarms if a.priority == 1 and not a.acknowledged and a.raised.seq > self._told]
        told = ". ".join(alarm_text(scene, a) for a in new)
        said = [partial("shout", str(escape(told)), "innerHTML")] if new else []
        if not self._greeted and self._start.again and 0 < self._told < view.seq:
            missed = scene.words("missed", count=view.seq - self._told)
            said.append(partial("say", str(escape(missed)), "innerHTML"))
        self._greeted, self._told = True, max(self._told, view.seq)
        return said

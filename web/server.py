"""`siaga web`: pages for browsers, served on our own loop. A client of core's control socket, without devices."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.types import ASGIApp

from appliance.config import Site, SiteError, load_site, places
from appliance.keeper import Keeper
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal
from drivers.notify import ready, stopping, watchdog
from web.app import Pages, make_app
from web.board import Board
from web.corelink import CoreLink
from web.history import read_history
from web.listener import Server, listen
from web.panels import Drawer

CORE_WITHIN = 1.5  # s that core may take to answer at our start, before the journal is read instead

log = logging.getLogger("siaga.web")


async def run(site: Site, file: Path, clock: Clock) -> Site | None:
    """Serve until SIGTERM or SIGINT, or until core has taken a changed site file: then that. Raises CannotListen."""
    where = places(site, file)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    listener = listen(site.web.host, site.web.port, "port")
    drawer = Drawer()
    core = CoreLink(where.control, clock, lambda view: board.take(view))
    board = Board(site, clock, drawer, lambda: core.up)
    board.on_watched = core.want
    pages = Pages(site, clock, board, core, drawer, where)
    keeper = Keeper(lambda task, reason: log.error("%s died: %s", task, reason))
    work: list[tuple[str, Callable[[], Awaitable[None]]]]
    new: list[Site] = []

    async def look_at_file() -> None:
        """Core comes back with a changed file; pages name what stands in it."""
        while True:
            await core.came_back()
            try:
                found = await asyncio.to_thread(load_site, file)
            except SiteError as e:
                log.error("the site file is wrong now; pages go on with the one before: %s", e)
                continue
            if found != site:
                new.append(found)
                stop.set()

    work = [
        ("core", core.run),
        ("site file", look_at_file),
        ("views", core.follow),
        ("board", board.run),
        ("watchdog", watchdog),
    ]
    app: ASGIApp
    if site.web.secured:
        from web.secured import secured  # X.509 is not loaded where nobody asks for it

        app, tls = secured(site, where, clock, board, drawer, pages)
        work += [("tls", tls.run), ("word of tls", lambda: tls.tell(core.ask))]
    else:
        app = make_app(pages)
    server = Server(app, clock.speed)
    for name, each in work:
        keeper.keep(name, each)
    await _first_look(site, clock, where.journal, board, core)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    serving.add_done_callback(lambda _: stop.set())
    ready(f"http://{site.web.host}:{site.web.port}")
    log.info("web is ready: http://%s:%d", site.web.host, site.web.port)
    await stop.wait()
    if not new:
        stopping()
    board.end()
    server.should_exit = True
    await serving
    await keeper.stop()
    return new[0] if new else None


async def _first_look(site: Site, clock: Clock, journal: Path, board: Board, core: CoreLink) -> None:
    """Before the first page is served: core's view, or what the journal says when core is not there."""
    try:
        async with asyncio.timeout(CORE_WITHIN * clock.speed):
            await core.reached()
            board.take(await core.view())
    except (TimeoutError, Gone, Refusal) as e:
        log.warning("core does not answer (%s): pages show what the journal says", e or "no connection")
        view = await asyncio.to_thread(read_history, site, clock, journal)
        if view is not None and board.history:
            board.take(view, history=True)

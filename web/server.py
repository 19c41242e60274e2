"""`siaga web`: pages for browsers, served on our own loop. A client of core's control socket, without devices."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from appliance.config import Site, places
from appliance.keeper import Keeper
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal
from drivers.notify import ready, stopping, watchdog
from web.app import Pages, make_app
from web.board import Board
from web.corelink import CoreLink
from web.history import read_history
from web.panels import Drawer

KEEP_ALIVE = 75  # s; a browser's POST must not meet a connection that is just being closed
END_WITHIN = 1  # s for answers under way at a stop; streams end by themselves
MOST_CONNECTIONS = 200
CORE_WITHIN = 1.5  # s that core may take to answer at our start, before the journal is read instead

log = logging.getLogger("siaga.web")


class CannotListen(OSError):
    """The port is taken or not ours to take."""


class _Server(uvicorn.Server):
    """Leaves signals to us: the process has one place that ends it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def run(site: Site, file: Path, clock: Clock) -> None:
    """Serve until SIGTERM or SIGINT. Raises CannotListen."""
    where = places(site, file)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    listener = _listen(site.web.host, site.web.port)
    drawer = Drawer()
    core = CoreLink(where.control, clock, lambda view: board.take(view))
    board = Board(site, clock, drawer, lambda: core.up)
    board.on_watched = core.want
    server = _Server(_config(make_app(Pages(site, clock, board, core, drawer)), clock))
    keeper = Keeper(lambda task, reason: log.error("%s died: %s", task, reason))
    for name, work in (("core", core.run), ("views", core.follow), ("board", board.run), ("watchdog", watchdog)):
        keeper.keep(name, work)
    await _first_look(site, clock, where.journal, board, core)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    serving.add_done_callback(lambda _: stop.set())
    ready(f"http://{site.web.host}:{site.web.port}")
    log.info("web is ready: http://%s:%d", site.web.host, site.web.port)
    await stop.wait()
    stopping()
    board.end()
    server.should_exit = True
    await serving
    await keeper.stop()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=128)
        # asyncio does so only for sockets that name TCP; without it an answer waits 40 ms for an acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as e:
        raise CannotListen(
            e.errno,
            f"{host}:{port} cannot be served ({os.strerror(e.errno or 0)}): set another web.port in the site file.",
        ) from e


def _config(app: object, clock: Clock) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=int(KEEP_ALIVE * clock.speed),
        timeout_graceful_shutdown=int(END_WITHIN * max(1.0, clock.speed)),
    )


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

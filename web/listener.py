"""One uvicorn on one socket of ours, on our own loop: plain, or over TLS."""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

KEEP_ALIVE = 75  # s; a browser's POST must not meet a connection that is just being closed
END_WITHIN = 1  # s for answers under way at a stop; streams end by themselves
MOST_CONNECTIONS = 200
MOST_MESSAGE = 4096  # octets of a WebSocket's message; a frame of sound has 640


class CannotListen(OSError):
    """The port is taken or not ours to take."""


class Server(uvicorn.Server):
    """Leaves signals to us: the process has one place that ends it. Set `should_exit` to end it."""

    def __init__(self, app: ASGIApp, speed: float, context: ssl.SSLContext | None = None) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws="websockets-sansio",
                ws_max_size=MOST_MESSAGE,
                ws_per_message_deflate=False,  # sound does not shrink, and each would keep a window
                ws_ping_interval=None,  # who talks hears something each half second, both ways (web/talk.py)
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=int(KEEP_ALIVE * speed),
                timeout_graceful_shutdown=int(END_WITHIN * max(1.0, speed)),
                ssl_context_factory=None if context is None else lambda *_: context,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def serve_until_cancelled(self, listener: socket.socket) -> None:
        serving = asyncio.create_task(self.serve(sockets=[listener]), name="https")
        try:
            await asyncio.shield(serving)
        finally:
            self.should_exit = True
            await asyncio.wait({serving})


def listen(host: str, port: int, key: str) -> socket.socket:
    """A listening socket. Raises CannotListen that names the site file's key."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=128)
        # asyncio does so only for sockets that name TCP; without it an answer waits 40 ms for an acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as e:
        raise CannotListen(
            e.errno,
            f"{host}:{port} cannot be served ({os.strerror(e.errno or 0)}): set another web.{key} in the site file.",
        ) from e

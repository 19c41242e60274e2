"""The page over TLS: a listener of its own beside the plain one, which it never takes down with it.

What is wrong is told in `why` and tried again; a certificate is renewed in place, without a connection being cut.
"""

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from drivers.jsonsocket import Gone, Refusal
from web.addresses import own_names
from web.authority import Pair
from web.tls_folder import TlsError, TlsFolder

TELL_AFTER = 3.0  # s for the first certificate: an authority is made on a slow board in about one
LOOK_EVERY = 20.0  # s of a person's clock; addresses change with a cable, time with NTP

log = logging.getLogger("siaga.web.tls")

Listen = Callable[[], socket.socket]
Serve = Callable[[socket.socket, ssl.SSLContext], Awaitable[None]]


class Settings(NamedTuple):
    """`folder` is web's own; `box` is its name; `bound` is where it serves; `names` are the site file's."""

    folder: Path
    box: str
    bound: str
    port: int
    names: tuple[str, ...] = ()


class Tls:
    """`listen` raises OSError where it cannot; `serve` goes on until it is cancelled. `wall` is the best known time."""

    def __init__(
        self, settings: Settings, wall: Callable[[], float], speed: float, listen: Listen, serve: Serve
    ) -> None:
        self.port = settings.port
        self._bound, self._names = settings.bound, settings.names
        self._wall, self._look_every = wall, LOOK_EVERY * speed
        self._listen, self._serve = listen, serve
        self._folder = TlsFolder(settings.folder, settings.box)
        self.authority: Pair | None = None
        self.why = ""  # the page is not there over TLS; empty: it is
        self.stale = ""  # why the certificate that is served is not renewed

    async def run(self) -> None:
        """Serve, and look after the certificate. Ends only when it is cancelled."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        while True:
            try:
                await self._renew(context, first=True)
                listener = self._listen()
            except (TlsError, OSError) as e:
                why = str(e) if isinstance(e, TlsError) else e.strerror or str(e)
                if why != self.why:
                    log.error("no TLS: %s", why)
                self.why = why
                await asyncio.sleep(self._look_every)
                continue
            self.why = self.stale = ""
            async with asyncio.TaskGroup() as group:
                group.create_task(self._look_after(context))
                await self._serve(listener, context)

    async def tell(self, ask: Callable[[dict[str, str]], Awaitable[object]]) -> None:
        """Tell core of it again and again, so that an alarm stands for as long as the trouble does."""
        while True:
            await asyncio.sleep(TELL_AFTER * self._look_every / LOOK_EVERY)
            with suppress(Gone, Refusal):  # the next time then
                await ask({"do": "web.tls", "why": self.why or self.stale})
            await asyncio.sleep(self._look_every)

    async def _look_after(self, context: ssl.SSLContext) -> None:
        while True:
            await asyncio.sleep(self._look_every)
            try:
                await self._renew(context)
                self.stale = ""
            except TlsError as e:
                self.stale = str(e)
                log.error("the certificate is not renewed: %s", e)  # the one that is there goes on being served

    async def _renew(self, context: ssl.SSLContext, *, first: bool = False) -> None:
        """Put a certificate that does now into the context, which serves new connections with it."""
        served, new = await asyncio.to_thread(self._look)
        if new or first:
            _load(context, served)  # not in the thread: a handshake must not meet the one's key and the other's name

    def _look(self) -> tuple[Pair, bool]:
        names, wall = own_names(self._bound, self._names), self._wall()
        self.authority = self.authority or self._folder.authority(names, wall)
        return self._folder.served(self.authority, names, wall)


def _load(context: ssl.SSLContext, pair: Pair) -> None:
    """OpenSSL takes a file only; this one is in memory, so that a full disk ends nothing."""
    handle = os.memfd_create("siaga-tls")
    try:
        os.write(handle, pair.pem())
        context.load_cert_chain(f"/proc/self/fd/{handle}")
    finally:
        os.close(handle)

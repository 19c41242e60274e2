"""The way to core: commands over one lasting connection, views over another that is open only while pages are.

Core makes no view that nobody looks at. Times given here are seconds of a person's clock, whatever the speed.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from appliance.view import View
from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone, Link, Message, Refusal

ANSWER_WITHIN = 3.0  # s; core waits half a second for its disk at most
VIEW_AGAIN = 0.2  # s between attempts to follow core again
LINGER = 5.0  # s that views still come after the last page went: a page that is loaded anew goes and comes

log = logging.getLogger("siaga.web")


class CoreLink:
    """`on_view` is called for each view that core sends while `want(True)` holds."""

    def __init__(self, socket: Path, clock: Clock, on_view: Callable[[View], None]) -> None:
        self._socket, self._speed, self._on_view = socket, clock.speed, on_view
        self._connected, self._back = asyncio.Event(), asyncio.Event()
        self._link = Link(socket, on_up=self._up)
        self._wanted, self._unwanted = asyncio.Event(), asyncio.Event()
        self._unwanted.set()

    @property
    def up(self) -> bool:
        return self._link.up

    async def _up(self) -> None:
        if self._connected.is_set():
            self._back.set()
        self._connected.set()

    async def came_back(self) -> None:
        """Wait until the connection is there again after it was lost."""
        await self._back.wait()
        self._back.clear()

    async def reached(self) -> None:
        """Wait for the first connection."""
        await self._connected.wait()

    async def run(self) -> None:
        """Keep the connection for commands."""
        await self._link.run()

    async def ask(self, message: Message, within: float = ANSWER_WITHIN) -> Any:
        """Core's answer. Raises Refusal, or Gone when there was none in time."""
        return await self._link.request(message, timeout=within * self._speed)

    async def view(self, within: float = 1.0) -> View:
        """The view at this moment. Raises Gone or Refusal."""
        return _view(await self.ask({"do": "view"}, within))

    def want(self, wanted: bool) -> None:
        """Whether anybody looks at the views."""
        if wanted:
            self._wanted.set()
            self._unwanted.clear()
        else:
            self._wanted.clear()
            self._unwanted.set()

    async def follow(self) -> None:
        """Take views for as long as they are wanted; connect again when core was gone."""
        while True:
            await self._wanted.wait()
            gone = asyncio.Event()
            client = Client(self._socket, self._pushed, gone.set)
            try:
                await client.connect()
                await client.request({"do": "subscribe", "views": True}, timeout=ANSWER_WITHIN * self._speed)
                await self._until_gone_or_unwanted(gone)
            except (Gone, Refusal) as e:
                log.debug("no views from core: %s", e)
            finally:
                client.close()
            await asyncio.sleep(VIEW_AGAIN * self._speed)

    async def _until_gone_or_unwanted(self, gone: asyncio.Event) -> None:
        ends = asyncio.ensure_future(gone.wait())
        try:
            while not ends.done():
                leaves = asyncio.ensure_future(self._unwanted.wait())
                await asyncio.wait({ends, leaves}, return_when=asyncio.FIRST_COMPLETED)
                leaves.cancel()
                if self._unwanted.is_set():
                    await asyncio.wait({ends}, timeout=LINGER * self._speed)
                    if self._unwanted.is_set():
                        return
        finally:
            ends.cancel()

    def _pushed(self, message: Message) -> None:
        if "view" not in message:
            return
        try:
            self._on_view(_view(message["view"]))
        except Gone as e:
            log.error("%s", e)


def _view(fields: object) -> View:
    try:
        return msgspec.convert(fields, View)
    except msgspec.ValidationError as e:
        raise Gone(f"core's view is not understood ({e}): core and web are of different releases; restart both.") from e

"""The knobs of a simulator process: a Unix socket on which a person, a scenario or a test turns them.

A request is `{"do": "mains.cut", "args": {...}}`; knobs are named `thing.verb`. `status` is a knob too.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from drivers.jsonsocket import Client, Message, Peer, Refusal, Server

Knob = Callable[..., Any | Awaitable[Any]]


class Knobs:
    """Serves named knobs; each is a callable that takes the request's `args` as keywords."""

    def __init__(self, path: Path, knobs: Mapping[str, Knob]) -> None:
        self._knobs = dict(knobs)
        self._server = Server(path, self._turn)

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    async def _turn(self, _peer: Peer, message: Message) -> Any:
        name, args = message.get("do"), message.get("args") or {}
        knob = self._knobs.get(name) if isinstance(name, str) else None
        if knob is None:
            raise Refusal("no_knob", f"There is no knob {name!r} here.", f"Knobs: {', '.join(sorted(self._knobs))}.")
        try:
            inspect.signature(knob).bind(**args)
        except TypeError as e:
            raise Refusal("bad_args", f"{name}: {e}.", f"It takes {inspect.signature(knob)}.") from e
        try:
            result = knob(**args)
            return await result if inspect.isawaitable(result) else result
        except ValueError as e:
            raise Refusal("bad_value", f"{name}: {e}.") from e


async def turn(path: Path, do: str, *, timeout: float = 5.0, **args: Any) -> Any:
    """Turn one knob of the simulator at `path`. Raises Refusal or Gone."""
    client = Client(path)
    await client.connect()
    try:
        return await client.request({"do": do, "args": args}, timeout=timeout)
    finally:
        client.close()

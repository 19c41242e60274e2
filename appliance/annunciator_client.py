"""Core's end of the annunciator's socket: typed calls, typed pushes, connected again for as long as `run` runs."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from appliance.annunciator_protocol import (
    Barred,
    Hello,
    Hold,
    InputChange,
    Light,
    Lock,
    Look,
    OutputChange,
    Pressed,
    Reload,
    Rewired,
    Silence,
    Sound,
    Sounding,
    Standing,
    Stop,
    Stopped,
    Take,
)
from appliance.model import AlertKind
from drivers.jsonsocket import Link, Message

T = TypeVar("T")

ANSWER_WITHIN = 1.0  # s; it answers in a millisecond, and other paths must not wait for a dead one


class AnnunciatorLink:
    """`run` must be running. Every call raises Refusal (its no) or Gone (not there, or no answer within 1 s)."""

    def __init__(
        self,
        path: Path,
        *,
        on_up: Callable[[Standing], None] = lambda standing: None,
        on_down: Callable[[], None] = lambda: None,
        on_output: Callable[[OutputChange], None] = lambda change: None,
        on_input: Callable[[InputChange], None] = lambda change: None,
        on_press: Callable[[Pressed], None] = lambda press: None,
        on_barred: Callable[[Barred], None] = lambda press: None,
    ) -> None:
        self._on_up, self._on_down = on_up, on_down
        self._on_output, self._on_input, self._on_press = on_output, on_input, on_press
        self._on_barred = on_barred
        self._said_hello = False
        self._link = Link(path, on_up=self._greet, on_push=self._pushed, on_down=self._lost)

    @property
    def up(self) -> bool:
        """Connected, and hello was answered."""
        return self._said_hello and self._link.up

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        await self._link.run()

    async def sound(
        self, order: str, output: str, pattern: str, seconds: float, *,
        kind: AlertKind = AlertKind.ACTUAL, priority: int = 1, level: int = 100,
    ) -> Sounding:  # fmt: skip
        """Sound an order (hex id) once; a repeat never sounds twice nor longer."""
        return await self._ask(Sound(order, output, pattern, seconds, kind, priority, level), Sounding)

    async def stop(self, orders: list[str]) -> Stopped:
        """End these orders, and bar their late starts."""
        return await self._ask(Stop(tuple(orders)), Stopped)

    async def silence(self, output: str) -> Stopped:
        """End all that sounds on one output."""
        return await self._ask(Silence(output), Stopped)

    async def light(self, output: str, on: bool) -> bool:
        """Switch a light; its state now."""
        return (await self._ask(Light(output, on), dict[str, bool]))["on"]

    async def hold(self, output: str, on: bool) -> bool:
        """Close or open a start contact; its state now. It opens by itself when this link is gone."""
        return (await self._ask(Hold(output, on), dict[str, bool]))["on"]

    async def lock(self, outputs: tuple[str, ...], seconds: float) -> None:
        """Take sirens out of service for so long; 0 gives them back."""
        await self._ask(Lock(outputs, seconds), dict[str, list[str]])

    async def look(self) -> Standing:
        """All that is so there now."""
        return await self._ask(Look(), Standing)

    async def take(self, press: int) -> None:
        """Take a press upon core; a Refusal says that it sounds locally already."""
        await self._ask(Take(press), dict[str, int])

    async def reload(self) -> Rewired:
        """Have it read its file again; what is on is not touched."""
        return await self._ask(Reload(), Rewired)

    async def _ask(self, request: msgspec.Struct, answer: type[T]) -> T:
        return msgspec.convert(await self._link.request(_message(request), timeout=ANSWER_WITHIN), answer)

    async def _greet(self) -> None:
        standing = await self._ask(Hello(), Standing)
        self._said_hello = True
        self._on_up(standing)

    def _lost(self) -> None:
        was_up, self._said_hello = self._said_hello, False
        if was_up:
            self._on_down()

    def _pushed(self, message: Message) -> None:
        if "barred" in message:
            self._on_barred(msgspec.convert(message, Barred))
        elif "press" in message:
            self._on_press(msgspec.convert(message, Pressed))
        elif "output" in message:
            self._on_output(msgspec.convert(message, OutputChange))
        elif "input" in message:
            self._on_input(msgspec.convert(message, InputChange))


def _message(request: msgspec.Struct) -> Message:
    message: Message = msgspec.to_builtins(request)
    del message["id"]  # the socket numbers its requests itself
    return message

"""A client of a broker that notes everything, and a wait for what is to come true."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from drivers.mqtt import Incoming, Mqtt


async def until(condition: Callable[[], object], within: float = 5.0) -> None:
    async with asyncio.timeout(within):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)


class Party:
    def __init__(self, port: int, client_id: str, subscribe: str = "", **options: object) -> None:
        self.messages: list[Incoming] = []
        self.log: list[str] = []
        self.birth: Callable[[], object] = lambda: None
        self.take: Callable[[Incoming], object] = self.messages.append
        self.mqtt = Mqtt(
            "127.0.0.1",
            port,
            client_id,
            on_message=lambda message: self.take(message),
            on_up=lambda: (self.log.append("up"), self.birth()),
            on_down=lambda why: self.log.append(f"down: {why}"),
            **options,
        )
        if subscribe:
            self.mqtt.subscribe(subscribe)
        self.task = asyncio.create_task(self.mqtt.run())

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]

    async def leave(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


Join = Callable[..., Awaitable[Party]]

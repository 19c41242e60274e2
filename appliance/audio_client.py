"""Core's end of the audio process's socket: typed calls with deadlines, typed pushes, connected again for ever."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from appliance import audio_protocol as say
from drivers.jsonsocket import Link, Message

T = TypeVar("T")

ANSWER_WITHIN = 2.0  # s; a device that opens takes some tenths, and no call waits for its sound
CLOSE_WITHIN = 10.0  # s; an hour's recording is read again for its hash
LOOK_AGAIN = 0.1  # s between attempts: a call whose sound is gone waits for every one
MEASURE_WITHIN = 30.0  # s; some seconds of tones each way

Push = say.EndChanged | say.KeyHeard | say.Levels


class AudioLink:
    """`run` must be running. Calls raise Refusal (its no) or Gone (not there, or no answer in time).

    Its deadlines are of real time, whatever the clock's `speed`: sound is never scaled. `on_up` gets what it says that
    there is, at each connection: everything else must be said to it again.
    """

    def __init__(
        self,
        path: Path,
        *,
        on_up: Callable[[say.Standing], None] = lambda standing: None,
        on_down: Callable[[], None] = lambda: None,
        on_end: Callable[[say.EndChanged], None] = lambda change: None,
        on_key: Callable[[say.KeyHeard], None] = lambda key: None,
        on_levels: Callable[[say.Levels], None] = lambda levels: None,
        speed: float = 1.0,
    ) -> None:
        self._speed = speed
        self._on_up, self._on_down = on_up, on_down
        self._on_end, self._on_key, self._on_levels = on_end, on_key, on_levels
        self._said_hello = False
        self._link = Link(
            path, on_up=self._greet, on_push=self._pushed, on_down=self._lost, retry_most=LOOK_AGAIN * speed
        )

    @property
    def up(self) -> bool:
        """Connected, and hello was answered."""
        return self._said_hello and self._link.up

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        await self._link.run()

    async def open(self, request: say.Open) -> None:
        """Make a bridge, or make it what is said."""
        await self._ask(request, dict[str, str])

    async def join(self, bridge: str, end: say.End) -> None:
        await self._ask(say.Join(bridge, end), dict[str, str])

    async def leave(self, bridge: str, end: str) -> None:
        await self._ask(say.Leave(bridge, end), dict[str, str])

    async def close(self, bridge: str) -> say.Recorded:
        """End a bridge; its recording, with an empty file where there was none."""
        return await self._ask(say.Close(bridge), say.Recorded, CLOSE_WITHIN)

    async def mend(self, file: str) -> say.Recorded:
        """Close what a killed process left, and hash it."""
        return await self._ask(say.Mend(file), say.Recorded, CLOSE_WITHIN)

    async def measure(self, one: say.EndKind, other: say.EndKind) -> say.Measured:
        """Known tones both ways between two lines that are in a call with each other."""
        return await self._ask(say.Measure(one, other), say.Measured, MEASURE_WITHIN)

    async def _ask(self, request: msgspec.Struct, answer: type[T], within: float = ANSWER_WITHIN) -> T:
        message: Message = msgspec.to_builtins(request)
        return msgspec.convert(await self._link.request(message, timeout=within * self._speed), answer)

    async def _greet(self) -> None:
        standing = await self._ask(say.Hello(), say.Standing)
        self._said_hello = True
        self._on_up(standing)

    def _lost(self) -> None:
        was_up, self._said_hello = self._said_hello, False
        if was_up:
            self._on_down()

    def _pushed(self, message: Message) -> None:
        match msgspec.convert(message, Push):
            case say.EndChanged() as change:
                self._on_end(change)
            case say.KeyHeard() as key:
                self._on_key(key)
            case say.Levels() as levels:
                self._on_levels(levels)

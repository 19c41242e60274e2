"""Tells each line's modem when its call's sound begins and ends, as its make wants it (AT+CPCMREG and the like)."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Protocol

from appliance.state import Call
from drivers.jsonsocket import Refusal

log = logging.getLogger("siaga.sound")


class Voices(Protocol):
    """What can be said to a line's modem. All raise Refusal."""

    async def sound(self, line: str, *, on: bool) -> bool:
        """Start or stop the modem's sound; False when it was refused at first."""
        ...

    async def reset_sound(self, line: str) -> bool:
        """Restart a modem whose calls are mute; False: its make has no command for it."""
        ...


class ModemSound:
    """`follow` it with the calls that are talked on. One word to a line at a time, the newest counts."""

    def __init__(self, lines: Voices) -> None:
        self._lines = lines
        self._on: dict[str, str] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def follow(self, heard: Iterable[Call]) -> None:
        """Start a line's sound with its first call, stop it behind the last; one that goes on is left alone."""
        now = {call.line: call.id for call in heard}
        for line in [line for line in self._on if line not in now]:
            del self._on[line]
            self._begin(line, on=False)
        for line, call in now.items():
            if line not in self._on:
                self._on[line] = call
                self._begin(line, on=True)

    async def again(self, line: str) -> None:
        """Off and on. Raises Refusal."""
        await self._lines.sound(line, on=False)
        await self._lines.sound(line, on=True)

    def _begin(self, line: str, *, on: bool) -> None:
        if (before := self._tasks.get(line)) is not None:
            before.cancel()
        task = self._tasks[line] = asyncio.get_running_loop().create_task(self._tell(line, on=on))
        task.add_done_callback(lambda done: self._done(line, done))

    async def _tell(self, line: str, *, on: bool) -> None:
        try:
            if not await self._lines.sound(line, on=on):
                log.warning("%s: the modem refused its sound at first, as before mute calls; the watch will tell", line)
        except Refusal as e:
            if on:  # behind a call's end the modem stops it by itself
                log.warning("%s: the modem's sound does not begin: %s", line, e)

    def _done(self, line: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(line) is task:
            del self._tasks[line]
        if not task.cancelled() and (error := task.exception()):
            log.error("%s: the modem's sound", line, exc_info=error)

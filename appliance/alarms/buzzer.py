"""The buzzer in the room, by the annunciator: short orders, renewed while wanted, so that a dead core is quiet."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from appliance.alarm_state import Alarm
from appliance.alarms.buzzer_machine import SOUNDS
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal

TICK = 0.5  # s between looks; a person at the silence button waits no longer
NEVER = float("-inf")

log = logging.getLogger("siaga.alarms")


class Sound(Protocol):
    async def __call__(self, order: str, output: str, pattern: str, seconds: float) -> object: ...


class Buzzer:
    """`wanted` gives the alarms that want to be heard, the most urgent first."""

    def __init__(
        self, output: str, max_s: float, clock: Clock, wanted: Callable[[], list[Alarm]], sound: Sound,
        stop: Callable[[list[str]], Awaitable[object]],
    ) -> None:  # fmt: skip
        self._output, self._max_s, self._clock, self._wanted = output, max_s, clock, wanted
        self._sound, self._stop = sound, stop
        self._heard = 0  # the newest alarm that was sounded for
        self._priority = 0
        self._began, self._until = NEVER, NEVER
        self._order = ""
        self._failing = False

    @property
    def sounding(self) -> bool:
        return self._clock.now() < self._until

    async def run(self) -> None:
        """Sound and be quiet for ever."""
        while True:
            try:
                await self._look()
                self._failing = False
            except (Gone, Refusal) as e:
                if not self._failing:
                    log.error("the alarm buzzer does not follow: %s", e)
                self._failing = True
            await asyncio.sleep(TICK)

    async def _look(self) -> None:
        wanted, now = self._wanted(), self._clock.now()
        if not wanted:
            self._heard = self._priority = 0
            await self._quiet()
            return
        newest, priority = max(alarm.since.seq for alarm in wanted), wanted[0].priority
        sound = SOUNDS[priority]
        again = bool(sound.again_s) and now - self._began >= min(sound.again_s, self._max_s)
        if newest <= self._heard and priority == self._priority and not again:
            return
        if priority != self._priority:
            await self._quiet()  # of another sound
        seconds = min(sound.seconds, self._max_s)
        # In hex as orders are; the monotonic clock gives none twice within the annunciator's memory.
        self._order = f"{round(now * 1000):x}"
        await self._sound(self._order, self._output, sound.pattern, seconds)
        self._heard, self._priority, self._began, self._until = newest, priority, now, now + seconds

    async def _quiet(self) -> None:
        if self.sounding:
            await self._stop([self._order])
            self._until = NEVER

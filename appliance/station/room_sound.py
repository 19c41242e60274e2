"""The station's own microphone and loudspeaker, by the audio process: how loud it is, and what is spoken.

One bridge has both. Where the audio process is away nothing is heard or spoken, and nothing waits for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

from appliance.audio_client import AudioLink
from appliance.audio_protocol import STATION_BRIDGE, Close, End, EndChanged, EndKind, Leave, Levels, Open, Speech
from appliance.model import Language
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal

LOOK = 2.0  # s between looks whether the microphone is open
LONGEST = 90.0  # s of one announcement, spoken twice
TIMES, REST_S = 2, 1.5
ROOM, VOICE = "room", "voice"

log = logging.getLogger("siaga.station")


class RoomSound:
    """`run` must be running. `on_level` gets dBFS twice a second, None for silence; not while something is spoken."""

    def __init__(
        self, path: Path, device: EndKind, clock: Clock, *, listens: bool,
        on_level: Callable[[float | None], None] = lambda dbfs: None,
    ) -> None:  # fmt: skip
        self._device, self._listens, self._on_level = device, listens, on_level
        self._speed = clock.speed
        self._link = AudioLink(
            path, on_up=lambda standing: self._changed.set(), on_down=self._down, on_end=self._end,
            on_levels=self._levels, speed=clock.speed,
        )  # fmt: skip
        self._changed = asyncio.Event()
        self._open = False
        self._spoken: asyncio.Future[bool] | None = None
        self._speaking = asyncio.Lock()

    @property
    def up(self) -> bool:
        return self._link.up

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._link.run())
            while True:
                if self._listens and self._link.up and not self._open and self._spoken is None:
                    await self._bridge(())
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK * self._speed):
                        await self._changed.wait()

    async def speak(self, language: Language, text: str, gain_db: float) -> bool:
        """Say it twice; True when it was said to its end."""
        async with self._speaking:
            self._spoken = asyncio.get_running_loop().create_future()
            voice = End(VOICE, Speech(((language, text),), times=TIMES, rest_s=REST_S), gain_db=gain_db)
            try:
                if not await self._bridge((voice,)):
                    return False
                async with asyncio.timeout(LONGEST * self._speed):
                    return await self._spoken
            except TimeoutError:
                return False
            finally:
                self._spoken = None
                await self._silent()
                self._changed.set()

    async def _bridge(self, ends: tuple[End, ...]) -> bool:
        try:
            await self._link.open(Open(STATION_BRIDGE, (End(ROOM, self._device), *ends)))
        except (Gone, Refusal) as e:
            log.warning("the station's own sound: %s", e)
            self._open = False
            return False
        self._open = True
        return True

    async def _silent(self) -> None:
        """The loudspeaker is let go of; the microphone stays where somebody listens."""
        step = Leave(STATION_BRIDGE, VOICE) if self._listens else Close(STATION_BRIDGE)
        try:
            await (self._link.leave(step.bridge, VOICE) if isinstance(step, Leave) else self._link.close(step.bridge))
        except (Gone, Refusal) as e:
            log.warning("the station's own sound: %s", e)
        self._open = self._open and self._listens

    def _down(self) -> None:
        self._open = False
        self._say(done=False)

    def _say(self, *, done: bool) -> None:
        if self._spoken is not None and not self._spoken.done():
            self._spoken.set_result(done)

    def _end(self, change: EndChanged) -> None:
        if change.bridge != STATION_BRIDGE:
            return
        if change.end == VOICE and change.what in ("finished", "lost"):
            self._say(done=change.what == "finished")
        elif change.end == ROOM and change.what == "lost" and self._spoken is not None:
            self._say(done=False)  # the loudspeaker is the same card

    def _levels(self, levels: Levels) -> None:
        ours = next((bridge for bridge in levels.bridges if bridge.bridge == STATION_BRIDGE), None)
        if ours is None:
            self._open = False  # somebody closed it, or it is a new process
            self._changed.set()
            return
        for end in ours.ends:
            if end.end == ROOM and not end.lost and self._spoken is None:
                self._on_level(end.heard_dbfs)

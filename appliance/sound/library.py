"""The recordings' keeper: journals those that are closed, closes what a killed process left, removes what has to go."""

import asyncio
import logging
from collections.abc import Callable, Set
from pathlib import Path
from typing import Protocol

from appliance.audio_protocol import Recorded
from appliance.call_events import CallRecorded, RecordingRemoved
from appliance.config import Places
from appliance.config_sound import RecordingRules
from appliance.journal import Appended
from appliance.sound import recordings
from appliance.sound.recordings import Found
from appliance.state import State
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal

LOOK = 600.0  # s between looks at the disk: a call fills 1 MB a minute at the most
DURABLE_WITHIN = 30.0  # s; a file keeps its `.part` until its row is on disk
LEFT_AFTER = 5.0  # s without a write; a file that is being written grows twice a second

log = logging.getLogger("siaga.sound")


class Mender(Protocol):
    @property
    def up(self) -> bool: ...
    async def mend(self, file: str) -> Recorded:
        """Raises Refusal, Gone."""
        ...


class Library:
    """`keep` takes a closed recording on; `run` looks after the disk."""

    def __init__(
        self, rules: RecordingRules, places: Places, state: State, clock: Clock, append: Callable[..., Appended],
        mender: Mender, time_known: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        self._rules, self._places, self._state, self._clock, self._append = rules, places, state, clock, append
        self._mender, self._time_known = mender, time_known
        self._woken = asyncio.Event()
        self._naming: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Look now: the audio process is there, or something was closed."""
        self._woken.set()

    def keep(self, line: str, call: str, recorded: Recorded) -> None:
        """Journal a recording that was closed; it gets its name when the row is on disk."""
        path = Path(recorded.file)
        file = self._told(recordings.closed(path))
        row = None
        if file not in self._state.recorded:
            row = self._append(
                CallRecorded(
                    line=line, call=call, file=file, seconds=recorded.seconds, octets=recorded.octets,
                    sha256=recorded.sha256,
                )
            )  # fmt: skip
        task = asyncio.get_running_loop().create_task(self._name(path, row))
        self._naming.add(task)
        task.add_done_callback(self._naming.discard)

    async def _name(self, path: Path, row: Appended | None) -> None:
        if row is not None and not await row.durable(DURABLE_WITHIN):
            return  # the next look finds it again
        closed = recordings.closed(path)
        try:
            await asyncio.to_thread(path.rename, closed)
        except OSError as e:
            if isinstance(e, FileNotFoundError) and closed.exists():
                return  # a look at the folder saw it in the moment of its closing, and has named it
            log.error("%s keeps its name: %s", path, e)

    async def run(self, writing: Callable[[], Set[Path]]) -> None:
        """`writing`: files that are being written now."""
        while True:
            self._woken.clear()
            try:
                await self._look(writing)
            except OSError as e:
                log.error("recordings in %s: %s", self._places.calls, e)
            try:
                async with asyncio.timeout(LOOK):
                    await self._woken.wait()
                await asyncio.sleep(LEFT_AFTER)  # who died a moment ago has just written
            except TimeoutError:
                pass

    async def _look(self, writing: Callable[[], Set[Path]]) -> None:
        found = await asyncio.to_thread(recordings.look, self._places.calls, self._clock.wall())
        for left in [f for f in found if f.open and f.path not in writing()]:
            if self._mender.up:
                await self._mend(left)
        free = await asyncio.to_thread(recordings.free_octets, self._places.calls)
        for gone, why in recordings.too_many(found, self._rules, free, writing(), self._time_known()):
            await self._remove(gone, why)

    async def _mend(self, left: Found) -> None:
        try:
            recorded = await self._mender.mend(str(left.path))
        except (Refusal, Gone) as e:
            log.error("%s, left by a process that was killed, cannot be closed: %s", left.path, e)
            return
        if recorded.file:
            self.keep(left.line, left.call, recorded)
        elif left.octets == 0:  # the call ended before anything was said: there is nothing to name
            log.info("%s holds nothing and is removed.", left.path)
            await asyncio.to_thread(left.path.unlink, missing_ok=True)
        else:
            log.error("%s, left by a process that was killed, has no sound. Next: listen to it by hand.", left.path)

    async def _remove(self, gone: Found, why: str) -> None:
        try:
            await asyncio.to_thread(gone.path.unlink)
        except OSError as e:
            log.error("%s cannot be removed: %s", gone.path, e)
        else:
            self._append(RecordingRemoved(call=gone.call, file=self._told(gone.path), why=why))

    def _told(self, path: Path) -> str:
        """As the journal names it: below the state folder."""
        return str(path.relative_to(self._places.state)) if path.is_relative_to(self._places.state) else str(path)

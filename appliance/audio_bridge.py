"""One bridge of the audio process: which ends core wants, which are there, its recording, and what is told of it."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from appliance import audio_protocol as say
from appliance.audio_ends import FAILURES, Ends
from drivers.audio.bridge import Bridge, Happened
from drivers.audio.errors import OPENING
from drivers.audio.recording import Recorded, Recording
from drivers.jsonsocket import Refusal

log = logging.getLogger("siaga.audio")


class Held:
    """`push` gets what core is told. Ends are opened behind the answer: a slow card makes no call wait."""

    def __init__(self, name: str, ends: Ends, push: Callable[[say.Push], None]) -> None:
        self.name, self._ends, self._push = name, ends, push
        self._bridge = Bridge()
        self._wanted: dict[str, say.End] = {}
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._there: set[str] = set()  # in the bridge; others are being opened, or could not be
        self._failed: set[str] = set()
        self._recording: Recording | None = None
        self.record = ""

    def become(self, request: say.Open) -> None:
        """What is said: ends that are not named leave. Raises Refusal."""
        if len({end.end for end in request.ends}) != len(request.ends):
            raise Refusal("bad_request", f"{self.name}: two ends have one name.", "Name each its own way.")
        if self.record and request.record and request.record != self.record:
            raise Refusal("recording", f"{self.name} is recorded to {self.record} already.", "Close it first.")
        if request.record and not self.record:
            self._record(Path(request.record))
        for name in [n for n in self._wanted if n not in {end.end for end in request.ends}]:
            self.leave(name)
        for end in request.ends:
            self.join(end)

    def _record(self, file: Path) -> None:
        """A disk that takes no recording costs the call nothing else."""
        self.record = str(file)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            log.error("%s is not recorded: %s", self.name, e)
            self._push(say.EndChanged(self.name, say.RECORDING, "lost", "disk_error"))
        else:
            self._recording = Recording(file)
            self._bridge.record(self._recording)

    def join(self, end: say.End) -> None:
        """Add it, or make the one of this name what is said. Raises Refusal."""
        before = self._wanted.get(end.end)
        if before is not None and before.what == end.what:
            self._wanted[end.end] = end
            if end.end in self._there:
                self._bridge.change(
                    end.end, side=end.side, keys=end.keys, watched=end.watched, mute=end.mute, gain_db=end.gain_db
                )
            return
        if before is not None:
            self.leave(end.end)
        if len(self._wanted) >= say.MOST_ENDS:
            raise Refusal("full", f"{self.name} has {say.MOST_ENDS} ends.", "Let one leave first.")
        self._wanted[end.end] = end
        task = asyncio.get_running_loop().create_task(self._open(end.end, end.what))
        self._opening[end.end] = task
        task.add_done_callback(lambda done: self._opened(end.end, done))

    async def _open(self, name: str, what: say.EndKind) -> None:
        endpoint = await self._ends.made(what)
        end = self._wanted[name]  # it may have been muted meanwhile
        self._bridge.add(
            name, endpoint, side=end.side, keys=end.keys, watched=end.watched, mute=end.mute, gain_db=end.gain_db
        )
        self._there.add(name)

    def _opened(self, name: str, task: asyncio.Task[None]) -> None:
        if self._opening.get(name) is not task:
            return
        del self._opening[name]
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, FAILURES):
            log.error("%s: end %s: %s", self.name, name, error)
        else:
            log.error("%s: end %s cannot be opened", self.name, name, exc_info=error)
        self._failed.add(name)
        self._push(say.EndChanged(self.name, name, "lost", "failed"))

    def leave(self, name: str) -> None:
        """Close it. One that is not there is none."""
        self._wanted.pop(name, None)
        self._failed.discard(name)
        if (task := self._opening.pop(name, None)) is not None:
            task.cancel()
        if name in self._there:
            self._there.remove(name)
            self._bridge.remove(name)

    def tick(self) -> None:
        """20 ms; tell what happened."""
        for what in self._bridge.tick():
            self._tell(what)

    def _tell(self, happened: Happened) -> None:
        match happened.what:
            case "key":
                self._push(say.KeyHeard(self.name, happened.end, happened.why))
            case "record_failed":
                self._push(say.EndChanged(self.name, say.RECORDING, "lost", happened.why))
            case what:
                self._push(say.EndChanged(self.name, happened.end, what, happened.why))

    def standing(self) -> say.BridgeStanding:
        there = {figures.end: figures for figures in self._bridge.figures()}
        ends = []
        for name, end in self._wanted.items():
            if (figures := there.get(name)) is None:
                ends.append(say.EndStanding(name, lost="failed" if name in self._failed else OPENING, mute=end.mute))
                continue
            ends.append(
                say.EndStanding(
                    name, figures.lost, figures.finished, end.mute, _tenth(figures.heard_dbfs),
                    _tenth(figures.given_dbfs), round(figures.delay_s, 4), figures.gaps, round(figures.drift_ppm, 1),
                )
            )  # fmt: skip
        return say.BridgeStanding(self.name, tuple(ends), self.record)

    async def close(self) -> say.Recorded:
        """End it, and its recording."""
        for name in list(self._wanted):
            self.leave(name)
        self._bridge.record(None)
        recording, self._recording = self._recording, None
        if recording is None:
            return say.Recorded()
        return recorded(await recording.close())


def _tenth(level: float | None) -> float | None:
    return None if level is None else round(level, 1)


def recorded(what: Recorded) -> say.Recorded:
    """As core is told it."""
    return say.Recorded(str(what.file), what.seconds, what.octets, what.sha256) if what.octets else say.Recorded()

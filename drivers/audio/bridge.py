"""A call's sound: its ends hear each other, each everybody but itself. Time is counted in ticks of 20 ms."""

from typing import Literal, Protocol

import msgspec
import numpy as np

from drivers.audio.dtmf import KeyDetector
from drivers.audio.endpoint import Endpoint, Pcm
from drivers.audio.jitter import SILENCE, Hearing, Telling
from drivers.audio.levels import Level, SilenceWatch, mean_square
from drivers.audio.limiter import Limiter
from drivers.audio.resample import Sound

Side = Literal["line", "person", ""]
MOST_ENDS = 8  # a call is no conference


class Happened(msgspec.Struct, frozen=True):
    """`what` of an end: lost, back, silent, heard, finished, key (`why` is the key). record_failed: `end` is empty."""

    end: str
    what: Literal["lost", "back", "silent", "heard", "finished", "key", "record_failed"]
    why: str = ""


class EndFigures(msgspec.Struct, frozen=True):
    """Levels in dBFS over the last half second, None: digital silence. `delay_s` is what the jitter buffer holds."""

    end: str
    lost: str
    finished: bool
    heard_dbfs: float | None
    given_dbfs: float | None
    delay_s: float
    gaps: int  # times it had nothing when the bridge wanted sound
    drift_ppm: float
    starved: int  # times it played everything it was given
    trims: int  # times sound was cut because too much waited, both ways


class Tape(Protocol):
    """What records a bridge; it never blocks and never raises."""

    @property
    def failed(self) -> str:
        """Why it does not record any more, empty while it does."""

    def write(self, line: Pcm, person: Pcm) -> None:
        """A frame of either side."""


class _End:
    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.hearing, self.telling = Hearing(endpoint), Telling(endpoint)
        self.heard, self.given = Level(), Level()
        self.limiter = Limiter()
        self.lost = ""
        self.finished = False
        self.mute = False
        self.gain = 1.0
        self.side: Side = ""
        self.keys: KeyDetector | None = None
        self.watch: SilenceWatch | None = None


class Bridge:
    """Add ends, call `tick` every 20 ms, and read what happened."""

    def __init__(self) -> None:
        self._ends: dict[str, _End] = {}
        self._tape: Tape | None = None
        self._tape_failed = False
        self._sides = (Limiter(), Limiter())

    def add(
        self,
        name: str,
        endpoint: Endpoint,
        *,
        side: Side = "",
        keys: bool = False,
        watched: bool = False,
        mute: bool = False,
        gain_db: float = 0.0,
    ) -> None:
        """Raises ValueError for a name that is taken, and for more than MOST_ENDS."""
        if name in self._ends:
            raise ValueError(f"there is an end {name!r} already: remove it first, or change it.")
        if len(self._ends) >= MOST_ENDS:
            raise ValueError(f"a bridge has at most {MOST_ENDS} ends: remove one first.")
        self._ends[name] = _End(endpoint)
        self.change(name, side=side, keys=keys, watched=watched, mute=mute, gain_db=gain_db)

    def change(
        self,
        name: str,
        *,
        side: Side | None = None,
        keys: bool | None = None,
        watched: bool | None = None,
        mute: bool | None = None,
        gain_db: float | None = None,
    ) -> None:
        """What is None stays. `mute`: the others and the recording hear nothing of it. Raises KeyError."""
        end = self._ends[name]
        end.side = end.side if side is None else side
        end.mute = end.mute if mute is None else mute
        end.gain = end.gain if gain_db is None else 10 ** (gain_db / 20)
        if keys is not None and keys != bool(end.keys):
            end.keys = KeyDetector() if keys else None
        if watched is not None and watched != bool(end.watch):
            end.watch = SilenceWatch() if watched else None

    def remove(self, name: str) -> None:
        """Close it and forget it. Raises KeyError."""
        self._ends.pop(name).endpoint.close()

    def close(self) -> None:
        """All ends; the tape is its owner's."""
        for name in list(self._ends):
            self.remove(name)

    def record(self, tape: Tape | None) -> None:
        """From now on to this tape: sides "line" left, "person" right."""
        self._tape, self._tape_failed = tape, False

    def tick(self) -> list[Happened]:
        """20 ms of everybody's sound to everybody else; what happened meanwhile."""
        happened: list[Happened] = []
        ends = self._ends
        said = [_said(name, end, happened) for name, end in ends.items()]
        together: Sound = np.sum(said, axis=0) if said else SILENCE
        for end, own in zip(ends.values(), said, strict=True):
            frame = end.limiter.limit(together - own)
            end.given.hear(mean_square(frame))
            if not end.lost:
                end.telling.give(frame)
        self._write(said, happened)
        return happened

    def figures(self) -> list[EndFigures]:
        """Of every end, in the order they came."""
        return [
            EndFigures(
                end=name,
                lost=end.lost,
                finished=end.finished,
                heard_dbfs=end.heard.dbfs,
                given_dbfs=end.given.dbfs,
                delay_s=end.hearing.delay_s,
                gaps=end.hearing.gaps,
                drift_ppm=end.hearing.drift_ppm,
                starved=end.telling.gaps,
                trims=end.hearing.trims + end.telling.trims,
            )
            for name, end in self._ends.items()
        ]

    def _write(self, said: list[Sound], happened: list[Happened]) -> None:
        if self._tape is None or self._tape_failed:
            return
        sides = {"line": SILENCE, "person": SILENCE}
        for end, own in zip(self._ends.values(), said, strict=True):
            if end.side:
                sides[end.side] = sides[end.side] + own
        self._tape.write(self._sides[0].limit(sides["line"]), self._sides[1].limit(sides["person"]))
        if self._tape.failed:
            self._tape_failed = True
            happened.append(Happened("", "record_failed", self._tape.failed))


def _said(name: str, end: _End, happened: list[Happened]) -> Sound:
    """A frame of what the others hear of it."""
    if end.endpoint.lost != end.lost:
        if bool(end.endpoint.lost) != bool(end.lost):
            happened.append(Happened(name, "lost" if end.endpoint.lost else "back", end.endpoint.lost))
        end.lost = end.endpoint.lost
    sound = SILENCE if end.lost else end.hearing.frame()
    square = mean_square(sound)
    end.heard.hear(square)
    if end.keys is not None:
        happened += [Happened(name, "key", key) for key in end.keys.hear(sound)]
    if end.watch is not None and not end.lost and (what := end.watch.hear(square)):
        happened.append(Happened(name, what))
    if end.endpoint.finished and not end.finished:
        end.finished = True
        happened.append(Happened(name, "finished"))
    return SILENCE if end.mute else sound if end.gain == 1.0 else sound * np.float32(end.gain)

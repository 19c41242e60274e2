"""The sound of calls: every 20 ms of the loop's time each one in a talk hears what the others said.

Nothing beats while nobody in a talk speaks or listens, which is most of a simulator's life.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from drivers.sim.sound_pcm import FRAME_S, SILENCE, mixed

BEHIND_MOST = 10  # frames made up for at once when the loop was late; what is older is lost, as on the air


class Voice(Protocol):
    """Mouth and ear of somebody in a call."""

    @property
    def at_work(self) -> bool:
        """Whether it has something to say, or listens."""

    def speak(self) -> bytes:
        """The next 20 ms, or nothing for silence."""

    def hear(self, frame: bytes) -> None: ...

    def press(self, keys: str) -> None:
        """Make the tones of telephone keys."""

    def alone(self) -> None:
        """Its last talk ended."""


class Talks:
    """`who` gives the talks that are: in each, all hear each other. `changed` says that these, or a voice, changed."""

    def __init__(self, who: Callable[[], Sequence[Sequence[Voice]]]) -> None:
        self._who = who
        self._next: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._in: dict[int, Voice] = {}  # those in a talk, by identity

    def changed(self) -> None:
        talks = self._who()
        now_in = {id(voice): voice for talk in talks for voice in talk}
        gone = [voice for one, voice in self._in.items() if one not in now_in]
        self._in = now_in
        for voice in gone:
            voice.alone()
        if self._next is None and self._at_work():
            self._due = asyncio.get_running_loop().time()
            self._wait()

    def _at_work(self) -> bool:
        return any(voice.at_work for voice in self._in.values())

    def _wait(self) -> None:
        self._due += FRAME_S
        self._next = asyncio.get_running_loop().call_at(self._due, self._beat)

    def _beat(self) -> None:
        self._next = None
        now = asyncio.get_running_loop().time()
        self._due = max(self._due, now - BEHIND_MOST * FRAME_S)
        self._carry()
        while self._due + FRAME_S <= now:
            self._due += FRAME_S
            self._carry()
        if self._at_work():
            self._wait()

    def _carry(self) -> None:
        said: dict[int, bytes] = {}
        heard: dict[int, list[bytes]] = {one: [] for one in self._in}
        for one, voice in self._in.items():
            if frame := voice.speak():
                said[one] = frame
        for talk in self._who():
            for listener in talk:
                heard[id(listener)] += [said[id(v)] for v in talk if v is not listener and id(v) in said]
        for one, voice in list(self._in.items()):
            voice.hear(mixed(heard[one]) if heard[one] else SILENCE)

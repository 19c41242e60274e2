"""The sound of calls: every 20 ms of the loop's time each one in a talk hears what the others said.

Nothing beats while nobody in a talk speaks or listens, which is most of a simulator's life.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from drivers.sim.sound_pcm import FRAME_S, mixed

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


Voices = Sequence[Voice]


class Talks:
    """`there` gives everyone in an answered call, `who` the talks: in each, all hear each other. `changed` says that
    these, or a voice, changed.
    """

    def __init__(self, there: Callable[[], Voices], who: Callable[[], Sequence[Voices]]) -> None:
        self._there, self._who = there, who
        self._next: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._before: Voices = ()

    def changed(self) -> None:
        there = self._there()
        gone, self._before = [voice for voice in self._before if voice not in there], there
        for voice in gone:
            voice.alone()
        if self._next is None and any(voice.at_work for voice in there):
            self._due = asyncio.get_running_loop().time()
            self._wait()

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
        if any(voice.at_work for voice in self._there()):
            self._wait()

    def _carry(self) -> None:
        said = {voice: voice.speak() for voice in self._there()}
        heard: dict[Voice, list[bytes]] = {voice: [] for voice in said}
        for talk in self._who():
            for listener in talk:
                heard[listener] += [said[voice] for voice in talk if voice is not listener and said[voice]]
        for voice, frames in heard.items():
            voice.hear(mixed(frames))

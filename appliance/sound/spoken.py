"""Texts that are spoken: the box calls, says them in each language, and waits for a key that says "understood"."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from appliance.audio_protocol import Speech
from appliance.call_events import TextCalled, TextHeard, TextUnheard
from appliance.clock import boot_id
from appliance.entry import Entry
from appliance.journal import Appended
from appliance.model import Language
from appliance.sound import spoken_machine
from appliance.sound.phrases import message
from appliance.sound.sound_machine import HEARD
from appliance.sound.waiting import until
from appliance.stamp import Stamp
from appliance.state import Outgoing, State
from drivers.clock import Clock
from drivers.jsonsocket import Refusal

BOX = "box"  # the actor of calls that nobody ordered
LOOK = 5.0  # s between looks while a text waits to be spoken
RINGS = 45.0  # s until nobody answers; the network's mailbox comes at 30 or so
SPEAKS = 120.0  # s of one call, whatever is said in it
ANSWERS = 6.0  # s behind the last word in which the key may be pressed
TIMES = 2
KEY = "1"

log = logging.getLogger("siaga.sound")


class Phone(Protocol):
    """The lines, as this needs them. All raise Refusal."""

    async def dial(self, number: str, actor: str, line: str = "", why: str = "") -> dict[str, str]: ...
    async def hang_up(self, line: str, call: str, actor: str) -> object: ...
    def free_lines(self) -> list[str]: ...


class Voice(Protocol):
    """The sound room, as this needs it."""

    def speaks(self, line: str) -> bool: ...
    def say(self, call: str, what: Speech | None) -> None: ...
    def listen(self, call: str, on: Callable[[], None] | None) -> None: ...


class Spoken(msgspec.Struct, frozen=True):
    """`outcome`: "heard" (the key was pressed), "declined" (the other one was), "no_key", "busy", "no_answer",
    "no_line", "no_sound", "unreachable", "refused", "line_lost"."""

    outcome: str
    line: str = ""
    call: str = ""


class SpokenTexts:
    """`speak` is for any room; `run` speaks the texts that could not be delivered in writing, one at a time."""

    def __init__(
        self, *, state: State, clock: Clock, append: Callable[..., Appended], voice: Voice, phone: Phone,
        folder: Path | None, language: Language, allowed: bool,
    ) -> None:  # fmt: skip
        self._state, self._clock, self._append, self._voice, self._phone = state, clock, append, voice, phone
        self._folder, self._language, self._allowed = folder, language, allowed
        self._boot = boot_id()
        self._woken = asyncio.Event()

    def on_entry(self, entry: Entry) -> None:
        """A row of the journal; texts and calls wake us."""
        if entry.kind.startswith(("call.", "sms.")):
            self._woken.set()

    async def run(self) -> None:
        for cut in spoken_machine.forgotten(list(self._state.outgoing.values())):
            self._append(TextUnheard(message=cut.id, call=cut.spoken[-1].call, why="restarted"))
        while True:
            self._woken.clear()
            rows = [m for m in self._state.outgoing.values() if m.text] if self._allowed else []
            for late in spoken_machine.missed(rows, self._since):
                self._append(TextUnheard(message=late.id, call="", why="no_line"))
            row = spoken_machine.due(rows, self._since)
            if row is None or not await self._bring(row):
                await self._wait(LOOK if any(map(spoken_machine.open_, rows)) else None)

    async def _bring(self, row: Outgoing) -> bool:
        """Speak one text; False when no line could."""

        def dialled(line: str, call: str) -> None:
            self._append(TextCalled(message=row.id, line=line, call=call))

        said = await self.speak(row.number, ((self._language, row.text),), on_dialled=dialled)
        if not said.call:
            return False
        if said.outcome == "heard":
            self._append(TextHeard(message=row.id, call=said.call, key=KEY))
        else:
            self._append(TextUnheard(message=row.id, call=said.call, why=said.outcome))
        return True

    async def speak(
        self, number: str, texts: tuple[tuple[Language, str], ...], times: int = TIMES, key: str = KEY,
        deadline: float = SPEAKS, on_dialled: Callable[[str, str], None] = lambda line, call: None,
        decline: str = "",
    ) -> Spoken:  # fmt: skip
        """Call a number and say texts `times` over; who answers presses `key` to say that they were understood.

        With `decline` they are asked: `key` says yes to what the texts want, `decline` no.

        Comes back after RINGS + `deadline` s at the latest. It takes no line that is kept free for callers.
        """
        able = [line for line in self._phone.free_lines() if self._voice.speaks(line)]
        if not able:
            return Spoken("no_line")
        try:
            told = await self._phone.dial(number, BOX, able[0], "text")
        except Refusal as e:
            log.info("a text cannot be spoken now: %s", e)
            return Spoken("no_line")
        line, call = told["line"], told["call"]
        on_dialled(line, call)
        try:
            speech = message(texts, key, self._folder, times=times, decline=decline)
            return Spoken(await self._said(call, speech, key, deadline, decline), line, call)
        finally:
            self._voice.say(call, None)
            self._voice.listen(call, None)
            if self._live(call):
                await self._hang_up(line, call)

    async def _said(self, call: str, speech: Speech, key: str, deadline: float, decline: str) -> str:
        """What came of the call that was dialled."""
        if not await until(self._woken, lambda: not self._live(call) or self._answered(call), RINGS):
            return "no_answer"
        if not self._live(call):
            return spoken_machine.outcome(self._state.calls.get(call), answered=False)
        done = False

        def finished() -> None:
            nonlocal done
            done = True
            self._woken.set()

        self._voice.listen(call, finished)
        self._voice.say(call, speech)
        keys = key + decline
        await until(self._woken, lambda: done or not self._live(call) or self._pressed(call, keys), deadline)
        if done:
            await until(self._woken, lambda: not self._live(call) or self._pressed(call, keys), ANSWERS)
        if pressed := self._pressed(call, keys):
            return "heard" if pressed == key else "declined"
        if not self._live(call):
            return spoken_machine.outcome(self._state.calls.get(call), answered=True)
        return "no_key" if done else "no_sound"

    async def _hang_up(self, line: str, call: str) -> None:
        try:
            await self._phone.hang_up(line, call, BOX)
        except Refusal as e:
            log.warning("%s: a call of the box's own does not end: %s", line, e)

    def _live(self, call: str) -> bool:
        known = self._state.calls.get(call)
        return known is not None and known.live

    def _answered(self, call: str) -> bool:
        known = self._state.calls.get(call)
        return known is not None and known.phase in HEARD

    def _pressed(self, call: str, keys: str) -> str:
        """The first of those keys that was pressed, or an empty string."""
        known = self._state.calls.get(call)
        return next((key for key in known.keys if key in keys), "") if known is not None else ""

    def _since(self, stamp: Stamp) -> float:
        return stamp.elapsed(self._clock.now(), self._clock.wall(), self._boot)

    async def _wait(self, within: float | None) -> None:
        try:
            async with asyncio.timeout(within):
                await self._woken.wait()
        except TimeoutError:
            pass

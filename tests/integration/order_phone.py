"""A telephone in a test of orders: calls of which the test says what becomes of them, as rows of the real journal.

A call outlives core, as one in a modem does: after a kill it stands until somebody hangs it up.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.call_events import CallDialled
from appliance.event import Event
from appliance.events import CallAnswered, CallEnded
from appliance.model import Language
from appliance.sound.spoken import Spoken
from appliance.state import State
from drivers.clock import VirtualClock
from drivers.jsonsocket import Refusal

LINE = "line1"


@dataclass
class Phone:
    """`becomes`: "heard", "no_key", "busy", "no_answer", "no_line". `lines`: those that may dial."""

    clock: VirtualClock
    speaks: bool = False
    lines: int = 1
    becomes: str = "heard"
    rings_s: float = 8.0
    talks_s: float = 25.0
    note: Callable[[Event], object] = lambda event: None
    state: State = field(default_factory=State)
    said: list[tuple[float, str, str]] = field(default_factory=list)  # since, number, words that were heard
    live: dict[str, str] = field(default_factory=dict)  # call: number
    mine: list[str] = field(default_factory=list)  # numbers that a core is calling now
    words: dict[str, tuple[float, str, str]] = field(default_factory=dict)  # as `said`, by call

    def able(self) -> bool:
        return self.speaks

    def free(self) -> int:
        return max(0, self.lines - len(self.live)) if self.speaks else 0

    async def speak(
        self, number: str, texts: tuple[tuple[Language, str], ...], on_dialled: Callable[[str, str], None], **_: object
    ) -> Spoken:
        if self.becomes == "no_line" or not self.free():
            return Spoken("no_line")
        await asyncio.sleep(0.1)
        call = secrets.token_hex(4)
        self.note(CallDialled(line=LINE, call=call, number=number, why="text"))
        if number in self.live.values():  # a call of before a restart stands there yet
            self.note(CallEnded(line=LINE, call=call, seconds=0.0, reason="busy"))
            return Spoken("busy", LINE, call)
        assert number not in self.mine, "one phone was called twice at once"
        self.live[call] = number
        self.mine.append(number)
        on_dialled(LINE, call)
        try:
            await asyncio.sleep(self.rings_s)
            if self.becomes not in ("heard", "no_key"):
                return Spoken(self.becomes, LINE, call)
            self.note(CallAnswered(line=LINE, call=call))
            self.said.append((self.clock.now(), number, " ".join(words for _, words in texts)))
            self.words[call] = self.said[-1]
            await asyncio.sleep(self.talks_s)
            return Spoken(self.becomes, LINE, call)
        finally:
            self.mine.remove(number)
            if call in self.live and not self._dead():
                await self.hang_up(LINE, call, "box")

    def _dead(self) -> bool:
        """Core was killed: nobody hangs up."""
        return self.note is nobody

    async def hang_up(self, line: str, call: str, actor: str) -> object:
        if call not in self.live:
            raise Refusal("no_call", "There is no such call.")
        await asyncio.sleep(0.3)
        if self.live.pop(call, None):
            self.note(CallEnded(line=line, call=call, seconds=0.0, reason="operator"))
        return None


def nobody(event: Event) -> None:
    """Who is dead writes nothing."""

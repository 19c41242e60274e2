"""Carries out what `repair_machine` says about lines whose sound stays silent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from appliance.sound.modem_sound import ModemSound, Voices
from appliance.sound.repair_machine import Ladder, Rung
from appliance.state import State
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal

LOOK = 0.5  # s between looks while something is wrong

log = logging.getLogger("siaga.sound")


class Repair:
    """`reopen` opens the line's end of a call anew; `needed` says that every line is wanted now."""

    def __init__(
        self, lines: Voices, modems: ModemSound, state: State, clock: Clock,
        reopen: Callable[[str], Awaitable[None]], needed: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._modems = modems
        self._lines, self._state, self._clock, self._reopen, self._needed = lines, state, clock, reopen, needed
        self._ladders: dict[str, Ladder] = {}
        self._told = asyncio.Event()

    def told(self, line: str, call: str, what: str) -> None:
        """What the watch said of a line's end."""
        if what == "silent":
            self._ladders.setdefault(line, Ladder()).silent(call, self._clock.now())
        elif what == "heard" and line in self._ladders:
            self._ladders[line].heard(call)
        self._told.set()

    async def run(self) -> None:
        while True:
            await self._told.wait()
            for line, ladder in list(self._ladders.items()):  # others may fall silent meanwhile
                await self._look(line, ladder)
            if not any(ladder.call or ladder.owed for ladder in self._ladders.values()):
                self._told.clear()
            await asyncio.sleep(LOOK)

    async def _look(self, line: str, ladder: Ladder) -> None:
        on = self._state.calls_on(line)
        if ladder.call and ladder.call not in {call.id for call in on}:
            ladder.climbed = (Rung.REOPEN, Rung.SOUND)  # it has ended, and was silent to its end
            ladder.next_at = 0.0
        rung = ladder.due(self._clock.now(), lambda: bool(on), self._needed())
        if rung is None:
            return
        log.warning("%s: its sound is silent; step: %s", line, rung)
        try:
            match rung:
                case Rung.REOPEN:
                    await self._reopen(ladder.call)
                case Rung.SOUND:
                    await self._modems.again(line)
                case Rung.MODEM:
                    await self._lines.reset_sound(line)
        except (Refusal, Gone) as e:
            log.warning("%s: %s was refused: %s", line, rung, e)

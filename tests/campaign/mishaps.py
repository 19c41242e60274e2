"""What goes wrong with a modem during a campaign: one thing after another, each healed after a while."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

Turn = Callable[..., Awaitable[Any]]

COMMANDS = ("AT+CMGR", "AT+CMGD", "AT+CNMA", "AT+CMGL", "AT+CPMS", "AT+CSQ", "AT+CNMI", "AT+CMGS")
LASTING: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {  # knob: how, and what heals it
    "modem.mute": ({}, "modem.mute", {"on": False}),
    "modem.unplug": ({}, "modem.plug", {}),
    "modem.split": ({}, "modem.split", {"on": False}),
    "modem.chatter": ({}, "modem.chatter", {"on": False}),
    "modem.slow": ({"ms_per_byte": 1.0}, "modem.slow", {"ms_per_byte": 0}),
    "modem.deny": ({}, "modem.deny", {"on": False}),
}
AT_ONCE = ("modem.reset", "modem.garbage", "modem.late", "modem.reset_in")
LASTS = (1.0, 12.0)  # s of the scaled clock: shorter than a deadline of the driver's, and longer


class Mishaps:
    """`run` for one modem until cancelled; `heal` then makes it well. `done` counts them by name."""

    def __init__(self, modem: str, random: Random, turn: Turn, kinds: Sequence[str], rest: tuple[float, float]) -> None:
        self._modem, self._random, self._turn, self._kinds, self._rest = modem, random, turn, kinds, rest
        self.done: Counter[str] = Counter()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(*self._rest))
            await self._one(self._random.choice(self._kinds))

    async def _one(self, knob: str) -> None:
        self.done[knob] += 1
        if knob in LASTING:
            how, heals, by = LASTING[knob]
            await self._turn(knob, name=self._modem, **how)
            try:
                await asyncio.sleep(self._random.uniform(*LASTS))
            finally:
                await self._turn(heals, name=self._modem, **by)
            return
        args: dict[str, Any] = {}
        if knob in ("modem.late", "modem.reset_in"):
            args["command"] = self._random.choice(COMMANDS)
        if knob == "modem.late":
            args["seconds"] = self._random.uniform(*LASTS)
        if knob == "modem.garbage":
            args["count"] = self._random.choice((1, 7, 64, 500))
        await self._turn(knob, name=self._modem, **args)

    async def heal(self) -> None:
        for _, heals, by in LASTING.values():
            await self._turn(heals, name=self._modem, **by)

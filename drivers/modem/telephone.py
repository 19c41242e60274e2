"""What a modem is told to do with its calls. That it was done is seen elsewhere: in reports and in the list of calls.

AT+CHLD is 3GPP TS 27.007 clause 7.13, what its figures do TS 22.030 clause 6.5.5.1.
"""

import asyncio
from collections.abc import Callable

from drivers.modem.errors import CommandRefused, LinkLost, NumberRefused
from drivers.modem.exchange import Exchange, Priority
from drivers.modem.news import KEYS
from drivers.modem.numbers import diallable
from drivers.modem.session import Session

CALL_SET_UP = 20.0  # s; on some networks OK comes only when the other side rings
ARRANGE = 10.0  # s for the network to hold, join or release; TS 24.083 gives it that long
KEY = 6.0  # s for one tone; a modem answers when it was played
MOST_KEYS = 32


class Telephone:
    """`linked` gives the modem as it is now, or raises LinkLost. Everything here raises ModemError."""

    def __init__(self, linked: Callable[[], tuple[Exchange, Session]]) -> None:
        self._linked = linked
        self._hung_up = False  # since the last number was to be dialled

    async def answer(self) -> None:
        """Take the call that rings, when it is the only one."""
        exchange, session = self._linked()
        await exchange.ask("ATA", timeout=CALL_SET_UP, priority=Priority.URGENT)
        session.expect_call()

    async def hang_up(self) -> None:
        """End all calls, or refuse the one that rings alone. One that the modem is still setting up is broken off."""
        exchange, session = self._linked()
        session.expect_call()
        self._hung_up = True  # a number that still waits for its turn is not dialled any more
        exchange.cut_short()
        await exchange.ask(session.profile.hangup, timeout=CALL_SET_UP, priority=Priority.URGENT)

    async def refuse(self) -> None:
        """Refuse the call that rings alone: its caller hears that we are busy."""
        exchange, session = self._linked()
        session.expect_call()
        await exchange.ask(session.profile.refuse, timeout=CALL_SET_UP, priority=Priority.URGENT)

    async def refuse_waiting(self) -> None:
        """Refuse the call that waits; where none waits this ends the held ones."""
        await self._arrange("0")

    async def end_held(self) -> None:
        """End all held calls; where one waits it is refused instead."""
        await self._arrange("0")

    async def end_one(self, index: int) -> None:
        """End this call of several, by the modem's own name for it."""
        await self._arrange(f"1{index}")

    async def swap(self) -> None:
        """The active calls are held; the one that waits, else the held ones, are talked on."""
        await self._arrange("2")

    async def talk_alone_with(self, index: int) -> None:
        """The conference's other calls are held."""
        await self._arrange(f"2{index}")

    async def join(self) -> None:
        """Held and active calls become one conference."""
        await self._arrange("3")

    async def leave(self) -> None:
        """Connect the active call with the held one, and leave them. Few networks do it."""
        await self._arrange("4")

    async def _arrange(self, what: str) -> None:
        exchange, session = self._linked()
        session.expect_call()
        await exchange.ask(f"AT+CHLD={what}", timeout=ARRANGE, priority=Priority.URGENT)
        session.expect_call()

    async def dial(self, number: str) -> None:
        """Start a call; what becomes of it comes as events. Raises NumberRefused on emergency numbers."""
        line = f"ATD{diallable(number)};"
        exchange, session = self._linked()
        self._hung_up = False
        session.expect_call()
        await exchange.ask(line, timeout=CALL_SET_UP, priority=Priority.URGENT, still=lambda: not self._hung_up)
        session.expect_call()

    async def press(self, keys: str, index: int = 1) -> None:
        """Send telephone keys to the other side of a call, one tone after another."""
        if not keys or len(keys) > MOST_KEYS or any(key not in KEYS for key in keys):
            raise NumberRefused(f"{keys[:40]!r} are not 1 to {MOST_KEYS} telephone keys of {KEYS}.")
        for key in keys:
            exchange, session = self._linked()
            line = session.profile.key.replace("{key}", key).replace("{call}", str(index))
            await exchange.ask(line, timeout=KEY, priority=Priority.URGENT)

    async def sound(self, *, on: bool, serial: bool = False) -> bool:
        """Start or stop the sound of a call, where this make wants to be told. Whether it was taken the first time.

        `serial`: it comes by a serial port and not by USB, where the make has both.

        SIM7600 takes it only some time behind the call's begin; a refusal then is the sign that calls will be mute.
        """
        exchange, session = self._linked()
        plan = session.profile.sound
        command = (plan.on if on else plan.off) if plan is not None else ""
        if plan is None or not command:
            return True
        if on:
            await asyncio.sleep(plan.after_s)
            if serial and plan.serial:
                *before, command = plan.serial
                for line in before:
                    await exchange.ask(line, priority=Priority.URGENT)
        try:
            await exchange.ask(command, priority=Priority.URGENT)
        except CommandRefused:
            await asyncio.sleep(plan.after_s)
            await exchange.ask(command, priority=Priority.URGENT)
            return False
        return True

    async def reset_sound(self) -> bool:
        """Restart the modem by its maker's own command, which brings back calls' sound. False: it has none."""
        exchange, session = self._linked()
        command = session.profile.sound.reset if session.profile.sound is not None else None
        if command is None:
            return False
        try:
            await exchange.ask(command, priority=Priority.URGENT)
        except LinkLost:
            return True  # it was quick
        return True

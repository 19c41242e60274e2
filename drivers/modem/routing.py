"""Where a modem puts what comes in: into its memory, announced, or straight to us, for an acknowledgement.

Straight needs AT+CSMS=1: without it the modem acknowledges to the network by itself, and what we fail to store is gone.
"""

import asyncio
import contextlib
from collections.abc import Callable

from drivers.modem.errors import NotDone
from drivers.modem.events import InitRefused, ModemEvent
from drivers.modem.exchange import Exchange, Priority

# Announce messages that were stored, and: reports stored and announced; reports handed over; no reports.
STORED = ("AT+CNMI=2,1,0,2,0", "AT+CNMI=2,1,0,1,0", "AT+CNMI=2,1,0,0,0", "AT+CNMI=1,1")
WITH_ACKNOWLEDGEMENT = "AT+CSMS=1"
DIRECT = "AT+CNMI=2,2,0,1,0"

# s from +CMT to AT+CNMA; the network's own limit is 12 to 20 (3GPP TS 24.011, TR2M), and behind it a modem may have
# handed over the next message, which a late acknowledgement would be taken for.
ACKNOWLEDGE_WITHIN = 10.0

# s from +CMT until a modem that got no acknowledgement has surely switched its handing over off: the same limit's end.
# What was told it before that is undone then, and a report that comes meanwhile is thrown away.
GIVEN_UP = 21.0


class Routing:
    """`direct` and `reports_stored` say what the modem took. `set` after each of its starts, `renew` now and then."""

    def __init__(self, exchange: Exchange, on_event: Callable[[ModemEvent], None]) -> None:
        self._exchange, self._on_event = exchange, on_event
        self._begun = self._wants_direct = False
        self._taken = ""
        self._told_refused = False

    @property
    def direct(self) -> bool:
        return self._taken == DIRECT

    @property
    def reports_stored(self) -> bool:
        return self._taken == STORED[0]

    async def set(self, *, direct: bool) -> None:
        """Raises LinkLost. What is refused is told once, and the next best is taken."""
        self._begun, self._wants_direct, self._taken = True, direct, ""
        refused = ""
        if direct:
            try:
                await self._exchange.ask(WITH_ACKNOWLEDGEMENT)
                await self._exchange.ask(DIRECT)
            except NotDone as e:
                self._refused(DIRECT, str(e))
            else:
                self._taken = DIRECT
                return
        for line in STORED:
            try:
                await self._exchange.ask(line)
            except NotDone as e:
                refused = refused or str(e)
                continue
            self._taken = line
            return
        self._refused(STORED[0], refused)

    async def renew(self) -> None:
        """Say again what was taken: a modem forgets it with its power, or drops it when nobody acknowledged.

        Raises LinkLost.
        """
        if not self._begun:
            return
        if self._wants_direct == self.direct and self._taken:
            try:
                if self.direct:
                    await self._exchange.ask(WITH_ACKNOWLEDGEMENT)
                await self._exchange.ask(self._taken)
            except NotDone:
                pass
            else:
                return
        await self.set(direct=self._wants_direct)

    def _refused(self, command: str, reason: str) -> None:
        if not self._told_refused:
            self._told_refused = True
            self._on_event(InitRefused(command, reason))


class Handover:
    """What was handed over last; only that can be acknowledged, and only in time."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._last = 0
        self._at = 0.0
        self._open = False

    def came(self) -> int:
        """Something was handed over; the number by which to acknowledge it."""
        self._last += 1
        self._at, self._open = asyncio.get_running_loop().time(), True
        return self._last

    async def acknowledge(self, number: int) -> bool:
        """AT+CNMA; False when it is too late, or the modem waits for none. Raises LinkLost."""

        def waits() -> bool:
            return (
                self._open
                and number == self._last
                and asyncio.get_running_loop().time() - self._at < ACKNOWLEDGE_WITHIN
            )

        try:
            await self._exchange.ask("AT+CNMA", priority=Priority.URGENT, still=waits)
        except NotDone:
            return False
        finally:
            if number == self._last:
                self._open = False
        return True

    async def refuse(self) -> None:
        """Say that what was handed over was not taken, if something was: the network brings it again, and the modem
        does not switch its handing over off, as it does when it hears nothing. Raises LinkLost.
        """
        with contextlib.suppress(NotDone):  # it waits for none, or knows no refusal
            await self._exchange.ask("AT+CNMA=2", priority=Priority.URGENT)

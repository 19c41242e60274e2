"""One question by USSD at a time on one line: sent in letters or packed, and the network's answer waited for."""

import asyncio

from drivers.modem.errors import CommandRefused
from drivers.modem.events import UssdSaid
from drivers.modem.modem import Modem
from drivers.modem.ussd import requests

ASKED_WITHIN = 20.0  # s; two of the driver's own commands may stand before it, each with its deadline
USSD_WITHIN = 30.0  # s; networks answer in two, and give up after some 20
GIVE_UP = "AT+CUSD=2"


class UssdBusy(Exception):
    """Another question waits for its answer."""


class UssdTalk:
    """`heard` gets what the network says; with nobody waiting it is dropped."""

    def __init__(self, modem: Modem) -> None:
        self._modem = modem
        self._said: asyncio.Future[UssdSaid] | None = None

    @property
    def busy(self) -> bool:
        return self._said is not None

    def heard(self, said: UssdSaid) -> None:
        if self._said is not None and not self._said.done():
            self._said.set_result(said)

    async def ask(self, code: str) -> UssdSaid | None:
        """The network's answer, None when it gives none. Raises UssdBusy, ModemError, TimeoutError (modem busy)."""
        if self._said is not None:
            raise UssdBusy(code)
        self._said = asyncio.get_running_loop().create_future()
        try:
            await self._request(code)
            try:
                async with asyncio.timeout(USSD_WITHIN):
                    return await self._said
            except TimeoutError:
                return None
        finally:
            self._said = None

    async def _request(self, code: str) -> None:
        letters, packed = requests(code)
        try:
            await self._order(letters)
        except CommandRefused:
            await self._order(packed)

    async def give_up(self) -> None:
        """Leave a menu that waits for a choice. Raises ModemError, TimeoutError."""
        await self._order(GIVE_UP)

    async def _order(self, command: str) -> None:
        async with asyncio.timeout(ASKED_WITHIN):
            await self._modem.ask(command)

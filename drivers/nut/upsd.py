"""One connection to upsd: one question at a time, and never used again after an answer that did not come whole.

It never says LOGIN: that would make us a machine which the UPS feeds, and upsd would wait for us before it lets the
UPS be switched off.
"""

import asyncio
import contextlib
from pathlib import Path

import msgspec

from drivers.dial import Dialer
from drivers.modbus.errors import BadAnswer, LinkLost, NoAnswer
from drivers.nut.errors import UpsdRefused
from drivers.nut.wire import MAX_LINE, line, words

PORT = 3493  # IANA's for NUT
MAX_LINES = 1000  # of one list; the richest UPS in NUT's device library has some 200 variables


class Login(msgspec.Struct, frozen=True):
    """A user of upsd.users with `instcmds`; reading needs none."""

    user: str
    password: str


def read_login(file: Path) -> Login:
    """The user and password on the file's one line. Raises ValueError for anything else, or OSError."""
    try:
        said = words(file.read_bytes().strip(b"\r\n"))
    except BadAnswer:
        said = []
    if len(said) != 2 or not all(said):
        raise ValueError(f"{file}: write the user and the password of upsd.users on one line, and nothing else.")
    return Login(*said)


class Upsd:
    """A conversation with upsd about one UPS. `name` is for errors."""

    def __init__(self, dialer: Dialer, ups: str, *, timeout_s: float) -> None:
        self._dialer, self._ups, self._timeout_s = dialer, ups, timeout_s
        self.name = f"{ups}@{dialer.host}:{dialer.port}"
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def variables(self) -> dict[str, str]:
        """All variables of the UPS by name. Raises BusError."""
        return {row[0]: row[1] for row in await self._list("VAR", 2)}

    async def commands(self) -> frozenset[str]:
        """The instant commands that its driver takes. Raises BusError."""
        return frozenset(row[0] for row in await self._list("CMD", 1))

    async def log_in(self, login: Login) -> None:
        """Say who orders. Raises BusError; upsd looks at the password only when something is ordered."""
        for said in (("USERNAME", login.user), ("PASSWORD", login.password)):
            await self._ask(*said)
            self._expect_ok(said[0], await self._answer(said[0]))

    async def order(self, command: str) -> None:
        """Send an instant command once. Raises BusError; `sent` says whether the driver may have got it."""
        await self._ask("INSTCMD", self._ups, command)
        self._expect_ok(command, await self._answer(command))

    def close(self) -> None:
        """Hang up. The next question dials again."""
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.write(line("LOGOUT"))
            self._writer.close()
        self._reader = self._writer = None

    async def _list(self, kind: str, width: int) -> list[list[str]]:
        """The rows of a list, without the kind and the UPS's name in front of each."""
        head = [kind, self._ups]
        await self._ask("LIST", *head)
        begin = await self._answer(f"LIST {kind}")
        if begin != ["BEGIN", "LIST", *head]:
            raise self._bad(begin)
        rows: list[list[str]] = []
        while (row := await self._answer(f"LIST {kind}")) != ["END", "LIST", *head]:
            if row[:2] != head or len(row) != 2 + width or len(rows) >= MAX_LINES:
                raise self._bad(row)
            rows.append(row[2:])
        return rows

    async def _ask(self, *said: str) -> None:
        if self._writer is None:
            await self._open()
        assert self._writer is not None
        self._writer.write(line(*said))

    async def _open(self) -> None:
        try:
            sock = await self._dialer.dial(timeout=self._timeout_s)
            self._reader, self._writer = await asyncio.open_connection(sock=sock, limit=MAX_LINE)
        except OSError as e:
            raise LinkLost(f"{self.name}: no connection to upsd ({e or type(e).__name__}). Does it run?") from e

    async def _answer(self, about: str) -> list[str]:
        """The words of the next line. Raises UpsdRefused for ERR, and closes the connection for all that is no line."""
        assert self._reader is not None
        try:
            async with asyncio.timeout(self._timeout_s):
                got = await self._reader.readuntil(b"\n")
            said = words(got)
        except TimeoutError as e:
            self.close()
            raise NoAnswer(f"{self.name}: upsd did not answer {about} within {self._timeout_s:g} s.") from e
        except (asyncio.IncompleteReadError, OSError) as e:
            self.close()
            raise LinkLost(f"{self.name}: upsd hung up at {about}.", sent=True) from e
        except (asyncio.LimitOverrunError, BadAnswer) as e:
            self.close()
            raise BadAnswer(f"{self.name}: {e}") from e
        if said[:1] == ["ERR"]:
            raise UpsdRefused(self.name, said[1] if len(said) > 1 else "ERR")
        return said

    def _expect_ok(self, about: str, said: list[str]) -> None:
        if said[:1] != ["OK"]:
            raise self._bad([about, *said])

    def _bad(self, said: list[str]) -> BadAnswer:
        self.close()
        return BadAnswer(f"{self.name}: upsd said something else than asked: {' '.join(said)[:80]!r}.")

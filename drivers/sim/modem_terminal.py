"""The AT port of a simulated modem: commands one after another, and nothing said that would split a line."""

import asyncio
import itertools
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path

from drivers.sim.modem_faults import ENDURING_S, MIDDLE, PROMPT, Faults
from drivers.sim.modem_line import (
    CME,
    LINE_MOST,
    PLAIN,
    UNSUPPORTED,
    Answer,
    Command,
    Failed,
    Prompt,
    commands_in,
    said,
)
from drivers.sim.modem_settings import Settings
from drivers.sim.modem_wire import Wire
from drivers.sim.pty_port import PtyPort

COMMAND_S = 0.01  # s that a simple command takes in a module
DEAF_S = 0.125  # s behind ATD in which no character breaks it off
INBOX = 4096  # octets typed ahead of a running command; more are lost, as in a UART
LOG = 200  # command lines remembered
HELD_BACK = 64  # unsolicited lines kept while a prompt waits for text
CTRL_Z, ESC, CR, LF, BACKSPACE = 0x1A, 0x1B, 0x0D, 0x0A, 0x08
TEXTS = {
    3: "operation not allowed",
    10: "SIM not inserted",
    11: "SIM PIN required",
    12: "SIM PUK required",
    13: "SIM failure",
    16: "incorrect password",
    24: "text string too long",
    30: "no network service",
}


class Terminal:
    """`execute` carries one command out and may raise Failed; `reset` takes the power; `chatter` is what may be said
    at any moment. Deaf and dumb until `start`.
    """

    def __init__(
        self,
        link: Path,
        settings: Settings,
        unsupported: str,
        execute: Callable[[Command], Awaitable[Answer | Prompt]],
        reset: Callable[[], None],
        chatter: Callable[[], list[str]],
    ) -> None:
        self._settings, self._unsupported = settings, unsupported
        self._execute, self._reset, self._chatter = execute, reset, chatter
        self._turns = itertools.count()
        self.port = PtyPort(link, self._typed)
        self.wire = Wire(self.port, link.name)
        self.faults = Faults()
        self.log: deque[str] = deque(maxlen=LOG)
        self.muted = False
        self._awake = False
        self._inbox, self._more = bytearray(), asyncio.Event()
        self._line = bytearray()
        self._prompt: Prompt | None = None
        self._prompted: list[str] = []  # names of the commands that ended in the prompt
        self._held_back: deque[str] = deque(maxlen=HELD_BACK)

    def start(self) -> None:
        """Power is there."""
        self._awake = True
        self.mute(False)

    def stop(self) -> None:
        """Power is gone: not a word more. The port is another's matter."""
        self._awake = False
        self.wire.clear()
        self._forget()

    def mute(self, on: bool) -> None:
        """Deaf and dumb; what is typed or would be said meanwhile is lost."""
        self.muted = on
        self._forget()

    def _forget(self) -> None:
        self._inbox.clear()
        self._line.clear()
        self._prompt = None
        self._held_back.clear()

    def say(self, line: str) -> None:
        """An unsolicited line; it waits while a prompt is open (27.005 clause 3.1)."""
        if self.muted or not self._awake:
            return
        if self._prompt:
            self._held_back.append(line)
        else:
            self._write(said(line))

    async def serve(self) -> None:
        """Carry out what is typed until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.wire.run())
            while True:
                await self._more.wait()
                self._more.clear()
                while self._inbox:
                    octet = self._inbox[0]
                    del self._inbox[0]
                    await self._take_octet(octet)

    def _write(self, text: str) -> None:
        if self._awake and not self.muted:
            self.wire.send(text.encode("latin-1", errors="replace"))

    def _typed(self, data: bytes) -> None:
        if self.muted or not self._awake:
            return
        self._inbox += data[: INBOX - len(self._inbox)]
        self._more.set()

    async def _take_octet(self, octet: int) -> None:
        if octet == LF:
            return
        if self._settings["echo"] and octet not in (CTRL_Z, ESC):
            self._write(chr(octet))
        if octet == ESC and self._prompt is None:
            self._line.clear()
        elif octet in (CTRL_Z, ESC) and self._prompt is not None:
            await self._take_text(self._prompt, aborted=octet == ESC)
        elif octet == CR and self._prompt is None:
            line, self._line = self._line.decode("latin-1").strip(), bytearray()
            await self._take_line(line)
        elif octet == BACKSPACE:
            del self._line[-1:]
        elif octet != CR and len(self._line) <= LINE_MOST:
            self._line.append(octet)

    async def _take_text(self, prompt: Prompt, *, aborted: bool) -> None:
        text, self._line = self._line.decode("latin-1").strip(), bytearray()
        self._prompt = None
        while self._held_back:
            self._write(said(self._held_back.popleft()))
        if aborted:
            await self._finish(Answer(), [])
            return
        self.log.append(text)
        try:
            answer = await prompt.then(text)
        except Failed as e:
            answer = Answer(final=self._error(e))
        await self.faults.wait_late(self._prompted)  # a network that is slow with a message says nothing before
        await self._finish(answer, self._prompted)

    async def _take_line(self, line: str) -> None:
        if not line:
            return
        self.log.append(line)
        if line[:2].upper() != "AT":
            return
        await asyncio.sleep(COMMAND_S)
        lines: list[str] = []
        behind: list[str] = []
        names: list[str] = []
        final = "OK"
        try:
            if len(line) > LINE_MOST:
                raise Failed
            commands = commands_in(line[2:])
            names = [command.name for command in commands] or [""]
            for command in commands:
                answer = await self._execute(command)
                if isinstance(answer, Prompt):
                    await self._open(answer, names)
                    return
                lines += answer.lines
                behind += answer.behind
                final = answer.final
        except Failed as e:
            final = self._error(e)
        await self._finish(Answer(tuple(lines), final, tuple(behind)), names)

    async def _open(self, prompt: Prompt, names: list[str]) -> None:
        if not self.muted:
            self._prompt, self._prompted = prompt, names
            self._write("\r\n> ")
            if self.faults.takes_reset(names, PROMPT):
                await self._die()

    async def _finish(self, answer: Answer, names: list[str]) -> None:
        lines = "".join(self._among(line) for line in answer.lines)
        rest = [answer.final] if answer.final else []  # one that switches itself off has none
        ending = "".join(self._among(line) for line in (*rest, *answer.behind)) + self._aside()
        if self.faults.takes_reset(names, MIDDLE):
            whole = lines + ending
            self._write(whole[: len(whole) // 2])
            await self._die()
        if lines:
            self._write(lines)
        if "D" in names:
            if await self._cut_short(names):
                await self._execute(Command("H"))
                ending = said("NO CARRIER")
        else:
            await self.faults.wait_late(names)
        self._write(ending)

    async def _cut_short(self, names: list[str]) -> bool:
        """Whether a character came while it dialled: it gives up then. In the first 125 ms it hears none (V.250)."""
        loop = asyncio.get_running_loop()
        began, late = loop.time(), asyncio.ensure_future(self.faults.wait_late(names))
        try:
            while not late.done():
                typed = asyncio.ensure_future(self._more.wait())
                await asyncio.wait({late, typed}, return_when=asyncio.FIRST_COMPLETED)
                typed.cancel()
                if self._more.is_set() and not late.done():
                    self._more.clear()
                    if loop.time() - began >= DEAF_S:
                        del self._inbox[:1]
                        return True
                    self._inbox.clear()
        finally:
            late.cancel()
        return False

    def _among(self, line: str) -> str:
        return self._aside() + said(line)

    def _aside(self) -> str:
        """One unasked line, where the modem is told to chatter."""
        known = self._chatter() if self.faults.chatter else []
        return said(known[next(self._turns) % len(known)]) if known else ""

    async def _die(self) -> None:
        """The reset takes this task with it."""
        asyncio.get_running_loop().call_later(ENDURING_S, self._reset)
        await asyncio.get_running_loop().create_future()

    def _error(self, failure: Failed) -> str:
        detail = self._settings["cmee"]
        if failure.kind == UNSUPPORTED:
            return self._unsupported
        if failure.kind == PLAIN or (failure.kind == CME and not detail):
            return "ERROR"
        text = TEXTS.get(failure.code) if detail == 2 and failure.kind == CME else None
        return f"{failure.kind} ERROR: {text or failure.code}"

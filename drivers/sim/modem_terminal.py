"""The AT port of a simulated modem: commands one after another, and nothing said that would split a line."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path

from drivers.sim.modem_line import CME, LINE_MOST, PLAIN, Answer, Command, Failed, Prompt, commands_in, said
from drivers.sim.modem_settings import Settings
from drivers.sim.pty_port import PtyPort

COMMAND_S = 0.01  # s that a simple command takes in a module
INBOX = 4096  # octets typed ahead of a running command; more are lost, as in a UART
LOG = 200  # command lines remembered
HELD_BACK = 64  # unsolicited lines kept while a prompt waits for text
CTRL_Z, ESC, CR, LF, BACKSPACE = 0x1A, 0x1B, 0x0D, 0x0A, 0x08
TEXTS = {3: "operation not allowed", 10: "SIM not inserted", 24: "text string too long", 30: "no network service"}


class Terminal:
    """`execute` carries one command out and may raise Failed."""

    def __init__(
        self, link: Path, settings: Settings, execute: Callable[[Command], Awaitable[Answer | Prompt]]
    ) -> None:
        self._settings, self._execute = settings, execute
        self.port = PtyPort(link, self._typed)
        self.log: deque[str] = deque(maxlen=LOG)
        self.muted = False
        self._inbox, self._more = bytearray(), asyncio.Event()
        self._line = bytearray()
        self._prompt: Prompt | None = None
        self._held_back: deque[str] = deque(maxlen=HELD_BACK)

    def mute(self, on: bool) -> None:
        """Deaf and dumb; what is typed or would be said meanwhile is lost."""
        self.muted = on
        self._inbox.clear()
        self._line.clear()
        self._prompt = None
        self._held_back.clear()

    def say(self, line: str) -> None:
        """An unsolicited line; it waits while a prompt is open (27.005 clause 3.1)."""
        if self.muted:
            return
        if self._prompt:
            self._held_back.append(line)
        else:
            self._write(said(line))

    async def serve(self) -> None:
        """Carry out what is typed until cancelled."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._inbox:
                octet = self._inbox[0]
                del self._inbox[0]
                await self._take_octet(octet)

    def _write(self, text: str) -> None:
        if not self.muted:
            self.port.write(text.encode("latin-1", errors="replace"))

    def _typed(self, data: bytes) -> None:
        if self.muted:
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
            self._finish(Answer())
            return
        self.log.append(text)
        try:
            self._finish(await prompt.then(text))
        except Failed as e:
            self._finish(Answer(final=self._error(e)))

    async def _take_line(self, line: str) -> None:
        if not line:
            return
        self.log.append(line)
        if line[:2].upper() != "AT":
            return
        await asyncio.sleep(COMMAND_S)
        lines: list[str] = []
        behind: list[str] = []
        final = "OK"
        try:
            if len(line) > LINE_MOST:
                raise Failed
            for command in commands_in(line[2:]):
                answer = await self._execute(command)
                if isinstance(answer, Prompt):
                    self._open(answer)
                    return
                lines += answer.lines
                behind += answer.behind
                final = answer.final
        except Failed as e:
            final = self._error(e)
        self._finish(Answer(tuple(lines), final, tuple(behind)))

    def _open(self, prompt: Prompt) -> None:
        if not self.muted:
            self._prompt = prompt
            self._write("\r\n> ")

    def _finish(self, answer: Answer) -> None:
        self._write("".join(said(line) for line in (*answer.lines, answer.final, *answer.behind)))

    def _error(self, failure: Failed) -> str:
        detail = self._settings["cmee"]
        if failure.kind == PLAIN or (failure.kind == CME and not detail):
            return "ERROR"
        text = TEXTS.get(failure.code) if detail == 2 and failure.kind == CME else None
        return f"{failure.kind} ERROR: {text or failure.code}"

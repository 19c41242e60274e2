"""The AT engine: bytes in, events out. It owns no port, clock or thread.

One command is open at a time and claims only lines that its name allows; every other line is news (`Urc`).
After a time-out `expire()` asks a question whose answer cannot be mistaken: until that is answered, whatever
comes late belongs to the command that timed out, never to the next.
"""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from drivers.modem.command import (
    CALL_ENDINGS,
    CODED_REFUSALS,
    FINALS,
    HEX_LINE,
    MAY_SPAN_LINES,
    OK,
    TEXT_MODE,
    UNASKED,
    WITH_A_SECOND_LINE,
    Command,
    answers_query,
    name_of,
)

__all__ = ["Command", "Engine", "Event", "NotReady", "Prompt", "Response", "Resynced", "Urc"]

MAX_LINE = 2048  # bytes; the longest real ones, AT+COPS=? and AT+CLAC, stay below
MAX_ANSWER_LINES = 520  # AT+CMGL of a full store: 255 messages of two lines
MAX_TEXT_LINES = 32  # of one USSD menu; a network's text has at most 182 characters
REMEMBERED_COMMANDS = 6  # whose echo is still dropped when it comes late

# Never asked by the driver otherwise, one after the other, so that a late answer to the last is told from this one's.
RESYNC_QUERIES = ("+CMEE", "+CMGF", "+CSCS", "+CNMI")

ESC, CTRL_Z = b"\x1b", b"\x1a"

_LINE_END = re.compile(rb"[\r\n]")
_CLOSED_TEXT = re.compile(r'"\s*(?:,\s*\d+\s*)?\Z')


class NotReady(RuntimeError):
    """A command is still open, or the engine is not in step with the modem."""


@dataclass(frozen=True, slots=True)
class Response:
    """A command's end. `final` is OK, ERROR, +CME ERROR, +CMS ERROR, NO CARRIER...; `code` and `detail` its reason."""

    command: str
    lines: tuple[str, ...]
    final: str
    code: int | None = None
    detail: str = ""

    @property
    def ok(self) -> bool:
        return self.final == OK


@dataclass(frozen=True, slots=True)
class Urc:
    """A line that no command asked for; `data` is the PDU of a two-line one (None when it never came)."""

    name: str
    line: str
    data: str | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """The modem waits for the payload of the open command: `payload()` or `abort()`."""


@dataclass(frozen=True, slots=True)
class Resynced:
    """The engine is in step again. `late` is what the timed-out command answered after all.

    `certain` is False when more questions were asked than there are different ones: wait for quiet before going on.
    """

    late: tuple[str, ...] = ()
    certain: bool = True


Event = Response | Urc | Prompt | Resynced


class _State(Enum):
    IDLE = auto()
    OPEN = auto()  # a command waits for its final result
    PROMPTING = auto()  # it waits for "> " first
    RESYNC = auto()


class Engine:
    """`urcs` and `two_line` are the names of a vendor's own unasked lines, beside the standard's.

    `asked` counts the questions that may still be answered, also of the engine before this one on the same port: a late
    answer to that one's last question is none to this one's first.
    """

    def __init__(self, urcs: Iterable[str] = (), two_line: Iterable[str] = (), asked: int = 0) -> None:
        self.asked = asked
        self._two_line = WITH_A_SECOND_LINE | {name.upper() for name in two_line}
        self._unasked = UNASKED | self._two_line | {name.upper() for name in urcs}
        self._state = _State.IDLE
        self._buffer = bytearray()
        self._overlong = False
        self._command = Command("")
        self._lines: list[str] = []
        self._header: str | None = None  # a two-line URC whose PDU is still to come
        self._text: list[str] = []  # a URC whose quoted text is still open
        self._sent: deque[str] = deque(maxlen=REMEMBERED_COMMANDS)
        self._attempts = 0
        self._query = ""
        self._query_answered = False
        self._payload_owed = False
        self.echoed = False  # an echo was seen: set back by whoever turned echo off

    @property
    def busy(self) -> bool:
        return self._state is not _State.IDLE

    @property
    def resyncing(self) -> bool:
        return self._state is _State.RESYNC

    def send(self, command: Command | str) -> bytes:
        """Open a command; the bytes to write. Raises NotReady while another is open, ValueError on no command."""
        if self._state is not _State.IDLE:
            raise NotReady(f"{self._command.line or self._query} is still open")
        self._command = Command.of(command) if isinstance(command, str) else command
        self._lines = []
        self._payload_owed = False
        self._state = _State.PROMPTING if self._command.prompts else _State.OPEN
        return self._line(self._command.line)

    def payload(self, data: bytes) -> bytes:
        """What follows a Prompt: hex digits, closed by Ctrl-Z. Raises NotReady when the modem did not ask."""
        if not self._payload_owed or self._state is not _State.OPEN:
            raise NotReady("the modem has not asked for a payload")
        if CTRL_Z in data or ESC in data:
            raise ValueError("a payload cannot hold Ctrl-Z or ESC")
        self._payload_owed = False
        self._sent.append(data.decode("latin-1"))
        return data + CTRL_Z

    def abort(self) -> bytes:
        """Take back a command that waits for its payload."""
        self._payload_owed = False
        return ESC

    def expire(self) -> bytes:
        """Give up on what is open and get in step: the bytes of the question. Call again when that expires too."""
        first = self._state is not _State.RESYNC
        if first:
            if self._state is _State.IDLE:
                self._command, self._lines = Command(""), []
            self._attempts = 0
        # Before the second attempt on, or where a prompt may swallow the question as text, leave the prompt first.
        escape = ESC if not first or self._state is _State.PROMPTING or self._payload_owed else b""
        self._state, self._payload_owed = _State.RESYNC, False
        queries = [q for q in RESYNC_QUERIES if q != self._command.expects]
        self._query = queries[self.asked % len(queries)]
        self.asked += 1
        self._query_answered = False
        self._attempts += 1
        return escape + self._line(f"AT{self._query}?")

    def _line(self, line: str) -> bytes:
        self._sent.append(line)
        return line.encode("ascii") + b"\r"

    def receive(self, data: bytes) -> list[Event]:
        """What these bytes complete, in order. Never raises; keeps at most MAX_LINE bytes of an unfinished line."""
        self._buffer += data.translate(None, b"\0")  # a port that powers up sends NULs
        events: list[Event] = []
        while self._buffer:
            if self._buffer[0] == 0x3E and self._state is _State.PROMPTING and not self._overlong:
                del self._buffer[0]
                self._state, self._payload_owed = _State.OPEN, True
                events.append(Prompt())
                continue
            end = _LINE_END.search(self._buffer)
            if end is None:
                break
            line = bytes(self._buffer[: end.start()])
            del self._buffer[: end.end()]
            overlong, self._overlong = self._overlong or len(line) > MAX_LINE, False
            if not overlong and (text := line.decode("latin-1").strip()):
                self._take(text, events)
        if len(self._buffer) > MAX_LINE:
            self._buffer.clear()
            self._overlong = True
        return events

    def _take(self, line: str, events: list[Event]) -> None:
        if self._is_echo(line):
            return
        if line.startswith(">"):  # a prompt that came too late stands before the next line
            line = line.lstrip("> ")
        if not line or (self._text and self._continues_text(line, events)):
            return
        if self._header is not None:
            header, self._header = self._header, None
            follows = HEX_LINE.match(line) is not None or self._is_text_of(header, line)
            events.append(Urc(name_of(header), header, line if follows else None))
            if follows:
                return
        name = name_of(line)
        if self._state is not _State.IDLE and self._claims(name, line):
            if len(self._lines) < MAX_ANSWER_LINES:
                self._lines.append(line)
        elif self._state is _State.RESYNC and name == self._query:
            self._query_answered = True
        elif not self._ends(name, line, events):
            self._unasked_line(name, line, events)

    def _is_text_of(self, header: str, line: str) -> bool:
        """In text mode the second line is the text itself, whatever it says; but what a command waits for is not."""
        waited_for = self._state is not _State.IDLE and (line.upper() in FINALS or line.startswith(CODED_REFUSALS))
        return TEXT_MODE.search(header) is not None and not waited_for

    def _is_echo(self, line: str) -> bool:
        if line.rstrip("\x1a").lstrip("\x1b> ") not in self._sent:
            return False
        self.echoed = True
        return True

    def _claims(self, name: str, line: str) -> bool:
        command = self._command
        if command.expects and name == command.expects:
            return answers_query(name, line)
        if command.pdus and HEX_LINE.match(line):
            return True
        # A bare answer is any text that is neither news nor a final result.
        return (
            command.bare
            and name not in self._unasked
            and line.upper() not in FINALS
            and name not in CODED_REFUSALS
            and not (self._state is _State.RESYNC and name == self._query)
        )

    def _ends(self, name: str, line: str, events: list[Event]) -> bool:
        """Whether the line is a final result: the open command's end, a step of the resync, or nobody's."""
        final, code, detail = line.upper(), None, ""
        if final.startswith(CODED_REFUSALS):
            detail = line[len(CODED_REFUSALS[0]) :].strip(" :")
            final, code = final[: len(CODED_REFUSALS[0])], int(detail) if re.fullmatch(r"[0-9]{1,5}", detail) else None
        elif final in CALL_ENDINGS:
            # Late, it is still news of a call, whoever asked.
            if self._state is not _State.OPEN or not self._command.calls:
                return False
        elif final not in FINALS:
            return False
        if self._state is _State.RESYNC:
            if final == OK and self._query_answered:
                certain = self._attempts < len(RESYNC_QUERIES)
                events.append(Resynced(tuple(self._lines), certain))
                self.asked = 0 if certain else self.asked
                self._close()
        elif self._state is not _State.IDLE:
            events.append(Response(self._command.line, tuple(self._lines), final, code, detail))
            self._close()
        return True

    def _close(self) -> None:
        self._state, self._payload_owed = _State.IDLE, False
        self._command, self._lines = Command(""), []

    def _unasked_line(self, name: str, line: str, events: list[Event]) -> None:
        if name in self._two_line:
            self._header = line
        elif name in MAY_SPAN_LINES and '"' in line and not _CLOSED_TEXT.search(line):
            self._text = [line]
        else:
            events.append(Urc(name, line))

    def _continues_text(self, line: str, events: list[Event]) -> bool:
        """Whether the line belongs to the open text. News or a final result shows that its end was lost."""
        name = name_of(line)
        belongs = not (
            line.upper() in FINALS
            or name.startswith(CODED_REFUSALS)
            or name in self._unasked
            or (self._command.expects and name == self._command.expects)
            or (self._state is _State.RESYNC and name == self._query)
        )
        if belongs:
            self._text.append(line)
        if not belongs or _CLOSED_TEXT.search(line) or len(self._text) >= MAX_TEXT_LINES:
            text, self._text = "\n".join(self._text), []
            events.append(Urc(name_of(text), text))
        return belongs

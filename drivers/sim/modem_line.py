"""What a host types at a modem, cut into commands (ITU-T V.250), and the shape of an answer."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

LINE_MOST = 512  # characters; a longer command line answers ERROR, a longer message is refused
BASIC = re.compile(r"(&[A-Z]|[A-Z])(\d*)")
REGISTER = re.compile(r"S(\d+)(\?|=\d*)")
EXTENDED = re.compile(r"([+^*$#][A-Z][A-Z0-9]*)(=\?|\?|=)?")

INVALID_TEXT, OPERATION_NOT_ALLOWED, INVALID_PDU, INVALID_INDEX = 24, 3, 304, 321
CME, CMS, PLAIN, UNSUPPORTED = "+CME", "+CMS", "", "unsupported"


@dataclass(frozen=True)
class Command:
    """`AT+CREG=2` is name +CREG, op =, args 2; `ATE0` is name E, args 0; `ATD0811;` is name D, args 0811;"""

    name: str
    op: str = ""
    args: str = ""

    @property
    def listed(self) -> list[str]:
        """The arguments, split at commas outside quotes, without spaces and quotes."""
        return [arg.strip().strip('"') for arg in re.findall(r'(?:^|,)((?:"[^"]*"|[^,"])*)', self.args)]

    def number(self, position: int, default: int | None = None) -> int:
        """An argument as a number. Raises Failed when it is none, or is missing without a default."""
        listed = self.listed
        text = listed[position] if position < len(listed) else ""
        if not text and default is not None:
            return default
        if not text.isdecimal() or len(text) > 9:
            raise Failed(CME, INVALID_TEXT)
        return int(text)


@dataclass(frozen=True)
class Answer:
    """Information lines, the final result, and what the modem says right behind it."""

    lines: tuple[str, ...] = ()
    final: str = "OK"
    behind: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prompt:
    """`> ` now; `then` gets what was typed up to Ctrl-Z."""

    then: Callable[[str], Awaitable[Answer]]


Handler = Callable[[Command], Answer | Prompt | Awaitable[Answer | Prompt]]


class Failed(Exception):
    """A command that ends in +CME ERROR, +CMS ERROR, a plain ERROR, or the word for commands that are not known."""

    def __init__(self, kind: str = PLAIN, code: int = 0) -> None:
        super().__init__(kind, code)
        self.kind, self.code = kind, code


def said(line: str) -> str:
    """A line as a modem with ATV1 sends it."""
    return f"\r\n{line}\r\n"


def commands_in(line: str) -> list[Command]:
    """The commands behind `AT`. Raises Failed when the line makes no sense from some point on."""
    found: list[Command] = []
    at = 0
    while at < len(line):
        rest = line[at:]
        upper = rest.upper()
        if rest[0] in "; ":
            at += 1
        elif upper[0] == "D":
            end = rest.find(";") + 1 or len(rest)
            found.append(Command("D", "", rest[1:end]))
            at += end
        elif match := EXTENDED.match(upper):
            end = match.end() + _until_semicolon(rest[match.end() :])
            found.append(Command(match[1], match[2] or "", rest[match.end() : end].strip()))
            at += end
        elif match := REGISTER.match(upper):
            found.append(Command("S" + match[1], match[2][0], match[2][1:]))
            at += match.end()
        elif match := BASIC.match(upper):
            found.append(Command(match[1], "", match[2]))
            at += match.end()
        else:
            raise Failed
    return found


def _until_semicolon(text: str) -> int:
    quoted = False
    for position, c in enumerate(text):
        if c == '"':
            quoted = not quoted
        elif c == ";" and not quoted:
            return position
    return len(text)

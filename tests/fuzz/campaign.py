"""`make fuzz`: octets by the million into the AT engine and the SMS codec, the same ones for the same seed.

Whatever comes in, a codec answers with a value or with its one typed error, and memory stays what it was. One engine
and one assembler live as long as the campaign does.
"""

import argparse
import gc
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from types import TracebackType

from drivers.modem import answers, gsm7
from drivers.modem.answers import AnswerError
from drivers.modem.at import Engine, Event, Prompt, Response, Urc
from drivers.modem.news import events_of
from drivers.modem.pdu import Assembler, Deliver, Direction, PduError, decode, direction_of, encode_submit
from tests.fuzz.octets import COMMANDS, bent, languages, pdu, talk, text

DIRECTIONS: tuple[Direction, ...] = ("deliver", "submit", "status-report", "command")
READERS: tuple[Callable[[str], object], ...] = (
    answers.registration, answers.cops, answers.csq, answers.cesq, answers.cpin, answers.cpms, answers.clcc,
    answers.clip, answers.ccwa, answers.cmti, answers.cdsi, answers.cmgs, answers.ccinfo, answers.dsci, answers.cusd,
)  # fmt: skip

WARM = 0.25  # of all octets: by then every bounded store is full, and what grows after it grows for ever
MOST_KEPT = 20  # foreign exceptions that are described; the others are counted
RESTART_EVERY = 500  # messages between two restarts of the assembler from its own state
MOST_GROWTH_MB = 8.0  # of the peak, behind the warm part: the allocator's own leftovers, measured below 2
MOST_GROWTH_BLOCKS = 50_000  # of Python's objects; one lost for each message of a whole campaign were more


@dataclass
class Report:
    """What a campaign saw. Growth is from the end of its warm part to its end."""

    octets: int = 0
    values: int = 0
    refused: int = 0
    foreign: int = 0
    described: list[str] = field(default_factory=list)
    growth_mb: float = 0.0
    growth_blocks: int = 0

    @property
    def clean(self) -> bool:
        return not self.foreign and self.growth_mb <= MOST_GROWTH_MB and self.growth_blocks <= MOST_GROWTH_BLOCKS


class _Try:
    """A block that may end in a value or in a typed error; any other exception is written down with its input."""

    def __init__(self, report: Report, typed: type[Exception] | tuple[()], fed: object) -> None:
        self._report, self._typed, self._fed = report, typed, fed

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None) -> bool:
        report = self._report
        if e is None:
            report.values += 1
        elif isinstance(e, self._typed):
            report.refused += 1
        elif isinstance(e, Exception):
            report.foreign += 1
            if len(report.described) < MOST_KEPT:
                while trace is not None and trace.tb_next is not None:
                    trace = trace.tb_next
                where = "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
                report.described.append(f"{type(e).__name__}: {e} at {where}, fed {self._fed!r}")
        else:
            return False
        return e is not None


class Campaign:
    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._engine = Engine(["VOICE CALL", "MISSED_CALL", "^ORIG", "^CONF", "^CONN", "^CEND", "+QIND"])
        self._assembler = Assembler()
        self._added = 0
        self.report = Report()

    def run(self, octets: int) -> Report:
        """At least so many octets: a third of them modem talk, the others messages."""
        report = self.report
        warm = self._size_at(int(octets * WARM))
        now = self._size_at(octets)
        report.growth_mb, report.growth_blocks = now[0] - warm[0], now[1] - warm[1]
        return report

    def _size_at(self, octets: int) -> tuple[float, int]:
        """The process's peak in MB and Python's blocks, once so many octets went in."""
        while self.report.octets < octets:
            self._talk()
            for _ in range(3):
                self._message()
            self._text()
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, sys.getallocatedblocks()

    def _talk(self) -> None:
        """Some bytes from a modem in pieces, while commands are sent, answered, timed out and taken back."""
        random, engine = self._random, self._engine
        stream = talk(random)
        with _Try(self.report, ValueError, stream):  # what send() refuses
            if not engine.busy:
                command = random.choice(COMMANDS)
                engine.send(bent(random, command.encode()).decode("latin-1") if random.random() < 0.2 else command)
                stream = random.choice((b"", b"\r\n> ", b"\r\n> ", command.encode() + b"\r\r\nOK\r\n")) + stream
            elif random.random() < 0.2:
                question = engine.expire().decode("latin-1").lstrip("\x1b").strip("\r")
                if random.random() < 0.7:  # a modem that comes to itself
                    stream += f"\r\n{question[2:-1]}: 1\r\nOK\r\n".encode("latin-1")
        with _Try(self.report, (), stream):
            at = 0
            while at < len(stream):
                size = random.choice((1, 7, 64, 4096))
                for event in engine.receive(stream[at : at + size]):
                    self._event(event)
                at += size
        self.report.octets += len(stream)

    def _event(self, event: Event) -> None:
        match event:
            case Prompt() if self._engine.busy and not self._engine.resyncing:
                # What the prompt asked for may be over already, when more came in the same piece.
                with _Try(self.report, RuntimeError, event):
                    _ = self._engine.payload(b"00AA") if self._random.random() < 0.8 else self._engine.abort()
            case Urc():
                events_of(event)
                self._lines((event.line,))
            case Response():
                self._lines(event.lines)
            case _:
                pass

    def _lines(self, lines: tuple[str, ...]) -> None:
        for line in lines[:8]:
            for read in READERS:
                with _Try(self.report, AnswerError, (read.__name__, line)):
                    read(line)
        with _Try(self.report, AnswerError, lines):
            answers.cmgl(lines)
        with _Try(self.report, AnswerError, lines):
            answers.cmgr(lines)

    def _message(self) -> None:
        report = self.report
        octets, has_smsc = pdu(self._random)
        report.octets += len(octets)
        with _Try(report, PduError, octets):
            direction_of(octets, has_smsc=has_smsc)
        with _Try(report, PduError, octets):
            gsm7.text_of_packed(octets)
        for direction in DIRECTIONS:
            with _Try(report, PduError, (direction, has_smsc, octets)):
                message = decode(octets, has_smsc=has_smsc, direction=direction)
                if isinstance(message, Deliver):
                    self._assemble(message)

    def _assemble(self, part: Deliver) -> None:
        self._assembler.add(part)
        self._added += 1
        if self._added % RESTART_EVERY == 0:
            state = self._assembler.state()
            self._assembler = Assembler(state)
            if self._assembler.state() != state:
                raise AssertionError("the assembler's state did not survive a restart")
            with _Try(self.report, PduError, "a bent state"):
                Assembler(bent(self._random, state))

    def _text(self) -> None:
        """A text out and in again: what the encoder takes, the decoder gives back."""
        random, sent = self._random, text(self._random)
        locking, shift = languages(random)
        with _Try(self.report, PduError, (locking, shift, sent)):
            parts = encode_submit(
                random.choice(("+62811223344", "112", "0811-22 33", "x", "")),
                sent,
                locking=locking,
                shift=shift,
                alphabet=random.choice((None, None, "gsm7", "ucs2")),
                reference=random.choice((0, 255, 256, 65535)),
                reference_bits=random.choice((8, 16)),
                ports=random.choice((None, (16001, 0), (1, 65536))),
                flash=random.random() < 0.2,
            )
            back = [decode(bytes.fromhex(part.hex), has_smsc=True, direction="submit") for part in parts]
            if "".join(part.text or "" for part in back) != sent:
                raise AssertionError("the text did not come back")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--bytes", type=int, default=20_000_000, help="octets to feed (default 20 million)")
    parser.add_argument("--seed", type=int, default=112, help="the same seed, the same octets (default 112)")
    options = parser.parse_args()
    began = time.monotonic()
    report = Campaign(options.seed).run(options.bytes)
    lines = [
        f"{report.octets} octets in {time.monotonic() - began:.0f} s, seed {options.seed}",
        f"{report.values} values, {report.refused} typed errors, {report.foreign} other exceptions",
        f"growth behind the first quarter: {report.growth_mb:.1f} MB of the peak, {report.growth_blocks} objects",
        *report.described,
        "clean" if report.clean else "NOT CLEAN",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if report.clean else 1


if __name__ == "__main__":
    sys.exit(main())

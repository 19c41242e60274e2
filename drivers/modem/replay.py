"""A recording once more: what the modem said goes through a new engine, and out come the events of that day.

What we wrote is not believed but done again: a command opens a command, and a question that gets in step must be the
one that the engine asks now. Where they differ, or an exception comes, is a flaw.
"""

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from drivers.modem.at import CTRL_Z, ESC, RESYNC_QUERIES, Engine, NotReady, Prompt, Response, Resynced, Urc
from drivers.modem.events import ModemEvent
from drivers.modem.news import events_of
from drivers.modem.recorder import FROM, NOTE, TO, Record

_QUESTION = re.compile(rb"\x1b?AT(%s)\?\r" % b"|".join(re.escape(q.encode()) for q in RESYNC_QUERIES))

Told = Response | Urc | Prompt | Resynced | ModemEvent


class Step(Struct, frozen=True):
    """At `at` the engine or `events_of` told something; a note of the port; or a flaw, in words."""

    at: float
    told: Told | None = None
    note: str = ""
    flaw: str = ""


def replay(records: Iterable[Record], urcs: Iterable[str] = (), two_line: Iterable[str] = ()) -> Iterator[Step]:
    """`urcs`, `two_line`: of all profiles, as the line had them. Starts where the line first got in step."""
    urcs, two_line = tuple(urcs), tuple(two_line)
    engine: Engine | None = None
    for record in records:
        at = record.at
        if record.direction == NOTE:
            engine = None  # another opening of the port
            yield Step(at, note=record.data.decode("latin-1"))
        elif record.direction == FROM and engine is not None:
            yield from _heard(engine, record)
        elif record.direction == TO:
            question = _QUESTION.fullmatch(record.data) is not None
            if engine is None:
                if not question:
                    continue  # the recording begins in the middle
                engine = Engine(urcs, two_line)
            try:
                made = _written(engine, record.data, question)
            except (NotReady, ValueError) as e:
                yield Step(at, flaw=f"{record.data[:60]!r} was written, now the engine says: {e}.")
                continue
            if made != record.data and question:  # the driver begins anew with a modem that is mute
                engine = Engine(urcs, two_line)
                made = engine.expire()
            if made != record.data:
                yield Step(at, flaw=f"{record.data[:60]!r} was written, now the engine writes {made[:60]!r}.")


def _written(engine: Engine, data: bytes, question: bool) -> bytes:
    if question:
        return engine.expire()
    if data == ESC:
        return engine.abort()
    if data.endswith(CTRL_Z):
        return engine.payload(data[:-1])
    return engine.send(data.removesuffix(b"\r").decode("ascii"))


def _heard(engine: Engine, record: Record) -> Iterator[Step]:
    try:
        told = engine.receive(record.data)
        for event in told:
            yield Step(record.at, event)
            if isinstance(event, Urc):
                for news in events_of(event):
                    yield Step(record.at, news)
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as e:
        yield Step(record.at, flaw=f"{record.data[:60]!r} broke the reading of it: {type(e).__name__}: {e}.")

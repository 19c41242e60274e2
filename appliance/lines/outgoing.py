"""Messages that go out, over all lines: what `outgoing_machine` says is carried out, each step a journal row.

Texts wait for the disk before a modem gets them, so that none goes out twice unmarked; orders and answers never do.
"""

import asyncio
import hashlib
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from appliance.clock import boot_id
from appliance.commands import MOST_PARTS
from appliance.event import Event
from appliance.journal import Appended
from appliance.lines.blame import blame_of, is_certain
from appliance.lines.operator_plan import OperatorPlan, operator_of_number, plan_of
from appliance.lines.outgoing_machine import (
    URGENT,
    Cap,
    Dispatcher,
    LineNow,
    Send,
    late,
    lost,
    matched_late,
    reported_on,
    restarted,
    undelivered,
)
from appliance.model import OutgoingState, Purpose
from appliance.sms_events import SmsFailed, SmsQueued, SmsReported, SmsSending, SmsSent
from appliance.stamp import Stamp
from appliance.state import Outgoing as Row
from appliance.state import State
from drivers.clock import Clock
from drivers.jsonsocket import Refusal
from drivers.modem.errors import ModemError
from drivers.modem.errors import SmsFailed as ModemFailed
from drivers.modem.numbers import diallable, same_number
from drivers.modem.pdu import PduError, StatusReport, encode_submit

TICK = 0.5  # s between looks while something waits; the shortest back-off is 5 s
DISK_WITHIN = 30.0  # s that a text waits for the disk with a line; then others may have the line
ANSWER_WITHIN = 0.5  # s that a person waits to hear whether their text is on disk
VALIDITY = 300  # s; the shortest relative validity there is (TS 23.040 clause 9.2.3.12.1), and an order's life
MOST_LIFETIME = 7 * 24 * 3600  # s; a text that a person gives longer than a week is a mistake
MOST_TRIAL = 300  # characters
MOST_QUEUED = 200  # texts; what two lines can send within an hour or so
MOST_URGENT = 2000  # orders, answers and hellos; one for each station of a large city and its answers
MOST_PASSES = 20  # of a look: each step changes a row, and a row has few; more is a flaw of ours
MOST_SEEN = 500  # reports known again when a modem tells them again; texts known to wait for the disk

log = logging.getLogger("siaga.lines")


class Carrier(Protocol):
    """A line as this needs it."""

    @property
    def up(self) -> bool: ...
    @property
    def registered(self) -> bool: ...
    @property
    def call(self) -> str: ...
    @property
    def operator(self) -> str | None: ...
    async def send(
        self, number: str, *, text: str | None, data: bytes | None, validity: timedelta, urgent: bool
    ) -> tuple[int, ...]:
        """Raises ModemError, PduError."""
        ...


class Outgoing:
    """`lines` by their id. `fault` is why there are none, where that is known."""

    def __init__(
        self, *, lines: Mapping[str, Carrier], state: State, clock: Clock, append: Callable[..., Appended],
        cap: Cap, operators: Sequence[OperatorPlan] = (), fault: str = "",
    ) -> None:  # fmt: skip
        self._lines, self._state, self._clock, self._append = lines, state, clock, append
        self._cap, self._operators, self._fault = cap, operators, fault
        self._boot = boot_id()
        self._data: dict[str, bytes] = {}
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._seen: OrderedDict[tuple[object, ...], Appended] = OrderedDict()
        self._taken: OrderedDict[str, Appended] = OrderedDict()  # texts of this life
        self._woken = asyncio.Event()
        self._resting = False

    async def run(self) -> None:
        """Send what waits, for as long as the process lives."""
        own = set(self._waiting)  # given in this life, before this ran
        for event in restarted(m for m in self._state.outgoing.values() if m.id not in own):
            self._append(event)
        for event in matched_late(self._state.outgoing.values(), self._state.sms_reports, same_number):
            self._append(event)
        try:
            while True:
                self.look()
                busy = any(not m.over for m in self._state.outgoing.values())
                try:
                    async with asyncio.timeout(TICK if busy else None):
                        await self._woken.wait()
                except TimeoutError:
                    pass
                self._woken.clear()
        finally:
            for task in self._tasks.values():
                task.cancel()
            if self._tasks:
                await asyncio.wait(set(self._tasks.values()))

    def wake(self) -> None:
        """A line changed: something may go out now."""
        self._woken.set()

    async def rest(self, within: float) -> None:
        """Begin no text any more, and return when none is with a modem, or after `within` s. Orders go on."""
        self._resting = True
        if self._tasks:
            await asyncio.wait(set(self._tasks.values()), timeout=within)

    # What comes in

    async def send_data(self, number: str, payload: bytes, purpose: str) -> None:
        """One binary message to ORDER_PORT, before all else, on the best line, and on the next when that fails.

        A message that may or may not have gone out is sent again: its receiver knows it by its own number.
        Raises OSError with all reasons when no line took it.
        """
        if len(self._data) >= MOST_URGENT:
            raise OSError(f"{MOST_URGENT} orders and answers wait already")
        name = self._queue(number, Purpose(purpose), data=payload)
        try:
            row = await self._outcome(name)
        finally:
            self._data.pop(name, None)
        if row.state is not OutgoingState.SENT:
            failures = [f"{attempt.line}: {attempt.reason}" for attempt in row.attempts]
            nothing = self._fault or ("no modem answers" if row.reason == "no_modem" else "no modem had time for it")
            raise OSError("; ".join(failures) or nothing)

    async def text(
        self, number: str, text: str, actor: str, line: str = "", lifetime_s: int = VALIDITY, key: str = "",
        purpose: Purpose = Purpose.TEXT,
    ) -> Any:  # fmt: skip
        """Take a person's text on; what becomes of it is in the state. Raises Refusal.

        The same `key` of the same person again makes no second text, also after a restart: the key makes its id.
        """
        name = _id_of(actor, key) if key else secrets.token_hex(4)
        if key and (known := self._state.outgoing.get(name)):
            return await self._told(known.id, known.number, known.parts, repeated=True)
        if line:
            self._check_line(line)
        if not VALIDITY <= lifetime_s <= MOST_LIFETIME:
            raise Refusal("bad_command", f"A text lives {VALIDITY} to {MOST_LIFETIME} s, not {lifetime_s}.")
        to, parts = _written(number, text)
        queued = sum(1 for m in self._state.outgoing.values() if m.text and m.state is OutgoingState.QUEUED)
        if queued >= MOST_QUEUED:
            raise Refusal("full", f"{MOST_QUEUED} texts wait to be sent already.", "Telephone, or try again later.")
        self._taken[name] = self._append(
            SmsQueued(
                message=name, number=to, purpose=purpose, text=text, parts=parts, line=line, lifetime_s=lifetime_s
            ),
            actor=actor,
        )
        if len(self._taken) > MOST_SEEN:
            self._taken.popitem(last=False)
        told = await self._told(name, to, parts, repeated=False)
        self.wake()
        return told

    async def notice(self, number: str, text: str, *, lifetime_s: int, key: str) -> str:
        """Take a text of the box's own on; returns its id. The same `key` makes no second one. Raises Refusal."""
        told = await self.text(number, text, "", lifetime_s=lifetime_s, key=key, purpose=Purpose.NOTICE)
        return str(told["message"])

    async def _told(self, name: str, number: str, parts: int, *, repeated: bool) -> dict[str, Any]:
        """What a person hears of a text: also whether it is on disk. An older one came from there."""
        row = self._taken.get(name)
        durable = row is None or await row.durable(ANSWER_WITHIN)
        return {"message": name, "number": number, "parts": parts, "durable": durable, "repeated": repeated}

    async def trial(self, number: str, text: str, actor: str, line: str) -> Any:
        """One attempt at a text through one line, and what came of it. Raises Refusal."""
        self._check_line(line)
        if not 0 < len(text) <= MOST_TRIAL:
            raise Refusal(
                "bad_command", f"A text has 1 to {MOST_TRIAL} characters, this has {len(text)}.", "Shorten it."
            )
        to, parts = _written(number, text)
        if self._lines[line].call:
            raise Refusal("in_call", f"{line}: a call is on.", "Wait for its end, or use the other line.")
        row = await self._outcome(self._queue(to, Purpose.TRIAL, text=text, parts=parts, line=line, actor=actor))
        if row.state in (OutgoingState.QUEUED, OutgoingState.UNDELIVERED):
            said = row.attempts[-1].reason if row.attempts else "the modem is not there; it is looked for."
            raise Refusal("modem", f"{line}: {said}", "siaga modem doctor says what to do.")
        return {"line": line, "number": to, "parts": parts, "message": row.id}

    def report(self, line: str, report: StatusReport) -> Appended | None:
        """A delivery report: returns the row that must be on disk before it leaves the modem; None: it is."""
        stamp = report.discharge or report.timestamp
        discharged = stamp.isoformat() if stamp else ""
        key = (line, report.number, report.mr, report.status, discharged)
        if key in self._seen:
            return self._seen[key]
        if any((r.line, r.number, r.reference, r.status, r.discharged) == key for r in self._state.sms_reports):
            return None
        found = reported_on(self._state.outgoing.values(), line, report.number, report.mr, same_number)
        row = self._append(
            SmsReported(
                line=line, number=report.number, reference=report.mr, status=report.status, discharged=discharged,
                message=found[0].id if found else "",
            )
        )  # fmt: skip
        self._seen[key] = row
        if len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
        if found:
            for event in late(found[0]):
                self._put(event, found[0].id)
        self.wake()
        return row

    # What goes out

    def _queue(
        self, number: str, purpose: Purpose, *, data: bytes = b"", text: str = "", parts: int = 1, line: str = "",
        actor: str = "",
    ) -> str:  # fmt: skip
        """Take on a message that somebody waits for, and begin it now if a line is free."""
        name = secrets.token_hex(4)
        self._waiting[name] = asyncio.get_running_loop().create_future()
        if not text:
            self._data[name] = data
        self._append(
            SmsQueued(message=name, number=number, purpose=purpose, text=text, parts=parts, line=line, once=bool(text)),
            actor=actor,
        )
        self.look()
        return name

    async def _outcome(self, name: str) -> Row:
        """The row of a message once a modem took it or none will."""
        row = self._state.outgoing[name]
        try:
            await self._waiting[name]
        finally:
            self._waiting.pop(name, None)
        return row

    def look(self) -> None:
        """Carry out all that is due now."""
        for _ in range(MOST_PASSES):
            steps = self._due()
            for step in steps:
                if isinstance(step, Send):
                    self._begin(step)
                else:
                    self._put(step)
            if not steps:
                return
        log.error("what is due does not end: %s", steps[:3])

    def _due(self) -> list[Send | Event]:
        now, wall = self._clock.now(), self._clock.wall()

        def since(stamp: Stamp) -> float:
            return stamp.elapsed(now, wall, self._boot)

        lines = [
            LineNow(
                name, line.up, line.registered, bool(line.call), _name(plan_of(line.operator or "", self._operators))
            )
            for name, line in self._lines.items()
        ]
        dispatcher = Dispatcher(lines, self._state.sms_lines, self._cap, since, self._operator_of)
        waiting = (m for m in self._state.outgoing.values() if not m.over)
        return dispatcher.due(m for m in waiting if m.purpose in URGENT or not self._resting)

    def _operator_of(self, number: str) -> str:
        return _name(operator_of_number(number, self._operators))

    def _put(self, event: Event, message: str = "") -> None:
        self._append(event)
        name = message or getattr(event, "message", "")
        row = self._state.outgoing.get(name)
        waiting = self._waiting.get(name)
        if waiting is None or waiting.done():
            return
        if row is None or row.state in (OutgoingState.SENT, OutgoingState.DELIVERED) or row.over:
            waiting.set_result(None)

    def _begin(self, step: Send) -> None:
        row = self._state.outgoing[step.message]
        if not row.text and row.id not in self._data:  # who gave it was cancelled
            self._put(undelivered(row, "withdrawn"))
            return
        written = self._append(
            SmsSending(
                line=step.line, message=row.id, number=row.number, purpose=row.purpose, parts=row.parts,
                again=step.again, allowance=step.allowance,
            )
        )  # fmt: skip
        urgent = row.purpose in URGENT
        task = asyncio.create_task(self._send(row, step.line, None if urgent else written))
        self._tasks[row.id] = task
        task.add_done_callback(lambda done: self._done(row, done))

    async def _send(self, row: Row, line: str, written: Appended | None) -> None:
        """One attempt. `written` is waited for first: the journal must know of it before the modem does."""
        if written is not None and not await written.durable(DISK_WITHIN):
            self._put(
                SmsFailed(
                    line=line, number=row.number, purpose=row.purpose, message=row.id, reason="disk", blame="moment"
                )
            )
            return
        age = row.queued.elapsed(self._clock.now(), self._clock.wall(), self._boot)
        try:
            references = await self._lines[line].send(
                row.number, text=row.text or None, data=self._data.get(row.id, b"") if not row.text else None,
                validity=timedelta(seconds=max(VALIDITY, row.lifetime_s - age)), urgent=row.purpose in URGENT,
            )  # fmt: skip
        except (ModemError, PduError) as e:
            failed = e if isinstance(e, ModemFailed) else None
            self._put(
                SmsFailed(
                    line=line, number=row.number, purpose=row.purpose, message=row.id, reason=str(e)[:200],
                    blame=blame_of(e),
                    certain=is_certain(e),
                    code=failed.code if failed else None, references=failed.sent if failed else (),
                )
            )  # fmt: skip
            return
        self._put(SmsSent(line=line, number=row.number, purpose=row.purpose, message=row.id, references=references))
        for event in matched_late([row], self._state.sms_reports, same_number):
            self._put(event)

    def _done(self, row: Row, task: asyncio.Task[None]) -> None:
        self._tasks.pop(row.id, None)
        if not task.cancelled() and (error := task.exception()):
            log.error("sending %s failed by a flaw of ours", row.id, exc_info=error)
        if row.state is OutgoingState.SENDING:
            self._put(lost(row, "interrupted"))
        if not task.cancelled():
            self.look()
        self.wake()

    def _check_line(self, line: str) -> None:
        if line not in self._lines:
            raise Refusal("no_line", f"There is no line {line!r}.", f"Lines: {', '.join(self._lines) or 'none'}.")


def _written(number: str, text: str) -> tuple[str, int]:
    """The number as it is dialled, and in how many parts the text goes. Raises Refusal."""
    try:
        to = diallable(number)
    except ModemError as e:
        raise Refusal("bad_number", str(e), "Give a telephone's number, as +6281...") from e
    if not text.strip():
        raise Refusal("text_empty", "The text is empty.", "Nothing was sent.")
    try:
        parts = len(encode_submit(to, text))
    except PduError as e:
        raise Refusal("text_unwritable", str(e), "Write it in other characters.") from e
    if parts > MOST_PARTS:
        raise Refusal("text_long", f"The text needs {parts} messages; {MOST_PARTS} is the most.", "Shorten it.")
    return to, parts


def _id_of(actor: str, key: str) -> str:
    return hashlib.sha256(f"{actor}\0{key}".encode()).hexdigest()[:8]


def _name(operator: OperatorPlan | None) -> str:
    return operator.name if operator else ""

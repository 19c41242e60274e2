"""What each message that goes out needs next: pure, from the folded rows and the time since their stamps.

Nothing is remembered here but in the events, so a restart in the middle goes on where the journal says. An attempt
whose end is not known may have arrived: what is sent behind it is marked `again`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from appliance.event import Event
from appliance.model import OutgoingState, Purpose
from appliance.sms_events import SmsDelivered, SmsFailed, SmsHeld, SmsReported, SmsUnconfirmed, SmsUndelivered
from appliance.stamp import Stamp
from appliance.state import REPORTED_FAILED, Outgoing, SmsAttempt, SmsLine, SmsReport

Since = Callable[[Stamp], float]
Same = Callable[[str, str], bool]  # whether two numbers are one telephone

URGENT = frozenset((Purpose.ORDER, Purpose.ANSWER, Purpose.HELLO, Purpose.TEST))
RANK = {purpose: rank for rank, purpose in enumerate(Purpose)}
URGENT_WAITS = 180.0  # s for a turn; four messages that each time out in the network. Then its giver must know
BACKOFF = (5.0, 15.0, 30.0, 60.0)  # s behind the first, second... failure; a busy cell frees itself within a minute
MOST_ATTEMPTS = 8  # twice through that with two modems; the five minutes of a text's life are over then
MOST_UNCERTAIN = 2  # a text that may have gone out twice already is not sent a third time
CONFIRM_GRACE = 60.0  # s behind the end of its validity in which the network's last report must come
CONFIRM_MOST = 6 * 3600.0  # s; a report is not waited for longer, however long the text lives: rows stay bounded
FAILING = 300.0  # s for which a failure speaks against a line
DONE = 0x20  # TP-ST below is with the recipient: 3GPP TS 23.040 clause 9.2.3.15


class Cap(msgspec.Struct, frozen=True):
    """A token bucket: `burst` parts at once, filled up again with `per_hour`."""

    per_hour: int
    burst: int


class LineNow(msgspec.Struct, frozen=True):
    """A line at this moment. `operator` in the words of `operator_of`, empty where it is not known."""

    id: str
    up: bool
    registered: bool
    in_call: bool = False
    operator: str = ""


class Send(msgspec.Struct, frozen=True):
    """Begin an attempt. `allowance` is what the rate cap leaves to the line behind it."""

    message: str
    line: str
    again: bool
    allowance: float


Step = Send | Event


class Dispatcher:
    """`known` is what the journal tells of lines; `operator_of` names a number's operator, or an empty string."""

    def __init__(
        self, lines: Iterable[LineNow], known: Mapping[str, SmsLine], cap: Cap, since: Since,
        operator_of: Callable[[str], str] = lambda number: "",
    ) -> None:  # fmt: skip
        self._lines = list(lines)
        self._known, self._cap, self._since, self._operator_of = known, cap, since, operator_of
        self._taken: set[tuple[str, bool]] = set()  # line, and whether by an urgent message: those pass others
        self._left = {line.id: allowance(known.get(line.id), cap, since) for line in self._lines}
        self._told = {line for line, record in known.items() if record.held}

    def due(self, messages: Iterable[Outgoing]) -> list[Step]:
        """The steps that are due now, the most urgent first. One message a line at a time, and one urgent beside it."""
        waiting = sorted((m for m in messages if not m.over), key=lambda m: (RANK[m.purpose], m.queued.seq))
        self._taken = {(m.line, m.purpose in URGENT) for m in waiting if m.state is OutgoingState.SENDING}
        queued = sum(1 for m in waiting if m.state is OutgoingState.QUEUED and m.purpose not in URGENT)
        steps: list[Step] = []
        for m in waiting:
            if m.state is OutgoingState.SENT:
                steps += _after(m, self._since)
            elif m.state is OutgoingState.QUEUED:
                steps += self._urgent(m) if m.purpose in URGENT else self._ordinary(m, queued)
        return steps

    @property
    def _full(self) -> bool:
        """Every line that is up carries an urgent message."""
        up = [line.id for line in self._lines if line.up]
        return bool(up) and all((line, True) in self._taken for line in up)

    def _urgent(self, m: Outgoing) -> Iterator[Step]:
        """Each line once, at once. Its giver gives it again when it must."""
        if self._full and not m.attempts and self._since(m.queued) < URGENT_WAITS:
            return  # a thousand may wait, and each is looked at
        tried = {attempt.line for attempt in m.attempts}
        left = [line for line in self._lines if line.up and line.id not in tried]
        if not left or (m.attempts and m.attempts[-1].blame == "message"):
            yield undelivered(m, _why(m) if m.attempts else "no_modem")
        elif self._since(m.queued) >= URGENT_WAITS:
            yield undelivered(m, "waited")
        elif free := [line for line in left if (line.id, True) not in self._taken]:
            yield self._send(m, min(free, key=lambda line: self._rank(line, m)))

    def _ordinary(self, m: Outgoing, queued: int) -> Iterator[Step]:
        left = [line for line in self._lines if m.pinned in ("", line.id) and not _reported_failed(m, line.id)]
        if why := self._hopeless(m, left):
            yield undelivered(m, why)
            return
        last = m.attempts[-1] if m.attempts else None
        if last and last.blame == "moment" and not self._rested(m.attempts):
            return
        free = [
            line
            for line in left
            if usable(line, m)
            and (line.id, False) not in self._taken
            and self._rested([attempt for attempt in m.attempts if attempt.line == line.id])
        ]
        needed = 0 if m.once else min(m.parts, self._cap.burst)
        allowed = [line for line in free if self._left[line.id] >= needed]
        if allowed:
            yield self._send(m, min(allowed, key=lambda line: self._rank(line, m)))
        for line in () if allowed else free:
            if line.id not in self._told:
                self._told.add(line.id)
                seconds = (needed - self._left[line.id]) * 3600.0 / self._cap.per_hour
                yield SmsHeld(line=line.id, seconds=round(seconds, 1), waiting=queued)

    def _hopeless(self, m: Outgoing, left: list[LineNow]) -> str:
        """Why there is nothing to try any more, or an empty string."""
        last = m.attempts[-1] if m.attempts else None
        if last and last.blame in ("recipient", "message"):
            return last.blame
        if m.once and (last or not any(usable(line, m) for line in left)):
            return _why(m) if last else "no_modem"
        if not left:
            return "reported" if last else "no_modem"
        if sum(attempt.outcome == "uncertain" for attempt in m.attempts) >= MOST_UNCERTAIN:
            return "uncertain"
        if self._since(m.queued) >= m.lifetime_s:
            return "expired"
        return "tried_enough" if len(m.attempts) >= MOST_ATTEMPTS else ""

    def _rested(self, attempts: list[SmsAttempt]) -> bool:
        failed = [a for a in attempts if a.outcome in ("refused", "uncertain") and a.ended]
        if not failed or failed[-1].ended is None:
            return True
        return self._since(failed[-1].ended) >= BACKOFF[min(len(failed), len(BACKOFF)) - 1]

    def _rank(self, line: LineNow, m: Outgoing) -> tuple[bool, int, bool, int, bool, int]:
        """The smallest is the best line for the message; the site file's order decides among equals."""
        record = self._known.get(line.id, SmsLine())
        failures = record.failures if record.failures and self._since(record.failed) < FAILING else 0
        busy = sum((line.id, urgent) in self._taken for urgent in (False, True))
        operator = self._operator_of(m.number)
        stranger = bool(operator) and bool(line.operator) and operator != line.operator
        before = sum(attempt.line == line.id for attempt in m.attempts)
        return not line.registered, failures, line.in_call, busy, stranger, before

    def _send(self, m: Outgoing, line: LineNow) -> Send:
        self._taken.add((line.id, m.purpose in URGENT))
        self._left[line.id] = max(0.0, self._left[line.id] - m.parts)
        self._told.discard(line.id)
        again = any(attempt.may_have_arrived for attempt in m.attempts)
        return Send(m.id, line.id, again, round(self._left[line.id], 3))


def allowance(record: SmsLine | None, cap: Cap, since: Since) -> float:
    """Parts that a line may send now."""
    if record is None or record.allowance is None:
        return float(cap.burst)
    return min(float(cap.burst), record.allowance + since(record.sent) * cap.per_hour / 3600.0)


def usable(line: LineNow, m: Outgoing) -> bool:
    """A trial goes out as soon as the modem answers: what it says then is what the technician wants to know."""
    return line.up if m.once else line.registered


def _why(m: Outgoing) -> str:
    return "uncertain" if any(attempt.outcome == "uncertain" for attempt in m.attempts) else "refused"


def _reported_failed(m: Outgoing, line: str) -> bool:
    return any(attempt.line == line and attempt.outcome == "undelivered" for attempt in m.attempts)


def undelivered(m: Outgoing, reason: str) -> Event:
    return SmsUndelivered(message=m.id, number=m.number, purpose=m.purpose, reason=reason)


def _delivered(m: Outgoing) -> Iterator[Event]:
    for a in m.attempts:
        if len(a.references) == a.parts and all(a.reports.get(p, DONE) < DONE for p in range(a.parts)):
            yield SmsDelivered(message=m.id, number=m.number, purpose=m.purpose, line=a.line)
            return


def _after(m: Outgoing, since: Since) -> Iterator[Event]:
    """What follows from the reports on a message that the network took, or from their absence."""
    if events := list(_delivered(m)):
        yield from events
        return
    attempt = m.attempts[-1]
    failed = [status for status in attempt.reports.values() if status >= REPORTED_FAILED]
    if failed:
        yield SmsFailed(
            line=attempt.line, number=m.number, purpose=m.purpose, reason=f"report_{failed[0]:02x}", message=m.id,
            blame="report", code=failed[0], references=attempt.references,
        )  # fmt: skip
    elif since(m.since) >= min(m.lifetime_s + CONFIRM_GRACE, CONFIRM_MOST):
        yield SmsUnconfirmed(message=m.id, number=m.number, purpose=m.purpose, line=attempt.line)


def late(m: Outgoing) -> list[Event]:
    """What a report makes of a message that was over without one."""
    if m.state not in (OutgoingState.UNCONFIRMED, OutgoingState.UNDELIVERED):
        return []
    if events := list(_delivered(m)):
        return events
    failed = any(status >= REPORTED_FAILED for status in m.attempts[-1].reports.values()) if m.attempts else False
    return [undelivered(m, "reported")] if failed and m.state is OutgoingState.UNCONFIRMED else []


def restarted(messages: Iterable[Outgoing]) -> list[Event]:
    """What a new life of the process finds: attempts whose end nobody saw, and data that nobody has any more."""
    events: list[Event] = []
    for m in messages:
        if m.state is OutgoingState.SENDING:
            events.append(lost(m, "restarted"))
        if m.state in (OutgoingState.SENDING, OutgoingState.QUEUED) and (m.once or not m.text):
            uncertain = m.state is OutgoingState.SENDING or any(a.outcome == "uncertain" for a in m.attempts)
            events.append(undelivered(m, "uncertain" if uncertain else "restarted"))
    return events


def lost(m: Outgoing, reason: str) -> Event:
    """The attempt under way ended unseen."""
    return SmsFailed(
        line=m.line, number=m.number, purpose=m.purpose, reason=reason, message=m.id, blame="moment", certain=False
    )


def reported_on(
    messages: Iterable[Outgoing], line: str, number: str, reference: int, same: Same, before: int | None = None
) -> tuple[Outgoing, int | None] | None:
    """The message that a report is about, and what was reported on that part before.

    References wrap after 256 messages, so the newest attempt that still waits for one has it. `before`: only attempts
    that began before this row of the journal.
    """
    found: list[tuple[bool, int, Outgoing, int | None]] = []
    for m in messages:
        for a in m.attempts:
            if a.line != line or reference not in a.references or not same(number, m.number):
                continue
            if before is None or a.at.seq < before:
                status = a.reports.get(a.references.index(reference))
                open_ = status is None or DONE <= status < REPORTED_FAILED
                found.append((open_, a.at.seq, m, status))
    if not found:
        return None
    _, _, m, status = max(found, key=lambda one: one[:2])
    return m, status


def matched_late(messages: Iterable[Outgoing], reports: Iterable[SmsReport], same: Same) -> list[Event]:
    """Reports that came before the references that they name were known, once they are."""
    known = list(messages)
    events: list[Event] = []
    for r in reports:
        found = None if r.message else reported_on(known, r.line, r.number, r.reference, same, before=r.at.seq)
        if found and (found[1] is None or (DONE <= found[1] < REPORTED_FAILED and found[1] != r.status)):
            events.append(
                SmsReported(
                    line=r.line,
                    number=r.number,
                    reference=r.reference,
                    status=r.status,
                    discharged=r.discharged,
                    message=found[0].id,
                )
            )  # fmt: skip
    return events

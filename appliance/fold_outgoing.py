"""The fold's part for messages that go out: each event moves the one row of its message."""

from appliance import sms_events as sms
from appliance.folding import Folds
from appliance.model import OutgoingState, Purpose
from appliance.stamp import Stamp
from appliance.state import REPORTED_FAILED, Outgoing, SmsAttempt, SmsLine, SmsReport, State

MOST_OVER = 200  # messages that are over; reports come within days, and the journal has them all
MOST_REPORTS = 200
TRYING = 0x20  # TP-ST from here on below REPORTED_FAILED: the service centre still tries


def _queued(s: State, e: sms.SmsQueued, at: Stamp) -> None:
    s.outgoing[e.message] = Outgoing(
        e.message, e.number, Purpose(e.purpose), e.text, e.parts, e.line, e.lifetime_s, e.once, at,
        OutgoingState.QUEUED, at,
    )  # fmt: skip


def _sending(s: State, e: sms.SmsSending, at: Stamp) -> None:
    line = s.sms_lines.setdefault(e.line, SmsLine())
    line.allowance, line.sent, line.held = e.allowance, at, False
    if m := s.outgoing.get(e.message):
        m.attempts.append(SmsAttempt(e.line, at, e.parts, e.again))
        m.since, m.line = at, e.line
        _move(s, m, OutgoingState.SENDING)


def _under_way(s: State, message: str, line: str) -> tuple[Outgoing, SmsAttempt] | None:
    m = s.outgoing.get(message)
    if m is None or not m.attempts or m.attempts[-1].line != line:
        return None
    return m, m.attempts[-1]


def _sent(s: State, e: sms.SmsSent, at: Stamp) -> None:
    s.sms_lines.setdefault(e.line, SmsLine()).failures = 0
    if found := _under_way(s, e.message, e.line):
        m, attempt = found
        attempt.outcome, attempt.ended, attempt.references = "taken", at, e.references
        m.since, m.reason = at, ""
        _move(s, m, OutgoingState.SENT)


def _failed(s: State, e: sms.SmsFailed, at: Stamp) -> None:
    if e.blame == "line" and e.line:
        line = s.sms_lines.setdefault(e.line, SmsLine())
        line.failures, line.failed = line.failures + 1, at
    if found := _under_way(s, e.message, e.line):
        m, attempt = found
        if m.state is OutgoingState.SENT:
            attempt.outcome = "undelivered"
        else:
            attempt.outcome, attempt.references = "refused" if e.certain else "uncertain", e.references
        attempt.ended, attempt.reason, attempt.blame = at, e.reason, e.blame
        m.since, m.reason = at, e.reason
        _move(s, m, OutgoingState.QUEUED)


def _count(attempt: SmsAttempt, reference: int, status: int) -> None:
    """A final word of the network stays; "still trying" gives way to anything."""
    for part, own in enumerate(attempt.references):
        if own == reference and TRYING <= attempt.reports.get(part, TRYING) < REPORTED_FAILED:
            attempt.reports[part] = status
            return


def _reported(s: State, e: sms.SmsReported, at: Stamp) -> None:
    s.sms_reports.append(SmsReport(e.line, e.number, e.reference, e.status, e.discharged, e.message, at))
    del s.sms_reports[: max(0, len(s.sms_reports) - MOST_REPORTS)]
    if m := s.outgoing.get(e.message):
        # Newest first: the same line may have tried twice and been given the same reference after 256 others.
        attempts = [a for a in reversed(m.attempts) if a.line == e.line and e.reference in a.references]
        if attempts:
            _count(attempts[0], e.reference, e.status)


ENDS = {
    sms.SmsDelivered: OutgoingState.DELIVERED,
    sms.SmsUnconfirmed: OutgoingState.UNCONFIRMED,
    sms.SmsUndelivered: OutgoingState.UNDELIVERED,
}


def _ended(s: State, e: sms.OutgoingEnded, at: Stamp) -> None:
    if m := s.outgoing.get(e.message):
        m.since = at
        m.reason = e.reason if isinstance(e, sms.SmsUndelivered) else ""
        _move(s, m, ENDS[type(e)])


def _move(s: State, m: Outgoing, to: OutgoingState) -> None:
    """Count those that are over, and forget the oldest beyond the bound: the oldest stand first."""
    before = m.over
    m.state = to
    s.outgoing_over += m.over - before
    while s.outgoing_over > MOST_OVER:
        del s.outgoing[next(name for name, old in s.outgoing.items() if old.over)]
        s.outgoing_over -= 1


def _held(s: State, e: sms.SmsHeld, at: Stamp) -> None:
    s.sms_lines.setdefault(e.line, SmsLine()).held = True


FOLDS = Folds(
    {
        sms.SmsQueued: _queued,
        sms.SmsSending: _sending,
        sms.SmsSent: _sent,
        sms.SmsFailed: _failed,
        sms.SmsReported: _reported,
        sms.SmsDelivered: _ended,
        sms.SmsUnconfirmed: _ended,
        sms.SmsUndelivered: _ended,
        sms.SmsHeld: _held,
    }
)

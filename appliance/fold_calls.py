"""The fold's part for calls and for texts that came in, both kept up to a number: the journal has them all."""

from appliance import events as ev
from appliance.folding import Folds
from appliance.model import CallPhase
from appliance.state import Call, Message, Stamp, State

MOST_ENDED_CALLS = 50
MOST_PARTS = 500  # PDUs, also of texts that are whole: one that was not deleted in time is known again by it
MOST_MESSAGES = MOST_PARTS  # so that a text is remembered for as long as its parts are

FOLDS = Folds()


@FOLDS.of(ev.CallRinging)
def _(s: State, e: ev.CallRinging, at: Stamp) -> None:
    s.calls[e.call] = Call(e.line, e.call, e.number, CallPhase.RINGING, at, at)


@FOLDS.of(ev.CallIdentified)
def _(s: State, e: ev.CallIdentified, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.number = e.number


@FOLDS.of(ev.CallAnswered)
def _(s: State, e: ev.CallAnswered, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.phase, call.since = CallPhase.TALKING, at


@FOLDS.of(ev.CallMissed, ev.CallEnded)
def _(s: State, e: ev.CallEvent, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.phase = CallPhase.MISSED if isinstance(e, ev.CallMissed) else CallPhase.ENDED
        call.since, call.reason = at, e.reason if isinstance(e, ev.CallEnded) else ""
    over = [c.id for c in s.calls.values() if c.phase in (CallPhase.ENDED, CallPhase.MISSED)]
    for old in over[: max(0, len(over) - MOST_ENDED_CALLS)]:
        del s.calls[old]


@FOLDS.of(ev.SmsPartReceived)
def _(s: State, e: ev.SmsPartReceived, at: Stamp) -> None:
    s.parts.append((e.line, e.pdu))
    del s.parts[: max(0, len(s.parts) - MOST_PARTS)]


@FOLDS.of(ev.SmsReceived)
def _(s: State, e: ev.SmsReceived, at: Stamp) -> None:
    s.messages.append(Message(e.line, e.message, e.number, e.text, at))
    del s.messages[: max(0, len(s.messages) - MOST_MESSAGES)]


@FOLDS.of(ev.SmsMemoryFilling, ev.SmsMemoryFreed)
def _(s: State, e: ev.SmsMemoryEvent, at: Stamp) -> None:
    s.filling.pop(f"{e.line}/{e.memory}", None)
    if isinstance(e, ev.SmsMemoryFilling):
        s.filling[f"{e.line}/{e.memory}"] = at

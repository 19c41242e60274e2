"""The fold's part for calls and for texts that came in, both kept up to a number: the journal has them all."""

from typing import Any

from appliance import call_events as ce
from appliance import events as ev
from appliance.event import Event
from appliance.folding import Fold, Folds
from appliance.model import CallPhase
from appliance.stamp import Stamp
from appliance.state import Call, Message, State

MOST_ENDED_CALLS = 50
MOST_KEYS = 64  # of one call; a menu asks for a handful
MOST_PARTS = 500  # PDUs, also of texts that are whole: one that was not deleted in time is known again by it
MOST_MESSAGES = MOST_PARTS  # so that a text is remembered for as long as its parts are

PHASES: dict[type[Event], CallPhase] = {
    ce.CallAlerting: CallPhase.ALERTING,
    ce.CallHeld: CallPhase.HELD,
    ce.CallResumed: CallPhase.TALKING,
    ce.CallJoined: CallPhase.JOINED,
}
RINGS = (CallPhase.RINGING, CallPhase.WAITING)

FOLDS = Folds()


@FOLDS.of(ev.CallRinging)
def _(s: State, e: ev.CallRinging, at: Stamp) -> None:
    phase = CallPhase.WAITING if e.waiting else CallPhase.RINGING
    s.calls[e.call] = Call(e.line, e.call, e.number, phase, at, at, waiting=e.waiting)


@FOLDS.of(ce.CallDialled)
def _(s: State, e: ce.CallDialled, at: Stamp) -> None:
    s.calls[e.call] = Call(e.line, e.call, e.number, CallPhase.DIALLING, at, at, direction="out", why=e.why)


@FOLDS.of(ev.CallIdentified)
def _(s: State, e: ev.CallIdentified, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.number = e.number


@FOLDS.of(ev.CallAnswered)
def _(s: State, e: ev.CallAnswered, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.phase, call.since, call.answered = CallPhase.TALKING, at, at


def _becomes(phase: CallPhase) -> Fold:
    def fold(s: State, e: Any, at: Stamp) -> None:
        if call := s.calls.get(e.call):
            call.phase, call.since = phase, at

    return fold


FOLDS.update({kind: _becomes(phase) for kind, phase in PHASES.items()})


@FOLDS.of(ev.CallMissed, ev.CallEnded)
def _(s: State, e: ev.CallEvent, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.phase = CallPhase.MISSED if isinstance(e, ev.CallMissed) else CallPhase.ENDED
        call.since, call.reason = at, e.reason if isinstance(e, ev.CallEnded) else ""
        _rings_now(s, call.line)
    over = [c.id for c in s.calls.values() if not c.live]
    for old in over[: max(0, len(over) - MOST_ENDED_CALLS)]:
        del s.calls[old]


def _rings_now(s: State, line: str) -> None:
    """Who waited behind others rings once there is nobody before them."""
    live = s.calls_on(line)
    if all(call.phase in RINGS for call in live):
        for call in live:
            if call.phase is CallPhase.WAITING:
                call.phase = CallPhase.RINGING  # since then as before: the caller hears no difference


@FOLDS.of(ce.CallGreeted)
def _(s: State, e: ce.CallGreeted, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.greeted = at


@FOLDS.of(ce.CallOfDrill)
def _(s: State, e: ce.CallOfDrill, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.why = "proof"


@FOLDS.of(ce.CallTaken)
def _(s: State, e: ce.CallTaken, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.taken, call.place = at, e.place


@FOLDS.of(ce.CallKey)
def _(s: State, e: ce.CallKey, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.keys = (call.keys + e.key)[-MOST_KEYS:]


@FOLDS.of(ce.CallRefused)
def _(s: State, e: ce.CallRefused, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.refused = e.why


@FOLDS.of(ce.CallNoted)
def _(s: State, e: ce.CallNoted, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.note = e.text


@FOLDS.of(ce.CallMarked)
def _(s: State, e: ce.CallMarked, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.mark = e.mark


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

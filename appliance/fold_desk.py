"""The fold's part for the desk: who waits, who was not reached, who calls and what people said of it.

All is bounded, and kept in RAM, since a ringing call must show at once whose it is: 2,000 telephones with their last
calls are some 3 MB; the journal has the others, for the call log.
"""

from appliance import alert_events as al
from appliance import call_events as ce
from appliance import events as ev
from appliance.desk_state import Block, CallBack, Caller, DeskCall, DeskRecord, PastCall
from appliance.folding import Folds
from appliance.stamp import Stamp
from appliance.state import State
from drivers.modem.numbers import telephone

MOST_CALLERS = 2000
MOST_PAST = 6  # calls of one telephone; what a page shows at the ring
MOST_PRANKS = 20
MOST_CALLBACKS = 1000  # telephones; the one that was not reached for longest goes first
MOST_CALLS_OF_CALLBACK = 20
MOST_RECENT = 500
MOST_OPEN = 64  # as many as eight lines with all that a modem can hold
DESK = "desk"  # the actor of what the desk does by itself
LASTED = 5.0  # s; shorter and it was voice mail's first words, or a wrong hand
DRILL = "proof"  # why a call goes out, and comes in, that is between two lines of the box
OF_PERSONS = ("person", "call_back")  # why a call goes out that is talked on by a person

FOLDS = Folds()


def gave(person: str, actor: str) -> bool:
    """Whether an order is of the call that `person` talks on: they gave it, or somebody pressed the desk's button."""
    return actor == person or actor.startswith("button:")


def by_person(actor: str) -> bool:
    """Whether who answered can be taken for someone who listens: the box itself does not, and nobody does not."""
    return actor not in ("", DESK)


@FOLDS.of(ev.CallRinging)
def _(s: State, e: ev.CallRinging, at: Stamp) -> None:
    _begin(s.desk, DeskCall(e.line, e.call, e.number or "", True, at))


@FOLDS.of(ce.CallDialled)
def _(s: State, e: ce.CallDialled, at: Stamp) -> None:
    _begin(s.desk, DeskCall(e.line, e.call, e.number, False, at, e.why))


@FOLDS.of(ev.CallIdentified)
def _(s: State, e: ev.CallIdentified, at: Stamp) -> None:
    call = s.desk.open.get(e.call)
    if call and not call.number:
        call.number = e.number
        _meet(s.desk, call)


@FOLDS.of(ev.CallAnswered)
def _(s: State, e: ev.CallAnswered, at: Stamp) -> None:
    if call := s.desk.open.get(e.call):
        call.answered = call.answered or at
        if call.incoming and call.why != DRILL and by_person(at.actor):
            _take(s.desk, call, at)


@FOLDS.of(ce.CallOfDrill)
def _(s: State, e: ce.CallOfDrill, at: Stamp) -> None:
    call = s.desk.open.get(e.call)
    if call is None:
        return
    call.why = DRILL
    caller = s.desk.callers.get(telephone(call.number)) if call.number else None
    if caller and any(past.call == e.call for past in caller.past):
        caller.past = [past for past in caller.past if past.call != e.call]
        caller.calls -= 1
        if not caller.calls:
            del s.desk.callers[telephone(call.number)]


@FOLDS.of(ce.CallTaken)
def _(s: State, e: ce.CallTaken, at: Stamp) -> None:
    if call := s.desk.open.get(e.call):
        _take(s.desk, call, at)


@FOLDS.of(ce.CallGreeted)
def _(s: State, e: ce.CallGreeted, at: Stamp) -> None:
    if call := s.desk.open.get(e.call):
        call.answered, call.greeted = call.answered or at, call.greeted or at


@FOLDS.of(ce.CallRefused)
def _(s: State, e: ce.CallRefused, at: Stamp) -> None:
    if call := s.desk.open.get(e.call):
        first, call.refused = not call.refused, e.why
        if first and e.why == "blocked" and (block := s.desk.blocks.get(telephone(call.number))):
            block.refused += 1


@FOLDS.of(ce.GhostOffered)
def _(s: State, e: ce.GhostOffered, at: Stamp) -> None:
    if call := s.desk.open.get(e.call):
        call.ghost = True


@FOLDS.of(ev.CallMissed, ev.CallEnded)
def _(s: State, e: ev.CallEvent, at: Stamp) -> None:
    call = s.desk.open.pop(e.call, None)
    if call is None:
        return
    s.desk.over += 1
    if call.why == DRILL:
        return
    ended = e if isinstance(e, ev.CallEnded) else None
    turned_away = ended is not None and ended.reason in ("operator", "refused") and call.answered is None
    if not call.incoming:
        outcome = "out"
        if ended and call.answered and ended.seconds >= LASTED and call.why in OF_PERSONS:
            _reach(s.desk, call.number, "reached", call.id)
    elif call.taken:
        outcome = "answered"
    elif call.refused or turned_away:
        outcome = "refused"
    else:
        outcome = "abandoned"
        _abandon(s.desk, call, at)
    if past := _past(s.desk, call.id, call.number):
        past.outcome, past.alerts = outcome, call.alerts


@FOLDS.of(ce.CallBackDone)
def _(s: State, e: ce.CallBackDone, at: Stamp) -> None:
    for key in [key for key, back in s.desk.callbacks.items() if e.call in back.calls]:
        del s.desk.callbacks[key]


@FOLDS.of(ce.CallNoted)
def _(s: State, e: ce.CallNoted, at: Stamp) -> None:
    if past := _past(s.desk, e.call, s.desk.recent.get(e.call, "")):
        past.note = e.text


@FOLDS.of(ce.CallMarked)
def _(s: State, e: ce.CallMarked, at: Stamp) -> None:
    past = _past(s.desk, e.call, e.number)
    if past:
        past.mark = e.mark
    caller = s.desk.callers.get(telephone(e.number)) if e.number else None
    if caller is None:
        return
    if e.call in caller.pranks:
        caller.pranks.remove(e.call)
    if e.mark == "prank" and (past is None or past.direction == "in"):  # who was called made no prank by it
        caller.pranks.append(e.call)
        del caller.pranks[:-MOST_PRANKS]


@FOLDS.of(ce.CallerBlocked)
def _(s: State, e: ce.CallerBlocked, at: Stamp) -> None:
    key = telephone(e.number)
    refused = s.desk.blocks[key].refused if key in s.desk.blocks else 0
    s.desk.blocks[key] = Block(e.number, e.until, e.why, at, refused)
    _spend(s.desk, key)


@FOLDS.of(ce.CallerUnblocked)
def _(s: State, e: ce.CallerUnblocked, at: Stamp) -> None:
    key = telephone(e.number)
    s.desk.blocks.pop(key, None)
    _spend(s.desk, key)


@FOLDS.of(al.AlertIssued)
def _(s: State, e: al.AlertIssued, at: Stamp) -> None:
    for call in s.desk.open.values():
        if call.taken and gave(call.taken.actor, at.actor):
            call.alerts += (e.alert,)
            if past := _past(s.desk, call.id, call.number):
                past.alerts = call.alerts


@FOLDS.of(ce.QueueOverflowed)
def _(s: State, e: ce.QueueOverflowed, at: Stamp) -> None:
    s.desk.overflowed, s.desk.overflow_why = at, e.why


@FOLDS.of(ce.QueueEased)
def _(s: State, e: ce.QueueEased, at: Stamp) -> None:
    s.desk.overflowed = None


def _begin(desk: DeskRecord, call: DeskCall) -> None:
    desk.open[call.id] = call
    desk.recent[call.id] = call.number
    _shorten(desk.open, MOST_OPEN)
    _shorten(desk.recent, MOST_RECENT)
    if call.why != DRILL:
        _meet(desk, call)


def _meet(desk: DeskRecord, call: DeskCall) -> None:
    desk.recent[call.id] = call.number
    if not call.number:
        return
    key = telephone(call.number)
    caller = desk.callers.pop(key, None) or Caller(call.number, call.began)
    desk.callers[key] = caller  # the last one now
    caller.number, caller.calls, caller.came = call.number, caller.calls + 1, caller.came + call.incoming
    caller.past.append(PastCall(call.id, call.line, "in" if call.incoming else "out", call.began))
    del caller.past[:-MOST_PAST]
    if len(desk.callers) > MOST_CALLERS:  # one with marks is remembered longer
        old = next((k for k, c in desk.callers.items() if not c.pranks), next(iter(desk.callers)))
        del desk.callers[old]


def _take(desk: DeskRecord, call: DeskCall, at: Stamp) -> None:
    call.answered, call.taken = call.answered or at, call.taken or at
    if call.incoming:
        _reach(desk, call.number, "called_again", call.id)


def _reach(desk: DeskRecord, number: str, why: str, by: str) -> None:
    if number and (back := desk.callbacks.get(telephone(number))):
        back.reached = (why, by)


def _abandon(desk: DeskRecord, call: DeskCall, at: Stamp) -> None:
    if not call.number:
        return
    key = telephone(call.number)
    back = desk.callbacks.get(key)
    if back is None:
        desk.callbacks[key] = CallBack(call.number, call.line, 1, at, at, [call.id])
        _shorten(desk.callbacks, MOST_CALLBACKS)
        return
    back.line, back.times, back.last, back.reached = call.line, back.times + 1, at, None
    back.calls.append(call.id)
    del back.calls[:-MOST_CALLS_OF_CALLBACK]


def _past(desk: DeskRecord, call: str, number: str) -> PastCall | None:
    caller = desk.callers.get(telephone(number)) if number else None
    return next((p for p in caller.past if p.call == call), None) if caller else None


def _spend(desk: DeskRecord, key: str) -> None:
    """The marks that led to a block count no more: the next one needs as many again."""
    if caller := desk.callers.get(key):
        caller.pranks.clear()


def _shorten(rows: dict[str, DeskCall] | dict[str, CallBack] | dict[str, str], most: int) -> None:
    while len(rows) > most:
        del rows[next(iter(rows))]

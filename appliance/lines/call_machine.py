"""Calls on one GSM line: what the modem says, folded into what is so.

Sources are equal: RING, +CRING, +CLIP, vendor call reports and +CLCC; the first to speak makes the event, the others
only confirm it. +CLCC reconciles. Only calls that come in are followed, one at a time; a second caller waits unseen.
"""

from collections.abc import Callable, Sequence
from enum import Enum, StrEnum

from msgspec import Struct

from appliance.events import CallAnswered, CallEnded, CallEvent, CallIdentified, CallMissed, CallRinging
from appliance.model import CallPhase

RING_GAP = 6.0  # s; networks ring every 5 s, and +CLCC is asked every 2 s: silence for longer and the caller gave up
LATE_LISTING = 1.0  # s after an end in which a list may still be the answer from before it
DOUBT = (
    1.5  # s that lists must contradict what was heard; a fresh call may be missing in the first, one comes every 2 s
)
SAME_DIGITS = 7  # at a number's end; +62811..., 62811... and 0811... are one caller


class Phase(Enum):
    IDLE = "idle"
    RINGING = "ringing"
    TALKING = "talking"


class Said(Enum):
    """What a source can say of the call."""

    INCOMING = "incoming"  # RING, +CRING, +CLIP, or a report or list that says so
    CONNECTED = "connected"  # something was answered, without a word of which call: VOICE CALL: BEGIN
    ACTIVE = "active"  # a report or list that says that an incoming call is being talked on
    GONE = "gone"


class Reason(StrEnum):
    """Who ended a call."""

    CALLER = "caller"
    OPERATOR = "operator"
    LINE_LOST = "line_lost"


# What is not here changes nothing: a RING behind the answer, a second word of the end.
TRANSITIONS: dict[tuple[Phase, Said], tuple[Phase, tuple[type[CallEvent], ...]]] = {
    (Phase.IDLE, Said.INCOMING): (Phase.RINGING, (CallRinging,)),
    (Phase.IDLE, Said.ACTIVE): (Phase.TALKING, (CallRinging, CallAnswered)),  # it began while nobody listened
    (Phase.RINGING, Said.INCOMING): (Phase.RINGING, ()),
    (Phase.RINGING, Said.CONNECTED): (Phase.TALKING, (CallAnswered,)),
    (Phase.RINGING, Said.ACTIVE): (Phase.TALKING, (CallAnswered,)),
    (Phase.RINGING, Said.GONE): (Phase.IDLE, (CallMissed,)),
    (Phase.TALKING, Said.GONE): (Phase.IDLE, (CallEnded,)),
}


class Listed(Struct, frozen=True):
    """One incoming voice call of +CLCC."""

    said: Said  # INCOMING or ACTIVE
    number: str | None = None
    index: int | None = None


NO_CALL = Listed(Said.GONE)


class Known(Struct, frozen=True):
    """A call that was under way before a restart; `since` is when it began to ring or was answered, as `now`."""

    call: str
    phase: CallPhase
    number: str | None
    since: float


class CallMachine:
    """All methods return the events that follow, oldest first, mostly none. `new_id` gives each call its name."""

    def __init__(self, line: str, new_id: Callable[[], str], known: Known | None = None) -> None:
        self._line, self._new_id = line, new_id
        self.phase = Phase.IDLE
        self.call = ""
        self._number: str | None = None
        self._index: int | None = None  # the modem's own name for the call
        self._answered_at = 0.0
        self._heard_at: float | None = None  # last word of ringing; None: no clock runs yet
        self._was_listed = False  # the call was seen in a list, so a list without it is an end
        self._doubted_at: float | None = None
        self._deaf_until = float("-inf")
        self._hung_up = False
        if known is not None:
            self.phase = Phase.TALKING if known.phase is CallPhase.TALKING else Phase.RINGING
            self.call, self._number, self._answered_at = known.call, known.number, known.since
            self._was_listed = True

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to say, if nothing is heard before."""
        if self.phase is not Phase.RINGING or self._heard_at is None:
            return None
        return self._heard_at + RING_GAP

    def hear(self, said: Said, now: float, number: str | None = None, index: int | None = None) -> list[CallEvent]:
        """One word of one source; None: it does not say. The end of another call, one that waited, is not heard."""
        if said is Said.GONE and None not in (index, self._index) and index != self._index:
            return []
        events = self._step(said, now, number, Reason.OPERATOR if self._hung_up else Reason.CALLER)
        if self.phase is not Phase.IDLE and self._index is None:
            self._index = index
        return events

    def listed(self, calls: Sequence[Listed], now: float) -> list[CallEvent]:
        """All incoming calls that the modem has."""
        if now < self._deaf_until:
            return []
        call = min(calls, key=lambda call: call.said is not Said.ACTIVE, default=NO_CALL)
        said = call.said
        another = said is not Said.GONE and self._is_another(said, call.number)
        if another or (said is Said.GONE and not self._was_listed and self.phase is not Phase.IDLE):
            self._doubted_at = now if self._doubted_at is None else self._doubted_at
            if now - self._doubted_at < DOUBT:
                return []
        events = self.hear(Said.GONE, now) if another else []
        events += self.hear(said, now, call.number, call.index)
        self._doubted_at = None
        self._was_listed = self.phase is not Phase.IDLE
        return events

    def _is_another(self, said: Said, number: str | None) -> bool:
        """The call that is listed is not the one that was heard: the end of that one was missed."""
        if self.phase is Phase.TALKING and said is Said.INCOMING:
            return True
        return bool(number and self._number and number[-SAME_DIGITS:] != self._number[-SAME_DIGITS:])

    def tick(self, now: float) -> list[CallEvent]:
        """Time has passed."""
        deadline = self.deadline
        return self.hear(Said.GONE, now) if deadline is not None and now >= deadline else []

    def line_up(self, now: float) -> None:
        """The modem answers: a call that was ringing before must show itself again."""
        if self.phase is Phase.RINGING and self._heard_at is None:
            self._heard_at = now

    def line_lost(self, now: float) -> list[CallEvent]:
        """The modem is gone, and with it whatever was said on it."""
        return self._step(Said.GONE, now, None, Reason.LINE_LOST)

    def hang_up(self) -> None:
        """The operator hangs up or refuses the call: its end, once heard, is theirs."""
        self._hung_up = self.phase is not Phase.IDLE

    def hang_up_failed(self) -> None:
        self._hung_up = False

    def _step(self, said: Said, now: float, number: str | None, reason: Reason) -> list[CallEvent]:
        before = self.phase
        if (before, said) not in TRANSITIONS:
            return self._identify(number)
        events = self._identify(number)
        if before is Phase.IDLE:
            self.call, self._number, self._was_listed, self._doubted_at = self._new_id(), number, False, None
        self.phase, kinds = TRANSITIONS[before, said]
        events += [self._event(kind, now, before, reason) for kind in kinds]
        if self.phase is Phase.RINGING:
            self._heard_at = now
        elif self.phase is Phase.TALKING and before is not Phase.TALKING:
            self._answered_at = now
        elif self.phase is Phase.IDLE:
            self._deaf_until = now + LATE_LISTING
            self.call, self._number, self._index, self._heard_at, self._hung_up = "", None, None, None, False
        return events

    def _identify(self, number: str | None) -> list[CallEvent]:
        if number is None or self._number is not None or self.phase is Phase.IDLE:
            return []
        self._number = number
        return [CallIdentified(line=self._line, call=self.call, number=number)]

    def _event(self, kind: type[CallEvent], now: float, before: Phase, reason: Reason) -> CallEvent:
        if kind is CallRinging:
            return CallRinging(line=self._line, call=self.call, number=self._number)
        refused = before is Phase.RINGING and reason is Reason.OPERATOR
        if kind is CallEnded or (kind is CallMissed and refused):
            seconds = round(max(0.0, now - self._answered_at), 1) if before is Phase.TALKING else 0.0
            return CallEnded(line=self._line, call=self.call, seconds=seconds, reason=reason)
        return kind(line=self._line, call=self.call)

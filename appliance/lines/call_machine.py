"""One call on a GSM line: what is said of it, folded into what is so. `calls_machine` tells whose word it is.

Sources are equal: the first to speak makes the event, the others only confirm it.
"""

from collections.abc import Callable
from enum import Enum, StrEnum

from msgspec import Struct

from appliance.call_events import CallAlerting, CallDialled, CallHeld, CallJoined, CallRefused, CallResumed
from appliance.event import Event
from appliance.events import CallAnswered, CallEnded, CallIdentified, CallMissed, CallRinging
from appliance.model import CallPhase

SAME_DIGITS = 7  # at a number's end; +62811..., 62811... and 0811... are one caller


class Phase(Enum):
    IDLE = "idle"  # not yet, or over
    RINGING = "ringing"
    DIALLING = "dialling"
    ALERTING = "alerting"
    TALKING = "talking"
    HELD = "held"
    JOINED = "joined"


RINGS, SETS_UP = (Phase.RINGING,), (Phase.DIALLING, Phase.ALERTING)
TALKED = (Phase.TALKING, Phase.HELD, Phase.JOINED)


class Said(Enum):
    """What a source can say of a call."""

    INCOMING = "incoming"  # RING, +CRING, +CLIP, +CCWA, or a report or list that says so
    DIALLING = "dialling"
    ALERTING = "alerting"
    CONNECTED = "connected"  # something was answered, without a word of which call: VOICE CALL: BEGIN
    ACTIVE = "active"  # talked on, alone or with others: that was not said
    ALONE = "alone"  # talked on, in no conference
    JOINED = "joined"  # talked on in a conference
    HELD = "held"
    GONE = "gone"
    NOTHING = "nothing"  # of its phase: only a number


class Reason(StrEnum):
    """Why a call ended."""

    CALLER = "caller"
    OPERATOR = "operator"
    LINE_LOST = "line_lost"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


class Began(Event, frozen=True):
    """Stands in the table for CallRinging or CallDialled, whichever way the call goes."""


class Over(Event, frozen=True):
    """Stands in the table for CallMissed or CallEnded."""


Kinds = tuple[type[Event], ...]

# What is not here changes nothing: a RING behind the answer, "dialling" from a list that is a moment old.
TRANSITIONS: dict[tuple[Phase, Said], tuple[Phase, Kinds]] = {
    (Phase.IDLE, Said.INCOMING): (Phase.RINGING, (Began,)),
    (Phase.IDLE, Said.DIALLING): (Phase.DIALLING, (Began,)),
    (Phase.IDLE, Said.ALERTING): (Phase.ALERTING, (Began, CallAlerting)),
    # What began while nobody listened.
    (Phase.IDLE, Said.ACTIVE): (Phase.TALKING, (Began, CallAnswered)),
    (Phase.IDLE, Said.ALONE): (Phase.TALKING, (Began, CallAnswered)),
    (Phase.IDLE, Said.JOINED): (Phase.JOINED, (Began, CallAnswered, CallJoined)),
    (Phase.IDLE, Said.HELD): (Phase.HELD, (Began, CallAnswered, CallHeld)),
    (Phase.RINGING, Said.INCOMING): (Phase.RINGING, ()),
    (Phase.DIALLING, Said.DIALLING): (Phase.DIALLING, ()),
    (Phase.DIALLING, Said.ALERTING): (Phase.ALERTING, (CallAlerting,)),
    **{
        (phase, said): found
        for phase in (*RINGS, *SETS_UP)
        for said, found in {
            Said.CONNECTED: (Phase.TALKING, (CallAnswered,)),
            Said.ACTIVE: (Phase.TALKING, (CallAnswered,)),
            Said.ALONE: (Phase.TALKING, (CallAnswered,)),
            Said.JOINED: (Phase.JOINED, (CallAnswered, CallJoined)),
            Said.HELD: (Phase.HELD, (CallAnswered, CallHeld)),
            Said.GONE: (Phase.IDLE, (Over,)),
        }.items()
    },
    (Phase.TALKING, Said.HELD): (Phase.HELD, (CallHeld,)),
    (Phase.TALKING, Said.JOINED): (Phase.JOINED, (CallJoined,)),
    (Phase.HELD, Said.ACTIVE): (Phase.TALKING, (CallResumed,)),
    (Phase.HELD, Said.ALONE): (Phase.TALKING, (CallResumed,)),
    (Phase.HELD, Said.JOINED): (Phase.JOINED, (CallJoined,)),
    (Phase.JOINED, Said.HELD): (Phase.HELD, (CallHeld,)),
    (Phase.JOINED, Said.ALONE): (Phase.TALKING, (CallResumed,)),
    **{(phase, Said.GONE): (Phase.IDLE, (Over,)) for phase in TALKED},
}
# Words that fit a call without changing it.
CONFIRMS = {
    (Phase.ALERTING, Said.ALERTING), (Phase.ALERTING, Said.DIALLING), (Phase.HELD, Said.HELD),
    (Phase.TALKING, Said.ACTIVE), (Phase.TALKING, Said.ALONE), (Phase.JOINED, Said.ACTIVE), (Phase.JOINED, Said.JOINED),
}  # fmt: skip
MEANS = {
    Said.INCOMING: Phase.RINGING, Said.DIALLING: Phase.DIALLING, Said.ALERTING: Phase.ALERTING,
    Said.ACTIVE: Phase.TALKING, Said.ALONE: Phase.TALKING, Said.JOINED: Phase.JOINED, Said.HELD: Phase.HELD,
}  # fmt: skip
SHOWN = {
    Phase.IDLE: CallPhase.ENDED, Phase.RINGING: CallPhase.RINGING, Phase.DIALLING: CallPhase.DIALLING,
    Phase.ALERTING: CallPhase.ALERTING, Phase.TALKING: CallPhase.TALKING, Phase.HELD: CallPhase.HELD,
    Phase.JOINED: CallPhase.JOINED,
}  # fmt: skip
TOLD: dict[type[Event], Callable[..., Event]] = {
    kind: kind for kind in (CallAnswered, CallAlerting, CallHeld, CallResumed, CallJoined)
}
OUT_ONLY = (Said.DIALLING, Said.ALERTING)


class Known(Struct, frozen=True):
    """A call that was under way before a restart; `since` is when it began or was answered, as `now`."""

    call: str
    phase: CallPhase
    number: str | None
    since: float
    out: bool = False
    waiting: bool = False
    why: str = ""


def same(one: str | None, other: str | None) -> bool:
    """Whether both may be one telephone; a number that is not known may be any."""
    return not one or not other or one[-SAME_DIGITS:] == other[-SAME_DIGITS:]


def concerns(phase: Phase, said: Said) -> bool:
    """Whether the word can be said of a call in this phase."""
    return (phase, said) in TRANSITIONS or (phase, said) in CONFIRMS


class LiveCall:
    """`take` folds one word in. Its owner keeps time and finds out whose word it is."""

    def __init__(self, line: str, call: str, *, out: bool, number: str | None = None, why: str = "") -> None:
        self._line, self.id, self.out, self.number, self.why = line, call, out, number, why
        self.phase = self.before = Phase.IDLE
        self.changed_at = float("-inf")  # when `before` became `phase`
        self.waiting = False  # it rings behind another
        self.index: int | None = None  # the modem's own name for it
        self.answered_at = 0.0
        self.heard_at: float | None = None  # last word of ringing; None: no clock runs yet
        self.listed = False  # it was seen in a list, so a list without it is an end
        self.doubted_at: float | None = None  # lists have contradicted it since
        self.ordered = False  # we dial it, and the modem has not taken that yet: no list can know it
        self.suspected_at: float | None = None  # an end was told that named no call, since when
        self.end = Reason.CALLER  # why it ends, as far as was told
        self.hung_up = False
        self.refused = ""

    @classmethod
    def known(cls, line: str, known: Known) -> "LiveCall":
        call = cls(line, known.call, out=known.out, number=known.number, why=known.why)
        phases = {shown: phase for phase, shown in SHOWN.items()}
        call.phase = phases.get(known.phase, Phase.RINGING)
        call.waiting = known.phase is CallPhase.WAITING
        call.answered_at, call.listed = known.since, True
        return call

    @property
    def shown(self) -> CallPhase:
        return CallPhase.WAITING if self.waiting and self.phase is Phase.RINGING else SHOWN[self.phase]

    def may_be(self, said: Said) -> bool:
        """Whether a list or report can say this of the call as it is; if not, it speaks of another."""
        if said is Said.INCOMING:
            return self.phase is Phase.RINGING
        if said in OUT_ONLY:
            return self.phase in SETS_UP
        return True

    def was_a_moment_ago(self, said: Said, now: float, moment: float) -> bool:
        """Whether this is what the call was before its last change, said by a list from before it."""
        return now - self.changed_at < moment and MEANS.get(said) is self.before is not self.phase

    def take(self, said: Said, now: float, number: str | None, why: Reason) -> list[Event]:
        """The events that follow; `why` is that of an end, as far as its source knows."""
        before = self.phase
        if (before, said) not in TRANSITIONS:
            return self._identify(number)
        events = self._identify(number)
        self.phase, kinds = TRANSITIONS[before, said]
        if self.phase is not before:
            self.before, self.changed_at = before, now
        events += [event for kind in kinds for event in self._events(kind, now, before, why)]
        if self.phase is Phase.RINGING:
            self.heard_at = now
        elif self.phase in TALKED and before not in TALKED:
            self.answered_at = now
        return events

    def _identify(self, number: str | None) -> list[Event]:
        if number is None or self.number is not None:
            return []
        self.number = number
        if self.phase is Phase.IDLE:
            return []
        return [CallIdentified(line=self._line, call=self.id, number=number)]

    def _events(self, kind: type[Event], now: float, before: Phase, why: Reason) -> list[Event]:
        if kind is Began and self.out:
            return [CallDialled(line=self._line, call=self.id, number=self.number or "", why=self.why)]
        if kind is Began:
            return [CallRinging(line=self._line, call=self.id, number=self.number, waiting=self.waiting)]
        if kind is Over:
            return self._ends(now, before, why)
        return [TOLD[kind](line=self._line, call=self.id)]

    def _ends(self, now: float, before: Phase, why: Reason) -> list[Event]:
        talked = before in TALKED
        told: list[Event] = []
        if why is not Reason.LINE_LOST:
            if self.refused and not talked:
                told, why = [CallRefused(line=self._line, call=self.id, why=self.refused)], Reason.REFUSED
            elif self.hung_up:
                why = Reason.OPERATOR
            elif talked:
                why = Reason.CALLER
            elif self.out and why is Reason.CALLER:
                why = Reason.NO_ANSWER if before is Phase.ALERTING else Reason.UNREACHABLE
        if not talked and not self.out and why not in (Reason.OPERATOR, Reason.REFUSED):
            return [CallMissed(line=self._line, call=self.id)]
        seconds = round(max(0.0, now - self.answered_at), 1) if talked else 0.0
        return [*told, CallEnded(line=self._line, call=self.id, seconds=seconds, reason=why)]

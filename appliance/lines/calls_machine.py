"""All calls of one GSM line: whose word it is that a source says, and what a list of all calls corrects.

A word may name its call by the modem's index, by number, by direction, or not at all. What fits two calls changes
neither: the list, asked at every such word and every 2 s, decides. How one call folds is in `call_machine`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from appliance.event import Event
from appliance.lines.call_machine import (
    OUT_ONLY,
    RINGS,
    SETS_UP,
    TALKED,
    Known,
    LiveCall,
    Phase,
    Reason,
    Said,
    concerns,
    same,
)

RING_GAP = 6.0  # s; networks ring every 5 s: silence for longer and the caller gave up
LISTED_GAP = 30.0  # s; where lists show a call they tell its end too: a ring that is late, or a box that stood still
# for a moment, would make two calls of one. A modem that stops to answer is lost sooner than this.
WAITING_GAP = 60.0  # s; a call that waits is told once, and no network lets one wait longer
LATE_LISTING = 1.0  # s after a change in which a list, or another source's word of it, may still come
DOUBT = (
    1.5  # s that lists must contradict what was heard; a fresh call may be missing in the first, one comes every 2 s
)
SUSPICION = 1.0  # s for the list that follows a word of an end which names no call; without a list the word stands
MOST = 8  # calls; 3GPP TS 22.030: one active, one held conference of five, one that waits

FOUND = "found"  # why a call was dialled of which nobody here knows
FOREMOST = (Phase.TALKING, Phase.JOINED, Phase.RINGING, Phase.ALERTING, Phase.DIALLING, Phase.HELD)


class Word(Struct, frozen=True):
    """What one source says. None: it does not say. `why` is that of an end, `waiting` of a call that comes in.

    `among` are the phases that a call must be in to be meant; none: any.
    """

    said: Said
    number: str | None = None
    index: int | None = None
    out: bool | None = None
    why: Reason = Reason.CALLER
    waiting: bool = False
    among: tuple[Phase, ...] = ()


class Listed(Struct, frozen=True):
    """One voice call of +CLCC. `said` is INCOMING, DIALLING, ALERTING, ACTIVE, ALONE, JOINED or HELD."""

    said: Said
    number: str | None = None
    index: int | None = None
    out: bool = False
    waiting: bool = False


SaidOf = TypeVar("SaidOf", Word, Listed)


class Gone(Struct, frozen=True):
    """A call that ended a moment ago."""

    index: int | None
    number: str | None
    out: bool
    at: float


class CallsMachine:
    """All methods return the events that follow, oldest first, mostly none. `new_id` gives each call its name."""

    def __init__(self, line: str, new_id: Callable[[], str], known: Iterable[Known] = ()) -> None:
        self._line, self._new_id = line, new_id
        self.calls: dict[str, LiveCall] = {k.call: LiveCall.known(line, k) for k in known}
        self._gone: list[Gone] = []
        self._ended_at = float("-inf")

    def in_phase(self, *phases: Phase) -> list[LiveCall]:
        """The oldest first."""
        return [call for call in self.calls.values() if call.phase in phases]

    @property
    def foremost(self) -> LiveCall | None:
        """The one that a person means who says "the call"."""
        return min(self.calls.values(), key=lambda call: FOREMOST.index(call.phase), default=None)

    # Time

    @property
    def deadline(self) -> float | None:
        """When `tick` has something to say, if nothing is heard before."""
        return min((at for call in self.calls.values() if (at := _deadline(call)) is not None), default=None)

    def tick(self, now: float) -> list[Event]:
        """Time has passed."""
        late = [call for call in self.calls.values() if (at := _deadline(call)) is not None and now >= at]
        return [event for call in late for event in self._take(call, Said.GONE, now)]

    def line_up(self, now: float) -> None:
        """The modem answers: a call that was ringing before must show itself again."""
        for call in self.in_phase(*RINGS):
            call.heard_at = now if call.heard_at is None else call.heard_at

    def line_lost(self, now: float) -> list[Event]:
        """The modem is gone, and with it whatever was said on it."""
        calls = list(self.calls.values())
        return [event for call in calls for event in self._take(call, Said.GONE, now, why=Reason.LINE_LOST)]

    # What a person does

    def dial(self, call: str, number: str, why: str, now: float) -> list[Event]:
        """We are about to dial; until `dialled` no list can know of it."""
        self.calls[call] = made = LiveCall(self._line, call, out=True, number=number, why=why)
        made.ordered = True
        return self._take(made, Said.DIALLING, now)

    def dialled(self, call: str) -> None:
        """The modem has taken it."""
        if call in self.calls:
            self.calls[call].ordered = False

    def not_dialled(self, call: str, now: float, why: Reason) -> list[Event]:
        """It has not."""
        return self._take(self.calls[call], Said.GONE, now, why=why) if call in self.calls else []

    def hang_up(self, call: str, refused: str = "") -> None:
        """A person ends the call, or does not let it in, for a reason; its end, once heard, is theirs."""
        if call in self.calls:
            self.calls[call].hung_up, self.calls[call].refused = True, refused

    def hang_up_failed(self, call: str) -> None:
        if call in self.calls:
            self.calls[call].hung_up, self.calls[call].refused = False, ""

    # What is heard

    def hear(self, word: Word, now: float) -> list[Event]:
        """One word of one source."""
        word = _plain(word)
        fits = self._fits(word, now)
        if len(fits) != 1:
            return self._begin(word, now) if not fits and self._begins(word, now) else []
        call = fits[0]
        if word.said is Said.GONE and self._is_suspicion(call, word):
            call.suspected_at = now if call.suspected_at is None else call.suspected_at
            call.end = word.why if call.end is Reason.CALLER else call.end
            return []
        return self._take(call, word.said, now, word.number, word.index, word.why)

    @staticmethod
    def _is_suspicion(call: LiveCall, word: Word) -> bool:
        """Not yet an end: the word may be of a call that is not known, or another may follow that says why."""
        why_comes = call.out and call.phase in SETS_UP and word.why is Reason.CALLER and not call.hung_up
        return why_comes or (word.index is None and call.listed and call.index is not None)

    def _fits(self, word: Word, now: float) -> list[LiveCall]:
        """The calls of which the word can speak."""
        able = [c for c in self.calls.values() if word.out in (None, c.out) and same(word.number, c.number)]
        able = [c for c in able if not word.among or c.phase in word.among]
        if word.index is not None:
            named = [c for c in able if c.index == word.index]
            able = named or [c for c in able if c.index is None]
        elif word.said is Said.GONE and now - self._ended_at < LATE_LISTING:
            return []  # most likely the same end in other words; if not, the list will tell
        fits = [c for c in able if concerns(c.phase, word.said)]
        if not fits and word.said is Said.INCOMING and word.number is not None and not word.waiting:
            fits = [c for c in able if not c.out and c.number is None]  # the number came late
        return fits

    def _begins(self, word: Word, now: float) -> bool:
        """Whether the word is the first of a call that was not known."""
        if word.said in (Said.GONE, Said.CONNECTED) or len(self.calls) >= MOST:
            return False
        if word.said is Said.INCOMING and self.in_phase(*RINGS):
            return False  # only one can ring at a time: an end was missed, and the list will tell
        if word.index is not None:
            known = any(c.index == word.index for c in self.calls.values())
            echo = any(g.index == word.index and now - g.at < LATE_LISTING for g in self._gone)
            gone = word.said is not Said.INCOMING and echo
            return not known and not gone and (word.out is not None or word.said in (Said.INCOMING, *OUT_ONLY))
        if word.said is not Said.INCOMING or not self.calls:
            return word.said in (Said.INCOMING, *OUT_ONLY) and not self.calls
        if word.waiting:
            return True
        return word.number is not None and not any(same(c.number, word.number) for c in self.calls.values())

    def _begin(self, word: Word | Listed, now: float) -> list[Event]:
        out = bool(word.out)
        call = LiveCall(self._line, self._new_id(), out=out, number=word.number, why=FOUND if out else "")
        call.waiting = word.said is Said.INCOMING and (word.waiting or bool(self.in_phase(*TALKED, *SETS_UP)))
        call.listed = isinstance(word, Listed)
        self.calls[call.id] = call
        return self._take(call, word.said, now, word.number, word.index)

    def _take(
        self, call: LiveCall, said: Said, now: float, number: str | None = None, index: int | None = None,
        why: Reason | None = None,
    ) -> list[Event]:  # fmt: skip
        known = call.end if call.end is not Reason.CALLER else why
        events = call.take(said, now, number, Reason.LINE_LOST if why is Reason.LINE_LOST else known or Reason.CALLER)
        if call.index is None and index is not None and all(c.index != index for c in self.calls.values()):
            call.index = index
        if call.phase is Phase.IDLE:
            self._forget(call, now)
        return events

    def _forget(self, call: LiveCall, now: float) -> None:
        del self.calls[call.id]
        self._ended_at = now
        self._gone = [*self._gone[-MOST:], Gone(call.index, call.number, call.out, now)]
        if len(self.in_phase(*RINGS)) == len(self.calls):
            for other in self.calls.values():
                if other.waiting:
                    other.waiting, other.heard_at = False, now  # it rings from now on

    # What a list corrects

    def listed(self, rows: Sequence[Listed], now: float, asked: float | None = None) -> list[Event]:
        """All voice calls that the modem has; of two rows of one call the later counts, as a report among them.

        What changed after it was `asked` for is not taken back by it.
        """
        late = LATE_LISTING if asked is None else max(LATE_LISTING, now - asked)
        single = {i if row.index is None else f"index {row.index}": _plain(row) for i, row in enumerate(rows)}.values()
        pairs, extra = self._matched([row for row in single if not self._just_gone(row, now, late)], now, late)
        missing = [c for c in self.calls.values() if c.id not in pairs and not c.ordered]
        events: list[Event] = []
        for name, row in pairs.items():
            events += self._confirmed(self.calls[name], row, now, late)
        for call in missing:
            rival = next((row for row in extra if row.out == call.out and None in (row.index, call.index)), None)
            call.doubted_at = now if call.doubted_at is None else call.doubted_at
            if (call.listed and rival is None) or now - call.doubted_at >= DOUBT:
                events += self._take(call, Said.GONE, now)
            elif rival is not None:
                extra.remove(rival)  # it may be this one
        for row in sorted(extra, key=lambda row: row.said is Said.INCOMING)[: max(0, MOST - len(self.calls))]:
            events += self._begin(row, now)
        return events

    def _confirmed(self, call: LiveCall, row: Listed, now: float, late: float) -> list[Event]:
        call.listed, call.doubted_at, call.suspected_at = True, None, None
        if not call.was_a_moment_ago(row.said, now, late):
            return self._take(call, row.said, now, row.number, row.index)
        return self._take(call, Said.NOTHING, now, row.number, row.index)

    def _matched(self, rows: list[Listed], now: float, late: float) -> tuple[dict[str, Listed], list[Listed]]:
        """Which row is which call's, and the rows of which no call is known: by index, else by number, else by what
        it is. A row that says what its call cannot be speaks of another.
        """
        pairs: dict[str, Listed] = {}
        for fits in (_by_index, _by_number, _by_kind):
            for row in list(rows):
                for call in self.calls.values():
                    may_be = call.may_be(row.said) or call.was_a_moment_ago(row.said, now, late)
                    free = call.id not in pairs and call.out == row.out and same(call.number, row.number)
                    if free and may_be and fits(call, row):
                        pairs[call.id] = row
                        rows.remove(row)
                        break
        return pairs, rows

    def _just_gone(self, row: Listed, now: float, late: float) -> bool:
        """The list is from before its end."""
        live = any(c.index == row.index for c in self.calls.values() if row.index is not None)
        return not live and any(
            now - g.at < late and g.out == row.out and same(g.number, row.number) and (
                None in (g.index, row.index) or g.index == row.index
            )
            for g in self._gone
        )  # fmt: skip


def _plain(said: SaidOf) -> SaidOf:
    """With the direction that goes without saying."""
    out = True if said.said in OUT_ONLY else False if said.said is Said.INCOMING else said.out
    return said if out is said.out else replace(said, out=out)


def _deadline(call: LiveCall) -> float | None:
    """When silence is its end."""
    ring = None if call.phase not in RINGS or call.heard_at is None else call.heard_at + (
        WAITING_GAP if call.waiting else LISTED_GAP if call.listed else RING_GAP
    )  # fmt: skip
    suspicion = None if call.suspected_at is None else call.suspected_at + SUSPICION
    return min((at for at in (ring, suspicion) if at is not None), default=None)


def _by_index(call: LiveCall, row: Listed) -> bool:
    return row.index is not None and call.index == row.index


def _by_number(call: LiveCall, row: Listed) -> bool:
    return _by_kind(call, row) and bool(call.number and row.number)


def _by_kind(call: LiveCall, row: Listed) -> bool:
    return None in (call.index, row.index)

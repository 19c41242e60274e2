"""Mains as its witnesses say: how long each says what, and when that makes a suspicion, an outage or its end.

Two independent witnesses make an outage. A witness counts by its measurements only, from the first that says so to the
last: one bad value, a lost link and the start of the box are no outage.
"""

from collections.abc import Iterable, Sequence

import msgspec

from appliance import power_events as pw
from appliance.event import Event
from appliance.model import Mains

BOTH_S = 1.0  # s that the first of two witnesses must say "lost"; a flicker that no lamp minds is over by then
ONE_S = 3.0  # s of one witness, which another contradicts, until it is a suspicion
ALONE_S = 3.0  # s of one that nobody contradicts until it is an outage; a UPS is back 2.7 s after a flicker of 0.5 s
TRANSFER_S = 15.0  # s; while a set turns, a transfer takes a UPS's input away for a moment: that is no suspicion
RETURN_S = 3.0  # s that all who speak must say "present"
JITTER_S = 0.1  # s that two polls may be closer together than their interval


class Held:
    """How long something was measured without a break: from the first sample to the last, never beyond."""

    def __init__(self) -> None:
        self.first = self._last = 0.0  # `first` holds while it is measured
        self._samples = 0

    def see(self, so: object, at: float) -> None:
        """A sample taken `at`; the same one again changes nothing."""
        if not so:
            self._samples = 0
        elif not self._samples:
            self.first = self._last = at
            self._samples = 1
        elif at > self._last:
            self._last = at
            self._samples += 1

    @property
    def twice(self) -> bool:
        """One bad value is none."""
        return self._samples >= 2

    def lasts(self, seconds: float) -> bool:
        """At least two samples, the last `seconds` after the first."""
        return self.twice and self._last - self.first >= seconds - JITTER_S


class Witness(msgspec.Struct, frozen=True):
    """What one device says of the mains. `present` None: it cannot say."""

    name: str  # "genset/g1", "ups/u1"
    present: bool | None
    at: float


class MainsWatch:
    """Mains from its witnesses."""

    def __init__(self, believed: Mains) -> None:
        self.believed = believed
        self.known = False  # whether any witness speaks
        self._doubted = False
        self._lost: dict[str, Held] = {}
        self._returned = Held()

    @property
    def doubted(self) -> bool:
        """A witness says "lost", and it is not decided yet."""
        return self._doubted and self.believed is not Mains.LOST

    def step(self, witnesses: Sequence[Witness], turning: bool) -> list[Event]:
        """`turning`: some engine turns, so a UPS alone may only be seeing a transfer."""
        for w in witnesses:
            self._lost.setdefault(w.name, Held()).see(w.present is False, w.at)
        lost = [w for w in witnesses if w.present is False]
        present = [w for w in witnesses if w.present]
        self.known = bool(lost or present)
        self._doubted = bool(lost)
        self._returned.see(present and not lost, max((w.at for w in present), default=0.0))
        match self.believed:
            case Mains.UNKNOWN if present and not lost:
                return self._now(Mains.PRESENT, pw.MainsPresent(by=_names(present)))
            case Mains.LOST | Mains.SUSPECT if self._returned.lasts(RETURN_S):
                return self._now(Mains.PRESENT, pw.MainsReturned(by=_names(present)))
            case Mains.LOST:
                return []
        if by := self._outage(lost, present, turning):
            return self._now(Mains.LOST, pw.MainsLost(witnesses=len(by), by=_names(by)))
        suspects = [w for w in lost if self._said_for(w, TRANSFER_S if turning and _is_ups(w) else ONE_S)]
        if suspects and self.believed is not Mains.SUSPECT:
            return self._now(Mains.SUSPECT, pw.MainsSuspected(by=suspects[0].name))
        return []

    def _outage(self, lost: list[Witness], present: list[Witness], turning: bool) -> list[Witness]:
        """The witnesses that make an outage, or none. Two of one kind may hang on one fuse, and are not independent.

        Nor is a UPS while a set turns that started by a blown fuse: it sees the set take the load from a good mains.
        Who was not heard since the first of them spoke, contradicts nobody: its word is from before. The second says it
        twice; one who joins a suspicion, which may be a blown fuse, says it as long as the first did.
        """
        both = [w for w in lost if self._said_for(w, BOTH_S)]
        if both and self.believed is not Mains.SUSPECT:  # two bad frames in a row make the second one late
            both = [w for w in lost if self._lost[w.name].twice]
        contradicted = self._contradicted(both, present)
        transfer = turning and (contradicted or self.believed is Mains.SUSPECT)
        sure = [w for w in both if not (transfer and _is_ups(w)) or self._said_for(w, TRANSFER_S)]
        if len({kind_of(w) for w in sure}) >= 2 or (len(sure) >= 2 and not contradicted):
            return both
        alone = [w for w in lost if self._said_for(w, ALONE_S)]
        if len(alone) < len(lost):
            return []  # a second one is about to be believed
        return [] if self._contradicted(alone, present) else alone

    def _contradicted(self, lost: list[Witness], present: list[Witness]) -> bool:
        began = min((self._lost[w.name].first for w in lost), default=0.0)
        return any(w.at > began for w in present)

    def _said_for(self, witness: Witness, seconds: float) -> bool:
        return self._lost[witness.name].lasts(seconds)

    def _now(self, mains: Mains, event: Event) -> list[Event]:
        self.believed = mains
        return [event]


def kind_of(witness: Witness) -> str:
    """Two of one kind may hang on one fuse."""
    return witness.name.partition("/")[0]


def _is_ups(witness: Witness) -> bool:
    return kind_of(witness) == "ups"


def _names(witnesses: Iterable[Witness]) -> tuple[str, ...]:
    return tuple(w.name for w in witnesses)

"""One row of the call log: a call's events, in the journal's order, folded into what became of it."""

from collections.abc import Iterable
from typing import Any

import msgspec

from appliance.desk_view import CallRow, Recording
from appliance.fold_desk import DRILL, by_person, gave


class Told(msgspec.Struct, frozen=True):
    """One row of the journal. `body` holds the event's own fields."""

    seq: int
    wall: float
    mono: float
    boot: str
    kind: str
    actor: str
    body: dict[str, Any]

    def behind(self, earlier: "Told") -> float:
        """Seconds since: by the monotonic clock within one boot, else by the wall clocks, never negative."""
        return max(0.0, self.mono - earlier.mono if self.boot == earlier.boot else self.wall - earlier.wall)


class OfCall(msgspec.Struct):
    """What the events say, before it is put into a row."""

    began: Told
    answered: Told | None = None
    taken: Told | None = None
    greeted: bool = False
    refused: str = ""
    ended: Told | None = None
    persons: list[str] = []
    recordings: dict[str, Recording] = {}


def row_of(began: Told, later: Iterable[Told], alerts: Iterable[Told] = ()) -> CallRow:
    """The row of a call. `began` is its call.ringing or call.dialled, `alerts` the orders given at any time."""
    seen, out = OfCall(began), began.kind == "call.dialled"
    extra: dict[str, Any] = {"number": began.body.get("number") or "", "why": began.body.get("why", "") if out else ""}
    for told in later:
        match told.kind:
            case "call.identified":
                extra["number"] = extra["number"] or told.body["number"]
            case "call.answered":
                seen.answered = seen.answered or told
                if not out and by_person(told.actor):
                    seen.taken = seen.taken or told
                    seen.persons.append(told.actor)
            case "call.greeted":
                seen.greeted = True
            case "call.taken":
                seen.taken = seen.taken or told
                seen.persons.append(told.actor)
                extra["place"] = told.body.get("place", "")
            case "call.refused":
                seen.refused = told.body["why"]
            case "call.missed" | "call.ended":
                seen.ended = told
            case "call.marked":
                extra["mark"] = told.body["mark"]
            case "call.noted":
                extra["note"] = told.body["text"]
            case "call.recorded":
                seen.recordings[told.body["file"]] = Recording(
                    told.body["file"], told.body["seconds"], told.body["octets"], told.body["sha256"]
                )
            case "call.recording_removed":
                seen.recordings.pop(told.body["file"], None)
                extra["recording_removed"] = told.body["why"]
            case "call.of_drill":
                extra["why"] = DRILL
            case "callback.done":
                extra["call_back"] = told.body["why"]
    return _row(seen, out, extra, alerts)


def _row(seen: OfCall, out: bool, extra: dict[str, Any], alerts: Iterable[Told]) -> CallRow:
    began, ended = seen.began, seen.ended
    person = began if out else seen.taken
    connected = seen.answered if out else seen.taken
    reason = ended.body.get("reason", "") if ended else ""
    given = [
        a.body["alert"]
        for a in alerts
        if connected
        and person
        and gave(person.actor, a.actor)
        and connected.seq < a.seq
        and (ended is None or a.seq < ended.seq)
    ]
    return CallRow(
        call=began.body["call"],
        line=began.body["line"],
        number=extra.pop("number"),
        direction="out" if out else "in",
        wall=began.wall,
        outcome=_outcome(seen, out, reason),
        why=extra.pop("why") or seen.refused or reason,
        waited_s=round(connected.behind(began), 2) if connected else None,
        greeted=seen.greeted,
        talked_s=round(ended.behind(connected), 1) if ended and connected else None,
        person=person.actor if person else "",
        ended=ended.wall if ended else None,
        alerts=tuple(given),
        persons=tuple(dict.fromkeys(filter(None, [began.actor if out else "", *seen.persons]))),
        recordings=_in_order(seen.recordings.values()),
        **extra,
    )


def _outcome(seen: OfCall, out: bool, reason: str) -> str:
    if out:
        return "out"
    if seen.taken:
        return "answered"
    if seen.ended is None:
        return "open"
    turned_away = seen.answered is None and reason in ("operator", "refused")
    return "refused" if seen.refused or turned_away else "abandoned"


def _in_order(recordings: Iterable[Recording]) -> tuple[Recording, ...]:
    """As they were made: their names begin with the time."""
    return tuple(sorted(recordings, key=lambda r: r.file.rpartition(".")[0]))

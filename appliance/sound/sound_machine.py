"""Which sound goes where: pure. From the calls, the places of people and what the box says follow the bridges.

A line's modem has one way for sound, whichever of its calls is talked on; so one call a line carries it, and a
conference is carried by its oldest call. A bridge has the id of its call.
"""

from collections.abc import Iterable, Iterator, Mapping, Set

import msgspec

from appliance.audio_protocol import Close, End, EndKind, Leave, Open, Speech, Stream
from appliance.model import CallPhase
from appliance.state import Call

LINE = "line"  # the end of the line in each bridge
BOX = "box"  # the end that speaks for the box
HEADSET = "headset"
STREAM = "stream:"  # and the key of a browser's stream

CARRYING = (CallPhase.TALKING, CallPhase.JOINED, CallPhase.DIALLING, CallPhase.ALERTING)
HEARD = (CallPhase.TALKING, CallPhase.JOINED)  # somebody is at the other side


class Rules(msgspec.Struct, frozen=True):
    """What stands in the site file. `hold` is said to one that is held."""

    lines: Mapping[str, EndKind]
    headset: EndKind | None
    hold: Speech


class Now(msgspec.Struct, frozen=True):
    """`people`: call to place ("headset", "stream:KEY"), the latest placed last. `says`: what the box says to a call.

    `apart`: calls that others use the sound of. `records`: where each call's recording goes.
    """

    people: Mapping[str, str]
    says: Mapping[str, Speech]
    muted: Set[str] = frozenset()
    apart: Set[str] = frozenset()
    records: Mapping[str, str] = {}
    reopening: Set[str] = frozenset()  # calls whose line's end is out for a moment, to be opened anew


def carriers(calls: Iterable[Call]) -> dict[str, Call]:
    """The call that has each line's sound, by line."""
    found: dict[str, Call] = {}
    for call in sorted(calls, key=lambda c: (c.phase not in CARRYING, c.began.seq)):
        if call.phase in (*CARRYING, CallPhase.HELD):
            found.setdefault(call.line, call)
    return found


def wanted(calls: Iterable[Call], now: Now, rules: Rules) -> dict[str, Open]:
    """The bridges that must be, by call. Held calls that lost the line's sound keep a bridge: their recording waits."""
    live = [call for call in calls if call.live and call.id not in now.apart and call.line in rules.lines]
    carrying = {call.id: call for call in carriers(live).values()}
    talkers = _talkers(live, carrying, now)
    bridges = {}
    for call in live:
        if call.id in carrying:
            ends = tuple(_ends(call, talkers.get(call.id, ()), now, rules))
        elif call.phase is CallPhase.HELD and call.id in now.records:
            ends = ()
        else:
            continue
        bridges[call.id] = Open(call.id, ends, now.records.get(call.id, ""))
    return bridges


def _talkers(live: list[Call], carrying: Mapping[str, Call], now: Now) -> dict[str, list[str]]:
    """Who is in which bridge. A place that was joined to several calls is with the latest that can be talked on."""
    of = {call.id: call for call in live}
    at: dict[str, str] = {}
    for name, place in now.people.items():
        if (call := of.get(name)) is None or call.phase is CallPhase.HELD:
            continue
        if call.phase is CallPhase.JOINED:
            name = next((c.id for c in carrying.values() if c.line == call.line), name)
        if name in carrying:
            at[place] = name
    talkers: dict[str, list[str]] = {}
    for place, name in at.items():
        talkers.setdefault(name, []).append(place)
    return talkers


def _ends(call: Call, places: Iterable[str], now: Now, rules: Rules) -> Iterator[End]:
    if call.id not in now.reopening:
        yield End(LINE, rules.lines[call.line], side="line", keys=True, watched=call.phase in HEARD)
    for place in places:
        if (kind := _kind(place, rules)) is not None:
            yield End(place, kind, side="person", mute=call.id in now.muted, watched=False)
    if call.phase is CallPhase.HELD:
        yield End(BOX, rules.hold, side="person")
    elif says := now.says.get(call.id):
        yield End(BOX, says, side="person")


def _kind(place: str, rules: Rules) -> EndKind | None:
    if place == HEADSET:
        return rules.headset
    return Stream(place.removeprefix(STREAM)) if place.startswith(STREAM) else None


def steps(want: Mapping[str, Open], said: Mapping[str, Open]) -> list[Leave | Close | Open]:
    """What is to be said so that `said` becomes `want`. A device is let go of in one bridge before another takes it."""
    leaves = [
        Leave(name, end.end)
        for name, before in said.items()
        if name in want
        for end in before.ends
        if end.end not in {e.end for e in want[name].ends}
    ]
    closes = [Close(name) for name in said if name not in want]
    opens = [open_ for name, open_ in want.items() if said.get(name) != open_]
    return [*leaves, *closes, *opens]


def left(open_: Open, end: str) -> Open:
    """The bridge without that end."""
    return msgspec.structs.replace(open_, ends=tuple(e for e in open_.ends if e.end != end))

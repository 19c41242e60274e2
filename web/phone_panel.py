"""The telephone on the page: who waits, who is talked with and where, who was just talked with, and what is offered.

A call is one card from its ring to the minutes after its end. How long each lasts is counted by the page itself, from
the box's own seconds, so that a card is drawn anew only when something happened to it.
"""

from typing import Any, NamedTuple

from appliance.desk_state import PastCall
from appliance.desk_view import CallerView, DeskView, WaitingView
from appliance.model import CallPhase
from appliance.stamp import Stamp
from appliance.state import Call
from appliance.view import View
from web.scene import Mark, Scene

AFTER_S = 180.0  # s that an ended call stays on the page, for its mark and its note
PAST_SHOWN = 3  # earlier calls of a number that a ring tells of; three fit a card
MARKS = ("emergency", "question", "ghost", "prank")
GOING = (CallPhase.DIALLING, CallPhase.ALERTING)
TALKING = (CallPhase.TALKING, CallPhase.JOINED)
RINGS = (CallPhase.RINGING, CallPhase.WAITING)
ORDER = {  # of the cards below those who wait
    "talking": 0,
    "going": 1,
    "held": 2,
    "after": 3,
}
SHAPES = {"waiting": "phone", "talking": "sound", "going": "out", "held": "pause", "after": "done"}


class Card(NamedTuple):
    """`kind`: waiting, talking, going, held, after. `since` in the box's monotonic seconds; `person` who took it."""

    id: str
    line: str
    kind: str
    mark: Mark
    number: str
    name: str
    since: float
    seconds: int
    detail: str
    history: str
    past: tuple[str, ...]
    person: str
    told: str  # what the call was marked as
    note: str
    keys: str
    ghost: bool
    first: bool  # of those who wait: the one that is answered next
    others: bool  # the line has other calls: swap and join make sense
    joined: bool
    muted: bool  # its person is not heard
    back: str  # the number to call again, of one that is over


def phone_panel(scene: Scene) -> dict[str, Any]:
    desk = scene.view.desk or DeskView()
    cards = _cards(scene, desk) if scene.live else []
    waiting = [card for card in cards if card.kind == "waiting"]
    return {
        "waiting": waiting,
        "cards": [card for card in cards if card.kind != "waiting"],
        "marks": MARKS,
        "free": _free(scene),
        "full": scene.live and not _free_lines(scene.view),
        "overflowed": scene.words("phone.overflowed", clock=scene.clock(desk.overflowed)) if desk.overflowed else "",
    }


def phone_inputs(view: View) -> object:
    """What the panel is drawn from; an ended call leaves it after a while."""
    desk = view.desk or DeskView()
    lines = [(line.id, line.name, line.can_take_call, line.link and line.link.up) for line in view.lines]
    calls = live_calls(view), muted_calls(view), _after(view)
    return calls, desk.queue, desk.callers, desk.ghost_offers, desk.overflowed, lines


def levels_panel(scene: Scene) -> dict[str, Any]:
    """How loud line and person are, by call: numbers for the page's meters, and nothing is drawn for them."""
    return {"levels": scene.view.sound.levels if scene.view.sound and scene.live else {}}


def muted_calls(view: View) -> tuple[str, ...]:
    return view.sound.muted if view.sound else ()


def live_calls(view: View) -> list[Call]:
    """Every call that is not over, oldest first."""
    calls = {call.id: call for call in view.calls}
    for line in view.lines:
        calls |= {call.id: call for call in (line.call, *line.calls) if call is not None}
    return sorted((call for call in calls.values() if call.live), key=lambda call: call.began.seq)


def waiting_calls(view: View) -> list[WaitingView]:
    """Who waits, the longest first. A box without a desk counts every ring."""
    if view.desk is not None:
        return list(view.desk.queue)
    rings = [call for call in live_calls(view) if call.phase in RINGS]
    return [WaitingView(call.line, call.id, call.number or "", call.began) for call in rings]


def _after(view: View) -> list[Call]:
    """Calls that were talked and are just over: the newest of each person."""
    newest: dict[str, Call] = {}
    for call in sorted(view.calls, key=lambda call: call.since.seq):
        if not call.live and call.taken is not None and 0 <= view.at - call.since.mono < AFTER_S:
            newest[call.taken.actor] = call
    return list(newest.values())


def _cards(scene: Scene, desk: DeskView) -> list[Card]:
    view = scene.view
    calls = {call.id: call for call in live_calls(view)}
    cards = []
    for n, wait in enumerate(waiting_calls(view)):
        call = calls.pop(wait.call, None) or Call(
            wait.line, wait.call, wait.number or None, CallPhase.RINGING, wait.since, wait.since
        )
        cards.append(_card(scene, desk, call, "waiting", wait, first=n == 0))
    rest = [_card(scene, desk, call, _kind(call)) for call in calls.values()]
    rest += [_card(scene, desk, call, "after") for call in _after(view)]
    return cards + sorted(rest, key=lambda card: ORDER.get(card.kind, 0))


def _kind(call: Call) -> str:
    """A call that no queue has is somebody's."""
    if call.phase in GOING:
        return "going"
    return "held" if call.phase is CallPhase.HELD else "talking"


def _card(
    scene: Scene, desk: DeskView, call: Call, kind: str, wait: WaitingView | None = None, *, first: bool = False
) -> Card:
    caller = desk.callers.get(call.id) or CallerView(call.number or "")
    since = _since(call, kind, wait)
    others = any(other.id != call.id and other.line == call.line for other in live_calls(scene.view))
    mark = Mark(SHAPES[kind], _word(scene, call, kind, wait))
    return Card(
        call.id, call.line, kind, mark, scene.number(call.number or None), caller.name if scene.known else "",
        since.mono, int(scene.since(since)), _detail(scene, call, wait), _history(scene, caller), _past(scene, caller),
        call.taken.actor if call.taken else "", call.mark, call.note if scene.known else "",
        call.keys if scene.known else "", call.id in desk.ghost_offers and kind == "talking", first, others,
        call.phase is CallPhase.JOINED, call.id in muted_calls(scene.view),
        call.number if scene.known and kind == "after" and call.number else "",
    )  # fmt: skip


def _since(call: Call, kind: str, wait: WaitingView | None) -> Stamp:
    """What the card counts from: of one that waits its first ring, of one that is talked since a person took it."""
    if wait is not None:
        return wait.since
    if kind == "talking":
        return call.taken or call.answered or call.since
    return call.since


def _word(scene: Scene, call: Call, kind: str, wait: WaitingView | None) -> str:
    if wait is not None and wait.greeted is not None:
        return scene.words.code("call.phase", CallPhase.WAITING)
    if kind == "after":
        return scene.words("phone.over", clock=scene.clock(call.since))
    return scene.words.code("call.phase", call.phase)


def _detail(scene: Scene, call: Call, wait: WaitingView | None) -> str:
    """By which line, and where: never what a card says otherwise."""
    words = scene.words
    parts = [scene.name(call.line)]
    if wait is not None and wait.greeted is not None:
        parts.append(words("phone.spoken") if wait.spoken else words("phone.greeted"))
    if wait is not None and wait.behind:
        parts.append(words("phone.behind"))
    if call.direction == "out":
        parts.append(words.code("phone.why", call.why or "person"))
    if call.taken is not None and wait is None:
        place = words.code("phone.place", call.place) if call.place else words("phone.no_place")
        parts.append(words("phone.with", who=call.taken.actor, place=place))
    return " · ".join(parts)


def _history(scene: Scene, caller: CallerView) -> str:
    """What is remembered of the number, in a line."""
    words = scene.words
    parts = []
    if caller.blocked:
        parts.append(words("caller.blocked"))
    if caller.pranks:
        parts.append(words("caller.pranks", count=caller.pranks))
    if caller.calls:
        parts.append(words("caller.calls", count=caller.calls))
    elif caller.number:
        parts.append(words("caller.first"))
    return " · ".join(parts)


def _past(scene: Scene, caller: CallerView) -> tuple[str, ...]:
    return tuple(_past_call(scene, past) for past in caller.last[:PAST_SHOWN]) if scene.known else ()


def _past_call(scene: Scene, past: PastCall) -> str:
    words = scene.words
    parts = [scene.clock(past.at), words.code("calls.outcome", past.outcome)]
    if past.mark:
        parts.append(words.code("mark", past.mark))
    if past.alerts:
        parts.append(words("caller.alerts", count=len(past.alerts)))
    if past.note:
        parts.append(f"“{past.note}”")
    return " · ".join(parts)


def _free_lines(view: View) -> int:
    """How many lines could take a call now."""
    busy = {call.line for call in live_calls(view)}
    able = [x for x in view.lines if x.can_take_call not in ("no", "unknown") and (x.link is None or x.link.up)]
    return sum(1 for x in able if x.id not in busy)


def _free(scene: Scene) -> str:
    if not scene.live:
        return scene.words("phone.unknown")
    return scene.words("phone.free", free=_free_lines(scene.view), count=len(scene.view.lines))

"""The alarm page's live part: what stands, each with what follows from it beneath, what is put aside, and the load."""

from typing import Any, NamedTuple

from appliance.alarm_view import AlarmsSummary, AlarmView, OutView, ShelfView
from web.alarm_panel import SHAPES, about_words, action_of, alarm_text
from web.scene import Mark, Scene

MINUTES = (15, 30, 60, 120, 240, 480)  # that a shelf may last; the longest is a shift
CONDITIONS = {  # shape and tone of each; an unacknowledged one has its priority's
    "acknowledged": ("half", ""),
    "returned": ("done", ""),
    "suppressed": ("none", "dim"),
    "shelved": ("pause", "dim"),
    "out_of_service": ("pause", "dim"),
}
HIGH = 24  # of the drawing of the day's load
MANY_AN_HOUR = 12  # one in five minutes, what ISA-18.2 gives a person at most for long


class Row(NamedTuple):
    """`id` is an element's; `condition` as in AlarmView; `below` are the rows that follow from this one."""

    id: str
    alarm: str
    about: str
    priority: int
    mark: Mark
    condition: str
    text: str
    since: str
    notes: tuple[str, ...]
    told: tuple[str, ...]
    action: str
    first_out: bool
    may_acknowledge: bool
    below: tuple["Row", ...]


class Aside(NamedTuple):
    """What a person has put aside. `path` ends it."""

    alarm: str
    about: str
    text: str
    told: str
    reason: str
    standing: bool
    path: str


class Bar(NamedTuple):
    x: int
    y: float
    height: float
    many: bool


def board_panel(scene: Scene) -> dict[str, Any]:
    view, summary = scene.view, scene.view.alarm_summary
    by_key = {alarm.key: alarm for alarm in view.alarms}
    counted = [a for a in view.alarms if a.counts]
    # What follows from one that is hidden itself still has a row, so that nothing is out of sight.
    under = [a for a in view.alarms if a.condition == "suppressed"]
    orphans = [a for a in under if a.under not in by_key or not by_key[a.under].counts]
    rows = [_row(scene, alarm, under) for alarm in sorted(counted + orphans, key=_order)]
    return {
        "rows": rows,
        "asides": [*(_shelf(scene, s) for s in summary.shelved), *(_out(scene, o) for o in summary.out)],
        "counts": _counts(scene, summary),
        "flood": _flood(scene, summary),
        "bars": _bars(summary.hours),
        "load": scene.words("board.load", now=summary.hours[-1] if summary.hours else 0, day=sum(summary.hours)),
        "sounding": summary.sounding and scene.live,
        "silenced": scene.words("board.silenced_by", who=summary.silenced_by) if summary.silenced_by else "",
        "quiet_start": summary.quiet_start,
        "rota": [(d.person, d.level, d.on) for d in summary.rota] if scene.known else [],
    }


def _order(alarm: AlarmView) -> tuple[bool, bool, int, int]:
    """What nobody has seen first, then by priority, the newest first."""
    return alarm.acknowledged is not None, alarm.cleared is not None, alarm.priority, -alarm.raised.seq


def _row(scene: Scene, alarm: AlarmView, under: list[AlarmView]) -> Row:
    words = scene.words
    shape, tone = CONDITIONS.get(alarm.condition, (SHAPES.get(alarm.priority, "p3"), f"p{alarm.priority}"))
    notes = []
    if alarm.acknowledged:
        who, clock = alarm.acknowledged.actor, scene.clock(alarm.acknowledged)
        notes.append(words("alarm_acknowledged", who=who, clock=clock) + (f": {alarm.note}" if alarm.note else ""))
    if alarm.cleared:
        notes.append(words("board.returned", clock=scene.clock(alarm.cleared)))
    if alarm.chattering:
        notes.append(words("board.chatters", count=alarm.chattering))
    if alarm.tell == "none":
        notes.append(words("board.told_nobody"))
    below = tuple(_row(scene, a, []) for a in under if a.under == alarm.key)
    return Row(
        f"board-{alarm.key}".replace("/", "-").replace(".", "-"), alarm.alarm, alarm.about, alarm.priority,
        Mark(shape, words.code("board.condition", alarm.condition), tone), alarm.condition, alarm_text(scene, alarm),
        f"{scene.clock(alarm.raised)} · {scene.span(alarm.raised)}", tuple(notes), _told(scene, alarm),
        action_of(scene, alarm), alarm.first_out and len(scene.view.alarms) > 1,
        alarm.condition in ("unacknowledged", "returned"), below,
    )  # fmt: skip


def _told(scene: Scene, alarm: AlarmView) -> tuple[str, ...]:
    """Who was told by SMS, and who could not be; names are for those who are logged in."""
    words = scene.words
    told = [t for t in alarm.told if t.at.wall >= alarm.raised.wall]  # one that came again was told of before too
    if not scene.known:
        return (words("board.told_count", count=len(told)),) if told else ()
    return tuple(
        words(
            "board.told_not" if t.why else "board.told", who=t.person, clock=scene.clock(t.at),
            what=words.code("board.what", t.what), why=words.code("board.told_why", t.why),
        )
        for t in told
    )  # fmt: skip


def _text_of(scene: Scene, alarm: str, about: str) -> str:
    text = scene.words.code("alarm", alarm)
    told = about_words(scene, about) if about else scene.words("board.all_of_code")
    return f"{text} · {told}" if told and told.casefold() not in text.casefold() else text


def _shelf(scene: Scene, shelf: ShelfView) -> Aside:
    left = scene.words.span(shelf.until - scene.wall)
    told = scene.words("board.shelved", left=left, who=shelf.by, clock=scene.words.clock(shelf.since, scene.wall))
    text = _text_of(scene, shelf.alarm, shelf.about)
    return Aside(shelf.alarm, shelf.about, text, told, shelf.reason, shelf.standing, "/alarm/unshelve")


def _out(scene: Scene, out: OutView) -> Aside:
    told = scene.words("board.out", who=out.by, clock=scene.words.clock(out.since, scene.wall))
    text = _text_of(scene, out.alarm, out.about)
    return Aside(out.alarm, out.about, text, told, out.reason, out.standing > 0, "/alarm/in-service")


def _counts(scene: Scene, summary: AlarmsSummary) -> list[tuple[str, int]]:
    counts = [
        ("unacknowledged", summary.unacknowledged), ("standing", summary.standing),
        ("suppressed", summary.suppressed), ("shelved", len(summary.shelved)), ("out", len(summary.out)),
    ]  # fmt: skip
    if summary.forgotten:
        counts.append(("forgotten", summary.forgotten))
    return [(scene.words(f"board.count.{name}"), count) for name, count in counts]


def _flood(scene: Scene, summary: AlarmsSummary) -> str:
    if not summary.flood:
        return ""
    since = scene.words.clock(summary.flood_since, scene.wall) if summary.flood_since else "---"
    return scene.words("board.flood", count=summary.last_10min, clock=since)


def _bars(hours: tuple[int, ...]) -> list[Bar]:
    """The last day's load, an hour each, on a scale that reaches at least to what is too many."""
    most = max([MANY_AN_HOUR, *hours])
    heights = [round(HIGH * count / most, 1) for count in hours]
    return [
        Bar(i * 6, round(HIGH - high, 1), high, count > MANY_AN_HOUR)
        for i, (high, count) in enumerate(zip(heights, hours, strict=True))
    ]

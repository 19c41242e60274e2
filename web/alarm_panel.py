"""The alarm banner: the highest first, the rest one press away, and above all that core does not answer."""

from typing import Any, NamedTuple

from appliance.alarm_view import AlarmView as Alarm
from web.scene import Scene
from web.station_panel import revoked_words

SHAPES = {1: "p1", 2: "p2", 3: "p3"}


class AlarmRow(NamedTuple):
    key: str
    alarm: str
    about: str
    priority: int
    shape: str
    text: str
    since: str
    state: str  # "new", "acknowledged", "cleared"
    told: str
    action: str  # what follows and what to do


def alarm_panel(scene: Scene) -> dict[str, Any]:
    rows = [_row(scene, alarm) for alarm in ordered([a for a in scene.view.alarms if a.counts])]
    summary = scene.view.alarm_summary
    return {
        "flood": scene.words("alarms.flood", count=summary.last_10min) if summary.flood and scene.live else "",
        "sounding": summary.sounding and scene.live,
        "first": rows[0] if rows else None,
        "more": rows[1:],
        "silent": None if scene.live else _silent(scene),
        "disk": scene.words("disk_failed", kept=scene.view.disk_kept) if scene.view.disk_failed else "",
        "new": sum(1 for r in rows if r.state == "new"),
    }


def ordered(alarms: list[Alarm]) -> list[Alarm]:
    """What nobody has seen first, then by priority, the newest first: the bar must not hide what is new."""
    return sorted(alarms, key=lambda a: (a.acknowledged is not None, a.cleared is not None, a.priority, -a.raised.seq))


def alarm_text(scene: Scene, alarm: Alarm) -> str:
    """What the alarm says, and of what."""
    text = scene.words.code("alarm", alarm.alarm)
    if alarm.alarm == "station.offline" and (why := _revoked(scene, alarm.about)):
        text = why
    about = about_words(scene, alarm.about)
    return f"{text} · {about}" if about and about.casefold() not in text.casefold() else text


def _revoked(scene: Scene, station: str) -> str:
    """A station without a key is silent by a person's word, and not by a fault."""
    found = next((s.revoked for s in scene.view.stations if s.id == station), None)
    return revoked_words(scene, found) if found is not None else ""


def about_words(scene: Scene, about: str) -> str:
    """The names of what an alarm is about."""
    return " · ".join(scene.name(part) for part in about.split("/") if part and not _is_id(part))


def _is_id(part: str) -> bool:
    """An alert's id is no word."""
    return len(part) == 16 and all(c in "0123456789abcdef" for c in part)


def _row(scene: Scene, alarm: Alarm) -> AlarmRow:
    words = scene.words
    if alarm.cleared:
        state, told = "cleared", words("alarm_cleared", clock=scene.clock(alarm.cleared))
    elif alarm.acknowledged:
        who = alarm.acknowledged.actor
        state, told = "acknowledged", words("alarm_acknowledged", who=who, clock=scene.clock(alarm.acknowledged))
    else:
        state, told = "new", ""
    return AlarmRow(
        f"{alarm.alarm}-{alarm.about}", alarm.alarm, alarm.about, alarm.priority, SHAPES.get(alarm.priority, "p3"),
        alarm_text(scene, alarm), f"{scene.clock(alarm.raised)} · {scene.span(alarm.raised)}", state, told,
        action_of(scene, alarm),
    )  # fmt: skip


def action_of(scene: Scene, alarm: Alarm) -> str:
    """What follows and what to do, while it stands."""
    key = f"alarm_step.{alarm.alarm}"
    if alarm.alarm == "station.offline" and _revoked(scene, alarm.about):
        key = "station.revoked_do"
    if alarm.alarm == "line.down":
        why = next((line.why for line in scene.view.lines if line.id == alarm.about), "")
        key = f"line_step.{why}" if scene.words.has(f"line_step.{why}") else key
    now = f"alarm_now.{alarm.alarm}.{_feeds(scene)}"
    key = now if scene.words.has(now) else key
    return scene.words(key) if scene.words.has(key) and not alarm.cleared else ""


def _feeds(scene: Scene) -> str:
    """What feeds the load now, "" where nobody says: what was right to do when an alarm began may be so no more."""
    power = scene.view.power
    return str(power.source) if power is not None and scene.live else ""


def _silent(scene: Scene) -> dict[str, str]:
    words = scene.words
    key = "core.history" if scene.history else "core.silent"
    clock = words.clock(scene.view.wall, scene.wall)
    return {"text": words(key), "detail": words(key + "_detail", clock=clock, span=words.span(scene.silent_s))}

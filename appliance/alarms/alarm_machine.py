"""Alarms as ISA-18.2 has them: raised once, acknowledged by a person, cleared by a fact, kept until both have happened.

Pure, and without a memory of its own: what stands is in the folded state, what may happen is a table.
"""

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from fnmatch import fnmatchcase
from typing import Annotated

import msgspec

from appliance.alarm_events import AlarmAcknowledged, AlarmCleared, AlarmRaised
from appliance.alarm_state import Alarm
from appliance.event import Event

Priority = Annotated[int, msgspec.Meta(ge=1, le=3)]
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z_]+(\.[a-z_]+)*$")]


class Condition(Enum):
    """ISA-18.2's states, as far as nobody shelves or suppresses."""

    NORMAL = auto()
    UNACKNOWLEDGED = auto()
    ACKNOWLEDGED = auto()
    RETURNED_UNACKNOWLEDGED = auto()


class Happened(Enum):
    RAISED = auto()
    ACKNOWLEDGED = auto()
    CLEARED = auto()


# What is not here changes nothing and is not told.
TRANSITIONS = {
    (Condition.NORMAL, Happened.RAISED): Condition.UNACKNOWLEDGED,
    (Condition.UNACKNOWLEDGED, Happened.ACKNOWLEDGED): Condition.ACKNOWLEDGED,
    (Condition.UNACKNOWLEDGED, Happened.CLEARED): Condition.RETURNED_UNACKNOWLEDGED,
    (Condition.ACKNOWLEDGED, Happened.CLEARED): Condition.NORMAL,
    (Condition.RETURNED_UNACKNOWLEDGED, Happened.RAISED): Condition.UNACKNOWLEDGED,
    (Condition.RETURNED_UNACKNOWLEDGED, Happened.ACKNOWLEDGED): Condition.NORMAL,
}


class Cause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event by its kind; `where` asks of its fields, by name, that they look so (`genset/*`)."""

    event: str
    where: dict[str, str] = {}

    def fits(self, event: Event) -> bool:
        if event.kind != self.event:
            return False
        return all(fnmatchcase(str(getattr(event, field)), like) for field, like in self.where.items())


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of alarm. `about` is a word, or `subject` names the events' fields that say what it is about.

    Nothing in `cleared_by` means that it is over as soon as it has happened: it stays until a person has seen it.
    """

    code: Code
    priority: Priority
    priority_when_all: Priority | None = None  # when with this one all that the site has of the kind have it
    raised_by: tuple[Cause, ...]
    cleared_by: tuple[Cause, ...] = ()
    held_by: str = ""  # the code of an alarm: while that stands about the same, this one is not raised
    subject: tuple[str, ...] = ()
    about: str = ""
    consequence: Code
    action: Code

    def about_of(self, event: Event) -> str:
        """`genset/g1` is about g1: the code says the rest."""
        return self.about or "/".join(str(getattr(event, field)).rpartition("/")[2] for field in self.subject)


def condition(alarm: Alarm | None) -> Condition:
    """The state that a folded alarm is in; none is normal."""
    if alarm is None:
        return Condition.NORMAL
    if alarm.cleared is not None:
        return Condition.RETURNED_UNACKNOWLEDGED if alarm.acknowledged is None else Condition.NORMAL
    return Condition.UNACKNOWLEDGED if alarm.acknowledged is None else Condition.ACKNOWLEDGED


def key(code: str, about: str) -> str:
    """Where the folded state keeps an alarm."""
    return f"{code}/{about}"


def stands(alarm: Alarm | None) -> bool:
    """Whether its cause is still there."""
    return condition(alarm) in (Condition.UNACKNOWLEDGED, Condition.ACKNOWLEDGED)


def told(
    event: Event, rows: Iterable[Row], alarms: Mapping[str, Alarm], members: Mapping[str, Iterable[str]]
) -> list[Event]:
    """What an event makes of the alarms. `members` are all that the site has of a kind, by alarm code."""
    events: list[Event] = []
    rows = tuple(rows)
    for row in rows:
        if any(cause.fits(event) for cause in row.cleared_by):
            events += _cleared(row.code, row.about_of(event), alarms)
        if any(cause.fits(event) for cause in row.raised_by) and not _held(row, event, rows, alarms):
            events += _raised(row, row.about_of(event), alarms, members)
    return events


def _held(row: Row, event: Event, rows: tuple[Row, ...], alarms: Mapping[str, Alarm]) -> bool:
    """Whether another alarm says it already, and this event does not end that one."""
    if not row.held_by or not stands(alarms.get(key(row.held_by, row.about_of(event)))):
        return False
    return not any(cause.fits(event) for other in rows if other.code == row.held_by for cause in other.cleared_by)


def acknowledged(code: str, about: str, note: str, alarms: Mapping[str, Alarm]) -> list[Event]:
    """What a person's acknowledgement makes of it; nothing when there is nothing to acknowledge."""
    if (condition(alarms.get(key(code, about))), Happened.ACKNOWLEDGED) not in TRANSITIONS:
        return []
    return [AlarmAcknowledged(alarm=code, about=about, note=note)]


def _raised(row: Row, about: str, alarms: Mapping[str, Alarm], members: Mapping[str, Iterable[str]]) -> list[Event]:
    now = condition(alarms.get(key(row.code, about)))
    if (now, Happened.RAISED) not in TRANSITIONS:
        return []
    over_at_once = not row.cleared_by
    if over_at_once and now is Condition.RETURNED_UNACKNOWLEDGED:
        return []  # nobody has seen the first one yet
    priority = row.priority
    if row.priority_when_all is not None:
        others = [m for m in members.get(row.code, ()) if m != about]
        if all(stands(alarms.get(key(row.code, m))) for m in others):
            priority = row.priority_when_all
    events: list[Event] = [AlarmRaised(alarm=row.code, about=about, priority=priority)]
    return [*events, AlarmCleared(alarm=row.code, about=about)] if over_at_once else events


def _cleared(code: str, about: str, alarms: Mapping[str, Alarm]) -> list[Event]:
    if (condition(alarms.get(key(code, about))), Happened.CLEARED) not in TRANSITIONS:
        return []
    return [AlarmCleared(alarm=code, about=about)]

"""Alarms as ISA-18.2 has them: raised once, acknowledged by a person, cleared by a fact, kept until both have happened.

Pure, and without a memory of its own: what stands is in the folded state, what may happen is a table.
"""

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec

from appliance.alarm_events import AlarmAcknowledged, AlarmCleared, AlarmRaised
from appliance.alarm_state import Alarm
from appliance.event import Event

Priority = Annotated[int, msgspec.Meta(ge=1, le=3)]
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z_]+(\.[a-z_]+)*$")]
Delay = Annotated[float, msgspec.Meta(ge=0, le=3600)]


class Condition(Enum):
    """ISA-18.2's states of the alarm itself; what hides it (shelf, design, out of service) lies beside them."""

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
        if not self.where:
            return True
        return all(fnmatchcase(str(getattr(event, field)), like) for field, like in self.where.items())


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A reading that is below or above a figure, for each device of a kind that has it; the alarm is about the device.

    Over only when it is back by `deadband`. A text instead of a figure names a key of the site file's [power].
    """

    device: Literal["genset", "ups", "meter", "ats"]
    point: str
    below: float | str | None = None
    above: float | str | None = None
    deadband: Annotated[float, msgspec.Meta(gt=0)]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of alarm. `about` is a word, or `subject` names the events' fields that say what it is about.

    Nothing in `cleared_by` means that it is over as soon as it has happened: it stays until a person has seen it.
    """

    code: Code
    priority: Priority
    priority_when_all: Priority | None = None  # when with this one all that the site has of the kind have it
    raised_by: tuple[Cause, ...] = ()
    cleared_by: tuple[Cause, ...] = ()
    limit: Limit | None = None  # instead of both
    on_delay_s: Delay = 0.0  # the cause must last so long
    off_delay_s: Delay = 0.0  # and be gone for so long
    held_by: str = ""  # the code of an alarm: while that stands about the same, this one is not raised
    under: tuple[str, ...] = ()  # codes of alarms: while one stands, this one follows from it, and is not told
    group: str = ""  # among these the first one is marked: what began it
    tell: Literal["", "duty", "page", "none"] = ""  # "": duty for priority 1 and 2, else page
    subject: tuple[str, ...] = ()
    about: str = ""
    consequence: Code
    action: Code

    def about_of(self, event: Event) -> str:
        """`genset/g1` is about g1: the code says the rest."""
        return self.about or "/".join(str(getattr(event, field)).rpartition("/")[2] for field in self.subject)

    @property
    def latched(self) -> bool:
        """It has no end of its own."""
        return not self.cleared_by and self.limit is None

    @property
    def told(self) -> str:
        return self.tell or ("duty" if self.priority < 3 or (self.priority_when_all or 3) < 3 else "page")


class Wanted(msgspec.Struct, frozen=True):
    """A cause that came (`on`) or went."""

    row: Row
    about: str
    on: bool

    @property
    def key(self) -> str:
        return key(self.row.code, self.about)


Rows = Mapping[str, Row]  # by code


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


def wanted(event: Event, rows: Rows, alarms: Mapping[str, Alarm]) -> list[Wanted]:
    """What an event says of causes, in the catalogue's order; the end of one before its begin."""
    found: list[Wanted] = []
    for row in rows.values():
        if any(cause.fits(event) for cause in row.cleared_by):
            found.append(Wanted(row, row.about_of(event), False))
        if any(cause.fits(event) for cause in row.raised_by) and not _held(row, event, rows, alarms):
            found.append(Wanted(row, row.about_of(event), True))
    return found


def _held(row: Row, event: Event, rows: Rows, alarms: Mapping[str, Alarm]) -> bool:
    """Whether another alarm says it already, and this event does not end that one."""
    if not row.held_by or not stands(alarms.get(key(row.held_by, row.about_of(event)))):
        return False
    return not any(cause.fits(event) for cause in rows[row.held_by].cleared_by)


def acknowledged(code: str, about: str, note: str, alarms: Mapping[str, Alarm]) -> list[Event]:
    """What a person's acknowledgement makes of it; nothing when there is nothing to acknowledge."""
    if (condition(alarms.get(key(code, about))), Happened.ACKNOWLEDGED) not in TRANSITIONS:
        return []
    return [AlarmAcknowledged(alarm=code, about=about, note=note)]


def raised(
    row: Row, about: str, alarms: Mapping[str, Alarm], members: Mapping[str, Iterable[str]], rows: Rows, under: str
) -> list[Event]:
    """A cause makes this of it. `members` are all that the site has of a kind, by alarm code; `under` is its parent."""
    now = condition(alarms.get(key(row.code, about)))
    if (now, Happened.RAISED) not in TRANSITIONS:
        return []
    if row.latched and now is Condition.RETURNED_UNACKNOWLEDGED:
        return []  # nobody has seen the first one yet
    priority = row.priority
    if row.priority_when_all is not None:
        others = [m for m in members.get(row.code, ()) if m != about]
        if all(stands(alarms.get(key(row.code, m))) for m in others):
            priority = row.priority_when_all
    first = bool(row.group) and not under and not _group_is_on(row, key(row.code, about), alarms, rows)
    events: list[Event] = [AlarmRaised(alarm=row.code, about=about, priority=priority, first_out=first, under=under)]
    return [*events, AlarmCleared(alarm=row.code, about=about)] if row.latched else events


def _group_is_on(row: Row, own: str, alarms: Mapping[str, Alarm], rows: Rows) -> bool:
    others = (rows.get(alarm.alarm) for name, alarm in alarms.items() if name != own)
    return any(other is not None and other.group == row.group for other in others)


def cleared(code: str, about: str, alarms: Mapping[str, Alarm]) -> list[Event]:
    """The end of a cause makes this of it."""
    if (condition(alarms.get(key(code, about))), Happened.CLEARED) not in TRANSITIONS:
        return []
    return [AlarmCleared(alarm=code, about=about)]

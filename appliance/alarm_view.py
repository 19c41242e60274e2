"""The view's part for alarms: each with its condition and what hides it, and what their number says."""

from collections import Counter
from collections.abc import Callable, Mapping

import msgspec

from appliance.alarm_state import HOUR, Alarm, AlarmRecord, counted_lately, hidden, out_of_service
from appliance.stamp import Stamp

# AlarmView.condition, what hides it first: "out_of_service", "shelved", "suppressed", "unacknowledged",
# "acknowledged", "returned" (its cause is over, and nobody has seen it).


MOST_TOLD = 10  # texts of one alarm, the last: the view of a flood must still pass a socket


class AlarmView(Alarm):
    """An alarm as pages show it. The words of `alarm`, its consequence and its step are the page's.

    `under` names the alarm that it follows from, and stands in the same list; show it below that one.
    """

    condition: str = "unacknowledged"
    latched: bool = False  # it has no end of its own: it stays until a person has seen it
    shelved_until: float | None = None  # unix seconds
    reason: str = ""  # of its shelf, or why it is out of service
    by: str = ""  # who did that
    tell: str = "page"  # "duty" (by SMS too), "page", "none" (the list alone, no sound)
    below: int = 0  # alarms that stand under it

    @property
    def counts(self) -> bool:
        """It is in the alarm bar and its number; else only in the list."""
        return self.condition in ("unacknowledged", "acknowledged", "returned")


class ShelfView(msgspec.Struct, frozen=True):
    """What is shelved, whether it stands or not."""

    alarm: str
    about: str
    reason: str
    by: str
    since: float  # unix seconds
    until: float
    standing: bool


class OutView(msgspec.Struct, frozen=True):
    """What is out of service; an empty `about`: all of this code."""

    alarm: str
    about: str
    reason: str
    by: str
    since: float  # unix seconds
    standing: int


class DutyNow(msgspec.Struct, frozen=True):
    """Who is on the rota now, and whether a text that went to them arrived: a state of model.OutgoingState."""

    person: str
    level: int
    on: bool


class AlarmsSummary(msgspec.Struct, frozen=True):
    """ISA-18.2's figures. What is hidden is not counted."""

    unacknowledged: int = 0
    standing: int = 0
    suppressed: int = 0
    shelved: tuple[ShelfView, ...] = ()
    out: tuple[OutView, ...] = ()
    flood: bool = False
    flood_since: float | None = None  # unix seconds
    last_10min: int = 0
    hours: tuple[int, ...] = ()  # raised in each of the last 24 hours, the present one last
    sounding: bool = False  # the buzzer
    silenced_by: str = ""  # while something is unacknowledged and quiet
    rota: tuple[DutyNow, ...] = ()
    forgotten: int = 0  # over and never seen by anybody, and no more in the list: the history has them
    quiet_start: bool = False  # the box has just started: nothing is sounded or told yet


def condition_of(alarm: Alarm, record: AlarmRecord) -> str:
    """As in AlarmView.condition."""
    if out_of_service(record, alarm.alarm, alarm.about) is not None:
        return "out_of_service"
    if alarm.key in record.shelved:
        return "shelved"
    if alarm.under:
        return "suppressed"
    if alarm.cleared is not None:
        return "returned"
    return "unacknowledged" if alarm.acknowledged is None else "acknowledged"


def alarm_views(alarms: Mapping[str, Alarm], record: AlarmRecord) -> list[AlarmView]:
    """All there are, those that stand first, by priority, then age; what the catalogue says of them is left open."""
    views = []
    below = Counter(alarm.under for alarm in alarms.values())
    for alarm in sorted(alarms.values(), key=lambda a: (a.cleared is not None, a.priority, a.raised.seq)):
        shelf, out = record.shelved.get(alarm.key), out_of_service(record, alarm.alarm, alarm.about)
        by = out or shelf
        view = AlarmView(
            **{field: getattr(alarm, field) for field in Alarm.__struct_fields__} | {"told": alarm.told[-MOST_TOLD:]},
            condition=condition_of(alarm, record),
            shelved_until=shelf.until if shelf else None,
            reason=by.reason if by else "",
            by=by.at.actor if by else "",
            below=below[alarm.key],
        )
        views.append(view)
    return views


def summary_of(
    alarms: Mapping[str, Alarm], record: AlarmRecord, since: Callable[[Stamp], float], wall: float
) -> AlarmsSummary:
    """What the record alone says. `since`: seconds since a stamp; `wall`: unix seconds now."""
    shown = [alarm for alarm in alarms.values() if not hidden(alarm, record)]
    hour = int(wall // HOUR)
    standing = {key for key, alarm in alarms.items() if alarm.cleared is None}
    return AlarmsSummary(
        unacknowledged=sum(1 for alarm in shown if alarm.acknowledged is None),
        standing=sum(1 for alarm in shown if alarm.cleared is None),
        suppressed=sum(1 for alarm in alarms.values() if alarm.under),
        shelved=tuple(
            ShelfView(*split(key), shelf.reason, shelf.at.actor, shelf.at.wall, shelf.until, key in standing)
            for key, shelf in record.shelved.items()
        ),
        out=tuple(
            OutView(
                *split(key), out.reason, out.at.actor, out.at.wall,
                sum(1 for k in standing if k == key or (key.endswith("/") and k.startswith(key))),
            )
            for key, out in record.out.items()
        ),
        flood=record.flood is not None,
        flood_since=record.flood.wall if record.flood else None,
        last_10min=counted_lately(record, since),
        forgotten=record.forgotten,
        hours=tuple(record.hours.get(h, 0) for h in range(hour - 23, hour + 1)),
    )  # fmt: skip


def split(key: str) -> tuple[str, str]:
    """Code and what it is about."""
    code, _, about = key.partition("/")
    return code, about

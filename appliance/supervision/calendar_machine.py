"""The calendar of stations' tests: what is due at this minute, what was due and did not run, what must be told of.

Pure. What ran last is in the journal, so nothing runs twice for one due time, after a restart and a stepped clock too.
Times are local ones of the site without a zone: Indonesia knows no summer time.
"""

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from appliance.alert_state import StationTestRecord

MOST_MISSED = 7  # of one rule in a row that are told one by one: a box that was off for a year has no more to say
BLIND_MOST = 26 * 3600.0  # s without a known clock: whatever is done each day has been missed by then
BLIND_AGAIN = 24 * 3600.0
DAY = timedelta(days=1)
KEY = "%Y-%m-%d %H:%M"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Rule(msgspec.Struct, frozen=True):
    """When one kind of test is due. `day` of the month, in a shorter month its last one; 0: each of `weekdays`."""

    what: str
    time: str  # "02:00"; "": never
    weekdays: tuple[str, ...] = ()  # none named: all
    day: int = 0
    announce_s: float = 0.0  # before it

    @property
    def text(self) -> str:
        """As the journal keeps it: another text is another rule."""
        when = f"{self.day}" if self.day else ",".join(day for day in WEEKDAYS if day in self.weekdays)
        return f"{when} {self.time}".strip() if self.time else ""

    def on(self, day: date) -> bool:
        if self.day:
            return day.day == min(self.day, monthrange(day.year, day.month)[1])
        return not self.weekdays or WEEKDAYS[day.weekday()] in self.weekdays


class Plan(msgspec.Struct, frozen=True):
    rule: Rule
    since: str


class Begin(msgspec.Struct, frozen=True):
    what: str
    due: str


class Miss(msgspec.Struct, frozen=True):
    what: str
    due: str
    reason: str


class Announce(msgspec.Struct, frozen=True):
    what: str
    due: str


Step = Plan | Begin | Miss | Announce


def key(at: datetime) -> str:
    """A due time as the journal names it; later ones sort behind earlier ones."""
    return at.strftime(KEY)


def next_due(rule: Rule, now: datetime) -> datetime | None:
    """The first one behind this minute; None: never."""
    return next(_from(rule, now.date(), lambda at: at > now), None)


def dues(rule: Rule, after: str, now: datetime) -> list[datetime]:
    """All behind `after` up to now, oldest first, the last ones of many."""
    found: list[datetime] = []
    for at in _back(rule, now):
        if key(at) <= after or len(found) == MOST_MISSED:
            break
        found.append(at)
    return found[::-1]


def _from(rule: Rule, day: date, fits: Callable[[datetime], bool]) -> Iterator[datetime]:
    for ahead in range(400 if rule.time else 0):
        at = _at(rule, day + ahead * DAY)
        if rule.on(at.date()) and fits(at):
            yield at


def _back(rule: Rule, now: datetime) -> Iterator[datetime]:
    for ago in range(400 if rule.time else 0):
        at = _at(rule, now.date() - ago * DAY)
        if rule.on(at.date()) and at <= now:
            yield at


def _at(rule: Rule, day: date) -> datetime:
    return datetime(day.year, day.month, day.day, int(rule.time[:2]), int(rule.time[3:]))


class Calendar:
    """`look` as often as once a second. It remembers only why something waits; the rest is in the record."""

    def __init__(self, rules: Sequence[Rule], grace_s: float) -> None:
        self._rules, self._grace = rules, timedelta(seconds=grace_s)
        self._hindered: dict[tuple[str, str], str] = {}
        self._blind_since: float | None = None
        self._told_blind: float | None = None

    def look(self, local: datetime | None, mono: float, record: StationTestRecord, busy: str) -> list[Step]:
        """What to do now. `local` None: the clock is not known. `busy`: why nothing may begin, "" when it may."""
        if local is None:
            return self._blind(mono)
        late_why = "not_running" if self._blind_since is None else "clock_unknown"
        self._blind_since = self._told_blind = None
        steps: list[Step] = []
        for rule in self._rules:
            if record.rules.get(rule.what, "") != rule.text or self._beyond(rule, record.last, local):
                steps.append(Plan(rule, key(local)))
                continue
            found = self._due(rule, record, local, busy, late_why)
            busy = busy or ("test_open" if any(isinstance(step, Begin) for step in found) else "")
            steps += found
        return steps

    def _due(self, rule: Rule, record: StationTestRecord, now: datetime, busy: str, late_why: str) -> list[Step]:
        steps: list[Step] = []
        waiting = dues(rule, record.last.get(rule.what, ""), now)
        for at in waiting:
            due = key(at)
            unannounced = rule.announce_s > 0 and record.announced.get(rule.what) != due
            if at is waiting[-1] and now - at <= self._grace and not unannounced:
                if not busy:
                    steps.append(Begin(rule.what, due))
                else:
                    self._hindered = {(rule.what, due): busy, **_others(self._hindered, rule.what)}
                continue
            known = self._hindered.get((rule.what, due))
            steps.append(Miss(rule.what, due, known or ("not_announced" if self._fresh(at, now) else late_why)))
        ahead = next_due(rule, now)
        if rule.announce_s and ahead and (ahead - now).total_seconds() <= rule.announce_s:
            steps += [Announce(rule.what, key(ahead))] if record.announced.get(rule.what) != key(ahead) else []
        return steps

    def _fresh(self, at: datetime, now: datetime) -> bool:
        return now - at <= self._grace

    def _beyond(self, rule: Rule, last: Mapping[str, str], now: datetime) -> bool:
        """It is said to have run when it is not even due next: a wrong clock wrote that."""
        ahead = next_due(rule, now)
        return ahead is not None and last.get(rule.what, "") > key(ahead)

    def _blind(self, mono: float) -> list[Step]:
        if self._blind_since is None:
            self._blind_since = mono
        rule = next((rule for rule in self._rules if rule.time), None)
        last = self._told_blind
        wait = BLIND_MOST if last is None else BLIND_AGAIN
        if rule is None or mono - (self._blind_since if last is None else last) < wait:
            return []
        self._told_blind = mono
        return [Miss(rule.what, "", "clock_unknown")]


def _others(hindered: Mapping[tuple[str, str], str], what: str) -> dict[tuple[str, str], str]:
    return {name: why for name, why in hindered.items() if name[0] != what}


def report_day(now: datetime, time: str, reported: str) -> str:
    """The day whose morning report is due and not given yet, else "". `reported`: the last one's."""
    today = f"{now:%Y-%m-%d}"
    given = today <= reported <= f"{now + DAY:%Y-%m-%d}"  # one of a later day was written by a wrong clock
    return today if time and f"{now:%H:%M}" >= time and not given else ""


def longest_gap_s(rules: Sequence[Rule]) -> float | None:
    """The longest time between two due times of any of these rules; None: never, or once a month at the most."""
    week = datetime(2026, 1, 5)  # a Monday
    days = [rule for rule in rules if rule.time and not rule.day]
    at = sorted({due for rule in days for due in _week(rule, week)})
    if not at:
        return None
    return max((b - a).total_seconds() for a, b in zip(at, [*at[1:], at[0] + 7 * DAY], strict=True))


def _week(rule: Rule, monday: datetime) -> Iterator[datetime]:
    yield from (_at(rule, (monday + n * DAY).date()) for n in range(7) if rule.on((monday + n * DAY).date()))

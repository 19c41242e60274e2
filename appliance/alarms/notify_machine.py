"""Who must be told of which alarms by SMS now: never a flood, never none. Pure, from the folded state.

What comes together is one text. What nobody acknowledges goes to the next level of the rota; what did not arrive goes
to it at once, and again to who should have got it. Over the cap texts wait, and the next one tells all that waited.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from appliance.alarm_state import Alarm, AlarmRecord, Told, unseen
from appliance.alarms.rota_machine import Level
from appliance.stamp import Stamp

URGENT = 1  # the priority that may pass the cap and an alarm flood
URGENT_AFTER = 5.0  # s that it gathers: what fails with it fails within a few polls
URGENT_MORE = 4  # texts an hour above the cap
REMIND = 3600.0  # s between texts about an urgent alarm that all levels know and nobody acknowledges
OVER_AFTER = 60.0  # s that it must be over before that is told
CAP_WITHIN = 3600.0  # s
RAISED, ESCALATED, AGAIN, OVER = "raised", "escalated", "again", "over"
WEIGHT = (RAISED, AGAIN, ESCALATED)  # what a text about several says is the last of them


class Rules(NamedTuple):
    gather_s: float
    escalate_s: float
    per_hour: int
    digest_s: float


class Notice(NamedTuple):
    """One text. `alarms` by their keys, the most urgent first; the same `key` is never two texts."""

    person: str
    level: int
    what: str
    alarms: tuple[str, ...]
    key: str


class Due(NamedTuple):
    """An alarm of which a person must know. `ready` False: it still gathers, and goes along if another is ready."""

    alarm: Alarm
    person: str
    level: int
    what: str
    ready: bool


class Telling(NamedTuple):
    """What the answer hangs on. `told`: whether an alarm's code is for SMS; `failed`: a text's id, that it is lost."""

    rules: Rules
    rota: list[Level]
    since: Callable[[Stamp], float]
    told: Callable[[str], bool]
    latched: Callable[[str], bool]
    failed: Callable[[str], bool]


def notices(alarms: Mapping[str, Alarm], record: AlarmRecord, telling: Telling) -> list[Notice]:
    """All texts that must go out now."""
    begun: list[Due] = []
    over: list[Due] = []
    for alarm in alarms.values():
        if not telling.told(alarm.alarm) or not unseen(alarm, record):
            continue
        if alarm.cleared is None or telling.latched(alarm.alarm):
            begun += _begun(alarm, record, telling)
        elif telling.since(alarm.cleared) >= OVER_AFTER:
            over += _over(alarm)
    found = [_notice(dues, record, telling) for dues in [*_by_person(begun), *_by_person(over)]]
    return [notice for notice in found if notice is not None]


def _begun(alarm: Alarm, record: AlarmRecord, telling: Telling) -> list[Due]:
    rules, since = telling.rules, telling.since
    urgent = alarm.priority == URGENT
    gather = URGENT_AFTER if urgent else rules.digest_s if record.flood is not None else rules.gather_s
    ready = since(alarm.since) >= gather
    found: list[Due] = []
    for number, level in enumerate(telling.rota):
        newest = {name: _newest(alarm, name) for name in level.people}
        for name, last in newest.items():
            if last is None:
                found.append(Due(alarm, name, level.level, ESCALATED if number else RAISED, ready))
            elif last.message and telling.failed(last.message):
                found.append(Due(alarm, name, level.level, AGAIN, True))
        lost = all(last is not None and _lost(last, telling) for last in newest.values())
        waited = max((since(last.at) for last in alarm.told if last.level == level.level), default=0.0)
        if not lost and waited < rules.escalate_s:
            return found
    if found or not urgent or not telling.rota or not alarm.told or since(alarm.told[-1].at) < REMIND:
        return found
    return [Due(alarm, name, telling.rota[-1].level, AGAIN, True) for name in telling.rota[-1].people]


def _over(alarm: Alarm) -> list[Due]:
    """To those who had a text about it."""
    names = dict.fromkeys(told.person for told in alarm.told if told.message)
    lasts = {name: _newest(alarm, name) for name in names}
    return [Due(alarm, name, last.level, OVER, True) for name, last in lasts.items() if last is not None]


def _newest(alarm: Alarm, name: str) -> Told | None:
    """What a person was told last of it, and not that it was over."""
    last = next((told for told in reversed(alarm.told) if told.person == name), None)
    return None if last is None or last.what == OVER else last


def _lost(told: Told, telling: Telling) -> bool:
    return not told.message or telling.failed(told.message)


def _by_person(dues: Iterable[Due]) -> list[list[Due]]:
    found: dict[str, list[Due]] = {}
    for due in dues:
        found.setdefault(due.person, []).append(due)
    return [of_one for of_one in found.values() if any(due.ready for due in of_one)]


def _notice(dues: list[Due], record: AlarmRecord, telling: Telling) -> Notice | None:
    """One text of them, or None while the cap or a flood lets it wait."""
    person = dues[0].person
    ages = [telling.since(at) for at in record.texts.get(person, ())]
    lately = sum(1 for age in ages if age < CAP_WITHIN)
    urgent = any(due.alarm.priority == URGENT and due.what != OVER for due in dues)
    if lately >= telling.rules.per_hour + (URGENT_MORE if urgent else 0):
        return None
    if record.flood is not None and not urgent and ages and min(ages) < telling.rules.digest_s:
        return None
    dues = sorted(dues, key=lambda due: (due.alarm.priority, due.alarm.raised.seq))
    what = OVER if dues[0].what == OVER else max((due.what for due in dues), key=WEIGHT.index)
    newest = max(due.alarm.told[-1].at.seq if due.alarm.told else due.alarm.raised.seq for due in dues)
    key = f"alarm {dues[0].alarm.raised.seq} {what} {newest}/{person}"
    return Notice(person, max(due.level for due in dues), what, tuple(due.alarm.key for due in dues), key)

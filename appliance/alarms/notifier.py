"""Tells people on duty of alarms by SMS: gives the texts that the machine wants to the lines, and journals each."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from appliance.alarm_events import AlarmNotified
from appliance.alarm_state import Alarm
from appliance.alarm_view import DutyNow
from appliance.alarm_words import load_alarm_words
from appliance.alarms.alarm_machine import Rows
from appliance.alarms.notice_text import Told, notice_text
from appliance.alarms.notify_machine import Notice, Rules, Telling, notices
from appliance.alarms.rota_machine import Level, Person, rota
from appliance.config import ZONES, Site
from appliance.journal import Appended
from appliance.model import OutgoingState
from appliance.sparing import Sparing
from appliance.stamp import Stamp
from appliance.state import State
from drivers.clock import Clock
from drivers.jsonsocket import Refusal

TICK = 1.0  # s between looks
MINUTE = 60.0
LIFETIME = 1800  # s that a text is tried for; then it is told again, and to the next level
FOR_NOW = ("full",)  # refusals that may not be one later
ALL_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOG_AGAIN = 60.0  # s

log = logging.getLogger("siaga.alarms")


class GiveNotice(Protocol):
    async def __call__(self, number: str, text: str, *, lifetime_s: int, key: str) -> str:
        """Take a text of the box's own on; returns its row. The same key makes no second one. Raises Refusal."""
        ...


class Notifier:
    """`quiet` says that the box has just started. `time_known`: without it the rota cannot be read: all are told."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, append: Callable[..., Appended], rows: Rows,
        since: Callable[[Stamp], float], quiet: Callable[[], bool], give: GiveNotice,
        time_known: Callable[[], bool] = lambda: True,
    ) -> None:  # fmt: skip
        self._site, self._state, self._clock, self._append, self._rows = site, state, clock, append, rows
        self._since, self._quiet, self._give, self._time_known = since, quiet, give, time_known
        self._duty = {person.name: person for person in site.duty if person.alarms}
        self._people = tuple(
            Person(
                d.name, d.level, frozenset(ALL_DAYS.index(day) for day in d.days or ALL_DAYS),
                _minute(d.begins), _minute(d.ends),
            )
            for d in self._duty.values()
        )  # fmt: skip
        rules = site.notify
        self._rules = Rules(rules.gather_s, rules.escalate_min * MINUTE, rules.per_hour, rules.digest_min * MINUTE)
        self._words = {language: load_alarm_words(language) for language in sorted({d.language for d in site.duty})}
        self._names = _names(site)
        self._refused = Sparing(again_s=LOG_AGAIN)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            if self._people and not self._quiet():
                for notice in notices(self._state.alarms, self._state.alarm_record, self._telling()):
                    await self._tell(notice)
            await asyncio.sleep(TICK)

    def rota(self) -> tuple[DutyNow, ...]:
        """Everybody, and who is on duty now."""
        on = {name for level in self._levels() for name in level.people}
        return tuple(DutyNow(p.name, p.level, p.name in on) for p in self._people)

    def _levels(self) -> list[Level]:
        if not self._time_known():
            return rota(self._people, None)
        now = datetime.fromtimestamp(self._clock.wall(), ZONES[self._site.zone])
        return rota(self._people, (now.weekday(), now.hour * 60 + now.minute))

    def _telling(self) -> Telling:
        return Telling(self._rules, self._levels(), self._since, self._for_duty, self._latched, self._failed)

    def _for_duty(self, code: str) -> bool:
        row = self._rows.get(code)
        return row is None or row.told == "duty"  # what the catalogue does not know is told rather than not

    def _latched(self, code: str) -> bool:
        row = self._rows.get(code)
        return row is not None and row.latched

    def _failed(self, message: str) -> bool:
        text = self._state.outgoing.get(message)
        return text is not None and text.state is OutgoingState.UNDELIVERED

    async def _tell(self, notice: Notice) -> None:
        person = self._duty[notice.person]
        alarms = [self._state.alarms[key] for key in notice.alarms if key in self._state.alarms]
        if not alarms:
            return  # a text before this one took a while
        told = [Told(alarm.alarm, self._about(alarm), alarm.priority) for alarm in alarms]
        clock = f"{datetime.fromtimestamp(self._clock.wall(), ZONES[self._site.zone]):%d/%m %H:%M} {self._site.zone}"
        text = notice_text(notice.what, self._site.name, clock, told, person.language, self._words[person.language])
        why = message = ""
        try:
            message = await self._give(person.number, text, lifetime_s=LIFETIME, key=notice.key)
        except Refusal as e:
            if self._refused.says(person.name, self._clock.now()):
                log.error("%s is not told of alarms by SMS: %s", person.name, e)
            if e.code in FOR_NOW:
                return
            why = e.code
        self._append(
            AlarmNotified(
                person=person.name, level=notice.level, what=notice.what, alarms=notice.alarms, message=message, why=why
            )
        )

    def _about(self, alarm: Alarm) -> str:
        row = self._rows.get(alarm.alarm)
        if row is None or row.about:
            return ""
        return " ".join(self._names.get(part, part) for part in alarm.about.split("/") if not _is_id(part))


def _minute(hour: str) -> int:
    return int(hour[:2]) * 60 + int(hour[3:])


def _names(site: Site) -> Mapping[str, str]:
    devices = {device.id: device.name for device in (*site.genset, *site.ups, *site.meter)}
    switches = {switch.id: switch.name for switch in site.ats}
    lines = {line.id: line.name for line in site.line}
    return devices | switches | lines | {station.id: station.name for station in site.station}


def _is_id(part: str) -> bool:
    """Of an alert or a text: no word for a person."""
    return len(part) in (8, 16) and all(c in "0123456789abcdef" for c in part)

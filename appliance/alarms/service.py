"""Alarms: every fact that comes into the journal is held against the catalogue, in the same moment.

Without a catalogue the box runs on, with one alarm that says so.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from appliance.alarm_events import AlarmChattering, AlarmCleared, AlarmRaised
from appliance.alarm_state import Alarm, unseen
from appliance.alarm_view import AlarmsSummary, AlarmView, alarm_views, summary_of
from appliance.alarms import load_machine
from appliance.alarms.alarm_machine import Row, Wanted, cleared, key, raised, stands, wanted
from appliance.alarms.buzzer_machine import audible
from appliance.alarms.catalogue import CATALOGUE, CatalogueError, load_catalogue
from appliance.alarms.delay_machine import CHATTER_WITHIN, LONGEST, Delays
from appliance.alarms.limit_machine import Seen, crossed
from appliance.alarms.removed import removed
from appliance.alarms.under_machine import Under, parent_of
from appliance.clock import boot_id
from appliance.config import Site
from appliance.entry import Entry
from appliance.event import Event
from appliance.journal import Appended
from appliance.stamp import Stamp
from appliance.state import State
from drivers.clock import Clock

NO_CATALOGUE, ABOUT, PRIORITY = "alarms.no_catalogue", "catalogue", 2  # cannot stand in the catalogue itself
OWN_KINDS = "alarm."  # what alarms tell raises no alarm
TICK = 1.0  # s between looks at readings, delays and shelves

log = logging.getLogger("siaga.alarms")


class Alarms:
    """`on_entry` gets every entry after it was folded; `state` is the fold, and holds the alarms that stand.

    `seen` gives the devices with their readings, for limits.
    """

    def __init__(
        self, *, site: Site, state: State, clock: Clock, append: Callable[..., Appended], catalogue: Path = CATALOGUE,
        seen: Callable[[], Iterable[Seen]] = tuple,
    ) -> None:  # fmt: skip
        self._site, self._state, self._append, self._clock, self._seen = site, state, append, clock, seen
        self._boot, self._started = boot_id(), clock.now()
        self._members = dict.fromkeys(("line.down", "line.no_network"), tuple(line.id for line in site.line))
        self._rules = {
            name: value for name, value in msgspec.structs.asdict(site.power).items() if isinstance(value, int | float)
        }
        self.rows: dict[str, Row] = {}
        self._by_kind: dict[str, dict[str, Row]] = {}  # by the kind of event that they look at, then by code
        self._unreadable = ""
        try:
            self.rows = {row.code: row for row in load_catalogue(catalogue)}
        except CatalogueError as e:
            self._unreadable = str(e)
        for row in self.rows.values():
            for kind in dict.fromkeys(cause.event for cause in (*row.raised_by, *row.cleared_by)):
                self._by_kind.setdefault(kind, {})[row.code] = row
        self._with_holders = {  # those that look at the kind, and those that hold them
            kind: rows | {row.held_by: self.rows[row.held_by] for row in rows.values() if row.held_by}
            for kind, rows in self._by_kind.items()
        }
        self._delays, self._under = Delays(), Under(self.rows)

    def catch_up(self, history: Iterable[Entry]) -> None:
        """The journal's newest rows, at the start: causes that waited when core died wait on."""
        now = self._clock.now()
        for entry in history:
            age = Stamp(entry.seq, entry.wall, entry.mono, entry.boot).elapsed(now, self._clock.wall(), self._boot)
            rows = self._by_kind.get(entry.kind, {})
            if age > LONGEST or not any(row.on_delay_s or row.off_delay_s for row in rows.values()):
                continue
            for want in wanted(entry.event, self.rows, self._state.alarms):
                if want.row.on_delay_s or want.row.off_delay_s:
                    self._delays.passes(want, self._stands(want.key), False, now - age, entry.seq)

    async def run(self) -> None:
        """Say whether there is a catalogue, then look at what time and readings do."""
        stands_now = self._stands(key(NO_CATALOGUE, ABOUT))
        if self._unreadable:
            log.error("no alarms but this one: %s", self._unreadable)
            if not stands_now:
                self._append(AlarmRaised(alarm=NO_CATALOGUE, about=ABOUT, priority=PRIORITY))
        else:
            if stands_now:
                self._append(AlarmCleared(alarm=NO_CATALOGUE, about=ABOUT))
            self._tell(removed(self._state.alarms, self.rows, self._site), None)
        while True:
            self.look()
            await asyncio.sleep(TICK)

    def look(self) -> None:
        """What is so now that no event tells."""
        now, state = self._clock.now(), self._state
        for want in crossed(self.rows, self._seen(), state.alarms, self._rules, now):
            self._heard(want, None)
        for waiting in self._delays.due(now):
            self._becomes(waiting.want, waiting.cause)
        for event in [
            *self._under.due(state.alarms, state.alarm_record, now), *load_machine.due(state.alarm_record, self.since)
        ]:  # fmt: skip
            self._append(event)

    def since(self, stamp: Stamp) -> float:
        """Seconds since."""
        return stamp.age(self._clock.now(), self._clock.wall(), self._boot)

    def quiet(self) -> bool:
        """The box has just started: links are still on their way, nothing is sounded or told."""
        return self._clock.now() - self._started < self._site.notify.quiet_start_s

    def on_entry(self, entry: Entry) -> None:
        """Raise and clear what this entry's event raises and clears."""
        if entry.kind in self._by_kind and not entry.kind.startswith(OWN_KINDS):
            for want in wanted(entry.event, self._with_holders[entry.kind], self._state.alarms):
                self._heard(want, entry.seq)

    def _heard(self, want: Wanted, cause: int | None) -> None:
        alarm = self._state.alarms.get(want.key)
        chattering = alarm is not None and alarm.chattering > 0
        if self._delays.passes(want, stands(alarm), chattering, self._clock.now(), cause):
            self._becomes(want, cause)

    def _becomes(self, want: Wanted, cause: int | None) -> None:
        alarms, record, row = self._state.alarms, self._state.alarm_record, want.row
        if not want.on:
            self._tell(cleared(row.code, want.about, alarms), cause)
            return
        under = parent_of(row, want.about, alarms, record, self.rows)
        told = raised(row, want.about, alarms, self._members, self.rows, under)
        self._tell(told, cause)
        if not told:
            return
        if count := self._delays.chatters(row, want.key, self._clock.now()):
            event = AlarmChattering(alarm=row.code, about=want.about, count=count, seconds=CHATTER_WITHIN)
            self._append(event, cause=cause)
        self._tell(self._under.changed(alarms, record), cause)

    def _tell(self, events: list[Event], cause: int | None) -> None:
        for event in events:
            self._append(event, cause=cause)

    def _stands(self, name: str) -> bool:
        return stands(self._state.alarms.get(name))

    # What is shown and heard

    def audible(self) -> list[Alarm]:
        """Alarms that want to be heard now, the most urgent first."""
        if self.quiet():
            return []
        return audible(self._state.alarms, self._state.alarm_record, self._told, self._latched)

    def lamp(self) -> bool:
        """Whether an alarm wants a person."""
        return any(unseen(alarm, self._state.alarm_record) for alarm in self._state.alarms.values())

    def views(self) -> list[AlarmView]:
        """All alarms as pages show them, by priority, then age."""
        views = alarm_views(self._state.alarms, self._state.alarm_record)
        for view in views:
            view.latched, view.tell = self._latched(view.alarm), self._told(view.alarm)
        return views

    def summary(self) -> AlarmsSummary:
        """What their number says."""
        state = self._state
        summary = summary_of(state.alarms, state.alarm_record, self.since, self._clock.wall())
        silenced = state.alarm_record.silenced
        quiet = summary.unacknowledged and silenced is not None and not self.audible() and not self.quiet()
        by = silenced.actor if quiet and silenced is not None else ""
        return msgspec.structs.replace(summary, silenced_by=by, quiet_start=self.quiet())

    def _told(self, code: str) -> str:
        return self.rows[code].told if code in self.rows else "duty"

    def _latched(self, code: str) -> bool:
        return code in self.rows and self.rows[code].latched

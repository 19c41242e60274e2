"""Alarms: every fact that comes into the journal is held against the catalogue, in the same moment.

Without a catalogue the box runs on, with one alarm that says so.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.alarm_commands import AcknowledgeAlarm
from appliance.alarm_events import AlarmCleared, AlarmRaised
from appliance.alarm_view import AlarmsSummary, AlarmView, alarm_views
from appliance.alarms.alarm_machine import Row, acknowledged, condition, key, stands, told
from appliance.alarms.catalogue import CATALOGUE, CatalogueError, load_catalogue
from appliance.config import Site
from appliance.entry import Entry
from appliance.journal import Appended
from appliance.state import State
from drivers.clock import Clock
from drivers.jsonsocket import Refusal

NO_CATALOGUE, ABOUT, PRIORITY = "alarms.no_catalogue", "catalogue", 2  # cannot stand in the catalogue itself
OWN_KINDS = "alarm."  # what alarms tell raises no alarm

log = logging.getLogger("siaga.alarms")


class Alarms:
    """`on_entry` gets every entry after it was folded; `state` is the fold, and holds the alarms that stand."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, append: Callable[..., Appended], catalogue: Path = CATALOGUE
    ) -> None:
        self._state, self._append = state, append
        self._members = dict.fromkeys(("line.down", "line.no_network"), tuple(line.id for line in site.line))
        self._rows: dict[str, list[Row]] = {}  # by the kind of event that they look at
        self._unreadable = ""
        try:
            rows = load_catalogue(catalogue)
        except CatalogueError as e:
            self._unreadable = str(e)
            return
        for row in rows:
            for kind in dict.fromkeys(cause.event for cause in (*row.raised_by, *row.cleared_by)):
                self._rows.setdefault(kind, []).append(row)

    async def run(self) -> None:
        """Say whether there is a catalogue. All else happens in `on_entry`."""
        stands_now = stands(self._state.alarms.get(key(NO_CATALOGUE, ABOUT)))
        if self._unreadable:
            log.error("no alarms but this one: %s", self._unreadable)
            if not stands_now:
                self._append(AlarmRaised(alarm=NO_CATALOGUE, about=ABOUT, priority=PRIORITY))
        elif stands_now:
            self._append(AlarmCleared(alarm=NO_CATALOGUE, about=ABOUT))
        await asyncio.get_running_loop().create_future()

    def on_entry(self, entry: Entry) -> None:
        """Raise and clear what this entry's event raises and clears."""
        rows = self._rows.get(entry.kind)
        if not rows or entry.kind.startswith(OWN_KINDS):
            return
        for event in told(entry.event, rows, self._state.alarms, self._members):
            self._append(event, cause=entry.seq)

    def views(self) -> tuple[list[AlarmView], AlarmsSummary]:
        """All alarms as pages show them, and what their number says."""
        return alarm_views(self._state.alarms, self._state.alarm_record), AlarmsSummary()

    def acknowledge(self, command: AcknowledgeAlarm, actor: str) -> dict[str, Any]:
        """A person has seen it; once is enough. Raises Refusal when there is no such alarm."""
        alarm = self._state.alarms.get(key(command.alarm, command.about))
        if alarm is None:
            raise Refusal("no_alarm", f"There is no alarm {command.alarm} about {command.about}.", "It may be over.")
        events = acknowledged(command.alarm, command.about, command.note, self._state.alarms)
        for event in events:
            self._append(event, actor=actor)
        now = condition(self._state.alarms.get(key(command.alarm, command.about)))
        return {"alarm": command.alarm, "about": command.about, "repeated": not events, "now": now.name.lower()}

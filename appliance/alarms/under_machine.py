"""Suppression by design: what follows from another alarm stands under it, and is neither sounded nor told nor counted.

It comes out from under it some seconds after that one is over: consequences end a little later than their cause.
"""

from collections.abc import Mapping

from appliance.alarm_events import AlarmReleased, AlarmSuppressed
from appliance.alarm_state import Alarm, AlarmRecord, out_of_service
from appliance.alarms.alarm_machine import Row, Rows, key, stands
from appliance.event import Event

LINGER = 15.0  # s; a UPS looks at its input for some ten seconds before it leaves the battery


def parent_of(row: Row, about: str, alarms: Mapping[str, Alarm], record: AlarmRecord, rows: Rows) -> str:
    """The standing alarm that this one follows from, "" for none.

    One that each thing of a kind has counts about the same thing only; one about a single thing counts for all.
    """
    for code in row.under:
        parent = rows[code]
        name = key(code, parent.about or about)
        alarm = alarms.get(name)
        if alarm is not None and stands(alarm) and out_of_service(record, code, alarm.about) is None:
            return name
    return ""


class Under:
    """Remembers only since when a parent is gone; after a restart that time begins anew."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._alone: dict[str, float] = {}

    def changed(self, alarms: Mapping[str, Alarm], record: AlarmRecord) -> list[Event]:
        """Standing alarms that a new one explains."""
        found: list[Event] = []
        for alarm in alarms.values():
            row = self._rows.get(alarm.alarm)
            if row is None or not row.under or alarm.under or not stands(alarm):
                continue
            if parent := parent_of(row, alarm.about, alarms, record, self._rows):
                found.append(AlarmSuppressed(alarm=alarm.alarm, about=alarm.about, under=parent))
        return found

    def due(self, alarms: Mapping[str, Alarm], record: AlarmRecord, now: float) -> list[Event]:
        """Alarms whose parent is gone for long enough: under another one, or by themselves."""
        found: list[Event] = []
        for name, alarm in alarms.items():
            row = self._rows.get(alarm.alarm)
            parent = parent_of(row, alarm.about, alarms, record, self._rows) if row and alarm.under else ""
            if not alarm.under or parent == alarm.under:
                self._alone.pop(name, None)
            elif parent:
                found.append(AlarmSuppressed(alarm=alarm.alarm, about=alarm.about, under=parent))
            elif now - self._alone.setdefault(name, now) >= LINGER:
                found.append(AlarmReleased(alarm=alarm.alarm, about=alarm.about))
        self._alone = {name: since for name, since in self._alone.items() if name in alarms}
        return found

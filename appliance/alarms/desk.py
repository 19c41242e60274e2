"""What a person says of alarms: seen, shelved, out of service, silence; and their history."""

import asyncio
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from appliance.alarm_commands import (
    AcknowledgeAlarm,
    AlarmCommand,
    ListAlarms,
    PutInService,
    ShelveAlarm,
    SilenceAlarms,
    TakeOutOfService,
    UnshelveAlarm,
)
from appliance.alarm_events import (
    AlarmInService,
    AlarmOutOfService,
    AlarmShelved,
    AlarmsSilenced,
    AlarmUnshelved,
)
from appliance.alarms.alarm_machine import Row, acknowledged, condition, key
from appliance.alarms.listing import read_alarms
from appliance.config import ZONES
from appliance.journal import Appended
from appliance.state import State
from drivers.jsonsocket import Refusal

MINUTE = 60
MOST_SHELVED = 50  # a list that a person still reads
MOST_NAMED = 5  # alarms in a refusal


class AlarmDesk:
    """`obey` answers as JSON. Raises Refusal. `rows` is the catalogue by code."""

    def __init__(
        self, *, state: State, append: Callable[..., Appended], rows: Mapping[str, Row], journal: Path, zone: str
    ) -> None:
        self._state, self._append, self._rows, self._journal, self._zone = state, append, rows, journal, ZONES[zone]

    async def obey(self, command: AlarmCommand, actor: str) -> dict[str, Any]:
        match command:
            case AcknowledgeAlarm():
                return self.acknowledge(command, actor)
            case ShelveAlarm():
                return self._shelve(command, actor)
            case UnshelveAlarm():
                return self._unshelve(command, actor)
            case TakeOutOfService():
                return self._take_out(command, actor)
            case PutInService():
                return self._put_in(command, actor)
            case SilenceAlarms():
                return self.silence(actor)
            case ListAlarms():
                return await asyncio.to_thread(read_alarms, self._journal, command, self._zone)

    def acknowledge(self, command: AcknowledgeAlarm, actor: str) -> dict[str, Any]:
        """A person has seen it; once is enough. Raises Refusal when there is no such alarm."""
        name = self._must_be(command.alarm, command.about)
        events = acknowledged(command.alarm, command.about, command.note, self._state.alarms)
        for event in events:
            self._append(event, actor=actor)
        now = condition(self._state.alarms.get(name))
        return {"alarm": command.alarm, "about": command.about, "repeated": not events, "now": now.name.lower()}

    def silence(self, actor: str) -> dict[str, Any]:
        """The buzzer is quiet until a new alarm."""
        self._append(AlarmsSilenced(), actor=actor)
        return {"repeated": False}

    def _shelve(self, command: ShelveAlarm, actor: str) -> dict[str, Any]:
        name, shelved = self._must_be(command.alarm, command.about), self._state.alarm_record.shelved
        if name not in shelved and len(shelved) >= MOST_SHELVED:
            raise Refusal("full", f"{MOST_SHELVED} alarms are shelved already.", "Take one off the shelf first.")
        self._append(
            AlarmShelved(
                alarm=command.alarm, about=command.about, seconds=command.minutes * MINUTE, reason=command.reason
            ),
            actor=actor,
        )
        return {"alarm": command.alarm, "about": command.about, "repeated": False, "until": shelved[name].until}

    def _unshelve(self, command: UnshelveAlarm, actor: str) -> dict[str, Any]:
        repeated = key(command.alarm, command.about) not in self._state.alarm_record.shelved
        if not repeated:
            self._append(AlarmUnshelved(alarm=command.alarm, about=command.about, why="person"), actor=actor)
        return {"alarm": command.alarm, "about": command.about, "repeated": repeated}

    def _take_out(self, command: TakeOutOfService, actor: str) -> dict[str, Any]:
        if command.alarm not in self._rows:
            near = ", ".join(get_close_matches(command.alarm, self._rows)) or "siaga alarms codes lists them"
            raise Refusal("no_alarm", f"There is no alarm {command.alarm} in the catalogue.", f"Meant? {near}.")
        repeated = key(command.alarm, command.about) in self._state.alarm_record.out
        if not repeated:
            event = AlarmOutOfService(alarm=command.alarm, about=command.about, reason=command.reason)
            self._append(event, actor=actor)
        return {"alarm": command.alarm, "about": command.about, "repeated": repeated}

    def _put_in(self, command: PutInService, actor: str) -> dict[str, Any]:
        repeated = key(command.alarm, command.about) not in self._state.alarm_record.out
        if not repeated:
            self._append(AlarmInService(alarm=command.alarm, about=command.about), actor=actor)
        return {"alarm": command.alarm, "about": command.about, "repeated": repeated}

    def _must_be(self, code: str, about: str) -> str:
        name = key(code, about)
        if name not in self._state.alarms:
            stands = ", ".join(" ".join(name.split("/", 1)) for name in list(self._state.alarms)[:MOST_NAMED])
            now = f"These stand: {stands}." if stands else "None stands."
            raise Refusal("no_alarm", f"There is no alarm {code} about {about}, or it is over.", now)
        return name

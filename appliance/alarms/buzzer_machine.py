"""What the buzzer in the room sounds for: each alarm that nobody has acknowledged or silenced, as urgently as it is."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from appliance.alarm_state import Alarm, AlarmRecord, unseen


class Sounding(NamedTuple):
    """`again_s`: it sounds again so long after it began; 0: once."""

    pattern: str
    seconds: float
    again_s: float


# Priority 1 does not stop; 2 is heard again and again; 3 is said once.
SOUNDS = {1: Sounding("pulse", 60.0, 60.0), 2: Sounding("steady", 2.0, 30.0), 3: Sounding("steady", 1.0, 0.0)}


def audible(
    alarms: Mapping[str, Alarm], record: AlarmRecord, told: Callable[[str], str], latched: Callable[[str], bool]
) -> list[Alarm]:
    """Alarms that want to be heard, the most urgent first. `told`: the catalogue's word on who is told, by code."""
    silent = record.silenced.seq if record.silenced else 0
    found = [
        alarm
        for alarm in alarms.values()
        if unseen(alarm, record)
        and alarm.since.seq > silent
        and (alarm.cleared is None or latched(alarm.alarm))
        and told(alarm.alarm) != "none"
    ]
    return sorted(found, key=lambda alarm: (alarm.priority, alarm.since.seq))

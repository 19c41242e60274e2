"""What time alone does to alarms: a shelf that ends, a flood that begins and is over."""

from collections.abc import Callable

from appliance.alarm_events import AlarmFloodOver, AlarmsFlooding, AlarmUnshelved
from appliance.alarm_state import AlarmRecord, counted_lately
from appliance.event import Event
from appliance.stamp import Stamp

FLOOD_FROM, FLOOD_UNTIL = 10, 5  # alarms in ten minutes: ISA-18.2


def due(record: AlarmRecord, since: Callable[[Stamp], float]) -> list[Event]:
    """What is so now; `since`: seconds since a stamp."""
    found: list[Event] = []
    for key, shelf in record.shelved.items():
        if since(shelf.at) >= shelf.seconds:
            code, _, about = key.partition("/")
            found.append(AlarmUnshelved(alarm=code, about=about, why="ended"))
    count = counted_lately(record, since)
    if record.flood is None and count >= FLOOD_FROM:
        found.append(AlarmsFlooding(count=count))
    elif record.flood is not None and count < FLOOD_UNTIL:
        found.append(AlarmFloodOver(count=count))
    return found

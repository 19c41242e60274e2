"""When a memory of SIM or modem counts as nearly full, and what that makes of the alarms."""

import pytest

from appliance.alarm_events import AlarmCleared, AlarmRaised
from appliance.alarm_state import Alarm
from appliance.alarms.alarm_machine import told as alarms_told
from appliance.alarms.catalogue import CATALOGUE, load_catalogue
from appliance.event import Event
from appliance.events import SmsMemoryFilling, SmsMemoryFreed
from appliance.lines.sms_memory import told
from appliance.stamp import Stamp
from drivers.modem.events import SmsMemory


@pytest.mark.parametrize(("used", "total"), [(40, 50), (50, 50), (8, 10), (23, 23), (184, 230)])
def test_four_fifths_are_nearly_full_and_said_once(used: int, total: int) -> None:
    seen = SmsMemory("SM", used, total)
    assert told("l1", seen, set()) == SmsMemoryFilling(line="l1", memory="SM", used=used, total=total)
    assert told("l1", seen, {"l1/SM"}) is None


@pytest.mark.parametrize(("used", "total"), [(39, 50), (0, 50), (7, 10)])
def test_below_that_it_has_room_again_which_is_said_once(used: int, total: int) -> None:
    seen = SmsMemory("ME", used, total)
    assert told("l1", seen, {"l1/ME"}) == SmsMemoryFreed(line="l1", memory="ME", used=used, total=total)
    assert told("l1", seen, {"l1/SM", "l2/ME"}) is None


def test_each_memory_of_each_line_is_an_alarm_of_its_own_that_clears_with_room() -> None:
    rows = load_catalogue(CATALOGUE)

    def made(event: Event, alarms: dict[str, Alarm]) -> list[Event]:
        return alarms_told(event, rows, alarms, {})

    filling = SmsMemoryFilling(line="l1", memory="SM", used=40, total=50)
    assert made(filling, {}) == [AlarmRaised(alarm="line.sms_memory", about="l1/SM", priority=2)]
    standing = {"line.sms_memory/l1/SM": Alarm("line.sms_memory", "l1/SM", 2, Stamp())}
    assert made(filling, standing) == []
    assert made(SmsMemoryFreed(line="l1", memory="ME", used=0, total=50), standing) == []
    freed = SmsMemoryFreed(line="l1", memory="SM", used=3, total=50)
    assert made(freed, standing) == [AlarmCleared(alarm="line.sms_memory", about="l1/SM")]

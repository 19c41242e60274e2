"""The fold's part for alarms."""

from appliance import alarm_events as ae
from appliance.alarm_state import HOUR, Alarm, OutOfService, Shelf, Told, hidden, out_of_service
from appliance.folding import Folds
from appliance.stamp import Stamp
from appliance.state import State

MOST_COUNTED = 200  # raises kept for the flood, which is judged by ten of them
HOURS = 24
MOST_TOLD = 50  # texts kept of one alarm

FOLDS = Folds()


@FOLDS.of(ae.AlarmRaised)
def _(s: State, e: ae.AlarmRaised, at: Stamp) -> None:
    s.alarms[e.subject] = alarm = Alarm(e.alarm, e.about, e.priority, at, first_out=e.first_out, under=e.under)
    _count(s, alarm, at)


@FOLDS.of(ae.AlarmAcknowledged)
def _(s: State, e: ae.AlarmAcknowledged, at: Stamp) -> None:
    if alarm := s.alarms.get(e.subject):
        alarm.acknowledged, alarm.note = at, e.note
        if alarm.cleared:
            del s.alarms[e.subject]


@FOLDS.of(ae.AlarmCleared)
def _(s: State, e: ae.AlarmCleared, at: Stamp) -> None:
    if alarm := s.alarms.get(e.subject):
        alarm.cleared, alarm.chattering = at, 0
        # What was only ever shown under another is over with it: nobody was told that could have to know the end.
        if alarm.acknowledged or alarm.under:
            del s.alarms[e.subject]


@FOLDS.of(ae.AlarmSuppressed)
def _(s: State, e: ae.AlarmSuppressed, at: Stamp) -> None:
    if alarm := s.alarms.get(e.subject):
        alarm.under = e.under


@FOLDS.of(ae.AlarmReleased)
def _(s: State, e: ae.AlarmReleased, at: Stamp) -> None:
    if alarm := s.alarms.get(e.subject):
        alarm.under, alarm.announced = "", at
        _count(s, alarm, at)


@FOLDS.of(ae.AlarmShelved)
def _(s: State, e: ae.AlarmShelved, at: Stamp) -> None:
    s.alarm_record.shelved[e.subject] = Shelf(e.reason, e.seconds, at)


@FOLDS.of(ae.AlarmUnshelved)
def _(s: State, e: ae.AlarmUnshelved, at: Stamp) -> None:
    s.alarm_record.shelved.pop(e.subject, None)
    _shown_again(s, e.subject, at)


@FOLDS.of(ae.AlarmOutOfService)
def _(s: State, e: ae.AlarmOutOfService, at: Stamp) -> None:
    s.alarm_record.out[e.subject] = OutOfService(e.reason, at)


@FOLDS.of(ae.AlarmInService)
def _(s: State, e: ae.AlarmInService, at: Stamp) -> None:
    s.alarm_record.out.pop(e.subject, None)
    for key, alarm in list(s.alarms.items()):
        if alarm.alarm == e.alarm and out_of_service(s.alarm_record, alarm.alarm, alarm.about) is None:
            _shown_again(s, key, at)


@FOLDS.of(ae.AlarmChattering)
def _(s: State, e: ae.AlarmChattering, at: Stamp) -> None:
    if alarm := s.alarms.get(e.subject):
        alarm.chattering = e.count


@FOLDS.of(ae.AlarmsFlooding)
def _(s: State, e: ae.AlarmsFlooding, at: Stamp) -> None:
    s.alarm_record.flood = at


@FOLDS.of(ae.AlarmFloodOver)
def _(s: State, e: ae.AlarmFloodOver, at: Stamp) -> None:
    s.alarm_record.flood = None


@FOLDS.of(ae.AlarmsSilenced)
def _(s: State, e: ae.AlarmsSilenced, at: Stamp) -> None:
    s.alarm_record.silenced = at


@FOLDS.of(ae.AlarmNotified)
def _(s: State, e: ae.AlarmNotified, at: Stamp) -> None:
    told = Told(e.person, e.level, e.what, at, e.message, e.why)
    for key in e.alarms:
        if alarm := s.alarms.get(key):
            alarm.told = [*alarm.told[1 - MOST_TOLD :], told]


def _shown_again(s: State, key: str, at: Stamp) -> None:
    """A person hid it, and that is over: it is as new."""
    alarm = s.alarms.get(key)
    if alarm is not None and alarm.acknowledged is None and not hidden(alarm, s.alarm_record):
        alarm.announced = at
        _count(s, alarm, at)


def _count(s: State, alarm: Alarm, at: Stamp) -> None:
    record = s.alarm_record
    if hidden(alarm, record):
        return
    record.raised = [*record.raised[1 - MOST_COUNTED :], at]
    hour = int(at.wall // HOUR)
    record.hours[hour] = record.hours.get(hour, 0) + 1
    for old in [h for h in record.hours if not hour - HOURS < h <= hour + HOURS]:
        del record.hours[old]  # also those of a clock that was far ahead

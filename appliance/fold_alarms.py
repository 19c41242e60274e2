"""The fold's part for alarms."""

from appliance import alarm_events as ae
from appliance.alarm_state import HOUR, Alarm, OutOfService, Shelf, Told, hidden, out_of_service
from appliance.folding import Folds
from appliance.stamp import Stamp
from appliance.state import State

MOST_COUNTED = 200  # raises kept for the flood, which is judged by ten of them
HOURS = 24
STILL_KNOWN = 1800.0  # s from a text until the same alarm is news again
MOST_TEXTS = 30  # to one person; the cap is judged by fewer
MOST_TOLD = 50  # texts kept of one alarm
# Alarms kept: what stands is bounded by the site, what is over and unseen (a text that did not arrive) by nothing.
MOST_ALARMS = 200

FOLDS = Folds()


@FOLDS.of(ae.AlarmRaised)
def _(s: State, e: ae.AlarmRaised, at: Stamp) -> None:
    before = s.alarms.get(e.subject)
    s.alarms[e.subject] = alarm = Alarm(e.alarm, e.about, e.priority, at, first_out=e.first_out, under=e.under)
    if before is not None:  # nobody has acknowledged it: who was told of it a moment ago knows
        alarm.told = [told for told in before.told if told.at.elapsed(at.mono, at.wall, at.boot) < STILL_KNOWN]
        alarm.first_out = alarm.first_out or before.first_out
    _make_room(s)
    _count(s, alarm, at)


@FOLDS.of(ae.AlarmAcknowledged)
def _(s: State, e: ae.AlarmAcknowledged, at: Stamp) -> None:
    if alarm := s.alarms.get(e.subject):
        alarm.acknowledged, alarm.note = at, e.note
        if alarm.cleared:
            del s.alarms[e.subject]
            if not any(other.cleared for other in s.alarms.values()):
                s.alarm_record.forgotten = 0


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
    if e.message:
        texts = s.alarm_record.texts
        texts[e.person] = [*texts.get(e.person, [])[1 - MOST_TEXTS :], at]
    for key in e.alarms:
        if alarm := s.alarms.get(key):
            alarm.told = [*alarm.told[1 - MOST_TOLD :], told]


def _make_room(s: State) -> None:
    """The least urgent of what is over goes first, of these the oldest; the journal has them all."""
    over = [alarm for alarm in s.alarms.values() if alarm.cleared]
    if len(s.alarms) > MOST_ALARMS and over:
        least = max(over, key=lambda alarm: (alarm.priority, -alarm.raised.seq))
        del s.alarms[least.key]
        s.alarm_record.forgotten += 1


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

"""The one fold: `apply` adds an entry of the journal to a state.

All is bounded: ended alerts, calls and messages are kept up to a number, the journal keeps them all.
"""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from appliance import alert_events as al
from appliance import events as ev
from appliance.entry import Entry
from appliance.event import Event
from appliance.fold_lines import LINE_FOLDS
from appliance.fold_outgoing import FOLDS as OUTGOING
from appliance.model import AlertKind, CallPhase, DeliveryState, GensetPhase, Mains, Path
from appliance.state import (
    CERTAINTY,
    Alarm,
    Alert,
    Attempt,
    Call,
    Delivery,
    Genset,
    Link,
    Message,
    Siren,
    Stamp,
    State,
    StationContact,
    Ups,
)

log = logging.getLogger("siaga.fold")

MOST_ENDED_ALERTS = 20
MOST_ENDED_CALLS = 50
MOST_PARTS = 500  # PDUs, also of texts that are whole: one that was not deleted in time is known again by it
MOST_MESSAGES = MOST_PARTS  # so that a text is remembered for as long as its parts are

E = TypeVar("E", bound=Event)
_FOLDS: dict[type[Event], Callable[[State, Any, Stamp], None]] = {**OUTGOING}


def _fold(*kinds: type[E]) -> Callable[[Callable[[State, E, Stamp], None]], Callable[[State, E, Stamp], None]]:
    def register(f: Callable[[State, E, Stamp], None]) -> Callable[[State, E, Stamp], None]:
        for kind in kinds:
            _FOLDS[kind] = f
        return f

    return register


def apply(state: State, entry: Entry) -> None:
    """Fold one entry in. Kinds that no page or machine asks about change only `seq`.

    So does a kind or a word that a later release wrote, and a damaged row: the box must start all the same.
    """
    state.seq = entry.seq
    try:
        event = entry.event
        for fold in filter(None, (_FOLDS.get(type(event)), LINE_FOLDS.get(type(event)))):
            fold(state, event, Stamp(entry.seq, entry.wall, entry.mono, entry.boot, entry.actor))
    except (msgspec.DecodeError, ValueError) as e:
        log.warning("journal row %d (%s) is not understood and left out of the state: %s", entry.seq, entry.kind, e)


@_fold(ev.Started)
def _(s: State, e: ev.Started, at: Stamp) -> None:
    # What was connected to the process before says nothing about this one.
    s.links, s.trunk = {}, None


@_fold(ev.LinkLost)
def _(s: State, e: ev.LinkLost, at: Stamp) -> None:
    s.links[e.link] = Link(False, at, e.reason)


@_fold(ev.LinkRestored)
def _(s: State, e: ev.LinkRestored, at: Stamp) -> None:
    s.links[e.link] = Link(True, at)


@_fold(ev.LineUp)
def _(s: State, e: ev.LineUp, at: Stamp) -> None:
    s.links[f"line/{e.line}"] = Link(True, at)


@_fold(ev.LineDown)
def _(s: State, e: ev.LineDown, at: Stamp) -> None:
    s.links[f"line/{e.line}"] = Link(False, at, e.reason)


@_fold(ev.MainsSuspected)
def _(s: State, e: ev.MainsSuspected, at: Stamp) -> None:
    s.mains, s.mains_since, s.witnesses = Mains.SUSPECT, at, (e.by,)


@_fold(ev.MainsLost)
def _(s: State, e: ev.MainsLost, at: Stamp) -> None:
    s.mains, s.mains_since, s.witnesses = Mains.LOST, at, e.by


@_fold(ev.MainsReturned)
def _(s: State, e: ev.MainsReturned, at: Stamp) -> None:
    s.mains, s.mains_since, s.witnesses = Mains.PRESENT, at, e.by


@_fold(ev.MainsPresent)
def _(s: State, e: ev.MainsPresent, at: Stamp) -> None:
    s.mains, s.mains_since, s.witnesses = Mains.PRESENT, at, e.by


_GENSET_PHASES: dict[type[ev.GensetEvent], GensetPhase] = {
    ev.GensetStarting: GensetPhase.STARTING,
    ev.GensetRunning: GensetPhase.RUNNING,
    ev.GensetOnLoad: GensetPhase.ON_LOAD,
    ev.GensetOffLoad: GensetPhase.RUNNING,
    ev.GensetCooling: GensetPhase.COOLING,
    ev.GensetStopped: GensetPhase.STOPPED,
    ev.GensetFailedToStart: GensetPhase.FAILED,
}


@_fold(*_GENSET_PHASES)
def _(s: State, e: ev.GensetEvent, at: Stamp) -> None:
    genset = s.gensets.setdefault(e.genset, Genset())
    genset.phase, genset.since = _GENSET_PHASES[type(e)], at
    if genset.phase in (GensetPhase.STARTING, GensetPhase.RUNNING):
        genset.fault = ""
    # After each run it must be seen ready again.
    unready = genset.phase is GensetPhase.FAILED or bool(genset.fault) or genset.mode not in ("", "auto")
    genset.ready = False if unready else None


@_fold(ev.GensetReady)
def _(s: State, e: ev.GensetReady, at: Stamp) -> None:
    genset = s.gensets.setdefault(e.genset, Genset())
    if genset.phase is not GensetPhase.STOPPED:
        genset.phase, genset.since = GensetPhase.STOPPED, at
    genset.ready, genset.mode, genset.fault = True, "auto", ""


@_fold(ev.GensetInAuto)
def _(s: State, e: ev.GensetInAuto, at: Stamp) -> None:
    genset = s.gensets.setdefault(e.genset, Genset())
    unready = genset.phase is GensetPhase.FAILED or bool(genset.fault)
    genset.ready, genset.mode = (False if unready else None), "auto"


@_fold(ev.GensetShutDown)
def _(s: State, e: ev.GensetShutDown, at: Stamp) -> None:
    genset = s.gensets.setdefault(e.genset, Genset())
    genset.ready, genset.fault = False, e.reason


@_fold(ev.GensetNotInAuto)
def _(s: State, e: ev.GensetNotInAuto, at: Stamp) -> None:
    genset = s.gensets.setdefault(e.genset, Genset())
    genset.ready, genset.mode = False, e.mode


@_fold(ev.UpsOnBattery)
def _(s: State, e: ev.UpsOnBattery, at: Stamp) -> None:
    s.ups[e.ups] = Ups(True, at)


@_fold(ev.UpsOnLine)
def _(s: State, e: ev.UpsOnLine, at: Stamp) -> None:
    s.ups[e.ups] = Ups(False, at)


@_fold(al.AlertIssued)
def _(s: State, e: al.AlertIssued, at: Stamp) -> None:
    s.alerts[e.alert] = Alert(
        e.alert,
        AlertKind(e.alert_kind),
        e.pattern,
        e.seconds,
        e.lifetime_s,
        e.incident_code,
        e.stations,
        e.via,
        e.key,
        at,
        deliveries={name: Delivery(name, DeliveryState.QUEUED, at) for name in e.stations},
    )


@_fold(al.AlertStopped)
def _(s: State, e: al.AlertStopped, at: Stamp) -> None:
    if alert := s.alerts.get(e.alert):
        alert.stopped = alert.stopped or at


@_fold(al.AlertEnded)
def _(s: State, e: al.AlertEnded, at: Stamp) -> None:
    if alert := s.alerts.get(e.alert):
        alert.ended = at
    ended = [a.id for a in s.alerts.values() if a.ended]
    for old in ended[: max(0, len(ended) - MOST_ENDED_ALERTS)]:
        del s.alerts[old]


def _delivery(s: State, e: al.DeliveryEvent) -> Delivery | None:
    alert = s.alerts.get(e.alert)
    return alert.deliveries.get(e.station) if alert else None


def _advance(delivery: Delivery, to: DeliveryState, at: Stamp, path: str = "", reason: str = "") -> None:
    if CERTAINTY[to] > CERTAINTY[delivery.state]:
        delivery.state, delivery.since = to, at
        delivery.path, delivery.reason = path or delivery.path, reason


@_fold(al.DeliverySent)
def _(s: State, e: al.DeliverySent, at: Stamp) -> None:
    s.sequences[e.station] = max(s.sequences.get(e.station, 0), e.sequence)
    if d := _delivery(s, e):
        d.attempts.append(Attempt(Path(e.path), e.action, e.sequence, at))
        if d.state is DeliveryState.REFUSED:  # asked again, signed anew
            d.state, d.since, d.reason = DeliveryState.SENT, at, ""
        _advance(d, DeliveryState.SENT, at, e.path)


@_fold(al.DeliverySendFailed)
def _(s: State, e: al.DeliverySendFailed, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.attempts.append(Attempt(Path(e.path), e.action, 0, at, e.reason))


@_fold(al.DeliveryReceived)
def _(s: State, e: al.DeliveryReceived, at: Stamp) -> None:
    if d := _delivery(s, e):
        _advance(d, DeliveryState.RECEIVED, at, e.path)


@_fold(al.DeliveryEnergised)
def _(s: State, e: al.DeliveryEnergised, at: Stamp) -> None:
    if d := _delivery(s, e):
        if d.energised is None:
            d.energised, d.remaining_s = at, e.remaining_s
        _advance(d, DeliveryState.ENERGISED, at, e.path)


@_fold(al.DeliveryProven)
def _(s: State, e: al.DeliveryProven, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.energised = d.energised or at
        _advance(d, DeliveryState.PROVEN, at, e.path)


@_fold(al.DeliveryAcknowledged)
def _(s: State, e: al.DeliveryAcknowledged, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.acknowledged = d.acknowledged or at


@_fold(al.DeliverySilenced)
def _(s: State, e: al.DeliverySilenced, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.silenced = d.silenced or at


@_fold(al.DeliveryRefused)
def _(s: State, e: al.DeliveryRefused, at: Stamp) -> None:
    if d := _delivery(s, e):
        if d.state is DeliveryState.RECEIVED and e.reason == "hardware":  # what was received cannot be carried out
            d.state = DeliveryState.SENT
        _advance(d, DeliveryState.REFUSED, at, e.path, e.reason)


@_fold(al.DeliveryEnded)
def _(s: State, e: al.DeliveryEnded, at: Stamp) -> None:
    if d := _delivery(s, e):
        silent = s.alerts[e.alert].kind in (AlertKind.SILENT_TEST, AlertKind.DRILL)  # it ends without a sound, as meant
        _advance(d, DeliveryState.ENDED if d.energised or silent else DeliveryState.CANCELLED, at, e.path)


@_fold(al.DeliveryExpired)
def _(s: State, e: al.DeliveryExpired, at: Stamp) -> None:
    if d := _delivery(s, e):
        _advance(d, DeliveryState.EXPIRED, at)


@_fold(al.DeliveryCancelled)
def _(s: State, e: al.DeliveryCancelled, at: Stamp) -> None:
    if d := _delivery(s, e):
        _advance(d, DeliveryState.CANCELLED, at)


@_fold(al.DeliveryFailed)
def _(s: State, e: al.DeliveryFailed, at: Stamp) -> None:
    if d := _delivery(s, e):
        _advance(d, DeliveryState.FAILED, at, reason=e.reason)


@_fold(al.CardRaised)
def _(s: State, e: al.CardRaised, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.card, d.card_reason = d.card or at, e.reason


@_fold(al.StationOnline)
def _(s: State, e: al.StationOnline, at: Stamp) -> None:
    s.stations[e.station] = StationContact(True, e.session, e.path, at)


@_fold(al.StationOffline)
def _(s: State, e: al.StationOffline, at: Stamp) -> None:
    contact = s.stations.setdefault(e.station, StationContact())
    contact.online, contact.since = False, at


@_fold(al.SirenEnergised)
def _(s: State, e: al.SirenEnergised, at: Stamp) -> None:
    s.sirens[e.output] = Siren(True, e.order, e.why, at, e.seconds)


@_fold(al.SirenReleased)
def _(s: State, e: al.SirenReleased, at: Stamp) -> None:
    s.sirens[e.output] = Siren(False, "", e.why, at)


@_fold(ev.CallRinging)
def _(s: State, e: ev.CallRinging, at: Stamp) -> None:
    s.calls[e.call] = Call(e.line, e.call, e.number, CallPhase.RINGING, at, at)


@_fold(ev.CallIdentified)
def _(s: State, e: ev.CallIdentified, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.number = e.number


@_fold(ev.CallAnswered)
def _(s: State, e: ev.CallAnswered, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.phase, call.since = CallPhase.TALKING, at


@_fold(ev.CallMissed, ev.CallEnded)
def _(s: State, e: ev.CallEvent, at: Stamp) -> None:
    if call := s.calls.get(e.call):
        call.phase = CallPhase.MISSED if isinstance(e, ev.CallMissed) else CallPhase.ENDED
        call.since, call.reason = at, e.reason if isinstance(e, ev.CallEnded) else ""
    over = [c.id for c in s.calls.values() if c.phase in (CallPhase.ENDED, CallPhase.MISSED)]
    for old in over[: max(0, len(over) - MOST_ENDED_CALLS)]:
        del s.calls[old]


@_fold(ev.SmsPartReceived)
def _(s: State, e: ev.SmsPartReceived, at: Stamp) -> None:
    s.parts.append((e.line, e.pdu))
    del s.parts[: max(0, len(s.parts) - MOST_PARTS)]


@_fold(ev.SmsReceived)
def _(s: State, e: ev.SmsReceived, at: Stamp) -> None:
    s.messages.append(Message(e.line, e.message, e.number, e.text, at))
    del s.messages[: max(0, len(s.messages) - MOST_MESSAGES)]


@_fold(ev.TrunkLost)
def _(s: State, e: ev.TrunkLost, at: Stamp) -> None:
    s.trunk = Link(False, at, e.reason)


@_fold(ev.TrunkRestored)
def _(s: State, e: ev.TrunkRestored, at: Stamp) -> None:
    s.trunk = Link(True, at)


@_fold(ev.AlarmRaised)
def _(s: State, e: ev.AlarmRaised, at: Stamp) -> None:
    s.alarms[e.subject] = Alarm(e.alarm, e.about, e.priority, at)


@_fold(ev.AlarmAcknowledged)
def _(s: State, e: ev.AlarmAcknowledged, at: Stamp) -> None:
    if alarm := s.alarms.get(e.subject):
        alarm.acknowledged, alarm.note = at, e.note
        if alarm.cleared:
            del s.alarms[e.subject]


@_fold(ev.AlarmCleared)
def _(s: State, e: ev.AlarmCleared, at: Stamp) -> None:
    if alarm := s.alarms.get(e.subject):
        alarm.cleared = at
        if alarm.acknowledged:
            del s.alarms[e.subject]

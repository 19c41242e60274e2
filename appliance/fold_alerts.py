"""The fold's part for alerts, their deliveries, stations and sirens. Ended alerts are kept up to a number."""

from appliance import alert_events as al
from appliance.alert_state import ContactDelivery
from appliance.folding import Folds
from appliance.model import AlertKind, ContactState, DeliveryState, Path
from appliance.stamp import Stamp
from appliance.state import CERTAINTY, Alert, Attempt, Delivery, Siren, State, StationContact

MOST_ENDED_ALERTS = 20
MOST_UNHANDLED_ALERTS = 40  # with those whose cards nobody has handled; behind it only the alarm stands

FOLDS = Folds()


@FOLDS.of(al.AlertIssued)
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
        zones=e.zones,
        groups=e.groups,
        text=e.text,
        language=e.language,
        priority=e.priority,
        paths=e.paths,
        test=e.test,
        contacts={name: ContactDelivery(name, ContactState.QUEUED, at) for name in e.contacts},
        sequences=e.sequences,
    )
    for group, members in e.sequences.items():
        for name in members:
            if contact := s.alerts[e.alert].contacts.get(name):
                contact.group = group


@FOLDS.of(al.AlertStopped)
def _(s: State, e: al.AlertStopped, at: Stamp) -> None:
    if alert := s.alerts.get(e.alert):
        alert.stopped = alert.stopped or at


@FOLDS.of(al.AlertEnded)
def _(s: State, e: al.AlertEnded, at: Stamp) -> None:
    if alert := s.alerts.get(e.alert):
        alert.ended = at
    # Tests never push out an alert whose all-clear is still to be said.
    for actual in (True, False):
        ended = [a.id for a in s.alerts.values() if a.ended and (a.kind is AlertKind.ACTUAL) is actual]
        gone = [id for id in ended if not s.alerts[id].unhandled][: max(0, len(ended) - MOST_ENDED_ALERTS)]
        for old in gone or ended[: max(0, len(ended) - MOST_UNHANDLED_ALERTS)]:
            del s.alerts[old]


def _delivery(s: State, e: al.DeliveryEvent) -> Delivery | None:
    alert = s.alerts.get(e.alert)
    return alert.deliveries.get(e.station) if alert else None


def _advance(delivery: Delivery, to: DeliveryState, at: Stamp, path: str = "", reason: str = "") -> None:
    if CERTAINTY[to] > CERTAINTY[delivery.state]:
        delivery.state, delivery.since = to, at
        delivery.path, delivery.reason = path or delivery.path, reason


@FOLDS.of(al.DeliverySent)
def _(s: State, e: al.DeliverySent, at: Stamp) -> None:
    s.sequences[e.station] = max(s.sequences.get(e.station, 0), e.sequence)
    if d := _delivery(s, e):
        d.attempts.append(Attempt(Path(e.path), e.action, e.sequence, at))
        if d.state is DeliveryState.REFUSED and e.path != Path.VOICE:  # asked again, signed anew
            d.state, d.since, d.reason = DeliveryState.SENT, at, ""
        _advance(d, DeliveryState.SENT, at, e.path)


@FOLDS.of(al.DeliverySendFailed)
def _(s: State, e: al.DeliverySendFailed, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.attempts.append(Attempt(Path(e.path), e.action, 0, at, e.reason))


@FOLDS.of(al.DeliveryCalled)
def _(s: State, e: al.DeliveryCalled, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.call = e.line, e.call


@FOLDS.of(al.DeliverySpoken)
def _(s: State, e: al.DeliverySpoken, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.spoken.setdefault(e.action, at)


@FOLDS.of(al.DeliveryReceived)
def _(s: State, e: al.DeliveryReceived, at: Stamp) -> None:
    if d := _delivery(s, e):
        _advance(d, DeliveryState.RECEIVED, at, e.path)


@FOLDS.of(al.DeliveryEnergised)
def _(s: State, e: al.DeliveryEnergised, at: Stamp) -> None:
    if d := _delivery(s, e):
        if d.energised is None:
            d.energised, d.remaining_s = at, e.remaining_s
        _advance(d, DeliveryState.ENERGISED, at, e.path)


@FOLDS.of(al.DeliveryProven)
def _(s: State, e: al.DeliveryProven, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.energised, d.proven = d.energised or at, d.proven or at
        _advance(d, DeliveryState.PROVEN, at, e.path)


@FOLDS.of(al.DeliveryHeard)
def _(s: State, e: al.DeliveryHeard, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.energised, d.heard = d.energised or at, d.heard or at
        _advance(d, DeliveryState.PROVEN, at, e.path)


@FOLDS.of(al.DeliveryAcknowledged)
def _(s: State, e: al.DeliveryAcknowledged, at: Stamp) -> None:
    if (d := _delivery(s, e)) and d.acknowledged is None:
        d.acknowledged, d.by = at, e.path


@FOLDS.of(al.DeliveryTold)
def _(s: State, e: al.DeliveryTold, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.told.setdefault(e.about, at)
        d.untold.pop(e.about, None)


@FOLDS.of(al.DeliveryUntold)
def _(s: State, e: al.DeliveryUntold, at: Stamp) -> None:
    if (d := _delivery(s, e)) and e.about not in d.told:
        d.untold.setdefault(e.about, e.reason)


@FOLDS.of(al.DeliverySilenced)
def _(s: State, e: al.DeliverySilenced, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.silenced = d.silenced or at


@FOLDS.of(al.DeliveryRefused)
def _(s: State, e: al.DeliveryRefused, at: Stamp) -> None:
    if d := _delivery(s, e):
        if d.state is DeliveryState.RECEIVED and e.reason == "hardware":  # what was received cannot be carried out
            d.state = DeliveryState.SENT
        if d.energised and not d.over and e.reason == "locked_out":  # a lockout silenced it: it is as if never heard
            d.state = DeliveryState.SENT
        _advance(d, DeliveryState.REFUSED, at, e.path, e.reason)


@FOLDS.of(al.DeliveryEnded)
def _(s: State, e: al.DeliveryEnded, at: Stamp) -> None:
    if d := _delivery(s, e):
        alert = s.alerts[e.alert]
        silent = alert.kind in (AlertKind.SILENT_TEST, AlertKind.DRILL)  # it ends without a sound, as meant
        # By phone alone there is no siren to fall silent. A station that nobody stopped says so of what has sounded.
        meant = d.energised or silent or e.path == Path.VOICE or (e.path != Path.GPIO and alert.stopped is None)
        _advance(d, DeliveryState.ENDED if meant else DeliveryState.CANCELLED, at, e.path)


@FOLDS.of(al.DeliveryExpired)
def _(s: State, e: al.DeliveryExpired, at: Stamp) -> None:
    if d := _delivery(s, e):
        _advance(d, DeliveryState.EXPIRED, at)


@FOLDS.of(al.DeliveryCancelled)
def _(s: State, e: al.DeliveryCancelled, at: Stamp) -> None:
    if d := _delivery(s, e):
        _advance(d, DeliveryState.CANCELLED, at)


@FOLDS.of(al.DeliveryFailed)
def _(s: State, e: al.DeliveryFailed, at: Stamp) -> None:
    if d := _delivery(s, e):
        _advance(d, DeliveryState.FAILED, at, reason=e.reason)


@FOLDS.of(al.CardRaised)
def _(s: State, e: al.CardRaised, at: Stamp) -> None:
    if d := _delivery(s, e):
        # A siren that does not end is another matter than a start that was settled before it.
        anew = d.card is None or not d.unhandled
        d.card, d.card_reason, d.card_wait_s = at if anew else d.card, e.reason, e.wait_s
        d.handled, d.outcome, d.outcome_text = (None, "", "") if anew else (d.handled, d.outcome, d.outcome_text)


@FOLDS.of(al.CardHandled)
def _(s: State, e: al.CardHandled, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.handled, d.outcome, d.outcome_text = at, e.outcome, e.text


@FOLDS.of(al.DeliveryTestFailed)
def _(s: State, e: al.DeliveryTestFailed, at: Stamp) -> None:
    if d := _delivery(s, e):
        d.card, d.card_reason = d.card or at, e.reason


@FOLDS.of(al.StationOnline)
def _(s: State, e: al.StationOnline, at: Stamp) -> None:
    s.stations[e.station] = StationContact(True, e.session, e.path, at)


@FOLDS.of(al.StationOffline)
def _(s: State, e: al.StationOffline, at: Stamp) -> None:
    contact = s.stations.setdefault(e.station, StationContact())
    contact.online, contact.since = False, at


@FOLDS.of(al.SirenEnergised)
def _(s: State, e: al.SirenEnergised, at: Stamp) -> None:
    s.sirens[e.output] = Siren(True, e.order, e.why, at, e.seconds)


@FOLDS.of(al.SirenReleased)
def _(s: State, e: al.SirenReleased, at: Stamp) -> None:
    s.sirens[e.output] = Siren(False, "", e.why, at)

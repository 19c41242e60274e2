"""What one delivery needs next: pure, from the folded alert and the time since its issue.

Nothing is remembered here but in the events, so a restart in the middle goes on where the journal says.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from appliance.model import AlertKind, DeliveryState, Ladder, Path
from appliance.stamp import Stamp
from appliance.state import CERTAINTY, Alert, Attempt, Delivery

Since = Callable[[Stamp], float]

RESEND_MQTT = 3.0  # s without a word from the station until the order goes out again; Zetron resends up to 4 times
MOST_MQTT = 5
RESEND_SMS = 45.0  # s; an SMS and its answer take 10 to 60 s on a busy network
MOST_SMS = 2
RETRY_SMS = 10.0  # s after one that no modem took; it counts as none
RETRY_GPIO = 1.0  # s; the annunciator restarts within about one
MOST_GPIO = 600
PACE = {Path.GPIO: (RETRY_GPIO, MOST_GPIO), Path.MQTT: (RESEND_MQTT, MOST_MQTT), Path.SMS: (RESEND_SMS, MOST_SMS)}
# s between stops beyond those: for as long as a siren may sound, the stop goes on
STOP_ON = {Path.GPIO: RETRY_GPIO, Path.MQTT: 15.0, Path.SMS: 300.0}
END_GRACE = {
    Path.GPIO: 3.0,
    Path.MQTT: 10.0,
    Path.SMS: 90.0,
    Path.VOICE: 90.0,
}  # s after its last second for the word "ended" to come
STOP_CARD = 30.0  # s after a stop without the word "ended", then a person must phone
HOPELESS = {"hardware", "not_allowed"}  # refusals that no other path can mend: a person must phone now


class Do(StrEnum):
    SEND = "send"
    CARD = "card"
    EXPIRE = "expire"
    CANCEL = "cancel"
    FAIL = "fail"


class Step(msgspec.Struct, frozen=True):
    """One thing to do now. `path` and `action` belong to SEND, `reason` to CARD and FAIL."""

    do: Do
    path: Path = Path.MQTT
    action: str = "start"
    reason: str = ""


class Reach(msgspec.Struct, frozen=True):
    """By what a station can be reached at this moment. `mqtt`: broker up, session known and not offline."""

    local: bool = False
    mqtt: bool = False
    sms: bool = False  # a number is enrolled and a line is up
    offline: bool = False  # known to be silent on MQTT, or the broker is


def sounds(kind: AlertKind) -> bool:
    return kind in (AlertKind.ACTUAL, AlertKind.SOUNDING_TEST)


def due(
    alert: Alert, delivery: Delivery, reach: Reach, ladder: Ladder, since: Since, *, rebooted: bool = False
) -> list[Step]:
    """The steps that are due now. `since` gives the seconds that have passed since a stamp.

    `rebooted`: no clock ran from the issue until now, so it may be long ago: nothing starts any more.
    """
    if delivery.over:
        return []
    if alert.stopped is not None:
        return _stopping(alert, delivery, reach, ladder, since)
    if CERTAINTY[delivery.state] >= CERTAINTY[DeliveryState.ENERGISED]:
        return _ending(alert, delivery, since)
    age = since(alert.issued)
    steps: list[Step] = []
    if rebooted or age > alert.lifetime_s:
        steps += _card(delivery, "expired")
        return steps if _may_sound_unheard(alert, delivery, reach, since) else [*steps, Step(Do.EXPIRE)]
    if reach.local:
        if _rested(delivery, Path.GPIO, "start", since):
            steps.append(Step(Do.SEND, Path.GPIO))
    elif reach.mqtt and delivery.state is not DeliveryState.RECEIVED and _rested(delivery, Path.MQTT, "start", since):
        steps.append(Step(Do.SEND, Path.MQTT))
    by_sms = reach.sms and (age >= ladder.sms_s or reach.offline)
    if by_sms and _rested(delivery, Path.SMS, "start", since):
        steps.append(Step(Do.SEND, Path.SMS))
    if delivery.state is DeliveryState.REFUSED and delivery.reason in HOPELESS:
        steps += _card(delivery, delivery.reason)
    elif age >= ladder.card_s:
        steps += _card(delivery, "no_proof")
    elif not (reach.local or reach.mqtt or reach.sms) and age >= ladder.sms_s:
        steps += _card(delivery, "no_path")
    return steps


def _stopping(alert: Alert, delivery: Delivery, reach: Reach, ladder: Ladder, since: Since) -> list[Step]:
    assert alert.stopped is not None
    stop_age = since(alert.stopped)
    begun = {a.path for a in delivery.attempts if a.action == "start" and not a.failed}
    if not begun and delivery.energised is None:
        return [Step(Do.CANCEL)]
    steps: list[Step] = []
    if reach.local:
        if _rested(delivery, Path.GPIO, "stop", since):
            steps.append(Step(Do.SEND, Path.GPIO, "stop"))
    elif reach.mqtt and _rested(delivery, Path.MQTT, "stop", since):
        steps.append(Step(Do.SEND, Path.MQTT, "stop"))
    by_sms = Path.SMS in begun or reach.offline or stop_age >= ladder.sms_s
    if reach.sms and by_sms and _rested(delivery, Path.SMS, "stop", since):
        steps.append(Step(Do.SEND, Path.SMS, "stop"))
    if stop_age >= STOP_CARD:
        steps += _card(delivery, "stop_not_seen")
    if stop_age > alert.seconds + END_GRACE[Path.SMS]:
        steps.append(Step(Do.FAIL, reason="end_not_seen"))
    return steps


def _ending(alert: Alert, delivery: Delivery, since: Since) -> list[Step]:
    """Sounding: its end must be seen too. A station bounds itself, so this is a watch, not a stop."""
    grace = END_GRACE[Path(delivery.path)] if delivery.path else END_GRACE[Path.SMS]
    if since(delivery.energised or delivery.since) > alert.seconds + grace:
        return [*_card(delivery, "end_not_seen"), Step(Do.FAIL, reason="end_not_seen")]
    return []


def _card(delivery: Delivery, reason: str) -> list[Step]:
    return [] if delivery.card else [Step(Do.CARD, reason=reason)]


def _may_sound_unheard(alert: Alert, delivery: Delivery, reach: Reach, since: Since) -> bool:
    """Whether a start is still somewhere that may begin, or has begun unheard. Until then the alert can be stopped."""
    starts = [a for a in delivery.attempts if a.action == "start"]
    if not starts or not sounds(alert.kind):
        return False
    under_way = END_GRACE[Path.GPIO] if reach.local else alert.lifetime_s + END_GRACE[Path.SMS]
    return since(starts[-1].at) <= under_way + alert.seconds


def _rested(delivery: Delivery, path: Path, action: str, since: Since) -> bool:
    """Whether this path may be tried (again): at its pace, and a start only so many times."""
    rest, most = PACE[path]
    tries: list[Attempt] = [a for a in delivery.attempts if a.path == path and a.action == action]
    if not tries:
        return True
    sent = sum(-1 if a.failed else 1 for a in tries)  # one that failed stands there twice: sent, and failed
    if tries[-1].failed and path is Path.SMS:
        rest = RETRY_SMS
    if sent >= most:
        if action == "start":
            return False
        rest = STOP_ON[path]
    return since(tries[-1].at) >= rest

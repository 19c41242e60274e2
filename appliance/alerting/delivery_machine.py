"""What one delivery needs next: pure, from the folded alert and the time since its issue.

Nothing is remembered here but in the events, so a restart in the middle goes on where the journal says. Telephone
calls are `phone_machine`'s.
"""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from appliance.model import AlertKind, DeliveryState, Ladder, Path
from appliance.stamp import Stamp
from appliance.state import CERTAINTY, STOP_CARDS, Alert, Attempt, Delivery

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
ASK_END = 2.0  # s behind the last second without that word, then it is asked for where the broker is
STOP_CARD = 30.0  # s after a stop without the word "ended", then a person must phone
TALKED_OUT = 30.0  # s that the card waits for the key of who has answered the phone: a text is said in some 15
NOT_SILENT = frozenset(STOP_CARDS)  # what a siren may still do
HOPELESS = {"hardware", "not_allowed", "locked_out"}  # refusals that no other path can mend: people must be told now


class Do(StrEnum):
    SEND = "send"
    HANG_UP = "hang_up"
    CUT = "cut"  # a call of before a restart is not followed any more
    CARD = "card"
    END = "end"
    EXPIRE = "expire"
    CANCEL = "cancel"
    FAIL = "fail"


class Step(msgspec.Struct, frozen=True):
    """One thing to do now. `path` and `action` belong to SEND and CUT, `reason` to CARD and FAIL.

    `early`: it goes beside other paths, not behind them, so nobody is told if it has to wait.
    """

    do: Do
    path: Path = Path.MQTT
    action: str = "start"
    reason: str = ""
    early: bool = False


class Reach(msgspec.Struct, frozen=True):
    """By what a station can be reached at this moment. `mqtt`: broker up, session known and not offline."""

    local: bool = False
    mqtt: bool = False
    sms: bool = False  # a number is enrolled and a line is up
    offline: bool = False  # known to be silent on MQTT, or the broker is
    phone: bool = False  # a telephone is enrolled, and lines have sound
    calls: bool = False  # such a line could call it now
    calling: str = ""  # a call of this delivery is under way, its action
    talking: bool = False  # and was answered
    revoked: bool = False  # none of its keys counts: it can be told nothing that it could prove


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
        return _ending(alert, delivery, reach, since)
    if rebooted or since(alert.issued) > alert.lifetime_s:
        steps = card(alert, delivery, delivery.reason if hopeless(delivery) else "expired")
        return steps if _may_sound_unheard(alert, delivery, reach, since) else [*steps, Step(Do.EXPIRE)]
    return _starting(alert, delivery, reach, ladder, since)


def sounds_on(alert: Alert, delivery: Delivery, since: Since) -> bool:
    """It sounds as it was told, and its time is not over: nothing of `due` can be."""
    return (
        delivery.energised is not None
        and alert.stopped is None
        and delivery.state in (DeliveryState.ENERGISED, DeliveryState.PROVEN)
        and since(delivery.energised) <= alert.seconds
    )


def allowed(alert: Alert, path: Path) -> bool:
    """Whether a start may take this path. A stop takes any."""
    return not alert.paths or path in alert.paths


def hopeless(delivery: Delivery) -> bool:
    """The station has it and will not sound."""
    return delivery.state is DeliveryState.REFUSED and delivery.reason in HOPELESS


def not_actual(alert: Alert) -> bool:
    """A person's own test or drill; what the calendar orders judges itself."""
    return alert.kind is not AlertKind.ACTUAL and not alert.test


def barred(alert: Alert, delivery: Delivery) -> bool:
    """A test that the station, by a rule, does not run: it would say so again, on every path.

    A silent test of the calendar's is left open: what each path answers counts.
    """
    if delivery.reason == "hardware" or not hopeless(delivery):
        return False
    return not_actual(alert) or alert.kind is AlertKind.SOUNDING_TEST


def at_once(alert: Alert, ladder: Ladder) -> bool:
    """Every path begins together."""
    return ladder.parallel and alert.priority == 1


def _starting(alert: Alert, delivery: Delivery, reach: Reach, ladder: Ladder, since: Since) -> list[Step]:
    age = since(alert.issued)
    gpio = reach.local and allowed(alert, Path.GPIO)
    mqtt = reach.mqtt and not reach.local and not reach.revoked and allowed(alert, Path.MQTT)
    sms = reach.sms and not reach.revoked and allowed(alert, Path.SMS)
    steps: list[Step] = []
    if barred(alert, delivery):
        return [*card(alert, delivery, delivery.reason), Step(Do.FAIL, reason=delivery.reason)]
    if delivery.reason != "locked_out":  # a station in repair would say so again
        if gpio and _rested(delivery, Path.GPIO, "start", since):
            steps.append(Step(Do.SEND, Path.GPIO))
        if mqtt and delivery.state is not DeliveryState.RECEIVED and _rested(delivery, Path.MQTT, "start", since):
            steps.append(Step(Do.SEND, Path.MQTT))
        in_turn = age >= ladder.sms_s or reach.offline or not allowed(alert, Path.MQTT)
        if sms and (in_turn or at_once(alert, ladder)) and _rested(delivery, Path.SMS, "start", since):
            steps.append(Step(Do.SEND, Path.SMS, early=not in_turn))
    if hopeless(delivery):
        steps += card(alert, delivery, delivery.reason)
    elif reach.revoked:
        steps += card(alert, delivery, "revoked")
    elif age >= ladder.card_s + (TALKED_OUT if reach.talking else 0.0):
        steps += card(alert, delivery, "no_proof")
    elif not (gpio or mqtt or sms or (reach.phone and allowed(alert, Path.VOICE))) and age >= ladder.sms_s:
        steps += card(alert, delivery, "no_path")
    return steps


def _stopping(alert: Alert, delivery: Delivery, reach: Reach, ladder: Ladder, since: Since) -> list[Step]:
    assert alert.stopped is not None
    stop_age = since(alert.stopped)
    begun = {a.path for a in delivery.attempts if a.action == "start" and not a.failed} - {Path.VOICE}
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
        steps += stop_card(delivery, "stop_not_seen")
    if stop_age > alert.seconds + END_GRACE[Path.SMS]:
        steps.append(Step(Do.FAIL, reason="end_not_seen"))
    return steps


def _ending(alert: Alert, delivery: Delivery, reach: Reach, since: Since) -> list[Step]:
    """Sounding: its end must be seen too. A station bounds itself, so a stop behind its time only asks: its word was
    lost, and the answer is the proof that was missed."""
    grace = END_GRACE[Path(delivery.path)] if delivery.path else END_GRACE[Path.SMS]
    over_s = since(delivery.energised or delivery.since) - alert.seconds
    if over_s > grace:
        return [*stop_card(delivery, "end_not_seen"), Step(Do.FAIL, reason="end_not_seen")]
    if over_s > ASK_END and reach.mqtt and not reach.local and _rested(delivery, Path.MQTT, "stop", since):
        return [Step(Do.SEND, Path.MQTT, "stop")]
    return []


def card(alert: Alert, delivery: Delivery, reason: str) -> list[Step]:
    """A person must phone: unless one was told already, or a test notes what came of it."""
    if "start" in delivery.spoken or alert.test or delivery.card:
        return []
    return [Step(Do.CARD, reason=reason)]


def stop_card(delivery: Delivery, reason: str) -> list[Step]:
    """Once; beside a card for its start only when that one is settled, else it says already to phone."""
    told = delivery.card is not None and (delivery.unhandled or delivery.card_reason in NOT_SILENT)
    return [] if told else [Step(Do.CARD, reason=reason)]


def late(alert: Alert, delivery: Delivery, step: Step, wait_s: float, ladder: Ladder, since: Since) -> list[Step]:
    """The card for a start that cannot go out before a person would be called anyway: then better now."""
    if step.action != "start" or step.early or since(alert.issued) + wait_s <= ladder.card_s:
        return []
    return card(alert, delivery, f"slow_{step.path}")


def _may_sound_unheard(alert: Alert, delivery: Delivery, reach: Reach, since: Since) -> bool:
    """Whether a start is still somewhere that may begin, or has begun unheard. Until then the alert can be stopped."""
    starts = [a for a in delivery.attempts if a.action == "start" and a.path is not Path.VOICE]
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

"""Calls that speak an order, or take it back: pure, beside what `delivery_machine` decides of the siren.

A call that was begun stands in the journal before it is dialled, with its outcome behind it. One without an outcome
that nobody follows is of before a restart; if it was answered, it counts as one that was heard.
"""

from appliance.alerting.delivery_machine import (
    Do,
    Reach,
    Since,
    Step,
    allowed,
    at_once,
    card,
    hopeless,
    sounds,
    stop_card,
)
from appliance.model import AlertKind, DeliveryState, Ladder, Path
from appliance.state import CERTAINTY, Alert, Attempt, Delivery

MOST_CALLS = 3  # of each, start and stop
AGAIN = 20.0  # s behind a call without its key: who was on the phone has ended that, or come from the yard
RETRY = 5.0  # s behind one that no line took; it counts as none
STOP_FOR = 300.0  # s behind a stop in which it is told by phone; by then people are there and see
NO_CALL = ("no_line", "stopped")  # outcomes of calls that nobody can have heard, and that were none
UNHEARD = (*NO_CALL, "busy", "no_answer", "unreachable", "refused", "restarted")


def calls(
    alert: Alert, delivery: Delivery, reach: Reach, ladder: Ladder, since: Since, *, rebooted: bool = False
) -> list[Step]:
    """The steps that are due now, for a delivery that is over too."""
    cut = [Step(Do.CUT, Path.VOICE, a) for a in ("start", "stop") if reach.calling != a and _open(delivery, a)]
    if cut:
        return cut
    if reach.calling:
        return [Step(Do.HANG_UP)] if reach.calling == "start" and _needless(alert, delivery, reach) else []
    if alert.stopped is not None:
        return _taking_back(alert, delivery, reach, since)
    age = since(alert.issued)
    if hopeless(delivery) and alert.kind is not AlertKind.ACTUAL:
        return []  # a test that was refused wakes nobody by telephone
    if delivery.over or rebooted or age > alert.lifetime_s or not allowed(alert, Path.VOICE):
        return []
    if CERTAINTY[delivery.state] >= CERTAINTY[DeliveryState.ENERGISED]:
        return []
    if "start" in delivery.spoken:
        return [Step(Do.END, Path.VOICE)] if _only_way(alert) else []
    if _spent(delivery, "start"):
        if not _only_way(alert):
            return []
        reason = _tries(delivery, "start")[-1].failed
        return [*card(alert, delivery, reason), Step(Do.FAIL, reason=reason)]
    return _telling(alert, delivery, reach, ladder, since)


def was_called(delivery: Delivery) -> bool:
    """Whether its phone has to do with it at all."""
    return any(a.path is Path.VOICE for a in delivery.attempts)


def owed(alert: Alert, delivery: Delivery, since: Since) -> bool:
    """People may be on their way because a call told them so, and do not know yet that it was taken back."""
    if alert.stopped is None or "stop" in delivery.spoken or since(alert.stopped) > STOP_FOR:
        return False
    return _was_heard(delivery) and not _spent(delivery, "stop")


def _telling(alert: Alert, delivery: Delivery, reach: Reach, ladder: Ladder, since: Since) -> list[Step]:
    age = since(alert.issued)
    # With no other way, or a siren that will not sound, nothing is to be waited for.
    nothing_else = hopeless(delivery) or not (reach.local or reach.mqtt or reach.sms)
    in_turn = (
        age >= ladder.voice_s or _only_way(alert) or (nothing_else and (hopeless(delivery) or age >= ladder.sms_s))
    )
    if not reach.phone or not (in_turn or at_once(alert, ladder)) or not _rested(delivery, "start", since):
        return []
    if reach.calls:
        return [Step(Do.SEND, Path.VOICE, early=not in_turn)]
    begun = _tries(delivery, "start")
    return card(alert, delivery, "no_line") if in_turn and age >= ladder.sms_s and not begun else []


def _taking_back(alert: Alert, delivery: Delivery, reach: Reach, since: Since) -> list[Step]:
    if owed(alert, delivery, since):
        if reach.calls and _rested(delivery, "stop", since):
            return [Step(Do.SEND, Path.VOICE, "stop")]
        return []
    if _was_heard(delivery) and "stop" not in delivery.spoken and sounds(alert.kind):
        return stop_card(delivery, "stop_not_heard")
    return []


def _needless(alert: Alert, delivery: Delivery, reach: Reach) -> bool:
    """A call that rings for nothing, or speaks of what was taken back."""
    if alert.stopped is not None:
        return True
    sounding = CERTAINTY[delivery.state] >= CERTAINTY[DeliveryState.ENERGISED]
    return not reach.talking and (sounding or delivery.over)


def _only_way(alert: Alert) -> bool:
    return set(alert.paths) == {Path.VOICE}


def _tries(delivery: Delivery, action: str) -> list[Attempt]:
    return [a for a in delivery.attempts if a.path is Path.VOICE and a.action == action]


def _open(delivery: Delivery, action: str) -> bool:
    tries = _tries(delivery, action)
    return bool(tries) and not tries[-1].failed and action not in delivery.spoken


def _was_heard(delivery: Delivery) -> bool:
    """Somebody may have heard a start."""
    return "start" in delivery.spoken or any(a.failed and a.failed not in UNHEARD for a in _tries(delivery, "start"))


def _spent(delivery: Delivery, action: str) -> bool:
    return sum(1 for a in _tries(delivery, action) if a.failed and a.failed not in NO_CALL) >= MOST_CALLS


def _rested(delivery: Delivery, action: str, since: Since) -> bool:
    tries = _tries(delivery, action)
    if not tries:
        return True
    return since(tries[-1].at) >= (RETRY if tries[-1].failed in NO_CALL else AGAIN)

"""What a delivery needs next, at each moment of its life."""

import pytest

from appliance import alert_events as al
from appliance.alerting.delivery_machine import (
    ASK_END,
    END_GRACE,
    MOST_MQTT,
    RESEND_MQTT,
    RETRY_SMS,
    STOP_CARD,
    STOP_ON,
    Do,
    Reach,
    Step,
    due,
)
from appliance.alerting.phone_machine import calls
from appliance.alerting.sender import a_card
from appliance.model import AlertKind, DeliveryState, Ladder, Path
from appliance.stamp import Stamp
from appliance.state import Alert, Attempt, Delivery

LADDER = Ladder()
ALL = Reach(mqtt=True, sms=True)
ONLY_SMS = Reach(sms=True, offline=True)
NOWHERE = Reach(offline=True)
START_MQTT = Step(Do.SEND, Path.MQTT, "start")
START_SMS = Step(Do.SEND, Path.SMS, "start")


class Case:
    """One alert to one station; `now` is seconds after its issue."""

    def __init__(self, state: DeliveryState = DeliveryState.QUEUED) -> None:
        self.delivery = Delivery("x", state, self.at(0))
        self.alert = Alert("ab", AlertKind.ACTUAL, "wail", 60, 300, 0, ("x",), "page", "", self.at(0))

    @staticmethod
    def at(seconds: float) -> Stamp:
        return Stamp(seq=1, wall=seconds, mono=seconds, boot="b")

    def sent(self, path: Path, seconds: float, action: str = "start", failed: str = "") -> "Case":
        self.delivery.attempts.append(Attempt(path, action, 1, self.at(seconds), failed))
        if self.delivery.state is DeliveryState.QUEUED:
            self.delivery.state = DeliveryState.SENT
        return self

    def energised(self, seconds: float, path: Path = Path.MQTT) -> "Case":
        self.delivery.state, self.delivery.energised, self.delivery.path = (
            DeliveryState.ENERGISED,
            self.at(seconds),
            path,
        )
        return self

    def stopped(self, seconds: float) -> "Case":
        self.alert.stopped = self.at(seconds)
        return self

    def due(self, now: float, reach: Reach = ALL) -> list[Step]:
        return due(self.alert, self.delivery, reach, LADDER, lambda stamp: now - stamp.mono)


def test_mqtt_goes_at_once_and_sms_waits_for_its_rung() -> None:
    assert Case().due(0) == [START_MQTT]


def test_sms_goes_at_once_when_the_station_is_known_offline() -> None:
    assert Case().due(0, ONLY_SMS) == [START_SMS]


def test_sms_starts_at_its_rung_unless_the_station_is_energised() -> None:
    case = Case().sent(Path.MQTT, 0)
    assert START_SMS not in case.due(LADDER.sms_s - 0.1)
    assert START_SMS in case.due(LADDER.sms_s)
    assert case.energised(4).due(LADDER.sms_s) == []


def test_received_alone_stops_no_rung() -> None:
    case = Case(DeliveryState.RECEIVED).sent(Path.MQTT, 0)
    assert START_SMS in case.due(LADDER.sms_s)
    assert any(s.do is Do.CARD for s in case.due(LADDER.card_s))


def test_an_order_that_nobody_answers_is_sent_again_by_mqtt_but_not_for_ever() -> None:
    case = Case().sent(Path.MQTT, 0)
    assert START_MQTT not in case.due(RESEND_MQTT - 0.1)
    assert START_MQTT in case.due(RESEND_MQTT)
    for n in range(1, MOST_MQTT):
        case.sent(Path.MQTT, n * RESEND_MQTT)
    assert START_MQTT not in case.due(100)


def test_a_card_is_raised_at_once_when_no_path_is_left_and_only_once() -> None:
    case = Case()
    assert case.due(LADDER.sms_s, NOWHERE) == [Step(Do.CARD, reason="no_path")]
    case.delivery.card = case.at(5)
    assert case.due(LADDER.sms_s + 1, NOWHERE) == []


def test_after_its_lifetime_an_order_that_went_nowhere_is_expired_and_a_person_told() -> None:
    assert [s.do for s in Case().due(301)] == [Do.CARD, Do.EXPIRE]


def test_an_order_that_may_sound_unheard_stays_open_past_its_lifetime_so_that_it_can_be_stopped() -> None:
    case = Case().sent(Path.MQTT, 10)
    last_word = 10 + 300 + 60 + END_GRACE[Path.SMS]
    assert [s.do for s in case.due(301)] == [Do.CARD]
    assert [s.do for s in case.due(last_word)] == [Do.CARD]
    assert [s.do for s in case.due(last_word + 0.1)] == [Do.CARD, Do.EXPIRE]
    assert START_MQTT not in case.due(301)
    assert Step(Do.SEND, Path.MQTT, "stop") in case.stopped(320).due(320)


def test_after_a_reboot_nothing_starts_any_more() -> None:
    case = Case()
    steps = due(case.alert, case.delivery, ALL, LADDER, lambda stamp: 0.0, rebooted=True)
    assert [s.do for s in steps] == [Do.CARD, Do.EXPIRE]


@pytest.mark.parametrize("reason", ["hardware", "not_allowed"])
def test_a_refusal_that_no_path_can_mend_is_a_card_at_once(reason: str) -> None:
    case = Case(DeliveryState.REFUSED).sent(Path.MQTT, 0)
    case.delivery.reason = reason
    assert Step(Do.CARD, reason=reason) in case.due(1)


@pytest.mark.parametrize("kind", [AlertKind.SOUNDING_TEST, AlertKind.DRILL])
def test_a_test_that_is_refused_is_over_and_goes_by_no_other_path(kind: AlertKind) -> None:
    case = Case(DeliveryState.REFUSED).sent(Path.MQTT, 0)
    case.alert.kind, case.delivery.reason = kind, "not_allowed"
    assert case.due(1) == [Step(Do.CARD, reason="not_allowed"), Step(Do.FAIL, reason="not_allowed")]
    reach = Reach(mqtt=True, sms=True, phone=True, calls=True)
    assert calls(case.alert, case.delivery, reach, LADDER, lambda stamp: 60 - stamp.mono) == []


@pytest.mark.parametrize("reason", ["not_allowed", "locked_out"])
def test_a_sounding_test_of_the_calendar_that_a_rule_bars_is_over_and_nobody_is_told(reason: str) -> None:
    case = Case(DeliveryState.REFUSED).sent(Path.MQTT, 0)
    case.alert.kind, case.alert.test, case.delivery.reason = AlertKind.SOUNDING_TEST, "run", reason
    over = [Step(Do.FAIL, reason=reason)]
    assert case.due(RESEND_MQTT) == case.due(LADDER.sms_s + 1) == case.due(1, Reach(local=True)) == over


def test_what_tells_of_a_test_is_no_card_but_for_a_siren_that_does_not_end() -> None:
    alert = Case().alert
    assert isinstance(a_card(alert, "x", "", "no_proof"), al.CardRaised)
    alert.kind = AlertKind.SOUNDING_TEST
    assert a_card(alert, "x", "", "no_proof") == al.DeliveryTestFailed(alert="ab", station="x", reason="no_proof")
    assert isinstance(a_card(alert, "x", "", "end_not_seen"), al.CardRaised)


def test_an_sms_that_no_modem_took_counts_as_none() -> None:
    case = Case().sent(Path.SMS, 5).sent(Path.SMS, 6, failed="no service")
    assert START_SMS not in case.due(6 + RETRY_SMS - 0.1)
    assert START_SMS in case.due(6 + RETRY_SMS)


def test_a_stop_goes_on_slowly_for_as_long_as_the_siren_may_sound() -> None:
    case = Case().sent(Path.MQTT, 0).energised(1).stopped(10)
    for n in range(MOST_MQTT):
        case.sent(Path.MQTT, 10 + n * RESEND_MQTT, "stop")
    last = 10 + (MOST_MQTT - 1) * RESEND_MQTT
    stop = Step(Do.SEND, Path.MQTT, "stop")
    assert stop not in case.due(last + STOP_ON[Path.MQTT] - 0.1)
    assert stop in case.due(last + STOP_ON[Path.MQTT])


def test_the_local_siren_takes_only_its_own_path() -> None:
    assert Case().due(0, Reach(local=True)) == [Step(Do.SEND, Path.GPIO, "start")]


@pytest.mark.parametrize("path", list(Path))
def test_an_end_that_is_not_seen_is_a_failure_and_a_card(path: Path) -> None:
    case = Case().sent(path, 0).energised(1, path)
    assert case.due(1 + 60 + END_GRACE[path] - 0.1, ONLY_SMS) == []
    assert [s.do for s in case.due(1 + 60 + END_GRACE[path] + 0.1, ONLY_SMS)] == [Do.CARD, Do.FAIL]


def test_a_word_about_the_end_that_was_lost_is_asked_for_where_the_broker_is() -> None:
    case = Case().sent(Path.MQTT, 0).energised(1)
    assert case.due(1 + 60 + ASK_END - 0.1) == []
    ask = Step(Do.SEND, Path.MQTT, "stop")
    assert case.due(1 + 60 + ASK_END + 0.1) == [ask]
    assert case.sent(Path.MQTT, 63.1, "stop").due(64) == []
    assert case.due(66.2) == [ask]


def test_a_stop_before_anything_was_sent_cancels() -> None:
    assert Case().stopped(0).due(0, NOWHERE) == [Step(Do.CANCEL)]


def test_a_stop_goes_by_every_path_that_the_start_took() -> None:
    case = Case().sent(Path.MQTT, 0).sent(Path.SMS, 5).energised(6, Path.SMS).stopped(10)
    assert case.due(10) == [Step(Do.SEND, Path.MQTT, "stop"), Step(Do.SEND, Path.SMS, "stop")]


def test_a_stop_by_mqtt_that_is_not_answered_goes_by_sms_too() -> None:
    case = Case().sent(Path.MQTT, 0).energised(1).stopped(10).sent(Path.MQTT, 10, "stop")
    assert Step(Do.SEND, Path.SMS, "stop") not in case.due(10 + LADDER.sms_s - 0.1)
    assert Step(Do.SEND, Path.SMS, "stop") in case.due(10 + LADDER.sms_s)


def test_a_stop_that_is_never_confirmed_ends_with_a_person_and_as_failed() -> None:
    case = Case().sent(Path.MQTT, 0).energised(1).stopped(10)
    assert any(s.do is Do.CARD and s.reason == "stop_not_seen" for s in case.due(10 + 31))
    assert any(s.do is Do.FAIL for s in case.due(10 + 60 + END_GRACE[Path.SMS] + 1))


@pytest.mark.parametrize(
    "state", [DeliveryState.ENDED, DeliveryState.EXPIRED, DeliveryState.CANCELLED, DeliveryState.FAILED]
)
def test_a_delivery_that_is_over_needs_nothing(state: DeliveryState) -> None:
    assert Case(state).due(1) == []
    assert Case(state).stopped(1).due(2) == []


def test_a_siren_that_does_not_end_has_a_card_of_its_own_behind_one_that_was_settled() -> None:
    case = Case().sent(Path.MQTT, 0).energised(20).stopped(30)
    case.delivery.card, case.delivery.card_reason = case.at(15), "no_proof"
    assert Step(Do.CARD, reason="stop_not_seen") in case.due(30 + STOP_CARD, NOWHERE)
    case.delivery.card, case.delivery.card_reason = case.at(60), "stop_not_seen"
    case.delivery.handled = case.at(70)
    assert not [s for s in case.due(80, NOWHERE) if s.do is Do.CARD], "said once, and somebody has seen to it"


def test_a_station_whose_key_is_revoked_is_phoned_at_once_and_sent_nothing() -> None:
    """What it answered would not be believed; a person asks what stands there."""
    assert Case().due(0, Reach(mqtt=True, sms=True, revoked=True)) == [Step(Do.CARD, reason="revoked")]
    assert START_SMS not in Case().due(LADDER.sms_s, Reach(sms=True, offline=True, revoked=True))

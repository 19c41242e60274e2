"""Calls that speak an order: when they begin, when they are hung up, and what is owed to who has heard one."""

import pytest

from appliance.alerting import delivery_machine as dm
from appliance.alerting import phone_machine as phone
from appliance.alerting.delivery_machine import Do, Reach, Step, due, late
from appliance.alerting.queue_machine import Wish, line_up
from appliance.model import AlertKind, DeliveryState, Ladder, Path
from appliance.stamp import Stamp
from appliance.state import Alert, Attempt, Delivery

LADDER = Ladder()
ALL = Reach(mqtt=True, sms=True, phone=True, calls=True)
CALL, CALL_STOP = Step(Do.SEND, Path.VOICE), Step(Do.SEND, Path.VOICE, "stop")


class Case:
    """One alert to one station; `now` is seconds after its issue."""

    def __init__(self, **alert: object) -> None:
        self.delivery = Delivery("x", DeliveryState.SENT, self.at(0))
        self.alert = Alert(
            "ab", AlertKind.ACTUAL, "wail", 60, 300, 0, ("x",), "page", "", self.at(0), **alert  # type: ignore[arg-type]
        )  # fmt: skip

    @staticmethod
    def at(seconds: float) -> Stamp:
        return Stamp(seq=1, wall=seconds, mono=seconds, boot="b")

    def called(self, at: float, came_to: str = "", action: str = "start", until: float | None = None) -> "Case":
        self.delivery.attempts.append(Attempt(Path.VOICE, action, 0, self.at(at)))
        if came_to == "heard":
            self.delivery.spoken[action] = self.at(until or at)
        elif came_to:
            self.delivery.attempts.append(Attempt(Path.VOICE, action, 0, self.at(until or at), came_to))
        return self

    def stopped(self, at: float) -> "Case":
        self.alert.stopped = self.at(at)
        return self

    def refused(self, reason: str) -> "Case":
        self.delivery.state, self.delivery.reason = DeliveryState.REFUSED, reason
        return self

    def calls(self, now: float, reach: Reach = ALL) -> list[Step]:
        return phone.calls(self.alert, self.delivery, reach, LADDER, lambda stamp: now - stamp.mono)

    def due(self, now: float, reach: Reach = ALL) -> list[Step]:
        return due(self.alert, self.delivery, reach, LADDER, lambda stamp: now - stamp.mono)

    def owed(self, now: float) -> bool:
        return phone.owed(self.alert, self.delivery, lambda stamp: now - stamp.mono)


def test_the_phone_rings_at_its_rung() -> None:
    assert Case().calls(LADDER.voice_s - 0.1) == []
    assert Case().calls(LADDER.voice_s) == [CALL]


def test_with_no_other_way_the_phone_need_not_wait() -> None:
    alone = Reach(offline=True, phone=True, calls=True)
    assert Case().calls(LADDER.sms_s, alone) == [CALL]
    assert Case().calls(LADDER.sms_s - 0.1, alone) == []


@pytest.mark.parametrize("reason", sorted(dm.HOPELESS))
def test_a_siren_that_will_not_sound_has_its_people_called_and_a_card_at_once(reason: str) -> None:
    case = Case().refused(reason)
    assert CALL in case.calls(0.2)
    assert Step(Do.CARD, reason=reason) in case.due(0.2)


def test_a_siren_in_repair_is_not_asked_again() -> None:
    assert [s for s in Case().refused("locked_out").due(20) if s.do is Do.SEND] == []


def test_priority_one_rings_at_once_and_is_only_early_before_its_rung() -> None:
    case = Case(priority=1)
    assert case.calls(0) == [Step(Do.SEND, Path.VOICE, early=True)]
    assert case.calls(LADDER.voice_s) == [CALL]
    assert late(case.alert, case.delivery, case.calls(0)[0], 900, LADDER, lambda _: 0) == []


def test_a_call_that_comes_too_late_is_a_card_now() -> None:
    case = Case()
    assert late(case.alert, case.delivery, CALL, 31, LADDER, lambda _: 30) == [Step(Do.CARD, reason="slow_voice")]
    assert late(case.alert, case.delivery, CALL, 30, LADDER, lambda _: 30) == []
    assert late(case.alert, case.delivery, CALL_STOP, 900, LADDER, lambda _: 30) == []


def test_who_was_told_by_phone_needs_no_card() -> None:
    case = Case().called(30, "heard", until=50)
    assert case.due(70) == [Step(Do.SEND, Path.MQTT), Step(Do.SEND, Path.SMS)]
    assert case.calls(70) == []
    assert case.due(301)[0].do is Do.EXPIRE


def test_a_busy_phone_is_called_again_and_three_times_at_most() -> None:
    case = Case().called(30, "busy", until=32)
    assert case.calls(51) == []
    assert case.calls(52) == [CALL]
    case.called(52, "no_answer", until=97).called(117, "no_key", until=180)
    assert case.calls(250) == []


def test_a_call_that_no_line_took_is_no_call() -> None:
    case = Case()
    for at in range(30, 130, 10):
        case.called(at, "no_line", until=at)
    assert case.calls(125.5) == [CALL]


def test_a_ringing_call_is_hung_up_when_the_siren_sounds_but_nobody_is_cut_off() -> None:
    case = Case().called(30)
    case.delivery.state, case.delivery.energised = DeliveryState.ENERGISED, case.at(33)
    rings = Reach(mqtt=True, phone=True, calls=True, calling="start")
    talks = Reach(mqtt=True, phone=True, calls=True, calling="start", talking=True)
    assert case.calls(34, rings) == [Step(Do.HANG_UP)]
    assert case.calls(34, talks) == []
    assert case.stopped(35).calls(35, talks) == [Step(Do.HANG_UP)]


def test_a_call_of_before_a_restart_is_cut_before_anything_else() -> None:
    assert Case().called(30).calls(40) == [Step(Do.CUT, Path.VOICE, "start")]
    assert Case().called(30).calls(40, Reach(phone=True, calls=True, calling="start")) == []


@pytest.mark.parametrize(("came_to", "told"), [
    ("heard", True), ("no_key", True), ("cut_off", True), ("line_lost", True), ("no_sound", True),
    ("busy", False), ("no_answer", False), ("stopped", False), ("no_line", False), ("restarted", False),
])  # fmt: skip
def test_what_somebody_may_have_heard_is_taken_back(came_to: str, told: bool) -> None:
    case = Case().called(30, came_to, until=40).stopped(50)
    case.delivery.state = DeliveryState.CANCELLED
    assert case.owed(50) == told
    assert case.calls(50) == ([CALL_STOP] if told else [])
    if told:
        assert not case.called(50, "heard", "stop", until=70).owed(71)


def test_a_stop_that_nobody_hears_is_a_card_and_then_no_more() -> None:
    case = Case().called(30, "heard").stopped(50)
    for at in (50, 100, 150):
        case.called(at, "no_answer", "stop", until=at + 20)
    assert not case.owed(171)
    assert case.calls(171) == [Step(Do.CARD, reason="stop_not_heard")]
    case.delivery.card = case.at(171)
    assert case.calls(172) == []


def test_a_test_by_phone_alone_ends_with_the_key_or_fails_with_the_last_reason() -> None:
    case = Case(paths=(Path.VOICE,), test="0a0b0c0d")
    case.alert.kind = AlertKind.SILENT_TEST
    assert case.due(0) == []
    assert case.calls(0) == [CALL]
    for at in (0, 40, 80):
        case.called(at, "no_answer", until=at + 20)
    assert case.calls(120) == [Step(Do.FAIL, reason="no_answer")], "a test's result tells, no card"
    assert Case(paths=(Path.VOICE,)).called(0, "heard").calls(30) == [Step(Do.END, Path.VOICE)]


@pytest.mark.parametrize(("paths", "first"), [
    ((), {Path.MQTT}), ((Path.SMS,), {Path.SMS}), ((Path.MQTT,), {Path.MQTT}),
    ((Path.SMS, Path.VOICE), {Path.SMS}), ((Path.VOICE,), {Path.VOICE}),
])  # fmt: skip
def test_an_order_takes_only_the_paths_that_are_named(paths: tuple[Path, ...], first: set[Path]) -> None:
    case = Case(paths=paths)
    assert {s.path for s in [*case.due(0), *case.calls(0)] if s.do is Do.SEND} == first
    late = {s.path for s in [*case.due(40), *case.calls(40)] if s.do is Do.SEND}
    assert late == (set(paths) or {Path.MQTT, Path.SMS, Path.VOICE})


def test_stops_go_first_then_priority_then_age_then_the_plan() -> None:
    wishes = [
        Wish("b", "2", "start", 2, 20, 1), Wish("b", "1", "start", 2, 20, 0), Wish("a", "1", "start", 2, 10, 5),
        Wish("c", "1", "start", 1, 30, 0), Wish("d", "1", "stop", 3, 40, 9),
    ]  # fmt: skip
    turns = line_up(wishes, slots=2, under_way=1, lines=2, each_s=10)
    assert [(t.wish.alert, t.wish.station) for t in turns] == [
        ("d", "1"), ("c", "1"), ("a", "1"), ("b", "1"), ("b", "2"),
    ]  # fmt: skip
    assert [t.now for t in turns] == [True, True, False, False, False]
    assert [t.wait_s for t in turns] == [5, 10, 15, 20, 25]

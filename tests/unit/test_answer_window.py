"""What a centre believes of a station's answers: each once, and none of a session that is over or only recorded."""

from appliance.alerting.answers import MAX_SENT, MAX_UNPROVEN, AnswerWindow, Count
from appliance.alerting.window import WINDOW
from appliance.alerting.wire import Action, Answer, Kind, Order, Pattern, What, hello_id

SESSION = b"session1"
STATION = 7
ALERT = b"alert..1"


def start(session: bytes = SESSION, alert: bytes = ALERT) -> Order:
    return Order(
        action=Action.START,
        kind=Kind.ACTUAL,
        pattern=Pattern.WAIL,
        seconds=60,
        alert=alert,
        issuer=0xA,
        station=STATION,
        session=session,
        sequence=1,
        issued_at=0,
        lifetime_s=60,
    )


def hello(session: bytes = SESSION) -> Order:
    return Order(
        action=Action.HELLO,
        kind=Kind.NONE,
        pattern=Pattern.NONE,
        seconds=0,
        alert=hello_id(1, b"rand"),
        issuer=0xA,
        station=STATION,
        session=session,
        sequence=1,
        issued_at=0,
        lifetime_s=0,
    )


def answer(counter: int, session: bytes = SESSION, alert: bytes = bytes(8), what: What = What.ALIVE) -> Answer:
    return Answer(what=what, station=STATION, key=0x7, session=session, counter=counter, uptime_s=1, alert=alert)


def a_proven_window(session: bytes = SESSION) -> AnswerWindow:
    window = AnswerWindow()
    assert window.take(answer(1, session)) is Count.UNPROVEN
    greeting = hello(session=session)
    window.sent(greeting)
    assert window.take(answer(2, session, greeting.alert)) is Count.NEW
    return window


def test_each_answer_counts_once_in_any_order() -> None:
    window = a_proven_window()
    assert [window.take(answer(n)) for n in (4, 3, 4, 3, 2, 1)] == [Count.NEW] * 2 + [Count.REPEATED] * 4
    assert window.take(answer(4 + WINDOW)) is Count.NEW
    assert window.take(answer(4)) is Count.REPEATED
    assert window.take(answer(5)) is Count.NEW


def test_a_recorded_answer_of_an_old_session_is_not_believed_after_the_centre_restarted() -> None:
    window = AnswerWindow()
    window.sent(hello(session=b"old....."))
    window.sent(start(session=b"new.....", alert=b"alert..2"))
    assert window.take(answer(17, b"old.....", ALERT, What.ENERGISED)) is Count.UNPROVEN
    assert window.take(answer(18, b"old.....", b"alert..2", What.ENERGISED)) is Count.UNPROVEN
    assert window.session is None


def test_an_order_proves_a_session_as_well_as_a_hello_does() -> None:
    window = AnswerWindow()
    window.sent(start())
    assert window.take(answer(5, alert=ALERT, what=What.ENERGISED)) is Count.NEW
    assert window.session == SESSION


def test_a_new_session_takes_over_once_it_is_proven_and_the_old_one_is_history() -> None:
    window = a_proven_window()
    window.sent(start())
    assert window.take(answer(1, b"session2", what=What.SESSION)) is Count.UNPROVEN
    assert window.take(answer(3)) is Count.NEW
    again = start(session=b"session2")
    window.sent(again)
    assert window.take(answer(2, b"session2", ALERT, What.RECEIVED)) is Count.NEW
    assert window.session == b"session2"
    assert window.take(answer(4, alert=ALERT, what=What.ENERGISED)) is Count.ENDED


def test_a_late_answer_of_a_session_passed_over_does_not_bring_it_back() -> None:
    window = AnswerWindow()
    for n in (1, 2, 3):
        window.take(answer(1, b"session%d" % n))
        window.sent(start(session=b"session%d" % n))
    assert window.take(answer(2, b"session2", ALERT)) is Count.NEW
    assert window.take(answer(2, b"session1", ALERT)) is Count.ENDED
    assert window.take(answer(2, b"session3", ALERT)) is Count.NEW
    assert window.take(answer(3, b"session2", ALERT)) is Count.ENDED


def test_an_order_signed_before_the_session_was_heard_of_again_cannot_bring_back_an_old_one() -> None:
    window = AnswerWindow()
    window.sent(start(session=b"session1"))
    window.sent(start(session=b"session2"))
    assert window.take(answer(2, b"session2", ALERT)) is Count.NEW
    assert window.take(answer(9, b"session1", ALERT)) is Count.UNPROVEN
    assert window.session == b"session2"


def test_what_a_centre_remembers_of_sessions_and_orders_is_bounded() -> None:
    window = AnswerWindow()
    for n in range(MAX_UNPROVEN + 1):
        window.take(answer(1, b"session%d" % n))
    assert window.take(answer(1, b"session1")) is Count.REPEATED
    assert window.take(answer(1, b"session0")) is Count.UNPROVEN
    for n in range(MAX_SENT + 1):
        window.sent(start(alert=n.to_bytes(8)))
    assert window.take(answer(1, alert=(0).to_bytes(8))) is Count.UNPROVEN
    assert window.take(answer(2, alert=(1).to_bytes(8))) is Count.NEW


def test_an_answer_is_overtaken_by_a_later_one_about_its_own_alert_alone() -> None:
    window = a_proven_window()
    refused, energised = answer(10, alert=ALERT, what=What.REFUSED), answer(12, alert=ALERT, what=What.ENERGISED)
    for heard in (answer(11, alert=b"alert..2"), answer(13), refused):
        window.take(heard)
    assert window.is_newest(refused)
    window.take(energised)
    assert not window.is_newest(refused)
    assert window.is_newest(energised)

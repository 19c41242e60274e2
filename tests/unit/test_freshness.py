"""What a station accepts. The issuer's clock here is an hour ahead."""

from typing import Any

import msgspec
import pytest

from appliance.alerting.freshness import (
    FUTURE_SLACK,
    HELLO_BY_MQTT,
    HELLO_BY_SMS,
    MAX_ALERTS,
    MAX_ANNOUNCEMENTS,
    Accept,
    Duplicate,
    Freshness,
    Learned,
    Refuse,
)
from appliance.alerting.window import WINDOW
from appliance.alerting.wire import Action, Kind, Order, Pattern, Reason, hello_id

SESSION = b"session1"
ISSUER, OTHER = 0xA, 0xB
STATION = 7
AHEAD = 1_767_229_200  # s that the issuer's clock is ahead of the station's monotonic one
ALERT = b"alert..1"
LONGEST = 180


def start(sequence: int, at: float = 0.0, **changes: Any) -> Order:
    """A start signed when the station's clock shows `at`."""
    order = Order(
        action=Action.START,
        kind=Kind.ACTUAL,
        pattern=Pattern.WAIL,
        seconds=60,
        alert=ALERT,
        issuer=ISSUER,
        station=STATION,
        session=SESSION,
        sequence=sequence,
        issued_at=AHEAD + int(at),
        lifetime_s=60,
    )
    return msgspec.structs.replace(order, **changes)


def stop(sequence: int, at: float = 0.0, **changes: Any) -> Order:
    return start(sequence, at, **{"action": Action.STOP, "pattern": Pattern.NONE, "seconds": 0, **changes})


def hello(sequence: int, counter: int, at: float = 0.0, **changes: Any) -> Order:
    nothing = {"kind": Kind.NONE, "pattern": Pattern.NONE, "seconds": 0, "lifetime_s": 0}
    return start(sequence, at, **{"action": Action.HELLO, "alert": hello_id(counter, b"rand"), **nothing, **changes})


def a_station() -> Freshness:
    return Freshness(SESSION, STATION, [ISSUER, OTHER], LONGEST)


def a_greeted_station(now: float = 0.0) -> Freshness:
    station = a_station()
    for issuer, counter in ((ISSUER, 1), (OTHER, 2)):
        station.announced(counter, now)
        assert isinstance(station.judge(hello(1, counter, now, issuer=issuer), now), Learned)
    return station


def reason(verdict: object) -> Reason:
    assert isinstance(verdict, Refuse), verdict
    return verdict.reason


def test_a_fresh_start_is_accepted_and_may_sound() -> None:
    order = start(2)
    assert a_greeted_station().judge(order, 1.0) == Accept(order, may_sound=True, seconds=60)


@pytest.mark.parametrize(
    ("kind", "sounds"),
    [(Kind.ACTUAL, True), (Kind.SOUNDING_TEST, True), (Kind.SILENT_TEST, False), (Kind.DRILL, False)],
)
def test_drills_and_silent_tests_are_accepted_and_may_not_sound(kind: Kind, sounds: bool) -> None:
    verdict = a_greeted_station().judge(start(2, kind=kind), 1.0)
    assert isinstance(verdict, Accept)
    assert verdict.may_sound is sounds


@pytest.mark.parametrize(("seconds", "given"), [(180, 180), (181, 180), (65535, 180)])
def test_a_station_bounds_the_seconds_itself(seconds: int, given: int) -> None:
    verdict = a_greeted_station().judge(start(2, seconds=seconds), 1.0)
    assert isinstance(verdict, Accept)
    assert verdict.seconds == given


def test_a_stop_is_accepted_and_sounds_nothing() -> None:
    station = a_greeted_station()
    station.judge(start(2), 1.0)
    verdict = station.judge(stop(3), 2.0)
    assert isinstance(verdict, Accept)
    assert not verdict.may_sound


@pytest.mark.parametrize("make", [start, stop])
@pytest.mark.parametrize(
    ("changes", "expected", "asks"),
    [
        ({"issuer": 0xC}, Reason.UNKNOWN_ISSUER, False),
        ({"station": 8}, Reason.WRONG_STATION, False),
        ({"session": b"session0"}, Reason.WRONG_SESSION, True),
        ({"session": bytes(8)}, Reason.WRONG_SESSION, True),
        ({"issued_at": AHEAD - 60}, Reason.EXPIRED, True),
        ({"issued_at": AHEAD + 60}, Reason.FUTURE, True),
    ],
)
def test_a_refused_order_uses_up_no_sequence(make: Any, changes: dict[str, Any], expected: Reason, asks: bool) -> None:
    station = a_greeted_station()
    verdict = station.judge(make(2, **changes), 1.0)
    assert reason(verdict) is expected
    assert isinstance(verdict, Refuse)
    assert verdict.asks is asks
    assert station.highest(ISSUER) == 1
    assert isinstance(station.judge(make(2), 1.0), Accept)
    assert station.highest(ISSUER) == 2


def test_an_order_that_comes_again_by_another_path_is_a_duplicate_even_when_it_is_too_late() -> None:
    station = a_greeted_station()
    order = start(2)
    assert isinstance(station.judge(order, 1.0), Accept)
    assert station.judge(order, 2.0) == Duplicate(order)
    assert station.judge(order, 3600.0) == Duplicate(order)


def test_another_order_under_a_used_sequence_is_no_duplicate_and_highest_tells_the_issuer_where_it_was() -> None:
    station = a_greeted_station()
    station.judge(start(2), 1.0)
    assert reason(station.judge(start(2, alert=b"alert..2"), 2.0)) is Reason.REPLAYED
    assert isinstance(station.judge(start(station.highest(ISSUER) + 1, alert=b"alert..2"), 2.0), Accept)


def test_sequences_are_counted_for_each_issuer() -> None:
    station = a_greeted_station()
    assert isinstance(station.judge(start(2), 1.0), Accept)
    assert isinstance(station.judge(start(2, issuer=OTHER), 1.0), Accept)
    assert (station.highest(ISSUER), station.highest(OTHER), station.highest(0xC)) == (2, 2, 0)


def test_an_sms_behind_later_orders_is_accepted_once_within_the_window_and_not_beyond_it() -> None:
    station = a_greeted_station()
    top = 2 + WINDOW
    assert isinstance(station.judge(start(top), 1.0), Accept)
    assert reason(station.judge(start(top - WINDOW), 1.0)) is Reason.REPLAYED
    last = start(top - WINDOW + 1)
    assert isinstance(station.judge(last, 1.0), Accept)
    assert isinstance(station.judge(last, 1.0), Duplicate)
    assert isinstance(station.judge(start(top + 1), 1.0), Accept)
    assert reason(station.judge(last, 1.0)) is Reason.REPLAYED


def test_the_last_sequence_of_all_is_accepted() -> None:
    assert isinstance(a_greeted_station().judge(start(2**32 - 1), 1.0), Accept)


def test_before_any_hello_a_start_is_refused_and_asks_for_one() -> None:
    station = a_station()
    verdict = station.judge(start(1), 0.0)
    assert reason(verdict) is Reason.NO_TIME
    assert isinstance(verdict, Refuse)
    assert verdict.asks
    station.announced(5, 0.0)
    assert isinstance(station.judge(hello(2, 5), 0.1), Learned)
    assert isinstance(station.judge(start(1), 0.2), Accept)


def test_the_time_of_one_issuer_says_nothing_of_another() -> None:
    station = a_station()
    station.announced(1, 0.0)
    station.judge(hello(1, 1), 0.1)
    assert reason(station.judge(start(1, issuer=OTHER), 0.2)) is Reason.NO_TIME


def test_a_hello_counts_only_for_an_announcement_that_was_made_and_within_its_time() -> None:
    station = a_station()
    station.announced(3, 0.0)
    assert reason(station.judge(hello(1, 4), 0.1)) is Reason.EXPIRED
    assert reason(station.judge(hello(1, 3), HELLO_BY_MQTT + 0.1)) is Reason.EXPIRED
    station.announced(4, 20.0, within=HELLO_BY_SMS)
    assert isinstance(station.judge(hello(1, 4, 80.0), 20.0 + HELLO_BY_SMS), Learned)


def test_a_hello_held_back_does_not_pass_as_the_reply_to_a_later_announcement() -> None:
    station = a_station()
    station.announced(1, 0.0)
    held_back = hello(1, 1, 0.0)
    station.announced(2, 3600.0)
    assert reason(station.judge(held_back, 3600.1)) is Reason.EXPIRED


def test_a_hello_that_comes_twice_is_a_duplicate() -> None:
    station = a_station()
    station.announced(1, 0.0)
    assert isinstance(station.judge(hello(1, 1), 0.1), Learned)
    assert isinstance(station.judge(hello(1, 1), 0.2), Duplicate)


def test_an_answer_sent_again_keeps_the_time_of_its_first_copy() -> None:
    station = a_station()
    station.announced(1, 0.0)
    station.announced(1, 30.0)
    assert reason(station.judge(hello(1, 1), 31.0)) is Reason.EXPIRED


def test_announcements_and_alerts_remembered_are_bounded() -> None:
    station = a_station()
    for counter in range(1, MAX_ANNOUNCEMENTS + 2):
        station.announced(counter, 0.0)
    assert reason(station.judge(hello(1, 1), 0.0)) is Reason.EXPIRED
    assert isinstance(station.judge(hello(1, 2), 0.0), Learned)
    for n in range(MAX_ALERTS + 1):
        station.judge(start(2 + n, alert=n.to_bytes(8)), 0.0)
    assert reason(station.judge(stop(5000, alert=bytes(8)), 3600.0)) is Reason.EXPIRED
    assert isinstance(station.judge(stop(5000, alert=(1).to_bytes(8)), 3600.0), Accept)


@pytest.mark.parametrize(
    ("round_trip", "delay", "fresh"),
    [
        (0.0, 58.9, True),  # 1 s is lost to the rounding of the issuer's time
        (0.0, 60.1, False),
        (8.0, 50.5, True),
        (8.0, 52.0, False),  # the order looks older by the whole round trip
    ],
)
def test_an_order_may_look_older_than_it_is_but_never_fresher(round_trip: float, delay: float, fresh: bool) -> None:
    station = a_station()
    station.announced(1, 100.0)
    # The slowest case for the station: the announcement took all of the round trip, the hello none.
    station.judge(hello(1, 1, 100.0 + round_trip), 100.0 + round_trip)
    signed = 100.0 + round_trip
    verdict = station.judge(start(2, signed), signed + delay)
    assert isinstance(verdict, Accept) is fresh


def test_the_fraction_of_a_second_that_issued_at_leaves_out_makes_no_order_fresher() -> None:
    station = a_station()
    station.announced(1, 0.0)
    station.judge(hello(1, 1, 0.0), 0.0)  # signed when the issuer's clock showed AHEAD + 0.9
    order = start(2, 1.0, lifetime_s=10)  # 0.1 s later
    assert reason(station.judge(order, 10.9)) is Reason.EXPIRED


def test_an_sms_that_comes_an_hour_late_sounds_nothing() -> None:
    assert reason(a_greeted_station().judge(start(2), 3600.0)) is Reason.EXPIRED


def test_a_shorter_round_trip_replaces_a_worse_one_and_a_worse_one_replaces_nothing() -> None:
    station = a_station()
    station.announced(1, 0.0, within=HELLO_BY_SMS)
    station.judge(hello(1, 1, 100.0), 100.0)
    assert reason(station.judge(start(2, 100.0), 101.0)) is Reason.EXPIRED
    station.announced(2, 102.0)
    station.judge(hello(3, 2, 102.0), 102.1)
    assert isinstance(station.judge(start(2, 102.0), 150.0), Accept)
    station.announced(3, 160.0, within=HELLO_BY_SMS)
    station.judge(hello(4, 3, 260.0), 260.0)
    assert isinstance(station.judge(start(5, 260.0), 300.0), Accept)


@pytest.mark.parametrize("step", [3600, -3600])
def test_an_issuers_clock_that_was_set_is_learned_by_the_next_hello(step: int) -> None:
    station = a_greeted_station()
    expected = Reason.FUTURE if step > 0 else Reason.EXPIRED
    assert reason(station.judge(start(2, 10.0 + step), 10.0)) is expected
    station.announced(9, 10.0)
    assert isinstance(station.judge(hello(3, 9, 10.0 + step), 10.1), Learned)
    assert isinstance(station.judge(start(2, 10.0 + step), 10.2), Accept)


@pytest.mark.parametrize("step", [3600, -3600])
def test_a_hello_alone_shows_that_a_clock_was_set_before_any_order_is_refused(step: int) -> None:
    station = a_greeted_station()
    station.announced(9, 10.0)
    station.judge(hello(2, 9, 10.0 + step), 10.1)
    assert isinstance(station.judge(start(3, 10.0 + step), 10.2), Accept)


def test_a_clock_set_on_is_learned_even_from_a_hello_too_slow_to_show_it() -> None:
    station = a_greeted_station()
    assert reason(station.judge(start(2, 70.0), 10.0)) is Reason.FUTURE
    station.announced(9, 10.0, within=HELLO_BY_SMS)
    assert isinstance(station.judge(hello(3, 9, 71.0), 80.0), Learned)
    assert isinstance(station.judge(start(4, 141.0), 81.0), Accept)


def test_an_overtaken_hello_does_not_bring_back_a_clock_that_was_set() -> None:
    station = a_station()
    station.announced(1, 0.0, within=HELLO_BY_SMS)
    station.announced(2, 50.0)
    assert isinstance(station.judge(hello(2, 2, 50.0 - 3600), 50.1), Learned)
    assert isinstance(station.judge(hello(1, 1, 1.0), 60.0), Learned)
    assert isinstance(station.judge(start(3, 60.0 - 3600), 61.0), Accept)


def test_an_order_of_the_near_future_is_fresh() -> None:
    station = a_greeted_station()
    assert isinstance(station.judge(start(2, FUTURE_SLACK), 0.0), Accept)
    assert reason(station.judge(start(3, FUTURE_SLACK + 2), 0.0)) is Reason.FUTURE


def test_without_a_new_hello_orders_age_by_what_the_clocks_may_drift() -> None:
    station = a_greeted_station()
    day = 86_400.0
    assert reason(station.judge(start(2, day), day)) is Reason.EXPIRED
    assert isinstance(station.judge(start(2, day, lifetime_s=90), day), Accept)


def test_a_stop_of_an_accepted_alert_is_never_too_late_and_can_come_from_the_other_centre() -> None:
    station = a_station()
    station.announced(1, 0.0)
    station.judge(hello(1, 1), 0.0)
    assert isinstance(station.judge(start(2), 1.0), Accept)
    assert isinstance(station.judge(stop(1, issuer=OTHER), 2.0), Accept)
    assert isinstance(station.judge(stop(3), 7200.0), Accept)


def test_a_stop_of_an_alert_not_known_here_is_judged_by_its_time() -> None:
    assert reason(a_station().judge(stop(1), 1.0)) is Reason.NO_TIME
    assert reason(a_greeted_station().judge(stop(2), 3600.0)) is Reason.EXPIRED


def test_a_stop_replayed_or_of_another_session_stops_nothing() -> None:
    station = a_greeted_station()
    station.judge(start(2), 1.0)
    assert isinstance(station.judge(stop(3), 2.0), Accept)
    assert isinstance(station.judge(stop(3), 3.0), Duplicate)
    assert reason(station.judge(stop(4, session=b"session0"), 3.0)) is Reason.WRONG_SESSION


def test_a_stop_ends_the_late_start_of_its_alert_too_and_no_other() -> None:
    station = a_greeted_station()
    assert isinstance(station.judge(stop(3), 1.0), Accept)
    assert reason(station.judge(start(2), 2.0)) is Reason.LATE_START_STOPPED
    assert reason(station.judge(start(4, issuer=OTHER), 2.0)) is Reason.LATE_START_STOPPED
    assert isinstance(station.judge(start(2, alert=b"alert..2"), 2.0), Accept)


@pytest.mark.parametrize("session", [b"", b"seven..", bytes(8)])
def test_a_session_is_eight_octets_and_not_zero(session: bytes) -> None:
    with pytest.raises(ValueError, match="session"):
        Freshness(session, STATION, [ISSUER], LONGEST)


def lock(sequence: int, at: float = 0.0, **changes: Any) -> Order:
    own = {"action": Action.LOCK, "kind": Kind.NONE, "pattern": Pattern.NONE, "seconds": 480, "alert": b"lock...1"}
    return start(sequence, at, **{**own, **changes})


def unlock(sequence: int, at: float = 0.0, **changes: Any) -> Order:
    return lock(sequence, at, **{"action": Action.UNLOCK, "seconds": 0, **changes})


def test_a_locks_minutes_are_not_cut_to_what_a_siren_may_sound() -> None:
    verdict = a_greeted_station().judge(lock(2), 1.0)
    assert isinstance(verdict, Accept)
    assert (verdict.seconds, verdict.may_sound) == (480, False)


def test_a_lock_is_judged_by_the_clock_as_a_start_is_and_its_unlock_is_never_too_late() -> None:
    assert reason(a_station().judge(lock(2), 1.0)) is Reason.NO_TIME
    station = a_greeted_station()
    assert reason(station.judge(lock(2), 100.0)) is Reason.EXPIRED
    assert isinstance(station.judge(lock(3, 100.0), 100.0), Accept)
    assert isinstance(station.judge(unlock(4, 100.0), 9_000.0), Accept)


def test_a_lock_that_comes_behind_its_unlock_locks_nothing() -> None:
    station = a_greeted_station()
    assert isinstance(station.judge(unlock(3), 1.0), Accept)
    assert reason(station.judge(lock(2), 2.0)) is Reason.LATE_START_STOPPED

"""Worst times, lockouts, a station's health as news, and what people are told of tests."""

from typing import Any

import msgspec

from appliance.alert_state import Lockout, StationHealth, StationTestGap, StationTestLine
from appliance.config_alerting import Supervision
from appliance.stamp import Stamp
from appliance.station_events import StationFault, StationHealthChanged
from appliance.supervision.health_machine import Heard, news
from appliance.supervision.lock_machine import Do, Step, due, stands
from appliance.supervision.report_text import MOST, announcement, morning_report
from appliance.supervision.rules import rules_of
from appliance.supervision.worst_machine import worst_s

HOUR, DAY = 3600.0, 24 * 3600.0


def worst(path: str, stations: int = 2, **calendar: Any) -> float | None:
    rules = rules_of(Supervision(**calendar))
    return worst_s(path, rules, lost_s=9.0, grace_s=HOUR, stations={path: stations}, sms_each_s=15.0)


def test_the_worst_time_is_that_of_the_rarest_proof_with_its_grace_and_its_answer() -> None:
    assert worst("mqtt") == 10.0
    assert worst("sms") == 12 * HOUR + HOUR + 420
    assert worst("sms", sms_probe="") == DAY + HOUR + 420
    assert worst("voice") == 7 * DAY + HOUR + 240 + 300
    assert worst("siren") == 31 * DAY + HOUR


def test_a_way_that_nothing_tests_is_never_known_to_be_broken() -> None:
    assert worst("sms", silent_test="", sms_probe="") is None
    assert worst("voice", voice_test="") is None
    assert worst("siren", sounding_day=0) is None


def test_many_stations_take_their_turns_and_that_counts_too() -> None:
    assert worst("sms", stations=1000) == 12 * HOUR + HOUR + 99 * 150 + 420
    assert worst("voice", stations=120) == 14 * DAY + HOUR + 59 * 240 + 300


def stamp(mono: float) -> Stamp:
    return Stamp(mono=mono, boot="b")


def lock(minutes: int = 60, **more: Any) -> Lockout:
    return Lockout("s1", "0" * 16, minutes, 0.0, "x", stamp(0.0), **more)


def steps(lockout: Lockout, now: float, *paths: str, tried: float | None = None, lost: bool = False) -> list[Step]:
    before = dict.fromkeys(paths, tried) if tried is not None else {}
    return due(
        lockout, lambda s: now - s.mono, now, {k: v for k, v in before.items() if v is not None}, paths, lost=lost
    )


def test_a_lockout_is_said_by_the_best_way_at_its_pace_with_the_minutes_that_are_left() -> None:
    assert steps(lock(), 0.0, "mqtt", "sms") == [Step(Do.LOCK, "mqtt", 60)]
    assert steps(lock(), 1800.0, "sms") == [Step(Do.LOCK, "sms", 30)]
    assert steps(lock(), 1800.0) == []
    assert steps(lock(), 5.0, "mqtt", tried=0.0) == []
    assert steps(lock(), 10.0, "mqtt", tried=0.0) == [Step(Do.LOCK, "mqtt", 60)]
    assert steps(lock(), 10.0, "sms", tried=0.0) == [], "a text costs money"


def test_what_is_confirmed_is_said_no_more_unless_the_station_has_lost_it() -> None:
    assert steps(lock(confirmed=stamp(3.0)), 60.0, "mqtt") == []
    assert steps(lock(confirmed=stamp(3.0)), 60.0, "mqtt", lost=True) == [Step(Do.LOCK, "mqtt", 59)]
    taken_back = lock(confirmed=stamp(3.0), ended=stamp(60.0))
    assert steps(taken_back, 61.0, "mqtt") == [Step(Do.UNLOCK, "mqtt", 59)]
    assert steps(msgspec.structs.replace(taken_back, end_confirmed=stamp(62.0)), 80.0, "mqtt") == []


def test_a_lockout_ends_by_the_clock_that_nobody_sets() -> None:
    assert steps(lock(), 3600.0, "mqtt") == [Step(Do.END)]
    assert steps(lock(ended=stamp(60.0)), 3600.0, "mqtt") == [], "the station lets go by itself"
    assert stands(lock(), lambda s: 3599.0 - s.mono)
    assert not stands(lock(), lambda s: 3600.0 - s.mono)
    assert not stands(None, lambda s: 0.0)


def heard(**more: Any) -> Heard:
    return Heard("s1", "mqtt", more.pop("faults", ()), **more)


def test_only_what_moved_is_written() -> None:
    known = StationHealth(stamp(0.0), (), "mqtt", 50, 90, "mains", 13_800, 300, 10, 0.2)
    same: dict[str, Any] = {
        "disk_free_percent": 48, "battery": 85, "supply": "mains", "supply_mv": 13_500, "cert_days": 299,
        "key_days": 11, "skew_s": -0.5,
    }  # fmt: skip
    assert news(heard(**same), known, locked=False) == []
    for field, value in {
        "disk_free_percent": 44, "supply": "battery", "supply_mv": 12_000, "skew_s": None, "cert_days": 65535,
    }.items():  # fmt: skip
        [event] = news(heard(**{**same, field: value}), known, locked=False)
        assert isinstance(event, StationHealthChanged), field
    assert [e.kind for e in news(heard(), None, locked=False)] == ["station.health"]


def test_a_fault_is_told_once_when_it_begins_and_once_when_it_is_over() -> None:
    known = StationHealth(stamp(0.0), ("door", "tamper"))
    told = news(heard(faults=("tamper", "siren_stuck")), known, locked=False)
    assert told[:2] == [
        StationFault(station="s1", fault="door", on=False), StationFault(station="s1", fault="siren_stuck", on=True),
    ]  # fmt: skip
    assert isinstance(told[2], StationHealthChanged)
    assert told[2].faults == ("siren_stuck", "tamper")


def test_figures_that_are_wrong_are_faults_with_an_edge_that_does_not_flicker() -> None:
    def faults(known: tuple[str, ...], locked: bool = False, **more: Any) -> list[tuple[str, bool]]:
        told = news(heard(**more), StationHealth(stamp(0.0), known), locked=locked)
        return [(e.fault, e.on) for e in told if isinstance(e, StationFault)]

    assert faults((), skew_s=-121.0) == [("clock_skew", True)]
    assert faults(("clock_skew",), skew_s=90.0) == []
    assert faults(("clock_skew",), skew_s=59.0) == [("clock_skew", False)]
    assert faults((), cert_days=20) == [], "its age is no end"
    assert faults((), lock_minutes=30) == [("locked_there", True)]
    assert faults((), locked=True, lock_minutes=30) == []


def test_the_morning_text_names_stations_with_their_ways_sirens_first_and_fits() -> None:
    bad = [
        StationTestLine("s1", "sms", False, "no_answer", 0.0, stamp(0.0)),
        StationTestLine("s2", "siren", False, "no_answer", 0.0, stamp(0.0)),
        StationTestLine("s1", "mqtt", False, "not_sent", 0.0, stamp(0.0)),
    ]
    gap = StationTestGap("voice", "2026-11-24 10:30", "not_running", stamp(0.0))
    names = {"s1": "Damkar Kota", "s2": "Damkar Baguala"}
    said = morning_report("Pusat", "2026-11-25", bad, [gap], names, "en")
    assert said == (
        "Pusat 2026-11-25: tests of stations, 3 not good: Damkar Baguala SIREN; Damkar Kota SMS+network; "
        "voice test 2026-11-24 10:30 DID NOT RUN. See Stations on the centre's page."
    )
    many = [StationTestLine(f"s{n}", "sms", False, "x", 0.0, stamp(0.0)) for n in range(1000)]
    long = {f"s{n}": "Pos Pemadam Kebakaran Kecamatan Leitimur Selatan" for n in range(1000)}
    told = morning_report("Pusat", "2026-11-25", many, [], long, "id")
    assert len(told) <= MOST
    assert "1000 tidak baik" in told


def test_the_announcement_says_test_before_all_else() -> None:
    told = announcement("Ambon", "2026-11-26 10:00", "WIT", 60, "id")
    assert (
        told
        == "PEMBERITAHUAN: UJI COBA sirene Ambon, 2026-11-26 10:00 WIT, 60 detik. Ini hanya uji, BUKAN keadaan darurat."
    )
    assert "TEST" in announcement("Ambon", "2026-11-26 10:00", "WIT", 60, "en")


def test_the_worst_time_is_that_of_the_station_and_of_the_tests_that_are_on() -> None:
    def worst(path: str, *, lost_s: float = 9.0, **calendar: Any) -> float | None:
        rules = rules_of(Supervision(**calendar))
        return worst_s(path, rules, lost_s=lost_s, grace_s=3600.0, stations={"sms": 1, "voice": 1}, sms_each_s=15.0)

    assert worst("mqtt", lost_s=95) == 96.0
    both, nightly, never = worst("sms"), worst("sms", sms_probe=""), worst("sms", sms_probe="", silent_test="")
    assert both == 12 * 3600 + 3600 + 420
    assert nightly == 24 * 3600 + 3600 + 420
    assert never is None
    assert worst("sms", silent_test="") == nightly
    assert worst("voice", voice_test="") is None
    assert worst("siren", sounding_day=0) is None
    assert worst("mqtt", silent_test="", sms_probe="") == 10.0

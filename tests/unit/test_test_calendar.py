"""The calendar of stations' tests: nothing runs twice, nothing that was due is passed over in silence."""

from datetime import datetime, timedelta

from appliance import station_events as st
from appliance.alert_state import StationTestRecord
from appliance.config_alerting import Supervision
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.fold import apply
from appliance.state import State
from appliance.supervision.calendar_machine import (
    Announce,
    Begin,
    Calendar,
    Miss,
    Plan,
    Rule,
    dues,
    key,
    longest_gap_s,
    next_due,
    report_day,
)
from appliance.supervision.rules import rules_of

SILENT = Rule("silent", "02:00")
SOUNDING = Rule("sounding", "10:00", day=26, announce_s=24 * 3600.0)
GRACE = 3600.0


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M")


class Site:
    """A box that looks at its calendar every five minutes; `done` is the journal."""

    def __init__(self, *rules: Rule, now: str = "2026-11-20 12:00") -> None:
        self.rules, self.now, self.mono = rules, at(now), 0.0
        self.state, self._head = State(), Entry.before_first()
        self.done: list[tuple[str, str]] = []
        self.busy, self.known = "", True
        self.restart()
        self.look()
        self.done.clear()

    def restart(self) -> None:
        self.calendar = Calendar(self.rules, GRACE)

    @property
    def record(self) -> StationTestRecord:
        return self.state.tests

    def append(self, event: Event) -> None:
        self._head = Entry.after(
            self._head, wall=0.0, mono=self.mono, boot="b", quality="ntp", kind=event.kind, subject=event.subject,
            actor="", cause=None, body=encode_event(event),
        )  # fmt: skip
        apply(self.state, self._head)

    def look(self) -> None:
        for step in self.calendar.look(self.now if self.known else None, self.mono, self.record, self.busy):
            match step:
                case Plan(rule=rule, since=since):
                    self.append(st.StationTestPlanned(what=rule.what, rule=rule.text, since=since))
                    self.done.append(("plan", since))
                case Begin(what=what, due=due):
                    self.append(st.StationTestBegun(test="0", what=what, due=due, stations=(), paths=()))
                    self.done.append((what, due))
                case Miss(what=what, due=due, reason=reason):
                    self.append(st.StationTestMissed(what=what, due=due, reason=reason))
                    self.done.append((f"missed {what}: {reason}", due))
                case Announce(what=what, due=due):
                    self.append(st.StationTestAnnounced(what=what, due=due, told=1))
                    self.done.append((f"announced {what}", due))

    def until(self, text: str) -> list[tuple[str, str]]:
        """Time passes; what was done meanwhile."""
        self.done.clear()
        end = at(text)
        while self.now < end:
            self.now = min(self.now + timedelta(minutes=5), end)
            self.mono += 300.0
            self.look()
        return self.done[:]

    def jumps(self, text: str) -> list[tuple[str, str]]:
        """The clock is set, or the box was off until then."""
        self.done.clear()
        self.now = at(text)
        self.look()
        self.look()
        return self.done[:]


def test_a_test_runs_once_at_its_time_every_night() -> None:
    site = Site(SILENT)
    assert site.until("2026-11-23 12:00") == [("silent", f"2026-11-2{n} 02:00") for n in (1, 2, 3)]


def test_a_restart_in_the_same_minute_runs_nothing_again() -> None:
    site = Site(SILENT)
    assert site.until("2026-11-21 02:00") == [("silent", "2026-11-21 02:00")]
    site.restart()
    assert site.until("2026-11-21 12:00") == []


def test_what_is_new_in_the_calendar_is_not_missed_for_the_time_before() -> None:
    site = Site(SILENT)
    assert site.jumps("2026-11-20 12:01") == []
    site.rules = (Rule("silent", "03:00"),)
    site.restart()
    assert site.jumps("2026-11-20 12:02") == [("plan", "2026-11-20 12:02")]
    site.rules = (Rule("silent", ""),)
    site.restart()
    assert site.until("2026-11-23 12:00") == [("plan", "2026-11-20 12:07")]
    site.rules = (SILENT,)
    site.restart()
    assert site.until("2026-11-24 02:00") == [("plan", "2026-11-23 12:05"), ("silent", "2026-11-24 02:00")]


def test_a_box_that_comes_back_within_the_grace_tests_late_and_behind_it_says_what_it_missed() -> None:
    site = Site(SILENT)
    assert site.jumps("2026-11-21 02:59") == [("silent", "2026-11-21 02:00")]
    assert site.jumps("2026-11-24 02:30") == [
        ("missed silent: not_running", "2026-11-22 02:00"),
        ("missed silent: not_running", "2026-11-23 02:00"),
        ("silent", "2026-11-24 02:00"),
    ]
    assert site.jumps("2026-11-25 03:01") == [("missed silent: not_running", "2026-11-25 02:00")]


def test_an_open_alert_postpones_a_test_and_after_the_grace_it_was_missed_because_of_it() -> None:
    site = Site(SILENT)
    site.busy = "alert_open"
    assert site.until("2026-11-21 02:40") == []
    site.busy = ""
    assert site.until("2026-11-21 12:00") == [("silent", "2026-11-21 02:00")]
    site.busy = "alert_open"
    assert site.until("2026-11-22 12:00") == [("missed silent: alert_open", "2026-11-22 02:00")]


def test_two_tests_that_are_due_at_once_run_one_after_the_other() -> None:
    site = Site(SILENT, Rule("voice", "02:00"))
    assert site.until("2026-11-21 02:00") == [("silent", "2026-11-21 02:00")]
    site.busy = "test_open"
    assert site.until("2026-11-21 02:20") == []
    site.busy = ""
    assert site.until("2026-11-21 12:00") == [("voice", "2026-11-21 02:00")]


def test_a_clock_that_is_set_back_runs_nothing_twice() -> None:
    site = Site(SILENT)
    assert site.until("2026-11-21 02:05") == [("silent", "2026-11-21 02:00")]
    assert site.jumps("2026-11-21 01:00") == []
    assert site.until("2026-11-22 02:00") == [("silent", "2026-11-22 02:00")]


def test_a_clock_that_was_years_ahead_does_not_end_the_tests_for_years() -> None:
    site = Site(SILENT)
    assert len(site.jumps("2031-01-01 12:00")) == 7
    assert site.jumps("2026-11-21 01:00") == [("plan", "2026-11-21 01:00")]
    assert site.until("2026-11-21 02:00") == [("silent", "2026-11-21 02:00")]


def test_without_a_known_clock_nothing_runs_and_the_gap_is_told_when_it_is_known_again_and_once_a_day_before() -> None:
    site = Site(SILENT)
    site.known = False
    assert site.until("2026-11-21 03:30") == []
    site.known = True
    assert site.until("2026-11-21 12:00") == [("missed silent: clock_unknown", "2026-11-21 02:00")]
    site.known = False
    assert site.until("2026-11-23 15:00") == [("missed silent: clock_unknown", "")] * 2


def test_a_sounding_test_is_announced_once_and_does_not_sound_when_it_was_not() -> None:
    site = Site(SOUNDING)
    assert site.until("2026-11-26 12:00") == [
        ("announced sounding", "2026-11-26 10:00"), ("sounding", "2026-11-26 10:00"),
    ]  # fmt: skip
    site = Site(SOUNDING)
    assert site.jumps("2026-11-26 09:50") == [("announced sounding", "2026-11-26 10:00")]
    assert site.until("2026-11-26 10:00") == [("sounding", "2026-11-26 10:00")]
    site = Site(SOUNDING)
    assert site.jumps("2026-11-26 10:05") == [("missed sounding: not_announced", "2026-11-26 10:00")]


def test_a_day_that_a_month_does_not_have_is_its_last_one() -> None:
    assert next_due(Rule("sounding", "10:00", day=31), at("2027-02-01 00:00")) == at("2027-02-28 10:00")
    assert next_due(Rule("sounding", "10:00", day=26), at("2026-11-26 10:00")) == at("2026-12-26 10:00")
    assert next_due(Rule("voice", "10:30", weekdays=("tue",)), at("2026-11-22 09:00")) == at("2026-11-24 10:30")
    assert next_due(Rule("silent", ""), at("2026-11-22 09:00")) is None
    assert [key(d) for d in dues(SILENT, "2026-11-20 02:00", at("2026-11-22 09:00"))] == [
        "2026-11-21 02:00", "2026-11-22 02:00",
    ]  # fmt: skip


def test_the_longest_gap_is_between_any_two_tests_of_a_path_over_the_week() -> None:
    silent, probe, voice, sounding = rules_of(Supervision())
    assert longest_gap_s([silent]) == 24 * 3600
    assert longest_gap_s([silent, probe]) == 12 * 3600
    assert longest_gap_s([voice]) == 7 * 24 * 3600
    assert longest_gap_s([sounding]) is None
    assert longest_gap_s([Rule("voice", "10:00", weekdays=("mon", "fri"))]) == 4 * 24 * 3600


def test_the_morning_report_is_given_once_a_day_and_late_rather_than_not() -> None:
    assert report_day(at("2026-11-26 06:59"), "07:00", "2026-11-25") == ""
    assert report_day(at("2026-11-26 07:00"), "07:00", "2026-11-25") == "2026-11-26"
    assert report_day(at("2026-11-26 19:00"), "07:00", "2026-11-26") == ""
    assert report_day(at("2026-11-25 23:50"), "07:00", "2026-11-26") == "", "set back over midnight"
    assert report_day(at("2026-11-26 07:00"), "07:00", "2031-01-01") == "2026-11-26"
    assert report_day(at("2026-11-26 07:00"), "", "") == ""

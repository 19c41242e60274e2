"""What `siaga tests` prints: rows of text."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from appliance.alert_state import StationTest, StationTestGap, StationTestLine
from appliance.alert_view import TestsView
from appliance.page_words import load_page_words
from appliance.stamp import Stamp
from appliance.view import View

TITLES = {
    "silent": "Silent test",
    "sms_probe": "SMS test",
    "voice": "Voice test",
    "sounding": "SOUNDING TEST OF SIRENS",
}


def runs(tests: TestsView, zone: ZoneInfo) -> list[str]:
    """Newest first."""
    return [_run(run, zone) for run in tests.runs] or ["No test ran yet."]


def calendar(tests: TestsView, zone: ZoneInfo) -> list[str]:
    """What is due, soonest first, then what was missed."""
    if not tests.clock_known:
        rows = ["THE BOX'S CLOCK IS NOT KNOWN: no test runs until it is (NTP, or a mobile network)."]
    else:
        rows = [f"{d.due}  {d.what}" for d in tests.due] or ["Nothing is in the calendar."]
    return rows + [_gap(gap) for gap in tests.missed]


def report(tests: TestsView, names: Mapping[str, str], zone: ZoneInfo) -> list[str]:
    """Every run and gap of the last day, what is not good line by line."""
    newest = max((run.begun.wall for run in tests.runs), default=0.0)
    rows: list[str] = []
    for run in (run for run in tests.runs if newest - run.begun.wall < 24 * 3600):
        rows.append(_run(run, zone))
        rows += [f"    {_line(line, names)}" for line in run.lines if not line.good]  # what was not tested too
    rows += [_gap(gap) for gap in tests.missed if newest - gap.at.wall < 24 * 3600]
    return rows or ["No test ran yet."]


def record(run: StationTest, names: Mapping[str, str], view: View, zone: ZoneInfo) -> list[str]:
    """To be printed and signed; the hash says which journal it was made from."""
    ended = _when(run.ended, zone) if run.ended else "NOT ENDED YET"
    silent = [] if run.what == "sounding" else ["No siren was energised by this test."]
    return [
        f"{view.name}: {TITLES.get(run.what, run.what)} {run.id}",
        f"made {datetime.fromtimestamp(view.wall, zone):%Y-%m-%d %H:%M} {view.zone}, clock {view.clock_quality}",
        "",
        f"due    {run.due or 'ordered by ' + run.begun.actor}",
        f"began  {_when(run.begun, zone)}",
        f"ended  {ended}",
        *silent,
        "",
        "station               way     result  after    why",
        *(_line(line, names) for line in sorted(run.lines, key=lambda x: (names.get(x.station, x.station), x.path))),
        "",
        counts(run),
        f"journal row {view.seq}, {view.head}",
        "checked by ____________________  on ____________",
    ]


def result_word(line: StationTestLine) -> str:
    return "good" if line.good else "NOT TESTED, by rule:" if line.skipped else "BAD"


def counts(run: StationTest) -> str:
    told = f"{run.good} good, {run.bad} bad"
    return f"{told}, {run.skipped} not tested by rule" if run.skipped else told


def _run(run: StationTest, zone: ZoneInfo) -> str:
    state = counts(run) if run.ended else f"running: {counts(run)} so far"
    return f"{run.id}  {_when(run.begun, zone)}  {run.what:<9}  {len(run.stations)} stations  {state}"


def _line(line: StationTestLine, names: Mapping[str, str]) -> str:
    why = load_page_words("en").get(f"reason.{line.reason}", line.reason)
    result = result_word(line)
    after = f"{line.seconds:.1f} s" if line.good else "-"
    return f"{names.get(line.station, line.station):<20}  {line.path:<6}  {result:<6}  {after:>7}  {why}".rstrip()


def _gap(gap: StationTestGap) -> str:
    why = load_page_words("en").get(f"reason.{gap.reason}", gap.reason)
    return f"{gap.due or 'for a day':<16}  {gap.what}: DID NOT RUN, {why}"


def _when(stamp: Stamp, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(stamp.wall, zone).strftime("%Y-%m-%d %H:%M:%S")

"""Tests of stations: begun by calendar or by a person, carried by real orders, each result journaled, told in the
morning. What the machines want is done here; all that must outlive core is in the journal.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from appliance.alert_state import StationTest
from appliance.alert_view import DueView, TestsView
from appliance.commands import ListTests, RunTest
from appliance.config import ZONES, Site
from appliance.event import Event
from appliance.journal import Appended
from appliance.model import AlertKind
from appliance.stamp import Stamp
from appliance.state import Alert, State
from appliance.station_events import (
    StationTestAnnounced,
    StationTestBegun,
    StationTestEnded,
    StationTestMissed,
    StationTestPlanned,
    StationTestReported,
    StationTestResult,
)
from appliance.supervision.calendar_machine import Announce, Begin, Calendar, Miss, Plan, next_due, report_day
from appliance.supervision.calendar_machine import key as due_key
from appliance.supervision.notices import Give, Notices
from appliance.supervision.report_text import announcement, morning_report
from appliance.supervision.rules import rules_of
from appliance.supervision.test_machine import WAYS, Ask, Over, Quit, Result, chosen, of_run, steps
from drivers.clock import Clock
from drivers.jsonsocket import Refusal

TICK = 1.0  # s between looks
MINUTE, HOUR = 60.0, 3600.0
REPORT_WAIT = timedelta(hours=2)  # that the morning's report waits for a night's test to end
BY_CALENDAR = "rule:calendar"
MOST_LISTED = 60
MOST_BAD = 100  # lines of one run in a list

log = logging.getLogger("siaga.tests")


class OrderTest(Protocol):
    async def __call__(
        self, *, stations: tuple[str, ...], kind: AlertKind, path: str, run: str, key: str, actor: str
    ) -> None:
        """Order a test: `path` "" for all that move a siren. The same key makes no second one. Raises Refusal."""
        ...


class Tests:
    """`ways` says what a station of the site file can be tested by; `locked`, whether its siren is out of service."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, boot: str, append: Callable[..., Appended],
        order: OrderTest, stop: Callable[[str], None], give: Give, ways: dict[str, tuple[str, ...]],
        locked: Callable[[str], bool], since: Callable[[Stamp], float], time_known: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._site, self._state, self._clock, self._boot, self._append = site, state, clock, boot, append
        self._order, self._stop, self._ways, self._locked = order, stop, ways, locked
        self._since, self._time_known = since, time_known
        self._zone = ZONES[site.zone]
        self.rules = rules_of(site.supervision)
        self._calendar = Calendar(self.rules, site.supervision.grace_min * MINUTE)
        self._notices = Notices(site, give)
        # As the rate cap has it; the tests' own texts are not held back by it, as orders are not.
        self.sms_each_s = HOUR / (site.sms.per_hour * max(1, len(site.line)))
        self._names = {s.id: s.name for s in site.station}

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(TICK)

    async def look(self) -> None:
        """Whatever is due now."""
        local = self._local()
        for step in self._calendar.look(local, self._clock.now(), self._state.tests, self._busy()):
            match step:
                case Plan(rule=rule, since=since):
                    self._append(StationTestPlanned(what=rule.what, rule=rule.text, since=since))
                case Begin(what=what, due=due):
                    self._begin(what, due, tuple(self._names), BY_CALENDAR)
                case Miss(what=what, due=due, reason=reason):
                    log.error("the %s test of %s did not run: %s", what, due or "these days", reason)
                    self._append(StationTestMissed(what=what, due=due, reason=reason))
                case Announce(what=what, due=due):
                    await self._announce(what, due)
        for run in self._open():
            await self._carry_on(run)
        if local is not None:
            await self._report(local)

    # A person's

    async def command(self, command: RunTest, actor: str) -> dict[str, Any]:
        """Begin a test now. Raises Refusal."""
        known = next((r for r in self._state.tests.runs.values() if command.key and r.key == command.key), None)
        if known is not None:
            return {"test": known.id, "repeated": True}
        if command.test not in WAYS:
            raise Refusal("no_test", f"There is no test {command.test!r}.", f"There is: {', '.join(WAYS)}.")
        unknown = [s for s in command.stations if s not in self._names]
        if unknown:
            there = ", ".join(self._names)
            raise Refusal("no_station", f"There is no station {', '.join(unknown)}.", f"There is: {there}.")
        if busy := self._busy():
            why = "A real alert is open." if busy == "alert_open" else "Another test is running."
            raise Refusal(busy, why, "Wait for its end.")
        run = self._begin(command.test, "", command.stations or tuple(self._names), actor, command.key)
        if run is None:
            raise Refusal("nothing", "None of these stations has such a way.", "Nothing was tested.")
        return {"test": run, "repeated": False}

    def listed(self, command: ListTests) -> dict[str, Any]:
        """The last runs, or one whole. Raises Refusal."""
        if not command.run:
            view = self.view(max(1, min(command.last, MOST_LISTED)))
            built: dict[str, Any] = msgspec.to_builtins(view)
            return built
        found = [r for r in self._state.tests.runs.values() if r.id == command.run]
        if not found:
            raise Refusal("no_test", f"No test {command.run} is remembered.", "siaga tests list")
        return {"run": msgspec.to_builtins(found[0]), "names": self._names}

    def view(self, last: int) -> TestsView:
        tests = self._state.tests
        newest = list(reversed(tests.runs.values()))[:last]
        local = self._local()
        due = []
        for rule in self.rules:
            if local is not None and (at := next_due(rule, local)):
                due.append(DueView(rule.what, due_key(at), at.replace(tzinfo=self._zone).timestamp()))
        runs = tuple(
            msgspec.structs.replace(run, lines=[line for line in run.lines if not line.good][:MOST_BAD])
            for run in newest
        )
        return TestsView(
            runs,
            tuple(sorted(due, key=lambda d: d.at)),
            clock_known=local is not None,
            missed=tuple(tests.missed[::-1]),
        )

    # What is under way

    def _local(self) -> datetime | None:
        if not self._time_known():
            return None
        return datetime.fromtimestamp(self._clock.wall(), self._zone).replace(tzinfo=None)

    def today(self) -> str:
        """Date and minute as due times have them; "" while no clock is known."""
        local = self._local()
        return due_key(local) if local is not None else ""

    def _urgent(self) -> bool:
        return any(a.kind is AlertKind.ACTUAL for a in self._state.open_alerts())

    def _busy(self) -> str:
        return "alert_open" if self._urgent() else "test_open" if self._open() else ""

    def _open(self) -> list[StationTest]:
        return [run for run in self._state.tests.runs.values() if run.ended is None]

    def _begin(self, what: str, due: str, stations: Sequence[str], actor: str, key: str = "") -> str | None:
        """None, and a test of the calendar counts as run all the same: no station has such a way."""
        able = chosen(what, stations, self._ways, self._proven_by_voice)
        if not able and not due:
            return None
        run = secrets.token_hex(4)
        # A station is asked by the ways that it has; a way that nobody has is no part of the run.
        paths = tuple(way for way in WAYS[what] if any(way in self._ways[s] for s in able))
        event = StationTestBegun(test=run, what=what, due=due, stations=able, paths=paths, key=key)
        self._append(event, actor=actor)
        return run

    def _proven_by_voice(self, station: str) -> float:
        stamp = self._state.tests.proven.get(station, {}).get("voice")
        return stamp.wall if stamp else 0.0

    async def _carry_on(self, run: StationTest) -> None:
        alerts: list[Alert] = list(of_run(self._state.alerts, run.id))
        locked = [s for s in run.stations if self._locked(s)]
        asked = {
            s: tuple(w for w in self._ways[s] if w in run.paths) for s in run.stations if s in self._ways
        }  # fmt: skip
        for step in steps(
            run, alerts, asked, locked, self._since, self._boot, urgent=self._urgent(), sms_each_s=self.sms_each_s
        ):
            match step:
                case Ask(way=way, stations=stations):
                    await self._ask(run, way, stations)
                case Result() as result:
                    self._result(run, result)
                case Quit(alert=alert):
                    self._stop(alert)
                case Over(good=good, bad=bad, skipped=skipped):
                    self._append(StationTestEnded(test=run.id, good=good, bad=bad, skipped=skipped))

    async def _ask(self, run: StationTest, way: str, stations: tuple[str, ...]) -> None:
        sounding = run.what == "sounding"
        kind = AlertKind.SOUNDING_TEST if sounding else AlertKind.SILENT_TEST
        try:
            await self._order(
                stations=stations, kind=kind, path="" if sounding else way, run=run.id,
                key=f"test/{run.id}/{way}/{stations[0]}/{self._boot}", actor=run.begun.actor or BY_CALENDAR,
            )  # fmt: skip
        except Refusal as e:
            log.error("a test of %d stations by %s cannot be ordered: %s", len(stations), way, e)
            for station in stations:
                self._result(run, Result(station, way, False, e.code))

    def _result(self, run: StationTest, result: Result) -> None:
        event: Event = StationTestResult(
            test=run.id, station=result.station, path=result.way, good=result.good, reason=result.reason,
            seconds=result.seconds, skipped=result.skipped,
        )  # fmt: skip
        self._append(event)

    # What is told

    async def _announce(self, what: str, due: str) -> None:
        seconds = self._site.supervision.sounding_seconds
        told = await self._notices.announce(
            f"test-announce/{due}",
            lambda language: announcement(self._site.name, due, self._site.zone, seconds, language),
        )
        self._append(StationTestAnnounced(what=what, due=due, told=told))

    async def _report(self, local: datetime) -> None:
        """Once a day: what was tested and what was not since the last one. A text only where something is not good."""
        tests, time = self._state.tests, self._site.supervision.report
        day = report_day(local, time, tests.reported)
        if not day:
            return
        late = local - datetime.fromisoformat(f"{day} {time}") > REPORT_WAIT
        if any(run.due for run in self._open()) and not late:
            return
        after = tests.reported_at.seq if tests.reported_at else 0
        runs = [r for r in tests.runs.values() if r.ended is not None and r.ended.seq > after]
        missed = [gap for gap in tests.missed if gap.at.seq > after]
        if not runs and not missed:
            return
        bad = [line for run in runs for line in run.lines if line.bad]
        if bad or missed:
            await self._notices.report(
                f"test-report/{day}",
                lambda language: morning_report(self._site.name, day, bad, missed, self._names, language),
            )
        event = StationTestReported(day=day, failures=len(bad) + len(missed), tests=tuple(r.id for r in runs))
        self._append(event)

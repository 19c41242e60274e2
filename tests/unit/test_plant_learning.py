"""What the plant learns by living: starts, runs, fuel, batteries. It is in the journal and survives a restart."""

from typing import Any

import msgspec
import pytest

from appliance import power_events as pw
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.fold import apply
from appliance.model import GensetPhase
from appliance.power.discharge_machine import BatterySeen, DischargeWatch
from appliance.power.fuel_machine import FuelWatch, band
from appliance.power.ready_machine import ReadyWatch
from appliance.power.run_machine import ExerciseRule, Measures, RunWatch
from appliance.power_state import GensetRecord, Ups, UpsRecord
from appliance.stamp import Stamp
from appliance.state import State

BOOT = "b" * 16
DAY = 86_400.0
RULE = ExerciseRule(every_days=31, minutes=30, load_percent=30)
PHASES: dict[GensetPhase, type[pw.GensetEvent]] = {
    GensetPhase.STARTING: pw.GensetStarting,
    GensetPhase.RUNNING: pw.GensetRunning,
    GensetPhase.ON_LOAD: pw.GensetOnLoad,
    GensetPhase.COOLING: pw.GensetCooling,
    GensetPhase.STOPPED: pw.GensetStopped,
}


class Set:
    """A generator in words, with a journal; time passes in steps of `tick` seconds."""

    def __init__(self, tick: float = 1.0, tank: float | None = 400.0) -> None:
        self.now, self.tick, self.tank = 1000.0, tick, tank
        self.state, self._head = State(), Entry.before_first()
        self.told: list[Event] = []
        self.phase, self.lost = GensetPhase.STOPPED, False
        self.words: dict[str, Any] = {"rpm": 0.0, "battery_v": 27.0, "fuel": 80.0, "kwh": 100.0}
        self.journal(pw.GensetReady(genset="g1"))
        self.restart()
        self.go(GensetPhase.STOPPED, 2 * tick)

    def restart(self) -> None:
        self.run = RunWatch("g1", RULE, self.record, self.age, self.now)
        self.fuel = FuelWatch("g1", self.tank, self.record.fuel_falling)

    @property
    def record(self) -> GensetRecord:
        return self.state.genset_records.get("g1", GensetRecord())

    def age(self, stamp: Stamp) -> float:
        return stamp.elapsed(self.now, self.now, BOOT)

    def journal(self, event: Event) -> None:
        self._head = Entry.after(
            self._head, wall=self.now, mono=self.now, boot=BOOT, quality="ntp", kind=event.kind,
            subject=event.subject, actor="", cause=None, body=encode_event(event),
        )  # fmt: skip
        apply(self.state, self._head)

    def go(
        self, phase: GensetPhase, seconds: float, *, kw: float = 0.0, litres_per_kwh: float = 0.25, **words: Any
    ) -> None:
        """So long in this phase; with `kw` energy is counted and fuel burns."""
        if phase is not self.phase:
            self.phase = phase
            failed = phase is GensetPhase.FAILED
            self.journal(
                pw.GensetFailedToStart(genset="g1", reason="controller") if failed else PHASES[phase](genset="g1")
            )
        self.words |= words
        for _ in range(round(seconds / self.tick)):
            self.now += self.tick
            kwh = kw * self.tick / 3600
            self.words["kwh"] += kwh
            self.words["fuel"] -= 100 * kwh * litres_per_kwh / (self.tank or 400.0)
            seen = Measures(at=self.now, kw=kw, **self.words)
            events = self.run.step(phase, seen, self.now, self.lost, self.record, self.age)
            events += self.fuel.step(phase, seen, self.now, self.record)
            for event in events:
                self.journal(event)
            self.told += events

    def start(self, crank: float = 3.0, up: float = 5.0, dip: float = 20.0) -> None:
        self.go(GensetPhase.STARTING, crank, rpm=200.0, battery_v=dip)
        self.go(GensetPhase.STARTING, up, rpm=1000.0, battery_v=26.0)
        self.go(GensetPhase.RUNNING, 5, rpm=1500.0, battery_v=28.0)

    def stop(self) -> None:
        self.go(GensetPhase.COOLING, 60, load=0.0)
        self.go(GensetPhase.STOPPED, 10, rpm=0.0, battery_v=27.0)

    def of(self, kind: type[Event]) -> list[Any]:
        return [e for e in self.told if isinstance(e, kind)]


def test_a_start_is_measured_from_its_first_sign_to_speed_with_the_batterys_lowest() -> None:
    genset = Set()
    genset.start()
    assert genset.of(pw.GensetStartMeasured) == [pw.GensetStartMeasured(genset="g1", crank_s=3.0, up_s=8.0, dip_v=20.0)]


def test_a_start_unlike_the_ones_before_is_told_until_one_is_usual_again() -> None:
    genset = Set()
    for _ in range(3):
        genset.start()
        genset.stop()
    genset.restart()
    genset.go(GensetPhase.STOPPED, 5)
    assert genset.of(pw.GensetStartDrifted) == []
    genset.start(crank=12.0, dip=17.0)
    assert [(e.figure, e.usual) for e in genset.of(pw.GensetStartDrifted)] == [
        ("crank_s", 3.0), ("up_s", 8.0), ("dip_v", 20.0),
    ]  # fmt: skip
    assert set(genset.record.drifted) == {"crank_s", "up_s", "dip_v"}
    genset.stop()
    genset.start()
    assert genset.record.drifted == {}


@pytest.mark.parametrize(("load", "minutes", "grade"), [(40.0, 31, "passed"), (20.0, 31, "light"), (40.0, 10, "short")])
def test_an_exercise_is_graded_by_its_minutes_under_load(load: float, minutes: float, grade: str) -> None:
    genset = Set()
    genset.start()
    genset.go(GensetPhase.ON_LOAD, 60 * minutes, load=load, kw=load)
    genset.stop()
    (run,) = genset.record.runs
    assert (run.why, run.grade, run.load_most) == ("exercise", grade, load)
    assert run.minutes == pytest.approx(minutes + 1.2, abs=0.2)
    assert run.minutes_loaded == pytest.approx(minutes if load >= 30 else 0, abs=0.1)
    assert run.kwh == pytest.approx(load * minutes / 60, rel=0.02)
    assert (run.crank_s, run.dip_v) == (3.0, 20.0)
    assert (genset.record.exercised is not None) == (grade == "passed")


def test_a_run_goes_on_over_a_restart_of_the_box() -> None:
    genset = Set()
    genset.start()
    genset.go(GensetPhase.ON_LOAD, 60 * 21, load=50.0, kw=50.0)
    genset.restart()
    genset.go(GensetPhase.ON_LOAD, 60 * 21, load=50.0, kw=50.0)
    genset.stop()
    (run,) = genset.record.runs
    assert run.grade == "passed"
    assert run.minutes == pytest.approx(43.2, abs=0.3)
    assert 40 <= run.minutes_loaded <= 42.1, "at most what was run since the last note is lost"


def test_a_run_that_saw_mains_lost_is_an_outages_and_counts_as_exercise_when_it_was_long_enough() -> None:
    genset = Set()
    genset.lost = True
    genset.start()
    genset.go(GensetPhase.ON_LOAD, 300, load=50.0)
    genset.lost = False
    genset.stop()
    assert [(r.why, r.grade) for r in genset.record.runs] == [("outage", "")]


def test_an_exercise_is_overdue_once_until_one_has_passed() -> None:
    genset = Set(tick=600.0)
    genset.go(GensetPhase.STOPPED, 31 * DAY - 1200)
    assert genset.of(pw.GensetExerciseOverdue) == []
    genset.go(GensetPhase.STOPPED, 2 * DAY)
    genset.restart()
    genset.go(GensetPhase.STOPPED, DAY)
    assert genset.of(pw.GensetExerciseOverdue) == [pw.GensetExerciseOverdue(genset="g1", days=31)]
    genset.tick = 1.0
    genset.start()
    genset.go(GensetPhase.ON_LOAD, 1900, load=60.0)
    genset.stop()
    assert not genset.record.overdue


@pytest.mark.parametrize(("kw", "load", "where"), [(30.0, 30.0, "25"), (80.0, 80.0, "75")])
def test_what_a_kilowatt_hour_takes_is_learned_for_its_band_of_load(kw: float, load: float, where: str) -> None:
    genset = Set(tick=5.0)
    genset.start()
    genset.go(GensetPhase.ON_LOAD, 6 * 3600, load=load, kw=kw, litres_per_kwh=0.3)
    assert set(genset.record.burns) == {where}
    assert genset.record.burns[where].litres_per_kwh == pytest.approx(0.3, rel=0.05)
    assert band(load) == where


def test_a_refill_and_a_tank_of_unknown_size_teach_nothing() -> None:
    unknown = Set(tick=5.0, tank=None)
    unknown.start()
    unknown.go(GensetPhase.ON_LOAD, 6 * 3600, load=50.0, kw=50.0)
    assert unknown.record.burns == {}
    filled = Set(tick=5.0)
    filled.start()
    for _ in range(8):  # as much comes in as is burned
        filled.go(GensetPhase.ON_LOAD, 1800, load=50.0, kw=50.0, fuel=80.0)
    assert all(0.2 <= burn.litres_per_kwh <= 0.3 for burn in filled.record.burns.values())


def test_fuel_that_goes_while_the_set_stands_is_told_once_and_its_end_too() -> None:
    genset = Set(tick=60.0)
    genset.go(GensetPhase.STOPPED, 3600)
    for level in (79.0, 78.0, 77.0, 76.0):
        genset.go(GensetPhase.STOPPED, 1800, fuel=level)
    (falling,) = genset.of(pw.GensetFuelFalling)
    assert (falling.was, falling.now) == (80.0, 77.0)
    genset.restart()
    genset.go(GensetPhase.STOPPED, 3 * 3600)
    assert genset.of(pw.GensetFuelSteady) == [pw.GensetFuelSteady(genset="g1")]


def test_a_sender_that_swings_and_a_cold_night_are_no_thief() -> None:
    genset = Set(tick=60.0)
    for hour in range(48):
        for swing in (-4.0, 4.0, 0.0):
            genset.go(GensetPhase.STOPPED, 60, fuel=80.0 + swing)
        genset.go(GensetPhase.STOPPED, 3420, fuel=80.0 - (1.2 if hour % 24 > 12 else 0.0))
    assert genset.of(pw.GensetFuelFalling) == []


def discharge(
    watch: DischargeWatch, minutes: int, fell: float, charge: float = 100.0, load: float = 40.0, began: float = 1000.0
) -> BatterySeen:
    seen = BatterySeen(at=began, charge=charge, load=load)
    watch.step(True, seen)
    for second in range(1, 60 * minutes + 1):
        seen = msgspec.structs.replace(seen, at=began + second, charge=charge - fell * second / 60 / minutes)
        watch.step(True, seen)
    return seen


def test_a_battery_that_empties_faster_than_it_says_is_seen_to() -> None:
    watch = DischargeWatch("u1", lambda stamp: 0.0, 1000.0, Ups())
    seen = discharge(watch, 5, 25.0)
    assert watch.minutes_left(seen, None) == pytest.approx(15.0)
    told = watch.step(False, seen)
    assert told == [
        pw.UpsDischarged(ups="u1", minutes=5.0, charge_from=100.0, charge_to=75.0, load=40.0, full_minutes=20.0)
    ]


def test_until_a_discharge_shows_the_last_one_counts_and_never_for_more_than_it_lasted() -> None:
    watch = DischargeWatch("u1", lambda stamp: 0.0, 1000.0, Ups())
    record = UpsRecord(full_minutes=20.0, load=40.0)
    watch.step(True, BatterySeen(at=1000.0, charge=100.0, load=40.0))
    for load, minutes in ((40.0, 20.0), (80.0, 10.0), (20.0, 20.0)):
        assert watch.minutes_left(BatterySeen(at=1000.0, charge=100.0, load=load), record) == minutes
    assert watch.minutes_left(BatterySeen(at=1000.0, charge=100.0, load=40.0), None) is None


def test_a_discharge_goes_on_over_a_restart_of_the_box() -> None:
    known = Ups(True, Stamp(), 100.0)
    watch = DischargeWatch("u1", lambda stamp: 300.0, 1300.0, known)
    seen = BatterySeen(at=1301.0, charge=75.0, load=40.0)
    watch.step(True, seen)
    assert watch.minutes_left(seen, None) == pytest.approx(15.0, rel=0.01)


def test_a_line_of_the_readiness_list_is_told_after_it_has_stayed_so_and_never_when_it_is_not_known() -> None:
    watch = ReadyWatch({})
    key = ("genset/g1", "charger")
    assert watch.step({key: (False, "not_charging")}, 0.0) == []
    assert watch.step({key: (None, "")}, 60.0) == []
    assert watch.step({key: (False, "not_charging")}, 100.0) == []
    assert watch.step({key: (False, "not_charging")}, 219.0) == []
    failed = pw.ReadyItemFailed(device="genset/g1", item="charger", why="not_charging")
    assert watch.step({key: (False, "not_charging")}, 220.0) == [failed]
    again = ReadyWatch({"genset/g1/charger": "not_charging"})
    assert again.step({key: (False, "not_charging")}, 500.0) == []
    assert again.step({key: (True, "")}, 600.0) == []
    assert again.step({key: (True, "")}, 720.0) == [pw.ReadyItemGood(device="genset/g1", item="charger")]


def test_a_short_run_in_an_outage_is_no_exercise_also_when_core_was_killed_in_between() -> None:
    for killed in ("before the run", "in the outage", "after it"):
        g = Set()
        g.journal(pw.MainsLost(witnesses=2, by=("genset/g1", "ups/u1")))
        g.lost = True
        g.go(GensetPhase.STARTING, 3)
        if killed == "in the outage":
            g.restart()
        g.go(GensetPhase.ON_LOAD, 60, kw=20.0, load=40.0)
        g.journal(pw.MainsReturned(by=("genset/g1",)))
        g.lost = False
        if killed == "after it":
            g.restart()
        g.go(GensetPhase.COOLING, 30)
        g.go(GensetPhase.STOPPED, 2)
        [run] = g.record.runs
        assert (run.why, run.grade) == ("outage", ""), killed


def test_an_outage_that_begins_in_an_exercise_is_remembered_through_a_restart() -> None:
    g = Set()
    g.go(GensetPhase.RUNNING, 60)
    g.journal(pw.MainsLost(witnesses=2, by=("genset/g1", "ups/u1")))
    g.journal(pw.MainsReturned(by=("genset/g1",)))
    g.restart()
    assert g.run.outage
    g.go(GensetPhase.STOPPED, 2)
    assert g.record.runs[-1].why == "outage"


def test_a_start_that_failed_is_no_run() -> None:
    g = Set()
    g.go(GensetPhase.STARTING, 45, rpm=200.0, battery_v=22.0)
    g.go(GensetPhase.FAILED, 10, rpm=0.0, battery_v=26.0)
    g.go(GensetPhase.STOPPED, 10)
    assert not [e for e in g.told if isinstance(e, pw.GensetRunEnded)]


def test_a_run_that_a_fault_ended_is_one_that_failed() -> None:
    g = Set()
    g.go(GensetPhase.STARTING, 10, rpm=200.0, battery_v=22.0)
    g.go(GensetPhase.RUNNING, 120, rpm=1500.0)
    g.go(GensetPhase.FAILED, 10, rpm=0.0)
    (run,) = [e for e in g.told if isinstance(e, pw.GensetRunEnded)]
    assert run.grade == "failed"

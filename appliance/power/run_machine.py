"""One set's runs: how each started, what it carried, and whether it was the exercise that a diesel needs.

Long runs are noted on the way, so that a restart of the box goes on from there.
"""

from collections.abc import Callable
from statistics import median

import msgspec

from appliance import power_events as pw
from appliance.event import Event
from appliance.model import GensetPhase
from appliance.power_state import GensetRecord, RunSums, Start
from appliance.stamp import Stamp

FIRES_RPM = 500.0  # a starter turns a diesel with 150 to 250; idle is 600 and more
NOTE_S = 600.0  # s between notes of a run: what a restart may lose of it
GAP_S = 10.0  # s without figures that are still counted as if they had stayed the same
USUAL_OF = 3  # starts that make a signature
SLOWER, SLOWER_S = 1.5, 3.0  # times the usual, and s beyond it: polls come each second
LOWER = 0.9  # of the usual dip; a battery that ages falls through it within a season
DAY_S = 86_400.0


class Measures(msgspec.Struct, frozen=True):
    """A set's figures now; None is not known."""

    at: float = 0.0
    rpm: float | None = None
    load: float | None = None  # %
    kw: float | None = None
    kwh: float | None = None
    fuel: float | None = None  # %
    battery_v: float | None = None


class ExerciseRule(msgspec.Struct, frozen=True):
    every_days: float = 31.0
    minutes: float = 30.0
    load_percent: float = 30.0


class RunWatch:
    """Runs of one set. Made from what was learned of it, so that a restart goes on."""

    def __init__(
        self, id: str, rule: ExerciseRule, record: GensetRecord, since: Callable[[Stamp], float], now: float
    ) -> None:
        self.id, self._rule = id, rule
        self._began = now - since(record.began) if record.began else None
        self._sums = record.sums
        self._noted = self._last = now
        self._phase = GensetPhase.UNKNOWN
        self._cranked: float | None = None  # when the start was seen to begin; None: it was not seen from its beginning
        self._fired: float | None = None
        self._dip: float | None = None

    @property
    def outage(self) -> bool:
        """Mains was lost at some time of this run."""
        return self._began is not None and self._sums.outage

    def step(
        self,
        phase: GensetPhase,
        seen: Measures,
        now: float,
        lost: bool,
        record: GensetRecord,
        age: Callable[[Stamp], float],
    ) -> list[Event]:
        """`lost`: mains is. `record` is the fold's of this set; `age` gives seconds since a stamp."""
        events = self._start(phase, seen, record)
        self._phase = phase
        if phase.at_rest or phase is GensetPhase.UNKNOWN or (self._began is None and not phase.runs):
            if phase.at_rest and self._began is not None:
                events.append(self._end(phase, seen, now))
            self._last = now
            return events + self._overdue(record, age)
        if self._began is None:
            self._began, self._sums, self._noted = now, RunSums(fuel_from=seen.fuel, kwh_from=seen.kwh), now
        self._add(seen, min(now - self._last, GAP_S) / 60, lost)
        self._last = now
        if now - self._noted >= NOTE_S:
            self._noted = now
            s = self._sums
            events.append(
                pw.GensetRunNoted(
                    genset=self.id, minutes=_r(s.minutes), minutes_loaded=_r(s.minutes_loaded),
                    load_minutes=_r(s.load_minutes), load_percent_minutes=_r(s.load_percent_minutes),
                    load_most=s.load_most, fuel_from=s.fuel_from, kwh_from=s.kwh_from, outage=s.outage,
                )
            )  # fmt: skip
        return events + self._overdue(record, age)

    def _add(self, seen: Measures, minutes: float, lost: bool) -> None:
        s, load = self._sums, seen.load
        self._sums = RunSums(
            minutes=s.minutes + minutes,
            minutes_loaded=s.minutes_loaded + (minutes if load is not None and load >= self._rule.load_percent else 0),
            load_minutes=s.load_minutes + (minutes if load is not None else 0),
            load_percent_minutes=s.load_percent_minutes + minutes * (load or 0),
            load_most=s.load_most if load is None else max(load, s.load_most or 0.0),
            fuel_from=seen.fuel if s.fuel_from is None else s.fuel_from,
            kwh_from=seen.kwh if s.kwh_from is None else s.kwh_from,
            outage=s.outage or lost,
        )

    def _end(self, phase: GensetPhase, seen: Measures, now: float) -> Event:
        s, rule, began = self._sums, self._rule, self._began
        assert began is not None
        minutes = max((now - began) / 60, s.minutes)
        if s.minutes_loaded >= rule.minutes:
            grade = "passed"
        elif s.outage:
            grade = ""
        elif phase is GensetPhase.FAILED:
            grade = "failed"
        else:
            grade = "light" if minutes >= rule.minutes else "short"
        self._began, self._sums = None, RunSums()
        return pw.GensetRunEnded(
            genset=self.id,
            why="outage" if s.outage else "exercise",
            grade=grade,
            minutes=_r(minutes),
            minutes_loaded=_r(s.minutes_loaded),
            load_mean=_r(s.load_percent_minutes / s.load_minutes) if s.load_minutes else None,
            load_most=s.load_most,
            fuel_from=s.fuel_from,
            fuel_to=seen.fuel,
            kwh=None if seen.kwh is None or s.kwh_from is None else _r(seen.kwh - s.kwh_from),
        )

    def _start(self, phase: GensetPhase, seen: Measures, record: GensetRecord) -> list[Event]:
        """Measure a start from rest to speed; one that was not seen from rest tells nothing."""
        if phase is GensetPhase.STARTING:
            if self._phase is GensetPhase.STOPPED:
                self._cranked, self._fired, self._dip = seen.at, None, seen.battery_v
            if seen.battery_v is not None:
                self._dip = seen.battery_v if self._dip is None else min(seen.battery_v, self._dip)
            if self._fired is None and (seen.rpm or 0.0) >= FIRES_RPM:
                self._fired = seen.at
            return []
        began, self._cranked = self._cranked, None
        if began is None or not phase.runs or self._phase is not GensetPhase.STARTING:
            return []
        crank_s = None if self._fired is None else _r(self._fired - began)
        start = Start(Stamp(), crank_s, _r(max(0.0, seen.at - began)), self._dip)
        told: list[Event] = [
            pw.GensetStartMeasured(genset=self.id, crank_s=start.crank_s, up_s=start.up_s, dip_v=start.dip_v)
        ]
        drifts = drift(start, record.starts)
        if not drifts and record.drifted:
            told.append(pw.GensetStartUsual(genset=self.id))
        return told + [
            pw.GensetStartDrifted(genset=self.id, figure=what, value=value, usual=usual)
            for what, value, usual in drifts
        ]

    def _overdue(self, record: GensetRecord, age: Callable[[Stamp], float]) -> list[Event]:
        last = record.exercised or record.known
        if record.overdue or last is None or (days := age(last) / DAY_S) <= self._rule.every_days:
            return []
        return [pw.GensetExerciseOverdue(genset=self.id, days=int(days))]


def usual(what: str, starts: list[Start]) -> float | None:
    """The signature's figure: the median of what the starts showed, None before there are three of them."""
    values = [value for start in starts if (value := getattr(start, what)) is not None]
    return median(values) if len(values) >= USUAL_OF else None


def drift(start: Start, before: list[Start]) -> list[tuple[str, float, float]]:
    """What of a start left the signature: name, value, usual value."""
    found = []
    for what in ("crank_s", "up_s", "dip_v"):
        value, was = getattr(start, what), usual(what, before)
        if value is None or was is None:
            continue
        left = value < was * LOWER if what == "dip_v" else value > max(was * SLOWER, was + SLOWER_S)
        if left:
            found.append((what, value, was))
    return found


def _r(value: float) -> float:
    """Two decimals: a journal of rounded figures is a readable one."""
    return round(value, 2)

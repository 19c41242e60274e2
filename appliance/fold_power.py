"""The fold's part for mains, generators and UPSes."""

import msgspec

from appliance import power_events as ev
from appliance.folding import Folds
from appliance.model import GensetPhase, Mains
from appliance.power_state import (
    RUNS_KEPT,
    STARTS_KEPT,
    Burn,
    Genset,
    GensetRecord,
    Run,
    RunSums,
    Start,
    Ups,
    UpsRecord,
)
from appliance.stamp import Stamp
from appliance.state import State

START_SLACK_S = 60.0  # s that a start is measured before the run that it is counted into

FOLDS = Folds()


@FOLDS.of(ev.MainsSuspected)
def _(s: State, e: ev.MainsSuspected, at: Stamp) -> None:
    s.mains, s.mains_since, s.witnesses = Mains.SUSPECT, at, (e.by,)


@FOLDS.of(ev.MainsLost)
def _(s: State, e: ev.MainsLost, at: Stamp) -> None:
    s.mains, s.mains_since, s.witnesses = Mains.LOST, at, e.by
    for record in s.genset_records.values():
        if record.began is not None:
            record.sums = msgspec.structs.replace(record.sums, outage=True)


@FOLDS.of(ev.MainsReturned)
def _(s: State, e: ev.MainsReturned, at: Stamp) -> None:
    s.mains, s.mains_since, s.witnesses = Mains.PRESENT, at, e.by


@FOLDS.of(ev.MainsPresent)
def _(s: State, e: ev.MainsPresent, at: Stamp) -> None:
    s.mains, s.mains_since, s.witnesses = Mains.PRESENT, at, e.by


def _record(s: State, id: str, at: Stamp) -> GensetRecord:
    record = s.genset_records.setdefault(id, GensetRecord())
    record.known = record.known or at
    return record


@FOLDS.of(*ev.PHASE_AFTER)
def _(s: State, e: ev.GensetEvent, at: Stamp) -> None:
    genset = s.gensets.setdefault(e.genset, Genset())
    genset.phase, genset.since = ev.PHASE_AFTER[type(e)], at
    if genset.phase in (GensetPhase.STARTING, GensetPhase.RUNNING):
        genset.fault = ""
    # After each run it must be seen ready again.
    unready = genset.phase is GensetPhase.FAILED or bool(genset.fault) or genset.mode not in ("", "auto")
    genset.ready = False if unready else None
    record = _record(s, e.genset, at)
    if genset.phase.at_rest:
        record.began = None
    elif record.began is None and genset.phase.runs:  # a start that fails is no run
        record.began, record.sums = at, RunSums(outage=s.mains is Mains.LOST)
    if genset.phase is not GensetPhase.RUNNING or isinstance(e, ev.GensetOffLoad):
        record.not_taking = ""


@FOLDS.of(ev.GensetReady)
def _(s: State, e: ev.GensetReady, at: Stamp) -> None:
    genset = s.gensets.setdefault(e.genset, Genset())
    if genset.phase is not GensetPhase.STOPPED:
        genset.phase, genset.since = GensetPhase.STOPPED, at
    genset.ready, genset.mode, genset.fault = True, "auto", ""
    _record(s, e.genset, at)


@FOLDS.of(ev.GensetInAuto)
def _(s: State, e: ev.GensetInAuto, at: Stamp) -> None:
    genset = s.gensets.setdefault(e.genset, Genset())
    unready = genset.phase is GensetPhase.FAILED or bool(genset.fault)
    genset.ready, genset.mode = (False if unready else None), "auto"


@FOLDS.of(ev.GensetShutDown)
def _(s: State, e: ev.GensetShutDown, at: Stamp) -> None:
    genset = s.gensets.setdefault(e.genset, Genset())
    genset.ready, genset.fault = False, e.reason


@FOLDS.of(ev.GensetNotInAuto)
def _(s: State, e: ev.GensetNotInAuto, at: Stamp) -> None:
    genset = s.gensets.setdefault(e.genset, Genset())
    genset.ready, genset.mode = False, e.mode


@FOLDS.of(ev.GensetNotTakingLoad)
def _(s: State, e: ev.GensetNotTakingLoad, at: Stamp) -> None:
    _record(s, e.genset, at).not_taking = e.reason


@FOLDS.of(ev.GensetStartMeasured)
def _(s: State, e: ev.GensetStartMeasured, at: Stamp) -> None:
    record = _record(s, e.genset, at)
    record.starts = [*record.starts, Start(at, e.crank_s, e.up_s, e.dip_v)][-STARTS_KEPT:]


@FOLDS.of(ev.GensetStartDrifted)
def _(s: State, e: ev.GensetStartDrifted, at: Stamp) -> None:
    _record(s, e.genset, at).drifted[e.figure] = e.value


@FOLDS.of(ev.GensetStartUsual)
def _(s: State, e: ev.GensetStartUsual, at: Stamp) -> None:
    _record(s, e.genset, at).drifted = {}


@FOLDS.of(ev.GensetRunNoted)
def _(s: State, e: ev.GensetRunNoted, at: Stamp) -> None:
    _record(s, e.genset, at).sums = RunSums(
        minutes=e.minutes, minutes_loaded=e.minutes_loaded, load_minutes=e.load_minutes,
        load_percent_minutes=e.load_percent_minutes, load_most=e.load_most, fuel_from=e.fuel_from,
        kwh_from=e.kwh_from, outage=e.outage or s.mains is Mains.LOST,
    )  # fmt: skip


@FOLDS.of(ev.GensetRunEnded)
def _(s: State, e: ev.GensetRunEnded, at: Stamp) -> None:
    record = _record(s, e.genset, at)
    # `stopped` comes first and ends `began`; the run is as long as it was watched.
    began = Stamp(at.seq, at.wall - 60 * e.minutes, at.mono - 60 * e.minutes, at.boot)
    start = record.starts[-1] if record.starts and record.starts[-1].at.wall >= began.wall - START_SLACK_S else None
    run = Run(
        genset=e.genset, why=e.why, began=began, ended=at, minutes=e.minutes, minutes_loaded=e.minutes_loaded,
        load_mean=e.load_mean, load_most=e.load_most, grade=e.grade, fuel_from=e.fuel_from, fuel_to=e.fuel_to,
        kwh=e.kwh, crank_s=start.crank_s if start else None, up_s=start.up_s if start else None,
        dip_v=start.dip_v if start else None,
    )  # fmt: skip
    record.runs = [*record.runs, run][-RUNS_KEPT:]
    if e.grade == "passed":
        record.exercised, record.overdue = at, False


@FOLDS.of(ev.GensetExerciseOverdue)
def _(s: State, e: ev.GensetExerciseOverdue, at: Stamp) -> None:
    _record(s, e.genset, at).overdue = True


@FOLDS.of(ev.GensetFuelFalling)
def _(s: State, e: ev.GensetFuelFalling, at: Stamp) -> None:
    _record(s, e.genset, at).fuel_falling = True


@FOLDS.of(ev.GensetFuelSteady)
def _(s: State, e: ev.GensetFuelSteady, at: Stamp) -> None:
    _record(s, e.genset, at).fuel_falling = False


@FOLDS.of(ev.GensetFuelLearned)
def _(s: State, e: ev.GensetFuelLearned, at: Stamp) -> None:
    _record(s, e.genset, at).burns[e.band] = Burn(e.litres_per_kwh, e.kwh)


@FOLDS.of(ev.ReadyItemFailed)
def _(s: State, e: ev.ReadyItemFailed, at: Stamp) -> None:
    s.unready[e.subject] = e.why


@FOLDS.of(ev.ReadyItemGood)
def _(s: State, e: ev.ReadyItemGood, at: Stamp) -> None:
    s.unready.pop(e.subject, None)


@FOLDS.of(ev.UpsOnBattery)
def _(s: State, e: ev.UpsOnBattery, at: Stamp) -> None:
    s.ups[e.ups] = Ups(True, at, e.charge)


@FOLDS.of(ev.UpsOnLine)
def _(s: State, e: ev.UpsOnLine, at: Stamp) -> None:
    s.ups[e.ups] = Ups(False, at)


@FOLDS.of(ev.UpsDischarged)
def _(s: State, e: ev.UpsDischarged, at: Stamp) -> None:
    s.ups_records[e.ups] = UpsRecord(e.full_minutes, e.load, at)

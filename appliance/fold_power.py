"""The fold's part for mains, generators and UPSes."""

from appliance import events as ev
from appliance.folding import Folds
from appliance.model import GensetPhase, Mains
from appliance.stamp import Stamp
from appliance.state import Genset, State, Ups

FOLDS = Folds()


@FOLDS.of(ev.MainsSuspected)
def _(s: State, e: ev.MainsSuspected, at: Stamp) -> None:
    s.mains, s.mains_since, s.witnesses = Mains.SUSPECT, at, (e.by,)


@FOLDS.of(ev.MainsLost)
def _(s: State, e: ev.MainsLost, at: Stamp) -> None:
    s.mains, s.mains_since, s.witnesses = Mains.LOST, at, e.by


@FOLDS.of(ev.MainsReturned)
def _(s: State, e: ev.MainsReturned, at: Stamp) -> None:
    s.mains, s.mains_since, s.witnesses = Mains.PRESENT, at, e.by


@FOLDS.of(ev.MainsPresent)
def _(s: State, e: ev.MainsPresent, at: Stamp) -> None:
    s.mains, s.mains_since, s.witnesses = Mains.PRESENT, at, e.by


_GENSET_PHASES: dict[type[ev.GensetEvent], GensetPhase] = {
    ev.GensetStarting: GensetPhase.STARTING,
    ev.GensetRunning: GensetPhase.RUNNING,
    ev.GensetOnLoad: GensetPhase.ON_LOAD,
    ev.GensetOffLoad: GensetPhase.RUNNING,
    ev.GensetCooling: GensetPhase.COOLING,
    ev.GensetStopped: GensetPhase.STOPPED,
    ev.GensetFailedToStart: GensetPhase.FAILED,
}


@FOLDS.of(*_GENSET_PHASES)
def _(s: State, e: ev.GensetEvent, at: Stamp) -> None:
    genset = s.gensets.setdefault(e.genset, Genset())
    genset.phase, genset.since = _GENSET_PHASES[type(e)], at
    if genset.phase in (GensetPhase.STARTING, GensetPhase.RUNNING):
        genset.fault = ""
    # After each run it must be seen ready again.
    unready = genset.phase is GensetPhase.FAILED or bool(genset.fault) or genset.mode not in ("", "auto")
    genset.ready = False if unready else None


@FOLDS.of(ev.GensetReady)
def _(s: State, e: ev.GensetReady, at: Stamp) -> None:
    genset = s.gensets.setdefault(e.genset, Genset())
    if genset.phase is not GensetPhase.STOPPED:
        genset.phase, genset.since = GensetPhase.STOPPED, at
    genset.ready, genset.mode, genset.fault = True, "auto", ""


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


@FOLDS.of(ev.UpsOnBattery)
def _(s: State, e: ev.UpsOnBattery, at: Stamp) -> None:
    s.ups[e.ups] = Ups(True, at)


@FOLDS.of(ev.UpsOnLine)
def _(s: State, e: ev.UpsOnLine, at: Stamp) -> None:
    s.ups[e.ups] = Ups(False, at)

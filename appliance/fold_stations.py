"""The fold's part for stations: health, lockouts, tests; at a station its own orders, proofs, faults."""

from appliance import alert_events as al
from appliance import station_events as st
from appliance.alert_state import (
    Lockout,
    OwnLockout,
    OwnNotice,
    OwnOrder,
    StationHealth,
    StationTest,
    StationTestFailure,
    StationTestGap,
    StationTestLine,
)
from appliance.folding import Folds
from appliance.model import About
from appliance.stamp import Stamp
from appliance.state import State

MOST_TESTS = 60  # runs: two months of nights; the journal keeps them all
MOST_LINES = 20_000  # of all runs together: a week of nights of 1,000 stations; behind it only the bad ones
MOST_GAPS = 30
MOST_NOTICED = 4  # the last test's and the next one's
BARRED = "locked_out"  # why an own order ended before it began
MOST_OWN = 30  # orders that a station's page can show

FOLDS = Folds()


# Stations, at the centre


@FOLDS.of(st.StationHealthChanged)
def _(s: State, e: st.StationHealthChanged, at: Stamp) -> None:
    s.health[e.station] = StationHealth(
        at, e.faults, e.path, e.disk_free_percent, e.battery, e.supply, e.supply_mv, e.cert_days, e.key_days, e.skew_s
    )


@FOLDS.of(st.SirenLocked)
def _(s: State, e: st.SirenLocked, at: Stamp) -> None:
    s.lockouts[e.station] = Lockout(e.station, e.lock, e.minutes, e.until, e.reason, at)


@FOLDS.of(st.SirenUnlocked)
def _(s: State, e: st.SirenUnlocked, at: Stamp) -> None:
    if (known := s.lockouts.get(e.station)) and known.lock == e.lock:
        known.ended = known.ended or at


@FOLDS.of(st.LockConfirmed)
def _(s: State, e: st.LockConfirmed, at: Stamp) -> None:
    if (known := s.lockouts.get(e.station)) and known.lock == e.lock:
        if e.locked:
            known.confirmed = known.confirmed or at
        else:
            known.end_confirmed = known.end_confirmed or at


@FOLDS.of(st.StationTestBegun)
def _(s: State, e: st.StationTestBegun, at: Stamp) -> None:
    s.tests.runs[e.test] = StationTest(e.test, e.what, e.due, e.stations, e.paths, at, key=e.key)
    if e.due:
        s.tests.last[e.what] = max(s.tests.last.get(e.what, ""), e.due)
    while len(s.tests.runs) > MOST_TESTS:
        del s.tests.runs[next(iter(s.tests.runs))]
    lines = 0
    for run in reversed(s.tests.runs.values()):
        lines += len(run.lines)
        if lines > MOST_LINES:
            run.lines = [line for line in run.lines if not line.good]


@FOLDS.of(st.StationTestResult)
def _(s: State, e: st.StationTestResult, at: Stamp) -> None:
    if run := s.tests.runs.get(e.test):
        line = StationTestLine(e.station, e.path, e.good, e.reason, e.seconds, at, e.skipped)
        run.lines.append(line)
        run.good, run.bad, run.skipped = run.good + e.good, run.bad + line.bad, run.skipped + e.skipped
    failed = s.tests.failed.setdefault(e.station, {})
    if e.good:
        s.tests.proven.setdefault(e.station, {})[e.path] = at
        failed.pop(e.path, None)
    elif e.skipped:
        # Nothing is known anew; what stands of the time when a rule was told as a failure was never one.
        if e.path in failed and failed[e.path].reason == e.reason:
            del failed[e.path]
    else:
        failed[e.path] = StationTestFailure(e.reason, at)


@FOLDS.of(st.StationTestEnded)
def _(s: State, e: st.StationTestEnded, at: Stamp) -> None:
    if run := s.tests.runs.get(e.test):
        run.ended = run.ended or at


@FOLDS.of(st.StationTestMissed)
def _(s: State, e: st.StationTestMissed, at: Stamp) -> None:
    s.tests.last[e.what] = max(s.tests.last.get(e.what, ""), e.due)
    s.tests.missed = [*s.tests.missed, StationTestGap(e.what, e.due, e.reason, at)][-MOST_GAPS:]


@FOLDS.of(st.StationTestPlanned)
def _(s: State, e: st.StationTestPlanned, at: Stamp) -> None:
    s.tests.rules[e.what], s.tests.last[e.what] = e.rule, e.since


@FOLDS.of(st.StationTestAnnounced)
def _(s: State, e: st.StationTestAnnounced, at: Stamp) -> None:
    s.tests.announced[e.what] = e.due


@FOLDS.of(st.StationTestNoticed)
def _(s: State, e: st.StationTestNoticed, at: Stamp) -> None:
    s.tests.noticed.setdefault(f"{e.due}/{e.about}", []).append(e.station)
    while len(s.tests.noticed) > MOST_NOTICED:
        del s.tests.noticed[next(iter(s.tests.noticed))]


@FOLDS.of(st.StationTestReported)
def _(s: State, e: st.StationTestReported, at: Stamp) -> None:
    s.tests.reported, s.tests.reported_at = e.day, at


# At a station


@FOLDS.of(al.OrderAccepted)
def _(s: State, e: al.OrderAccepted, at: Stamp) -> None:
    if e.action != "start":
        return
    if known := s.own.orders.get(e.alert):
        known.ended, known.why = None, ""  # asked for again behind a restart; its end comes again too
        return
    s.own.orders[e.alert] = OwnOrder(e.alert, e.alert_kind, e.pattern, e.incident, e.zones, e.seconds, e.path, at)
    while len(s.own.orders) > MOST_OWN:
        del s.own.orders[next(iter(s.own.orders))]


@FOLDS.of(al.OrderBarred)
def _(s: State, e: al.OrderBarred, at: Stamp) -> None:
    if e.alert in s.own.orders:
        return
    s.own.orders[e.alert] = OwnOrder(
        e.alert, e.alert_kind, e.pattern, e.incident, e.zones, e.seconds, e.path, at, ended=at, why=BARRED
    )
    while len(s.own.orders) > MOST_OWN:
        del s.own.orders[next(iter(s.own.orders))]


@FOLDS.of(st.SirenProof)
def _(s: State, e: st.SirenProof, at: Stamp) -> None:
    if not (own := s.own.orders.get(e.alert)):
        return
    match e.proof:
        case "energised":
            own.energised = own.energised or at
        case "current":
            own.current = own.current or at
        case "heard":
            own.heard, own.heard_dbfs = own.heard or at, e.dbfs


@FOLDS.of(st.TextTaken)
def _(s: State, e: st.TextTaken, at: Stamp) -> None:
    if own := s.own.orders.get(e.alert):
        if e.about == About.ANNOUNCE:
            own.text, own.language = e.text, e.language
        else:
            own.about = e.about


@FOLDS.of(st.NoticeTaken)
def _(s: State, e: st.NoticeTaken, at: Stamp) -> None:
    s.own.notice = OwnNotice(e.notice, e.about == "notice_over", e.language, e.text, at)


@FOLDS.of(st.OrderAcknowledged)
def _(s: State, e: st.OrderAcknowledged, at: Stamp) -> None:
    if (own := s.own.orders.get(e.alert)) and own.acknowledged is None:
        own.acknowledged, own.turnout_s = at, e.turnout_s


@FOLDS.of(st.OrderEnded)
def _(s: State, e: st.OrderEnded, at: Stamp) -> None:
    if (own := s.own.orders.get(e.alert)) and own.ended is None:
        own.ended, own.why = at, e.why


@FOLDS.of(st.LockoutSet)
def _(s: State, e: st.LockoutSet, at: Stamp) -> None:
    s.own.lockout = OwnLockout(e.lock, e.until, e.reason, e.who, at)


@FOLDS.of(st.LockoutNamed)
def _(s: State, e: st.LockoutNamed, at: Stamp) -> None:
    if (known := s.own.lockout) and known.lock == e.lock:
        s.own.lockout = OwnLockout(known.lock, known.until, e.reason, e.who, known.since)


@FOLDS.of(st.LockoutEnded)
def _(s: State, e: st.LockoutEnded, at: Stamp) -> None:
    if s.own.lockout and s.own.lockout.lock == e.lock:
        s.own.lockout = None


@FOLDS.of(st.SirenFault)
def _(s: State, e: st.SirenFault, at: Stamp) -> None:
    if e.on:
        s.own.faults.setdefault(f"{e.output}/{e.fault}", at)
    else:
        s.own.faults.pop(f"{e.output}/{e.fault}", None)


@FOLDS.of(al.ButtonBarred)
def _(s: State, e: al.ButtonBarred, at: Stamp) -> None:
    s.own.barred = (e.button, at) if e.on else None


@FOLDS.of(st.CentreSilent)
def _(s: State, e: st.CentreSilent, at: Stamp) -> None:
    s.own.centre_silent.setdefault(e.issuer, at)


@FOLDS.of(st.CentreHeard)
def _(s: State, e: st.CentreHeard, at: Stamp) -> None:
    s.own.centre_silent.pop(e.issuer, None)

"""The fold's part for the trunk and the fallback."""

from appliance import call_events as call
from appliance import events as ev
from appliance import trunk_events as tr
from appliance.folding import Folds
from appliance.stamp import Stamp
from appliance.state import Fallback, Link, State, TrunkVerdict
from appliance.trunk_events import BY_PERSON

FOLDS = Folds()


@FOLDS.of(ev.TrunkLost)
def _(s: State, e: ev.TrunkLost, at: Stamp) -> None:
    s.trunk = Link(False, at, e.reason)
    s.trunk_verdict = TrunkVerdict("down", at, e.layer, e.reason)


@FOLDS.of(tr.TrunkBlamed)
def _(s: State, e: tr.TrunkBlamed, at: Stamp) -> None:
    since = s.trunk.since if s.trunk and not s.trunk.up else at
    s.trunk = Link(False, since, e.reason)
    s.trunk_verdict = TrunkVerdict("down", since, e.layer, e.reason)


@FOLDS.of(ev.TrunkRestored)
def _(s: State, e: ev.TrunkRestored, at: Stamp) -> None:
    s.trunk = Link(True, at)
    s.trunk_verdict = TrunkVerdict("up", at)
    s.fallback_refused = False


@FOLDS.of(tr.TrunkDegraded)
def _(s: State, e: tr.TrunkDegraded, at: Stamp) -> None:
    s.trunk_verdict = TrunkVerdict("degraded", at, e.layer, e.reason)


@FOLDS.of(tr.TrunkSteady)
def _(s: State, e: tr.TrunkSteady, at: Stamp) -> None:
    s.trunk_verdict = TrunkVerdict("up", at)


@FOLDS.of(call.FallbackDeclared)
def _(s: State, e: call.FallbackDeclared, at: Stamp) -> None:
    if s.fallback and s.fallback.stands:
        s.fallback.why = e.why  # a person makes it theirs: it is the same one, and who was told is told
    else:
        s.fallback = Fallback(at.seq, e.why, at)


@FOLDS.of(call.FallbackOver)
def _(s: State, e: call.FallbackOver, at: Stamp) -> None:
    if s.fallback and s.fallback.stands:
        s.fallback.over, s.fallback.over_why = at, e.why
    s.fallback_refused = e.why == BY_PERSON and (s.trunk is None or not s.trunk.up)


@FOLDS.of(tr.FallbackNotified)
def _(s: State, e: tr.FallbackNotified, at: Stamp) -> None:
    if s.fallback:
        s.fallback.notices[f"{e.what}/{e.duty}"] = e.message
        s.fallback.unsent.pop(e.duty, None)
        if e.why:
            s.fallback.unsent[e.duty] = e.why


@FOLDS.of(tr.FallbackTold)
def _(s: State, e: tr.FallbackTold, at: Stamp) -> None:
    if s.fallback:
        s.fallback.told[e.agency] = at

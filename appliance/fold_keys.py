"""The fold's part for keys: what the journal has been told of each, so that a change made without core is news."""

from appliance import key_events as ke
from appliance.alert_state import Revoked
from appliance.folding import Folds
from appliance.stamp import Stamp
from appliance.state import State

ROTATED = "rotated"  # a key that its successor has taken the place of
MOST = 16  # of one holder; a book keeps fewer

FOLDS = Folds()


def _learn(s: State, holder: str, key: str, word: str) -> None:
    known = s.keys.setdefault(holder, {})
    known.pop(key, None)
    known[key] = word
    while len(known) > MOST:
        del known[next(iter(known))]


@FOLDS.of(ke.KeyEnrolled)
def _(s: State, e: ke.KeyEnrolled, at: Stamp) -> None:
    _learn(s, e.holder, e.key, "current")
    s.revoked.pop(e.holder, None)


@FOLDS.of(ke.KeyRotated)
def _(s: State, e: ke.KeyRotated, at: Stamp) -> None:
    _learn(s, e.holder, e.key, "current")
    s.revoked.pop(e.holder, None)


@FOLDS.of(ke.KeyRevoked)
def _(s: State, e: ke.KeyRevoked, at: Stamp) -> None:
    _learn(s, e.holder, e.key, "revoked")
    if e.why != ROTATED and "current" not in s.keys[e.holder].values():
        s.revoked[e.holder] = Revoked(at, e.who, e.why)

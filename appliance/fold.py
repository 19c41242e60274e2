"""The one fold: `apply` adds an entry of the journal to a state. Each room's part stands in a file of its own.

All is bounded: what is over is kept up to a number, the journal keeps it all.
"""

import logging

import msgspec

from appliance import events as ev
from appliance import (
    fold_alarms,
    fold_alerts,
    fold_calls,
    fold_contacts,
    fold_desk,
    fold_keys,
    fold_lines,
    fold_outgoing,
    fold_power,
    fold_power_orders,
    fold_sound,
    fold_stations,
    fold_trunk,
)
from appliance.entry import Entry
from appliance.folding import Folds
from appliance.stamp import Stamp
from appliance.state import Link, State

log = logging.getLogger("siaga.fold")

FOLDS = Folds()


def apply(state: State, entry: Entry) -> None:
    """Fold one entry in. Kinds that no page or machine asks about change only `seq`.

    So does a kind or a word that a later release wrote, and a damaged row: the box must start all the same.
    """
    state.seq = entry.seq
    try:
        event = entry.event
        if folds := BY_KIND.get(type(event)):
            at = Stamp(entry.seq, entry.wall, entry.mono, entry.boot, entry.actor)
            for fold in folds:
                fold(state, event, at)
    except (msgspec.DecodeError, ValueError) as e:
        log.warning("journal row %d (%s) is not understood and left out of the state: %s", entry.seq, entry.kind, e)


@FOLDS.of(ev.Started)
def _(s: State, e: ev.Started, at: Stamp) -> None:
    # What was connected to the process before says nothing about this one.
    s.links, s.trunk, s.trunk_verdict = {}, None, None
    s.site = e.site


@FOLDS.of(ev.SiteTaken)
def _(s: State, e: ev.SiteTaken, at: Stamp) -> None:
    s.site = e.site


@FOLDS.of(ev.LinkLost)
def _(s: State, e: ev.LinkLost, at: Stamp) -> None:
    s.links[e.link] = Link(False, at, e.reason)


@FOLDS.of(ev.LinkRestored)
def _(s: State, e: ev.LinkRestored, at: Stamp) -> None:
    s.links[e.link] = Link(True, at)


@FOLDS.of(ev.PasswordSet)
def _(s: State, e: ev.PasswordSet, at: Stamp) -> None:
    s.people[e.name] = e.mark


@FOLDS.of(ev.PersonGone)
def _(s: State, e: ev.PersonGone, at: Stamp) -> None:
    s.people.pop(e.name, None)


@FOLDS.of(ev.LineUp)
def _(s: State, e: ev.LineUp, at: Stamp) -> None:
    s.links[f"line/{e.line}"] = Link(True, at)


@FOLDS.of(ev.LineDown)
def _(s: State, e: ev.LineDown, at: Stamp) -> None:
    s.links[f"line/{e.line}"] = Link(False, at, e.reason)


TABLES = (
    FOLDS, fold_alarms.FOLDS, fold_power.FOLDS, fold_alerts.FOLDS, fold_calls.FOLDS, fold_contacts.FOLDS,
    fold_desk.FOLDS, fold_keys.FOLDS, fold_lines.FOLDS, fold_outgoing.FOLDS, fold_power_orders.FOLDS, fold_sound.FOLDS,
    fold_stations.FOLDS, fold_trunk.FOLDS,
)  # fmt: skip
BY_KIND = {kind: tuple(table[kind] for table in TABLES if kind in table) for table in TABLES for kind in table}

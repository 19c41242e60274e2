"""Which figure stands beside which: presses beside the floor, ours beside rivals'. It measures nothing."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.bench.press import Press
from tests.bench.rivals.names import BACK_TO_BACK, LONE, LONE_OUR_BROKER, NODE_RED, TO_ANSWER, TO_RELAY
from tests.bench.table import Row, beside, missing, percentile, plain

MOST = {50: 4.0, 99: 6.0}  # by percentile: how many times the floor a press may take to the relay
BESIDE_NODE_RED = 0.1  # of its time

PRESS = "press"
UNTIL = {"pin": TO_RELAY, "energised": TO_ANSWER}

# Where a press spends its time: name, from, until.
HOPS = (
    ("the page and core take it", "at", "issued"),
    ("the centre commits and signs", "issued", "sent"),
    ("broker, station, annunciator", "sent", "pin"),
    ("the station's answer comes back", "pin", "energised"),
)


class Series(NamedTuple):
    """Presses of one kind, and the floor's ms measured in turns with them."""

    how: str
    floors: list[float]
    presses: list[Press]


def latency_rows(kinds: Sequence[Series], commits: Sequence[float]) -> list[Row]:
    """The floor, each kind of press beside its own part of it, and where the presses' time goes. All in ms."""
    floors = [took for kind in kinds for took in kind.floors]
    rows = [plain(f"floor, p{percent}", percentile(floors, percent), "ms") for percent in MOST]
    rows.append(plain("  of it one commit, p50", percentile(commits, 50), "ms"))
    return [*rows, *(row for kind in kinds for row in _press_rows(kind))]


def _press_rows(kind: Series) -> Iterator[Row]:
    for moment, until in UNTIL.items():
        took = [press.ms(moment) for press in kind.presses]
        for percent, most in MOST.items():
            value, floor = percentile(took, percent), percentile(kind.floors, percent)
            name = f"{PRESS} {until}{kind.how}, p{percent}"
            yield beside(name, value, "ms", floor, most if moment == "pin" else None)
    for hop, since, moment in HOPS:
        yield plain(f"  of it {hop}, p50", percentile([p.ms(moment, since) for p in kind.presses], 50), "ms")
    told = percentile([press.ms("answered") for press in kind.presses], 50)
    yield plain(f"{PRESS} to the person's screen{kind.how}, p50", told, "ms")


def beside_rivals(ours: Sequence[Row], rivals: Sequence[Row]) -> list[Row]:
    """Our rows, then those beside Node-RED's: the first has the aim that was set, the others compare like with like."""
    found = {row.name: row.value for row in [*ours, *rivals]}
    pairs = (
        (TO_RELAY, f"{BACK_TO_BACK}, {TO_ANSWER}", BESIDE_NODE_RED),
        (TO_ANSWER, f"{LONE}, {TO_ANSWER}", None),
        (TO_ANSWER, f"{LONE_OUR_BROKER}, {TO_ANSWER}", None),
        (TO_RELAY, f"{LONE}, {TO_RELAY}", None),
        (TO_RELAY, f"{LONE_OUR_BROKER}, {TO_RELAY}", None),
    )
    rows = list(ours)
    for until, theirs, most in pairs:
        mine, other = found.get(f"{PRESS} {until}, p50"), found.get(f"{theirs}, p50")
        if mine is None or other is None:
            return [*ours, missing(f"{PRESS} beside {NODE_RED}", "ms", "not installed: make bench-rivals")]
        rows.append(beside(f"{PRESS} {until}, p50 ({theirs})", mine, "ms", other, most))
    return rows

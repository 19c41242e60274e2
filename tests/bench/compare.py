"""Which figure stands beside which: presses beside the floor, ours beside rivals'. Pure."""

from collections.abc import Sequence

from tests.bench.press import Press
from tests.bench.rivals.names import BACK_TO_BACK, GSMMODEM, LONE, LONE_NO_NAGLE, NODE_RED
from tests.bench.table import Row, beside, faster_than, missing, percentile, plain

PERCENTS = (("p50", 50.0, 4.0), ("p99", 99.0, 6.0))  # with the largest ratio to the floor
FASTER = 10.0  # times, than Node-RED

TO_RELAY = "press to relay"
TO_PROOF = "press until the centre knows that it sounds"
WATCHED = ", a page open"
BACK = "until its answer is back, p50"
ACTS = "until its station acts, p50"

# Where a press spends its time: name, from, until.
HOPS = (
    ("the page, core's socket, core", "at", "issued"),
    ("the centre's commit, signing", "issued", "sent"),
    ("broker, station, verifying, annunciator", "sent", "pin"),
    ("back to the centre's journal", "pin", "energised"),
)


def latency_rows(
    floors: Sequence[float], commits: Sequence[float], alone: Sequence[Press], watched: Sequence[Press]
) -> list[Row]:
    """The floor, the presses beside it, and where the presses' time goes."""
    rows = [
        plain(f"floor: sign, commit, publish, verify, commit, {p}", percentile(floors, q), "ms") for p, q, _ in PERCENTS
    ]
    rows.append(plain("  of it one commit, p50", percentile(commits, 50), "ms"))
    for presses, how in ((alone, ""), (watched, WATCHED)):
        for until, name in (("pin", TO_RELAY), ("energised", TO_PROOF)):
            for p, q, most in PERCENTS:
                value = percentile([press.ms(until) for press in presses], q)
                aim = most if until == "pin" else None
                rows.append(beside(f"{name}{how}, {p}", value, "ms", percentile(floors, q), aim))
        for name, since, until in HOPS:
            rows.append(plain(f"  of it {name}, p50", percentile([p.ms(until, since) for p in presses], 50), "ms"))
        rows.append(
            plain(
                f"press until the person is told{how}, p50", percentile([p.ms("answered") for p in presses], 50), "ms"
            )
        )
    return rows


def beside_rivals(ours: Sequence[Row], rivals: Sequence[Row]) -> list[Row]:
    """Our rows, followed by those that stand beside Node-RED's. The aim was set for its flow under a quick hand."""
    found = {row.name: row.value for row in [*ours, *rivals]}
    pairs = (
        (TO_RELAY, f"{BACK_TO_BACK}, {BACK}", FASTER),
        (TO_PROOF, f"{LONE}, {BACK}", None),
        (TO_PROOF, f"{LONE_NO_NAGLE}, {BACK}", None),
        (TO_RELAY, f"{LONE}, {ACTS}", None),
        (TO_RELAY, f"{LONE_NO_NAGLE}, {ACTS}", None),
    )
    rows = list(ours)
    for name, theirs, least in pairs:
        mine, other = found.get(f"{name}, p50"), found.get(theirs)
        title = f"{name}, p50, beside {theirs}"
        if mine is None or other is None:
            rows.append(missing(f"{name}, p50, beside {NODE_RED}", "ms", "not installed: make bench-rivals"))
            break
        rows.append(beside(title, mine, "ms", other) if least is None else faster_than(title, mine, "ms", other, least))
    return rows


def sms_rows(ours: Sequence[Row], rivals: Sequence[Row]) -> list[Row]:
    """Our codec's rows, each beside python-gsmmodem-new's where that was measured."""
    theirs = {row.name: row.value for row in rivals}
    rows = []
    for row in ours:
        other = theirs.get(row.name.replace("SMS", GSMMODEM, 1))
        rows.append(row if other is None or row.value is None else beside(row.name, row.value, row.unit, other))
    return rows

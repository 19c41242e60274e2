"""How long at worst a way to a station can be broken until we know: an answer for each way, None where never.

A way that is heard all the time is known by its silence; one that is silent until it is used, by its next test.
"""

from collections.abc import Mapping, Sequence
from math import ceil

from appliance.supervision.calendar_machine import Rule, longest_gap_s
from appliance.supervision.test_machine import ANSWER_WITHIN, BATCH, MOST_CALLS, NEXT_AFTER, SIREN, WAYS

LOOK_S = 1.0  # s between looks at who is silent
MONTH_S = 31 * 24 * 3600.0
LINK_S = 5.0  # s; the annunciator's socket ends with its process, and its watchdog ends a process that hangs


def worst_s(
    path: str,
    rules: Sequence[Rule],
    *,
    lost_s: float,
    grace_s: float,
    stations: Mapping[str, int],
    sms_each_s: float = 0.0,
) -> float | None:
    """Seconds. `stations`: how many have the path, by path. A test that is missed is told by its own alarm."""
    if path == "gpio":
        return LINK_S
    if path == "mqtt":
        return lost_s + LOOK_S
    if path == SIREN:
        return MONTH_S + grace_s if any(rule.day and rule.time for rule in rules) else None
    gap = longest_gap_s([rule for rule in rules if path in WAYS[rule.what]])
    if gap is None:
        return None
    batches = ceil(max(1, stations.get(path, 0)) / BATCH[path])
    each = max(NEXT_AFTER[path], BATCH[path] * sms_each_s if path == "sms" else 0.0)
    rounds = 1
    if path == "voice":  # those who waited longest are called first, so many a time
        rounds, batches = ceil(batches / MOST_CALLS), min(batches, MOST_CALLS)
    return gap * rounds + grace_s + (batches - 1) * each + ANSWER_WITHIN[path]

"""A siren that a person took out of service: told to its station until that confirms it, and taken back the same way.

Pure. The station itself enforces the lockout and lets it end; the centre says it again as long as nobody has confirmed.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from math import ceil

import msgspec

from appliance.alert_state import Lockout
from appliance.stamp import Stamp

AGAIN = {"gpio": 2.0, "mqtt": 10.0, "sms": 600.0}  # s between tries: a text costs money and comes late, but comes
MINUTE = 60.0

Since = Callable[[Stamp], float]


class Do(StrEnum):
    LOCK = "lock"
    UNLOCK = "unlock"
    END = "end"  # its time is over


class Step(msgspec.Struct, frozen=True):
    do: Do
    path: str = ""
    minutes: int = 0  # that are left


def stands(lockout: Lockout | None, since: Since) -> bool:
    """Whether the siren is locked by our own word."""
    return lockout is not None and lockout.ended is None and since(lockout.since) < lockout.minutes * MINUTE


def due(
    lockout: Lockout,
    since: Since,
    now: float,
    tried: Mapping[str, float],
    paths: tuple[str, ...],
    *,
    lost: bool = False,
) -> list[Step]:
    """What to do now. `paths` by which the station can be reached; `tried`: mono of the last try by each.

    `lost`: the station confirmed it once and says now that its siren is free.
    """
    left_s = lockout.minutes * MINUTE - since(lockout.since)
    if lockout.ended is None and left_s <= 0:
        return [Step(Do.END)]
    if left_s <= 0:
        return []  # the station lets go by itself
    if lockout.ended is None:
        wanted = Do.LOCK if lockout.confirmed is None or lost else None
    else:
        wanted = Do.UNLOCK if lockout.end_confirmed is None else None
    if wanted is None:
        return []
    by = next((path for path in AGAIN if path in paths), "")
    if not by or now - tried.get(by, -AGAIN["sms"]) < AGAIN[by]:
        return []
    return [Step(wanted, by, max(1, ceil(left_s / MINUTE)))]

"""How long a SIM's credit lasts, and when to warn: pure, from what was seen of it.

Use is what went down between two looks; what went up was a top-up and counts as no use. Days are of the site's zone.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from msgspec import Struct

DAY = 86400.0  # s
LOOKS_BACK = 30 * DAY  # s; a month's rhythm, and no more of how it was used before
SPAN_LEAST = 2 * DAY  # s between first and last look; from less no rate is taken
FORECAST_MOST = 365  # days; beyond it is no forecast
CALM_DAYS = 2  # days more than the limit until the alarm ends: a forecast wavers from day to day
CALM_PART = 1.2  # of the low mark, for the same reason


class Seen(Struct, frozen=True):
    """`at` in unix seconds."""

    at: float
    rupiah: int


class Outlook(Struct, frozen=True):
    """What is known today. None where it is not known."""

    rupiah: int
    until: date | None
    runs_out: date | None


class Limits(Struct, frozen=True):
    low_rupiah: int
    days: int


class Low(Struct, frozen=True):
    """Why it is low: `credit` below its mark, `forecast` runs out soon, `validity` ends soon; days left, 0 for none."""

    why: str
    days: int


def daily_use(seen: Sequence[Seen]) -> float | None:
    """Rupiah a day over the last month, oldest first; None when it is seen for too short a time."""
    recent = [s for s in seen if s.at >= seen[-1].at - LOOKS_BACK] if seen else []
    if len(recent) < 2 or recent[-1].at - recent[0].at < SPAN_LEAST:
        return None
    used = sum(max(0, before.rupiah - after.rupiah) for before, after in pairwise(recent))
    return used * DAY / (recent[-1].at - recent[0].at)


def runs_out(seen: Sequence[Seen], today: date, now: float) -> date | None:
    """The day on which it is gone if it is used on as before; None when that is not known or far away."""
    use = daily_use(seen)
    if not use:
        return None
    left = seen[-1].rupiah / use - (now - seen[-1].at) / DAY
    return today + timedelta(days=max(0, int(left))) if left <= FORECAST_MOST else None


def low(outlook: Outlook, limits: Limits, today: date, *, was_low: bool) -> Low | None:
    """Whether to warn; the most pressing reason. Once it was low it takes more to be enough again."""
    days = limits.days + (CALM_DAYS if was_low else 0)
    mark = limits.low_rupiah * (CALM_PART if was_low else 1.0)
    reasons = [
        Low(why, max(0, (end - today).days))
        for why, end in (("validity", outlook.until), ("forecast", outlook.runs_out))
        if end is not None and (end - today).days <= days
    ]
    if outlook.rupiah < mark or outlook.rupiah <= 0:
        reasons.append(Low("credit", 0))
    return min(reasons, key=lambda reason: reason.days, default=None)

"""A line's signal over the last hour as one SVG path: a point a minute, a gap where nothing was known.

The scale is fixed, so that two lines compare at a glance and noise of a few dB stays small.
"""

from functools import lru_cache
from typing import NamedTuple

from appliance.view import TREND_MINUTES

WIDTH, HEIGHT = TREND_MINUTES, 16  # of the drawing: one unit a minute
STRONG, WEAK = -55, -115  # dBm at its upper and lower edge; a modem loses its network near the lower
LEAST = 2  # points; one is no trend


class Spark(NamedTuple):
    """`low`, `high`, `last` in dBm."""

    path: str
    low: int
    high: int
    last: int


@lru_cache(maxsize=64)  # it changes once a minute, and is drawn twice a second for every kind of viewer
def sparkline(trend: tuple[int | None, ...]) -> Spark | None:
    """The newest minute at the right edge. None where too little is known to call it a trend."""
    known = [dbm for dbm in trend if dbm is not None]
    if len(known) < LEAST:
        return None
    steps, drawn = [], False
    for x, dbm in enumerate(trend[-TREND_MINUTES:], TREND_MINUTES - min(len(trend), TREND_MINUTES)):
        if dbm is not None:
            steps.append(f"{'L' if drawn else 'M'}{x} {_y(dbm):g}")
        elif drawn:
            steps.append("h0")  # a lone minute is a dot
        drawn = dbm is not None
    return Spark("".join([*steps, "h0"]) if drawn else "".join(steps), min(known), max(known), known[-1])


def _y(dbm: int) -> float:
    """Within the stroke's half width of the edges."""
    part = (STRONG - dbm) / (STRONG - WEAK)
    return round(1 + min(1.0, max(0.0, part)) * (HEIGHT - 2), 1)

"""Quiet hours: how loud this station may be now, in percent. Nothing here ever lowers a light."""

import math
from datetime import datetime, time, tzinfo

from appliance.config_alerting import Quiet

LOUD = 100
SOFTEST_DB = -40.0  # the audio process takes no lower gain


def level(quiet: Quiet | None, wall: float, zone: tzinfo, *, time_known: bool) -> int:
    """Percent. Full where the time is not known: an order that is not heard is worse than one that wakes too many."""
    if quiet is None or not time_known:
        return LOUD
    now = datetime.fromtimestamp(wall, zone).time()
    begins, ends = time.fromisoformat(quiet.begins), time.fromisoformat(quiet.ends)
    inside = begins <= now < ends if begins <= ends else now >= begins or now < ends
    return quiet.level if inside else LOUD


def gain_db(percent: int) -> float:
    """What a voice is turned down by for a level in percent of loudness (amplitude)."""
    return max(SOFTEST_DB, 20 * math.log10(percent / LOUD))

"""Whether a line that falls and comes back again and again is one fault: pure, from its folded record."""

from collections.abc import Callable

from appliance.line_events import LineSteadied, LineUnstable
from appliance.stamp import Stamp
from appliance.state import LineRecord

FOR_GOOD = 180.0  # s down; the slowest modem boots, registers and is read within one minute


def due(
    line: str, record: LineRecord, falls: int, minutes: float, since: Callable[[Stamp], float]
) -> LineUnstable | LineSteadied | None:
    """What its falls add up to now: `falls` within `minutes` are too many, none within `minutes` is steady."""
    ages = [since(at) for at in record.fallen]
    if not record.unstable:
        recent = sum(1 for age in ages if age < minutes * 60)
        return LineUnstable(line=line, falls=recent, minutes=minutes) if recent >= falls else None
    last = min(ages, default=float("inf"))
    if record.up:
        return LineSteadied(line=line, up=True) if last >= minutes * 60 else None
    return LineSteadied(line=line, up=False) if last >= max(FOR_GOOD, minutes * 60) else None

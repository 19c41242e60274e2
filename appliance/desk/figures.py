"""The indicators of answering, over the rows of the call log.

NFPA 1225 wants 90 % of calls answered in 10 s, NENA-STA-020 90 % in 15 s and 95 % in 20 s; the EU's report of
COCOM adds the mean, the mean of the slowest tenth, and the abandoned. Answered means by a person.
"""

import math
from collections.abc import Iterable, Sequence

from appliance.desk_view import CallRow, Figures

SLOWEST = 10  # a tenth


def figures(period: str, rows: Iterable[CallRow]) -> Figures:
    """Over the calls that came in and are over, refused ones left out.

    An abandoned call counts against every share, however soon it was given up: nobody can tell who needed help.
    """
    came = [r for r in rows if r.direction == "in"]
    counted = [r for r in came if r.outcome in ("answered", "abandoned")]
    waits = sorted(r.waited_s for r in counted if r.outcome == "answered" and r.waited_s is not None)
    abandoned = [r for r in counted if r.outcome == "abandoned"]
    total = len(counted)
    slowest = waits[-math.ceil(len(waits) / SLOWEST) :] if waits else []

    def share(count: int) -> float | None:
        return round(count / total, 4) if total else None

    def within(seconds: float) -> float | None:
        return share(sum(1 for wait in waits if wait <= seconds))

    return Figures(
        period=period,
        calls=total,
        answered=len(waits),
        abandoned=len(abandoned),
        refused=sum(1 for r in came if r.outcome == "refused"),
        greeted=sum(1 for r in counted if r.greeted),
        greeted_abandoned=sum(1 for r in abandoned if r.greeted),
        withheld=sum(1 for r in counted if not r.number),
        in_10_s=within(10.0),
        in_15_s=within(15.0),
        in_20_s=within(20.0),
        mean_s=_mean(waits),
        slowest_tenth_s=_mean(slowest),
        abandoned_share=share(len(abandoned)),
    )


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 2) if values else None

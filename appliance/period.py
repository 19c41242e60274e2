"""A day or a month as people write it, as the span that it is at the site."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from drivers.jsonsocket import Refusal

PERIOD = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")


def span(period: str, zone: ZoneInfo) -> tuple[float, float]:
    """Begin and end of a day (2026-11-22) or month (2026-11) in unix seconds. Raises Refusal."""
    found = PERIOD.fullmatch(period)
    try:
        if found is None:
            raise ValueError
        year, month, day = int(found[1]), int(found[2]), int(found[3] or 1)
        begin = datetime(year, month, day, tzinfo=zone)
        following = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
        end = begin + timedelta(days=1) if found[3] else following
    except (ValueError, OverflowError) as e:
        raise Refusal("bad_command", f"{period!r} is no day or month.", "Write 2026-11-22 or 2026-11.") from e
    return begin.timestamp(), end.timestamp()

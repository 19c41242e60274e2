"""The network's time as modems tell it: +CTZE, AT+CCLK? and AT+QLTS=2, to a second at best.

*PSUTTZ, +CTZV and ^NWTIME are taken as a hint to ask only: whether their hours are local or UTC differs by firmware.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from drivers.modem.answers import AnswerError
from drivers.modem.command import name_of

TOLD_BY = ("+CTZE", "+CCLK", "+QLTS")
HINTS = frozenset({"+CTZV", "*PSUTTZ", "^NWTIME"})
EARLIEST_YEAR, LATEST_YEAR = 2025, 2100  # a modem that was told nothing yet counts from 1980, 2000, 2004 or 2015
CENTURY_ENDS = 70  # two figures from here on are of the 1900s: GPS time began in 80
QUARTERS_MOST = 56  # UTC+14, the farthest zone there is

_TIME = re.compile(r"(\d{4}|\d{2})/(\d{1,2})/(\d{1,2})\s*,\s*(\d{1,2}):(\d{2}):(\d{2})\s*([+-]\d{1,2})?")
_ZONE = re.compile(r'"?([+-]\d{1,2})"?\s*,')


def network_time(line: str, *, utc: bool = False) -> datetime:
    """The time in the zone that stands with it. `utc`: the hours are UTC whatever the zone says. Raises AnswerError."""
    if name_of(line) not in TOLD_BY:
        raise AnswerError(f"{line[:80]!r} tells no time")
    body = line.partition(":")[2]
    found = _TIME.search(body)
    if found is None:
        raise AnswerError(f"{line[:80]!r} has no date and time")
    in_front = _ZONE.match(body.strip())
    zone = found[7] or (in_front[1] if in_front else None)
    if zone is None or abs(int(zone)) > QUARTERS_MOST:
        raise AnswerError(f"{line[:80]!r} has no zone")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    there = timezone(timedelta(minutes=15 * int(zone)))
    try:
        century = 0 if year > 99 else 2000 if year < CENTURY_ENDS else 1900
        told = datetime(year + century, month, day, hour, minute, second, tzinfo=UTC if utc else there)
    except ValueError as e:
        raise AnswerError(f"{line[:80]!r} is no date") from e
    if not EARLIEST_YEAR <= told.year <= LATEST_YEAR:
        raise AnswerError(f"{line[:80]!r}: the modem was told no time yet")
    return told.astimezone(there)

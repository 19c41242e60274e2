"""A station's own word about itself, held against what the journal knows of it: only what is news becomes events.

Pure. Its figures drift all day; they are written when they have moved so far that a person would want to know.
"""

from collections.abc import Sequence

import msgspec

from appliance.alert_state import StationHealth
from appliance.event import Event
from appliance.station_events import StationFault, StationHealthChanged

UNKNOWN_PERCENT, UNKNOWN_DAYS = 255, 65535
# A move of so much is written; the newest figure itself is on the page anyhow.
MOVES = {"disk_free_percent": 5, "battery": 10, "supply_mv": 500, "cert_days": 7, "key_days": 7, "skew_s": 30.0}
SKEW_WRONG, SKEW_RIGHT = 120.0, 60.0  # s; as of the box's own clock: more misleads who reads two journals together
CLOCK_SKEW, LOCKED_THERE = "clock_skew", "locked_there"  # what the centre itself finds


class Heard(msgspec.Struct, frozen=True):
    """What a signed message said; unknown figures as in StationHealth. `lock_minutes` that the siren is locked for."""

    station: str
    path: str
    faults: tuple[str, ...]
    disk_free_percent: int = UNKNOWN_PERCENT
    battery: int = UNKNOWN_PERCENT
    supply: str = "unknown"
    supply_mv: int = 0
    cert_days: int = UNKNOWN_DAYS
    key_days: int = UNKNOWN_DAYS
    skew_s: float | None = None
    lock_minutes: int = 0


def faults_of(heard: Heard, known: Sequence[str], *, locked: bool) -> tuple[str, ...]:
    """Its own faults and those that its figures show. `locked`: a person at the centre locked its siren."""
    found = set(heard.faults)
    skew = abs(heard.skew_s) if heard.skew_s is not None else None
    if skew is not None and skew > (SKEW_RIGHT if CLOCK_SKEW in known else SKEW_WRONG):
        found.add(CLOCK_SKEW)
    if heard.lock_minutes > 1 and not locked:  # the last minute may be one of rounding
        found.add(LOCKED_THERE)
    return tuple(sorted(found))


def news(heard: Heard, known: StationHealth | None, *, locked: bool) -> list[Event]:
    """Each fault that began or is over, then all that is so now; nothing when nothing moved."""
    before = known.faults if known else ()
    faults = faults_of(heard, before, locked=locked)
    events: list[Event] = [
        StationFault(station=heard.station, fault=fault, on=fault in faults)
        for fault in sorted({*before, *faults})
        if (fault in before) != (fault in faults)
    ]
    if events or known is None or known.supply != heard.supply or any(_moved(heard, known, f) for f in MOVES):
        figures = {field: getattr(heard, field) for field in ("path", "supply", *MOVES)}
        events.append(StationHealthChanged(station=heard.station, faults=faults, **figures))
    return events


def _moved(heard: Heard, known: StationHealth, field: str) -> bool:
    now, before = getattr(heard, field), getattr(known, field)
    unknown = {"supply_mv": 0, "skew_s": None}.get(field, UNKNOWN_DAYS if field.endswith("days") else UNKNOWN_PERCENT)
    if unknown in (now, before):
        return bool(now != before)
    return bool(abs(now - before) >= MOVES[field])

"""Limits on readings: over one it is a cause, back by the deadband it is none; what is not known changes nothing."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from appliance.alarm_state import Alarm
from appliance.alarms.alarm_machine import Limit, Rows, Wanted, key, stands
from appliance.figure import Figure


class Seen(NamedTuple):
    """A device with its readings."""

    kind: str  # "genset", "ups", "meter", "ats"
    id: str
    figures: Mapping[str, Figure]


def beyond(limit: Limit, value: float, on: bool, rules: Mapping[str, float]) -> bool:
    """Whether it is a cause, when it was one (`on`) or not. `rules`: figures of the site file by their key."""
    slack = limit.deadband if on else 0.0
    below, above = _figure(limit.below, rules), _figure(limit.above, rules)
    return (below is not None and value < below + slack) or (above is not None and value > above - slack)


def _figure(limit: float | str | None, rules: Mapping[str, float]) -> float | None:
    return rules[limit] if isinstance(limit, str) else limit


def crossed(
    rows: Rows, seen: Iterable[Seen], alarms: Mapping[str, Alarm], rules: Mapping[str, float], now: float
) -> list[Wanted]:
    """A cause that is there or gone, for every limit on a reading that is known."""
    limits = [(row, row.limit) for row in rows.values() if row.limit is not None]
    found = []
    for device in seen:
        for row, limit in limits:
            figure = device.figures.get(limit.point)
            if device.kind != limit.device or figure is None or not figure.known(now):
                continue
            if isinstance(figure.value, int | float) and not isinstance(figure.value, bool):
                on = stands(alarms.get(key(row.code, device.id)))
                found.append(Wanted(row, device.id, beyond(limit, figure.value, on, rules)))
    return found

"""Alarms that nothing can end any more: what they are about, or their row in the catalogue, is there no longer.

A site file or a release may change while the box is off; then no event and no reading will ever clear them.
"""

from collections.abc import Mapping

from appliance.alarm_events import AlarmCleared
from appliance.alarm_state import Alarm
from appliance.alarms.alarm_machine import Row, Rows, stands
from appliance.config import Site
from appliance.event import Event

DEVICES = ("genset", "ups", "meter", "ats")


def removed(alarms: Mapping[str, Alarm], rows: Rows, site: Site) -> list[Event]:
    """Their ends. A person who has not seen one sees it still, as one that is over."""
    return [
        AlarmCleared(alarm=alarm.alarm, about=alarm.about, why="removed")
        for alarm in alarms.values()
        if stands(alarm) and not _may_end(alarm, rows.get(alarm.alarm), site)
    ]


def _may_end(alarm: Alarm, row: Row | None, site: Site) -> bool:
    if row is None:
        return False
    if row.about:
        return _there(row, site)
    known = _ids(row, site)
    return known is None or alarm.about.split("/")[0] in known


def _there(row: Row, site: Site) -> bool:
    """Whether the site has the single thing that the alarm is about. Of most it always has one."""
    match row.about:
        case "mains":
            return any(getattr(site, kind) for kind in DEVICES)
        case "broker":
            return site.broker is not None
    return True


def _ids(row: Row, site: Site) -> set[str] | None:
    """All ids that the row can be about; None where the site file does not name them."""
    if row.limit is not None:
        return _of(site, row.limit.device)
    match row.subject[0]:
        case "genset" | "line" | "station" as kind:
            return _of(site, kind)
        case "output":
            return set(site.annunciator.output)
        case "link" | "device":  # "genset/*" in each cause says of which kind
            likes = {cause.where.get(row.subject[0], "") for cause in row.raised_by}
            kinds = {like.partition("/")[0] for like in likes}
            return {id for kind in kinds for id in _of(site, kind)} if kinds <= set(DEVICES) else None
    return None


def _of(site: Site, kind: str) -> set[str]:
    return {thing.id for thing in getattr(site, kind)}

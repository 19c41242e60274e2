"""By which paths an order can go out to a station now, and by which of them it is proven that it would wake anybody.

From what a view knows: page and terminal say the same.
"""

from collections.abc import Mapping
from typing import NamedTuple

from appliance.alert_view import PathView, StationHealthView
from appliance.model import Path
from appliance.view import LineView, StationView, View

REGISTERED = ("home", "roaming")


class Wake(NamedTuple):
    """`proven`: ways that wake the station as far as anybody can know now. `why`: what is missing where none does.

    "revoked", "locked_out", "silent" (no way at all), "no_link" (this box's own siren); of a station that answers
    nothing but has a number for texts "sms_untested", "sms_failed", "sms_late": it is older than its test's period.
    """

    proven: tuple[Path, ...]
    why: str = ""


def supervised(view: View) -> Mapping[str, StationHealthView]:
    """By station, for `wake`."""
    return {seen.station: seen for seen in view.supervision.stations} if view.supervision else {}


def wake(view: View, station: StationView, seen: StationHealthView | None, now: float, wall: float) -> Wake:
    """A number in the site file wakes nobody: heard now, or a text that was answered within its test's period."""
    ways = reach(view, station, now)
    if station.revoked is not None:
        return Wake((), "revoked")
    if seen is not None and seen.lockout is not None and seen.lockout.ended is None:
        return Wake((), "locked_out")
    if not ways:
        return Wake((), "no_link" if station.local else "silent")
    doubt = _sms_doubt(seen, wall) if Path.SMS in ways else ""
    proven = tuple(way for way in ways if way is not Path.SMS or not doubt)
    return Wake(proven, "" if proven else doubt)


def _sms_doubt(seen: StationHealthView | None, wall: float) -> str:
    path = next((p for p in seen.paths if p.path == Path.SMS), None) if seen else None
    if path is None or (path.proven is None and path.failed is None):
        return "sms_untested"
    if path.failed is not None:
        return "sms_failed"
    return "sms_late" if _late(path, wall) else ""


def _late(path: PathView, wall: float) -> bool:
    return path.worst_s is None or path.proven is None or wall - path.proven.wall > path.worst_s


def reach(view: View, station: StationView, now: float) -> tuple[Path, ...]:
    """`now` in the view's own time. Empty: somebody has to phone."""
    if station.local:
        annunciator = view.links.get("annunciator")
        return (Path.GPIO,) if annunciator is None or annunciator.up else ()
    paths = []
    broker = view.links.get("broker")
    heard = station.heard_at is not None and now - station.heard_at <= station.fresh_s
    if heard and (broker is None or broker.up):
        paths.append(Path.MQTT)
    if station.sms and any(_registered(line, now) for line in view.lines):
        paths.append(Path.SMS)
    return tuple(paths)


def _registered(line: LineView, now: float) -> bool:
    """Whether a text could go out on this line."""
    return line.registration.known(now) and line.registration.value in REGISTERED

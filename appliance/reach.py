"""By which paths an order can go out to a station now, and by which of them it is proven that it would wake anybody.

From what a view knows: page and terminal say the same.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from appliance.alert_view import StationHealthView
from appliance.model import DeliveryState, Path
from appliance.state import Delivery
from appliance.view import LineView, StationView, View

REGISTERED = ("home", "roaming")
ANSWERED = (DeliveryState.RECEIVED, DeliveryState.ENERGISED, DeliveryState.PROVEN, DeliveryState.ENDED)


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
    doubt = _sms_doubt(view, station, seen, wall) if Path.SMS in ways else ""
    proven = tuple(way for way in ways if way is not Path.SMS or not doubt)
    return Wake(proven, "" if proven else doubt)


def _sms_doubt(view: View, station: StationView, seen: StationHealthView | None, wall: float) -> str:
    """A test that was answered is a proof, and an order that was answered by a text is one too."""
    path = next((p for p in seen.paths if p.path == Path.SMS), None) if seen else None
    times = [d.since.wall for d in _answered_by_sms(view, station.id)]
    times += [path.proven.wall] if path and path.proven else []
    if path is not None and path.failed is not None and path.failed.wall > max(times, default=0.0):
        return "sms_failed"
    if not times:
        return "sms_untested"
    within = path.worst_s if path is not None else None
    return "" if within is not None and wall - max(times) <= within else "sms_late"


def _answered_by_sms(view: View, station: str) -> Iterator[Delivery]:
    for alert in view.alerts:
        delivery = alert.deliveries.get(station)
        if delivery is not None and delivery.path == Path.SMS and delivery.state in ANSWERED:
            yield delivery


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

"""By which paths an order can go out to a station now, from what a view knows: page and terminal say the same."""

from appliance.model import Path
from appliance.view import LineView, StationView, View

REGISTERED = ("home", "roaming")


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

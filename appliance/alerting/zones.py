"""Zones of an order: the bits that name them to a station, and this box's own outputs that they mean."""

from appliance.config import Own
from appliance.state import Alert


def own_outputs(alert: Alert, own: Own) -> list[str]:
    """What of this box's own outputs an alert sounds: its siren, or those of the zones that are meant."""
    zones = alert.zones.get(own.id, ())
    return list(dict.fromkeys(zone.output for zone in own.zone if zone.id in zones)) or [own.siren]


def bits(zones: tuple[str, ...], known: tuple[str, ...]) -> int:
    """The zones as an order names them: bit i is the station's i-th. 0: the whole station."""
    return sum(1 << place for place, zone in enumerate(known) if zone in zones)

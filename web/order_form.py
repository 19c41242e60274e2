"""What the form of a siren order offers: stations and their zones, groups, contacts, incidents, lengths."""

from typing import Any, NamedTuple

from appliance.incident_codes import INCIDENTS
from appliance.model import AlertKind, Pattern
from web.scene import Scene

SECONDS = (30, 60, 120, 180, 300, 600)  # offered lengths of an order
KINDS = (AlertKind.ACTUAL, AlertKind.SILENT_TEST, AlertKind.SOUNDING_TEST, AlertKind.DRILL)
SOUNDING = (AlertKind.ACTUAL, AlertKind.SOUNDING_TEST)
MANY = 14  # stations; more are chosen in the form's own window, where they are searched
MOST_LETTERS = 160  # octets of a signed text


class Zoned(NamedTuple):
    id: str
    name: str
    zones: tuple[str, ...]


def order_form(scene: Scene) -> dict[str, Any]:
    """For a person with a login; nothing is shown of contacts to anybody else."""
    site, supervision = scene.site, scene.view.supervision
    return {
        "stations": site.station,
        "many": len(site.station) > MANY,
        "kinds": KINDS,
        "sounding": SOUNDING,
        "patterns": list(Pattern),
        "seconds": SECONDS,
        "incidents": [(code, scene.words.code("incident", name)) for code, name in INCIDENTS.items()],
        "zoned": [Zoned(s.id, s.name, s.zones) for s in site.station if s.zones],
        "groups": supervision.groups if supervision else (),
        "contacts": supervision.contacts if supervision else (),
        "most_letters": MOST_LETTERS,
    }

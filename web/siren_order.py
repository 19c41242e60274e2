"""The siren order as the page's form brings it: stations or zones of them, groups, contacts, and what is spoken."""

from collections.abc import Mapping
from typing import Any

from drivers.jsonsocket import Message

MOST_TEXT = 400  # octets carried to core, which says how long a text may be


def siren_order(fields: Mapping[str, Any]) -> Message:
    """The command's fields; what the form leaves as it is, is left to core. ValueError: a number that is none.

    `zones` are "station/zone": where a station has one chosen, its zones stand in the station's place.
    """
    zones = several(fields.get("zones"))
    stations = []
    for station in several(fields.get("stations")):
        stations += [zone for zone in zones if zone.partition("/")[0] == station] or [station]
    order: Message = {
        "stations": stations,
        "key": str(fields.get("key", ""))[:64],
        "pattern": str(fields.get("pattern", "wail")),
        "alert_kind": str(fields.get("kind", "actual")),
        "seconds": int(fields.get("seconds", 60)),
    }
    if incident := int(fields.get("incident", 0)):
        order["incident_code"] = incident
    for name in ("groups", "contacts"):
        if chosen := several(fields.get(name)):
            order[name] = chosen
    if text := " ".join(str(fields.get("text", "")).split())[:MOST_TEXT]:
        order |= {"text": text, "language": str(fields.get("language", "id"))}
    if (priority := int(fields.get("priority", 2))) != 2:
        order["priority"] = priority
    return order


def several(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]

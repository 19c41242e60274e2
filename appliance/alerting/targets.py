"""Whom an order is for: what a person names, checked against the site file, each station once and in that order."""

import msgspec

from appliance.commands import IssueAlert
from appliance.config import Site
from drivers.jsonsocket import Refusal

MOST_TEXT = 160  # octets of UTF-8, as a signed text carries


class Targets(msgspec.Struct, frozen=True):
    """`zones` names those of a station of which not the whole is meant. `contacts` has the groups' members too."""

    stations: tuple[str, ...]
    zones: dict[str, tuple[str, ...]]
    contacts: tuple[str, ...]


def targets(command: IssueAlert, site: Site) -> Targets:
    """Raises Refusal for what the site file does not know."""
    stations = {station.id: station for station in site.station}
    groups = {group.id: group for group in site.group}
    contacts = {contact.id for contact in site.contact}
    if unknown := [name for name in command.groups if name not in groups]:
        raise Refusal("no_group", f"There is no group {', '.join(unknown)}.", f"There is: {', '.join(groups)}.")
    if unknown := [name for name in command.contacts if name not in contacts]:
        raise Refusal(
            "no_contact", f"There is no contact {', '.join(unknown)}.", "Look at [[contact]] of the site file."
        )
    members = [member for name in command.groups for member in groups[name].members]
    named = [*command.stations, *(member for member in members if member not in contacts)]
    zones: dict[str, list[str]] = {}
    whole: set[str] = set()
    for name in named:
        station, _, zone = name.partition("/")
        if station not in stations:
            there = ", ".join(stations)
            raise Refusal("no_station", f"There is no station {station or 'named'}.", f"There is: {there}.")
        zones.setdefault(station, [])
        if not zone:
            whole.add(station)
        elif zone not in stations[station].zones:
            there = ", ".join(stations[station].zones) or "none"
            raise Refusal("no_zone", f"Station {station} has no zone {zone}.", f"There is: {there}.")
        elif zone not in zones[station]:
            zones[station].append(zone)
    told = tuple(dict.fromkeys([*command.contacts, *(member for member in members if member in contacts)]))
    if not zones and not told:
        raise Refusal("no_station", "There is no station named.", f"There is: {', '.join(stations)}.")
    if len(command.text.encode()) > MOST_TEXT:
        raise Refusal("too_long", f"The text has more than {MOST_TEXT} octets.", "Say it in fewer words.")
    if command.priority not in (1, 2, 3) or command.language not in ("id", "en"):
        raise Refusal("out_of_range", "The priority is 1 to 3, the language id or en.")
    parts = {name: tuple(found) for name, found in zones.items() if name not in whole}
    return Targets(tuple(zones), parts, told)


def bits(zones: tuple[str, ...], known: tuple[str, ...]) -> int:
    """The zones as an order names them: bit i is the station's i-th. 0: the whole station."""
    return sum(1 << place for place, zone in enumerate(known) if zone in zones)

"""Who an order is for: its stations, zones, groups and contacts, resolved when it is issued and kept in its event.

A later site file changes nothing of an order that was given.
"""

from collections.abc import Collection, Iterable

import msgspec

from appliance.commands import IssueAlert
from appliance.config import Site
from drivers.jsonsocket import Refusal

MOST_TEXT = 160  # octets of UTF-8; what a Text to a station holds


class Recipients(msgspec.Struct, frozen=True, kw_only=True):
    """As `AlertIssued` has it. `contacts`: all of them, those of `sequences` too, in the order in which they are asked.

    Who is named in any other way than by a sequence is told at once, and is no part of a sequence.
    """

    stations: tuple[str, ...] = ()
    zones: dict[str, tuple[str, ...]] = {}
    groups: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    sequences: dict[str, tuple[str, ...]] = {}


def resolve(site: Site, command: IssueAlert) -> Recipients:
    """Raises Refusal for whom there is not, for a text that does not fit, and for an order to nobody."""
    check_text(command.text)
    if command.priority not in (1, 2, 3) or command.language not in ("id", "en"):
        raise Refusal("out_of_range", "The priority is 1 to 3, the language id or en.")
    groups = {g.id: g for g in site.group}
    contacts = [c.id for c in site.contact]
    _there("group", command.groups, groups)
    _there("contact", command.contacts, contacts)
    named = [groups[g] for g in dict.fromkeys(command.groups)]
    of_all = [m for g in named if g.mode == "all" for m in g.members]
    stations, zones = _stations(site, [*command.stations, *(m for m in of_all if m not in contacts)])
    at_once = dict.fromkeys([*command.contacts, *(m for m in of_all if m in contacts)])
    if not (stations or at_once or named):
        raise Refusal("no_station", "There is no station named.", f"There is: {', '.join(s.id for s in site.station)}.")
    sequences: dict[str, tuple[str, ...]] = {}
    asked = dict(at_once)
    for group in named:
        if group.mode == "first" and (members := tuple(m for m in dict.fromkeys(group.members) if m not in asked)):
            sequences[group.id] = members
            asked |= dict.fromkeys(members)
    return Recipients(
        stations=stations,
        zones=zones,
        groups=tuple(g.id for g in named),
        contacts=tuple(asked),
        sequences=sequences,
    )


def check_text(text: str) -> None:
    """Raises Refusal for what no Text can carry."""
    octets = len(text.encode(errors="replace"))
    if octets > MOST_TEXT:
        raise Refusal("text_long", f"The text has {octets} octets; {MOST_TEXT} is the most.", "Shorten it.")
    if not text.isprintable():
        raise Refusal("text_unwritable", "The text has characters that nobody can print.", "Write it in one line.")


def zones_of(site: Site, station: str) -> tuple[str, ...]:
    """In the order of an order's bits; our own station's are in this very file."""
    found = next(s for s in site.station if s.id == station)
    if found.local and site.own is not None:
        return tuple(z.id for z in site.own.zone)
    return found.zones


def _stations(site: Site, named: Iterable[str]) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Stations in the order named, and of each the zones that are meant, where not the whole is."""
    known = {s.id: None for s in site.station}
    wanted: dict[str, set[str]] = {}
    whole: set[str] = set()
    for name in named:
        station, parted, zone = name.partition("/")
        _there("station", [station], known)
        wanted.setdefault(station, set())
        if parted:
            _there("zone", [zone], zones_of(site, station), f" of {station}")
            wanted[station].add(zone)
        else:
            whole.add(station)
    parts = {s: z for s, z in wanted.items() if s not in whole}
    return tuple(wanted), {s: tuple(z for z in zones_of(site, s) if z in parts[s]) for s in parts}


def _there(what: str, named: Iterable[str], known: Collection[str], of: str = "") -> None:
    if unknown := [n for n in named if n not in known]:
        raise Refusal(
            f"no_{what}", f"There is no {what} {', '.join(unknown)}{of}.", f"There is: {', '.join(known) or 'none'}."
        )

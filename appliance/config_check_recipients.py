"""What a site file must not say of whom alerts are told to: names that are not there, ways that lead nowhere.

A number of the box's own, where people or a station should be, is the worst of them: the box would call and text
itself, and take that for a way that works.
"""

from collections.abc import Iterator

from appliance.config import Site
from appliance.config_alerting import Group
from appliance.model import Role
from drivers.modem.errors import NumberRefused
from drivers.modem.numbers import diallable, same_number, telephone


def recipient_faults(site: Site) -> Iterator[str]:
    """One sentence each, the key first."""
    if (site.contact or site.group) and site.role is not Role.CENTRE:
        yield "contact and group: a station tells nobody; only a centre's file has these tables."
    yield from _ids(site)
    for contact in site.contact:
        where = f"contact {contact.id!r}"
        if not (contact.sms or contact.voice):
            yield f"{where}: give sms, voice or both; nobody can be told without."
        if contact.agency and contact.agency not in {a.id for a in site.agency}:
            yield f"{where}: agency: there is no [[agency]] {contact.agency!r}."
    yield from _numbers(site)
    for group in site.group:
        yield from _group(site, group)


def _ids(site: Site) -> Iterator[str]:
    stations = {s.id for s in site.station}
    ids = [*(c.id for c in site.contact), *(g.id for g in site.group)]
    for id in sorted({i for i in ids if ids.count(i) > 1 or i in stations}):
        yield f"station, contact and group: {id!r} stands there twice; an order could not tell them apart."


def _numbers(site: Site) -> Iterator[str]:
    own = {telephone(line.number) for line in site.line}
    modems = {telephone(s.sms): s.id for s in site.station if s.sms}
    texts = [(c.id, c.sms) for c in site.contact if c.sms]
    people = [(f"contact {c.id!r}: {key}", n) for c in site.contact for key, n in (("sms", c.sms), ("voice", c.voice))]
    people += [(f"station {s.id!r}: phone", s.phone) for s in site.station]
    people += [(f"duty {d.name!r}: number", d.number) for d in site.duty]
    stations = [(f"station {s.id!r}: sms", s.sms) for s in site.station]
    for where, number in people + stations:
        if number is None:
            continue
        try:
            diallable(number)
        except NumberRefused as e:
            yield f"{where}: {e}"
        if telephone(number) in own:
            yield f"{where}: {number} is a line of this box."
    for where, number in people:
        if number is not None and telephone(number) in modems:
            yield f"{where}: {number} is the modem of station {modems[telephone(number)]!r}; nobody reads there."
    for station in site.station:
        if station.sms and modems[telephone(station.sms)] != station.id:
            yield f"station.sms: {station.id!r} and {modems[telephone(station.sms)]!r} have one modem."
    for i, (one, number) in enumerate(texts):
        for other, its in texts[i + 1 :]:
            if same_number(number, its):
                yield f"contact.sms: {one!r} and {other!r} have one number; who answers could not be told apart."


def _group(site: Site, group: Group) -> Iterator[str]:
    where = f"group {group.id!r}"
    stations = {s.id: s for s in site.station}
    contacts = {c.id for c in site.contact}
    if not group.members:
        yield f"{where}: members: name at least one."
    for member in sorted({m for m in group.members if group.members.count(m) > 1}):
        yield f"{where}: members: {member!r} stands there twice."
    for member in group.members:
        id, _, zone = member.partition("/")
        if member in contacts:
            continue
        if id not in stations:
            yield f"{where}: members: there is no station or contact {member!r}."
            continue
        own = stations[id].local and site.own
        if zone and zone not in ([z.id for z in own.zone] if own else stations[id].zones):
            yield f"{where}: members: station {id!r} has no zone {zone!r}."
        if group.mode == "first":
            yield f"{where}: members: {member!r} is a station; a siren is not asked whether it accepts. Use mode all."

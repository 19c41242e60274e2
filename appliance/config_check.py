"""What a site file must not say although each key by itself is good: names that are not there, things used twice."""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from appliance.annunciator_config import check as check_annunciator
from appliance.config import PLACEHOLDER, Own, Site, Web
from appliance.config_check_power import power_faults
from appliance.config_check_recipients import recipient_faults
from appliance.config_check_station import station_faults
from appliance.keys import KeyFileError, public_key
from appliance.model import Role
from drivers.dns_query import encode_name
from drivers.modem.errors import NumberRefused
from drivers.modem.numbers import diallable, telephone

NAME_OR_ADDRESS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")

HEADER_SERIAL = ("/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0")  # on a Raspberry Pi: the header's own serial port
SERIAL_PINS = (14, 15)  # its TXD and RXD


def contradictions(site: Site, profiles: Path) -> list[str]:
    """One sentence each, the key first; empty when the file is good. `profiles` is the folder of device profiles."""
    return [
        *(f"annunciator.{reason}" for reason in check_annunciator(site.annunciator)),
        *_twice(site),
        *_folders(site),
        *_web(site.web),
        *_role(site),
        *_own(site.own, site),
        *_button(site),
        *_stations(site),
        *_beats(site),
        *_devices(site),
        *power_faults(site, profiles),
        *_trunk(site),
        *_notify(site),
        *_numbers(site),
        *_desk(site),
        *recipient_faults(site),
    ]


def _twice(site: Site) -> Iterator[str]:
    keys = [s.key for s in site.station if s.key], [i.key for i in site.issuer if i.key]
    for what, values in (
        ("station", [s.id for s in site.station]),
        ("station.number", [str(s.number) for s in site.station]),
        ("station.key", keys[0]),
        ("line", [x.id for x in site.line]),
        ("line.port", [x.port for x in site.line]),
        ("bus", [b.id for b in site.bus]),
        ("bus.port", [b.port for b in site.bus if b.kind == "rtu"]),
        (
            "genset, ups, meter and ats",
            [*(d.id for d in (*site.genset, *site.ups, *site.meter)), *(a.id for a in site.ats)],
        ),
        ("unit on a bus", [f"{d.bus} {d.unit}" for d in (*site.genset, *site.ups, *site.meter) if d.bus]),
        ("agency", [a.id for a in site.agency]),
        ("issuer", [i.name for i in site.issuer]),
        ("issuer.key", keys[1]),
        ("fallback.agencies", list(site.fallback.agencies)),
        ("duty", [d.name for d in site.duty]),
        ("duty.number", [d.number for d in site.duty]),
    ):
        for value in sorted({v for v in values if values.count(v) > 1}):
            yield f"{what}: {value!r} stands there twice."


def _folders(site: Site) -> Iterator[str]:
    for key, value in (("state", site.state), ("run", site.run), ("key", site.key), ("profiles", site.profiles)):
        if "\0" in value or (not value and key != "profiles"):
            yield f"{key}: {value!r} is no path."


def _web(web: Web) -> Iterator[str]:
    if web.secured and web.tls_port == web.port:
        yield f"web.tls_port: {web.tls_port} is web.port too; TLS needs a port of its own."
    for name in web.names:
        if not NAME_OR_ADDRESS.fullmatch(name):
            yield f"web.names: {name!r} is no host name and no address."


def _role(site: Site) -> Iterator[str]:
    yield from _missing("amber", [site.amber], _outputs(site, "light", "lamp"), "light")
    if site.role is Role.CENTRE:
        return
    if site.own is None:
        yield "own: a station needs this table: its id, number and siren."
    if not site.issuer:
        yield "issuer: a station needs at least one, else nobody can order it."
    if site.station:
        yield "station: a station orders nobody; only a centre's file has these tables."


def _own(own: Own | None, site: Site) -> Iterator[str]:
    if own is None:
        return
    inputs = set(site.annunciator.input)
    yield from _missing("own.siren", [own.siren], _outputs(site, "siren", "buzzer"), "siren")
    yield from _missing("own.light", [own.light], _outputs(site, "light", "lamp"), "light")
    yield from _missing("own.acknowledge", [own.acknowledge], inputs)
    yield from _missing("own.silence", [own.silence], inputs)
    yield from _missing("own.feedback", [own.feedback], inputs)
    siren = site.annunciator.output.get(own.siren)
    if siren and siren.max_s is not None and own.max_s > siren.max_s:
        yield f"own.max_s: {own.max_s} s is longer than annunciator.output.{own.siren}.max_s, {siren.max_s:g} s."
    yield from station_faults(own, site)


def _button(site: Site) -> Iterator[str]:
    if site.button is None:
        return
    if not site.button.stations:
        yield "button.stations: a press that wakes nobody must not be taken; name stations or remove the table."
    yield from _missing("button.stations", site.button.stations, {s.id for s in site.station})


def _stations(site: Site) -> Iterator[str]:
    local = [s for s in site.station if s.local]
    if len(local) > 1:
        yield f"station: {', '.join(s.id for s in local)} are all local; this box is one."
    for station in site.station:
        where = f"station {station.id!r}"
        if station.local and site.own is None:
            yield f"{where}: local = true needs an [own] table that names the siren."
        elif station.local and site.own and (site.own.id, site.own.number) != (station.id, station.number):
            yield f"{where}: id and number are not those of [own]: {site.own.id!r}, {site.own.number}."
    keys = [(f"station {s.id!r}: key", s.key) for s in site.station]
    for where, key in [*keys, *((f"issuer {i.name!r}: key", i.key) for i in site.issuer)]:
        try:
            if key is not None:
                public_key(key, where)
        except KeyFileError as e:
            yield str(e)


def _beats(site: Site) -> Iterator[str]:
    rules = site.supervision
    for where, beat in (("", rules.beat(None)), *((f"profile.{name}.", beat) for name, beat in rules.profile.items())):
        if beat.lost_s < 2 * beat.heartbeat_s:
            yield f"supervision.{where}lost_s: {beat.lost_s:g} s is not twice heartbeat_s; one late word is no loss."
    named = [(f"station {s.id!r}: profile", s.profile) for s in site.station]
    for where, profile in [*named, ("own.profile", site.own.profile if site.own else None)]:
        if profile is not None and profile not in rules.profile:
            yield f"{where}: there is no [supervision.profile.{profile}]; add it, as the other box has it."


def _devices(site: Site) -> Iterator[str]:
    for bus in site.bus:
        if not (bus.port if bus.kind == "rtu" else bus.host):
            yield f"bus {bus.id!r}: {'port' if bus.kind == 'rtu' else 'host'} is missing."
    for line in site.line:
        if not line.port:
            yield f"line {line.id!r}: port is missing."
    ports = [*(line.port for line in site.line), *(bus.port for bus in site.bus)]
    serial = next((port for port in ports if port in HEADER_SERIAL), "")
    pins = {n: o.pin for n, o in site.annunciator.output.items()} | {
        n: i.pin for n, i in site.annunciator.input.items()
    }
    for name, pin in pins.items():
        if serial and pin in SERIAL_PINS:
            yield f"annunciator: {name} is on GPIO {pin}, which {serial} uses; use another pin."
    hosts = [("web.host", site.web.host), ("broker.host", site.broker.host if site.broker else "-")]
    for key, host in [*hosts, ("trunk.host", site.trunk.host if site.trunk else "-")]:
        if not host:
            yield f"{key}: an address is missing."


def _trunk(site: Site) -> Iterator[str]:
    internet = site.internet
    for key, address in [("carrier", internet.carrier), *(("resolvers", r) for r in internet.resolvers)]:
        try:
            if address or key == "resolvers":
                ipaddress.ip_address(address)
        except ValueError:
            yield f"internet.{key}: {address!r} is no address; a name would need the resolver that is watched here."
    try:
        if internet.dns:
            encode_name(internet.dns)
    except ValueError as e:
        yield f"internet.dns: {e}"
    watched = {"route": internet.route, "dns": bool(internet.dns), "carrier": bool(internet.carrier)}
    known = [agency.id for agency in site.agency]
    for id in site.fallback.agencies:
        if id not in known:
            yield f"fallback.agencies: there is no [[agency]] {id!r}; there is {', '.join(known) or 'none'}."
    for layer in site.trunk.needs if site.trunk else ():
        if not watched[layer]:
            yield f"trunk.needs: {layer!r} is not watched; set internet.{layer}."


def _notify(site: Site) -> Iterator[str]:
    notify, button = site.notify, site.annunciator.button
    yield from _missing("notify.buzzer", [notify.buzzer], _outputs(site, "buzzer"), "buzzer")
    lamps = _outputs(site, "light", "lamp") - {button.lamp if button else None}
    yield from _missing("notify.lamp", [notify.lamp], lamps, "light")
    yield from _missing("notify.silence", [notify.silence], set(site.annunciator.input))
    if notify.lamp is not None and notify.lamp in (site.amber, site.own.light if site.own else None):
        yield f"notify.lamp: {notify.lamp!r} shows something else already."


def _numbers(site: Site) -> Iterator[str]:
    numbers = [n for s in site.station for n in (s.sms, s.phone) if n] + [x.number for x in site.line]
    numbers += [n for a in site.agency for n in (*a.phone, a.sms, a.uses) if n]
    numbers += [site.desk.overflow.number] if site.desk.overflow else []
    numbers += [*site.fallback.citizens, *(d.number for d in site.duty)]
    numbers += [n for c in site.contact for n in (c.sms, c.voice) if n]
    fake = sorted({n for n in numbers if n.startswith(PLACEHOLDER)})
    if fake and any(x.armed for x in site.line):
        yield f"line.armed: numbers that no network assigns stand in this file: {', '.join(fake)}."


def _desk(site: Site) -> Iterator[str]:
    own = {telephone(line.number) for line in site.line}
    dialled = [(f"agency {a.id!r}", number) for a in site.agency for number in (*a.phone, a.sms) if number]
    if site.desk.overflow:
        dialled.append(("desk.overflow.number", site.desk.overflow.number))
    for where, number in dialled:
        try:
            diallable(number)
        except NumberRefused as e:
            yield f"{where}: {e}"
        if telephone(number) in own:
            yield f"{where}: {number} is a line of this box."
    for agency in site.agency:
        if not agency.phone:
            yield f"agency {agency.id!r}: phone: give at least one number; one press calls the first."


def _outputs(site: Site, *kinds: str) -> set[str]:
    return {name for name, output in site.annunciator.output.items() if output.kind in kinds}


def _missing(key: str, wanted: Iterable[str | None], there: set[str], kind: str = "") -> Iterator[str]:
    for name in wanted:
        if name is not None and name not in there:
            what = f"{kind} {name!r}" if kind else repr(name)
            yield f"{key}: there is no {what} (there is: {', '.join(sorted(there)) or 'nothing'})."

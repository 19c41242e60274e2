"""The site file of the FAT partition as the box is to have it, and a centre's grant beside it."""

import re
import time
from pathlib import Path
from typing import Any

import msgspec

from appliance.config import Places, Site, SiteError, load_site, profile_folder
from appliance.first_boot_file import Appliance, decoded
from appliance.first_boot_once import OWN_KEY
from appliance.first_boot_words import FILE, Fault, fault
from appliance.key_book import BookError
from appliance.key_changes import NotBelieved, taken
from appliance.key_file import BookUnreadable
from appliance.key_office import NOT_TAKEN, RELEASED, Office
from appliance.key_statement import Grant, StatementError, same_code
from appliance.keys import KeyFileError, public_hex
from appliance.model import Role
from appliance.toml_lines import Where, spots

STATE, RUN, SOCKET = "/var/lib/siaga", "/run/siaga/core", "/run/siaga/annunciator/annunciator.sock"
SOUND = "/run/siaga/audio"  # as it is where nothing is said
REASON = re.compile(r"([a-z_0-9.\[\]-]+): (.*)", re.DOTALL)
STEP = re.compile(r"[^.\[\]]+")
GRANT_REFUSED = (BookError, BookUnreadable, StatementError, KeyFileError, OSError, ValueError)


class NewSite(msgspec.Struct, frozen=True):
    text: str
    site: Site


def new_site(told: Appliance, text: str, scratch: Path, core: int | None) -> tuple[NewSite | None, list[Fault]]:
    """`core`: the user number of core on this box, where it is known. The text is checked as the box will read it."""
    data = decoded(text.encode(), told.site)[1]
    where = spots(text)
    faults: list[Fault] = []

    def say(code: str, path: Where, file: str = told.site, **fields: Any) -> None:
        spot = where.get(path) or where.get(path[:-1]) if file == told.site else None
        key = ".".join(str(step) for step in path)
        faults.append(fault(code, key, file=file, line=spot.line if spot else 0, **fields))

    if data.get("role") in ("centre", "station") and data["role"] != told.role:
        say("role_differs", ("box", "role"), FILE, site=told.site, other=data["role"])
    if told.mqtt:
        host, port = told.mqtt
        broker = data.get("broker")
        if broker is None:
            text = f'{text.rstrip()}\n\n# From [mqtt] of {FILE}.\n[broker]\nhost = "{host}"\nport = {port}\n'
        elif (broker.get("host"), broker.get("port", 8883)) != (host, port):
            say(
                "broker_differs",
                ("mqtt",),
                FILE,
                site=told.site,
                other=f"{broker.get('host')}:{broker.get('port', 8883)}",
            )
    annunciator = data.get("annunciator") if isinstance(data.get("annunciator"), dict) else None
    sound = data["sound"] if isinstance(data.get("sound"), dict) else {}
    for path, given, must in (
        (("state",), data.get("state"), STATE),
        (("run",), data.get("run"), RUN),
        (("key",), data.get("key"), f"{STATE}/own.key"),
        (("sound", "run"), sound.get("run") or SOUND, SOUND),
        (("annunciator", "socket"), (annunciator or {}).get("socket"), SOCKET),
        (("annunciator", "factory"), (annunciator or {}).get("factory"), "lgpio"),
    ):
        if given != must and not (path[-1] == "factory" and told.profile == "virt"):
            say("site_place", path, must=f'"{must}"')
    if core is not None and annunciator is not None and "uids" not in annunciator and ("annunciator",) in where:
        header = where["annunciator",]
        text = f"{text[: header.end]}\nuids = [{core}] # core's user on this box{text[header.end :]}"
    elif core is not None and core not in ((annunciator or {}).get("uids") or ()):
        say("site_place", ("annunciator", "uids"), must=f"[{core}]")
    site, wrong = _loaded(text, told.site, scratch)
    return (NewSite(text, site) if site and not faults else None), faults + wrong


def _loaded(text: str, name: str, scratch: Path) -> tuple[Site | None, list[Fault]]:
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = scratch / "checked.toml"
    file.touch(mode=0o600)
    try:
        file.write_text(text)
        return load_site(file), []
    except SiteError as e:
        where = spots(text)
        faults = []
        for reason in e.reasons:
            found = REASON.fullmatch(reason)
            key = found[1] if found else ""
            path: Where = tuple(int(s) if s.isdigit() else s for s in STEP.findall(key))
            spot = where.get(path) or where.get(path[:-1])
            why = found[2] if found else reason
            faults.append(fault("site_refused", key, file=name, line=spot.line if spot else 0, why=why))
        return None, faults
    finally:
        file.unlink()


def office_of(site: Site, data: Path) -> Office:
    """Of the box whose data partition this is."""
    state = data / "siaga"
    profiles = profile_folder(site, data / "etc/site.toml")
    where = Places(state=state, run=state, key=data / OWN_KEY, profiles=profiles, sound=state)
    now = time.time()  # a board without a battery clock does not know it: then a key's age is not known
    return Office(site, where, now if now > RELEASED else 0.0)


def take_grant(site: Site, data: Path, line: str, code: str, *, only_try: bool) -> list[Fault]:
    """Believe the centre whose grant lies beside the file, if its words are those that a person compared."""
    if site.role is not Role.STATION:
        return []
    office = office_of(site, data)
    try:
        sealed = office.opened_grant(line)
        if not same_code(code, sealed.code):
            raise StatementError("its words are not those of `code`; it is another grant than the centre wrote.")
        if not only_try:
            office.take(sealed)
            return []
        grant = sealed.statement
        assert isinstance(grant, Grant)
        own = [public_hex(key) for key in office.store.private_keys()]
        try:
            taken(office.store.read(), grant, own, wall=0.0)
        except NotBelieved as e:
            raise BookError(NOT_TAKEN[e.code]) from e
    except GRANT_REFUSED as e:
        return [fault("grant_refused", "keys.grant", why=e)]
    return []

"""The site file: one TOML a node, every key known, every reference checked, refused whole when something is wrong."""

import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from appliance.annunciator_config import AnnunciatorConfig
from appliance.annunciator_config import check as check_annunciator
from appliance.keys import KeyFileError, public_key
from appliance.model import Ladder, Pattern, Role

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
AnyPort = Annotated[int, msgspec.Meta(ge=0, le=65535)]  # 0: any free one
PublicKey = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[str, msgspec.Meta(pattern=r"^\+?[0-9]{3,15}$")]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=3600)]

ZONES = {"WIB": ZoneInfo("Asia/Jakarta"), "WITA": ZoneInfo("Asia/Makassar"), "WIT": ZoneInfo("Asia/Jayapura")}
PLACEHOLDER = "+620"  # no Indonesian network assigns a number that begins so: demo and unfinished files use it


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the site file."""


class Web(Struct, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: Port = 8112


class Broker(Struct, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: Port = 1883


class Issuer(Struct, frozen=True, kw_only=True):
    """Who may order this station's siren."""

    name: Name
    key: PublicKey
    sms: Number | None = None  # where answers by SMS go; orders by SMS from elsewhere are not answered


class Station(Struct, frozen=True, kw_only=True):
    """A station as the centre knows it. `local`: this box's own siren, over GPIO, without key or number."""

    id: Name
    number: Annotated[int, msgspec.Meta(ge=1, le=0xFFFFFFFF)]
    name: str
    key: PublicKey | None = None
    sms: Number | None = None
    phone: Number | None = None
    local: bool = False


class Own(Struct, frozen=True, kw_only=True):
    """This box as a station (role `station`)."""

    id: Name
    number: Annotated[int, msgspec.Meta(ge=1, le=0xFFFFFFFF)]
    siren: Name
    light: Name | None = None
    acknowledge: Name | None = None  # input
    silence: Name | None = None  # input that ends the sound here; the order stands, and the centre is told
    feedback: Name | None = None  # input that proves the siren's current
    max_s: Seconds = 600
    sounding_test: bool = False


class ButtonPlan(Struct, frozen=True, kw_only=True):
    """What the centre's physical siren button orders."""

    stations: tuple[Name, ...]
    pattern: Pattern = Pattern.WAIL
    seconds: Seconds = 60


class Line(Struct, frozen=True, kw_only=True):
    id: Name
    name: str
    port: str
    number: Number
    armed: bool = False  # a real line on a real network; refused while numbers are placeholders


class Bus(Struct, frozen=True, kw_only=True):
    id: Name
    kind: Literal["rtu", "tcp"]
    port: str = ""  # rtu: device
    baud: Literal[2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    host: str = ""  # tcp
    tcp_port: Port = 502


class Device(Struct, frozen=True, kw_only=True):
    """A generator controller or a UPS on a bus."""

    id: Name
    name: str
    bus: Name
    unit: Annotated[int, msgspec.Meta(ge=0, le=247)] = 1
    profile: Name | str
    poll_s: Annotated[float, msgspec.Meta(ge=0.2, le=60)] = 1.0


class Power(Struct, frozen=True, kw_only=True):
    start_s: Annotated[float, msgspec.Meta(ge=10, le=600)] = 90.0  # three cranks and their rests; then it has failed


class Trunk(Struct, frozen=True, kw_only=True):
    """The 112 trunk's gateway, watched by SIP OPTIONS."""

    host: str
    port: Port = 5060
    poll_s: Annotated[float, msgspec.Meta(ge=1, le=60)] = 2.0


class Site(Struct, frozen=True, kw_only=True):
    role: Role
    site: Name
    id: Name
    name: str
    zone: Literal["WIB", "WITA", "WIT"] = "WIT"
    language: Literal["id", "en"] = "id"
    state: str = "state"  # folder, relative to the file
    run: str = "run"  # folder of the sockets
    key: str = "own.key"  # file with this box's secret key
    web: Web = Web()
    broker: Broker | None = None
    annunciator: AnnunciatorConfig
    amber: Name | None = None  # the light that says "mains lost"
    own: Own | None = None
    ladder: Ladder = Ladder()
    button: ButtonPlan | None = None
    power: Power = Power()
    trunk: Trunk | None = None
    issuer: tuple[Issuer, ...] = ()
    station: tuple[Station, ...] = ()
    line: tuple[Line, ...] = ()
    bus: tuple[Bus, ...] = ()
    genset: tuple[Device, ...] = ()
    ups: tuple[Device, ...] = ()
    profiles: str = ""  # folder of device profiles; empty: the ones that come with Siaga


class SiteError(Exception):
    """A site file that is not taken. `reasons` name file, key and what is wrong."""

    def __init__(self, file: Path, reasons: list[str]) -> None:
        self.file, self.reasons = file, reasons
        super().__init__("\n".join(f"{file}: {r}" for r in reasons))


def load_site(file: Path) -> Site:
    """Read and check a site file. Raises SiteError that names every reason found."""
    try:
        text = file.read_bytes()
    except OSError as e:
        raise SiteError(file, [f"cannot be read ({e.strerror}); give the path of a site file."]) from e
    try:
        site = msgspec.toml.decode(text, type=Site)
    except msgspec.ValidationError as e:
        raise SiteError(file, [_key_first(str(e))]) from e
    except msgspec.DecodeError as e:
        raise SiteError(file, [f"is not TOML: {e}."]) from e
    if reasons := _contradictions(site, file):
        raise SiteError(file, reasons)
    return site


def _key_first(error: str) -> str:
    """msgspec says "Expected `int`, got `str` - at `$.web.port`"; a person looks for the key first."""
    found = re.fullmatch(r"(.*) - at `\$\.?(.*)`", error)
    return f"{found[2] or 'top level'}: {found[1]}." if found else f"top level: {error}."


def _contradictions(site: Site, file: Path) -> list[str]:
    reasons = [f"annunciator.{r}" for r in check_annunciator(site.annunciator)]
    for what, ids in (
        ("station", [s.id for s in site.station]),
        ("line", [x.id for x in site.line]),
        ("bus", [b.id for b in site.bus]),
        ("genset and ups", [d.id for d in site.genset + site.ups]),
        ("issuer", [i.name for i in site.issuer]),
        ("station.number", [str(s.number) for s in site.station]),
    ):
        reasons += [f"{what}: {i!r} stands there twice." for i in sorted({i for i in ids if ids.count(i) > 1})]
    outputs, inputs = set(site.annunciator.output), set(site.annunciator.input)
    reasons += _missing("amber", [site.amber], outputs)
    if site.role is Role.STATION:
        if site.own is None:
            reasons.append("own: a station needs this table: its id, number and siren.")
        if not site.issuer:
            reasons.append("issuer: a station needs at least one, else nobody can order it.")
    if site.own:
        reasons += _missing("own.siren", [site.own.siren], outputs)
        reasons += _missing("own.light", [site.own.light], outputs)
        reasons += _missing("own.acknowledge", [site.own.acknowledge], inputs)
        reasons += _missing("own.silence", [site.own.silence], inputs)
        reasons += _missing("own.feedback", [site.own.feedback], inputs)
    reasons += _weak_keys(site)
    stations = {s.id for s in site.station}
    if site.button:
        reasons += _missing("button.stations", site.button.stations, stations)
    for station in site.station:
        where = f"station {station.id!r}"
        if station.local and site.own is None:
            reasons.append(f"{where}: local = true needs an [own] table that names the siren.")
        if not station.local and station.key is None:
            reasons.append(f"{where}: key is missing; without it no answer can be believed.")
    reasons += _missing("bus of a genset or ups", [d.bus for d in site.genset + site.ups], {b.id for b in site.bus})
    folder = profile_folder(site, file)
    for table, devices in (("gensets", site.genset), ("ups", site.ups)):
        for device in devices:
            if not (folder / table / f"{device.profile}.toml").is_file():
                reasons.append(f"{device.id}.profile: there is no {table}/{device.profile}.toml in {folder}.")
    for bus in site.bus:
        if not (bus.port if bus.kind == "rtu" else bus.host):
            reasons.append(f"bus {bus.id!r}: {'port' if bus.kind == 'rtu' else 'host'} is missing.")
    numbers = [n for s in site.station for n in (s.sms, s.phone) if n] + [x.number for x in site.line]
    if any(x.armed for x in site.line) and (fake := sorted({n for n in numbers if n.startswith(PLACEHOLDER)})):
        reasons.append(f"line.armed: numbers that no network assigns stand in this file: {', '.join(fake)}.")
    return reasons


def _weak_keys(site: Site) -> list[str]:
    reasons = []
    keys = [(f"station {s.id!r}: key", s.key) for s in site.station] + [
        (f"issuer {i.name!r}: key", i.key) for i in site.issuer
    ]
    for where, key in keys:
        try:
            if key is not None:
                public_key(key, where)
        except KeyFileError as e:
            reasons.append(str(e))
    return reasons


def _missing(key: str, wanted: "tuple[str | None, ...] | list[str | None] | list[str]", there: set[str]) -> list[str]:
    return [
        f"{key}: there is no {name!r} (there is: {', '.join(sorted(there)) or 'nothing'})."
        for name in wanted
        if name is not None and name not in there
    ]


def profile_folder(site: Site, file: Path) -> Path:
    """Where gensets/*.toml, ups/*.toml and modems/*.toml are."""
    if site.profiles:
        return (file.parent / site.profiles).resolve()
    return Path(__file__).resolve().parent.parent / "firmware-config"


class Places(Struct, frozen=True, kw_only=True):
    """The absolute paths of one node."""

    state: Path
    run: Path
    key: Path
    profiles: Path

    @property
    def journal(self) -> Path:
        return self.state / "journal.db"

    @property
    def people(self) -> Path:
        return self.state / "people.json"

    @property
    def control(self) -> Path:
        return self.run / "control.sock"


def places(site: Site, file: Path) -> Places:
    """Resolve the file's folders against its own."""
    here = file.resolve().parent
    return Places(
        state=here / site.state, run=here / site.run, key=here / site.key, profiles=profile_folder(site, file)
    )

"""The site file: one TOML a node, every key known, every reference checked, refused whole when something is wrong."""

import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from appliance.annunciator_config import AnnunciatorConfig
from appliance.config_alarms import Duty, Notify
from appliance.config_alerting import Contact, Group, Quiet, Supervision, Watch, Zone
from appliance.config_desk import Agency, DeskRules, PrankRules
from appliance.config_power import Bus, Contacts, Genset, PowerRules, Ups
from appliance.config_power import Device as Meter
from appliance.config_sound import LineSound, SoundRules
from appliance.model import Ladder, Language, Pattern, Role

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
PublicKey = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[str, msgspec.Meta(pattern=r"^\+?[0-9]{3,15}$")]
Pin = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4,8}$")]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=3600)]

ZONES = {"WIB": ZoneInfo("Asia/Jakarta"), "WITA": ZoneInfo("Asia/Makassar"), "WIT": ZoneInfo("Asia/Jayapura")}
SOUND_FOLDER = "audio"  # beside core's folder, which systemd removes with core; a talk goes on without core
MOST_OCTETS = 1_000_000  # a city with 1,000 stations has some 200,000
PLACEHOLDER = "+620"  # no Indonesian network assigns a number that begins so: demo and unfinished files use it


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the site file."""


class Web(Struct, frozen=True, kw_only=True):
    """`tls`: by an authority of the box's own; not said: where other machines than the box itself are served."""

    host: str = "127.0.0.1"
    port: Port = 8112
    tls: bool | None = None
    tls_port: Port = 8443
    names: tuple[str, ...] = ()  # host names and addresses of the box that it cannot know by itself

    @property
    def secured(self) -> bool:
        return self.host not in ("127.0.0.1", "::1", "localhost") if self.tls is None else self.tls


class Broker(Struct, frozen=True, kw_only=True):
    """`tls`: with the certificate that `siaga keys` gave this box; without it the broker is anybody's."""

    host: str = "127.0.0.1"
    port: Port = 8883
    tls: bool = True


class Issuer(Struct, frozen=True, kw_only=True):
    """Who may order this station's siren."""

    name: Name
    key: PublicKey | None = None  # None: `siaga keys enrol` brings it
    sms: tuple[Number, ...] = ()  # its modems: answers by SMS go to the one that asked, else to the first


class Station(Struct, frozen=True, kw_only=True):
    """A station as the centre knows it. `local`: this box's own siren, over GPIO, without key or number."""

    id: Name
    number: Annotated[int, msgspec.Meta(ge=1, le=0xFFFFFFFF)]
    name: str
    key: PublicKey | None = None
    sms: Number | None = None
    phone: Number | None = None
    local: bool = False
    language: Language = "id"
    zones: tuple[Name, ...] = ()  # in the order in which its own site file has them
    profile: Name | None = None  # of [supervision.profile.NAME]: how often it is heard


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
    zone: tuple[Zone, ...] = ()
    quiet: Quiet | None = None
    watch: Watch = Watch()
    profile: Name | None = None  # of [supervision.profile.NAME]


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
    pin: Pin | None = None  # of the SIM; never shown, never written
    credit: Literal["prepaid", "postpaid"] = "prepaid"  # postpaid: never asked
    sound: LineSound | None = None  # None: its calls have no sound at the box

    def __repr__(self) -> str:
        """Without the PIN: what is printed lands in logs."""
        return f"Line(id={self.id!r}, port={self.port!r}, pin={'set' if self.pin else 'none'})"


class CreditConfig(Struct, frozen=True, kw_only=True):
    """When to warn of a SIM's credit."""

    days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 7  # before it runs out or its validity ends
    low_rupiah: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] | None = None  # None: the operator's plan says


class ClockConfig(Struct, frozen=True, kw_only=True):
    chrony: str = ""  # socket of a chrony reference clock that gets the mobile networks' time


class Calls(Struct, frozen=True, kw_only=True):
    keep_free: Annotated[int, msgspec.Meta(ge=0, le=8)] = 1  # lines that are never dialled from: for who calls in


class Sms(Struct, frozen=True, kw_only=True):
    """How much a SIM may send before its operator takes it for a machine that sends advertisements."""

    per_hour: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 120  # a line's; one each 30 s, as a busy person writes
    burst: Annotated[int, msgspec.Meta(ge=1, le=500)] = 20  # at once, after a quiet time
    speak: bool = True  # what cannot be delivered in writing is spoken, where a line has sound


class Stability(Struct, frozen=True, kw_only=True):
    """When a line that falls and comes back again and again is one fault: a weak supply, a loose plug."""

    falls: Annotated[int, msgspec.Meta(ge=2, le=20)] = 3
    minutes: Annotated[float, msgspec.Meta(ge=0.5, le=120)] = 10.0  # in which, and without one of which it is over


class Trunk(Struct, frozen=True, kw_only=True):
    """The 112 trunk's gateway, or the PBX before it, watched by SIP OPTIONS."""

    host: str
    port: Port = 5060
    poll_s: Annotated[float, msgspec.Meta(ge=1, le=60)] = 2.0
    loss_percent: Annotated[float, msgspec.Meta(ge=1, le=50)] = 10.0  # of datagrams; speech breaks up from 5 or so on
    needs: tuple[Literal["route", "dns", "carrier"], ...] = ()  # without them no call comes, whatever a PBX answers


class Internet(Struct, frozen=True, kw_only=True):
    """What lies between the box and the trunk's provider. What is not named is not watched."""

    route: bool = False
    dns: str = ""  # a name that a resolver must know
    resolvers: tuple[str, ...] = ()  # empty: those of /etc/resolv.conf
    carrier: str = ""  # address that must echo a ping
    poll_s: Annotated[float, msgspec.Meta(ge=1, le=60)] = 5.0


class Fallback(Struct, frozen=True, kw_only=True):
    """What is so while the trunk is gone."""

    automatic: bool = True
    after_s: Annotated[float, msgspec.Meta(ge=0, le=600)] = 20.0  # of a lost trunk; a gateway restarts in less
    steady_min: Annotated[float, msgspec.Meta(ge=0.5, le=120)] = 5.0  # of a good one, until it is over
    citizens: tuple[Number, ...] = ()  # empty: the lines' own
    agencies: tuple[Name, ...] = ()  # of the directory: who must be told


class Site(Struct, frozen=True, kw_only=True):
    role: Role
    site: Name
    id: Name
    name: str
    zone: Literal["WIB", "WITA", "WIT"] = "WIT"
    language: Language = "id"
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
    power: PowerRules = PowerRules()
    credit: CreditConfig = CreditConfig()
    clock: ClockConfig = ClockConfig()
    trunk: Trunk | None = None
    internet: Internet = Internet()
    fallback: Fallback = Fallback()
    duty: tuple[Duty, ...] = ()
    notify: Notify = Notify()
    issuer: tuple[Issuer, ...] = ()
    station: tuple[Station, ...] = ()
    contact: tuple[Contact, ...] = ()
    group: tuple[Group, ...] = ()
    supervision: Supervision = Supervision()
    line: tuple[Line, ...] = ()
    sms: Sms = Sms()
    sound: SoundRules = SoundRules()
    calls: Calls = Calls()
    desk: DeskRules = DeskRules()
    pranks: PrankRules = PrankRules()
    agency: tuple[Agency, ...] = ()
    stability: Stability = Stability()
    bus: tuple[Bus, ...] = ()
    genset: tuple[Genset, ...] = ()
    ups: tuple[Ups, ...] = ()
    meter: tuple[Meter, ...] = ()
    ats: tuple[Contacts, ...] = ()
    profiles: str = ""  # folder of device profiles; empty: the ones that come with Siaga

    @property
    def has_plant(self) -> bool:
        """Whether it measures anything of the building's power."""
        return bool(self.genset or self.ups or self.meter or self.ats)


class SiteError(Exception):
    """A site file that is not taken. `reasons` name file, key and what is wrong."""

    def __init__(self, file: Path, reasons: list[str]) -> None:
        self.file, self.reasons = file, reasons
        super().__init__("\n".join(f"{file}: {r}" for r in reasons))


def load_site(file: Path) -> Site:
    """Read and check a site file. Raises SiteError that names every reason found."""
    try:
        with file.open("rb") as opened:
            text = opened.read(MOST_OCTETS + 1)
    except OSError as e:
        raise SiteError(file, [f"cannot be read ({e.strerror}); give the path of a site file."]) from e
    if len(text) > MOST_OCTETS:
        raise SiteError(file, [f"is longer than {MOST_OCTETS} octets; that is no site file."])
    try:
        site = msgspec.toml.decode(text.decode(), type=Site)
    except UnicodeDecodeError as e:
        raise SiteError(file, [f"is not text in UTF-8 (octet {e.start}); save it as such."]) from e
    except msgspec.ValidationError as e:
        raise SiteError(file, [_key_first(str(e))]) from e
    except msgspec.DecodeError as e:
        raise SiteError(file, [f"is not TOML: {e}."]) from e
    from appliance.config_check import contradictions  # it needs the structs of this module

    if reasons := contradictions(site, profile_folder(site, file)):
        raise SiteError(file, reasons)
    return site


def _key_first(error: str) -> str:
    """msgspec says "Expected `int`, got `str` - at `$.web.port`"; a person looks for the key first."""
    found = re.fullmatch(r"(.*) - at `\$\.?(.*)`", error)
    return f"{found[2] or 'top level'}: {found[1]}." if found else f"top level: {error}."


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
    sound: Path  # folder of the audio process's sockets
    phrases: Path | None = None

    @property
    def audio(self) -> Path:
        return self.sound / "audio.sock"

    @property
    def audio_stream(self) -> Path:
        return self.sound / "audio-stream.sock"

    @property
    def calls(self) -> Path:
        return self.state / "recordings"

    @property
    def journal(self) -> Path:
        return self.state / "journal.db"

    @property
    def telemetry(self) -> Path:
        return self.state / "telemetry.db"

    @property
    def recordings(self) -> Path:
        return self.state / "modem"

    @property
    def people(self) -> Path:
        return self.state / "people.json"

    @property
    def keys(self) -> Path:
        """The book of keys."""
        return self.state / "keys.json"

    @property
    def broker(self) -> Path:
        """What mosquitto needs, at a centre."""
        return self.state / "broker"

    @property
    def tls(self) -> Path:
        """Of web's user alone."""
        return self.state / "tls"

    @property
    def control(self) -> Path:
        return self.run / "control.sock"


def places(site: Site, file: Path) -> Places:
    """Resolve the file's folders against its own."""
    here = file.resolve().parent
    return Places(
        state=here / site.state, run=here / site.run, key=here / site.key, profiles=profile_folder(site, file),
        sound=here / site.sound.run if site.sound.run else (here / site.run).with_name(SOUND_FOLDER),
        phrases=here / site.sound.phrases if site.sound.phrases else None,
    )  # fmt: skip

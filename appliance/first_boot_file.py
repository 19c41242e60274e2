"""`appliance.toml`: what a box is told on its FAT partition. Refused whole, with everything that is wrong."""

import ipaddress
import re
import tomllib
from typing import Any, Literal

import msgspec

from appliance import first_boot_checks as may
from appliance.first_boot_checks import Bad, Check
from appliance.first_boot_words import FILE, Fault, fault
from appliance.toml_lines import Spot, Where, spots

MOST_OCTETS = 64_000
AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface

# Table, key: check, and the line that an error shows where the key must be given.
KEYS: dict[str, dict[str, tuple[Check, str]]] = {
    "": {"site": (may.file_name, "")},
    "box": {
        "role": (may.one_of("centre", "station"), 'role = "station"'),
        "name": (may.host, 'name = "damkar-kota"'),
        "profile": (may.one_of("pi4", "pi5", "virt"), 'profile = "pi4"'),
        "fault_lamp": (may.whole(9, 27, "fault_lamp = 23"), ""),
    },
    "network": {
        "dhcp": (may.flag, ""),
        "address": (may.interface, ""),
        "gateway": (may.address('gateway = "192.168.112.1"'), ""),
        "dns": (may.several(may.address('dns = ["192.168.112.1"]'), 'dns = ["192.168.112.1"]'), ""),
        "vlan": (may.whole(1, 4094, "vlan = 112"), ""),
    },
    "network.wifi": {
        "ssid": (may.like(re.compile(r"[^\x00-\x1f\x7f]{1,32}"), "nama jaringan", "a network's name", '"kantor"'),
                 'ssid = "kantor"'),
        "password": (may.wifi_password, 'password = "..."'),
        "country": (may.like(re.compile("[A-Z]{2}"), "kode negara", "a country's code", 'country = "ID"'), ""),
    },
    "time": {"ntp": (may.several(may.server, 'ntp = ["192.168.112.1"]'), "")},
    "ssh": {"keys": (may.several(may.ssh_key, 'keys = ["ssh-ed25519 AAAA... budi"]'), "")},
    "mqtt": {"host": (may.server, 'host = "192.168.112.10"'), "port": (may.whole(1, 65535, "port = 8883"), "")},
    "keys": {"grant": (may.file_name, 'grant = "grant.txt"'),
             "code": (may.words, 'code = "lusab babad gutih tugad"')},
}  # fmt: skip
PERSON: dict[str, tuple[Check, str]] = {
    "name": (may.person, 'name = "budi"'),
    "role": (may.one_of("operator", "supervisor", "technician"), 'role = "supervisor"'),
    "password": (may.password(), 'password = "..."'),
}
MUST: set[tuple[str, str]] = {(table, key) for table, keys in KEYS.items() for key, (_, line) in keys.items() if line}
SECRETS = (("network", "wifi", "password"), ("keys", "code"), ("person", "*", "password"))


class Wifi(msgspec.Struct, frozen=True):
    ssid: str
    password: str  # empty: as the box has it
    country: str = "ID"


class Person(msgspec.Struct, frozen=True):
    name: str
    role: Literal["operator", "supervisor", "technician"]
    password: str


class Appliance(msgspec.Struct, frozen=True, kw_only=True):
    """A file without fault."""

    role: str
    name: str
    profile: str
    fault_lamp: int | None = None
    address: Interface | None = None  # None: DHCP
    gateway: Address | None = None
    dns: tuple[Address, ...] = ()
    vlan: int | None = None
    wifi: Wifi | None = None
    ntp: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    mqtt: tuple[str, int] | None = None
    grant: str = ""
    code: str = ""
    people: tuple[Person, ...] = ()
    site: str = "site.toml"


class Refused(Exception):
    """`lamp`: the pin of the fault lamp, where that much of the file is good."""

    def __init__(self, faults: list[Fault], lamp: int | None = None) -> None:
        super().__init__("\n".join(one.told(1) for one in faults))
        self.faults, self.lamp = faults, lamp


def decoded(octets: bytes, file: str) -> tuple[str, dict[str, Any]]:
    """Text and tables of a TOML file. Raises Refused."""
    try:
        text = octets.decode("utf-8-sig")  # as Notepad saves it
        return text, tomllib.loads(text.replace("\r\n", "\n"))
    except UnicodeDecodeError as e:
        raise Refused([fault("not_utf8", "", file=file, octet=e.start)]) from e
    except tomllib.TOMLDecodeError as e:
        at = AT_LINE.search(str(e))
        # At the text's end: the last line that is not empty.
        line = int(at[1]) if at else len(text.rstrip().splitlines())
        why = AT_LINE.sub("", str(e)).strip()
        raise Refused([fault("not_toml", "", file=file, line=line, why=why)]) from e


def read(octets: bytes) -> Appliance:
    """Raises Refused, with every fault."""
    if len(octets) > MOST_OCTETS:
        raise Refused([fault("too_long", "", most=MOST_OCTETS)])
    text, data = decoded(octets, FILE)
    return _Reading(data, spots(text)).whole()


class _Reading:
    def __init__(self, data: dict[str, Any], lines: dict[Where, Spot]) -> None:
        self._data, self._lines = data, lines
        self._faults: list[Fault] = []
        self._good: dict[str, Any] = {}

    def whole(self) -> Appliance:
        for name, keys in KEYS.items():
            path: Where = tuple(filter(None, name.split(".")))
            table = self._table(path)
            if table is not None:
                beneath = {n.split(".")[-1] for n in KEYS if n and n.rpartition(".")[0] == name}
                if not name:
                    beneath |= {"person"}
                self._take(path, table, keys, beneath)
        people = self._people()
        self._together()
        if self._faults:
            raise Refused(sorted(self._faults, key=lambda f: f.line), self._good.get("box.fault_lamp"))
        get = self._good.get
        wifi = Wifi(get("network.wifi.ssid", ""), get("network.wifi.password", ""), get("network.wifi.country", "ID"))
        return Appliance(
            role=get("box.role", ""), name=get("box.name", ""), profile=get("box.profile", ""),
            fault_lamp=get("box.fault_lamp"), address=get("network.address"), gateway=get("network.gateway"),
            dns=get("network.dns", ()), vlan=get("network.vlan"), wifi=wifi if wifi.ssid else None,
            ntp=get("time.ntp", ()), ssh=get("ssh.keys", ()),
            mqtt=(get("mqtt.host", ""), get("mqtt.port", 8883)) if "mqtt.host" in self._good else None,
            grant=get("keys.grant", ""), code=get("keys.code", ""), people=people, site=get("site", "site.toml"),
        )  # fmt: skip

    def say(self, code: str, path: Where, **fields: Any) -> None:
        spot = self._lines.get(path) or self._lines.get(path[:-1])
        told = ".".join(f"{step}" for step in path)
        self._faults.append(fault(code, told, line=spot.line if spot else 0, **fields))

    def _table(self, path: Where) -> dict[str, Any] | None:
        """None where it is not given and need not be."""
        table: Any = self._data
        for step in path:
            table = table.get(step) if isinstance(table, dict) else None
        if table is None and path == ("box",):
            return {}
        if table is not None and not isinstance(table, dict):
            self.say(
                "wrong_type", path, type_id="sebuah tabel", type_en="a table", example=f"[{'.'.join(map(str, path))}]"
            )
            return None
        return table

    def _take(
        self, path: Where, table: dict[str, Any], keys: dict[str, tuple[Check, str]], beneath: set[str]
    ) -> dict[str, Any]:
        known = ", ".join(sorted({*keys, *beneath}))
        for key in table:
            if key not in keys and key not in beneath:
                self.say("unknown_key", (*path, key), known=known)
        good: dict[str, Any] = {}
        for key, (check, line) in keys.items():
            if key in table:
                try:
                    good[key] = check(table[key])
                except Bad as e:
                    self.say(e.code, (*path, key), **e.fields)
            elif line:
                self.say("missing", (*path, key), example=line)
        self._good |= {".".join(map(str, (*path, key))): value for key, value in good.items()}
        return good

    def _people(self) -> tuple[Person, ...]:
        rows = self._data.get("person", [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self.say("wrong_type", ("person",), type_id="[[person]]", type_en="[[person]]", example="[[person]]")
            return ()
        people = []
        for n, row in enumerate(rows):
            good = self._take(("person", n), row, PERSON, set())
            if len(good) == len(PERSON):
                people.append(Person(**good))
            if "name" in good and good["name"] in {p.name for p in people[:-1]}:
                self.say("twice", ("person", n, "name"))
        return tuple(people)

    def _together(self) -> None:
        """What no key says alone."""
        good = self._good
        interface, gateway = good.get("network.address"), good.get("network.gateway")
        if good.get("network.dhcp") and interface:
            self.say("dhcp_and_address", ("network", "address"))
        if good.get("network.dhcp") is False and "address" not in self._data.get("network", {}):
            self.say("missing", ("network", "address"), example='address = "192.168.112.10/24"')
        if gateway and interface and gateway not in interface.network:
            self.say("gateway_outside", ("network", "gateway"), network=interface.network)
        if gateway and "address" not in self._data.get("network", {}):
            self.say("needs", ("network", "gateway"), other="network.address")
        if good.get("box.role") == "centre":
            for table in ("mqtt", "keys"):
                if table in self._data:
                    self.say("only_station", (table,))

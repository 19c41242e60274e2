"""A centre and a station as folders with site files, enrolled by the office, and a broker that has their list."""

from pathlib import Path

import msgspec

from appliance.config import Places, Site, load_site, places
from appliance.key_authority import BROKER, key_pem
from appliance.key_file import read_book
from appliance.key_office import Office
from appliance.keys import load_key
from drivers.tls import Credential

WALL = 1_800_000_000.0
ANNUNCIATOR = {"socket": "a.sock", "factory": "mock", "output": {"siren": {"pin": 17, "kind": "siren", "max_s": 600}}}
STATIONS = {"damkar": 7, "passo": 8}


def centre_site(port: int = 8883) -> Site:
    return msgspec.convert(
        {
            "role": "centre", "site": "kota", "id": "pusat", "name": "Pusat", "annunciator": ANNUNCIATOR,
            "broker": {"port": port},
            "station": [{"id": id, "number": number, "name": id} for id, number in STATIONS.items()],
        },
        Site,
    )  # fmt: skip


def station_site(id: str, port: int = 8883) -> Site:
    return msgspec.convert(
        {
            "role": "station", "site": "kota", "id": id, "name": id, "annunciator": ANNUNCIATOR,
            "broker": {"port": port}, "issuer": [{"name": "pusat"}],
            "own": {"id": id, "number": STATIONS[id], "siren": "siren"},
        },
        Site,
    )  # fmt: skip


def stolen_credential(file: Path) -> Credential:
    """The centre's own, for the broker."""
    site = load_site(file)
    where = places(site, file)
    book, key = read_book(where.keys), load_key(where.key)
    own = book.holders[site.id].current
    assert own is not None
    authority = (where.broker / "authority.crt").read_bytes()
    return Credential(authority, own.certificate.encode(), key_pem(key), "")


class Boxes:
    """One office a box."""

    def __init__(self, folder: Path, port: int = 8883) -> None:
        self.sites = {"pusat": centre_site(port), **{id: station_site(id, port) for id in STATIONS}}
        self.places: dict[str, Places] = {}
        for id, site in self.sites.items():
            (folder / id / "state").mkdir(parents=True)
            self.places[id] = places(site, folder / id / "site.toml")
        self.centre = self.office("pusat")

    def office(self, id: str, wall: float = WALL) -> Office:
        return Office(self.sites[id], self.places[id], wall)

    def enrol(self, id: str) -> None:
        """By two lines, as people carry them."""
        asked = self.centre.opened_request(self.office(id).request(), id)
        granted = self.office(id).opened_grant(self.centre.grant(asked))
        self.office(id).take(granted)

    @property
    def broker_keys(self) -> Path:
        return self.places["pusat"].broker

    def credential(self, id: str) -> Credential:
        office = self.office(id)
        book = office.store.read()
        own = book.self_
        assert own is not None
        assert own.current is not None
        authority = book.trust.authority if book.trust else self.centre.store.broker.authority()
        return Credential(authority.encode(), own.current.certificate.encode(), key_pem(office.own()), BROKER)

    def pem(self, id: str, folder: Path) -> dict[str, str]:
        """Files for strangers' programs: --cafile, --cert, --key of a box."""
        it = self.credential(id)
        files = {"--cafile": it.authority, "--cert": it.certificate, "--key": it.key}
        for option, text in files.items():
            (folder / f"{id}{option}").write_bytes(text)
        return {option: str(folder / f"{id}{option}") for option in files}

"""A centre and a station as folders with site files, enrolled by the office, and a broker that has their list."""

from pathlib import Path
from typing import Any

import msgspec

from appliance.config import Places, Site, places
from appliance.key_office import Office

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

    def pem(self, id: str, folder: Path) -> dict[str, Any]:
        """Files for strangers' programs: --cafile, --cert, --key of a box."""
        from appliance.key_authority import key_pem

        office = self.office(id)
        book = office.store.read()
        own = book.self_
        assert own is not None
        assert own.current is not None
        authority = book.trust.authority if book.trust else self.centre.store.broker.authority()
        files = {"--cafile": authority, "--cert": own.current.certificate, "--key": key_pem(office.own()).decode()}
        for option, text in files.items():
            (folder / f"{id}{option}").write_text(text)
        return {option: str(folder / f"{id}{option}") for option in files}

"""A card for tests of the first boot: its FAT partition, its data partition, its RAM."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from appliance.config import Site, places
from appliance.first_boot import FirstBoot, Outcome
from appliance.first_boot_run import write_run
from appliance.key_office import Office

CONFIG = Path(__file__).parents[2] / "firmware-config/boot/config.txt"
PIN, PASSWORD, WIFI_PASSWORD = "739164", "kopi-susu-manis", "sangat-rahasia"

SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOpbPmCpo8Ua+y1FjaHjI1uULHWaXwI9YgfN8wBXaaV/"

APPLIANCE = f"""\
site = "site.toml"

[box]
role = "station"
name = "damkar-kota"
profile = "pi4"

[network]
address = "192.168.112.11/24"
gateway = "192.168.112.1"
dns = ["192.168.112.1"]

[network.wifi]
ssid = "kantor"
password = "{WIFI_PASSWORD}" # from the note on the router

[time]
ntp = ["192.168.112.1", "pool.example.org"]

[ssh]
keys = ["{SSH_KEY} budi"]

[mqtt]
host = "192.168.112.10"

[[person]]
name = "budi"
role = "supervisor"
password = "{PASSWORD}"
"""

SITE = f"""\
role = "station"
site = "ambon"
id = "damkar-kota"
name = "Damkar Kota"
state = "/var/lib/siaga"
run = "/run/siaga/core"
key = "/var/lib/siaga/own.key"

[annunciator]
socket = "/run/siaga/annunciator/annunciator.sock"
factory = "lgpio"
uids = [995]

[annunciator.output.siren]
pin = 17
kind = "siren"
max_s = 600

[own]
id = "damkar-kota"
number = 11
siren = "siren"

[[issuer]]
name = "pusat"
sms = ["+62000000001"]

[[line]]
id = "l1"
name = "Modem"
port = "/dev/serial/by-path/one"
number = "+62000000011"
pin = "{PIN}" # of the SIM
"""


class PowerCut(BaseException):
    """No code of ours catches it: what was not on the disk yet is not there."""


class Card:
    def __init__(self, folder: Path) -> None:
        self.boot, self.data, self.run = folder / "boot", folder / "data", folder / "run/siaga"
        for made in (self.boot, self.data, self.run):
            made.mkdir(parents=True)
        self.write(APPLIANCE)
        self.write(SITE, "site.toml")
        self.write(CONFIG.read_text(), CONFIG.name)

    def write(self, text: str, name: str = "appliance.toml") -> None:
        (self.boot / name).write_text(text)

    def read(self, name: str = "appliance.toml") -> str:
        return (self.boot / name).read_text()

    def start(self, **more: Any) -> Outcome:
        """One boot."""
        outcome = FirstBoot(self.boot, self.data, self.run / "first-boot", **more).run()
        write_run(outcome, self.data, self.run)
        return outcome

    def start_until(self, step: int) -> bool:
        """One boot whose power is cut before its step number `step`; whether it came so far."""
        left = [step]

        def cut(_what: str) -> None:
            if not left[0]:
                raise PowerCut
            left[0] -= 1

        try:
            self.start(step=cut)
        except PowerCut:
            return True
        return False

    def holds(self, secret: str) -> list[Path]:
        """Files of the FAT partition in which it stands."""
        return [file for file in self.boot.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]

    def kept(self, name: str) -> str:
        file = self.data / name
        return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def a_centre(folder: Path) -> Office:
    """Whose site file knows the card's station."""
    site = msgspec.convert(
        {
            "role": "centre", "site": "ambon", "id": "pusat", "name": "Pusat",
            "annunciator": {"socket": "a.sock", "factory": "mock"},
            "station": [{"id": "damkar-kota", "number": 11, "name": "Damkar Kota"}],
        },
        Site,
    )  # fmt: skip
    (folder / "state").mkdir(parents=True)
    office = Office(site, places(site, folder / "site.toml"), 1_800_000_000.0)
    office.init()
    return office

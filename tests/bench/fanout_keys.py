"""Keys for a broker as a box has it: the centre's own, and one user for all simulated stations of a bench."""

import shutil
import time
from pathlib import Path
from typing import Any

import msgspec

from appliance.config import Site, places
from appliance.key_authority import client_certificate, key_pem, make_key
from appliance.key_broker import ACL
from appliance.key_office import Office
from drivers.sim.broker import Broker

USER = "fanout"  # a box has one for each station; each of these 1,000 would be a certificate to make
PEM = "stations.pem"


def broker_with_keys(folder: Path, site: dict[str, Any], file: Path) -> Broker:
    """Makes the keys of the centre that `site` describes and `file` will hold. Raises key errors, OSError."""
    centre = msgspec.convert(site, Site)
    office = Office(centre, places(centre, file), time.time())
    office.init()
    there = folder / "broker-keys"  # a copy, as on a box: core writes its own anew
    shutil.copytree(office.store.broker.folder, there)
    key = make_key()
    certificate = client_certificate(office.store.broker.signer(), USER, key.public_key())
    (there / PEM).write_bytes(key_pem(key) + certificate)
    with (there / ACL).open("a") as acl:
        acl.write(f"user {USER}\ntopic readwrite siaga/{centre.site}/#\n")
    return Broker(folder, keys=there)

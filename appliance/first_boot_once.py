"""What a box makes of itself once and keeps: machine id, host keys of SSH, its own key. Each whole, or made again."""

import os
import uuid
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from appliance.first_boot_disk import Disk, folder
from appliance.keys import create_key, key_id, load_key

MACHINE_ID = "etc/machine-id"
HOST_KEY = "ssh/ssh_host_ed25519_key"
OWN_KEY = "siaga/own.key"
CORE, WEB = "siaga-core", "siaga-web"


def make_once(disk: Disk) -> list[str]:
    """What was made now. Raises OSError, KeyFileError."""
    data, made = disk.data, []
    for name, mode, user in (("etc", 0o755, ""), ("ssh", 0o755, ""), ("siaga", 0o750, CORE), ("log", 0o755, "")):
        folder(data / name, mode, user)
    if not (data / MACHINE_ID).exists():
        disk.write(data / MACHINE_ID, f"{uuid.uuid4().hex}\n".encode(), 0o444)
        made.append("machine-id")
    if not (data / HOST_KEY).exists() or not (data / f"{HOST_KEY}.pub").exists():
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        # The public half first: with the secret one in place both are there.
        disk.write(data / f"{HOST_KEY}.pub", public + b"\n", 0o644)
        disk.write(data / HOST_KEY, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()), 0o600)
        made.append("ssh host key")
    own = data / OWN_KEY
    if not own.exists():
        create_key(own)
        if os.geteuid() == 0:
            owner = own.parent.stat()
            os.chown(own, owner.st_uid, owner.st_gid)
        made.append("own key")
    return made


def fingerprint(data: Path) -> str:
    """The id of the box's own key, as pages and `siaga keys` show it; empty where there is none yet."""
    own = data / OWN_KEY
    return f"{key_id(load_key(own).public_key()):08x}" if own.exists() else ""

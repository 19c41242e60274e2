"""Ed25519 keys of centres and stations: a private file of one line (the seed in hex), public keys as hex in the site.

A key is named on the wire by the first 4 octets of the SHA-256 of its public key.
"""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SEED_SIZE = 32  # octets, RFC 8032; the public key has as many
KEY_ID_SIZE = 4  # octets
# Points of small order (RFC 8032's group has eight; some have a second encoding). A signature by one of these verifies
# for many messages without any secret, and "all zeros", the likeliest placeholder, is one. Sign bit left out.
SMALL_ORDER = frozenset(
    bytes.fromhex(y)
    for y in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)


class KeyFileError(Exception):
    """A key that cannot be used; the text says where it is and what to do next."""


def create_key(path: Path) -> Ed25519PrivateKey:
    """Draw a key and store it at `path`, mode 0600, durable on return. An existing file is never overwritten."""
    key = Ed25519PrivateKey.generate()
    try:
        # Linked only when it is whole: a power cut leaves no key or a good one. mkstemp gives mode 0600.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w") as file:
                as_its_folder(Path(name))
                file.write(key.private_bytes_raw().hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(name, path)
        finally:
            Path(name).unlink()
        sync_directory(path.parent)
    except FileExistsError as e:
        raise KeyFileError(f"{path}: a key is already there; move it away first if it is to be replaced.") from e
    except OSError as e:
        raise KeyFileError(f"{path}: the key cannot be stored ({e.strerror}); see to the directory.") from e
    return key


def load_key(path: Path) -> Ed25519PrivateKey:
    """The private key stored at `path`. Raises KeyFileError for a file that others may read."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise KeyFileError(f"{path}: mode {mode:04o} lets others at the key; run: chmod 600 {path}")
            text = file.read(SEED_SIZE * 2 + 2)  # a line; more is no key and is seen by its length
    except OSError as e:
        raise KeyFileError(f"{path}: the key cannot be read ({e.strerror}); restore it or enrol a new one.") from e
    seed = _octets(text.decode("ascii", "replace"))
    if seed is None:
        raise KeyFileError(f"{path}: this is not one line of 64 hex digits; restore it or enrol a new key.")
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public key as the other side's site file holds it: 64 hex digits."""
    return key.public_key().public_bytes_raw().hex()


def public_key(text: str, where: str) -> Ed25519PublicKey:
    """The public key of 64 hex digits; `where` names the place in the error."""
    octets = _octets(text)
    if octets is None:
        raise KeyFileError(f"{where}: a public key is 64 hex digits; copy it again from the box that it belongs to.")
    if octets[:-1] + bytes([octets[-1] & 0x7F]) in SMALL_ORDER:
        raise KeyFileError(f"{where}: no box has this key, and anybody can sign for it; put the box's own here.")
    return Ed25519PublicKey.from_public_bytes(octets)


def key_id(key: Ed25519PublicKey) -> int:
    """The key's number on the wire, a u32."""
    return int.from_bytes(hashlib.sha256(key.public_bytes_raw()).digest()[:KEY_ID_SIZE])


def _octets(text: str) -> bytes | None:
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        return None
    return octets if len(octets) == SEED_SIZE and len(text.strip()) == SEED_SIZE * 2 else None


def take_name(handle: int, new: Path, file: Path) -> None:
    """`new`, open as `handle` and synced, becomes `file`: a power cut leaves the old or the new one. Raises OSError.

    Also on FAT, which keeps a file's place and length with its name: the file's own sync writes that, not its
    folder's. And it frees the old file's place at its last handle's close, which must not be before.
    """
    held = os.open(file, os.O_PATH) if file.exists() else None
    try:
        new.replace(file)
        os.fsync(handle)
        sync_directory(file.parent)
    finally:
        if held is not None:
            os.close(held)


def as_its_folder(path: Path) -> None:
    """Root at the console makes files for core: whoever owns the folder gets it. Raises OSError."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def sync_directory(path: Path) -> None:
    """The names in it are durable on return. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""The seal over a backup's secrets: the box has only the half that closes it, a code on paper in the safe opens it.

X25519, HKDF-SHA256 and ChaCha20-Poly1305. So the box seals every night by itself, and a stolen stick tells no key.
"""

import secrets
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.key_file import replace_file

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none can be taken for another
GROUPS, GROUP = 7, 4  # 28 letters, some 138 bits: as hard to guess as the keys that it opens
KEY = 32  # octets
NONCE = bytes(12)  # each seal has a key of its own


class WrongCode(Exception):
    """The code does not open this seal; the text says what to do next."""


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the box keeps: the public half, and when it was made, in unix seconds."""

    public: str
    made: float


def new_code() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(GROUP)) for _ in range(GROUPS))


def seal_of(code: str, made: float) -> Seal:
    return Seal(_private(code).public_key().public_bytes_raw().hex(), made)


def read_seal(file: Path) -> Seal | None:
    """None where no code was made yet. Raises OSError, msgspec.DecodeError."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Seal)
    except FileNotFoundError:
        return None


def write_seal(file: Path, seal: Seal) -> None:
    """Raises OSError."""
    replace_file(file, msgspec.json.encode(seal))


def close(seal: Seal, octets: bytes) -> bytes:
    """Sealed: the passing key's public half, then the ciphertext."""
    passing = X25519PrivateKey.generate()
    public = bytes.fromhex(seal.public)
    shared = passing.exchange(X25519PublicKey.from_public_bytes(public))
    begin = passing.public_key().public_bytes_raw()
    return begin + ChaCha20Poly1305(_derived(shared, begin + public)).encrypt(NONCE, octets, None)


def open_sealed(code: str, sealed: bytes) -> bytes:
    """Raises WrongCode."""
    private = _private(code)
    begin, rest = sealed[:KEY], sealed[KEY:]
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(begin))
        key = _derived(shared, begin + private.public_key().public_bytes_raw())
        return ChaCha20Poly1305(key).decrypt(NONCE, rest, None)
    except (InvalidTag, ValueError) as e:
        raise WrongCode("This code does not open this backup: look for a slip, or for the code of that time.") from e


def _private(code: str) -> X25519PrivateKey:
    letters = "".join(letter for letter in code.lower() if letter in LETTERS)
    return X25519PrivateKey.from_private_bytes(_hkdf(letters.encode(), b"siaga backup code 1"))


def _derived(shared: bytes, about: bytes) -> bytes:
    return _hkdf(shared, b"siaga backup seal 1" + about)


def _hkdf(secret: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY, salt=None, info=info).derive(secret)

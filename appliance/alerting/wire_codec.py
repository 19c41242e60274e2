"""What every message of the wire has in common: a fixed big-endian body, the signer's key, 64 octets of Ed25519.

Bytes of any origin raise nothing but `WireError`; what a message means stands in the modules beside this one.
"""

import functools
import struct
from enum import IntEnum, StrEnum
from typing import Final, TypeVar, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from appliance.keys import key_id

SIGNATURE_SIZE: Final = 64  # octets, RFC 8032
ID_SIZE: Final = 8  # octets of an alert id and of a session
NO_ID: Final = bytes(ID_SIZE)  # no alert, or a session that no station ever draws
BATTERY_UNKNOWN: Final = 255


class Flaw(StrEnum):
    """What is wrong with bytes that are no message."""

    LENGTH = "length"
    VERSION = "version"
    UNKNOWN_KEY = "unknown_key"
    SIGNATURE = "signature"
    VALUE = "value"


class WireError(Exception):
    """These bytes or fields are no valid message. `flaw` is for code, the text for people."""

    def __init__(self, flaw: Flaw, text: str) -> None:
        super().__init__(text)
        self.flaw = flaw


class Supply(IntEnum):
    """What feeds the station."""

    UNKNOWN = 0
    MAINS = 1
    BATTERY = 2
    GENERATOR = 3


E = TypeVar("E", bound=IntEnum)


def member(kind: type[E], value: int) -> E:
    """The enumeration's member for a number off the wire."""
    found = kind._value2member_map_.get(value)
    if found is None:
        raise WireError(Flaw.VALUE, f"{value} is no {kind.__name__.lower()}.")
    return cast(E, found)


def first_octet(data: bytes, *versions: int) -> int:
    """The version, which is one of `versions`. A message of another one is so told from a damaged one."""
    if not data:
        raise WireError(Flaw.LENGTH, "There are no octets.")
    if data[0] not in versions:
        expected = " or ".join(f"0x{version:02x}" for version in versions)
        raise WireError(Flaw.VERSION, f"The first octet is 0x{data[0]:02x}, not {expected}.")
    return data[0]


def body_of(data: bytes, size: int) -> bytes:
    """The first `size` octets of a message that has these and a signature, and nothing else."""
    if len(data) != size + SIGNATURE_SIZE:
        raise WireError(Flaw.LENGTH, f"{len(data)} octets instead of {size + SIGNATURE_SIZE}.")
    return data[:size]


def verify(data: bytes, body: bytes, context: bytes, key: Ed25519PublicKey | None, no_key: str) -> None:
    """Raises WireError unless `key` signed `context` and `body`; `no_key` says whose key was not there."""
    if key is None:
        raise WireError(Flaw.UNKNOWN_KEY, no_key)
    try:
        VerifyKey(key.public_bytes_raw()).verify(context + body, data[len(body) :])
    except BadSignatureError as e:
        raise WireError(Flaw.SIGNATURE, "The signature is not that of the key named.") from e


def signed(body: bytes, context: bytes, key: Ed25519PrivateKey) -> bytes:
    """`body` with the signature of it and of `context` behind it."""
    return body + _hand(key).sign(context + body).signature


@functools.lru_cache(maxsize=8)
def _hand(key: Ed25519PrivateKey) -> SigningKey:
    return SigningKey(key.private_bytes_raw())


def pack(layout: struct.Struct, *values: int | bytes) -> bytes:
    try:
        return layout.pack(*values)
    except struct.error as e:
        raise WireError(Flaw.VALUE, f"A field does not fit its width: {e}.") from e


def check_key(named: int, key: Ed25519PrivateKey) -> None:
    """Nobody signs in another's name."""
    if _id_of(key) != named:
        raise WireError(Flaw.UNKNOWN_KEY, f"The message names the key {named:08x} but another one is to sign it.")


@functools.lru_cache(maxsize=8)
def _id_of(key: Ed25519PrivateKey) -> int:
    return key_id(key.public_key())


def require(so: bool, text: str) -> None:
    if not so:
        raise WireError(Flaw.VALUE, text)

"""What every message of the wire has in common: a fixed big-endian body, the signer's key, 64 octets of Ed25519.

Bytes of any origin raise nothing but `WireError`; what a message means stands in the modules beside this one.
"""

import functools
import struct
from collections.abc import Callable, Mapping
from enum import IntEnum, IntFlag, StrEnum
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from appliance.keys import key_id

SIGNATURE_SIZE: Final = 64  # octets, RFC 8032
ID_SIZE: Final = 8  # octets of an alert id and of a session
NO_ID: Final = bytes(ID_SIZE)  # no alert, or a session that no station ever draws
BATTERY_UNKNOWN: Final = 255

U8, U16, U32, OCTETS8 = "B", "H", "I", f"{ID_SIZE}s"  # widths, as `struct` writes them

Issuers = Mapping[int, Ed25519PublicKey]  # by key id
Stations = Mapping[int, Mapping[int, Ed25519PublicKey]]  # by the station's number, then by key id
Numbers = Mapping[str, Any]  # a body's fields by name, as they came


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


class Signer(NamedTuple):
    """The key that a message has to be signed by; None and the reason when nobody is believed by it."""

    key: Ed25519PublicKey | None
    missing: str


def issuer_in(issuers: Issuers) -> Callable[[Numbers], Signer]:
    """A centre signs, and `issuer` names its key."""
    return lambda n: Signer(issuers.get(n["issuer"]), f"No enrolled issuer has the key {n['issuer']:08x}.")


def station_in(stations: Stations) -> Callable[[Numbers], Signer]:
    """A station signs, and `station` and `key` name its key."""
    return lambda n: Signer(
        stations.get(n["station"], {}).get(n["key"]),
        f"Station {n['station']} is not enrolled with the key {n['key']:08x}.",
    )


class Claim(NamedTuple):
    """A message, the key that is said to have signed it (32 octets), what is signed, and the signature."""

    message: bytes
    key: bytes
    signed: bytes
    signature: bytes


Proven = Mapping[bytes, bytes]  # by message the key that was found to have signed it
NOTHING_PROVEN: Final[Proven] = {}


class Field(NamedTuple):
    """One field of a body: its name in the message, its width, and the enumeration that its number is of, if any."""

    name: str
    width: str
    kind: type[IntEnum | IntFlag] | None = None


class Form:
    """The octets of one version of a message: the version, `fields` as they follow each other, a tail, a signature.

    `context` is signed before them, so that no message verifies as one of another kind.
    """

    def __init__(self, version: int, context: bytes, *fields: Field) -> None:
        self.version, self._context, self._fields = version, context, fields
        self._layout = struct.Struct(">B" + "".join(field.width for field in fields))
        self.size = self._layout.size + SIGNATURE_SIZE  # of a message without a tail

    def sign(self, message: object, key: Ed25519PrivateKey, tail: bytes = b"", **others: int) -> bytes:
        """The fields from `message`, those that it has not from `others`. Raises WireError for what does not fit."""
        values = [others[f.name] if f.name in others else getattr(message, f.name) for f in self._fields]
        try:
            body = self._layout.pack(self.version, *values) + tail
        except struct.error as e:
            raise WireError(Flaw.VALUE, f"A field does not fit its width: {e}.") from e
        return body + _hand(key).sign(self._context + body).signature

    def numbers(self, data: bytes) -> Numbers:
        """The fields as they stand in `data`: nothing in them is proven. Raises WireError."""
        first_octet(data, self.version)
        if len(data) < self.size:
            raise WireError(Flaw.LENGTH, f"{len(data)} octets, and its fields and a signature have {self.size}.")
        _, *values = self._layout.unpack_from(data)
        return {field.name: value for field, value in zip(self._fields, values, strict=True)}

    def claim(self, data: bytes, signer: Callable[[Numbers], Signer]) -> Claim | None:
        """What would have to be verified of a message without a tail; None where nothing has to: it is flawed."""
        try:
            key = signer(self.numbers(data)).key
        except WireError:
            return None
        if key is None or len(data) != self.size:
            return None
        return Claim(data, key.public_bytes_raw(), self._context + data[:-SIGNATURE_SIZE], data[-SIGNATURE_SIZE:])

    def open(
        self, data: bytes, signer: Callable[[Numbers], Signer], tail: int = 0, proven: Proven = NOTHING_PROVEN
    ) -> tuple[dict[str, Any], bytes]:
        """The fields with their meaning, and the tail of that many octets, of a message that `signer` has signed.

        `proven`: what was verified before, by message the key that signed it. Raises WireError.
        """
        numbers = self.numbers(data)
        if len(data) != self.size + tail:
            raise WireError(Flaw.LENGTH, f"{len(data)} octets instead of {self.size + tail}.")
        body, signature = data[:-SIGNATURE_SIZE], data[-SIGNATURE_SIZE:]
        key, missing = signer(numbers)
        if key is None:
            raise WireError(Flaw.UNKNOWN_KEY, missing)
        public = key.public_bytes_raw()
        try:
            if proven.get(data) != public:
                VerifyKey(public).verify(self._context + body, signature)
        except BadSignatureError as e:
            raise WireError(Flaw.SIGNATURE, "The signature is not that of the key named.") from e
        meant = {f.name: _member(f.kind, numbers[f.name]) if f.kind else numbers[f.name] for f in self._fields}
        return meant, body[self._layout.size :]


def first_octet(data: bytes, *versions: int) -> int:
    """The version, which is one of `versions`. A message of another one is so told from a damaged one."""
    if not data:
        raise WireError(Flaw.LENGTH, "There are no octets.")
    if data[0] not in versions:
        expected = " or ".join(f"0x{version:02x}" for version in versions)
        raise WireError(Flaw.VERSION, f"The first octet is 0x{data[0]:02x}, not {expected}.")
    return data[0]


def check_key(named: int, key: Ed25519PrivateKey) -> None:
    """Nobody signs in another's name."""
    if _id_of(key) != named:
        raise WireError(Flaw.UNKNOWN_KEY, f"The message names the key {named:08x} but another one is to sign it.")


def require(so: bool, text: str) -> None:
    if not so:
        raise WireError(Flaw.VALUE, text)


@functools.lru_cache(maxsize=8)
def _hand(key: Ed25519PrivateKey) -> SigningKey:
    return SigningKey(key.private_bytes_raw())


@functools.lru_cache(maxsize=8)
def _id_of(key: Ed25519PrivateKey) -> int:
    return key_id(key.public_key())


def _member(kind: type[IntEnum | IntFlag], number: int) -> int:
    try:
        return kind(number)
    except ValueError as e:
        raise WireError(Flaw.VALUE, f"{number} is no {kind.__name__.lower()}.") from e

"""What boxes tell each other about keys: one line of text each, signed, nothing in it secret.

It goes by MQTT, on a stick, by QR or through a telephone's camera: who carries it can lose it, not change it. The first
one between two boxes is believed because a person compared its words; all later ones because of the signature.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.fingerprint import in_words
from appliance.keys import KeyFileError, key_id, public_key

MARK = "siaga-keys-1"  # begins the line; another layout gets another number
CONTEXT = b"siaga keys 1\0"  # before what is signed: no order, answer or text can be taken for a statement
MOST_OCTETS = 12_000  # of a line; a grant has some 2,600
MOST_SIGNATURES = 4
CODE_WORDS = 4  # 64 bits: nobody makes another statement with the same words


class StatementError(ValueError):
    """A line that is not what it should be; the text says what to do next."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="what"):
    site: str
    station: str
    number: int
    key: str  # the station's public key, 64 hex digits


class Request(Struct, frozen=True, tag="request"):
    """A station asks to be believed under `key`. Signed by this key, and by the one that it `replaces`."""

    replaces: str = ""


class IssuerKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    key: str


class Grant(Struct, frozen=True, tag="grant"):
    """A centre believes the station under `key`, and says who else is to be believed. Signed by an issuer's key."""

    by: str  # name of the issuer whose book this follows
    count: int  # later grants of one issuer have higher ones
    issuers: tuple[IssuerKey, ...]  # the newest key of a name first
    revoked: tuple[str, ...] = ()  # public keys of issuers
    authority: str = ""  # PEM, of the broker
    broker: str = ""  # name in the broker's certificate
    certificate: str = ""  # PEM, the station's own


class Report(Struct, frozen=True, tag="report"):
    """A station believes these issuers' keys (ids, 8 hex digits). Signed by its key."""

    connected: str  # id of the key by which the broker knows it; empty: in clear
    issuers: tuple[str, ...]


Statement = Request | Grant | Report


class Sealed(msgspec.Struct, frozen=True):
    """A statement as it came, and the keys whose signatures on it are good (by id; only those that were offered)."""

    statement: Statement
    signers: tuple[int, ...]
    code: str  # words for two people to compare


def seal(statement: Statement, *keys: Ed25519PrivateKey) -> str:
    body = msgspec.json.encode(statement)
    signed = (f"{key_id(k.public_key()):08x}.{_text(k.sign(CONTEXT + body))}" for k in keys)
    return ":".join([MARK, _text(body), *signed])


def open_sealed(line: str, keys: Mapping[int, Ed25519PublicKey]) -> Sealed:
    """Look at a line; signatures by `keys` are checked, and by a request's own key. Raises StatementError."""
    line = "".join(line.split())  # a stick, a QR reader and a mail break lines
    if len(line) > MOST_OCTETS:
        raise StatementError(f"{len(line)} characters: no statement about keys is that long.")
    mark, *parts = line.split(":")
    if mark != MARK or not 2 <= len(parts) <= MOST_SIGNATURES + 1:
        raise StatementError(f"This does not begin with {MARK}: give the whole line that the other box wrote.")
    body = _octets(parts[0])
    try:
        statement = msgspec.json.decode(body, type=Statement)
    except msgspec.MsgspecError as e:
        raise StatementError(f"The line is damaged ({e}): copy it again from the other box.") from e
    offered = dict(keys)
    if isinstance(statement, Request):
        try:
            offered_key = public_key(statement.key, "the request's key")
        except KeyFileError as e:
            raise StatementError(str(e)) from e
        offered[key_id(offered_key)] = offered_key
    return Sealed(statement, tuple(_signers(body, parts[1:], offered)), code_of(statement))


def code_of(statement: Statement) -> str:
    """Four words that two people compare by telephone: "lusab babad gutih tugad"."""
    return " ".join(in_words(hashlib.sha256(CONTEXT + msgspec.json.encode(statement)).digest()).split()[:CODE_WORDS])


def same_code(one: str, other: str) -> bool:
    """However a person wrote it."""
    return one.lower().replace("-", " ").split() == other.lower().replace("-", " ").split()


def _signers(body: bytes, parts: Sequence[str], keys: Mapping[int, Ed25519PublicKey]) -> list[int]:
    found = []
    for part in parts:
        number, _, signature = part.partition(".")
        try:
            id = int(number, 16)
            key = keys.get(id)
            if key is not None:
                key.verify(_octets(signature), CONTEXT + body)
                found.append(id)
        except (ValueError, InvalidSignature) as e:
            raise StatementError("A signature on the line is wrong: it was changed on its way; copy it again.") from e
    return found


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as e:
        raise StatementError("The line is damaged: copy it again from the other box.") from e

"""Words for an alert, signed by the centre: what is spoken and shown at a station. No siren ever waits for them.

`docs/order-format.md` is the specification. Bytes of any origin raise nothing but `WireError`.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from appliance.alerting.wire_codec import (
    ID_SIZE,
    NO_ID,
    SIGNATURE_SIZE,
    Flaw,
    WireError,
    body_of,
    check_key,
    first_octet,
    member,
    pack,
    require,
    signed,
    verify,
)

TEXT_VERSION: Final = 0x40
TEXT_CONTEXT: Final = b"siaga text 1\0"
MOST_TEXT: Final = 160  # octets of UTF-8: with head and signature 252, which two parts of a binary SMS hold
# version, about, language, length, alert, issuer, station, session
_HEAD: Final = struct.Struct(">BBBB8sII8s")
LARGEST_TEXT: Final = _HEAD.size + MOST_TEXT + SIGNATURE_SIZE  # 252


class TextAbout(IntEnum):
    """The names of the first three are those of `model.About`; the others belong to a test, and to no order."""

    ANNOUNCE = 1
    ALL_CLEAR = 2
    FALSE_ALARM = 3
    NOTICE = 4
    NOTICE_OVER = 5


NOTICES: Final = (TextAbout.NOTICE, TextAbout.NOTICE_OVER)


class Language(IntEnum):
    ID = 1
    EN = 2


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """The first one of an alert and `about` counts. `alert` and `session` are 8 octets."""

    about: TextAbout
    language: Language
    alert: bytes
    issuer: int  # u32, the signing key's id
    station: int  # u32
    session: bytes
    text: str  # 1 to 160 octets of UTF-8


def is_text(data: bytes) -> bool:
    """Whether octets that came to a station want to be a text; nothing is proven by that."""
    return data[:1] == bytes((TEXT_VERSION,))


def encode_text(text: Text, key: Ed25519PrivateKey) -> bytes:
    """93 to 252 octets. Raises WireError for fields that do not fit and for a key that is not `text.issuer`."""
    check_key(text.issuer, key)
    _check(text)
    try:
        words = text.text.encode()
    except UnicodeEncodeError as e:
        raise WireError(Flaw.VALUE, "The words cannot be written as UTF-8.") from e
    require(0 < len(words) <= MOST_TEXT, f"A text has 1 to {MOST_TEXT} octets of UTF-8, not {len(words)}.")
    numbers = text.about, text.language, len(words)
    body = pack(_HEAD, TEXT_VERSION, *numbers, text.alert, text.issuer, text.station, text.session) + words
    return signed(body, TEXT_CONTEXT, key)


def decode_text(data: bytes, issuers: Mapping[int, Ed25519PublicKey]) -> Text:
    """The text in `data`, signed by one of `issuers` (by key id). Raises WireError."""
    first_octet(data, TEXT_VERSION)
    if len(data) < _HEAD.size:
        raise WireError(Flaw.LENGTH, f"{len(data)} octets are less than the head of a text.")
    _, about, language, length, alert, issuer, station, session = _HEAD.unpack_from(data)
    # The length comes before the signature, as that of every message does; one too long never fits an SMS.
    if not 0 < length <= MOST_TEXT:
        raise WireError(Flaw.LENGTH, f"A text has 1 to {MOST_TEXT} octets, not {length}.")
    body = body_of(data, _HEAD.size + length)
    verify(data, body, TEXT_CONTEXT, issuers.get(issuer), f"No enrolled issuer has the key {issuer:08x}.")
    try:
        words = body[_HEAD.size :].decode()
    except UnicodeDecodeError as e:
        raise WireError(Flaw.VALUE, "The words are not UTF-8.") from e
    text = Text(
        about=member(TextAbout, about),
        language=member(Language, language),
        alert=alert,
        issuer=issuer,
        station=station,
        session=session,
        text=words,
    )
    _check(text)
    return text


def _check(text: Text) -> None:
    require(len(text.alert) == ID_SIZE and len(text.session) == ID_SIZE, "An alert id and a session are 8 octets.")
    require(text.alert != NO_ID, "A text belongs to an alert.")
    # It is shown and spoken as it is: no line breaks, no escape sequences.
    require(not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in text.text), "A text has no control characters.")

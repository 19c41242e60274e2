"""Words for an alert, signed by the centre: what is spoken and shown at a station. No siren ever waits for them.

`docs/order-format.md` is the specification. Bytes of any origin raise nothing but `WireError`.
"""

from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from appliance.alerting.wire_codec import (
    ID_SIZE,
    NO_ID,
    OCTETS8,
    U8,
    U32,
    Field,
    Flaw,
    Form,
    Issuers,
    WireError,
    check_key,
    issuer_in,
    require,
)

TEXT_VERSION: Final = 0x40
TEXT_CONTEXT: Final = b"siaga text 1\0"
MOST_TEXT: Final = 160  # octets of UTF-8: with head and signature 252, which two parts of a binary SMS hold


class TextAbout(IntEnum):
    """The names of the first three are those of `model.About`; the others to a test or a lock, and to no order."""

    ANNOUNCE = 1
    ALL_CLEAR = 2
    FALSE_ALARM = 3
    NOTICE = 4
    NOTICE_OVER = 5
    LOCKOUT = 6  # "NAME: REASON" for the lock whose id it has


LOCKOUT_MARK: Final = ": "  # between name and reason
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


_TEXT: Final = Form(  # and the words behind it
    TEXT_VERSION,
    TEXT_CONTEXT,
    Field("about", U8, TextAbout),
    Field("language", U8, Language),
    Field("length", U8),
    Field("alert", OCTETS8),
    Field("issuer", U32),
    Field("station", U32),
    Field("session", OCTETS8),
)
LARGEST_TEXT: Final = _TEXT.size + MOST_TEXT  # 252


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
    return _TEXT.sign(text, key, words, length=len(words))


def decode_text(data: bytes, issuers: Issuers) -> Text:
    """The text in `data`, signed by one of `issuers`. Raises WireError."""
    length = _TEXT.numbers(data)["length"]
    # The length comes before the signature, as that of every message does; one too long never fits an SMS.
    if not 0 < length <= MOST_TEXT:
        raise WireError(Flaw.LENGTH, f"A text has 1 to {MOST_TEXT} octets, not {length}.")
    fields, words = _TEXT.open(data, issuer_in(issuers), tail=length)
    del fields["length"]
    try:
        text = Text(**fields, text=words.decode())
    except UnicodeDecodeError as e:
        raise WireError(Flaw.VALUE, "The words are not UTF-8.") from e
    _check(text)
    return text


def _check(text: Text) -> None:
    require(len(text.alert) == ID_SIZE and len(text.session) == ID_SIZE, "An alert id and a session are 8 octets.")
    require(text.alert != NO_ID, "A text belongs to an alert.")
    # It is shown and spoken as it is: no line breaks, no escape sequences.
    require(not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in text.text), "A text has no control characters.")

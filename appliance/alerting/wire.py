"""The signed order and the signed answer: fixed big-endian bodies of integers and an Ed25519 signature each.

`docs/order-format.md` is the specification. Bytes of any origin raise nothing but `WireError`, and nothing in them
but the key's number is looked at before the signature has been verified.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Final, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from appliance.keys import key_id

ORDER_VERSION: Final = 0x01
ANSWER_VERSION: Final = 0x81  # the high bit says "from a station"; the rest is the version
ORDER_CONTEXT: Final = b"siaga order 1\0"  # signed before the body, so that no answer verifies as an order
ANSWER_CONTEXT: Final = b"siaga answer 1\0"
SIGNATURE_SIZE: Final = 64  # octets, RFC 8032
ID_SIZE: Final = 8  # octets of an alert id and of a session
NO_ID: Final = bytes(ID_SIZE)  # no alert, or a session that no station ever draws
BATTERY_UNKNOWN: Final = 255

# version, kind, action, pattern, seconds, alert, issuer, station, session, sequence, issued_at, lifetime_s, incident
_ORDER: Final = struct.Struct(">BBBBH8sII8sIIHH")
# version, what, reason, supply, battery, pattern, alert, station, key, session, issuer, sequence, highest, counter,
# uptime_s, since_s, remaining_s
_ANSWER: Final = struct.Struct(">BBBBBB8sII8sIIIIIHH")
_COUNTER: Final = struct.Struct(">I")

ORDER_SIZE: Final = _ORDER.size + SIGNATURE_SIZE  # 106
ANSWER_SIZE: Final = _ANSWER.size + SIGNATURE_SIZE  # 118; either must stay within 120 to fit one binary SMS


class Kind(IntEnum):
    """What an order is for. Only the first two may sound a siren; a hello is for nothing."""

    NONE = 0
    ACTUAL = 1
    SOUNDING_TEST = 2
    SILENT_TEST = 3
    DRILL = 4


class Action(IntEnum):
    START = 1
    STOP = 2
    HELLO = 3  # tells the issuer's time to a station's session


class Pattern(IntEnum):
    NONE = 0
    STEADY = 1
    WAIL = 2
    YELP = 3
    PULSE = 4


class What(IntEnum):
    """What a station says of itself or of an order."""

    SESSION = 1
    ALIVE = 2
    RECEIVED = 3
    ENERGISED = 4
    PROVEN = 5
    ACKNOWLEDGED = 6
    SILENCED = 7
    ENDED = 8
    REFUSED = 9


class Reason(IntEnum):
    """Why a station refused an order or changed it."""

    NONE = 0
    WRONG_SESSION = 1
    NO_TIME = 2
    EXPIRED = 3
    FUTURE = 4
    REPLAYED = 5
    UNKNOWN_ISSUER = 6  # journaled at the station, never sent
    WRONG_STATION = 7
    NOT_ALLOWED = 8
    BOUNDED = 9
    LATE_START_STOPPED = 10
    HARDWARE = 11


class Supply(IntEnum):
    """What feeds the station."""

    UNKNOWN = 0
    MAINS = 1
    BATTERY = 2
    GENERATOR = 3


class Flaw(StrEnum):
    """What is wrong with bytes that are no order or no answer."""

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


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """What a centre tells one station. `alert` and `session` are 8 octets; a hello's `alert` is `hello_id()`."""

    action: Action
    kind: Kind
    pattern: Pattern
    seconds: int  # u16, how long to sound
    alert: bytes
    issuer: int  # u32, the signing key's id
    station: int  # u32
    session: bytes
    sequence: int  # u32 from 1; an issuer never signs two orders for one session with the same one
    issued_at: int  # u32, s of the issuer's own clock, rounded down
    lifetime_s: int  # u16
    incident: int = 0  # u16, the site's code


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """What a station says. `sequence` 0 answers no order, `alert` NO_ID concerns no alert."""

    what: What
    station: int  # u32
    key: int  # u32, the signing key's id
    session: bytes
    counter: int  # u32 from 1; a station never signs two answers of one session with the same one
    uptime_s: int  # u32, s since the session began
    reason: Reason = Reason.NONE
    alert: bytes = NO_ID
    issuer: int = 0  # u32, whose order is answered and whose sequences `highest` is about
    sequence: int = 0  # u32, of the order that is answered
    highest: int = 0  # u32, of that issuer's sequences accepted in this session
    since_s: int = 0  # u16, s since the event that is told; 65535 for longer
    remaining_s: int = 0  # u16, s that the siren will still sound
    pattern: Pattern = Pattern.NONE  # what sounds now
    supply: Supply = Supply.UNKNOWN
    battery: int = BATTERY_UNKNOWN  # u8, percent


def hello_id(counter: int, nonce: bytes) -> bytes:
    """A hello's `alert`: the counter (u32) of the answer that asked, and 4 random octets for the station to echo."""
    if not (0 < counter < 1 << 32 and len(nonce) == 4):
        raise WireError(Flaw.VALUE, f"A hello needs a counter in 1..2^32-1 and 4 octets, not {counter} and {nonce!r}.")
    return _COUNTER.pack(counter) + nonce


def asked_counter(hello: Order) -> int:
    """The counter of the answer that a hello is the reply to."""
    return int.from_bytes(hello.alert[: _COUNTER.size])


def encode_order(order: Order, key: Ed25519PrivateKey) -> bytes:
    """106 octets. Raises WireError for fields that do not fit and for a key that is not `order.issuer`."""
    _check_key(order.issuer, key)
    _check_order(order)
    body = _pack(
        _ORDER,
        ORDER_VERSION,
        order.kind,
        order.action,
        order.pattern,
        order.seconds,
        order.alert,
        order.issuer,
        order.station,
        order.session,
        order.sequence,
        order.issued_at,
        order.lifetime_s,
        order.incident,
    )
    return body + key.sign(ORDER_CONTEXT + body)


def decode_order(data: bytes, issuers: Mapping[int, Ed25519PublicKey]) -> Order:
    """The order in `data`, signed by one of `issuers` (by key id). Raises WireError."""
    body = _body(data, ORDER_VERSION, _ORDER)
    _, kind, action, pattern, seconds, alert, issuer, station, session, sequence, issued_at, lifetime_s, incident = (
        _ORDER.unpack(body)
    )
    _verify(data, body, ORDER_CONTEXT, issuers.get(issuer), f"No enrolled issuer has the key {issuer:08x}.")
    order = Order(
        action=_member(Action, action),
        kind=_member(Kind, kind),
        pattern=_member(Pattern, pattern),
        seconds=seconds,
        alert=alert,
        issuer=issuer,
        station=station,
        session=session,
        sequence=sequence,
        issued_at=issued_at,
        lifetime_s=lifetime_s,
        incident=incident,
    )
    _check_order(order)
    return order


def encode_answer(answer: Answer, key: Ed25519PrivateKey) -> bytes:
    """118 octets. Raises WireError for fields that do not fit and for a key that is not `answer.key`."""
    _check_key(answer.key, key)
    _check_answer(answer)
    body = _pack(
        _ANSWER,
        ANSWER_VERSION,
        answer.what,
        answer.reason,
        answer.supply,
        answer.battery,
        answer.pattern,
        answer.alert,
        answer.station,
        answer.key,
        answer.session,
        answer.issuer,
        answer.sequence,
        answer.highest,
        answer.counter,
        answer.uptime_s,
        answer.since_s,
        answer.remaining_s,
    )
    return body + key.sign(ANSWER_CONTEXT + body)


def decode_answer(data: bytes, stations: Mapping[int, Mapping[int, Ed25519PublicKey]]) -> Answer:
    """The answer in `data`, signed by a key that `stations` holds, by key id, for its number. Raises WireError."""
    body = _body(data, ANSWER_VERSION, _ANSWER)
    fields = _ANSWER.unpack(body)
    _, what, reason, supply, battery, pattern, alert, station, key, session, *numbers = fields
    issuer, sequence, highest, counter, uptime_s, since_s, remaining_s = numbers
    public = stations.get(station, {}).get(key)
    _verify(data, body, ANSWER_CONTEXT, public, f"Station {station} is not enrolled with the key {key:08x}.")
    answer = Answer(
        what=_member(What, what),
        station=station,
        key=key,
        session=session,
        counter=counter,
        uptime_s=uptime_s,
        reason=_member(Reason, reason),
        alert=alert,
        issuer=issuer,
        sequence=sequence,
        highest=highest,
        since_s=since_s,
        remaining_s=remaining_s,
        pattern=_member(Pattern, pattern),
        supply=_member(Supply, supply),
        battery=battery,
    )
    _check_answer(answer)
    return answer


E = TypeVar("E", bound=IntEnum)


def _member(kind: type[E], value: int) -> E:
    try:
        return kind(value)
    except ValueError as e:
        raise WireError(Flaw.VALUE, f"{value} is no {kind.__name__.lower()}.") from e


def _body(data: bytes, version: int, layout: struct.Struct) -> bytes:
    # The version first: a message of another version or from the other side is told from a damaged one.
    if data and data[0] != version:
        raise WireError(Flaw.VERSION, f"The first octet is 0x{data[0]:02x}, not 0x{version:02x}.")
    if len(data) != layout.size + SIGNATURE_SIZE:
        raise WireError(Flaw.LENGTH, f"{len(data)} octets instead of {layout.size + SIGNATURE_SIZE}.")
    return data[: layout.size]


def _verify(data: bytes, body: bytes, context: bytes, key: Ed25519PublicKey | None, no_key: str) -> None:
    if key is None:
        raise WireError(Flaw.UNKNOWN_KEY, no_key)
    try:
        key.verify(data[len(body) :], context + body)
    except InvalidSignature as e:
        raise WireError(Flaw.SIGNATURE, "The signature is not that of the key named.") from e


def _pack(layout: struct.Struct, *values: int | bytes) -> bytes:
    try:
        return layout.pack(*values)
    except struct.error as e:
        raise WireError(Flaw.VALUE, f"A field does not fit its width: {e}.") from e


def _check_key(named: int, key: Ed25519PrivateKey) -> None:
    if key_id(key.public_key()) != named:
        raise WireError(Flaw.UNKNOWN_KEY, f"The message names the key {named:08x} but another one is to sign it.")


def _require(so: bool, text: str) -> None:
    if not so:
        raise WireError(Flaw.VALUE, text)


def _check_order(order: Order) -> None:
    # A field without meaning is zero, so that each order has one encoding and a later version can give it meaning.
    _require(len(order.alert) == ID_SIZE and len(order.session) == ID_SIZE, "An alert id and a session are 8 octets.")
    _require(order.sequence > 0, "Sequences begin at 1.")
    if order.action is Action.HELLO:
        unused = order.kind, order.pattern, order.seconds, order.lifetime_s, order.incident
        _require(not any(unused), "A hello has no kind, pattern, seconds, lifetime or incident.")
        _require(asked_counter(order) > 0, "A hello names the counter of the answer that asked.")
        return
    _require(order.kind is not Kind.NONE, "An order has a kind.")
    _require(order.alert != NO_ID, "An order names an alert.")
    _require(order.lifetime_s > 0, "An order lives for at least 1 s.")
    if order.action is Action.START:
        _require(order.pattern is not Pattern.NONE and order.seconds > 0, "A start has a pattern and at least 1 s.")
    else:
        _require(order.pattern is Pattern.NONE and order.seconds == 0, "A stop has no pattern and no seconds.")


def _check_answer(answer: Answer) -> None:
    _require(len(answer.alert) == ID_SIZE and len(answer.session) == ID_SIZE, "An alert id and a session are 8 octets.")
    _require(answer.session != NO_ID, "A station's session is never all zeros.")
    _require(answer.counter > 0, "Counters begin at 1.")
    _require(answer.what is not What.REFUSED or answer.reason is not Reason.NONE, "A refusal has a reason.")
    _require(answer.reason is not Reason.UNKNOWN_ISSUER, "An unknown issuer is never answered.")
    _require(answer.battery <= 100 or answer.battery == BATTERY_UNKNOWN, "A battery has 0 to 100 percent.")

"""The signed order and the signed answer: fixed big-endian bodies of integers and an Ed25519 signature each.

`docs/order-format.md` is the specification. Bytes of any origin raise nothing but `WireError`, and nothing in them
but the key's number is looked at before the signature has been verified.
"""

from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from appliance.alerting.wire_codec import (
    BATTERY_UNKNOWN,
    NOTHING_PROVEN,
    OCTETS8,
    U8,
    U16,
    U32,
    Claim,
    Field,
    Form,
    Issuers,
    Proven,
    Stations,
    check_key,
    first_octet,
    issuer_in,
    require,
    station_in,
)
from appliance.alerting.wire_codec import ID_SIZE as ID_SIZE
from appliance.alerting.wire_codec import NO_ID as NO_ID
from appliance.alerting.wire_codec import Flaw as Flaw
from appliance.alerting.wire_codec import Supply as Supply
from appliance.alerting.wire_codec import WireError as WireError

ORDER_VERSION: Final = 0x01
ZONED_VERSION: Final = 0x02  # the same, and the zones of the station that are meant
ANSWER_VERSION: Final = 0x81  # the high bit says "from a station"; the rest is the version
ORDER_CONTEXT: Final = b"siaga order 1\0"
ANSWER_CONTEXT: Final = b"siaga answer 1\0"


class Kind(IntEnum):
    """What an order is for. Only the first two may sound a siren; hellos, locks and unlocks are for nothing."""

    NONE = 0
    ACTUAL = 1
    SOUNDING_TEST = 2
    SILENT_TEST = 3
    DRILL = 4


class Action(IntEnum):
    START = 1
    STOP = 2
    HELLO = 3  # tells the issuer's time to a station's session
    LOCK = 4  # takes the station's siren out of service
    UNLOCK = 5


_COUNTER_SIZE: Final = 4  # octets, the first of a hello's `alert`
LOCKS: Final = frozenset({Action.LOCK, Action.UNLOCK})


class Pattern(IntEnum):
    NONE = 0
    STEADY = 1
    WAIL = 2
    YELP = 3
    PULSE = 4
    ALTERNATING = 5
    MORSE = 6


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
    HEARD = 10  # a microphone heard the siren
    LOCKED = 11
    UNLOCKED = 12


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
    LOCKED_OUT = 12


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """What a centre tells one station. `alert` and `session` are 8 octets; a hello's `alert` is `hello_id()`."""

    action: Action
    kind: Kind
    pattern: Pattern
    seconds: int  # u16, how long to sound; a lock's minutes
    alert: bytes  # a lock's own id, in LOCK and UNLOCK
    issuer: int  # u32, the signing key's id
    station: int  # u32
    session: bytes
    sequence: int  # u32 from 1; an issuer never signs two orders for one session with the same one
    issued_at: int  # u32, s of the issuer's own clock, rounded down
    lifetime_s: int  # u16
    incident: int = 0  # u16, the site's code; a lock's reason
    zones: int = 0  # u16, bit i for the station's i-th zone; 0 for the whole station


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


_ORDER_FIELDS: Final = (
    Field("kind", U8, Kind),
    Field("action", U8, Action),
    Field("pattern", U8, Pattern),
    Field("seconds", U16),
    Field("alert", OCTETS8),
    Field("issuer", U32),
    Field("station", U32),
    Field("session", OCTETS8),
    Field("sequence", U32),
    Field("issued_at", U32),
    Field("lifetime_s", U16),
    Field("incident", U16),
)
_ORDER: Final = Form(ORDER_VERSION, ORDER_CONTEXT, *_ORDER_FIELDS)
_ZONED: Final = Form(ZONED_VERSION, ORDER_CONTEXT, *_ORDER_FIELDS, Field("zones", U16))
_ANSWER: Final = Form(
    ANSWER_VERSION,
    ANSWER_CONTEXT,
    Field("what", U8, What),
    Field("reason", U8, Reason),
    Field("supply", U8, Supply),
    Field("battery", U8),
    Field("pattern", U8, Pattern),
    Field("alert", OCTETS8),
    Field("station", U32),
    Field("key", U32),
    Field("session", OCTETS8),
    Field("issuer", U32),
    Field("sequence", U32),
    Field("highest", U32),
    Field("counter", U32),
    Field("uptime_s", U32),
    Field("since_s", U16),
    Field("remaining_s", U16),
)

ORDER_SIZE: Final = _ORDER.size  # 106
ZONED_SIZE: Final = _ZONED.size  # 108
ANSWER_SIZE: Final = _ANSWER.size  # 118; each must stay within 120 to fit one binary SMS


def hello_id(counter: int, nonce: bytes) -> bytes:
    """A hello's `alert`: the counter (u32) of the answer that asked, and 4 random octets for the station to echo."""
    if not (0 < counter < 1 << 32 and len(nonce) == 4):
        raise WireError(Flaw.VALUE, f"A hello needs a counter in 1..2^32-1 and 4 octets, not {counter} and {nonce!r}.")
    return counter.to_bytes(_COUNTER_SIZE) + nonce


def asked_counter(hello: Order) -> int:
    """The counter of the answer that a hello is the reply to."""
    return int.from_bytes(hello.alert[:_COUNTER_SIZE])


def encode_order(order: Order, key: Ed25519PrivateKey) -> bytes:
    """106 octets, 108 with zones. Raises WireError for fields that do not fit and for a key not `order.issuer`."""
    check_key(order.issuer, key)
    _check_order(order)
    return (_ZONED if order.zones else _ORDER).sign(order, key)


def decode_order(data: bytes, issuers: Issuers) -> Order:
    """The order in `data`, signed by one of `issuers`. Raises WireError."""
    zoned = first_octet(data, ORDER_VERSION, ZONED_VERSION) == ZONED_VERSION
    fields, _ = (_ZONED if zoned else _ORDER).open(data, issuer_in(issuers))
    order = Order(**fields)
    require(bool(order.zones) == zoned, "A zoned order names a zone.")
    _check_order(order)
    return order


def encode_answer(answer: Answer, key: Ed25519PrivateKey) -> bytes:
    """118 octets. Raises WireError for fields that do not fit and for a key that is not `answer.key`."""
    check_key(answer.key, key)
    _check_answer(answer)
    return _ANSWER.sign(answer, key)


def answer_claim(data: bytes, stations: Stations) -> Claim | None:
    """What has to be verified before `data` is an answer; None where it is none."""
    return _ANSWER.claim(data, station_in(stations))


def decode_answer(data: bytes, stations: Stations, proven: Proven = NOTHING_PROVEN) -> Answer:
    """The answer in `data`, signed by a key that `stations` holds for its station. Raises WireError."""
    fields, _ = _ANSWER.open(data, station_in(stations), proven=proven)
    answer = Answer(**fields)
    _check_answer(answer)
    return answer


def _check_order(order: Order) -> None:
    # A field without meaning is zero, so that each order has one encoding and a later version can give it meaning.
    require(len(order.alert) == ID_SIZE and len(order.session) == ID_SIZE, "An alert id and a session are 8 octets.")
    require(order.sequence > 0, "Sequences begin at 1.")
    require(order.zones == 0 or order.action is Action.START, "Only a start names zones.")
    if order.action is Action.HELLO:
        unused = order.kind, order.pattern, order.seconds, order.lifetime_s, order.incident
        require(not any(unused), "A hello has no kind, pattern, seconds, lifetime or incident.")
        require(asked_counter(order) > 0, "A hello names the counter of the answer that asked.")
        return
    require(order.alert != NO_ID, "An order names an alert, a lock its own id.")
    require(order.lifetime_s > 0, "An order lives for at least 1 s.")
    require((order.kind is Kind.NONE) == (order.action in LOCKS), "An order has a kind, a lock has none.")
    require((order.pattern is not Pattern.NONE) == (order.action is Action.START), "Only a start has a pattern.")
    lasts = order.action in (Action.START, Action.LOCK)
    require((order.seconds > 0) == lasts, "A start has at least 1 s, a lock 1 minute, a stop and an unlock have none.")
    require(order.action is not Action.UNLOCK or order.incident == 0, "An unlock has no reason.")


def _check_answer(answer: Answer) -> None:
    require(len(answer.alert) == ID_SIZE and len(answer.session) == ID_SIZE, "An alert id and a session are 8 octets.")
    require(answer.session != NO_ID, "A station's session is never all zeros.")
    require(answer.counter > 0, "Counters begin at 1.")
    require(answer.what is not What.REFUSED or answer.reason is not Reason.NONE, "A refusal has a reason.")
    require(answer.reason is not Reason.UNKNOWN_ISSUER, "An unknown issuer is never answered.")
    require(answer.battery <= 100 or answer.battery == BATTERY_UNKNOWN, "A battery has 0 to 100 percent.")

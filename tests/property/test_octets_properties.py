"""What holds for every message of the wire and for all garbage: it comes back as it was, or as a WireError."""

from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import event, given
from hypothesis import strategies as st

from appliance.alerting.wire import (
    NO_ID,
    Action,
    Answer,
    Kind,
    Order,
    Pattern,
    Reason,
    Supply,
    What,
    WireError,
    decode_answer,
    decode_order,
    encode_answer,
    encode_order,
    hello_id,
)
from appliance.alerting.wire_health import (
    DAYS_UNKNOWN,
    ClockQuality,
    Fault,
    Health,
    decode_health,
    encode_health,
)
from appliance.alerting.wire_text import (
    MOST_TEXT,
    Language,
    Text,
    TextAbout,
    decode_text,
    encode_text,
)
from appliance.keys import key_id

CENTRE, ROGUE, STATION = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))
ISSUER, STATION_KEY = key_id(CENTRE.public_key()), key_id(STATION.public_key())
ISSUERS = {ISSUER: CENTRE.public_key()}
STATIONS = {7: {key_id(STATION.public_key()): STATION.public_key()}}

u8, u16, u32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))
positive_u16, positive_u32 = st.integers(1, 0xFFFF), st.integers(1, 0xFFFFFFFF)
octets8 = st.binary(min_size=8, max_size=8)
ids = octets8.filter(lambda octets: octets != NO_ID)


def of(kind: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([member for member in kind if member])


starts = st.builds(
    Order,
    action=st.just(Action.START),
    kind=of(Kind),
    pattern=of(Pattern),
    seconds=positive_u16,
    alert=ids,
    issuer=st.just(ISSUER),
    station=u32,
    session=octets8,
    sequence=positive_u32,
    issued_at=u32,
    lifetime_s=positive_u16,
    incident=u16,
    zones=u16,
)
stops = starts.map(
    lambda order: msgspec.structs.replace(order, action=Action.STOP, pattern=Pattern.NONE, seconds=0, zones=0),
)
hellos = st.builds(
    lambda order, counter, nonce: msgspec.structs.replace(
        order,
        action=Action.HELLO,
        kind=Kind.NONE,
        pattern=Pattern.NONE,
        seconds=0,
        alert=hello_id(counter, nonce),
        lifetime_s=0,
        incident=0,
        zones=0,
    ),
    starts,
    positive_u32,
    st.binary(min_size=4, max_size=4),
)
locks = starts.map(
    lambda order: msgspec.structs.replace(order, action=Action.LOCK, kind=Kind.NONE, pattern=Pattern.NONE, zones=0),
)
unlocks = locks.map(
    lambda order: msgspec.structs.replace(order, action=Action.UNLOCK, seconds=0, incident=0),
)
orders = st.one_of(starts, stops, hellos, locks, unlocks)
words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=160)
texts = st.builds(
    Text,
    about=of(TextAbout),
    language=of(Language),
    alert=ids,
    issuer=st.just(ISSUER),
    station=u32,
    session=octets8,
    text=words.filter(lambda text: len(text.encode()) <= MOST_TEXT),
)
percents = st.one_of(st.integers(0, 100), st.just(255))
healths = st.builds(
    Health,
    station=st.just(7),
    key=st.just(STATION_KEY),
    session=ids,
    counter=positive_u32,
    uptime_s=u32,
    faults=st.sampled_from(Fault),  # and what they can be together
    supply=st.sampled_from(Supply),
    battery=percents,
    disk_free_percent=percents,
    clock_quality=st.sampled_from(ClockQuality),
    supply_mv=u16,
    cert_days=st.one_of(u16, st.just(DAYS_UNKNOWN)),
    key_days=u16,
    lock_minutes=u16,
    wall=u32,
)
answers = st.builds(
    Answer,
    what=of(What),
    station=st.just(7),
    key=st.just(STATION_KEY),
    session=ids,
    counter=positive_u32,
    uptime_s=u32,
    reason=of(Reason).filter(lambda reason: reason is not Reason.UNKNOWN_ISSUER),
    alert=octets8,
    issuer=u32,
    sequence=u32,
    highest=u32,
    since_s=u16,
    remaining_s=u16,
    pattern=st.sampled_from(Pattern),
    supply=st.sampled_from(Supply),
    battery=st.one_of(st.integers(0, 100), st.just(255)),
)


@given(orders)
def test_every_order_comes_back_as_it_was(order: Order) -> None:
    assert decode_order(encode_order(order, CENTRE), ISSUERS) == order


@given(answers)
def test_every_answer_comes_back_as_it_was(answer: Answer) -> None:
    assert decode_answer(encode_answer(answer, STATION), STATIONS) == answer


@given(texts)
def test_every_text_comes_back_as_it_was(text: Text) -> None:
    assert decode_text(encode_text(text, CENTRE), ISSUERS) == text


@given(healths)
def test_every_health_comes_back_as_it_was(health: Health) -> None:
    assert decode_health(encode_health(health, STATION), STATIONS) == health


def accepted(data: bytes) -> bool:
    """Whether any decoder takes `data`; any exception but WireError fails the test."""
    taken = False
    for decode in (
        lambda: decode_order(data, ISSUERS),
        lambda: decode_answer(data, STATIONS),
        lambda: decode_text(data, ISSUERS),
        lambda: decode_health(data, STATIONS),
    ):
        try:
            decode()
        except WireError:
            continue
        taken = True
    return taken


def like(first: int, before_key: bytes, head: int, tail: int) -> st.SearchStrategy[bytes]:
    """Noise that passes as far as the signature: `before_key` and what names the key behind `head` octets of noise."""
    return st.builds(
        lambda a, b: bytes((first,)) + a + before_key + b,
        st.binary(min_size=head, max_size=head),
        st.binary(min_size=tail, max_size=tail),
    )


named = b"\0\0\0\7" + STATION_KEY.to_bytes(4)


@given(
    st.one_of(
        st.binary(max_size=300),
        like(0x01, ISSUER.to_bytes(4), 13, 88),
        like(0x02, ISSUER.to_bytes(4), 13, 90),
        like(0x81, named, 13, 96),
        like(0x82, named, 5, 96),
        st.integers(1, MOST_TEXT).flatmap(
            lambda length: st.builds(
                lambda a, b: b"\x40" + a[:2] + bytes((length,)) + a[2:] + ISSUER.to_bytes(4) + b,
                st.binary(min_size=10, max_size=10),
                st.binary(min_size=76 + length, max_size=76 + length),
            )
        ),
    )
)
def test_garbage_is_never_accepted(data: bytes) -> None:
    assert not accepted(data)


@given(st.sampled_from(("order", "zoned", "answer", "text", "health")), st.data())
def test_a_valid_signature_over_any_fields_raises_nothing_but_wire_errors(form: str, data: st.DataObject) -> None:
    """A broken or newer station or centre signs whatever it likes."""
    context, head, name, size, key = {
        "order": (b"siaga order 1\0", b"\1", ISSUER.to_bytes(4), 42, CENTRE),
        "zoned": (b"siaga order 1\0", b"\2", ISSUER.to_bytes(4), 44, CENTRE),
        "answer": (b"siaga answer 1\0", b"\x81", named, 54, STATION),
        "text": (b"siaga text 1\0", b"\x40\1\1\x08", ISSUER.to_bytes(4), 36, CENTRE),
        "health": (b"siaga health 1\0", b"\x82", named, 46, STATION),
    }[form]
    at = 6 if form == "health" else 14 if form in ("order", "zoned", "answer") else 12
    noise = data.draw(st.binary(min_size=size, max_size=size))
    body = (head + noise[len(head) :])[:at] + name + noise[at + len(name) :]
    event(f"{form} taken: {accepted(body + key.sign(context + body))}")


@given(orders, answers, texts, healths, st.data())
def test_octets_changed_cut_or_spliced_are_never_accepted(
    order: Order, answer: Answer, text: Text, health: Health, data: st.DataObject
) -> None:
    whole = [
        encode_order(order, CENTRE),
        encode_answer(answer, STATION),
        encode_text(text, CENTRE),
        encode_health(health, STATION),
    ]
    one, other = data.draw(st.permutations(whole))[:2]
    first, last = data.draw(st.integers(0, len(one))), data.draw(st.integers(0, len(other)))
    middle = data.draw(st.binary(max_size=8))
    for changed in (one[:first] + middle + other[last:], one[:first] + middle + one[last:]):
        if changed not in whole:
            assert not accepted(changed)


@given(orders)
def test_an_order_signed_by_another_key_is_never_accepted(order: Order) -> None:
    rogue = encode_order(msgspec.structs.replace(order, issuer=key_id(ROGUE.public_key())), ROGUE)
    assert not accepted(rogue)
    as_centre = rogue[:14] + ISSUER.to_bytes(4) + rogue[18:]
    assert not accepted(as_centre)

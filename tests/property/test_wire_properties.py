"""What holds for every order, every garbage and every network: delays, copies, losses, restarts and drifting clocks."""

from collections import Counter
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import event, given, settings
from hypothesis import strategies as st

from appliance.alerting.answers import AnswerWindow, Count
from appliance.alerting.freshness import HELLO_BY_SMS, Accept, Freshness, Learned, Refuse
from appliance.alerting.window import WINDOW, Window
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
from appliance.keys import key_id, keyring

CENTRE, ROGUE, STATION = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))
ISSUER, STATION_KEY = key_id(CENTRE.public_key()), key_id(STATION.public_key())
ISSUERS = keyring([CENTRE.public_key()])
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
)
stops = starts.map(
    lambda order: msgspec.structs.replace(order, action=Action.STOP, pattern=Pattern.NONE, seconds=0),
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
    ),
    starts,
    positive_u32,
    st.binary(min_size=4, max_size=4),
)
orders = st.one_of(starts, stops, hellos)
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


def accepted(data: bytes) -> bool:
    """Whether either decoder takes `data`; any exception but WireError fails the test."""
    taken = False
    for decode in (lambda: decode_order(data, ISSUERS), lambda: decode_answer(data, STATIONS)):
        try:
            decode()
        except WireError:
            continue
        taken = True
    return taken


@given(
    st.one_of(
        st.binary(max_size=300),
        st.builds(
            lambda body, signature: b"\x01" + body + signature, st.binary(min_size=105, max_size=105), st.just(b"")
        ),
        st.builds(
            lambda head, tail: b"\x81" + head + b"\0\0\0\7" + STATION_KEY.to_bytes(4) + tail,
            st.binary(min_size=13, max_size=13),
            st.binary(min_size=96, max_size=96),
        ),
    )
)
def test_garbage_is_never_accepted(data: bytes) -> None:
    assert not accepted(data)


@given(orders, answers, st.data())
def test_octets_changed_cut_or_spliced_are_never_accepted(order: Order, answer: Answer, data: st.DataObject) -> None:
    whole = [encode_order(order, CENTRE), encode_answer(answer, STATION)]
    one, other = data.draw(st.permutations(whole))
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


@given(st.lists(st.one_of(st.integers(1, 200), positive_u32), max_size=200))
def test_the_window_takes_each_number_once_and_exactly_those_of_the_last_64(numbers: list[int]) -> None:
    window: Window[int] = Window()
    took: set[int] = set()
    for number in numbers:
        top = max(took, default=0)
        in_reach = number > top - WINDOW
        assert window.too_old(number) is not in_reach
        if in_reach:
            assert (window.taken(number) is not None) is (number in took)
        if in_reach and number not in took:
            window.take(number, number)
            took.add(number)
        assert window.highest == max(took, default=0)


# --- a network that does what it likes

seconds = st.floats(0, 400, allow_nan=False)


class Send(msgspec.Struct, frozen=True):
    """One order: signed at `at` (for the session of then), each copy arrives so many s later."""

    at: float
    stops: bool
    alert: int
    lifetime_s: int
    delays: tuple[float, ...]


class Greeting(msgspec.Struct, frozen=True):
    """One handshake: announced at `at`, signed `there` s later, each copy arrives so many s after that."""

    at: float
    there: float
    delays: tuple[float, ...]


sends = st.builds(
    Send,
    at=seconds,
    stops=st.booleans(),
    alert=st.integers(1, 4),
    lifetime_s=st.sampled_from([1, 30, 60, 120, 300]),
    delays=st.lists(seconds, min_size=1, max_size=3).map(tuple),
)
greetings = st.builds(
    Greeting,
    at=seconds,
    there=st.one_of(st.floats(0, 2), seconds),
    delays=st.lists(st.one_of(st.floats(0, 2), seconds), min_size=1, max_size=2).map(tuple),
)


@settings(max_examples=300)
@given(
    st.lists(sends, max_size=12),
    st.lists(greetings, min_size=1, max_size=6),
    st.lists(seconds, max_size=2),
    st.floats(0.9990005, 1.0009995),
    st.floats(0, 2_000_000_000),
    st.permutations(range(1, 19)),
)
def test_no_order_is_accepted_twice_too_late_or_in_another_session(
    orders: list[Send],
    greetings: list[Greeting],
    restarts: list[float],
    rate: float,
    ahead: float,
    sequences: list[int],
) -> None:
    def issuer_clock(now: float) -> float:
        return ahead + now * rate

    def session_at(now: float) -> int:
        return 1 + sum(restart <= now for restart in restarts)

    def sign(at: float, sequence: int, session: int, **fields: Any) -> Order:
        return Order(
            issuer=ISSUER,
            station=7,
            session=session.to_bytes(8),
            sequence=sequence,
            issued_at=int(issuer_clock(at)),
            **fields,
        )

    arrivals: list[tuple[float, float, Order]] = []  # (when, signed at, order)
    for send, sequence in zip(orders, sequences, strict=False):
        order = sign(
            send.at,
            sequence,
            session_at(send.at),
            action=Action.STOP if send.stops else Action.START,
            kind=Kind.ACTUAL,
            pattern=Pattern.NONE if send.stops else Pattern.WAIL,
            seconds=0 if send.stops else 60,
            alert=send.alert.to_bytes(8),
            lifetime_s=send.lifetime_s,
        )
        arrivals += [(send.at + delay, send.at, order) for delay in send.delays]
    for counter, greeting in enumerate(greetings, 1):
        signed = greeting.at + greeting.there
        hello = sign(
            signed,
            sequences[-counter],
            session_at(greeting.at),
            action=Action.HELLO,
            kind=Kind.NONE,
            pattern=Pattern.NONE,
            seconds=0,
            alert=hello_id(counter, b"rand"),
            lifetime_s=0,
        )
        arrivals += [(signed + delay, signed, hello) for delay in greeting.delays]

    steps: list[tuple[float, int, Any]] = [(at, 0, None) for at in restarts]
    steps += [(greeting.at, 1, counter) for counter, greeting in enumerate(greetings, 1)]
    steps += [(when, 2, (signed, order)) for when, signed, order in arrivals]
    session = 1
    station = Freshness(session.to_bytes(8), 7, [ISSUER], 180)
    counted: Counter[Order] = Counter()
    begun: set[bytes] = set()
    for now, what, about in sorted(steps, key=lambda step: step[:2]):
        if what == 0:
            session += 1
            station = Freshness(session.to_bytes(8), 7, [ISSUER], 180)
            begun = set()
        elif what == 1:
            station.announced(about, now, HELLO_BY_SMS)
        else:
            signed, order = about
            verdict = station.judge(order, now)
            event(verdict.reason.name if isinstance(verdict, Refuse) else type(verdict).__name__)
            if isinstance(verdict, Accept | Learned):
                counted[order] += 1
                assert order.session == session.to_bytes(8)
            if isinstance(verdict, Accept):
                late_stop = order.action is Action.STOP and order.alert in begun
                assert late_stop or issuer_clock(now) - issuer_clock(signed) <= order.lifetime_s
                begun.add(order.alert)
    assert all(times == 1 for times in counted.values())


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 100), st.integers(1, 300), st.floats(0, 2e9))
def test_an_order_young_enough_for_the_round_trip_is_never_refused(
    there: float, back: float, delay: float, lifetime_s: int, ahead: float
) -> None:
    if there + back > HELLO_BY_SMS:
        return
    base = Order(
        action=Action.START,
        kind=Kind.ACTUAL,
        pattern=Pattern.WAIL,
        seconds=60,
        alert=b"alert..1",
        issuer=ISSUER,
        station=7,
        session=b"session1",
        sequence=2,
        issued_at=int(ahead + there + back),
        lifetime_s=lifetime_s,
    )
    hello = msgspec.structs.replace(
        base, action=Action.HELLO, alert=hello_id(1, b"rand"), sequence=1, issued_at=int(ahead + there)
    )
    station = Freshness(b"session1", 7, [ISSUER], 180)
    station.announced(1, 0.0, HELLO_BY_SMS)
    assert isinstance(station.judge(hello, there + back), Learned)
    verdict = station.judge(base, there + back + delay)
    # Two roundings down and at most 0.4 s for drift may be added to the announcement's way and the order's own.
    if there + delay + 2.4 <= lifetime_s:
        assert isinstance(verdict, Accept)
    if delay > lifetime_s:
        assert isinstance(verdict, Refuse)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 150), st.integers(0, 3)), max_size=150),
    st.sets(st.tuples(st.integers(0, 3), st.integers(1, 3))),
)
def test_a_centre_counts_no_answer_twice_and_never_returns_to_an_ended_session(
    heard: list[tuple[int, int, int]], sent: set[tuple[int, int]]
) -> None:
    window = AnswerWindow()
    for session, alert in sent:
        window.sent(
            Order(
                action=Action.STOP,
                kind=Kind.ACTUAL,
                pattern=Pattern.NONE,
                seconds=0,
                alert=alert.to_bytes(8),
                issuer=ISSUER,
                station=7,
                session=b"session%d" % session,
                sequence=1,
                issued_at=0,
                lifetime_s=1,
            )
        )
    counted: Counter[tuple[bytes, int]] = Counter()
    proven: list[bytes] = []
    for session, counter, alert in heard:
        answer = Answer(
            what=What.ALIVE,
            station=7,
            key=STATION_KEY,
            session=b"session%d" % session,
            counter=counter,
            uptime_s=1,
            alert=alert.to_bytes(8),
        )
        count = window.take(answer)
        event(count.name)
        if count is Count.NEW:
            counted[answer.session, counter] += 1
            if not proven or proven[-1] != answer.session:
                proven.append(answer.session)
    assert all(times == 1 for times in counted.values())
    assert len(proven) == len(set(proven))

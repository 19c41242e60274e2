"""The SMS codec: what goes in comes out, and no octets whatever make it fail in any other way than its own."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modem import gsm7
from drivers.modem.pdu import Assembler, Deliver, Direction, Message, PduError, decode, direction_of, encode_submit

quick = settings(max_examples=60, deadline=None)

gsm_text = st.text(
    st.sampled_from([c for c in gsm7.DEFAULT if c != "\x1b"] + list(gsm7.EXTENSION.values())), max_size=500
)
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=250)
numbers = st.from_regex(r"\+?[0-9]{1,20}", fullmatch=True)
directions = st.sampled_from(["deliver", "submit", "status-report", "command"])


def received(hex_submit: str) -> Deliver:
    """What the network makes of a SUBMIT: a DELIVER with the same user data."""
    sent = decode(bytes.fromhex(hex_submit), has_smsc=True, direction="submit")
    shared = {name: getattr(sent, name) for name in Deliver.__struct_fields__ if hasattr(sent, name)}
    return Deliver(**shared, timestamp=datetime(2026, 1, 1, tzinfo=UTC))


def assembled(parts: list[Deliver]) -> Message:
    assembler = Assembler()
    messages = [assembler.add(part) for part in parts]
    assert messages[:-1] == [None] * (len(parts) - 1)
    assert messages[-1] is not None
    return messages[-1]


@quick
@given(numbers, gsm_text | any_text, st.sampled_from([8, 16]), st.randoms(use_true_random=False))
def test_a_text_comes_out_as_it_went_in(number: str, text: str, bits: int, order: Random) -> None:
    parts = [received(p.hex) for p in encode_submit(number, text, reference=77, reference_bits=bits)]
    order.shuffle(parts)
    message = assembled(parts)
    assert (message.text, message.number) == (text, number)


@quick
@given(gsm_text | any_text)
def test_each_part_can_be_read_alone_and_cuts_no_character(text: str) -> None:
    parts = [received(p.hex) for p in encode_submit("+62811", text, reference=1)]
    assert "".join(part.text or "" for part in parts) == text
    assert all(len(p.tpdu) <= 10 + 140 for p in encode_submit("+62811", text, reference=1))


@quick
@given(st.binary(max_size=700), st.none() | st.tuples(st.integers(0, 65535), st.integers(0, 65535)))
def test_data_comes_out_as_it_went_in(data: bytes, ports: tuple[int, int] | None) -> None:
    message = assembled([received(p.hex) for p in encode_submit("0811", data=data, ports=ports, reference=3)])
    assert (message.data, message.ports, message.text) == (data, ports, None)


@quick
@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2098, 12, 31), timezones=st.just(UTC)),
    st.integers(-79, 79),
)
def test_an_end_of_validity_comes_out_as_it_went_in(moment: datetime, quarters: int) -> None:
    end = moment.replace(microsecond=0).astimezone(timezone(timedelta(minutes=15 * quarters)))
    if 2001 <= end.year <= 2098:
        (one,) = encode_submit("0811", "", validity=end)
        got = decode(one.tpdu, has_smsc=False, direction="submit").validity
        assert isinstance(got, datetime)
        assert (got, got.utcoffset()) == (end, end.utcoffset())


@quick
@given(st.binary(max_size=512), st.integers(0, 6))
def test_septets_come_out_of_their_octets(codes: bytes, fill: int) -> None:
    septets = bytes(code & 0x7F for code in codes)
    assert gsm7.unpack(gsm7.pack(septets, fill), len(septets), fill) == septets


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.booleans(), directions)
def test_any_octets_are_a_message_or_our_error(octets: bytes, has_smsc: bool, direction: Direction) -> None:
    with contextlib.suppress(PduError):
        direction_of(octets, has_smsc=has_smsc)
    with contextlib.suppress(PduError):
        decode(octets, has_smsc=has_smsc, direction=direction)


@settings(max_examples=200, deadline=None)
@given(
    any_text,
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=4),
    directions,
)
def test_a_damaged_message_is_a_message_or_our_error(
    text: str, damage: list[tuple[int, int]], direction: Direction
) -> None:
    octets = bytearray(encode_submit("+6281122334455", text, reference=5, validity=timedelta(days=1))[0].tpdu)
    for at, value in damage:
        octets[at % len(octets)] = value
    with contextlib.suppress(PduError):
        message = decode(bytes(octets), has_smsc=False, direction=direction)
        if isinstance(message, Deliver):
            assembler = Assembler()
            assembler.add(message)
            assert Assembler(assembler.state()).state() == assembler.state()


@quick
@given(st.text(max_size=100), st.text(max_size=20), st.integers(-5, 300), st.integers(-1, 70_000), st.integers(0, 20))
def test_what_cannot_be_encoded_is_our_error(text: str, number: str, mr: int, reference: int, bits: int) -> None:
    try:
        parts = encode_submit(number, text, mr=mr, reference=reference, reference_bits=bits)
    except PduError:
        return
    for part in parts:
        decode(bytes.fromhex(part.hex), has_smsc=True, direction="submit")


def test_a_state_from_elsewhere_is_refused() -> None:
    with pytest.raises(PduError):
        Assembler(b'{"open": 1}')

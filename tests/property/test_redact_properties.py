"""Redaction against anything: never fails, changes no length, treats torn and whole alike, and leaves no text."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.modem.pdu import encode_submit
from drivers.modem.recorder import FROM, NOTE, TO, Record, parse, written
from drivers.modem.redact import redacted

CHUNKS = st.lists(st.tuples(st.sampled_from((TO, FROM, NOTE)), st.binary(max_size=80)), max_size=20)
LIKE = st.text(alphabet='0123456789ABCDEF+CMGRTUSDPIN=:,"\r\n \x1a', max_size=400)


def of(chunks: list[tuple[str, bytes]]) -> list[Record]:
    ways = {str(way): way for way in (TO, FROM, NOTE)}
    return [Record(float(number), ways[way], data) for number, (way, data) in enumerate(chunks)]


@given(CHUNKS)
def test_any_bytes_are_written_read_and_redacted_in_their_lengths(chunks: list[tuple[str, bytes]]) -> None:
    records = of(chunks)
    assert list(parse(written(records))) == records
    left = redacted(records)
    assert [(r.at, r.direction, len(r.data)) for r in left] == [(r.at, r.direction, len(r.data)) for r in records]


@given(LIKE, st.integers(1, 60))
def test_torn_and_whole_are_redacted_the_same(text: str, size: int) -> None:
    data = text.encode("latin-1")
    torn = of([(FROM, data[at : at + size]) for at in range(0, len(data), size)])
    assert b"".join(r.data for r in redacted(torn)) == b"".join(r.data for r in redacted(of([(FROM, data)])))


@given(st.text(min_size=1, max_size=400), st.integers(0, 255))
def test_of_two_texts_of_one_length_the_same_is_left(text: str, reference: int) -> None:
    def left(what: str) -> list[bytes]:
        parts = encode_submit("+6281234567890", what, None, reference=reference)
        return [r.data for r in redacted(of([(TO, part.hex.encode() + b"\x1a") for part in parts]))]

    first, second = "\u3042" + text, "\u3044" + text  # one letter apart, both UCS2
    assert left(first) == left(second)

"""What holds for all registers, all plans and all bytes on a line."""

import contextlib
import struct

from hypothesis import assume, given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU

from drivers.modbus.blocks import Rules, plan
from drivers.modbus.frames import Question, WrongFrame, rtu_answer, tcp_answer
from drivers.modbus.registers import DECODERS, Point, decode
from drivers.modbus.sentinels import SENTINELS, limits
from drivers.quality import Quality

TYPES = {"u16": ">H", "s16": ">h", "u32": ">I", "s32": ">i", "u64": ">Q"}
words = st.integers(0, 0xFFFF)
types = st.sampled_from(sorted(TYPES))

selectors = st.one_of(
    st.just({}),
    st.builds(lambda bit: {"bit": bit}, st.integers(0, 15)),
    st.builds(lambda name: {"decode": name}, st.sampled_from(sorted(DECODERS))),
    st.builds(lambda states: {"states": states}, st.dictionaries(st.integers(0, 40), st.text(min_size=1), min_size=1)),
    st.builds(
        lambda low, span, scale: {"range": (low, low + span), "scale": scale},
        st.integers(-100, 100),
        st.integers(1, 100),
        st.sampled_from([1, 0.1, "1/64", "1/512", 10]),
    ),
)


@given(types, st.data())
def test_every_number_of_a_type_survives_its_registers(type, data):
    number = data.draw(st.integers(*limits(type)))
    packed = struct.pack(TYPES[type], number)
    held = [int.from_bytes(packed[i : i + 2], "big") for i in range(0, len(packed), 2)]
    assert decode(Point(at=0, type=type), held) == (number, Quality.GOOD)
    assert decode(Point(at=0, type=type), held[::-1], word_order="low_first") == (number, Quality.GOOD)


@given(types, selectors, st.sampled_from(sorted(SENTINELS)), st.tuples(words, words, words, words))
def test_no_registers_make_decoding_fail_and_no_value_comes_without_good(type, selector, sentinels, held):
    point = Point(at=0, type=type, **selector)
    value, quality = decode(point, held[: point.width], sentinels)
    assert (value is None) == (quality is not Quality.GOOD)
    if value is not None and point.range is not None:
        assert point.range[0] <= value <= point.range[1]


@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 2)), min_size=1, max_size=60),
    st.integers(1, 40),
    st.integers(20, 125),
    st.sets(st.integers(0, 3002), max_size=5),
)
def test_blocks_cover_every_point_and_never_a_barrier_and_differ_in_length(spans, bridge, most, barriers):
    assume(not any(a <= barrier < a + width for a, width in spans for barrier in barriers))
    try:
        blocks = plan(spans, Rules(bridge=bridge, max_registers=most, barriers=barriers))
    except ValueError:
        assume(False)
    covered = [set(range(block.address, block.end)) for block in blocks]
    assert all(any(set(range(a, a + width)) <= block for block in covered) for a, width in spans)
    assert all(block.count <= most for block in blocks)
    assert len({block.count for block in blocks}) == len(blocks)
    assert not any(block & barriers for block in covered)


@given(
    st.lists(st.tuples(st.integers(0, 60000), st.integers(1, 2)), min_size=1, max_size=60),
    st.integers(0, 40),
)
def test_points_without_barriers_can_always_be_read(spans, bridge):
    assert plan(spans, Rules(bridge=bridge))


questions = st.builds(
    Question, unit=st.integers(1, 247), function=st.sampled_from([3, 4]), address=words, count=st.integers(1, 125)
)


def answer(question, data):
    body = bytes([question.unit, question.function, 2 * question.count])
    body += data.draw(st.binary(min_size=2 * question.count, max_size=2 * question.count))
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


@given(questions, st.data())
def test_a_flipped_bit_is_never_believed(question, data):
    frame = bytearray(answer(question, data))
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    frame[bit // 8] ^= 1 << bit % 8
    with contextlib.suppress(WrongFrame):
        assert not rtu_answer(question, bytes(frame)).complete


@given(questions, questions, st.data())
def test_the_answer_to_another_unit_or_length_is_never_believed(asked, other, data):
    assume((asked.unit, asked.function, asked.count) != (other.unit, other.function, other.count))
    with contextlib.suppress(WrongFrame):
        assert not rtu_answer(asked, answer(other, data)).complete


@given(questions, st.binary(max_size=300))
def test_no_bytes_make_the_checks_fail_in_another_way_than_by_refusing(question, heard):
    with contextlib.suppress(WrongFrame):
        assert rtu_answer(question, heard).passed in heard
    with contextlib.suppress(WrongFrame):
        assert heard.startswith(tcp_answer(question, b"\x00\x07", heard).passed)


def _price(spans, frame):
    """The cheapest cover by trying every way to cut the sorted spans."""
    spans = sorted(set(spans))
    best = [0]
    for last in range(1, len(spans) + 1):
        best.append(
            min(
                best[first] + frame + max(a + w for a, w in spans[first:last]) - spans[first][0]
                for first in range(last)
                if max(a + w for a, w in spans[first:last]) - spans[first][0] <= 125
            )
        )
    return best[-1]


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(1, 2)), min_size=1, max_size=25), st.integers(5, 40))
def test_no_cover_is_cheaper_but_for_what_makes_the_lengths_differ(spans, frame):
    blocks = plan(spans, Rules(frame=frame))
    grown = sum(range(len(blocks)))  # at worst all were of one length
    assert sum(frame + block.count for block in blocks) <= _price(spans, frame) + grown

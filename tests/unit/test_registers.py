"""Decoding of registers, by cases worked out by hand."""

import pytest

from drivers.modbus.blocks import Block, Rules, plan
from drivers.modbus.registers import Point, decode
from drivers.quality import Quality

GENCOMM_TOP = [
    Quality.UNIMPLEMENTED,
    Quality.OVER_RANGE,
    Quality.UNDER_RANGE,
    Quality.SENSOR_FAULT,
    Quality.SENSOR_FAULT,
    Quality.UNIMPLEMENTED,
    Quality.UNIMPLEMENTED,
    Quality.UNIMPLEMENTED,
]


@pytest.mark.parametrize(
    ("type", "words", "value"),
    [
        ("u16", [0x8000], 32768),
        ("s16", [0x8000], -32768),
        ("s16", [0xFFFF], -1),
        ("u32", [0x0001, 0x0002], 65538),
        ("s32", [0xFFFF, 0xFFFE], -2),
        ("s32", [0x7FFF, 0xFFFF], 2147483647),
    ],
)
def test_the_high_word_comes_first_and_the_top_bit_is_the_sign(type, words, value):
    assert decode(Point(at=0, type=type), words) == (value, Quality.GOOD)


@pytest.mark.parametrize(("scale", "raw", "value"), [(0.1, 2301, 230.1), (0.1, 3, 0.3), ("1/64", 14785, 231.015625)])
def test_a_scaled_value_is_the_nearest_float_not_a_sum_of_roundings(scale, raw, value):
    assert decode(Point(at=0, scale=scale), [raw]) == (value, Quality.GOOD)


def test_an_unscaled_value_stays_a_whole_number():
    value, _ = decode(Point(at=0, scale=10), [7])
    assert (value, type(value)) == (70, int)


@pytest.mark.parametrize(("type", "top"), [("u16", [0xFFFF]), ("s16", [0x7FFF])])
@pytest.mark.parametrize("down", range(8))
def test_a_gencomm_sentinel_of_one_register_is_never_a_value(type, top, down):
    assert decode(Point(at=0, type=type), [top[0] - down], "gencomm") == (None, GENCOMM_TOP[down])


@pytest.mark.parametrize(("type", "high"), [("u32", 0xFFFF), ("s32", 0x7FFF)])
@pytest.mark.parametrize("down", range(8))
def test_a_gencomm_sentinel_of_two_registers_is_never_a_value(type, high, down):
    assert decode(Point(at=0, type=type), [high, 0xFFFF - down], "gencomm") == (None, GENCOMM_TOP[down])


def test_the_number_below_the_sentinels_is_a_value():
    assert decode(Point(at=0), [0xFFF7], "gencomm") == (0xFFF7, Quality.GOOD)
    assert decode(Point(at=0, type="s16"), [0xFFFF], "gencomm") == (-1, Quality.GOOD)


def test_all_ones_is_absent_only_where_it_cannot_be_minus_one():
    assert decode(Point(at=0), [0xFFFF], "all_ones") == (None, Quality.UNIMPLEMENTED)
    assert decode(Point(at=0, type="s16"), [0xFFFF], "all_ones") == (-1, Quality.GOOD)


def test_3190_volts_are_no_value():
    point = Point(at=0, scale=0.1, range=(0, 350))
    assert decode(point, [31900]) == (None, Quality.OVER_RANGE)
    assert decode(point, [3500]) == (350.0, Quality.GOOD)
    assert decode(Point(at=0, type="s16", range=(-50, 200)), [0xFFCD]) == (None, Quality.UNDER_RANGE)


def test_an_unknown_code_has_no_name():
    point = Point(at=0, states={0: "stop", 1: "auto"}, absent=(15,))
    assert decode(point, [1]) == ("auto", Quality.GOOD)
    assert decode(point, [2]) == (None, Quality.OVER_RANGE)
    assert decode(point, [15]) == (None, Quality.UNIMPLEMENTED)


def test_bits_count_from_the_lowest_and_reach_into_the_high_word():
    assert decode(Point(at=0, type="u32", bit=21), [0x0020, 0x0000]) == (True, Quality.GOOD)
    assert decode(Point(at=0, type="u32", bit=0), [0xFFFF, 0xFFFE]) == (False, Quality.GOOD)


@pytest.mark.parametrize(("nibble", "active"), [(0, False), (1, True), (2, False), (3, True)])
def test_nibbles_count_from_the_top_and_a_register_full_of_them_is_no_sentinel(nibble, active):
    point = Point(at=0, nibble=nibble, decode="gencomm_alarm")
    assert decode(point, [0x1412], "gencomm") == (active, Quality.GOOD)


def test_a_register_whose_alarms_are_mostly_unimplemented_still_tells_the_last():
    assert decode(Point(at=0, nibble=3, decode="gencomm_alarm"), [0xFFFA], "gencomm") == (True, Quality.GOOD)


@pytest.mark.parametrize("code", range(16))
def test_an_alarm_that_is_switched_off_is_not_an_alarm_that_is_clear(code):
    value, quality = decode(Point(at=0, nibble=3, decode="gencomm_alarm"), [code])
    assert (value is True) == (code in (2, 3, 4, 10))
    assert (value is False) == (code in (1, 8, 9))
    assert (quality is Quality.GOOD) == (value is not None)


def test_a_hole_is_read_along_where_that_is_cheaper_than_another_question():
    assert plan([(0, 1), (10, 1)], Rules(frame=10)) == (Block(0, 11),)
    assert plan([(0, 1), (12, 2)], Rules(frame=10)) == (Block(0, 1), Block(12, 2))
    assert plan([(0, 1), (12, 2)], Rules(frame=31)) == (Block(0, 14),)


def test_a_device_may_bound_the_hole_that_is_read_along():
    assert plan([(0, 1), (8, 1)], Rules(bridge=7)) == (Block(0, 9),)
    assert plan([(0, 1), (9, 2)], Rules(bridge=7)) == (Block(0, 1), Block(9, 2))


def test_where_blocks_are_full_they_are_cut_at_the_widest_hole():
    spans = [(0, 60), (70, 60), (131, 20)]  # greedily: 0 to 60 with 10 of hole, then the rest; cheaper to cut at 60
    assert plan(spans, Rules(frame=10)) == (Block(0, 60), Block(70, 81))


def test_a_block_never_covers_a_register_that_the_device_rejects():
    assert plan([(0, 2), (4, 1)], Rules(barriers=[3])) == (Block(0, 2), Block(4, 1))


def test_a_block_that_the_device_wants_exactly_so_is_left_alone():
    blocks = plan([(1307, 1), (1320, 2), (1324, 1), (1400, 16)], Rules(exact=((1307, 16),)))
    assert blocks == (Block(1307, 16), Block(1324, 1), Block(1400, 17))


def test_blocks_of_one_length_are_made_to_differ():
    assert plan([(0, 2), (100, 2), (200, 2)], Rules()) == (Block(0, 2), Block(100, 3), Block(200, 4))


def test_no_register_but_the_named_ones_is_read_of_a_device_that_wants_no_holes():
    assert plan([(0, 2), (3, 2)], Rules(bridge=0)) == (Block(0, 2), Block(3, 2))


def test_coils_differ_by_the_bytes_of_their_answers_and_wide_holes_of_them_are_cheap():
    coils = plan([(0, 1), (65, 1), (400, 1)], Rules(frame=10), table="coil")
    assert [(block.address, block.count) for block in coils] == [(0, 66), (400, 1)]
    assert [b.count for b in plan([(0, 1), (400, 1)], Rules(frame=10), table="coil")] == [1, 9]


def test_full_blocks_make_room_to_differ():
    blocks = plan([(at, 1) for at in range(250)], Rules())
    assert len({block.count for block in blocks}) == len(blocks) <= 3


def test_blocks_that_cannot_differ_are_refused():
    with pytest.raises(ValueError, match="different lengths"):
        plan([(0, 1), (2, 1)], Rules(barriers=[1, 3]))


def test_the_low_word_may_come_first():
    assert decode(Point(at=0, type="u32"), [2, 1], word_order="low_first") == (65538, Quality.GOOD)
    assert decode(Point(at=0, type="u64"), [4, 3, 2, 1], word_order="low_first") == (0x0001000200030004, Quality.GOOD)
    assert decode(Point(at=0, type="f32"), [0x4CCD, 0x4366], word_order="low_first") == (230.3, Quality.GOOD)


@pytest.mark.parametrize("words", [[0x7FC0, 0], [0x7F80, 0], [0xFF80, 0]])
def test_a_float_that_is_no_number_is_a_fault_of_the_sensor(words):
    assert decode(Point(at=0, type="f32", range=(0, 350)), words) == (None, Quality.SENSOR_FAULT)


def test_a_float_has_a_scale_and_a_range_too():
    point = Point(at=0, type="f32", scale=1000, range=(0, 500_000))
    assert decode(point, [0x4248, 0x0000]) == (50_000.0, Quality.GOOD)
    assert decode(point, [0x447A, 0x0000]) == (None, Quality.OVER_RANGE)


@pytest.mark.parametrize(
    ("sentinels", "type", "words", "quality"),
    [
        ("comap", "s16", [0x8000], Quality.UNIMPLEMENTED),
        ("comap", "s32", [0x8000, 0], Quality.UNIMPLEMENTED),
        ("smartgen", "u16", [0x7FFF], Quality.UNIMPLEMENTED),
        ("smartgen", "s16", [0x7FFE], Quality.SENSOR_FAULT),
        ("huawei", "u16", [0xFFFF], Quality.UNIMPLEMENTED),
        ("huawei", "u32", [0xFFFF, 0xFFFF], Quality.UNIMPLEMENTED),
        ("huawei", "s16", [0x7FFF], Quality.UNIMPLEMENTED),
    ],
)
def test_what_a_family_puts_for_nothing_is_never_a_value(sentinels, type, words, quality):
    assert decode(Point(at=0, type=type), words, sentinels) == (None, quality)


def test_the_same_words_are_values_where_the_type_makes_them_so():
    assert decode(Point(at=0), [0x8000], "comap") == (0x8000, Quality.GOOD)
    assert decode(Point(at=0, type="u32"), [0, 0x7FFF], "smartgen") == (0x7FFF, Quality.GOOD)
    assert decode(Point(at=0, type="s16"), [0xFFFF], "huawei") == (-1, Quality.GOOD)


@pytest.mark.parametrize("word", [0, 1])
def test_a_coil_or_a_bit_may_be_true_when_it_is_0(word):
    assert decode(Point(at=5, table="coil", invert=True), [word]) == (word == 0, Quality.GOOD)
    assert decode(Point(at=5, table="discrete"), [word]) == (word == 1, Quality.GOOD)
    assert decode(Point(at=5, bit=0, invert=True), [word]) == (word == 0, Quality.GOOD)


@pytest.mark.parametrize(
    ("words", "otherwise", "found"),
    [
        ([0, 1, 0], None, ("auto", Quality.GOOD)),
        ([0, 0, 0], None, (None, Quality.SENSOR_FAULT)),
        ([0, 0, 0], "off", ("off", Quality.GOOD)),
        ([1, 1, 0], "off", (None, Quality.SENSOR_FAULT)),
        ([1, 0, 1], "off", ("manual", Quality.GOOD)),  # two coils that mean the same
    ],
)
def test_of_several_coils_the_one_that_is_on_names_the_value(words, otherwise, found):
    point = Point(at=40, table="coil", one_of=("manual", "auto", "manual"), otherwise=otherwise)
    assert point.width == 3
    assert decode(point, words) == found

"""Every profile in firmware-config is loaded and decodes its golden dump; every kind of fault is refused."""

from pathlib import Path

import pytest

from drivers.modbus.blocks import size
from drivers.modbus.dump import decoded, load_dump
from drivers.modbus.errors import ProfileError
from drivers.modbus.profile import load

FIRMWARE = Path(__file__).parents[2] / "firmware-config"
PROFILES = sorted(
    p for kind in ("gensets", "ups", "meters") for p in (FIRMWARE / kind).glob("*.toml") if ".dump" not in p.name
)
GENSETS = [path for path in PROFILES if path.parent.name == "gensets"]


def test_there_are_profiles_to_test():
    assert len(PROFILES) >= 13


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_profile_decodes_its_golden_dump(path):
    profile = load(path)
    dump = load_dump(path.with_suffix(".dump.toml"))
    for case in dump.case:
        found = decoded(profile, dump, case)
        expected = {name: (value, "good") for name, value in case.points.items()}
        expected |= {name: (None, quality) for name, quality in case.without.items()}
        assert found == expected, case.title
        assert {name: type(value) for name, (value, _) in found.items() if value is not None} == {
            name: type(value) for name, value in case.points.items()
        }, case.title


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_profile_reads_in_few_transactions_of_different_lengths(path):
    profile = load(path)
    sizes = [(block.table, size(block)) for block in profile.blocks()]
    assert len(sizes) <= 16
    assert len(set(sizes)) == len(sizes) or profile.read.bridge == 0


@pytest.mark.parametrize("path", GENSETS, ids=lambda path: path.stem)
def test_a_golden_dump_shows_each_point_with_a_value_and_a_set_at_rest_on_load_and_failed(path):
    profile, dump = load(path), load_dump(path.with_suffix(".dump.toml"))
    assert {name for case in dump.case for name in case.points} == set(profile.point)
    assert len(dump.case) >= 3


@pytest.mark.parametrize("path", GENSETS, ids=lambda path: path.stem)
def test_a_profile_names_its_source_and_what_is_to_be_seen_on_hardware(path):
    profile = load(path)
    assert profile.source
    assert "To verify on hardware" in profile.notes


def test_a_generator_is_never_left_out_of_auto():
    for path in PROFILES:
        assert all(command.write.value != 35700 for command in load(path).command.values())


def test_no_order_touches_a_coil_that_toggles_a_breaker():
    for name in ("smartgen_hgm4020", "smartgen_hgm6100"):
        orders = load(FIRMWARE / "gensets" / f"{name}.toml").command.values()
        assert {order.write.at for order in orders} == {2, 3}


def test_an_argument_and_its_command_are_written_together_and_the_answer_is_known():
    mute = load(FIRMWARE / "gensets" / "comap_intelilite_4.toml").command["mute"].write
    assert (mute.at, mute.registers) == (4207, [0x04FB, 0x0000, 1])
    assert mute.answer is not None
    assert (mute.answer.at, mute.answer.value) == (4207, 0x04FC)


def test_a_key_and_its_complement_are_written_together():
    command = load(FIRMWARE / "gensets" / "dse_7320_mk2.toml").command["start"]
    assert (command.write.at, command.write.registers) == (4104, [35732, 29803])
    assert sum(command.write.registers) == 65535


GOOD = """
name = "x"
kind = "genset"
source = "none"
[point]
mode = { at = 10, states = { 0 = "stop", 1 = "auto" } }
mains_failed = { at = 11, bit = 3 }
mains_v_l1 = { at = 12, type = "u32", unit = "V", scale = 0.1, range = [0, 350] }
[command.start]
write = { at = 4104, encode = "gencomm_key", value = 35732 }
needs = { mode = "auto", max_age_s = 5 }
observe = { point = "mode", is = "auto", within_s = 60 }
"""

FAULTS = {
    "an unknown key": ("bit = 3", "bti = 3", "unknown field `bti`"),
    "an unknown type": ('"u32"', '"u24"', "u24"),
    "an unknown decoder": ("bit = 3", 'decode = "eval"', "no such decoder; there are gencomm_alarm, lowest_bit"),
    "an overlap": ("at = 11, bit = 3", "at = 13", "register 13 is in point.mains_failed too"),
    "a duplicate": ("at = 11, bit = 3", "at = 10", "is the same as point.mode"),
    "a range upside down": ("[0, 350]", "[350, 0]", "the first must be below the second"),
    "a range that the type cannot reach": ("[0, 350]", "[-1, 350]", "a u32 reaches 0 to"),
    "a range on a flag": ("bit = 3", "bit = 3, range = [0, 1]", "are for numbers"),
    "a bit outside of its register": ("bit = 3", "bit = 16", "has bits 0 to 15"),
    "a bit with names": ("bit = 3", 'bit = 3, states = { 0 = "no" }', "is True or False already"),
    "a nibble of two registers": ("scale = 0.1, range = [0, 350]", "nibble = 0", "a part of one u16"),
    "a point past the end": ("at = 12", "at = 65535", "does not fit"),
    "a scale that is no number": ("scale = 0.1", 'scale = "x * 2"', "write a number or a fraction"),
    "a scale of nothing": ("scale = 0.1", "scale = 0", "must be above 0"),
    "a barrier in a point": ("[point]", "[read]\nbarriers = [13]\n[point]", "register 13 is a barrier"),
    "a need of no point": ('mode = "auto", max', 'moed = "auto", max', "no point.moed"),
    "a need that can never be": ('mode = "auto", max', 'mode = "atuo", max', "can never be 'atuo'"),
    "a need of no age": (", max_age_s = 5", "", "give max_age_s"),
    "a proof that can never come": ('is = "auto"', "is = true", "can never be True"),
    "a proof without a value": ('is = "auto"', "is = []", "can never come true"),
    "a stop": ("35732", "35700", "leaves it out of auto"),
    "a key at the wrong place": ("at = 4104", "at = 4105", "at 4104"),
    "a float with a bit": ("bit = 3", 'type = "f32", bit = 3', "is a number"),
    "a coil with a number": ("bit = 3", 'table = "coil", bit = 3', "leave only at, invert and every_s"),
    "an inverted number": ("scale = 0.1", "invert = true", "is for a bit"),
    "a coil that is more than 1": (
        'encode = "gencomm_key", value = 35732',
        'function = "coil", value = 2',
        "is 0 or 1",
    ),
    "a value too wide": ('encode = "gencomm_key", value = 35732', "value = 65536", "one register holds"),
    "an argument without its command": ('"gencomm_key"', '"argument"', "go together"),
    "an identity of no point": ("[point]", "identify = { x = 1 }\n[point]", "no point.x"),
    "an identity that can never be": ("[point]", "identify = { mode = 1 }\n[point]", "can never be 1"),
    "a point that nobody reads": ("mains_failed", "mains_gone", "no genset has such a point; there are battery_low, "),
    "an order that nobody gives": ("[command.start]", "[command.stop]", "no genset has such a command; there are auto"),
    "another unit": ('unit = "V", scale = 0.1', 'unit = "kV", scale = 0.1', 'is in "V" everywhere'),
    "no unit": ('unit = "V", scale = 0.1', "scale = 0.1", 'is in "V" everywhere'),
    "a range that cannot be": ("[0, 350]", "[0, 3500]", "0 to 700 is possible"),
    "no range where FFFF is a number": (", range = [0, 350]", "", "every FFFF would be a measurement"),
    "a state that nobody knows": ('0 = "stop"', '0 = "halted"', "no halted; there are auto"),
    "a word that is a number": (', states = { 0 = "stop", 1 = "auto" }', "", "is a word; give states or one_of"),
    "a number that is a flag": ("at = 12", "bit = 0, at = 12", "is a number; remove bit"),
    "a flag that is a number": (", bit = 3", "", "is True or False; give a bit"),
    "a start that leaves auto": ('needs = { mode = "auto", ', 'needs = { mode = "stop", ', "works in another mode"),
    "one of several registers": ("bit = 3", 'one_of = ["a"]', "are for coils and discrete inputs; use states"),
    "otherwise of one coil": ("bit = 3", 'table = "coil", otherwise = "x"', "otherwise: is for one_of"),
    "codes that mean True and nothing else": ("bit = 3", "true = [1]", "go together"),
    "a code that means both": ("bit = 3", "true = [1], false = [0, 1]", "a code is in one of them"),
    "codes of a bit": ("bit = 3", "bit = 3, true = [1], false = [0]", "remove bit"),
    "a card that no flag tells lost": ("[point]", 'lost_by = "mode"\n[point]', "no point.mode that is True or False"),
    "a file that is no TOML": ("[point]", "[point", "Expected"),
}


def test_the_profile_from_which_the_faulty_ones_are_made_is_good(tmp_path):
    path = tmp_path / "good.toml"
    path.write_text(GOOD)
    assert set(load(path).point) == {"mode", "mains_failed", "mains_v_l1"}


@pytest.mark.parametrize(("good", "bad", "told"), FAULTS.values(), ids=FAULTS.keys())
def test_a_faulty_profile_is_refused_with_the_fault_and_its_place(tmp_path, good, bad, told):
    assert GOOD.count(good) >= 1
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace(good, bad, 1))
    with pytest.raises(ProfileError) as refused:
        load(path)
    assert told in str(refused.value)
    assert "bad.toml" in str(refused.value)


def test_all_faults_are_told_at_once(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace("bit = 3", "bit = 99").replace("bit = 99", "bit = 20").replace("[0, 350]", "[9, 1]"))
    with pytest.raises(ProfileError) as refused:
        load(path)
    assert len(str(refused.value).splitlines()) == 2

"""Texts in the national language tables, TS 23.038 annex A: out, in again, and from telephones that use them."""

from itertools import product

import pytest

from drivers.modem import gsm7
from drivers.modem.gsm7_national import LOCKING, SHIFT
from drivers.modem.pdu import Assembler, Deliver, PduError, Submit, decode, encode_submit

CODES = bytes(code for code in range(128) if code != gsm7.ESC)
STAMP = "62111021000082"


def sent(text: str, **tables: object) -> list[Submit]:
    parts = encode_submit("+62811", text, reference=9, **tables)  # type: ignore[arg-type]
    return [decode(bytes.fromhex(part.hex), has_smsc=True, direction="submit") for part in parts]


def received(header: str, septets: bytes) -> Deliver:
    """A DELIVER with these elements in its header, as a telephone's message comes in."""
    octets = bytes((len(header) // 2,)) + bytes.fromhex(header)
    fill = -len(octets) * 8 % 7
    length = (len(octets) * 8 + fill) // 7 + len(septets)
    body = (octets + gsm7.pack(septets, fill)).hex()
    return decode(bytes.fromhex(f"40049121430000{STAMP}{length:02X}{body}"), has_smsc=False, direction="deliver")


def test_all_languages_of_the_standard_are_there() -> None:
    assert set(SHIFT) == set(range(1, 14))
    assert set(LOCKING) == set(SHIFT) - {2}  # Spanish has no locking shift table


@pytest.mark.parametrize("locking", [0, *LOCKING])
def test_every_character_of_every_pair_of_tables_comes_out_as_it_went_in(locking: int) -> None:
    behind_escape = b"".join(bytes((gsm7.ESC, code)) for code in CODES)
    for shift in (0, *SHIFT):
        letters = gsm7.text_of(CODES, locking, shift) + gsm7.text_of(behind_escape, locking, shift)
        text = letters.replace("\ufffd", "")
        assert len(set(text)) > 100
        parts = sent(text, locking=locking, shift=shift, alphabet="gsm7")
        assert "".join(part.text or "" for part in parts) == text
        assert {(part.locking or 0, part.shift or 0) for part in parts} == {(locking, shift)}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (1, "Yangın var, İğneada'ya gidiş kapalı; şu an ığşİ€"),
        (3, "Atenção: incêndio à porta, não há água ∞ Φ"),
        (6, "आग लगी है, बाज़ार की ओर मत जाओ।"),
        (7, "ಬೆಂಕಿ, ಇಲ್ಲಿ ಡಬ್ಬ"),
        (11, "தீ விபத்து, உதவி தேவை"),
        (12, "నిప్పు €5"),
        (13, "آگ لگ گئی ہے۔"),
    ],
)
def test_a_text_in_its_own_language_needs_no_ucs2(language: int, text: str) -> None:
    if language == 13:
        text = text.replace("ئ", "ی")  # U+0626 stands in neither table
    (one,) = sent(text, locking=language, shift=language)
    assert (one.text, one.alphabet, one.locking, one.shift) == (text, "gsm7", language, language)


def test_a_single_shift_alone_leaves_the_default_alphabet_in_force() -> None:
    (one,) = encode_submit("0811", "ğ@", shift=1)
    assert one.tpdu.hex().endswith("0803240101" + gsm7.pack(b"\x1bg\0", 3).hex())
    assert sent("ğ@", shift=1)[0].text == "ğ@"


def test_headers_for_parts_and_tables_stand_together_and_no_pair_is_cut() -> None:
    parts = sent("ğ" * 200, shift=1)
    assert [len(part.text or "") for part in parts] == [74, 74, 52]
    assert [(part.reference, part.total, part.sequence, part.shift) for part in parts] == [
        (9, 3, i, 1) for i in (1, 2, 3)
    ]


def test_a_text_that_its_tables_lack_goes_as_ucs2_without_them_or_not_at_all() -> None:
    (one,) = sent("ğ→", locking=1, shift=1)
    assert (one.alphabet, one.text, one.locking, one.shift) == ("ucs2", "ğ→", None, None)
    with pytest.raises(PduError, match="'→' is not in"):
        encode_submit("0811", "ğ→", locking=1, alphabet="gsm7")


@pytest.mark.parametrize("tables", [{"locking": 2}, {"locking": 14}, {"shift": 14}, {"shift": -1}])
def test_tables_that_do_not_exist_cannot_be_asked_for(tables: dict[str, int]) -> None:
    with pytest.raises(PduError, match=r"no (locking|single) shift table"):
        encode_submit("0811", "a", **tables)  # type: ignore[arg-type]


def test_tables_are_for_text_that_goes_as_septets() -> None:
    with pytest.raises(PduError):
        encode_submit("0811", data=b"a", shift=1)
    with pytest.raises(PduError):
        encode_submit("0811", "a", shift=1, alphabet="ucs2")


def test_a_table_that_nobody_knows_is_read_as_the_default_one() -> None:
    assert received("250140240163", b"@\x1be").text == "¡€"
    assert received("250102", b"a\x1b(").text == "a{"


def test_a_free_code_shows_that_something_was_there() -> None:
    assert received("250104", b"\x0ca").text == "\ufffda"
    assert received("240104", b"\x1bna").text == "na"


def test_parts_in_different_tables_make_one_text() -> None:
    assembler = Assembler()
    assert assembler.add(received("0003070201" + "250101", b"\x0b")) is None
    message = assembler.add(received("0003070202", b"\x0b"))
    assert message is not None
    assert message.text == "ĞØ"


def test_parts_in_the_same_tables_join_before_they_are_read() -> None:
    assembler = Assembler(Assembler().state())
    assembler.add(received("0003070201" + "240101", b"a\x1b"))
    message = Assembler(assembler.state()).add(received("0003070202" + "240101", b"g"))
    assert message is not None
    assert message.text == "ağ"


def test_the_tables_are_those_of_another_program_but_for_its_slips() -> None:
    """gsmcodecs has an apostrophe for the comma, one Kannada letter twice and another never, and no Telugu euro."""
    others = pytest.importorskip("gsmcodecs.charmaps").GSMCHARMAPS
    different = set()
    for language, (kind, ours) in product(SHIFT, (("locking", LOCKING), ("singleShift", SHIFT))):
        theirs = others[language].get(kind, {"decode": {}})["decode"]
        points = ours.get(language, ".... " * 128).split()
        assert len(points) == 128
        for code, point in enumerate(points):
            other = theirs.get(code)
            if code != gsm7.ESC and (f"{other:04X}" if other is not None else "....") != point:
                different.add((kind, language, code, point))
    assert different == {("locking", language, 0x2C, "002C") for language in range(4, 14)} | {
        ("locking", 7, 0x24, "0CA1"),
        ("singleShift", 12, 0x65, "20AC"),
    }

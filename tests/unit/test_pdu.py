"""The SMS codec against messages that other software and networks made."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from drivers.modem import gsm7
from drivers.modem.pdu import (
    Assembler,
    Deliver,
    Message,
    PduError,
    Tpdu,
    decode,
    direction_of,
    encode_submit,
)

HOW_ARE_YOU = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"


def deliver(text: str) -> Deliver:
    return decode(bytes.fromhex(text), has_smsc=True, direction="deliver")


def part(
    sequence: int, text: str, *, reference: int = 7, total: int = 3, minute: int = 0, number: str = "+62811"
) -> Deliver:
    """One part as a network delivers it: built by hand, UCS2."""
    digits = number.removeprefix("+")
    padded = digits + "F" * (len(digits) % 2)
    semi = "".join(padded[i + 1] + padded[i] for i in range(0, len(padded), 2))
    stamp = "62111021" + f"{minute:02d}"[::-1] + "0082"
    body = f"050003{reference:02X}{total:02X}{sequence:02X}" + text.encode("utf-16-be").hex()
    return decode(
        bytes.fromhex(f"44{len(digits):02X}91{semi}0008{stamp}{len(body) // 2:02X}{body}"),
        has_smsc=False,
        direction="deliver",
    )


def test_a_message_from_the_standard_s_first_network_is_read() -> None:
    message = deliver(HOW_ARE_YOU)
    assert (message.number, message.number_type, message.smsc) == ("+31641600986", "international", "+31624000000")
    assert (message.text, message.data, message.alphabet) == ("How are you?", None, "gsm7")
    assert message.timestamp == datetime(2002, 8, 26, 19, 37, 41, tzinfo=UTC)


@pytest.mark.parametrize("padding", ["FF", "FFFFFFFFFFFF", "00"])
def test_what_a_sim_fills_up_with_is_ignored(padding: str) -> None:
    assert deliver(HOW_ARE_YOU + padding) == deliver(HOW_ARE_YOU)


def test_a_zone_west_of_greenwich_has_its_sign_in_bit_3() -> None:
    message = deliver("0004039121F30000214365709080" + "4A" + "00")  # a wrong month: no time at all
    assert message.timestamp is None
    west = deliver("0004039121F3000042013061907" + "04A" + "00").timestamp
    assert west is not None
    assert west.utcoffset() == timedelta(hours=-6)
    east = deliver("0004039121F3000042013061907" + "082" + "00").timestamp
    assert east is not None
    assert east.utcoffset() == timedelta(hours=7)


def test_a_name_as_originator_is_read_by_its_length_in_semi_octets() -> None:
    # "Telkomsel": nine septets, 63 bits, 16 semi-octets
    packed = gsm7.pack(b"Telkomsel").hex()
    message = deliver(f"000410D0{packed}0000420130619070820548656C6C6F")
    assert (message.number, message.number_type) == ("Telkomsel", "alphanumeric")


def test_extended_characters_and_unknown_escapes_are_read_as_the_standard_asks() -> None:
    assert gsm7.text_of(bytes((0x1B, 0x65))) == "€"
    assert gsm7.text_of(bytes((0x1B, 0x41))) == "A"
    assert gsm7.text_of(bytes((0x1B, 0x1B, 0x41))) == " A"
    assert gsm7.text_of(bytes((0x41, 0x1B))) == "A "


def test_a_carriage_return_that_only_fills_up_is_dropped() -> None:
    assert gsm7.text_of_packed(bytes.fromhex("31D98C56B3DD1A")) == "1234567"
    assert gsm7.text_of_packed(bytes.fromhex("AA180DA682DD6C31192D36BBDD46")) == "*140*0761241377#"


@pytest.mark.parametrize(
    ("dcs", "alphabet", "message_class"),
    [
        (0x00, "gsm7", None),
        (0x10, "gsm7", 0),
        (0x08, "ucs2", None),
        (0x19, "ucs2", 1),
        (0x04, "8bit", None),
        (0x15, "8bit", 1),
        (0x0C, "gsm7", None),
        (0x20, "8bit", None),
        (0x48, "ucs2", None),
        (0x90, "gsm7", None),
        (0xC8, "gsm7", None),
        (0xE0, "ucs2", None),
        (0xF4, "8bit", 0),
        (0xF5, "8bit", 1),
        (0xF0, "gsm7", 0),
    ],
)
def test_the_coding_scheme_says_alphabet_and_class(dcs: int, alphabet: str, message_class: int | None) -> None:
    message = deliver(f"0004039121F300{dcs:02X}4201306190708200")
    assert (message.alphabet, message.message_class) == (alphabet, message_class)


def test_a_reserved_protocol_identifier_is_kept() -> None:
    assert deliver("0004039121F3C2004201306190708200").pid == 0xC2


def test_a_delivery_report_says_what_became_of_which_message() -> None:
    report = decode(
        bytes.fromhex("07913396050066F006D60B913326979454F6510111419022805101114190528000"),
        has_smsc=True,
        direction="status-report",
    )
    assert (report.mr, report.number, report.status, report.outcome) == (0xD6, "+33627949456", 0, "done")
    assert report.timestamp == datetime(2015, 10, 11, 14, 9, 22, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("status", "outcome"), [(0x02, "done"), (0x20, "trying"), (0x3F, "trying"), (0x40, "failed"), (0x61, "failed")]
)
def test_a_status_is_done_trying_or_failed(status: int, outcome: str) -> None:
    pdu = bytes.fromhex(f"06010391 21F3 42013061907082 42013061907082 {status:02X} FFFFFF")
    assert decode(pdu, has_smsc=False, direction="status-report").outcome == outcome


def test_what_came_in_is_told_by_its_first_octet() -> None:
    assert direction_of(bytes.fromhex(HOW_ARE_YOU), has_smsc=True) == "deliver"
    assert direction_of(bytes.fromhex("0601039121F3"), has_smsc=False) == "status-report"


def test_a_command_to_the_centre_is_read() -> None:
    command = decode(bytes.fromhex("02050002070391" + "21F3" + "01AA"), has_smsc=False, direction="command")
    assert (command.mr, command.command, command.message, command.number, command.data) == (5, 2, 7, "+123", b"\xaa")


def test_a_message_goes_out_as_others_send_it() -> None:
    (one,) = encode_submit("+46708251358", "hellohello", validity=timedelta(days=4))
    assert one == Tpdu(b"\0", bytes.fromhex("11000B916407281553F80000AA0AE8329BFD4697D9EC37"))
    assert (one.octets, one.hex) == (23, "0011000B916407281553F80000AA0AE8329BFD4697D9EC37")


@pytest.mark.parametrize(
    ("text", "bits", "lengths"),
    [
        ("a" * 160, 8, [160]),
        ("a" * 161, 8, [153, 8]),
        ("a" * 161, 16, [152, 9]),
        ("a" * 152 + "€" + "a" * 20, 8, [152, 21]),
        ("€" * 80, 8, [80]),
        ("ž" * 70, 8, [70]),
        ("ž" * 71, 8, [67, 4]),
        ("ž" * 71, 16, [66, 5]),
        ("ž" * 66 + "🔥" * 9, 8, [66, 9]),
    ],
)
def test_parts_are_as_long_as_they_can_be_and_cut_no_character(text: str, bits: int, lengths: list[int]) -> None:
    parts = [
        decode(bytes.fromhex(p.hex), has_smsc=True, direction="submit")
        for p in encode_submit("+62811", text, reference=200, reference_bits=bits)
    ]
    assert [len(p.text or "") for p in parts] == lengths
    assert "".join(p.text or "" for p in parts) == text
    if len(parts) > 1:
        assert [(p.reference, p.reference_bits, p.total, p.sequence) for p in parts] == [
            (200, bits, len(parts), i + 1) for i in range(len(parts))
        ]


def test_an_order_of_133_octets_goes_in_one_part_with_its_ports() -> None:
    order = bytes(range(133))
    (one,) = encode_submit("0811", data=order, ports=(16001, 0))
    sent = decode(one.tpdu, has_smsc=False, direction="submit")
    assert (sent.data, sent.ports, sent.alphabet, sent.text) == (order, (16001, 0), "8bit", None)
    assert len(encode_submit("0811", data=order + b"!", ports=(16001, 0))) == 2


def test_every_option_comes_out_as_it_went_in() -> None:
    (one,) = encode_submit(
        "0811-222 333",
        "Tes",
        smsc="+62811000000",
        report=True,
        flash=True,
        validity=datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=9))),
        mr=9,
        reject_duplicates=True,
    )
    sent = decode(bytes.fromhex(one.hex), has_smsc=True, direction="submit")
    assert (sent.number, sent.number_type, sent.smsc, sent.mr) == ("0811222333", "unknown", "+62811000000", 9)
    assert (sent.report, sent.message_class, sent.reject_duplicates) == (True, 0, True)
    assert sent.validity == datetime(2026, 3, 1, 3, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        (timedelta(0), timedelta(minutes=5)),
        (timedelta(minutes=6), timedelta(minutes=10)),
        (timedelta(hours=12), timedelta(hours=12)),
        (timedelta(hours=13, minutes=10), timedelta(hours=13, minutes=30)),
        (timedelta(days=2, hours=1), timedelta(days=3)),
        (timedelta(weeks=63), timedelta(weeks=63)),
    ],
)
def test_a_validity_is_rounded_up(asked: timedelta, sent: timedelta) -> None:
    (one,) = encode_submit("0811", "", validity=asked)
    assert decode(one.tpdu, has_smsc=False, direction="submit").validity == sent


def test_what_cannot_be_sent_is_refused_with_one_error() -> None:
    calls: tuple[Callable[[], object], ...] = (
        lambda: encode_submit("0811"),
        lambda: encode_submit("0811", "a", b"a"),
        lambda: encode_submit("", "a"),
        lambda: encode_submit("0811x", "a"),
        lambda: encode_submit("1" * 21, "a"),
        lambda: encode_submit("0811", "ž", alphabet="gsm7"),
        lambda: encode_submit("0811", "a", alphabet="8bit"),
        lambda: encode_submit("0811", "\ud83d"),
        lambda: encode_submit("0811", "a" * 40_000),
        lambda: encode_submit("0811", "a", locking=2),
        lambda: encode_submit("0811", "a", reference=256),
        lambda: encode_submit("0811", "a", reference_bits=9),
        lambda: encode_submit("0811", "a", ports=(1, 65536)),
        lambda: encode_submit("0811", "a", message_class=4),
        lambda: encode_submit("0811", "a", validity=timedelta(weeks=64)),
        lambda: encode_submit("0811", "a", validity=datetime(2026, 1, 1)),
        lambda: encode_submit("0811", "a", mr=256),
        lambda: encode_submit("0811", "a", smsc="x"),
    )
    for call in calls:
        with pytest.raises(PduError):
            call()


def test_every_cut_of_a_message_is_refused_and_says_where() -> None:
    whole = bytes.fromhex(HOW_ARE_YOU)
    for length in range(len(whole)):
        with pytest.raises(PduError, match=r"octet|septets"):
            decode(whole[:length], has_smsc=True, direction="deliver")


def test_parts_in_any_order_make_one_message() -> None:
    assembler = Assembler()
    assert assembler.add(part(3, "tiga")) is None
    assert assembler.add(part(1, "satu ")) is None
    message = assembler.add(part(2, "dua "))
    assert message is not None
    assert (message.text, message.parts, message.number) == ("satu dua tiga", 3, "+62811")
    assert assembler.waiting == 0


def test_repeated_parts_count_once_also_after_the_end() -> None:
    assembler = Assembler()
    for sequence in (1, 1, 2):
        assert assembler.add(part(sequence, str(sequence))) is None
    assert assembler.add(part(3, "3")) is not None
    assert assembler.add(part(3, "3")) is None
    assert assembler.waiting == 0


def test_a_reference_used_again_does_not_mix_two_messages() -> None:
    assembler = Assembler()
    assembler.add(part(1, "lama ", total=2))
    assembler.add(part(1, "baru ", total=2, minute=30))
    message = assembler.add(part(2, "sekali", total=2, minute=31))
    assert message is not None
    assert message.text == "baru sekali"


def test_senders_with_the_same_reference_stay_apart() -> None:
    assembler = Assembler()
    assembler.add(part(1, "a", total=2))
    assert assembler.add(part(2, "b", total=2, number="+62812")) is None


def test_parts_survive_a_restart() -> None:
    assembler = Assembler()
    assembler.add(part(1, "a", total=2))
    restarted = Assembler(assembler.state())
    message = restarted.add(part(2, "b", total=2))
    assert message is not None
    assert message.text == "ab"
    assert Assembler(restarted.state()).add(part(2, "b", total=2)) is None


def test_a_state_that_cannot_be_read_is_an_error_of_ours() -> None:
    with pytest.raises(PduError):
        Assembler(b"\xff{")


def test_a_character_that_a_foreign_sender_cut_in_two_comes_out_whole() -> None:
    assembler = Assembler()
    fire = "🔥".encode("utf-16-be")
    parts = [part(i, "x", total=2) for i in (1, 2)]
    halves = [
        Deliver(**{f: getattr(p, f) for f in p.__struct_fields__} | {"raw": raw})
        for p, raw in zip(parts, (fire[:2], fire[2:]), strict=True)
    ]
    assembler.add(halves[0])
    message = assembler.add(halves[1])
    assert message is not None
    assert message.text == "🔥"


def test_unfinished_messages_are_bounded_and_the_oldest_goes() -> None:
    assembler = Assembler()
    for i in range(600):
        assembler.add(part(1, "a", reference=i % 256, total=2 + i // 256))
    assert assembler.waiting == 512
    assert assembler.dropped == 88


def test_what_stays_unfinished_can_be_taken_out_with_its_gap() -> None:
    assembler = Assembler()
    assembler.add(part(2, "dua"))
    ((message, missing),) = assembler.give_up(datetime(2030, 1, 1, tzinfo=UTC))
    assert isinstance(message, Message)
    assert (message.text, missing, assembler.waiting) == ("dua", 2, 0)

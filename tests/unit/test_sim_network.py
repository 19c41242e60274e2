"""The simulated network's own codec against known bytes, and its message centre and exchange in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from drivers.clock import VirtualClock
from drivers.sim import sms_pdu, sms_text
from drivers.sim.network import MobileNetwork, canonical
from drivers.sim.network_calls import Call, Cause, Phase
from drivers.sim.network_sms import MAILBOX, OUTBOX, RETRY_S, Refused
from drivers.sim.phone_voice import PhoneVoice

A, B, OUTSIDE = "+628111111111", "+628222222222", "+6281299990000"
TO_B = "0C91262822222222"
HELLO = "0AE8329BFD4697D9EC37"  # "hellohello"
NEW_YEAR = 1_767_225_600.0  # 2026-01-01 00:00 UTC


class Phone:
    """A subscriber that takes messages while it is willing, and notes what happens to its calls."""

    def __init__(self, number: str) -> None:
        self.name = self.number = number
        self.reachable, self.has_voice, self.busy, self.willing = True, True, False, True
        self.taken: list[tuple[float, bytes]] = []
        self.tries = 0
        self.phases: list[Phase] = []
        self.keys = ""
        self.voice = PhoneVoice(lambda: None)

    async def take_message(self, tpdu: bytes) -> bool:
        self.tries += 1
        if self.willing:
            self.taken.append((asyncio.get_running_loop().time(), tpdu))
        return self.willing

    def call_changed(self, call: Call) -> None:
        self.phases.append(call.phase)
        self.busy = call.phase is not Phase.ENDED

    def call_replaced(self, old: Call, new: Call) -> None:
        raise AssertionError("nobody transfers here")

    def key_heard(self, call: Call, key: str) -> None:
        self.keys += key


def in_virtual_time(story: Callable[[MobileNetwork, Phone, Phone], Awaitable[None]]) -> None:
    clock = VirtualClock(NEW_YEAR)

    async def main() -> None:
        network, a, b = MobileNetwork(clock.wall), Phone(A), Phone(B)
        network.attach(a)
        network.attach(b)
        running = asyncio.ensure_future(network.run())
        try:
            await story(network, a, b)
        finally:
            running.cancel()
            await asyncio.wait([running])

    clock.run(main())


def submit(rest: str) -> sms_pdu.Submit:
    return sms_pdu.read_submit(bytes.fromhex(rest), NEW_YEAR)


def test_a_submit_is_read_with_all_its_fields() -> None:
    got = submit(f"3107{TO_B}0000AA{HELLO}")
    assert (got.reference, got.destination, got.data.text) == (7, B, "hellohello")
    assert (got.wants_report, got.validity_s) == (True, 4 * 86400.0)


@pytest.mark.parametrize(
    ("form", "validity", "seconds"),
    [
        ("01", "", None),
        ("11", "00", 300.0),
        ("11", "8F", 43200.0),
        ("11", "A7", 86400.0),
        ("11", "C4", 30 * 86400.0),
        ("11", "FF", 63 * 7 * 86400.0),
        ("19", "62101070000082", 0.0),
        ("19", "62101021000029", 15 * 3600.0),
        ("09", "00000000000000", None),
    ],
)
def test_validity_is_read_in_each_of_its_forms(form: str, validity: str, seconds: float | None) -> None:
    assert submit(f"{form}00{TO_B}0000{validity}{HELLO}").validity_s == seconds


def test_the_user_data_header_is_told_apart_from_the_data() -> None:
    ports = submit(f"4100{TO_B}0004" + "0E06050423F4C000DEADBEEF001A1B").data
    assert (ports.header, ports.payload.hex(), ports.text) == ({5: bytes.fromhex("23f4c000")}, "deadbeef001a1b", None)
    ucs2 = submit(f"4100{TO_B}0008" + "0A0500034202016C345BB3").data
    assert (ucs2.header, ucs2.text) == ({0: b"\x42\x02\x01"}, "\u6c34\u5bb3"[:2])
    # One fill bit stands between a six-octet header and septets: "hello" begins in the eighth septet.
    gsm7 = submit(f"4100{TO_B}0000" + "0C050003420201D06536FB0D").data
    assert gsm7.text == "hello"


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("", "ends after 0 octets"),
        (f"0000{TO_B}0000{HELLO}", "is no SUBMIT"),
        (f"0100{TO_B}0000{HELLO}00", "1 octets behind"),
        (f"0100{TO_B}0000{HELLO[:-2]}", "1 too early"),
        (f"0100{TO_B}0004FF" + "00" * 255, "140 is the most"),
        (f"4100{TO_B}000403050001", "header is longer"),
        (f"01000091000000{HELLO}", "is no number"),
    ],
)
def test_bytes_that_are_no_submit_are_refused_with_the_reason(broken: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        submit(broken)


def test_addresses_and_timestamps_have_their_known_bytes() -> None:
    assert sms_pdu.address("+6281299").hex().upper() == "0791261892F9"
    assert sms_pdu.address("363").hex().upper() == "038163F3"
    assert sms_pdu.address("hellohello").hex().upper() == "12D0E8329BFD4697D9EC37"
    assert sms_pdu.service_centre("+6281100000").hex().upper() == "06912618010000"
    assert sms_pdu.timestamp(NEW_YEAR + 3 * 3600 + 245, 7 * 3600).hex() == "62101001405082"
    assert sms_pdu.timestamp(NEW_YEAR, -3 * 3600).hex() == "52211312000029"
    with pytest.raises(ValueError, match="11 characters"):
        sms_pdu.address("hello hello hello")


@pytest.mark.parametrize(
    ("text", "dcs", "parts"),
    [
        ("a" * 160, 0, 1),
        ("a" * 161, 0, 2),
        ("€" * 80, 0, 1),
        ("a" + "€" * 80, 0, 2),
        ("a" * 152 + "€" * 77, 0, 3),
        ("水" * 70, 8, 1),
        ("水" * 71, 8, 2),
        ("水" * 66 + "🔥" * 3, 8, 2),
        ("é`", 8, 1),
    ],
)
def test_a_text_is_cut_as_phones_cut_it_and_reads_the_same(text: str, dcs: int, parts: int) -> None:
    made = sms_text.text_parts(text, 0x1FF)
    assert [part.dcs for part in made] == [dcs] * parts
    assert "".join(part.text or "" for part in made) == text, "no pair is torn"
    assert all(len(part.octets) <= 140 for part in made)
    if parts > 1:
        assert [part.header[0] for part in made] == [bytes([0xFF, parts, number + 1]) for number in range(parts)]


def test_binary_data_fits_133_octets_in_one_message_and_is_cut_beyond() -> None:
    (one,) = sms_text.binary_parts(bytes(133), 0xC000, 9204, 1)
    assert (one.length, one.header) == (140, {5: bytes.fromhex("23f4c000")})
    two = sms_text.binary_parts(bytes(134), 0xC000, 9204, 1)
    assert [len(part.payload) for part in two] == [128, 6]
    with pytest.raises(ValueError, match="255 is the most"):
        sms_text.binary_parts(bytes(128 * 256), 0, 0, 1)


@pytest.mark.parametrize(
    ("dcs", "alphabet", "kind"),
    [
        *((0x00, 0, None), (0x04, 4, None), (0x08, 8, None), (0x10, 0, 0), (0x12, 0, 2), (0x18, 8, 0)),
        *((0xF0, 0, 0), (0xF4, 4, 0), (0xF6, 4, 2), (0xC0, 0, None), (0xD0, 0, None), (0xE0, 8, None)),
    ],
)
def test_a_coding_scheme_names_alphabet_and_class(dcs: int, alphabet: int, kind: int | None) -> None:
    assert (sms_text.alphabet_of(dcs), sms_text.message_class(dcs)) == (alphabet, kind)


def test_one_phone_is_reached_by_each_way_of_writing_its_number() -> None:
    assert {canonical(n) for n in ("+628111111111", "08111111111", "0811-1111 111", "00628111111111")} == {A}
    assert canonical("363") == "363"


def test_messages_arrive_in_order_and_only_one_at_a_time() -> None:
    async def story(network: MobileNetwork, _a: Phone, b: Phone) -> None:
        network.text(OUTSIDE, b, "x" * 400)
        await asyncio.sleep(10)
        times = [when for when, _ in b.taken]
        assert times[0] == pytest.approx(1.5)
        assert [round(later - before, 3) for before, later in pairwise(times)] == [0.3, 0.3]
        assert [tpdu[tpdu.index(b"\x05\x00\x03") + 5] for _, tpdu in b.taken] == [1, 2, 3]

    in_virtual_time(story)


def test_a_phone_that_refuses_is_tried_again_each_minute_and_at_once_when_it_can() -> None:
    async def story(network: MobileNetwork, _a: Phone, b: Phone) -> None:
        b.willing = False
        network.text(OUTSIDE, b, "nanti")
        await asyncio.sleep(2 + 2 * RETRY_S)
        assert (b.tries, network.sms.lost) == (3, 0)
        b.willing = True
        network.available(b)
        await asyncio.sleep(0.1)
        assert len(b.taken) == 1

    in_virtual_time(story)


def test_a_message_that_expires_is_reported_as_expired() -> None:
    async def story(network: MobileNetwork, a: Phone, b: Phone) -> None:
        b.willing = False
        await network.submit(a, 9, bytes.fromhex(f"3100{TO_B}0000" + "00" + HELLO))
        await asyncio.sleep(290)
        assert a.taken == []
        await asyncio.sleep(60)
        ((_, report),) = a.taken
        assert report[:2] == b"\x06\x09"
        assert report[-1] == 0x46
        assert network.sms.lost == 1

    in_virtual_time(story)


def test_the_radio_path_takes_a_second_and_needs_a_network() -> None:
    async def story(network: MobileNetwork, a: Phone, b: Phone) -> None:
        tpdu = bytes.fromhex(f"0100{TO_B}0000{HELLO}")
        await network.submit(a, 1, tpdu)
        assert asyncio.get_running_loop().time() == pytest.approx(1.0)
        a.reachable = False
        with pytest.raises(Refused, match="331"):
            await network.submit(a, 2, tpdu)
        await asyncio.sleep(5)
        assert len(b.taken) == 1

    in_virtual_time(story)


def test_mailboxes_and_the_outbox_are_bounded() -> None:
    async def story(network: MobileNetwork, a: Phone, b: Phone) -> None:
        network.sms.radio_s = 0.0
        b.willing = False
        for _ in range(MAILBOX):
            network.text(OUTSIDE, b, "penuh")
        with pytest.raises(ValueError, match="waiting already"):
            network.text(OUTSIDE, b, "terlalu penuh")
        await asyncio.sleep(2)
        network.text(OUTSIDE, b, "penuh lagi: satu sedang diantar")
        with pytest.raises(Refused, match="322"):
            await network.submit(a, 1, bytes.fromhex(f"0100{TO_B}0000{HELLO}"))
        for _ in range(OUTBOX + 5):
            await network.submit(a, 1, bytes.fromhex(f"01000281210000{HELLO}"))
        assert len(network.sms.outbox) == OUTBOX

    in_virtual_time(story)


def test_an_unanswered_call_ends_after_45_seconds_of_ringing() -> None:
    async def story(network: MobileNetwork, a: Phone, b: Phone) -> None:
        call = network.calls.dial(a, "08222222222")
        await asyncio.sleep(100)
        assert call.cause is Cause.NO_ANSWER
        assert call.ended == pytest.approx(46.5)
        assert a.phases == b.phases == [Phase.ALERTING, Phase.ENDED]

    in_virtual_time(story)


def test_an_answered_call_lasts_until_someone_hangs_up() -> None:
    async def story(network: MobileNetwork, a: Phone, b: Phone) -> None:
        call = network.calls.dial(a, B)
        await asyncio.sleep(3)
        assert not network.calls.answer(call, a), "only the called one can answer"
        with pytest.raises(ValueError, match="not active"):
            network.calls.press(call, b, "1")
        assert network.calls.answer(call, b)
        await asyncio.sleep(3600)
        assert call.phase is Phase.ACTIVE
        network.calls.press(call, b, "1#")
        with pytest.raises(ValueError, match="keys other than"):
            network.calls.press(call, b, "x")
        network.calls.release(call, b)
        network.calls.release(call, a)
        assert (a.keys, call.cause, call.ended_by) == ("1#", Cause.HANGUP, b)
        assert a.phases == [Phase.ALERTING, Phase.ACTIVE, Phase.ENDED]

    in_virtual_time(story)


def test_nobody_can_have_the_same_number_twice_or_write_it_nationally() -> None:
    network = MobileNetwork(lambda: NEW_YEAR)
    network.attach(Phone(A))
    with pytest.raises(ValueError, match="belongs to another"):
        network.attach(Phone(A))
    with pytest.raises(ValueError, match=r"write the number as \+6281"):
        network.attach(Phone("081"))

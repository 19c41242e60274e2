"""What the controller and the UPS of the simulated building would serve, and which keys they take."""

import struct

import pytest
from plant_site import AUTO, CANCEL, START, STOP, Site

from drivers.sim.modbus_slave import answer


def test_telemetry_start_runs_the_set_without_load_and_its_cancel_stops_it_in_auto() -> None:
    site = Site(cooldown_s=15)
    assert site.key(START) == struct.pack(">BHH", 16, 4104, 2)
    site.wait(30)
    assert site.genset(1408) == 3
    assert site.plant.source == "mains"
    site.key(CANCEL)
    site.wait(25)
    assert [site.genset(1408), site.genset(772)] == [0, 1]


def test_the_stop_key_leaves_auto_and_the_auto_key_returns_to_it() -> None:
    site = Site()
    site.key(STOP)
    assert site.genset(772) == 0
    assert site.key(START) == bytes([0x90, 7])
    site.key(AUTO)
    assert site.genset(772) == 1


@pytest.mark.parametrize(
    "pdu",
    [
        struct.pack(">BHHBHH", 16, 4104, 2, 4, START, 65535 - START - 1),
        struct.pack(">BHHBHH", 16, 4104, 2, 4, 35705, 65535 - 35705),
        struct.pack(">BHHBH", 16, 4104, 1, 2, START),
    ],
    ids=["bad check", "unsupported key", "half a pair"],
)
def test_a_key_that_is_not_whole_and_known_answers_exception_7_and_does_nothing(pdu: bytes) -> None:
    site = Site()
    assert answer(site.dse, pdu) == bytes([0x90, 7])
    site.wait(10)
    assert site.genset(1408) == 0


def test_the_advertised_keys_are_those_it_takes() -> None:
    bits = Site().dse.read(4096, 8)
    advertised = [35700 + 16 * i + 15 - b for i, bits16 in enumerate(bits) for b in range(16) if bits16 >> b & 1]
    assert sorted(advertised) == [35700, 35701, 35702, 35703, 35732, 35733]


def test_gencomm_answers_sentinels_on_its_pages_and_refuses_others() -> None:
    site = Site()
    assert site.genset(1026) == 0x7FFF
    assert site.genset(1050, "I") == 0xFFFFFFFF
    assert site.dse.read(1200, 2) == [0xFFFF, 0xFFFF]
    assert answer(site.dse, struct.pack(">BHH", 3, 5000, 1)) == bytes([0x83, 2])
    assert answer(site.dse, struct.pack(">BHH", 3, 2300, 10)) == bytes([0x83, 2])  # runs over the end of page 8
    assert answer(site.dse, struct.pack(">BHHBHH", 16, 1030, 2, 4, 0, 0)) == bytes([0x90, 2])


def test_the_smart_ups_answers_zeros_for_registers_that_do_not_exist() -> None:
    site = Site()
    assert site.apc.read(40_000, 5) == [0] * 5
    name = struct.pack(">16H", *site.apc.read(532, 16))
    assert name.decode("ascii").rstrip() == "Smart-UPS SRT 3000"


@pytest.mark.parametrize(
    ("pdu", "said"),
    [
        (struct.pack(">BHH", 4, 1030, 1), bytes([0x84, 1])),
        (struct.pack(">BHH", 6, 4104, 1), bytes([0x86, 1])),
        (struct.pack(">BHH", 3, 1030, 0), bytes([0x83, 3])),
        (struct.pack(">BHH", 3, 1030, 126), bytes([0x83, 3])),
        (struct.pack(">BHH", 3, 0xFFFF, 2), bytes([0x83, 2])),
        (b"\x03\x04", bytes([0x83, 3])),
        (struct.pack(">BHHB", 16, 4104, 2, 3) + b"abc", bytes([0x90, 3])),
        (b"\x2b", bytes([0xAB, 1])),
    ],
)
def test_a_malformed_request_is_answered_with_the_exception_of_the_standard(pdu: bytes, said: bytes) -> None:
    assert answer(Site().dse, pdu) == said

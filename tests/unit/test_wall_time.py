"""The wall clock beside the mobile networks' time, and the datagram that chronyd takes."""

import socket
import struct
from pathlib import Path

import pytest

from appliance.events import ClockRight, ClockWrong
from appliance.wall_time import FRESH, WallTime
from drivers.chrony_sock import ChronySock


def told(**offsets: float) -> WallTime:
    clock = WallTime()
    for line, offset in offsets.items():
        clock.told(line, offset, 0.0)
    return clock


@pytest.mark.parametrize(
    ("offsets", "kernel", "quality"),
    [
        ({}, "unknown", "unknown"),
        ({}, "held", "held"),
        ({"l1": 0.4}, "unknown", "nitz"),
        ({"l1": -5.0}, "held", "nitz"),
        ({"l1": 6.0}, "unknown", "unknown"),
        ({"l1": 6.0}, "held", "held"),
        ({"l1": 300.0}, "held", "unknown"),
        ({"l1": 300.0}, "ntp", "ntp"),
        ({"l1": 0.0, "l2": 3600.0}, "held", "held"),
        ({"l1": 0.0, "l2": 1.0}, "unknown", "nitz"),
    ],
)
def test_quality_is_what_the_kernel_and_the_networks_say_together(
    offsets: dict[str, float], kernel: str, quality: str
) -> None:
    assert told(**offsets).quality(kernel, 1.0) == quality


@pytest.mark.parametrize(
    ("offsets", "kernel", "wrong"),
    [
        ({}, "unknown", False),
        ({"l1": 120.0}, "unknown", False),
        ({"l1": 121.0}, "unknown", True),
        ({"l1": -121.0}, "held", True),
        ({"l1": 121.0}, "ntp", False),
        ({"l1": 1e9, "l2": 0.0}, "unknown", False),
    ],
)
def test_a_clock_is_wrong_when_ntp_does_not_hold_it_and_it_is_off_by_two_minutes(
    offsets: dict[str, float], kernel: str, wrong: bool
) -> None:
    found = told(**offsets).judge(kernel, 1.0, was_wrong=False)
    assert found == (ClockWrong(offset_s=offsets["l1"], by=("l1",)) if wrong else None)


def test_a_clock_at_the_edge_is_told_once() -> None:
    clock, was, rows = WallTime(), False, []
    for hour, offset in enumerate((119.0, 121.0, 119.0, 121.0, 100.0, 61.0, 59.0, 119.0, 61.0)):
        clock.told("l1", offset, hour * 3600.0)
        if found := clock.judge("unknown", hour * 3600.0, was_wrong=was):
            was = isinstance(found, ClockWrong)
            rows.append(found.kind)
    assert rows == ["clock.wrong", "clock.right"]


def test_ntp_that_is_back_makes_the_clock_right() -> None:
    assert told(l1=500.0).judge("ntp", 1.0, was_wrong=True) == ClockRight()


def test_a_word_that_is_old_says_nothing_and_ends_no_alarm() -> None:
    clock = told(l1=500.0)
    assert clock.offset(FRESH) == 500.0
    assert clock.offset(FRESH + 1) is None
    assert clock.judge("unknown", FRESH + 1, was_wrong=False) is None
    assert clock.judge("unknown", FRESH + 1, was_wrong=True) is None
    assert clock.told_at() == 0.0


def test_chronyd_gets_a_sample_as_it_wants_it(tmp_path: Path) -> None:
    path = tmp_path / "chrony.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as theirs:
        theirs.bind(str(path))
        theirs.settimeout(2.0)
        assert ChronySock(path).send(1_800_000_000.25, -3.5)
        data = theirs.recv(100)
    assert len(data) == 40
    assert struct.unpack("=qqdiiii", data) == (1_800_000_000, 250_000, -3.5, 0, 0, 0, 0x534F434B)


def test_without_chronyd_nothing_is_taken_and_nothing_breaks(tmp_path: Path) -> None:
    path = tmp_path / "chrony.sock"
    assert not ChronySock(path).send(1.0, 0.0)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as gone:
        gone.bind(str(path))
    assert not ChronySock(path).send(1.0, 0.0)

"""Which slot stays after an update, in a world where time is a number."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance.mark_good import Verdict, give_up, image, judge, read_kept, slot

HEALTH, MARK = ("health",), ("mark",)


class Box:
    """Healthy from `well_at` on, in seconds; each look takes one."""

    def __init__(self, well_at: float, *, rauc: int = 0) -> None:
        self.now, self.well_at, self.rauc = 0.0, well_at, rauc
        self.marked = 0

    def run(self, command: Sequence[str], within: float) -> int:
        if command == MARK:
            self.marked += 1
            return self.rauc
        self.now += 1
        return 0 if self.now >= self.well_at else 1

    def judge(self, file: Path, booted: str = "A", version: str = "2") -> Verdict:
        self.now = 0.0
        return judge(HEALTH, MARK, file, booted, version, 120.0, self.run, now=lambda: self.now, wait=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "update/good.json"


def test_a_slot_that_becomes_healthy_is_marked_and_remembered(file: Path) -> None:
    box = Box(well_at=90)
    assert box.judge(file) is Verdict.GOOD
    assert box.marked == 1
    assert read_kept(file).good == {"A": "2"}


def test_an_update_that_never_works_goes_back_to_the_slot_that_did(file: Path) -> None:
    assert Box(well_at=1).judge(file, "A", "1") is Verdict.GOOD
    bad = Box(well_at=1e9)
    assert bad.judge(file, "B", "2") is Verdict.RESTART
    assert bad.marked == 0
    assert 110 < bad.now <= 121


def test_a_new_image_in_a_slot_has_to_prove_itself_though_the_old_one_worked(file: Path) -> None:
    for booted in "AB":
        Box(well_at=1).judge(file, booted, "1")
    assert Box(well_at=1e9).judge(file, "B", "2") is Verdict.RESTART


def test_a_box_whose_hardware_breaks_does_not_restart_for_ever(file: Path) -> None:
    for booted in "AB":
        Box(well_at=1).judge(file, booted, "1")
    broken = Box(well_at=1e9)
    assert broken.judge(file, "B", "1") is Verdict.STAYS
    assert broken.marked == 1  # or the bootloader would count it out


def test_a_first_card_has_nothing_better_to_go_to(file: Path) -> None:
    first = Box(well_at=1e9)
    assert first.judge(file) is Verdict.STAYS
    assert read_kept(file).good == {}


def test_rauc_that_refuses_is_an_error(file: Path) -> None:
    with pytest.raises(OSError, match="rauc status"):
        Box(well_at=1, rauc=1).judge(file)
    assert read_kept(file).good == {}


@pytest.mark.parametrize("octets", [b"", b"{", b'{"good": 1}', b"\xff\xfe"])
def test_a_damaged_memory_is_an_empty_one(file: Path, octets: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(octets)
    assert Box(well_at=1).judge(file) is Verdict.GOOD
    assert read_kept(file).good == {"A": "2"}


def test_slot_and_image_are_read_from_what_booted() -> None:
    assert slot("root=/dev/mmcblk0p3 rauc.slot=A quiet\n") == "A"
    assert slot("root=/dev/vda xrauc.slot=A") == ""
    assert image('ID=debian\nIMAGE_VERSION="1.2.3"\nIMAGE_ID=siaga\n') == "1.2.3"
    assert image("ID=debian\n") == ""


def test_a_slot_is_given_up_by_rauc_and_where_it_refuses_by_the_bootloaders_count() -> None:
    assert give_up(MARK, Box(well_at=1).run)
    assert not give_up(MARK, Box(well_at=1, rauc=1).run)

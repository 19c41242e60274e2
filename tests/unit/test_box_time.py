"""The time over a power cut, and what a battery clock is told."""

import struct
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance import cli
from appliance.box_time import BadTime, is_known, restore, rtc_time, save, saved, set_battery_clock

NOW = 1_800_000_000.7


def test_a_saved_time_is_found_again_and_only_a_clock_behind_it_is_set(tmp_path: Path) -> None:
    file = tmp_path / "time"
    assert restore(file, 0.0) is None  # nothing was saved yet
    assert save(file, NOW, known=False) == 1_800_000_000
    assert restore(file, 12.0) == 1_800_000_000
    assert restore(file, NOW + 1) is None


def test_a_clock_that_fell_back_does_not_take_the_saved_time_with_it(tmp_path: Path) -> None:
    file = tmp_path / "time"
    save(file, NOW, known=True)
    assert save(file, 12.0, known=False) == 1_800_000_000
    assert saved(file) == 1_800_000_000


def test_a_clock_that_was_wrong_and_is_known_now_puts_the_saved_time_right(tmp_path: Path) -> None:
    file = tmp_path / "time"
    save(file, NOW + 9e6, known=False)
    assert save(file, NOW, known=True) == 1_800_000_000


@pytest.mark.parametrize("text", ["", "soon", "-5", "99999999999", "1.5", "1" * 5000])
def test_a_damaged_file_is_told_and_written_anew(tmp_path: Path, text: str) -> None:
    file = tmp_path / "time"
    file.write_text(text)
    with pytest.raises(BadTime, match="holds no time"):
        saved(file)
    assert save(file, NOW, known=False) == 1_800_000_000


def test_the_battery_clock_is_told_utc_in_the_kernels_form() -> None:
    fields = struct.unpack("9i", rtc_time(datetime(2026, 11, 22, 13, 5, 9, tzinfo=UTC).timestamp()))
    assert fields == (9, 5, 13, 22, 10, 126, 0, 0, 0)


def test_a_box_without_a_battery_clock_is_no_error(tmp_path: Path) -> None:
    assert not set_battery_clock(NOW, tmp_path / "rtc0")


def test_the_kernel_is_asked_and_the_time_is_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert is_known() in (True, False)
    file = tmp_path / "time"
    before = int(time.time())
    assert cli.main(["time", "save", "--file", str(file)]) == 0
    assert before <= int(file.read_text()) <= time.time()
    assert cli.main(["time", "restore", "--file", str(file)]) == 0  # the clock is not behind: nothing is set
    assert "not behind" in capsys.readouterr().out

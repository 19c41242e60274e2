"""What a box is configured by explains itself, and is not forgotten in the table of folders."""

import re
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware-config"
SYSTEM = ("audio", "boot", "chrony", "journald", "mosquitto", "nftables", "overlays", "sysctl", "udev")
EXPLAINED_BESIDE = ("cmdline.txt", "README.md")  # all of the first is the kernel's; boot/README.md explains it
FILES = sorted(file for folder in SYSTEM for file in (FIRMWARE / folder).iterdir() if file.name not in EXPLAINED_BESIDE)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FIRMWARE)))
def test_a_file_says_at_its_head_why_it_is_there(file: Path) -> None:
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#!")]
    head = lines[: next(number for number, line in enumerate(lines) if not line.startswith(("#", "//")))]
    words = " ".join(line.lstrip("#/ ") for line in head).split()
    assert len(words) >= 8, f"{file} begins with no reason"


def test_each_folder_stands_in_the_table() -> None:
    table = re.findall(r"^\| `([\w/-]+)/` \|", (FIRMWARE / "README.md").read_text(), flags=re.MULTILINE)
    assert {place.split("/")[0] for place in table} == {f.name for f in FIRMWARE.iterdir() if f.is_dir()}

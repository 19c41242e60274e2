"""A unit's rules for devices, and its namespace of mounts, hold for each of its commands, also for a `+` one."""

import re
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).resolve().parents[2] / "systemd").glob("*.service"))
MOUNTS = re.compile(r"^Exec\w+=\S*\+.*\bmount -t \w+ .*/dev/", re.MULTILINE)
CLOSED = re.compile(r"^(PrivateDevices=yes|DevicePolicy=closed)$", re.MULTILINE)


def test_there_is_a_unit_that_mounts_a_medium() -> None:
    assert any(MOUNTS.search(unit.read_text()) for unit in UNITS)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_who_mounts_a_medium_may_open_it_and_its_other_commands_see_it(unit: Path) -> None:
    text = unit.read_text()
    for mount in MOUNTS.finditer(text):
        assert "nsenter -t 1 -m mount" in mount[0]
        assert not CLOSED.search(text) or re.search(r"^DeviceAllow=block-sd rw$", text, re.MULTILINE)

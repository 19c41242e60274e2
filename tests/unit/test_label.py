"""A box's label and the record of its set-up say what it is, and no secret."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from boot_card import PASSWORD, PIN, WIFI_PASSWORD, Card

from appliance.box_record import NotSetUp, label, record
from appliance.cli import main
from appliance.first_boot_once import fingerprint
from appliance.label import modules, svg

NOW = 1_800_000_000.0


@pytest.fixture
def card(tmp_path: Path) -> Card:
    card = Card(tmp_path)
    card.start()
    return card


def test_the_record_names_all_and_no_secret(card: Card) -> None:
    told = record(card.data, NOW)
    key = fingerprint(card.data)
    for part in ("Damkar Kota", "192.168.112.11/24", "192.168.112.10:8883", key, "GPIO 17  siren (siren)", "budi"):
        assert part in told
    for secret in (PIN, PASSWORD, WIFI_PASSWORD, (card.data / "siaga/own.key").read_text().strip()):
        assert secret not in told
    assert max(map(len, told.splitlines())) <= 100


def test_the_host_keys_print_is_the_one_that_ssh_shows(card: Card) -> None:
    public = card.data / "ssh/ssh_host_ed25519_key.pub"
    shown = subprocess.run(["ssh-keygen", "-l", "-f", str(public)], capture_output=True, text=True, check=True).stdout
    assert shown.split()[1] in record(card.data, 0)


def test_the_label_is_a_drawing_with_the_boxs_name_address_and_key(card: Card) -> None:
    drawn = svg(label(card.data))
    root = ElementTree.fromstring(drawn)
    assert (root.get("width"), root.get("height")) == ("100mm", "60mm")
    texts = {element.text for element in root.iter() if element.tag.endswith("text")}
    assert {"Damkar Kota", "192.168.112.11/24", "http://192.168.112.11:8112/", fingerprint(card.data)} <= texts
    path = next(element for element in root.iter() if element.tag.endswith("path")).get("d", "")
    assert path.count("z") == sum(row.count("#") for row in modules("http://192.168.112.11:8112/"))


def test_a_box_that_is_not_set_up_has_no_label(tmp_path: Path) -> None:
    with pytest.raises(NotSetUp):
        label(tmp_path)
    command = [sys.executable, "-m", "appliance.cli", "first-boot", "--record", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "siaga-first-boot" in done.stderr


def test_a_place_that_takes_no_label_is_told(card: Card, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", "--data", str(card.data), "--out", str(tmp_path / "none/label.svg")]) == 1
    assert "another path" in capsys.readouterr().err
    assert main(["label", "--data", str(card.data), "--out", str(tmp_path / "label.svg")]) == 0

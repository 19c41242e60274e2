"""The first boot fits the card's config.txt to the box: its pins before Linux, its radio, never half a file."""

import json
import os
import re
from pathlib import Path

import pytest
from boot_card import APPLIANCE, CONFIG, SITE, Card
from test_boot_config import pins, settings

from appliance import people
from appliance.boot_config import CONFIG as NAME
from appliance.boot_config import needs_of, standing
from appliance.cli import main
from appliance.first_boot_disk import Disk

LIGHT = '[annunciator.output.light]\npin = 20\nkind = "light"\nactive_high = false\n\n[own]'
HERE = SITE.replace("pin = 17", "pin = 21").replace("[own]", LIGHT)  # unlike any site that the image knows
NO_WIFI = re.sub(r"\[network\.wifi\].*?(?=\[time\])", "", APPLIANCE, flags=re.DOTALL)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "SCRYPT", {"n": 16, "r": 8, "p": 1})
    monkeypatch.setattr(os, "fsync", lambda _handle: None)


@pytest.fixture
def card(tmp_path: Path) -> Card:
    card = Card(tmp_path)
    card.write(HERE, "site.toml")
    card.write(NO_WIFI)
    return card


def overlays(card: Card, board: str) -> set[str]:
    return {value for name, value in settings(board, card.read(NAME)) if name == "dtoverlay"}


def stands(card: Card) -> str:
    needs = needs_of(card.data)
    assert needs is not None
    return standing(card.boot / NAME, needs, card.run)


@pytest.mark.parametrize("board", ["pi4", "pi5"])
def test_a_site_with_pins_of_its_own_has_them_before_linux_from_the_next_start(card: Card, board: str) -> None:
    before = card.read(NAME)
    assert pins(board, before)[21] == "ip,pd"
    outcome = card.start()
    assert (outcome.what, outcome.faults, outcome.firmware) == ("taken", (), ("pins",))
    assert pins(board, card.read(NAME))[21] == "op,dl"
    assert pins(board, card.read(NAME))[20] == "op,dh", "held off, as this relay is on when low"
    assert pins(board, card.read(NAME))[17] == "ip,pd", "another box's siren; nothing of ours drives it"
    outside = re.compile(r"^gpio=.*\n", re.MULTILINE)
    assert outside.sub("", card.read(NAME)) == outside.sub("", before), "the rest is as it was"
    assert json.loads((card.run / "first-boot/state.json").read_text())["firmware"] == ["pins"]
    assert stands(card) == "next_start"
    for file in (card.run / "first-boot").iterdir():  # a start: what is in RAM is gone
        file.unlink()
    written = (card.boot / NAME).stat().st_mtime_ns
    assert card.start().firmware == ()
    assert (card.boot / NAME).stat().st_mtime_ns == written, "not written again"
    assert stands(card) == "in_force"


def test_the_radio_is_on_only_while_appliance_toml_wants_it_and_bluetooth_never(card: Card) -> None:
    for wanted, change in ((False, ()), (True, ("wifi",)), (True, ()), (False, ("wifi",))):
        card.write(APPLIANCE if wanted else NO_WIFI)
        firmware = card.start().firmware
        assert [name for name in firmware if name == "wifi"] == list(change)
        for board in ("pi4", "pi5"):
            assert (f"siaga-no-wlan-{board}" in overlays(card, board)) is not wanted
            assert f"siaga-no-bluetooth-{board}" in overlays(card, board)
        assert (card.run / "wifi/wpa_supplicant-wlan0.conf").exists() is wanted


def test_a_refused_change_leaves_the_pins_of_the_site_that_is_in_force(card: Card) -> None:
    card.start()
    card.write(card.read("site.toml").replace("pin = 21", "pin = 99"), "site.toml")
    assert card.start().what == "old"
    assert pins("pi4", card.read(NAME))[21] == "op,dl"


def test_a_new_box_without_a_good_file_changes_nothing(card: Card) -> None:
    card.write("[box")
    assert card.start().what == "none"
    assert card.read(NAME) == CONFIG.read_text()


def test_a_machine_that_is_no_pi_needs_no_such_file(card: Card) -> None:
    card.write(NO_WIFI.replace('"pi4"', '"virt"'))
    (card.boot / NAME).unlink()
    outcome = card.start()
    assert (outcome.what, outcome.faults, outcome.firmware) == ("taken", (), ())
    assert needs_of(card.data) is None


def test_a_pi_5s_config_txt_is_its_slots_and_is_reached_where_that_is_mounted(card: Card) -> None:
    card.write(NO_WIFI.replace('"pi4"', '"pi5"'))
    (card.boot / NAME).unlink()
    outcome = card.start()
    assert (outcome.what, outcome.faults, outcome.firmware) == ("taken", (), ("slot",))
    slot = card.boot.parent / "slot"
    slot.mkdir()
    (slot / NAME).write_text(CONFIG.read_text())
    assert card.start().firmware == ("pins",)
    assert pins("pi5", (slot / NAME).read_text())[21] == "op,dl"
    assert not (card.boot / NAME).exists()


@pytest.mark.parametrize("text", ["arm_64bit=1\n", None], ids=["no marks", "no file"])
def test_a_config_txt_that_cannot_be_fitted_is_told_and_stops_nothing(card: Card, text: str | None) -> None:
    (card.boot / NAME).unlink()
    if text is not None:
        card.write(text, NAME)
    outcome = card.start()
    assert outcome.what == "taken"
    assert [(one.file, one.code) for one in outcome.faults] == [(NAME, "not_fitted")]
    assert "relays may move" in outcome.faults[0].told(1)
    assert (card.boot / NAME).exists() is (text is not None)


def test_a_file_from_an_editor_of_windows_is_taken_and_what_a_person_added_stays(card: Card) -> None:
    own = CONFIG.read_text().replace("boot_delay=0\n", "boot_delay=0\n# für Ambon\nhdmi_force_hotplug=1\n")
    (card.boot / NAME).write_bytes(own.replace("\n", "\r\n").encode("latin-1"))
    assert card.start().firmware == ("pins",)
    octets = (card.boot / NAME).read_bytes()
    assert b"# f\xfcr Ambon\nhdmi_force_hotplug=1\n" in octets
    assert b"\r" not in octets


def test_a_site_file_that_was_changed_on_the_box_has_its_pins_at_the_next_start_but_one(card: Card) -> None:
    card.start()
    kept = card.data / "etc/site.toml"
    kept.write_text(kept.read_text().replace("pin = 21", "pin = 16"))
    assert stands(card) == "differs"
    assert card.start().firmware == ("pins",)
    assert pins("pi4", card.read(NAME))[16] == "op,dl"


def test_a_cut_at_any_step_leaves_a_whole_config_txt_and_the_next_start_finishes(tmp_path: Path) -> None:
    old = CONFIG.read_text()
    new = ""
    seen = set()
    for step in range(100):
        card = Card(tmp_path / f"{step}")
        card.write(HERE, "site.toml")
        cut = card.start_until(step)
        left = card.read(NAME)
        if new == "":  # of a start that nobody cut
            whole = Card(tmp_path / "whole")
            whole.write(HERE, "site.toml")
            whole.start()
            new = whole.read(NAME)
        assert left in (old, new), f"step {step}"
        seen.add(left)
        card.start()
        assert card.read(NAME) == new, f"step {step}"
        assert not list(card.boot.glob("*.new")), f"step {step}"
        if not cut:
            break
    assert seen == {old, new}
    assert step > 20


def test_the_record_says_since_when_the_pins_are_safe(card: Card, capsys: pytest.CaptureFixture[str]) -> None:
    card.start()
    where = ["--boot", str(card.boot), "--data", str(card.data), "--run", str(card.run)]
    assert main(["first-boot", *where, "--record"]) == 0
    assert "from the next power-on on" in capsys.readouterr().out
    (card.run / "first-boot/started.json").unlink()
    assert main(["first-boot", *where]) == 0
    assert main(["first-boot", *where, "--record"]) == 0
    assert "config.txt: ya / yes" in capsys.readouterr().out


def test_what_stood_there_is_let_go_only_when_the_new_file_and_its_name_are_on_the_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, bool]] = []
    handles = Path("/proc/self/fd")

    def held() -> bool:
        """Whether somebody still has what stood there."""
        links = [str(one.readlink()) for one in handles.iterdir() if one.is_symlink()]
        return any(link.endswith(f"{NAME} (deleted)") for link in links)

    def sync(handle: int) -> None:
        seen.append(((handles / str(handle)).readlink().name, held()))

    file = tmp_path / NAME
    file.write_text("old")
    monkeypatch.setattr(os, "fsync", sync)
    Disk(tmp_path).write(file, b"new")
    assert seen == [(f"{NAME}.new", False), (NAME, True), (tmp_path.name, True)]
    assert not held()

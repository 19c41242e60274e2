"""The first boot takes a card over whole, keeps no secret on it, and survives a power cut at each of its steps."""

import json
import os
import shutil
import stat
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from boot_card import APPLIANCE, CONFIG, PASSWORD, PIN, SITE, WIFI_PASSWORD, Card, a_centre

from appliance import people
from appliance.annunciator_config import load
from appliance.config import load_site
from appliance.key_statement import open_sealed
from appliance.keys import load_key, public_hex
from appliance.people import read_people


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "SCRYPT", {"n": 16, "r": 8, "p": 1})
    monkeypatch.setattr(os, "fsync", lambda _handle: None)  # a test of its own sees to these


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)


def pin_of(card: Card) -> str:
    """Where core alone gets it from."""
    return str(tomllib.loads((card.data / "etc/secrets.toml").read_text())["pin"]["l1"])


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_a_card_is_taken_over(card: Card) -> None:
    outcome = card.start()
    assert (outcome.what, outcome.faults) == ("taken", ())
    assert load_site(card.data / "etc/site.toml").broker.host == "192.168.112.10"  # type: ignore[union-attr]
    assert load_site(card.data / "etc/site.toml").line[0].pin is None
    assert pin_of(card) == PIN
    assert read_people(card.data / "siaga/people.json")["budi"].role == "supervisor"
    assert "Address=192.168.112.11/24" in (card.run.parent / "systemd/network/10-siaga.network").read_text()
    assert "server pool.example.org iburst" in (card.run.parent / "chrony-dhcp/siaga.sources").read_text()
    assert "budi" in (card.data / "ssh/authorized_keys").read_text()
    assert (card.run / "hostname").read_text() == "damkar-kota\n"
    assert not (card.run / "first-boot/fault.json").exists()


def test_no_secret_stays_on_the_card_and_none_lies_open_in_the_box(card: Card) -> None:
    with (card.boot / "appliance.toml").open("rb") as before, (card.boot / "site.toml").open("rb") as site_before:
        card.start()
        assert set(before.read()) == {0}, "what stood there is overwritten in its place"
        assert set(site_before.read()) == {0}
    for secret in (PIN, PASSWORD, WIFI_PASSWORD):
        assert card.holds(secret) == []
    assert "# from the note on the router" in card.read()
    assert "now in the box" in card.read()
    kept = [file for file in card.data.rglob("*") if file.is_file()]
    assert not [f for f in kept if PASSWORD in f.read_text() or WIFI_PASSWORD in f.read_text()], "hashes only"
    assert not [f for f in kept if PIN in f.read_text() and f.name != "secrets.toml"]
    for name in (
        "etc/secrets.toml",
        "etc/wifi.key",
        "etc/taken.json",
        "siaga/people.json",
        "siaga/own.key",
        "ssh/ssh_host_ed25519_key",
    ):
        assert mode(card.data / name) == 0o600, name
    assert mode(card.data / "etc/site.toml") == 0o640
    assert mode(card.run / "wifi/wpa_supplicant-wlan0.conf") == 0o600


def test_the_second_boot_changes_nothing_and_is_quick(card: Card) -> None:
    card.start()
    before = {f: f.read_bytes() for f in [*card.boot.rglob("*"), *card.data.rglob("*")] if f.is_file()}
    begin = time.process_time()
    outcome = card.start()
    spent = time.process_time() - begin
    assert outcome.what == "unchanged"
    assert {f: f.read_bytes() for f in [*card.boot.rglob("*"), *card.data.rglob("*")] if f.is_file()} == before
    assert spent < 0.1, f"{spent:.3f} s of work"


def test_a_changed_file_keeps_the_secrets_that_are_blank_in_it(card: Card) -> None:
    card.start()
    card.write(card.read().replace("112.11/24", "112.12/24"))
    card.write(card.read("site.toml").replace('name = "Modem"', 'name = "Modem baru"'), "site.toml")
    assert card.start().what == "taken"
    site = load_site(card.data / "etc/site.toml")
    assert (site.line[0].name, pin_of(card)) == ("Modem baru", PIN)
    assert "Address=192.168.112.12/24" in (card.run / "network/10-siaga.network").read_text()
    assert "psk=" in (card.run / "wifi/wpa_supplicant-wlan0.conf").read_text()
    assert card.holds(PIN) == []


def test_keys_are_made_once_and_stay(card: Card) -> None:
    assert len(card.start().made) == 3
    names = ("etc/machine-id", "siaga/own.key", "ssh/ssh_host_ed25519_key", "ssh/ssh_host_ed25519_key.pub")
    before = [card.kept(name) for name in names]
    card.write(card.read().replace("112.11/24", "112.12/24"))
    assert card.start().made == ()
    assert [card.kept(name) for name in names] == before
    assert len((card.data / "etc/machine-id").read_text().strip()) == 32


def test_a_stations_request_for_the_centre_lies_on_the_card(card: Card) -> None:
    card.start()
    request = open_sealed(card.read("request.txt"), {}).statement
    assert request.station == "damkar-kota"
    assert request.key == public_hex(load_key(card.data / "siaga/own.key"))


@pytest.mark.parametrize("wrong", ["", "[box", APPLIANCE.replace('"station"', '"boss"')], ids=["empty", "torn", "role"])
def test_a_wrong_file_on_a_new_box_gives_dhcp_and_says_so(card: Card, wrong: str) -> None:
    card.write(wrong)
    outcome = card.start()
    assert outcome.what == "none"
    assert outcome.faults
    assert "DHCP=yes" in (card.run.parent / "systemd/network/10-siaga.network").read_text()
    assert not (card.data / "etc/site.toml").exists()
    assert not (card.data / "etc/taken.json").exists()
    report = json.loads((card.run / "first-boot/fault.json").read_text())
    assert report["configured"] is False
    assert all(len(row[language]) == 2 for row in report["faults"] for language in ("id", "en"))


def test_a_missing_file_is_a_fault_that_the_next_boot_forgets(card: Card) -> None:
    (card.boot / "appliance.toml").unlink()
    assert card.start().what == "none"
    card.write(APPLIANCE)
    assert card.start().what == "taken"
    assert not (card.run / "first-boot/fault.json").exists()


def test_a_wrong_change_leaves_the_old_and_says_so(card: Card) -> None:
    card.start()
    before = card.kept("etc/site.toml"), card.kept("etc/appliance.toml")
    card.write(card.read().replace("112.11/24", "112.12/24"))
    card.write(card.read("site.toml").replace("pin = 17", "pin = 99"), "site.toml")
    outcome = card.start()
    assert outcome.what == "old"
    assert outcome.faults[0].file == "site.toml"
    assert "pin = 99" in outcome.faults[0].shown
    assert (card.kept("etc/site.toml"), card.kept("etc/appliance.toml")) == before
    assert "Address=192.168.112.11/24" in (card.run / "network/10-siaga.network").read_text()
    assert json.loads((card.run / "first-boot/fault.json").read_text())["configured"] is True


def test_faults_of_both_files_are_told_at_once(card: Card) -> None:
    card.write(SITE.replace('state = "/var/lib/siaga"\n', "").replace("pin = 17", "pin = 99"), "site.toml")
    outcome = card.start(board="pi5", core=7)
    told = {(one.file, one.key) for one in outcome.faults}
    assert {("appliance.toml", "box.profile"), ("site.toml", "state"), ("site.toml", "annunciator.uids")} <= told
    assert ("site.toml", "annunciator.output.siren.pin") in told


def test_a_folder_for_sound_that_no_unit_makes_is_refused(card: Card) -> None:
    card.write(SITE + '\n[sound]\nrun = "/run/siaga/core"\n', "site.toml")
    (told,) = card.start().faults
    assert (told.key, '"/run/siaga/audio"' in told.told(1)) == ("sound.run", True)
    card.write(SITE + '\n[sound]\nrun = "/run/siaga/audio"\n', "site.toml")
    assert card.start().what == "taken"


def test_another_boxes_site_file_is_refused(card: Card) -> None:
    card.write(SITE.replace('role = "station"', 'role = "centre"'), "site.toml")
    assert "another box" in " ".join(one.told(1) for one in card.start().faults)


def test_two_brokers_are_one_too_many(card: Card) -> None:
    card.write(SITE + '\n[broker]\nhost = "10.0.0.1"\n', "site.toml")
    assert "names another broker" in card.start().faults[0].told(1)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("appliance.toml", f'role = "supervisor"\npassword = "{PASSWORD}"', f'role = "boss"\npassword = "{PASSWORD}"'),
        ("appliance.toml", f'password = "{PASSWORD}"', f'password = "{PASSWORD}'),
        ("appliance.toml", f'password = "{PASSWORD}"', f'passwort = "{PASSWORD}"'),
        ("appliance.toml", f'password = "{PASSWORD}"', f'password = ["{PASSWORD}"]'),
        ("site.toml", f'pin = "{PIN}"', f"pin = {PIN}"),
        ("site.toml", f'pin = "{PIN}"', f'pin = "{PIN}" "'),
    ],
)
def test_what_is_told_of_a_fault_holds_no_secret(card: Card, file: str, old: str, new: str) -> None:
    assert old in card.read(file)
    card.write(card.read(file).replace(old, new), file)
    outcome = card.start()
    assert outcome.faults
    report = (card.run / "first-boot/fault.json").read_text()
    for secret in (PIN, PASSWORD, WIFI_PASSWORD):
        assert secret not in report


def test_a_secret_that_cannot_be_erased_is_refused(card: Card) -> None:
    inline = f'[network]\ndhcp = true\nwifi = {{ ssid = "kantor", password = "{WIFI_PASSWORD}" }}\n'
    begin, end = APPLIANCE.index("[network]"), APPLIANCE.index("[time]")
    card.write(APPLIANCE[:begin] + inline + APPLIANCE[end:])
    outcome = card.start()
    assert [one.key for one in outcome.faults] == ["network.wifi.password"]
    assert "line of its own" in outcome.faults[0].told(1)


@pytest.mark.parametrize("changed", [False, True], ids=["new box", "changed file"])
def test_a_power_cut_at_any_step_leaves_the_old_or_the_new_and_the_next_boot_goes_on(
    tmp_path: Path, changed: bool
) -> None:
    names = ("etc/site.toml", "etc/appliance.toml", "etc/taken.json")

    def prepared(folder: Path) -> Card:
        card = Card(folder)
        if changed:
            card.start()
            card.write(card.read().replace("112.11/24", "112.12/24"))
            card.write(card.read("site.toml").replace('name = "Modem"', 'name = "Modem baru"'), "site.toml")
        return card

    whole = prepared(tmp_path / "whole")
    old = [whole.kept(name) for name in names]
    whole.start()
    new = [whole.kept(name) for name in names]
    assert old != new
    for step in range(100):
        card = prepared(tmp_path / f"{step}")
        if not card.start_until(step):
            break
        left = [card.kept(name) for name in names]
        half_moved = (card.data / "first-boot.ready").exists()
        assert left in (old, new) or half_moved, f"step {step}"
        again = card.start()
        assert again.what in ("taken", "unchanged"), f"step {step}"
        assert [card.kept(name) for name in names] == new, f"step {step}"
        for secret in (PIN, PASSWORD, WIFI_PASSWORD):
            assert card.holds(secret) == [], f"step {step}"
        assert not list(card.data.glob("first-boot.*")), f"step {step}"
        assert card.start().what == "unchanged", f"step {step}"
    assert step > 10


def test_a_change_that_was_cut_is_finished_even_without_the_card(tmp_path: Path) -> None:
    seen = 0
    for step in range(100):
        card = Card(tmp_path / f"{step}")
        if not card.start_until(step):
            break
        if (card.data / "first-boot.ready/manifest.json").exists():
            seen += 1
            for file in card.boot.iterdir():
                file.unlink()
            assert card.start().what == "unchanged"
            assert pin_of(card) == PIN
    assert seen >= 4


def test_each_file_is_on_the_disk_before_it_takes_its_name(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[int] = set()
    named: list[str] = []
    rename, replace = Path.rename, Path.replace

    def sync(handle: int) -> None:
        synced.add(os.fstat(handle).st_ino)

    def seen(how: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
        def move(file: Path, target: Path) -> Path:
            if card.run not in file.parents:  # that is RAM
                assert file.stat().st_ino in synced, file
                named.append(file.name)
            return how(file, target)

        return move

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "rename", seen(rename))
    monkeypatch.setattr(Path, "replace", seen(replace))
    card.start()
    assert "first-boot.next" in named
    assert len(named) > 8


def test_the_lamp_is_the_only_pin_of_a_box_whose_wiring_is_not_known(card: Card) -> None:
    card.write(APPLIANCE.replace('profile = "pi4"', 'profile = "pi9"\nfault_lamp = 23'))
    assert card.start().what == "none"
    config = load(card.run / "first-boot/annunciator.toml")
    assert [(out.pin, out.kind) for out in config.output.values()] == [(23, "lamp")]
    assert (config.input, config.button) == ({}, None)
    card.write(APPLIANCE)
    card.start()
    assert not (card.run / "first-boot/annunciator.toml").exists()


def test_a_grant_on_the_card_enrols_the_station(card: Card, tmp_path: Path) -> None:
    card.start()
    request = card.read("request.txt")
    centre = a_centre(tmp_path / "centre")
    grant = centre.grant(centre.opened_request(request, "damkar-kota"))
    card.write(grant + "\n", "grant.txt")
    words = open_sealed(grant, {}).code
    told = card.read()
    card.write(told + f'\n[keys]\ngrant = "grant.txt"\ncode = "{words[:-1]}x"\n')
    assert "not those of `code`" in card.start().faults[0].told(1), "another grant than the person heard of"
    assert not (card.data / "siaga/keys.json").exists()
    card.write(told + f'\n[keys]\ngrant = "grant.txt"\ncode = "{words}"\n')
    assert card.start().what == "taken"
    assert '"pusat"' in (card.data / "siaga/keys.json").read_text()
    assert words not in card.read()
    assert card.start().what == "unchanged"


def test_cores_user_number_is_filled_in_where_the_file_leaves_it_out(card: Card) -> None:
    card.write(SITE.replace("uids = [995]\n", ""), "site.toml")
    assert card.start(core=931).what == "taken"
    assert load_site(card.data / "etc/site.toml").annunciator.uids == (931,)
    assert "uids" not in card.read("site.toml"), "the card's text is the person's"


def test_without_logins_there_is_no_file_of_them(card: Card) -> None:
    card.start()
    assert (card.data / "ssh/authorized_keys").exists()
    begin, end = card.read().index("keys = ["), card.read().index("[mqtt]")
    card.write(card.read()[:begin] + "keys = []\n\n" + card.read()[end:])
    card.start()
    assert not (card.data / "ssh/authorized_keys").exists()


def test_a_restored_box_gives_a_new_card_its_files_without_secrets(card: Card) -> None:
    card.start()
    (card.data / "etc/taken.json").unlink()  # no backup has it
    for file in card.boot.iterdir():
        file.unlink()
    card.write(CONFIG.read_text(), CONFIG.name)
    outcome = card.start()
    assert (outcome.what, outcome.faults) == ("unchanged", ())
    assert "Address=192.168.112.11/24" in (card.run / "network/10-siaga.network").read_text()
    assert "damkar-kota" in card.read()
    for secret in (PIN, PASSWORD, WIFI_PASSWORD):
        assert card.holds(secret) == []
    card.write(card.read().replace("112.11/24", "112.12/24"))
    assert card.start().what == "taken"
    assert pin_of(card) == PIN


def test_a_card_that_cannot_be_written_stops_nothing_and_is_told(card: Card) -> None:
    def worn(what: str) -> None:
        if what in ("write appliance.toml", "write site.toml", "write request.txt"):
            raise OSError(30, "Read-only file system")

    outcome = card.start(step=worn)
    assert outcome.what == "taken"
    assert {one.code for one in outcome.faults} == {"not_blanked", "not_written"}
    assert (card.data / "etc/site.toml").exists()
    report = (card.run / "first-boot/fault.json").read_text()
    assert PASSWORD not in report
    assert card.start().faults == (), "the next boot tries again"
    assert card.holds(PASSWORD) == []


def test_a_card_whose_first_partition_is_gone_boots_with_what_it_has(card: Card) -> None:
    card.start()
    shutil.rmtree(card.boot)
    outcome = card.start()
    assert outcome.told is not None
    assert outcome.faults
    assert "Address=192.168.112.11/24" in (card.run / "network/10-siaga.network").read_text()

"""Site files: refused whole, with file, key and reason."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from appliance.config import SiteError, load_site, places

DEMO = Path(__file__).parents[2] / "firmware-config" / "sites" / "demo"


def changed(tmp_path: Path, path: str, value: Any, source: str = "centre") -> Path:
    """The demo's file with one key set; a list is entered by its index."""
    site = tomllib.loads((DEMO / f"{source}.toml").read_text())
    where: Any = site
    *names, last = path.split(".")
    for name in names:
        where = where[int(name)] if name.isdigit() else where.setdefault(name, {})
    if last.isdigit():
        where[int(last)] = value
    elif value is None:
        del where[last]
    else:
        where[last] = value
    file = tmp_path / "site.toml"
    file.write_text(tomli_w.dumps(site))
    return file


@pytest.mark.parametrize("file", sorted(DEMO.glob("*.toml")), ids=lambda f: f.name)
def test_the_demo_site_files_are_good(file: Path) -> None:
    assert load_site(file).site == "ambon"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("colour", "red", "unknown field `colour`"),
        ("web.prot", 80, "web: Object contains unknown field `prot`"),
        ("web.port", "8112", "web.port: Expected `int`, got `str`"),
        ("web.port", 70000, "web.port: Expected `int` <= 65535"),
        ("role", "boss", "role: Invalid enum value 'boss'"),
        ("zone", "CET", "zone: Invalid enum value 'CET'"),
        ("site", None, "missing required field `site`"),
        ("amber", "red_light", "amber: there is no light 'red_light'"),
        ("own.siren", "horn", "own.siren: there is no siren 'horn'"),
        ("button.stations", ["damkar-kota", "atlantis"], "button.stations: there is no 'atlantis'"),
        ("genset.0.bus", "can", "'genset': there is no bus 'can'"),
        ("genset.0.profile", "acme_9000", "there is no gensets/acme_9000.toml"),
        ("station.1.key", "abc", "station[1].key: Expected `str` matching regex"),
        ("station.1.number", 12, "station.number: '12' stands there twice"),
        ("station.1.id", "pusat", "station: 'pusat' stands there twice"),
        ("line.0.armed", True, "line.armed: numbers that no network assigns"),
        ("ladder.sms_s", -1, "ladder.sms_s: Expected `float` >= 0"),
        ("amber", "siren", "amber: there is no light 'siren'"),
        ("own.siren", "amber", "own.siren: there is no siren 'amber'"),
        ("own.max_s", 900, "own.max_s: 900 s is longer than annunciator.output.siren.max_s"),
        ("own.number", 5, "station 'pusat': id and number are not those of [own]"),
        ("button.stations", [], "button.stations: a press that wakes nobody"),
        ("station.1.local", True, "are all local; this box is one"),
        ("line.1.port", "/dev/siaga-line1", "line.port: '/dev/siaga-line1' stands there twice"),
        ("trunk.host", "", "trunk.host: an address is missing"),
        ("state", "a\0b", "state: 'a\\x00b' is no path"),
        ("annunciator.output.amber.pin", 17, "annunciator.output.amber.pin: GPIO 17 is already that of"),
        ("annunciator.output.siren.max_s", None, "annunciator.output.siren.max_s: a siren needs a longest time"),
    ],
)
def test_a_wrong_key_is_refused_and_named(tmp_path: Path, path: str, value: Any, said: str) -> None:
    file = changed(tmp_path, path, value)
    with pytest.raises(SiteError) as refused:
        load_site(file)
    assert said in str(refused.value)
    assert str(file) in str(refused.value)


def test_a_station_without_an_issuer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="issuer: a station needs at least one"):
        load_site(changed(tmp_path, "issuer", [], "damkar-kota"))


def test_two_devices_do_not_share_a_unit_nor_two_stations_a_key(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="unit on a bus: 'rtu 10' stands there twice"):
        load_site(changed(tmp_path, "ups.0", {"id": "u", "name": "U", "bus": "rtu", "unit": 10, "profile": "x"}))
    twice = tmp_path / "twice.toml"
    station = '[[station]]\nid = "damkar'
    text = (DEMO / "centre.toml").read_text()
    twice.write_text(text.replace(station, station.replace("id =", f'key = "{"ab" * 32}"\nid =')))
    with pytest.raises(SiteError, match=r"station\.key: .* stands there twice"):
        load_site(twice)


def test_a_station_orders_nobody(tmp_path: Path) -> None:
    station = {"id": "x", "number": 3, "name": "X", "key": "ab" * 32}
    with pytest.raises(SiteError, match="station: a station orders nobody"):
        load_site(changed(tmp_path, "station", [station], "damkar-kota"))


def test_every_contradiction_is_named_at_once(tmp_path: Path) -> None:
    file = changed(tmp_path, "amber", "x")
    file.write_text(file.read_text().replace('siren = "siren"', 'siren = "y"'))
    with pytest.raises(SiteError) as refused:
        load_site(file)
    assert len(refused.value.reasons) == 2


def test_what_is_no_toml_or_no_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("role = ")
    with pytest.raises(SiteError, match="is not TOML"):
        load_site(tmp_path / "a.toml")
    (tmp_path / "b.toml").write_bytes(b'role = "\xff"')
    with pytest.raises(SiteError, match="not text in UTF-8"):
        load_site(tmp_path / "b.toml")
    with pytest.raises(SiteError, match="longer than"):
        load_site(Path("/dev/zero"))
    with pytest.raises(SiteError, match="cannot be read"):
        load_site(tmp_path / "none.toml")


@pytest.mark.parametrize("command", ["core", "annunciator"])
def test_nothing_starts_half_with_a_bad_file(tmp_path: Path, command: str) -> None:
    file = changed(tmp_path, "annunciator.output.siren.max_s", None)
    done = subprocess.run(
        [sys.executable, "-m", "appliance.cli", command, "--config", str(file)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode in (2, 78)
    assert "siren" in done.stderr
    assert not (tmp_path / "state").exists()


def test_config_check_names_file_key_and_reason_and_exits_2(tmp_path: Path) -> None:
    file = changed(tmp_path, "web.port", 0)
    done = subprocess.run(
        [sys.executable, "-m", "appliance.cli", "config", "check", str(file), str(DEMO / "centre.toml")],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"{file}: web.port: " in done.stderr
    assert "good" in done.stdout


@pytest.mark.parametrize("key", ["00" * 32, "01" + "00" * 31, "ed" + "ff" * 31])
def test_a_key_that_anybody_can_sign_for_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(SiteError, match="station 'damkar-kota': key: no box has this key"):
        load_site(changed(tmp_path, "station.1.key", key))


SYSTEMD = Path(__file__).parents[2] / "systemd"


@pytest.mark.parametrize("file", sorted((DEMO.parent / "reference").glob("*.toml")), ids=lambda f: f.name)
def test_a_boxs_site_file_alone_says_each_process_the_folder_that_systemd_makes_for_it(file: Path) -> None:
    def made(unit: str) -> Path:
        (line,) = [x for x in (SYSTEMD / f"siaga-{unit}.service").read_text().splitlines() if "RuntimeDirectory=" in x]
        return Path("/run", line.partition("=")[2])

    site = load_site(file)
    where = places(site, file)
    assert where.control.parent == made("core")
    assert where.audio.parent == where.audio_stream.parent == made("audio")
    assert Path(site.annunciator.socket).parent == made("annunciator")


def test_sound_is_beside_core_and_never_within_it_wherever_a_site_is_tried(tmp_path: Path) -> None:
    file = changed(tmp_path, "run", "run")
    assert places(load_site(file), file).audio == tmp_path / "audio/audio.sock"
    named = changed(tmp_path, "sound.run", "elsewhere")
    assert places(load_site(named), named).audio == tmp_path / "elsewhere/audio.sock"

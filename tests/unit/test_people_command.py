"""`siaga people password`: a person is added, or gets in again, at the box's own console."""

import io
import os
from pathlib import Path

import pytest
import tomli_w

from appliance.cli import main
from appliance.key_broker import BrokerFolder
from appliance.keys import create_key
from appliance.people import read_people

SITE = {
    "role": "centre", "site": "kota", "id": "pusat", "name": "Pusat",
    "annunciator": {
        "socket": "a.sock", "factory": "mock", "output": {"siren": {"pin": 17, "kind": "siren", "max_s": 60}},
    },
}  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Path:
    file = tmp_path / "site.toml"
    file.write_text(tomli_w.dumps(SITE))
    return file


def test_a_password_is_made_and_told_once(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "password", "budi", "--role", "supervisor", "--config", str(site)]) == 0
    said = capsys.readouterr().out
    person = read_people(site.parent / "state" / "people.json")["budi"]
    assert person.role == "supervisor"
    assert said.split()[-1] not in (site.parent / "state" / "people.json").read_text()


def test_a_password_can_be_given_and_a_short_one_is_refused(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for given, code in (("short\n", 2), ("long enough\n", 0)):
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        assert main(["people", "password", "budi", "--stdin", "--config", str(site)]) == code
    assert list(read_people(site.parent / "state" / "people.json")) == ["budi"]


def test_what_root_makes_at_the_console_is_given_to_core(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, *owner: given.update({path.stat().st_ino: owner}))
    state = site.parent / "state"
    assert main(["people", "password", "budi", "--config", str(site)]) == 0
    create_key(state / "own.key")
    broker = BrokerFolder(state / "broker", "kota")
    broker.make(["localhost"])
    owner = state.stat()
    for made in (state / "people.json", state / "own.key", broker.folder, *broker.folder.iterdir()):
        assert given[made.stat().st_ino] == (owner.st_uid, owner.st_gid), made

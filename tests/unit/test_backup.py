"""A backup of a box: made beside a writer, read back, kept, put back on an empty card."""

import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance import backup_seal, cli
from appliance.alert_events import DeliverySent
from appliance.backup import KEEP, Made, NoBackup, copy_to, kept, make, restore
from appliance.backup_file import SEALED, BadBackup, unpack
from appliance.backup_seal import LETTERS, WrongCode, new_code, open_sealed, seal_of
from appliance.config import Places, load_site, places
from appliance.entry import Entry
from appliance.events import encode_event
from appliance.journal import follow_chain
from appliance.journal_file import insert, open_for_writing, read_entries

DEMO = Path(__file__).parents[2] / "firmware-config/sites/demo/centre.toml"
NIGHT = 86_400.0


def rows(after: Entry, count: int) -> list[Entry]:
    made: list[Entry] = []
    for number in range(count):
        event = DeliverySent(alert="ab" * 8, station="kota", path="mqtt", action="start", sequence=number)
        after = Entry.after(
            after,
            wall=1.0, mono=1.0, boot="b", quality="ntp", kind=event.kind, subject=event.subject, actor="", cause=None,
            body=encode_event(event),
        )  # fmt: skip
        made.append(after)
    return made


def write(journal: Path, count: int) -> Entry:
    db = open_for_writing(journal)
    last = list(read_entries(journal, last=1))
    new = rows(last[0] if last else Entry.before_first(), count)
    insert(db, new)
    db.close()
    return new[-1]


@contextmanager
def writing(journal: Path) -> Iterator[None]:
    """A core that writes row by row until told to end."""
    stop, begun = threading.Event(), threading.Event()

    def run() -> None:
        db, last = open_for_writing(journal), next(iter(read_entries(journal, last=1)))
        while not stop.is_set():
            (last,) = rows(last, 1)
            insert(db, [last])
            begun.set()
        db.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(10)
    yield
    stop.set()
    thread.join()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The site file of a box with a journal, people and keys."""
    folder = tmp_path / "box"
    folder.mkdir()
    shutil.copy(DEMO, folder / "site.toml")
    where = places(load_site(folder / "site.toml"), folder / "site.toml")
    where.tls.mkdir(parents=True)
    where.broker.mkdir()
    for file in secrets(where, folder):
        file.write_text(f"secret of {file.name}")
    write(where.journal, 50)
    return folder / "site.toml"


def secrets(where: Places, folder: Path) -> list[Path]:
    return [
        where.key, where.people, where.keys, where.tls / "authority.pem", where.broker / "server.key",
        folder / "secrets.toml",
    ]  # fmt: skip


def of(config: Path) -> Places:
    return places(load_site(config), config)


def backup(config: Path, to: Path, *, code: str = "", wall: float = 1e9, keep: int = KEEP) -> Made:
    seal = seal_of(code, 0.0) if code else None
    return make(load_site(config), config, to, seal=seal, version="9.9", wall=wall, keep=keep)


def back(file: Path, config: Path, *, code: str | None = None, alive: bool = False) -> None:
    restore(file, config, code=code, alive=lambda _: alive, wall=1e9)


def test_a_backup_made_while_core_writes_is_a_chain_that_holds(config: Path, tmp_path: Path) -> None:
    journal = of(config).journal
    with writing(journal):
        made = backup(config, tmp_path / "to")
        before = made.manifest.rows
    assert 50 < before <= len(list(read_entries(journal)))
    unpack(made.file, tmp_path / "box")
    copied = list(read_entries(tmp_path / "box/journal.db", stopped=True))
    assert follow_chain(copied) is None
    assert (len(copied), copied[-1].hash) == (before, made.manifest.head)
    assert made.broken is None


def test_a_journal_that_a_power_cut_left_with_its_wal_is_copied_whole(config: Path, tmp_path: Path) -> None:
    journal = of(config).journal
    db = open_for_writing(journal)
    insert(db, rows(next(iter(read_entries(journal, last=1))), 7))
    dead = tmp_path / "dead"  # as the card looks after the plug was pulled: the WAL is there, its index is not
    shutil.copytree(config.parent, dead, ignore=shutil.ignore_patterns("*-shm"))
    db.close()
    assert (of(dead / "site.toml").journal.with_name("journal.db-wal")).stat().st_size
    assert backup(dead / "site.toml", tmp_path / "to").manifest.rows == 57


def test_an_empty_card_becomes_the_box_again(config: Path, tmp_path: Path) -> None:
    code = new_code()
    made = backup(config, tmp_path / "to", code=code)
    card = tmp_path / "card/etc/site.toml"
    back(made.file, card, code=code)
    assert card.read_text() == config.read_text()
    assert list(read_entries(of(card).journal, stopped=True)) == list(read_entries(of(config).journal))
    assert write(of(card).journal, 3).seq == 53  # core goes on where it ended
    for old, new in zip(secrets(of(config), config.parent), secrets(of(card), card.parent), strict=True):
        assert new.read_text() == old.read_text()
        assert new.stat().st_mode & 0o777 == 0o600, new


def test_without_a_code_no_key_is_in_it(config: Path, tmp_path: Path) -> None:
    made = backup(config, tmp_path / "to")
    with tarfile.open(made.file) as tar:
        said = b"".join(content.read() for member in tar if (content := tar.extractfile(member)))
        assert SEALED not in tar.getnames()
    assert b"secret of" not in said
    back(made.file, tmp_path / "card/site.toml")
    assert not of(tmp_path / "card/site.toml").key.exists()
    with pytest.raises(NoBackup, match="holds no keys"):
        back(made.file, tmp_path / "card/site.toml", code=new_code())


def test_who_has_the_stick_and_not_the_code_has_no_key(config: Path, tmp_path: Path) -> None:
    made = backup(config, tmp_path / "to", code=new_code())
    unpack(made.file, tmp_path)
    sealed = (tmp_path / SEALED).read_bytes()
    assert b"secret of" not in sealed
    with pytest.raises(WrongCode, match="does not open"):
        back(made.file, tmp_path / "card/site.toml", code=new_code())
    assert not (tmp_path / "card/site.toml").exists()  # nothing was touched


def test_a_code_is_read_as_people_write_it_and_opens_only_what_is_unchanged() -> None:
    code = new_code()
    sealed = backup_seal.close(seal_of(code, 0.0), b"x" * 100)
    assert open_sealed(f" {code.upper().replace('-', ' ')}\n", sealed) == b"x" * 100
    for place in (0, 40, len(sealed) - 1):
        with pytest.raises(WrongCode):
            open_sealed(code, sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])
    with pytest.raises(WrongCode):
        open_sealed(code, sealed[:20])
    with pytest.raises(WrongCode):
        open_sealed(code[:-1] + LETTERS[(LETTERS.index(code[-1]) + 1) % len(LETTERS)], sealed)
    assert len(code.replace("-", "")) == 28


def test_a_changed_or_cut_backup_is_refused_or_gives_the_very_same(config: Path, tmp_path: Path) -> None:
    made = backup(config, tmp_path / "to")
    whole = made.file.read_bytes()
    file, refused = tmp_path / "siaga-x.tar.gz", 0
    flipped = (
        whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :] for at in range(0, len(whole), len(whole) // 60)
    )
    cut = (whole[: len(whole) * part // 20] for part in range(20))
    for octets in (b"x" * 600, *flipped, *cut):
        file.write_bytes(octets)
        try:
            assert unpack(file) == made.manifest  # the damage is in what only fills up
        except BadBackup:
            refused += 1
    assert refused > 60


def test_a_backup_that_is_refused_touches_nothing(config: Path, tmp_path: Path) -> None:
    whole = backup(config, tmp_path / "to").file.read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadBackup, match="night before"):
        back(tmp_path / "cut.tar.gz", tmp_path / "card/site.toml")
    assert list((tmp_path / "card").iterdir()) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "journal.db-wal"])
def test_a_backup_with_a_part_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(BadBackup, match="that no backup has"):
        unpack(tmp_path / "bad.tar.gz", tmp_path)


def test_a_site_file_that_is_refused_stops_a_restore_before_anything_is_touched(config: Path, tmp_path: Path) -> None:
    site = load_site(config)
    config.write_text("nonsense = 1\n")
    made = make(site, config, tmp_path / "to", seal=None, version="9.9", wall=1e9)
    card = tmp_path / "card/site.toml"
    with pytest.raises(NoBackup, match="is refused"):
        back(made.file, card)
    assert list(card.parent.iterdir()) == []


def test_a_box_whose_core_runs_is_not_restored(config: Path, tmp_path: Path) -> None:
    made = backup(config, tmp_path / "to")
    with pytest.raises(NoBackup, match="systemctl stop"):
        back(made.file, config, alive=True)


def test_what_was_there_is_put_aside_with_the_wal_of_the_old_journal(config: Path, tmp_path: Path) -> None:
    made = backup(config, tmp_path / "to")
    where = of(config)
    write(where.journal, 5)
    where.journal.with_name("journal.db-wal").write_bytes(b"of another journal")
    back(made.file, config)
    assert not where.journal.with_name("journal.db-wal").exists()
    (aside,) = where.state.glob("before-restore-*")
    assert {file.name for file in aside.iterdir()} == {"journal.db", "journal.db-wal", "site.toml"}
    assert len(list(read_entries(where.journal))) == 50


def test_so_many_are_kept_and_those_of_another_box_are_left(config: Path, tmp_path: Path) -> None:
    to = tmp_path / "to"
    to.mkdir()
    (to / "siaga-other-20000101T000000Z.tar.gz").touch()
    (to / ".making-abc").mkdir()  # what a power cut left
    for night in range(5):
        made = backup(config, to, wall=1e9 + night * NIGHT, keep=3)
    assert [file.name[-23:-7] for file in kept(to)] == [
        "20000101T000000Z", "20010911T014640Z", "20010912T014640Z", "20010913T014640Z",
    ]  # fmt: skip
    assert kept(to)[-1] == made.file
    assert not list(to.glob(".*"))


def test_the_copy_on_the_stick_is_read_back(config: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    made = backup(config, tmp_path / "to")
    assert copy_to(made, stick).read_bytes() == made.file.read_bytes()


def test_a_broken_chain_is_copied_as_it_is_and_told(config: Path, tmp_path: Path) -> None:
    db = sqlite3.connect(of(config).journal)
    db.execute("DROP TRIGGER events_no_update")
    db.execute("UPDATE events SET actor = 'x' WHERE seq = 9")
    db.commit()
    db.close()
    broken = backup(config, tmp_path / "to").broken
    assert broken
    assert broken.startswith("Row 9 ")


def test_the_command_makes_a_code_a_backup_and_a_box(config: Path, tmp_path: Path) -> None:
    def siaga(*words: object, said: str = "") -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "appliance.cli", "backup", *map(str, words)]
        return subprocess.run(line, input=said, capture_output=True, text=True, check=False, timeout=60)

    bare = siaga("make", "--config", config)
    assert bare.returncode == 0
    assert "NO KEYS" in bare.stdout
    code = siaga("code", "--config", config).stdout.split()[0]
    made = siaga("make", "--config", config, "--stick", tmp_path)
    assert (made.returncode, "No stick at" in made.stdout) == (0, True), made
    listed = siaga("list", "--config", config).stdout.splitlines()
    file = listed[-1].split()[0]
    assert listed[-1].endswith("keys sealed")
    checked = siaga("check", file)
    assert (checked.returncode, "unbroken" in checked.stdout) == (0, True), checked
    card = tmp_path / "card/site.toml"
    assert siaga("restore", file, "--config", card).returncode == 2  # it holds keys: with them or without?
    restored = siaga("restore", file, "--config", card, "--code", "-", said=code + "\n")
    assert restored.returncode == 0, restored
    assert of(card).key.read_text() == "secret of own.key"


def test_a_wrong_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_bytes(os.urandom(100))
    assert cli.main(["backup", "check", str(tmp_path / "x")]) == 1
    assert "is no whole backup" in capsys.readouterr().err

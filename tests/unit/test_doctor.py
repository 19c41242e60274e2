"""The doctor at a box whose every part can be made wrong: it says what, where, and what to do next."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from boot_card import Card

from appliance import doctor, doctor_box, doctor_state, doctor_things
from appliance.boot_config import remember_start
from appliance.cli import main
from appliance.cli_doctor import rows
from appliance.config import load_site, places
from appliance.doctor import Finding, Patient, examine, good
from appliance.entry import Entry
from appliance.journal_file import insert, open_for_writing
from appliance.keys import create_key
from appliance.people import set_password
from tests.unit.test_wiring import STATION

FAULT = """{"faults": [{"file": "appliance.toml", "line": 7, "en": ["10.0.0.300 is no address.", "Give another."]}]}"""
Part = Callable[[Patient], Iterable[Finding]]


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    file = tmp_path / "site.toml"
    file.write_text(STATION)
    (tmp_path / "state").mkdir()
    site = load_site(file)
    root = tmp_path / "root"
    (root / "proc").mkdir(parents=True)
    (root / "proc/cmdline").write_text("root=/dev/mmcblk0p3 rauc.slot=A quiet\n")
    return Patient(site, file, places(site, file), root=root)


def put(patient: Patient, path: str, text: str) -> None:
    file = patient.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def told(part: Part, patient: Patient, health: str) -> str:
    """What is said with that health, with what to do."""
    return "\n".join(f"{f.what}: {f.told} {f.next}" for f in part(patient) if f.health == health)


def journal_of(patient: Patient, rows: int) -> None:
    patient.where.journal.parent.mkdir(exist_ok=True)
    entry, entries = Entry.before_first(), []
    for number in range(rows):
        body = b'{"line":"l1","number":"+6281234567890"}'
        entry = Entry.after(
            entry, wall=1.8e9 + number, mono=float(number), boot="b", quality="ntp", kind="line.up", subject="l1",
            actor="", cause=None, body=body,
        )  # fmt: skip
        entries.append(entry)
    db = open_for_writing(patient.where.journal)
    insert(db, entries)
    db.close()


def test_a_journal_is_sampled_and_by_the_self_test_read_whole(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_state, "SAMPLED", 5)
    journal_of(patient, 20)
    assert "the last 5 rows chain" in told(doctor_state.journal, patient, "good")
    db = sqlite3.connect(patient.where.journal)
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.execute("UPDATE events SET subject = 'l2' WHERE seq = 3")
    db.commit()
    assert told(doctor_state.journal, patient, "bad") == ""  # the fifth from the end is not the third row
    patient.whole = True
    assert "Row 3 (line.up) was changed" in told(doctor_state.journal, patient, "bad")
    patient.whole = False
    db.execute("UPDATE events SET subject = 'l2' WHERE seq = 16")
    db.commit()
    db.close()
    assert "Row 16" in told(doctor_state.journal, patient, "bad")


def test_a_journal_that_is_none_is_told(patient: Patient) -> None:
    assert "is not there" in told(doctor_state.journal, patient, "bad")
    patient.where.journal.write_bytes(b"not a database, but a text" * 100)
    assert "keep the file" in told(doctor_state.journal, patient, "bad")


def test_keys_people_and_who_may_change_the_file(patient: Patient) -> None:
    assert "cannot be read" in told(doctor_state.key, patient, "bad")
    create_key(patient.where.key)
    assert told(doctor_state.key, patient, "bad") == ""
    patient.where.key.chmod(0o644)
    assert "chmod 600" in told(doctor_state.key, patient, "bad")
    assert "siaga people password" in told(doctor_state.people, patient, "warn")
    set_password(patient.where.people, "budi", "operator", "x")
    assert "1 may log in" in told(doctor_state.people, patient, "good")
    patient.where.people.write_text("{")
    assert "people.json" in told(doctor_state.people, patient, "bad")
    patient.file.chmod(0o666)
    assert "mode 0666" in told(doctor_state.site, patient, "bad")
    assert "placeholder" in told(doctor_state.site, patient, "warn")


def test_ports_that_are_not_there(patient: Patient) -> None:
    put(patient, "dev/siaga/modem-1-at", "")
    assert "line l1" in told(doctor_things.ports, patient, "good")
    wrong = told(doctor_things.ports, patient, "bad")
    assert "bus b1: /dev/siaga/rs485-1 is not there" in wrong
    assert "b2" not in wrong  # it is on the network


@pytest.mark.parametrize(("millidegrees", "health"), [("61000", "good"), ("76500", "warn"), ("85000", "bad")])
def test_heat(patient: Patient, millidegrees: str, health: str) -> None:
    put(patient, "sys/class/thermal/thermal_zone0/temp", millidegrees + "\n")
    assert "°C" in told(doctor_box.board, patient, health)


@pytest.mark.parametrize(("bits", "said"), [("0", ""), ("50000", "since the boot"), ("50005", "now"), ("20000", "")])
def test_a_supply_that_was_too_low(patient: Patient, bits: str, said: str) -> None:
    put(patient, "sys/devices/platform/soc/soc:firmware/get_throttled", bits + "\n")
    wrong = told(doctor_box.board, patient, "bad")
    assert said in wrong
    assert bool(wrong) is bool(said)


def test_a_worn_card_and_a_full_disk(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    put(patient, "sys/block/mmcblk0/device/life_time", "0x02 0x09\n")
    assert "90 % of its life is used" in told(doctor_box.disk, patient, "bad")
    usage = type("Usage", (), {"free": 3, "total": 100})
    monkeypatch.setattr(doctor_box.shutil, "disk_usage", lambda folder: usage)
    assert "3 % of" in told(doctor_box.disk, patient, "bad")
    monkeypatch.setattr(doctor_box.shutil, "disk_usage", gone)
    assert "do not switch it off" in told(doctor_box.disk, patient, "bad")


def gone(folder: Path) -> None:
    raise OSError(5, "Input/output error")


def test_what_the_first_boot_found_wrong_is_told(patient: Patient) -> None:
    assert "slot A, image not known" in told(doctor_box.slot, patient, "good")
    put(patient, "etc/os-release", "ID=debian\nIMAGE_VERSION=0.1.0+4c3db7b\n")
    assert "slot A, image 0.1.0+4c3db7b" in told(doctor_box.slot, patient, "good")
    put(patient, "run/siaga/first-boot/fault.json", FAULT)
    assert "10.0.0.300" in told(doctor_box.slot, patient, "bad")


def test_a_check_that_hangs_or_breaks_is_a_finding(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "WITHIN", 0.05)

    async def hangs(patient: Patient) -> list[Finding]:
        await asyncio.Event().wait()
        return []

    async def breaks(patient: Patient) -> list[Finding]:
        raise ValueError("not a number: ''")

    async def fine(patient: Patient) -> list[Finding]:
        return [good("last", "fine")]

    found = asyncio.run(examine(patient, [("disk", hangs), ("board", breaks), ("last", fine)]))
    assert [(f.what, f.health) for f in found] == [("disk", "bad"), ("board", "bad"), ("last", "good")]
    assert rows(found)[-1] == "3 looked at, 2 wrong, 0 to be thought about."


def test_a_box_where_nothing_runs(patient: Patient, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--config", str(patient.file), "--health"]) == 1
    printed = capsys.readouterr().out
    assert "NO SIREN SOUNDS HERE" in printed
    assert "systemctl status siaga-core" in printed
    assert "systemctl status siaga-web" in printed
    assert "4 looked at, 4 wrong" in printed


def a_pi(patient: Patient) -> Path:
    """One that was set up; its config.txt."""
    card = Card(patient.root.parent / "card")
    card.start()
    for name in ("appliance.toml", "site.toml"):
        put(patient, f"data/etc/{name}", (card.data / "etc" / name).read_text())
    put(patient, "boot/firmware/config.txt", card.read("config.txt"))
    file = patient.root / "boot/firmware/config.txt"
    remember_start(file, patient.root / "run/siaga")
    return file


def test_a_config_txt_that_was_changed_since_this_boot_asks_for_a_restart_without_a_siren(
    patient: Patient,
) -> None:
    file = a_pi(patient)
    assert "as this box needs them" in told(doctor_box.firmware, patient, "good")
    file.write_text(file.read_text() + "# a person's\n")
    said = told(doctor_box.firmware, patient, "warn")
    assert "was changed since this boot" in said
    assert "Restart when no siren sounds" in said


def test_a_config_txt_of_another_wiring_is_told(patient: Patient) -> None:
    file = a_pi(patient)
    site = patient.root / "data/etc/site.toml"
    site.write_text(site.read_text().replace("pin = 17", "pin = 21"))
    assert "not those of this box" in told(doctor_box.firmware, patient, "warn")
    file.unlink()
    assert "is not on the card" in told(doctor_box.firmware, patient, "bad")


def test_what_is_no_pi_or_not_set_up_has_no_such_finding(patient: Patient) -> None:
    assert list(doctor_box.firmware(patient)) == []
    a_pi(patient)
    told_ = patient.root / "data/etc/appliance.toml"
    told_.write_text(told_.read_text().replace('"pi4"', '"pi5"'))
    (patient.root / "boot/firmware/config.txt").unlink()
    assert "slot's own partition" in told(doctor_box.firmware, patient, "warn")
    told_.write_text(told_.read_text().replace('"pi5"', '"virt"'))
    assert list(doctor_box.firmware(patient)) == []

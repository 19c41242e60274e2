"""What leaves a box for a maintainer has no secret in it, whatever the site file and the journal hold."""

import io
import os
import tarfile
import tempfile
from pathlib import Path

import pytest

from appliance.cli import main
from appliance.support_mask import masked, masked_text
from appliance.support_pack import pack
from tests.unit.test_doctor import Patient, journal_of, patient
from tests.unit.test_wiring import STATION

__all__ = ["patient"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("call from +6281234567890 on l1", "call from …890 on l1"),
        ("0812-3456-7890 hung up", "…890 hung up"),
        ("port 8112, baud 115200, row 123456", "port 8112, baud 115200, row 123456"),
        ("2026-11-22T12:44:27 started", "2026-11-22T12:44:27 started"),
        ("at 1795351575.637213", "at 1795351575.637213"),
        ("key " + "ab" * 32, "key abababab…"),
    ],
)
def test_a_line_of_a_log(said: str, kept: str) -> None:
    assert masked_text(said) == kept


def test_a_table_keeps_its_shape_and_loses_its_secrets() -> None:
    table = {"line": [{"id": "l1", "pin": "1234", "number": "+6281234567890"}], "output": {"siren": {"pin": 17}}}
    assert masked(table) == {
        "line": [{"id": "l1", "pin": "(secret)", "number": "…890"}],
        "output": {"siren": {"pin": 17}},
    }
    assert masked({"text": "rumah terbakar", "password": "", "deep": [{"token": "t"}]}) == {
        "text": "(14 letters)", "password": "", "deep": [{"token": "(secret)"}],
    }  # fmt: skip


def test_no_secret_is_in_the_archive(patient: Patient) -> None:
    secrets = ["4711", "81234567890", "c0ffee" * 10 + "c0de"]
    patient.file.write_text(STATION.replace('port = "/dev/siaga/modem-1-at"', 'port = "/dev/x"\npin = "4711"'))
    patient.file.write_text(patient.file.read_text() + f'[[issuer]]\nname = "b"\nkey = "{secrets[2]}"\n')
    patient.where.key.write_text(secrets[2])
    journal_of(patient, 3)
    patient.where.recordings.mkdir()
    (patient.where.recordings / "l1.rec").write_text(
        '# siaga modem recording 1\n1.0000 > AT+CPIN=4711\\r\n2.0000 < +CLIP: "+6281234567890",145\\r\\n\n'
    )
    archive = io.BytesIO()
    names = pack(patient, "✓ line l1: +6281234567890\n", archive)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        texts = {m.name: tar.extractfile(m).read().decode() for m in tar}  # type: ignore[union-attr]
    assert {"doctor.txt", "site.toml", "journal.jsonl", "versions.txt", "modem-l1.rec"} <= set(names)
    assert [name for name, text in texts.items() if any(secret in text for secret in secrets)] == []
    assert texts["siaga-support/journal.jsonl"].count("line.up") == 3
    assert "AT+CPIN=" in texts["siaga-support/modem-l1.rec"]
    assert len(texts["siaga-support/sums.txt"].splitlines()) == len(names)


def test_an_archive_is_for_its_owner_and_never_written_over(
    patient: Patient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "s.tar.gz"
    assert main(["support", "--config", str(patient.file), "--out", str(out)]) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert main(["support", "--config", str(patient.file), "--out", str(out)]) == 1
    assert "File exists" in capsys.readouterr().err


def test_where_nothing_can_be_written_it_goes_to_ram_and_says_where(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (ram := tmp_path / "ram").mkdir()
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)  # as a box's own system says, also to root
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(ram))
    assert main(["support", "--config", str(patient.file)]) == 0
    assert capsys.readouterr().out.startswith(f"{next(ram.iterdir())}: ")

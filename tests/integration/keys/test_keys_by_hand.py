"""`siaga keys` in a terminal, and its lines as QR codes that a stranger's program reads."""

import subprocess
from pathlib import Path

import pytest

from appliance.cli import main
from tests.key_boxes import Boxes

SITES = Path(__file__).parents[3] / "firmware-config" / "sites" / "demo"


def test_lines_go_through_qr_codes_unchanged(tmp_path: Path) -> None:
    boxes = Boxes(tmp_path)
    boxes.centre.init()
    request = boxes.office("damkar").request()
    for line in (request, boxes.centre.grant(boxes.centre.opened_request(request, "damkar"))):
        subprocess.run(["qrencode", "-l", "L", "-o", tmp_path / "code.png", line], check=True)
        read = subprocess.run(["zbarimg", "-q", "--raw", tmp_path / "code.png"], check=True, capture_output=True)
        assert read.stdout.decode().strip() == line


def test_a_station_is_enrolled_by_two_files_and_the_words_of_the_other_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {}
    for name in ("centre", "damkar-kota"):
        (tmp_path / name).mkdir()
        files[name] = str(tmp_path / name / "site.toml")
        Path(files[name]).write_text((SITES / f"{name}.toml").read_text())
    request, grant = str(tmp_path / "request"), str(tmp_path / "grant")

    def refused(*arguments: str) -> str:
        assert main(["keys", "enrol", *arguments, "--config", files["centre"]]) == 1
        return capsys.readouterr().err

    def keys(at: str, *arguments: str) -> tuple[int, str, str]:
        code = main(["keys", *arguments, "--config", files[at]])
        out, said = capsys.readouterr()
        return code, out, said.rsplit("these words:", 1)[-1].split("\n")[0].strip()

    assert keys("centre", "init")[0] == 0
    assert "no [[station]] 'nowhere'" in refused("nowhere", "--listen")
    assert "absent cannot be read (No such file" in refused("damkar-kota", "--request", str(tmp_path / "absent"))
    code, _, words = keys("damkar-kota", "enrol", "--out", request)
    assert code == 0
    enrol = ("enrol", "damkar-kota", "--request", request, "--out", grant)
    assert keys("centre", *enrol, "--code", "babab babab babab babab")[0] == 1
    assert "not enrolled" in keys("centre", "list")[1]
    assert "siaga keys enrol" not in keys("centre", "list")[1]
    code, _, answer = keys("centre", *enrol, "--code", words)
    assert code == 0
    assert keys("damkar-kota", "enrol", "--grant", grant, "--code", words)[0] == 1
    assert keys("damkar-kota", "enrol", "--grant", grant, "--code", answer)[0] == 0
    assert "pusat" in keys("damkar-kota", "list")[1]
    assert keys("centre", "revoke", "damkar-kota", "--why", "stolen")[0] == 0
    assert "revoked" in keys("centre", "list")[1]

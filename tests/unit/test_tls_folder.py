"""The folder with the authority: made once, kept, made anew when it is damaged, refused when it is not ours."""

import stat
from pathlib import Path

import pytest

from appliance.fingerprint import in_words
from web.authority import DAY, RELEASED
from web.tls_folder import AUTHORITY, DAMAGED, SERVED, TlsError, TlsFolder

NAMES = {"localhost", "127.0.0.1", "pusat"}
NOW = RELEASED + 100 * DAY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "state" / "tls"
    opened = TlsFolder(place, "Pusat")
    opened.served(opened.authority(NAMES, NOW), NAMES, NOW)
    return place


def test_keys_are_of_their_owner_alone(folder: Path) -> None:
    assert {f.name: stat.S_IMODE(f.stat().st_mode) for f in folder.iterdir()} == {AUTHORITY: 0o600, SERVED: 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_next_start_finds_what_was_made(folder: Path) -> None:
    before = {f.name: f.read_bytes() for f in folder.iterdir()}
    opened = TlsFolder(folder, "Pusat")
    _, new = opened.served(opened.authority(NAMES, NOW), NAMES, NOW + DAY)
    assert not new
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == before


def test_a_certificate_is_renewed_while_it_is_served_and_by_the_next_start(folder: Path) -> None:
    opened = TlsFolder(folder, "Pusat")
    authority = opened.authority(NAMES, NOW)
    first, _ = opened.served(authority, NAMES, NOW)
    later, new = opened.served(authority, NAMES, NOW + 300 * DAY)
    assert new
    assert later.certificate.not_valid_after_utc > first.certificate.not_valid_after_utc
    assert opened.served(authority, NAMES, NOW + 301 * DAY) == (later, False)
    again = TlsFolder(folder, "Pusat")
    found, new = again.served(again.authority(NAMES, NOW), NAMES, NOW + 301 * DAY)
    assert (found.certificate, new) == (later.certificate, False)


@pytest.mark.parametrize("left", [0, 100, 700])
def test_a_certificate_that_a_power_cut_tore_is_made_anew_under_the_same_authority(folder: Path, left: int) -> None:
    file = folder / SERVED
    file.write_bytes(file.read_bytes()[:left])
    opened = TlsFolder(folder, "Pusat")
    authority = opened.authority(NAMES, NOW)
    served, new = opened.served(authority, NAMES, NOW)
    assert new
    served.certificate.verify_directly_issued_by(authority.certificate)


@pytest.mark.parametrize("left", [0, 100, 700])
def test_an_authority_that_is_torn_is_set_aside_and_told_of(
    folder: Path, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    file = folder / AUTHORITY
    file.write_bytes(torn := file.read_bytes()[:left])
    opened = TlsFolder(folder, "Pusat")
    authority = opened.authority(NAMES, NOW)
    assert opened.served(authority, NAMES, NOW)[1]
    assert (folder / (AUTHORITY + DAMAGED)).read_bytes() == torn
    assert "docs/tls.md" in caplog.text
    assert TlsFolder(folder, "Pusat").authority(NAMES, NOW).certificate == authority.certificate


def test_a_key_that_others_can_read_is_refused_with_what_to_do(folder: Path) -> None:
    (folder / AUTHORITY).chmod(0o644)
    with pytest.raises(TlsError, match=f"chmod 600 {folder / AUTHORITY}"):
        TlsFolder(folder, "Pusat").authority(NAMES, NOW)


def test_what_cannot_be_read_is_refused_with_what_to_do(folder: Path) -> None:
    (folder / AUTHORITY).unlink()
    (folder / AUTHORITY).mkdir()
    with pytest.raises(TlsError, match="web's own user"):
        TlsFolder(folder, "Pusat").authority(NAMES, NOW)


def test_a_disk_that_takes_nothing_makes_no_authority_but_costs_no_certificate(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = TlsFolder(Path("/proc/siaga/tls"), "Pusat")
    with pytest.raises(TlsError, match="cannot be stored"):
        nowhere.authority(NAMES, NOW)
    authority = TlsFolder(folder, "Pusat").authority(NAMES, NOW)
    served, new = nowhere.served(authority, NAMES, NOW)
    assert new
    assert "serves until web ends" in caplog.text
    assert nowhere.served(authority, NAMES, NOW) == (served, False)


def test_a_name_that_the_authority_may_not_vouch_for_is_left_out_and_told_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened = TlsFolder(folder, "Pusat")
    authority = opened.authority(NAMES, NOW)
    for _ in range(3):
        opened.served(authority, NAMES | {"siaga.example.org"}, NOW)
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert "siaga.example.org" in caplog.text


def test_words_are_those_of_the_proquint_paper() -> None:
    told = bytes([127, 0, 0, 1, 63, 84, 220, 193, 63, 118, 7, 35])
    assert in_words(told) == "lusab babad gutih tugad gutuk bisog"

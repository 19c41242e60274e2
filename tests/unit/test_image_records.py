"""What an image says of its own contents."""

import json
from pathlib import Path

import pytest
from siaga_image import lock, profile, records

ROOT = Path(__file__).resolve().parent.parent.parent
STANZAS = """Package: libc6
Version: 2.41-12
Architecture: arm64
Filename: pool/libc6.deb
SHA256: aa11

Package: rauc
Version: 1:1.13-3+deb13u1
Architecture: arm64
SHA256: bb22
"""


def test_the_lock_is_read_whole_and_each_package_has_hashes() -> None:
    packages = {package.name: package for package in lock.read(ROOT / "requirements.lock")}
    assert packages["lgpio"].version == "0.2.2.0", "a condition behind the version is not part of it"
    assert all(len(hash) == 64 for package in packages.values() for hash in package.hashes)
    taken = {package.name for package in lock.wheels(list(packages.values()))}
    assert taken.isdisjoint({*lock.FROM_DEBIAN, *lock.COMPILED, *lock.LEFT_OUT})
    assert set(packages) - taken == {
        *lock.FROM_DEBIAN,
        *lock.COMPILED,
        *(name for name in lock.LEFT_OUT if name in packages),
    }


def test_a_package_without_a_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.lock").write_text("one==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\ntwo==2.0\n")
    with pytest.raises(ValueError, match="no hash for two"):
        lock.read(tmp_path / "x.lock")


def test_what_comes_from_debian_instead_of_the_lock_is_in_the_image() -> None:
    assert set(lock.FROM_DEBIAN.values()) <= set(profile.load("pi4").packages)


def test_debian_packages_are_listed_with_version_and_hash() -> None:
    libc, rauc = records.debian(STANZAS)
    assert (libc.name, libc.version, libc.hash) == ("libc6", "2.41-12", "aa11")
    assert rauc.url() == "pkg:deb/debian/rauc@1%3A1.13-3%2Bdeb13u1?arch=arm64"
    with pytest.raises(ValueError, match="no hash of rauc"):
        records.debian(STANZAS.replace("SHA256: bb22", ""))


def test_the_bill_of_materials_is_cyclonedx_and_the_same_for_the_same_image() -> None:
    parts = records.debian(STANZAS)
    first, second = (
        records.bill(order, version="0.1.0", profile="pi4", time="2026-01-01T00:00:00Z", tree="cc")
        for order in (parts, parts[::-1])
    )
    assert first == second
    bill = json.loads(first)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert [part["name"] for part in bill["components"]] == ["libc6", "rauc"]
    assert len({part["bom-ref"] for part in bill["components"]}) == 2


def test_a_wheel_that_is_not_the_locks_is_refused() -> None:
    package = lock.Locked("one", "1.0", ("a" * 64, "b" * 64))
    assert records.python([package], {"b" * 64: "one.whl"})[0].hash == "b" * 64
    with pytest.raises(ValueError, match="0 files"):
        records.python([package], {"c" * 64: "one.whl"})

"""A Raspberry Pi 5's disk and what chooses its slot, as far as a machine without its firmware can tell."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from siaga_image import bundle, disk, layer, layout, profile, tryboot, trydisk, trymodule

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "image-build" / "tryboot"
BACKEND = HERE / "root" / tryboot.BACKEND.lstrip("/")
PI5 = profile.load("pi5")


def test_the_disk_has_what_a_pi_5_reads_in_front_and_what_grows_at_its_end() -> None:
    first = [part for part in tryboot.PARTITIONS if part is not tryboot.EXTENDED]
    for before, after in itertools.pairwise(first):
        assert before.start + before.size <= after.start
    assert tryboot.BOOT.start >= 1
    assert [tryboot.number(part) for part in tryboot.SLOT_BOOTS] == [2, 3], "the firmware reads 1 to 4"
    for part in (*tryboot.ROOTS, tryboot.DATA):
        assert tryboot.number(part) > 4
        assert tryboot.EXTENDED.start < part.start, "a logical partition has its own table before it"
        assert part.start + part.size <= tryboot.EXTENDED.start + tryboot.EXTENDED.size
        assert not any(other.start + other.size == part.start for other in first)
    assert tryboot.PARTITIONS[-1] is tryboot.DATA
    assert tryboot.EXTENDED.kind == "5", "firmware was seen to refuse type f"
    assert tryboot.DISK_ID != layout.DISK_ID


def test_both_slots_have_one_size_and_a_root_of_this_disk_fits_where_a_pi_4s_does() -> None:
    for a, b in (tryboot.ROOTS, tryboot.SLOT_BOOTS):
        assert a.size == b.size
    assert tryboot.ROOTS[0].size == layout.ROOTS[0].size


def test_sfdisk_makes_that_table(tmp_path: Path) -> None:
    card = tmp_path / "card.img"
    with card.open("wb") as file:
        file.truncate(tryboot.DISK_MIB * layout.MIB)
    make = ["sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", str(card)]
    try:
        subprocess.run(make, input=tryboot.sfdisk().encode(), check=True, timeout=20)
    except FileNotFoundError:
        pytest.skip("sfdisk is not installed (apt-get install fdisk)")
    wanted = [(part.start * layout.MIB, part.size * layout.MIB) for part in tryboot.PARTITIONS]
    assert disk.table(card) == wanted
    # What siaga-grow does on a card that is larger.
    with card.open("r+b") as file:
        file.truncate((tryboot.DISK_MIB + 4096) * layout.MIB)
    grow = (ROOT / "image-build/root/usr/libexec/siaga/grow").read_text()
    for number in ("4", "7"):
        words = ["sfdisk", "--quiet", "--no-reread", "--force", "--no-tell-kernel", "-N"]
        assert " ".join(words) in grow
        subprocess.run([*words, number, str(card)], input=b", +\n", check=True, capture_output=True, timeout=20)
    grown = disk.table(card)
    assert grown[:3] + grown[4:6] == wanted[:3] + wanted[4:6]
    assert sum(grown[6]) == (tryboot.DISK_MIB + 4096) * layout.MIB
    assert grown[6][0] == wanted[6][0]


def test_each_slot_starts_with_its_own_root_and_says_which_it_is() -> None:
    for slot, root in zip("AB", tryboot.ROOTS, strict=True):
        line = tryboot.cmdline(PI5, slot)
        assert line.count("\n") == 1
        words = line.split()
        assert words.count(f"root=PARTUUID={tryboot.partuuid(root)}") == 1
        assert f"rauc.slot={slot}" in words
        assert f"console={PI5.console}" in words
        boot = tryboot.SLOT_BOOTS["AB".index(slot)]
        assert f"systemd.mount-extra=PARTUUID={tryboot.partuuid(boot)}:/boot/slot:vfat:ro,nofail,umask=0077" in words
        assert {"ro", "rootwait", "panic=10"} <= set(words), "a slot that panics must start again by itself"


def test_rauc_writes_root_and_boot_partition_of_one_slot_and_asks_the_script(tmp_path: Path) -> None:
    text = layer.written(PI5)["etc/rauc/system.conf"]
    assert "bootloader=custom" in text
    assert f"bootloader-custom-backend={tryboot.BACKEND}" in text
    sections = dict(part.split("]\n", 1) for part in text.split("\n[")[1:])
    for index, slot in enumerate("AB"):
        assert f"bootname={slot}" in sections[f"slot.rootfs.{index}"]
        assert tryboot.partuuid(tryboot.ROOTS[index]) in sections[f"slot.rootfs.{index}"]
        assert f"parent=rootfs.{index}" in sections[f"slot.boot.{index}"]
        assert tryboot.partuuid(tryboot.SLOT_BOOTS[index]) in sections[f"slot.boot.{index}"]
    assert os.access(BACKEND, os.X_OK)
    assert "etc/fw_env.config" not in layer.written(PI5), "there is no U-Boot"


def test_what_other_boxes_are_told_is_as_it_was() -> None:
    for name in profile.all_names():
        if name != "pi5":
            told = layer.written(profile.load(name))
            assert "bootloader=custom" not in told["etc/rauc/system.conf"]
            assert "etc/fw_env.config" in told


def test_the_bundle_has_both_file_systems_of_a_slot_and_the_hook_that_takes_its_line() -> None:
    manifest = (bundle.MANIFEST + bundle.WITH_BOOT).format(compatible=PI5.compatible, version="1")
    assert "compatible=siaga-pi5-arm64" in manifest
    sections = dict(part.split("]\n", 1) for part in manifest.split("[")[1:])
    assert "filename=rootfs.ext4" in sections["image.rootfs"]
    assert "filename=boot.vfat\nhooks=post-install" in sections["image.boot"]
    assert f"filename={bundle.HOOK.name}" in sections["hooks"]
    assert os.access(bundle.HOOK, os.X_OK)


@pytest.mark.parametrize(("name", "slot"), [("boot.0", "A"), ("boot.1", "B")])
def test_the_hook_gives_each_slot_its_own_line(tmp_path: Path, name: str, slot: str) -> None:
    for one in "AB":
        (tmp_path / f"cmdline-{one}.txt").write_text(tryboot.cmdline(PI5, one))
    (tmp_path / "cmdline.txt").write_text(tryboot.cmdline(PI5, "A"))
    done = hook(tmp_path, name)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cmdline.txt").read_text() == tryboot.cmdline(PI5, slot)


def test_the_hook_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "cmdline-A.txt").write_text("x")
    done = hook(tmp_path, "rootfs.0")
    assert done.returncode == 1
    assert "rootfs.0" in done.stderr
    assert not (tmp_path / "cmdline.txt").exists()


def test_the_hook_puts_the_sites_own_pins_into_the_new_slot(tmp_path: Path) -> None:
    (tmp_path / "cmdline-B.txt").write_text("x")
    (tmp_path / "config.txt").write_text((ROOT / "firmware-config/boot/config.txt").read_text())
    site = tmp_path / "site.toml"
    site.write_text((ROOT / "firmware-config/sites/demo/centre.toml").read_text().replace("pin = 17", "pin = 21"))
    siaga = tmp_path / "siaga"
    siaga.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m appliance.cli "$@"\n')
    siaga.chmod(0o755)
    done = hook(tmp_path, "boot.1", SIAGA_SITE=str(site), SIAGA=str(siaga))
    assert done.returncode == 0, done.stderr
    assert "gpio=18,21" in (tmp_path / "config.txt").read_text()
    site.write_text("not a site\n")
    done = hook(tmp_path, "boot.1", SIAGA_SITE=str(site), SIAGA=str(siaga))
    assert done.returncode == 0, "an update must not fail for it"
    assert "reference sites" in done.stderr


def hook(folder: Path, slot: str, **environment: str) -> subprocess.CompletedProcess[str]:
    told = {"PATH": "/usr/bin:/bin", "RAUC_SLOT_NAME": slot, "RAUC_SLOT_MOUNT_POINT": str(folder)}
    told |= {"SIAGA_SITE": "/nowhere"} | environment
    command = [str(bundle.HOOK), "slot-post-install"]
    return subprocess.run(command, capture_output=True, text=True, env=told, timeout=30, check=False)


def test_boards_of_both_revisions_find_their_device_tree(tmp_path: Path) -> None:
    broadcom = tmp_path / "tree/usr/lib/linux-image-7/broadcom"
    broadcom.mkdir(parents=True)
    (tmp_path / "tree/boot").mkdir()
    for name in PI5.device_trees:
        (broadcom / name).write_text(name)
    for name in ("vmlinuz", "initrd.img"):
        (tmp_path / "tree/boot" / name).write_text(name)

    (tmp_path / "slot").mkdir()
    trydisk.fill(tmp_path / "slot", PI5, tmp_path / "tree")
    there = {path.name for path in (tmp_path / "slot").iterdir()}
    assert {"bcm2712-rpi-5-b.dtb", "bcm2712d0-rpi-5-b.dtb", "config.txt", "cmdline.txt"} <= there
    assert (tmp_path / "slot/bcm2712d0-rpi-5-b.dtb").read_text() == "bcm2712-d-rpi-5-b.dtb"
    config = (ROOT / "firmware-config/boot/config.txt").read_text().split("[pi5]")[1].split("[all]")[0]
    for named in ("vmlinuz", "initrd.img"):
        assert named in config
        assert named in there


def test_the_kernel_of_a_tree_is_found_with_its_packages_version(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/modules/7.3.4+deb13-arm64").mkdir(parents=True)
    stanzas = (
        "Package: linux-image-arm64\nVersion: 7.3.4-1\n\n"
        "Package: linux-image-7.3.4+deb13-arm64\nSource: linux-signed-arm64\nVersion: 7.3.4-1~bpo13+1\nSHA256: 00\n"
    )
    assert trymodule.kernel(tmp_path, stanzas) == ("7.3.4+deb13-arm64", "7.3.4-1~bpo13+1")
    with pytest.raises(trymodule.BuildFailed, match="said nothing"):
        trymodule.kernel(tmp_path, "")
    (tmp_path / "usr/lib/modules/7.3.5+deb13-arm64").mkdir()
    with pytest.raises(trymodule.BuildFailed, match="2 kernels"):
        trymodule.kernel(tmp_path, stanzas)

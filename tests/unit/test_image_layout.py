"""The image's disk, boot state and configuration, as far as they are only figures and text."""

import re
import struct
import zlib
from pathlib import Path

import pytest
from siaga_image import bootfiles, bootstate, layer, layout, profile

ROOT = Path(__file__).resolve().parent.parent.parent
# A Pi 5's disk is another one: test_image_tryboot.py.
PROFILES = [each for name in profile.all_names() if (each := profile.load(name)).boot != "tryboot"]


def test_partitions_follow_one_another_and_leave_the_boot_states_alone() -> None:
    end = (max(layout.STATE_OFFSETS) + layout.STATE_SIZE) / layout.MIB
    for partition in layout.PARTITIONS:
        assert partition.start >= end, partition
        end = partition.start + partition.size
    assert layout.PARTITIONS[-1] is layout.DATA, "only the last one can grow"
    assert len(layout.PARTITIONS) <= 4, "a Pi's oldest EEPROM reads four primary partitions and no other table"


def test_both_slots_have_one_size_so_that_a_bundle_fits_each() -> None:
    a, b = layout.ROOTS
    assert a.size == b.size


def test_the_boot_state_is_what_u_boot_checks_and_a_flipped_bit_is_seen() -> None:
    octets = bootstate.encode(bootstate.FIRST)
    assert len(octets) == layout.STATE_SIZE
    assert struct.unpack("<I", octets[:4])[0] == zlib.crc32(octets[4:])
    assert bootstate.decode(octets) == bootstate.FIRST
    with pytest.raises(ValueError, match="check does not fit"):
        bootstate.decode(octets[:9] + bytes([octets[9] ^ 1]) + octets[10:])


def test_a_new_card_starts_slot_a_and_never_the_empty_slot_b() -> None:
    assert bootstate.FIRST["BOOT_ORDER"].split()[0] == "A"
    assert bootstate.FIRST["BOOT_B_LEFT"] == "0"


@pytest.mark.parametrize("kind", PROFILES, ids=lambda kind: kind.name)
def test_the_boot_script_is_filled_in_and_its_slots_are_the_disks(kind: profile.Profile) -> None:
    script = bootfiles.script(kind)
    assert not re.search(r"@[A-Z_]+@", script)
    for number, partition in enumerate(layout.ROOTS):
        assert layout.partuuid(partition) in script
        assert f"setenv siaga_part {layout.PARTITIONS.index(partition) + 1}" in script, number
    words = "\n".join(line for line in script.splitlines() if not line.startswith("#"))
    assert len(re.findall(r"\bif \S", words)) == len(re.findall(r"\bfi\b", words))


@pytest.mark.parametrize("kind", PROFILES, ids=lambda kind: kind.name)
def test_rauc_knows_both_slots_and_refuses_other_boxes_bundles(kind: profile.Profile) -> None:
    text = layout.rauc(kind)
    assert f"compatible=siaga-{kind.name}-{kind.arch}" in text
    assert [line for line in text.splitlines() if line.startswith("bootname=")] == ["bootname=A", "bootname=B"]
    assert len(set(re.findall(r"by-partuuid/(\S+)", text))) == 2


def test_every_unit_and_setting_of_the_repository_has_a_place_on_a_box() -> None:
    """A file of these folders that no rule names would be in the repository and not on the box."""
    folders = ("udev", "audio", "chrony", "nftables", "journald", "sysctl", "mosquitto")
    files = [path for folder in folders for path in (ROOT / "firmware-config" / folder).rglob("*") if path.is_file()]
    files += [path for path in (ROOT / "systemd").rglob("*") if path.is_file()]
    lost = [str(path.relative_to(ROOT)) for path in files if path.suffix != ".md" and layer.place(path) is None]
    assert not lost


def test_units_and_settings_go_where_systemd_and_their_programs_look() -> None:
    for source, to in {
        "systemd/siaga-core.service": "usr/lib/systemd/system/siaga-core.service",
        "systemd/sysusers.d/siaga.conf": "usr/lib/sysusers.d/siaga.conf",
        "systemd/chrony.service.d/x.conf": "etc/systemd/system/chrony.service.d/x.conf",
        "firmware-config/mosquitto/siaga.conf": "etc/mosquitto/conf.d/siaga.conf",
        "firmware-config/udev/70-siaga.rules": "usr/lib/udev/rules.d/70-siaga.rules",
    }.items():
        assert layer.place(ROOT / source) == to


def test_all_that_is_bound_to_the_data_partition_is_made_before_it_is_bound() -> None:
    fstab = (ROOT / "image-build/root/etc/fstab").read_text()
    bound = re.findall(r"^/data/(\S+)\s+/(\S+)", fstab, re.MULTILINE)
    made = re.search(r"for folder in (.*); do", (ROOT / "image-build/root/usr/libexec/siaga/mount-data").read_text())
    assert made
    for source, to in bound:
        assert source in made[1].split()
        assert to in layer.MOUNT_POINTS or to == "var/log/journal"


def test_the_images_tests_know_where_the_partitions_begin() -> None:
    text = (ROOT / "tests/image/card.py").read_text()
    starts = (part.start for part in (layout.BOOT, layout.ROOTS[0], layout.DATA))
    said = ", ".join(f"{start} * MIB" for start in starts)
    assert f"BOOT_START, ROOT_START, DATA_START = {said}" in text

"""A dead card replaced by last night's backup from a stick, step by step as docs/backup.md tells a technician."""

import subprocess
from pathlib import Path

import pytest

from tests.image.boards import missing
from tests.image.box import SIREN, SLOW, Box
from tests.image.card import Image

STICK_MB = 256
HALF_OF_A_PERSON = 240.0  # s, of ten minutes: to find card, stick and code, to swap the card and to type


@pytest.fixture
def image() -> Image:
    found = Image.newest("virt")
    if why := missing(found):
        pytest.skip(why)
    assert found
    return found


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    path = tmp_path / "stick.img"
    with path.open("wb") as file:
        file.truncate(STICK_MB * 1024**2)
    subprocess.run(["mkfs.vfat", "-n", "SIAGA-STICK", str(path)], check=True, capture_output=True)
    return path


def box(image: Image, stick: Path, folder: Path, *, set_up: bool) -> Box:
    """Without power, with the stick in its socket."""
    folder.mkdir()
    made = Box(folder.name, image, folder, set_up=set_up)
    made.machine.add_stick(stick)
    return made


def test_a_new_card_is_the_old_box_again(image: Image, stick: Path, tmp_path: Path) -> None:
    with box(image, stick, tmp_path / "dying-card", set_up=True).running() as old:
        old.ready()
        run = old.machine.run
        code = run("runuser -u siaga-core -- siaga backup code", code=0).split("\n")[0].strip()
        alert = old.order(20)
        run("siaga alert stop", code=0)
        key = run("sha256sum /data/siaga/own.key").split()[0]
        run("systemctl start siaga-backup", SLOW, code=0)
        made = run("journalctl --no-pager -b -u siaga-backup -o cat")
        assert "on the stick" in made, made

    with box(image, stick, tmp_path / "new-card", set_up=False).running() as new:
        new.machine.log_in(SLOW)
        prompt = new.machine.power()
        run = new.machine.run
        run("mount -o ro /dev/disk/by-label/SIAGA-STICK /mnt", code=0)
        run(f"echo '{code}' | siaga backup restore /mnt/siaga-*.tar.gz --code -", SLOW, code=0)
        run("umount /mnt", code=0)
        new.machine.restart()
        new.ready()
        whole = new.machine.power()
        new.note("seconds from power on to the prompt", round(prompt, 1))
        new.note("seconds from power on to the page of the restored box", round(whole, 1))
        assert run("sha256sum /data/siaga/own.key").split()[0] == key
        run("siaga journal verify", code=0)
        assert new.journal(alert)
        new.order(60)
        new.until_level(SIREN, 1)
        run("siaga alert stop", code=0)
        assert b"<html" in new.page()
        new.note("of ten minutes, with four for a person's hands", round((whole + HALF_OF_A_PERSON) / 600, 2))

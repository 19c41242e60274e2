"""The image on a Raspberry Pi that QEMU knows, a Pi 3: no firmware, but the Pi's own GPIO, watchdog and SD card."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.boards import missing, raspi3b
from tests.image.box import SLOW
from tests.image.card import Card, Image
from tests.image.machine import Machine

CARD = 4 * 1024**3  # QEMU's SD cards are powers of two


@pytest.fixture(params=["pi4", "virt"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    image = Image.newest(request.param)
    if why := missing(image):
        pytest.skip(f"{request.param}: {why}")
    assert image
    card = Card(image, tmp_path / "card.img", size=CARD)
    made = Machine(f"raspi3b-{request.param}", raspi3b(image, card, tmp_path), network=False)
    with made.running(console=1):
        yield made


def test_a_pi_sees_its_gpio_its_watchdog_and_its_card(machine: Machine) -> None:
    machine.log_in(SLOW)
    run = machine.run
    assert "Raspberry Pi 3" in run("tr -d '\\0' < /proc/device-tree/model")
    chips = run("gpiodetect")
    assert "[pinctrl-bcm2835] (54 lines)" in chips, chips
    assert run("readlink /dev/siaga/header").strip() in ("../gpiochip0", "../gpiochip1")
    assert "Broadcom BCM2835 Watchdog" in run("cat /sys/class/watchdog/watchdog0/identity")
    assert "mmcblk0p4" in run("findmnt --noheadings --output SOURCE /data")
    assert "appliance.toml" in run("journalctl --no-pager -b -u siaga-first-boot"), (
        "it says what is missing on the card"
    )

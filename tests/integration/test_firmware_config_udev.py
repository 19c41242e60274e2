"""udev's own program gives names to devices of a /sys made for it, by the rules that a box has."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.namespaces import inside, needs
from tests.integration.usb_tree import PI5_FIRST, PI5_SECOND, UsbTree

RULES = Path(__file__).resolve().parents[2] / "firmware-config" / "udev"
GPIO = 64990  # a group's number that nobody has; on a box sysusers makes the group
# /sys is ours, rules are ours and the system's, and what is made goes nowhere.
TEST = f"""
grep -v ^gpio: /etc/group > "$1/group"; echo gpio:x:{GPIO}: >> "$1/group"; mount --bind "$1/group" /etc/group
mount --bind "$1" /sys
for folder in /etc/udev /run/udev /dev; do test ! -d $folder || mount -t tmpfs none $folder; done
mkdir -p /etc/udev/rules.d /run/udev && cp "$2"/*.rules /etc/udev/rules.d/ && : > /dev/null
udevadm test --action=add "$3"
"""
QUECTEL, SIMCOM, HUAWEI, FTDI, CH340, HEADSET = (
    ("2c7c", "0125"), ("1e0e", "9001"), ("12d1", "1506"), ("0403", "6001"), ("1a86", "7523"), ("0d8c", "0014"),
)  # fmt: skip

pytestmark = needs("udevadm", "udev")


@pytest.fixture
def tree(tmp_path: Path) -> UsbTree:
    (tmp_path / "sys").mkdir()
    return UsbTree(tmp_path / "sys")


@pytest.fixture
def told(tree: UsbTree, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[list[str], str]]:
    """What udev does with a device: its names below /dev/siaga, and all that it said."""
    monkeypatch.setenv("SYSTEMD_DEVICE_VERIFY_SYSFS", "0")  # our /sys is a folder

    def ask(device: str) -> tuple[list[str], str]:
        said = inside(TEST, "--mount", arguments=(tree.root, RULES, device))
        text = said.stdout + said.stderr
        assert said.returncode == 0, text
        wrong = [line for line in text.splitlines() if "70-siaga" in line and ("nvalid" in line or "gnor" in line)]
        assert not wrong
        links = re.search(r"^ *DEVLINKS=(.*)$", text, flags=re.MULTILINE)
        return [link for link in (links[1].split() if links else ()) if link.startswith("/dev/siaga/")], text

    return ask


Told = Callable[[str], tuple[list[str], str]]


def written(said: str, attribute: str) -> list[str]:
    """What udev writes into files of /sys of this name, in the words of old and of new versions."""
    return re.findall(rf"/{attribute}['}}](?: writing '|=\")([^'\"]*)", said)


@pytest.mark.parametrize(
    ("what", "interface", "name"),
    [
        (QUECTEL, "00", None),
        (QUECTEL, "01", "modem-2-pcm"),
        (QUECTEL, "02", "modem-2-at"),
        (QUECTEL, "03", None),
        (SIMCOM, "02", "modem-2-at"),
        (SIMCOM, "04", "modem-2-pcm"),
        (HUAWEI, "01", "modem-2-pcm"),
        (HUAWEI, "02", "modem-2-at"),
        (FTDI, "00", "rs485-2"),
        (CH340, "00", "rs485-2"),
        (HEADSET, "00", None),
    ],
)
def test_a_port_is_named_by_what_it_is_for_and_by_its_socket(
    tree: UsbTree, told: Told, what: tuple[str, str], interface: str, name: str | None
) -> None:
    port = tree.port(tree.plug("1.2", *what), interface, "ttyUSB2")
    names, said = told(port)
    assert names == ([f"/dev/siaga/{name}"] if name else [])
    assert "ID_MM_PORT_IGNORE=1" in said


def test_two_modems_of_one_make_have_two_names_also_behind_a_powered_hub(tree: UsbTree, told: Told) -> None:
    one = tree.port(tree.plug("1.3.1", *QUECTEL), "02", "ttyUSB2")
    other = tree.port(tree.plug("1.3.4", *QUECTEL), "02", "ttyUSB6")
    assert told(one)[0] == ["/dev/siaga/modem-3.1-at"]
    assert told(other)[0] == ["/dev/siaga/modem-3.4-at"]


@pytest.mark.parametrize(
    ("root", "at", "place"),
    [
        (PI5_FIRST, "1", "1"),
        (PI5_FIRST, "2.1", "2.1"),
        (PI5_SECOND, "1", "3"),
        (PI5_SECOND, "2", "4"),
        (PI5_SECOND, "2.1", "4.1"),
    ],
)
def test_a_pi_5s_two_controllers_share_no_name(tree: UsbTree, told: Told, root: str, at: str, place: str) -> None:
    port = tree.port(tree.plug(at, *SIMCOM, root=root), "02", "ttyUSB2")
    assert told(port)[0] == [f"/dev/siaga/modem-{place}-at"]


def test_modem_manager_keeps_off_every_device(tree: UsbTree, told: Told) -> None:
    assert "ID_MM_DEVICE_IGNORE=1" in told(f"/sys/{tree.plug('1.2', *QUECTEL)}")[1]


@pytest.mark.parametrize(("place", "card"), [("1.2", "usb_2"), ("1.4.3", "usb_4_3"), ("1.3.4.1", "usb_3_4_1")])
def test_a_sound_card_is_known_by_its_socket(tree: UsbTree, told: Told, place: str, card: str) -> None:
    said = told(tree.card(tree.plug(place, *HEADSET), 3))[1]
    assert written(said, "id") == [card]


def test_a_card_that_is_no_usb_card_keeps_its_name(tree: UsbTree, told: Told) -> None:
    said = told(tree.device("devices/platform/soc/hdmi/sound/card0", "sound", id="vc4hdmi0"))[1]
    assert written(said, "id") == []


def test_an_ftdi_adapter_does_not_hold_an_answer_back(tree: UsbTree, told: Told) -> None:
    port = tree.port(tree.plug("1.2", *FTDI), "00", "ttyUSB0", driver="ftdi_sio")
    adapter = port.rpartition("/tty/")[0]
    (tree.root / adapter.removeprefix("/sys/") / "latency_timer").write_text("16\n")
    assert written(told(adapter)[1], "latency_timer") == ["1"]


def test_each_place_has_a_card_in_alsas_file_and_each_card_there_a_place() -> None:
    table = (RULES / "69-siaga-places.rules").read_text()
    rows = re.findall(r'SIAGA_AT}=="(\S+)", ENV{SIAGA_PLACE}="(\S+)", ENV{SIAGA_CARD}="(\S+)"', table)
    assert len(rows) == 36 + 36 + 18
    for at, place, card in rows:
        assert at in (place, f"1.{place}", f"{int(place[0]) - 2}{place[1:]}")
        assert card == f"usb_{place.replace('.', '_')}"
    cards = re.findall(r"^pcm\.(\S+)_card ", (RULES.parent / "audio" / "asound.conf").read_text(), flags=re.MULTILINE)
    assert {card for _, _, card in rows} == set(cards)


@pytest.mark.parametrize(
    ("chip", "header"), [("brcm,bcm2711-gpio", True), ("raspberrypi,rp1-gpio", True), ("brcm,brcmstb-gpio", False)]
)
def test_the_headers_pins_have_a_name_and_the_annunciators_group(
    tree: UsbTree, told: Told, chip: str, header: bool
) -> None:
    device = tree.device(
        "devices/platform/soc/gpio/gpiochip4", "gpio",
        event=f"MAJOR=254\nMINOR=4\nDEVNAME=gpiochip4\nOF_COMPATIBLE_0={chip}\nOF_COMPATIBLE_N=1\n",
    )  # fmt: skip
    names, said = told(device)
    assert names == (["/dev/siaga/header"] if header else [])
    assert re.search(rf"GROUP\W+(gpio\()?{GPIO}", said), said


def test_in_a_test_of_the_image_a_simulated_chip_stands_for_the_header(tree: UsbTree, told: Told) -> None:
    event = "MAJOR=254\nMINOR=1\nDEVNAME=gpiochip1\n"
    assert told(tree.device("devices/platform/gpio-sim.0/gpiochip1", "gpio", event=event))[0] == ["/dev/siaga/header"]


def test_udev_finds_nothing_to_say_about_the_rules() -> None:
    said = inside('udevadm verify --help >/dev/null 2>&1 || exit 77; udevadm verify "$1"', "--mount", arguments=[RULES])
    if said.returncode == 77:
        pytest.skip("this udevadm has no `verify`: it came with systemd 254")
    assert said.returncode == 0, said.stdout + said.stderr

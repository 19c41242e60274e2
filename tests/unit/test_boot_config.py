"""config.txt, read as strictly as the firmware is lax: it passes over what it does not know, and nobody is told."""

import re
from pathlib import Path

import pytest

from appliance import boot_pins
from appliance.annunciator_config import HIGH_AT_RESET, AnnunciatorConfig, InputConfig, OutputConfig, load
from appliance.cli import main

ROOT = Path(__file__).resolve().parents[2]
BOOT = ROOT / "firmware-config" / "boot"
CONFIG = BOOT / "config.txt"
SITES = sorted((ROOT / "firmware-config" / "sites").glob("*/*.toml"))
FILTERS = {"all": {"pi4", "pi5"}, "pi4": {"pi4"}, "pi5": {"pi5"}}
# Settings as Raspberry Pi's documentation of config.txt has them, and what may stand behind "=".
SETTINGS = {
    "arm_64bit": "[01]", "upstream_kernel": "[01]", "disable_splash": "[01]", "boot_delay": r"\d+",
    "force_eeprom_read": "[01]", "enable_uart": "[01]", "kernel": r"[\w.-]+", "dtoverlay": r"[\w-]+",
    "gpio": r"\d+(-\d+)?(,\d+(-\d+)?)*=(ip,p[udn]|op,d[hl])",
}  # fmt: skip
INITRAMFS = re.compile(r"initramfs [\w.-]+ followkernel")  # the one setting without "="


def settings(board: str, text: str) -> list[tuple[str, str]]:
    """What counts for this board, in its order. Asserts that each line can be understood."""
    counts, found = FILTERS["all"], []
    for number, line in enumerate(text.splitlines(), 1):
        assert len(line.encode()) <= boot_pins.LONGEST_LINE or line.startswith("#"), f"line {number} is too long"
        assert line.isascii(), f"line {number}: a letter that the firmware does not know"
        assert line == line.strip(), f"line {number}: a space at its begin or end"
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            counts = FILTERS[line.removeprefix("[").removesuffix("]")]
            continue
        if INITRAMFS.fullmatch(line):
            name, value = "initramfs", line.split(" ", 1)[1]
        else:
            name, _, value = line.partition("=")
            assert re.fullmatch(SETTINGS[name], value), f"line {number}: {line}"
        if board in counts:
            found.append((name, value))
    return found


def pins(board: str, text: str) -> dict[int, str]:
    """Each pin's state before Linux; what comes later counts."""
    states: dict[int, str] = {}
    for value in (value for name, value in settings(board, text) if name == "gpio"):
        ranges, _, state = value.partition("=")
        for one in ranges.split(","):
            first, _, last = one.partition("-")
            states |= dict.fromkeys(range(int(first), int(last or first) + 1), state)
    return states


@pytest.mark.parametrize("board", ["pi4", "pi5"])
def test_every_line_is_understood_and_nothing_is_said_twice(board: str) -> None:
    said = [name for name, _ in settings(board, CONFIG.read_text()) if name not in ("gpio", "dtoverlay")]
    assert len(said) == len(set(said))
    assert {"arm_64bit", "kernel", "disable_splash"} <= set(said)


def test_each_board_has_its_own_way_to_linux() -> None:
    four, five = (dict(settings(board, CONFIG.read_text())) for board in ("pi4", "pi5"))
    assert four["kernel"] == "u-boot.bin"
    assert "initramfs" not in four
    assert five["kernel"] == "vmlinuz"
    assert "initramfs" in five
    assert four["enable_uart"] == "1"  # U-Boot's console, and the clock that the port counts by


@pytest.mark.parametrize("board", ["pi4", "pi5"])
@pytest.mark.parametrize("site", SITES, ids=lambda site: f"{site.parent.name}-{site.stem}")
def test_no_relay_of_a_reference_site_is_left_to_chance(board: str, site: Path) -> None:
    states = pins(board, CONFIG.read_text())
    outputs = load(site).output
    assert outputs
    for name, output in outputs.items():
        assert states[output.pin] == ("op,dl" if output.active_high else "op,dh"), name


def test_the_lines_are_those_that_the_reference_sites_give() -> None:
    text = CONFIG.read_text()
    assert boot_pins.placed(text, boot_pins.lines(*(load(site) for site in SITES))) == text


def test_what_nobody_drives_stays_as_at_power_on_and_the_clocks_and_the_consoles_pins_are_not_named() -> None:
    states = pins("pi4", CONFIG.read_text())
    for pin, state in states.items():
        assert state == "op,dl" or state == ("ip,pu" if pin in HIGH_AT_RESET else "ip,pd")
    assert set(range(4, 28)) - set(states) == {14, 15}
    assert not {0, 1, 2, 3} & set(states)


def wired(**outputs: OutputConfig) -> AnnunciatorConfig:
    return AnnunciatorConfig("/run/a.sock", "mock", output=outputs, input={"door": InputConfig(14, "contact")})


def test_a_relay_that_is_on_when_low_is_held_high_and_a_contact_on_the_consoles_pin_is_named() -> None:
    lines = boot_pins.lines(wired(stove=OutputConfig(7, "stove", active_high=False), siren=OutputConfig(21, "siren")))
    assert "gpio=7=op,dh" in lines
    assert "gpio=21=op,dl" in lines
    assert pins("pi4", "\n".join(lines))[14] == "ip,pd"


def test_many_scattered_pins_are_cut_into_lines_that_the_firmware_reads_whole() -> None:
    every_second = {f"o{pin}": OutputConfig(pin, "light") for pin in range(2, 28, 2)}
    others = {f"p{pin}": OutputConfig(pin, "stove", active_high=False) for pin in range(3, 28, 2)}
    text = "\n".join(boot_pins.lines(wired(**every_second, **others)))
    states = pins("pi5", text)
    assert {pin for pin, state in states.items() if state == "op,dl"} == set(range(2, 28, 2))
    assert {pin for pin, state in states.items() if state == "op,dh"} == set(range(3, 28, 2))


def test_a_site_of_its_own_is_put_into_the_file_and_a_file_without_marks_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "config.txt"
    target.write_text(CONFIG.read_text())
    site = tmp_path / "site.toml"
    site.write_text((ROOT / "firmware-config/sites/demo/centre.toml").read_text().replace("pin = 17", "pin = 21"))
    assert main(["config", "pins", str(site)]) == 0
    shown = capsys.readouterr().out
    assert main(["config", "pins", str(site), "--into", str(target)]) == 0
    assert shown in target.read_text()
    assert pins("pi4", target.read_text())[21] == "op,dl"
    assert pins("pi4", target.read_text())[17] == "ip,pd"
    target.write_text("arm_64bit=1\n")
    assert main(["config", "pins", str(site), "--into", str(target)]) == 1
    assert target.read_text() == "arm_64bit=1\n"
    assert "pins: begin" in capsys.readouterr().err


def test_the_kernels_line_is_one_line_and_each_of_its_words_has_a_reason() -> None:
    text = (BOOT / "cmdline.txt").read_text()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    reasons = (BOOT / "README.md").read_text()
    explained = re.findall(r"^\| `([^`]+)` \|", reasons, flags=re.MULTILINE)
    assert text.split() == [word for entry in explained for word in entry.split()]
    assert not re.search(r"\b(root|console)=", text)  # the image's, of each slot and profile

"""Device-tree overlays, compiled by dtc and laid over a Pi's device tree by fdtoverlay, as the firmware does it.

The trees beside this file have what the overlays touch; where Debian's own are on this machine, those are taken too.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = sorted((ROOT / "firmware-config" / "overlays").glob("*.dts"))
CONFIG = ROOT / "firmware-config" / "boot" / "config.txt"
EXCERPTS = Path(__file__).parent / "device_trees"
DEBIANS = {"pi4": "bcm2711-rpi-4-b.dtb", "pi5": "bcm2712-rpi-5-b.dtb"}
I2C1 = {
    "pi4": "/soc/i2c@7e804000",
    "pi5": "/axi/pcie@1000120000/pci@0,0/dev@0,0/pci-ep-bus@1/i2c@40074000",
}
SOC = {"pi4": "/soc", "pi5": "/soc@107c000000"}
OFF = {"pi4": ("mmc@7e300000", "serial@7e201000"), "pi5": ("mmc@1100000", "serial@7d50c000")}  # WLAN, Bluetooth
WATCHDOG = {"pi4": "watchdog@7e100000", "pi5": "watchdog@7d200000"}
CONSOLE = {"pi4": "serial@7e215040", "pi5": "serial@7d001000"}
CARD = {"pi4": "/emmc2-bus@fe000000/mmc@7e340000", "pi5": "/soc@107c000000/mmc@fff000"}

pytestmark = pytest.mark.skipif(
    not (shutil.which("dtc") and shutil.which("fdtoverlay")),
    reason="dtc is not installed (apt-get install device-tree-compiler)",
)


def run(*command: str | Path) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stderr}"
    assert not done.stderr, done.stderr  # dtc's warnings are errors here
    return done.stdout.strip()


def compiled(source: Path, folder: Path, *options: str) -> Path:
    target = folder / f"{source.stem}.dtbo"
    run("dtc", "-@", *options, "-I", "dts", "-O", "dtb", "-o", target, source)
    return target


def debians(board: str) -> list[Path]:
    """Debian's tree for this board, of each kernel on this machine."""
    places = ("/usr/lib/modules/*/dtb/broadcom", "/usr/lib/linux-image-*/broadcom")
    return [file for place in places for file in sorted(Path("/").glob(f"{place[1:]}/{DEBIANS[board]}"))]


@pytest.fixture(params=["pi4", "pi5"])
def board(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def laid(board: str, tmp_path: Path) -> list[Path]:
    """The board's trees with all its overlays on."""
    overlays = [compiled(file, tmp_path) for file in OVERLAYS if file.stem.endswith(board)]
    # An excerpt has units without their "reg", as it needs none.
    bases = [compiled(EXCERPTS / f"{board}.dts", tmp_path, "-q"), *debians(board)]
    trees = []
    for number, base in enumerate(bases):
        run("fdtoverlay", "-i", base, "-o", tmp_path / f"{number}.dtb", *overlays)
        trees.append(tmp_path / f"{number}.dtb")
    return trees


def test_the_battery_clock_is_on_the_headers_i2c(laid: list[Path], board: str) -> None:
    for tree in laid:
        assert run("fdtget", tree, f"{I2C1[board]}/rtc@68", "compatible") == "maxim,ds3231"
        assert run("fdtget", "-tx", tree, f"{I2C1[board]}/rtc@68", "reg") == "68"
        assert run("fdtget", tree, I2C1[board], "status") == "okay"


@pytest.mark.parametrize("board", ["pi5"], indirect=True)
def test_a_pi_5_takes_gpio_2_and_3_for_it(laid: list[Path], board: str) -> None:
    for tree in laid:
        group = f"{I2C1[board].rsplit('/', 1)[0]}/pinctrl@400d0000/siaga-i2c1-state"
        assert run("fdtget", tree, group, "pins") == "gpio2 gpio3"
        assert run("fdtget", tree, group, "function") == "i2c1"
        assert run("fdtget", "-tu", tree, group, "phandle") == run("fdtget", "-tu", tree, I2C1[board], "pinctrl-0")


def test_radios_are_off_and_card_and_console_are_not(laid: list[Path], board: str) -> None:
    for tree in laid:
        for node in OFF[board]:
            assert run("fdtget", tree, f"{SOC[board]}/{node}", "status") == "disabled"
        assert run("fdtget", "-d", "okay", tree, CARD[board], "status") == "okay"
        assert run("fdtget", "-d", "okay", tree, f"{SOC[board]}/{CONSOLE[board]}", "status") == "okay"


def test_the_watchdog_needs_no_overlay(laid: list[Path], board: str) -> None:
    for tree in laid:
        watchdog = f"{SOC[board]}/{WATCHDOG[board]}"
        assert "brcm,bcm2835-pm-wdt" in run("fdtget", tree, watchdog, "compatible")
        assert run("fdtget", "-d", "okay", tree, watchdog, "status") == "okay"


@pytest.mark.parametrize("board", ["pi4"], indirect=True)
def test_hdmi_has_no_sound(laid: list[Path], board: str) -> None:
    for tree in laid:
        for node in ("hdmi@7ef00700", "hdmi@7ef05700"):
            assert run("fdtget", tree, f"{SOC[board]}/{node}", "dmas") == ""
            assert run("fdtget", tree, f"{SOC[board]}/{node}", "status") == "okay"


def test_each_overlay_is_asked_for_and_each_that_is_asked_for_is_there() -> None:
    asked = [line.partition("=")[2] for line in CONFIG.read_text().splitlines() if line.startswith("dtoverlay=")]
    assert sorted(asked) == [file.stem for file in OVERLAYS]


def test_each_overlay_says_its_board_and_why(tmp_path: Path) -> None:
    chips = {"pi4": "brcm,bcm2711", "pi5": "brcm,bcm2712"}
    for file in OVERLAYS:
        assert run("fdtget", compiled(file, tmp_path), "/", "compatible") == chips[file.stem.rpartition("-")[2]]
        assert file.read_text().startswith("// ")

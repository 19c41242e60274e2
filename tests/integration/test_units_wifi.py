"""The radio's unit under a real systemd: begun only where the first boot wrote its file, able to work in its cage.

There is no radio here: wpa_supplicant runs on the loopback, as on a cable. The rest is what a box has.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.first_boot_file import Wifi
from appliance.first_boot_run import RADIO
from appliance.first_boot_system import wifi_file, wifi_key
from tests.units_box import USR, UnitsBox, active, booted, wait_for, why_not

UNIT = "siaga-wifi.service"
PROGRAM = "/usr/sbin/wpa_supplicant"
ON_LOOPBACK = f"[Service]\nExecStart=\nExecStart={PROGRAM} -i lo -D wired -c /run/siaga/{RADIO}\n"
WIFI = Wifi('kantor "a" \\ 2', "sangat-rahasia")  # a name that no quotes could carry

pytestmark = pytest.mark.skipif(
    shutil.which("wpa_supplicant") is None and not (USR / "sbin/wpa_supplicant").exists(),
    reason="wpa_supplicant is not installed (apt-get install wpasupplicant)",
)
needs_box = pytest.mark.skipif(bool(why_not()), reason=why_not())


def test_wpa_supplicants_own_parser_reads_what_the_first_boot_writes(tmp_path: Path) -> None:
    def said(text: str) -> str:
        file = tmp_path / "wpa.conf"
        file.write_text(text.replace("/run/wpa_supplicant", str(tmp_path / "ctrl")))
        command = [PROGRAM, "-dd", "-K", "-D", "wired", "-i", "nowhere0", "-c", str(file)]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout

    good = said(wifi_file(WIFI, wifi_key(WIFI)))
    assert "country='ID'" in good
    assert WIFI.ssid.encode().hex(" ") in good
    assert "Failed to read or parse" not in good
    assert bytes.fromhex(wifi_key(WIFI)).hex(" ")[:47] in good
    wrong = said(wifi_file(WIFI, wifi_key(WIFI)).replace("\tpsk=", "\tpks="))
    assert "unknown network field 'pks'" in wrong, "it would have complained"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnitsBox]:
    with booted(tmp_path_factory.mktemp("wifi"), ()) as box:
        unit = box.root / "etc/systemd/system" / UNIT
        lines = unit.read_text().splitlines(keepends=True)
        unit.write_text("".join(line for line in lines if "wlan0.device" not in line))
        box.drop_in(UNIT, ON_LOOPBACK)
        yield box


@needs_box
def test_it_runs_only_where_its_file_is_and_its_socket_is_roots_alone(box: UnitsBox) -> None:
    box.systemctl("start", UNIT)
    assert (box.show(UNIT)["ActiveState"], box.show(UNIT)["ConditionResult"]) == ("inactive", "no")
    write = f"umask 077; mkdir -p /run/siaga/wifi; cat > /run/siaga/{RADIO}"
    assert box.run("sh", "-c", write, input=wifi_file(WIFI, wifi_key(WIFI))).returncode == 0
    box.systemctl("start", UNIT)
    wait_for(lambda: "lo" in box.run("ls", "/run/wpa_supplicant").stdout.split(), within=20,
             why=lambda: box.journal("-u", UNIT))  # fmt: skip
    assert active(box, UNIT)
    assert box.show(UNIT)["NRestarts"] == "0"
    assert box.run("stat", "-c", "%U %a", "/run/wpa_supplicant").stdout.split() == ["root", "700"]
    said = "\n".join(str(row["MESSAGE"]) for row in box.journal("-u", UNIT))
    assert "not permitted" not in said.lower()
    assert wifi_key(WIFI) not in said
    assert WIFI.password not in said
    box.systemctl("stop", UNIT)
    assert box.show(UNIT)["Result"] == "success"


def test_the_radio_itself_begins_it_and_no_other_unit_waits_for_one() -> None:
    folder = Path(__file__).resolve().parents[2] / "systemd"
    text = (folder / UNIT).read_text()
    assert "WantedBy=sys-subsystem-net-devices-wlan0.device\n" in text
    assert "BindsTo=sys-subsystem-net-devices-wlan0.device\n" in text
    assert f"ConditionPathExists=/run/siaga/{RADIO}\n" in text
    for other in (*folder.glob("*.service"), *folder.glob("*.target"), *folder.glob("*.timer")):
        assert other.name == UNIT or "wlan0" not in other.read_text(), other

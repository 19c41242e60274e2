"""What the first boot writes is read by the programs that it is for: chronyd, ssh-keygen, systemd-networkd."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from boot_card import APPLIANCE, PASSWORD, PIN, Card

from appliance.first_boot_file import read
from appliance.first_boot_system import network_files, wifi_file, wifi_key


def told(*command: str | Path) -> str:
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_chronyd_reads_the_time_servers(tmp_path: Path) -> None:
    card = Card(tmp_path)
    card.start()
    (tmp_path / "chrony.conf").write_text(f"sourcedir {card.run.parent}/chrony-dhcp\n")
    said = told("chronyd", "-p", "-f", tmp_path / "chrony.conf")
    assert "sourcedir" in said
    lines = (card.run.parent / "chrony-dhcp/siaga.sources").read_text().splitlines()[1:]
    (tmp_path / "flat.conf").write_text("\n".join(lines) + "\n")  # -p does not print what a source directory holds
    assert told("chronyd", "-p", "-f", tmp_path / "flat.conf").splitlines() == lines
    assert lines == ["server 192.168.112.1 iburst", "server pool.example.org iburst"]


def test_ssh_reads_the_host_key_that_the_box_made(tmp_path: Path) -> None:
    card = Card(tmp_path)
    card.start()
    private = told("ssh-keygen", "-y", "-f", card.data / "ssh/ssh_host_ed25519_key")
    public = (card.data / "ssh/ssh_host_ed25519_key.pub").read_text()
    assert private.split()[:2] == public.split()[:2]
    assert "ED25519" in told("ssh-keygen", "-l", "-f", card.data / "ssh/ssh_host_ed25519_key.pub")


def test_the_wifi_key_is_that_of_the_standard() -> None:
    """IEEE 802.11i, H.4.3, test case 1."""
    wifi = read(APPLIANCE.encode()).wifi
    assert wifi is not None
    known = type(wifi)("IEEE", "password")
    key = "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
    assert wifi_key(known) == key
    assert "password" not in wifi_file(known, key)


@pytest.mark.parametrize(
    ("change", "file", "has"),
    [
        (("", ""), "10-siaga.network", "Gateway=192.168.112.1"),
        (
            ('address = "192.168.112.11/24"\ngateway = "192.168.112.1"\n', ""),
            "10-siaga.network",
            "ClientIdentifier=mac",
        ),
        (("[network]\n", "[network]\nvlan = 112\n"), "10-siaga-vlan.netdev", "Id=112"),
        (("[network]\n", "[network]\nvlan = 112\n"), "11-siaga-vlan.network", "Address=192.168.112.11/24"),
        (("[network]\n", "[network]\nvlan = 112\n"), "10-siaga.network", "VLAN=siaga0"),
        (("", ""), "20-siaga-wifi.network", "RouteMetric=2048"),
    ],
)
def test_networkd_gets_what_the_file_says(change: tuple[str, str], file: str, has: str) -> None:
    files = network_files(read(APPLIANCE.replace(*change).encode()))
    assert has in files[file].splitlines()
    for text in files.values():
        assert all(re.fullmatch(r"#.*|\[\w+\]|\w+=.*|", line) for line in text.splitlines())


def test_without_a_good_file_every_wired_port_asks_by_dhcp() -> None:
    assert list(network_files(None)) == ["10-siaga.network"]
    assert "DHCP=yes" in network_files(None)["10-siaga.network"]


NETWORKD = Path("/lib/systemd/systemd-networkd")
COMPLAINT = re.compile(r"^.*\.(?:network|netdev):\d+: .*$", re.MULTILINE)
# In a network and a /run of its own, where it finds nothing to set up and ends by the signal of `timeout`.
ALONE = """mount -t tmpfs none /run && mkdir -p /run/systemd/netif && cp -r "$1" /run/systemd/network &&
chmod -R a+rX /run/systemd &&
SYSTEMD_LOG_LEVEL=debug timeout 1 "$2" 2>&1; true"""


def networkd_says(folder: Path) -> str:
    command = ["unshare", "--net", "--mount", "sh", "-c", ALONE, "sh", str(folder), str(NETWORKD)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    if "state file" not in done.stdout:
        pytest.skip(f"networkd cannot run here: {(done.stdout + done.stderr)[-200:]}")
    return done.stdout


@pytest.mark.skipif(not NETWORKD.exists(), reason="systemd-networkd is not installed")
def test_networkd_has_nothing_to_complain_of(tmp_path: Path) -> None:
    told_ = read(APPLIANCE.replace("[network]\n", "[network]\nvlan = 112\n").encode())
    for name, text in {
        **network_files(told_),
        "12-siaga-dhcp.network": network_files(None)["10-siaga.network"],
    }.items():
        (tmp_path / name).write_text(text)
    said = networkd_says(tmp_path)
    assert 'siaga0: loaded "vlan"' in said
    assert COMPLAINT.findall(said) == []
    (tmp_path / "13-wrong.network").write_text("[Match]\nName=eth9\n[Network]\nAdress=1.2.3.4\n")
    assert len(COMPLAINT.findall(networkd_says(tmp_path))) == 1, "it would have complained"


READ_ONLY = """mkdir -p "$1/fat" && mount -t tmpfs none "$1/fat" && cp "$1"/boot/* "$1/fat/" &&
mount -o remount,ro "$1/fat" &&
"$2" -m appliance.cli first-boot --boot "$1/fat" --data "$1/data" --run "$1/run/siaga" && cat "$1"/fat/* &&
! touch "$1/fat/x" 2>/dev/null"""


def test_a_read_only_partition_is_writable_only_for_the_moment(tmp_path: Path) -> None:
    Card(tmp_path)
    if os.geteuid() or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("nobody may mount here")
    command = ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", str(tmp_path), sys.executable]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "appliance.toml is taken over." in done.stdout
    assert "siaga-keys-1:" in done.stdout
    assert PASSWORD not in done.stdout
    assert PIN not in done.stdout

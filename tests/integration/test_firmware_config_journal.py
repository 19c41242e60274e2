"""What the box tells journald, the kernel and ALSA, each loaded by the program that it is for."""

import ctypes
import ctypes.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.audio.sound_cards import Device, named
from tests.integration.namespaces import inside, needs

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware-config"
SYSCTL = FIRMWARE / "sysctl" / "90-siaga.conf"
ASOUND = FIRMWARE / "audio" / "asound.conf"
STOCK = Path("/usr/share/alsa/alsa.conf")
JOURNALD = Path("/lib/systemd/systemd-journald")
# A journald of a namespace of its own, with nothing of this machine: it says what it thinks of its file, and ends.
LISTEN = f"""
for folder in /run /var/log /etc/systemd; do mount -t tmpfs none $folder; done
mkdir -p /run/systemd /run/log /var/log/journal "/etc/systemd/journald@siaga.conf.d"
cp "$1" "/etc/systemd/journald@siaga.conf.d/"
SYSTEMD_LOG_TARGET=console SYSTEMD_LOG_LEVEL=debug {JOURNALD} siaga > /run/said 2>&1 & journald=$!
for try in $(seq 200); do ! grep -q "running as PID" /run/said || break; sleep 0.1; done
kill $journald; wait $journald || true
cat /run/said; ls /var/log/journal
"""


@pytest.mark.skipif(not JOURNALD.exists(), reason="systemd-journald is not installed (apt-get install systemd)")
def test_journald_takes_every_line_writes_to_the_disk_and_knows_its_bound() -> None:
    said = inside(LISTEN, "--mount", arguments=[FIRMWARE / "journald" / "siaga.conf"]).stdout
    assert "running as PID" in said, said
    assert not [line for line in said.splitlines() if "siaga.conf:" in line]  # "Unknown key", "Failed to parse"
    assert "max_use=256.0M max_size=16.0M" in said
    assert "keep_free=512.0M" in said
    assert said.splitlines()[-1].endswith(".siaga")  # the folder that it made in /var/log/journal


def settings() -> dict[str, str]:
    lines = (line for line in SYSCTL.read_text().splitlines() if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}


@needs("sysctl", "procps")
def test_sysctl_reads_every_line_as_it_stands() -> None:
    said = subprocess.run(
        ["/sbin/sysctl", "--dry-run", "--load", str(SYSCTL)], capture_output=True, text=True, check=False, timeout=10
    )
    if "unrecognized option" in said.stderr:
        pytest.skip("this sysctl has no --dry-run: it came with procps 4")
    read = dict(line.split(" = ", 1) for line in said.stdout.splitlines())
    absent = set(re.findall(r"/proc/sys/(\S+):", said.stderr))  # a container's kernel hides some
    assert read == {name: value for name, value in settings().items() if name.replace(".", "/") not in absent}
    assert len(read) > 20


def test_no_setting_of_the_kernel_stands_twice() -> None:
    assert len(settings()) == sum("=" in line for line in SYSCTL.read_text().splitlines() if not line.startswith("#"))


def names() -> list[str]:
    return re.findall(r"^pcm\.(\S+) ", ASOUND.read_text(), flags=re.MULTILINE)


ASK = """
import ctypes, sys
alsa, handle = ctypes.CDLL(sys.argv[1]), ctypes.c_void_p()
for name in sys.argv[2:]:
    alsa.snd_pcm_open(ctypes.byref(handle), name.encode(), 0, 1)
"""


@pytest.mark.skipif(not STOCK.exists(), reason="ALSA's own settings are not here (apt-get install libasound2-data)")
def test_alsa_looks_for_the_card_of_each_socket() -> None:
    library = ctypes.util.find_library("asound")
    if library is None:
        pytest.skip("ALSA's library is not installed (apt-get install libasound2)")
    said = subprocess.run(
        [sys.executable, "-c", ASK, library, *names(), "usb_9_9_card"],
        env={**os.environ, "ALSA_CONFIG_PATH": f"{STOCK}:{ASOUND}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stderr
    wanted = {name.removesuffix("_card") for name in names()}
    assert set(re.findall(r"Cannot get card index for (\S+)", said)) == wanted
    assert re.findall(r"Unknown PCM (\S+)", said) == ["usb_9_9_card"]


def test_a_card_that_is_away_is_never_another_one() -> None:
    cards = names()
    assert len(cards) == len(set(cards)) > 30
    for away in cards:
        there = [Device(number, name, 1, 1) for number, name in enumerate(cards) if name != away]
        assert named(there, away, Device.hears) is None
        assert len(away.removesuffix("_card")) <= 15  # the kernel's longest id of a card

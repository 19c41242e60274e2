"""systemd's units, read by systemd's own tool, and what processes tell it."""

import asyncio
import configparser
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers import notify

UNITS = Path(__file__).resolve().parents[2] / "systemd"
ONCE = "siaga-broker-keys.service"  # runs when the broker's list of users changes, and ends
SERVICES = sorted(unit for unit in UNITS.glob("siaga-*.service") if unit.name != ONCE)
INSTALLED = "/opt/siaga/.venv/bin"


def read(unit: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str
    parser.read_string(unit.read_text())
    return parser


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_to_say_about_the_units(tmp_path: Path) -> None:
    for unit in (f for f in UNITS.iterdir() if f.suffix != ".md"):
        (tmp_path / unit.name).write_text(unit.read_text().replace(INSTALLED, str(Path(sys.executable).parent)))
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(file) for file in sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    # What else is installed on this machine is not ours to judge. Unknown keys are only said, with exit code 0.
    ours = [line for line in said.stderr.splitlines() if str(tmp_path) in line or "siaga" in line]
    assert ours == []
    assert said.returncode == 0


def test_every_service_is_watched_and_starts_again_for_ever() -> None:
    names = ("annunciator", "audio", "core", "web")
    assert [unit.name for unit in SERVICES] == [f"siaga-{name}.service" for name in names]
    for unit in SERVICES:
        parser = read(unit)
        assert parser["Service"]["Type"] == "notify", unit.name
        assert int(parser["Service"]["WatchdogSec"]) <= 15, unit.name
        assert parser["Service"]["Restart"] == "always", unit.name
        assert parser["Unit"]["StartLimitIntervalSec"] == "0", unit.name
        assert parser["Service"]["ExecStart"].startswith(INSTALLED), unit.name
        assert unit.name in read(UNITS / "siaga.target")["Unit"]["Wants"]


def test_nothing_pulls_the_annunciator_down_with_it() -> None:
    unit = read(UNITS / "siaga-annunciator.service")["Unit"]
    assert not {"Requires", "BindsTo", "PartOf", "Requisite", "After"} & set(unit)
    for other in SERVICES[1:]:
        assert not {"Requires", "BindsTo", "Requisite", "Conflicts"} & set(read(other)["Unit"]), other.name


def test_no_two_units_remove_each_others_sockets() -> None:
    kept = [read(unit)["Service"].get("RuntimeDirectory") for unit in SERVICES]
    kept = [folder for folder in kept if folder]
    assert len(set(kept)) == len(kept)
    assert "siaga" not in kept  # systemd would remove it with everything beneath


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def heard(systemd: socket.socket) -> list[str]:
    lines: list[str] = []
    while True:
        try:
            lines.append(systemd.recv(4096).decode())
        except BlockingIOError:
            return lines


@pytest.mark.parametrize("library", [True, False])
def test_the_same_is_told_with_and_without_systemds_library(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch, library: bool
) -> None:
    if not library:
        monkeypatch.setattr(notify, "sd_notify", None)
    elif notify.sd_notify is None:
        pytest.skip("systemd-python is not installed")
    assert notify.ready("two lines")
    assert notify.stopping()
    assert heard(systemd) == ["READY=1\nSTATUS=two lines", "STOPPING=1"]


@pytest.mark.parametrize("library", [True, False])
def test_a_supervisor_that_is_gone_or_never_was_harms_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: bool
) -> None:
    if not library:
        monkeypatch.setattr(notify, "sd_notify", None)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify.ready()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    assert not notify.ready()


async def test_the_watchdog_is_fed_while_the_loop_turns_and_starves_when_it_stands(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "150000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    feeding = asyncio.create_task(notify.watchdog())
    await asyncio.sleep(0.3)
    assert len(heard(systemd)) >= 3
    time.sleep(0.3)  # noqa: ASYNC251  # this is the loop that stands still
    assert heard(systemd) == []
    feeding.cancel()


async def test_a_watchdog_meant_for_another_process_is_not_fed(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid() + 1))
    feeding = asyncio.create_task(notify.watchdog())
    await asyncio.sleep(0.1)
    assert not feeding.done()
    assert heard(systemd) == []
    feeding.cancel()

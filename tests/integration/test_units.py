"""systemd's units, read by systemd's own tool, and what processes tell it."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.cli import COMMANDS
from drivers import notify

UNITS = Path(__file__).resolve().parents[2] / "systemd"
SERVICES = [UNITS / f"siaga-{name}.service" for name in ("annunciator", "audio", "core", "web")]  # that always run
INSTALLED = "/opt/siaga/.venv/bin"
NEW_IN_254 = ("RestartSteps", "RestartMaxDelaySec")  # Debian 12 has 252, which says so and goes on without
NOT_HERE = ("/usr/bin/cage", "/usr/bin/chromium")  # what this machine need not have
# The most that `systemd-analyze security` may find, of 10: what a unit can do once somebody has taken it over.
EXPOSED = {
    "siaga-annunciator.service": 0.8,
    "siaga-audio.service": 0.9,
    "siaga-core.service": 1.7,
    "siaga-web.service": 1.5,
    "siaga-backup.service": 1.3,
    "siaga-fault-lamp.service": 1.0,
    "siaga-fault-page.service": 1.6,
    "siaga-wifi.service": 2.4,
    "siaga-steady.service": 3.2,
    "siaga-broker-keys.service": 3.6,
    "siaga-time-restore.service": 3.9,
    "siaga-time-save.service": 4.0,
    "siaga-kiosk-reload.service": 4.0,
    "siaga-kiosk.service": 4.6,
    "siaga-first-boot.service": 4.9,
    "siaga-self-test.service": 4.9,
    "siaga-mark-good.service": 5.1,
}
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


def units() -> list[Path]:
    return sorted(f for f in UNITS.iterdir() if f.is_file() and f.suffix != ".md")


def read(unit: Path) -> dict[str, dict[str, list[str]]]:
    """Section, key, and every value that was given; an empty one takes back what stands before it."""
    read: dict[str, dict[str, list[str]]] = {}
    section = read.setdefault("", {})
    for line in unit.read_text().splitlines():
        if line.startswith("["):
            section = read.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return read


def one(unit: Path, section: str, key: str) -> str:
    (value,) = read(unit)[section][key]
    return value


def words(unit: Path, key: str) -> set[str]:
    return {word for value in read(unit)["Unit"].get(key, []) for word in value.split()}


@needs_systemd
def test_systemd_finds_nothing_to_say_about_the_units(tmp_path: Path) -> None:
    for unit in units():
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
    if systemd_version() < 254:
        known = [line for line in ours if "Unknown key" in line and any(f"'{key}'" in line for key in NEW_IN_254)]
        assert len(known) == 2 * 3  # a warning, no more: core, audio, web
        ours = [line for line in ours if line not in known]
    missing = [line for line in ours if "is not executable" in line and any(name in line for name in NOT_HERE)]
    assert [line for line in ours if line not in missing] == []
    assert said.returncode == (1 if missing else 0)


def systemd_version() -> int:
    return int(
        subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    )


@needs_systemd
@pytest.mark.parametrize("unit", sorted(EXPOSED))
def test_a_unit_can_do_no_more_than_it_needs(unit: str) -> None:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(UNITS / unit)],
        capture_output=True, text=True, check=False, timeout=30, env=os.environ | {"SYSTEMD_COLORS": "0"},
    )  # fmt: skip
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said.stdout)
    assert found, said
    assert float(found[1]) <= EXPOSED[unit]


def test_every_service_has_its_bound_and_stands_in_the_documents() -> None:
    told = (UNITS / "README.md").read_text()
    assert sorted(unit.name for unit in UNITS.glob("*.service")) == sorted(EXPOSED)
    assert [unit.name for unit in units() if f"`{unit.name}`" not in told] == []
    for unit, most in EXPOSED.items():
        row = next(line for line in told.splitlines() if line.startswith(f"| `{unit}`"))
        assert float(row.split("|")[-2]) <= most, row  # what the documents say


@needs_systemd
@pytest.mark.parametrize("timer", sorted(unit.name for unit in UNITS.glob("*.timer")))
def test_a_timer_has_its_service_and_times_that_systemd_reads(timer: str) -> None:
    assert (UNITS / timer).with_suffix(".service").exists()
    for spec in read(UNITS / timer)["Timer"].get("OnCalendar", []):
        done = subprocess.run(["systemd-analyze", "calendar", spec], capture_output=True, check=False, timeout=10)
        assert done.returncode == 0, spec


def test_every_program_that_a_unit_starts_is_one_that_there_is() -> None:
    for unit in UNITS.glob("*.service"):
        for value in read(unit)["Service"].get("ExecStart", []) + read(unit)["Service"].get("ExecCondition", []):
            program, *more = value.split()
            if program == f"{INSTALLED}/siaga":
                assert more[0] in COMMANDS, (unit.name, value)


def test_every_service_is_watched_and_starts_again_for_ever() -> None:
    for unit in SERVICES:
        assert one(unit, "Service", "Type") == "notify", unit.name
        assert int(one(unit, "Service", "WatchdogSec")) <= 15, unit.name
        assert int(one(unit, "Service", "TimeoutAbortSec")) <= 2, unit.name
        assert one(unit, "Service", "LimitCORE") == "0", unit.name
        assert one(unit, "Service", "Restart") == "always", unit.name
        assert one(unit, "Unit", "StartLimitIntervalSec") == "0", unit.name
        assert one(unit, "Service", "ExecStart").startswith(INSTALLED), unit.name
        assert unit.name in words(UNITS / "siaga.target", "Wants")


def test_only_the_annunciator_has_no_backoff() -> None:
    annunciator, *others = SERVICES
    assert "RestartMaxDelaySec" not in read(annunciator)["Service"]
    for unit in others:
        assert int(one(unit, "Service", "RestartMaxDelaySec").removesuffix("s")) <= 30, unit.name
        assert unit.name in one(UNITS / "siaga-steady.service", "Service", "ExecStart")  # its count begins anew


def test_nothing_pulls_the_annunciator_down_with_it() -> None:
    unit = SERVICES[0]
    assert not {"Requires", "BindsTo", "PartOf", "Requisite"} & set(read(unit)["Unit"])
    assert words(unit, "Conflicts") == {"shutdown.target"}
    assert one(unit, "Unit", "IgnoreOnIsolate") == "yes"
    for other in (unit for unit in units() if unit != SERVICES[0]):
        for strong in ("Requires", "BindsTo", "Requisite", "Conflicts", "PropagatesStopTo", "StopPropagatedFrom"):
            assert SERVICES[0].name not in words(other, strong), other.name


def test_the_annunciator_waits_for_nothing_slow() -> None:
    assert one(SERVICES[0], "Unit", "DefaultDependencies") == "no"
    assert words(SERVICES[0], "After") == {
        "systemd-remount-fs.service",
        "systemd-sysusers.service",
        "systemd-udev-trigger.service",
    }
    assert {unit.name for unit in SERVICES[1:]} <= words(SERVICES[0], "Before")
    assert "PrivateTmp" not in read(SERVICES[0])["Service"]  # would wait for systemd-tmpfiles-setup


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd-sysusers is not installed")
def test_every_user_and_group_of_a_unit_is_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    debian = "".join(f"g {name} -\n" for name in ("mosquitto", "dialout", "audio", "video", "render", "input"))
    folder = tmp_path / "etc/sysusers.d"
    folder.mkdir()
    (folder / "debian.conf").write_text(debian)
    shutil.copy(UNITS / "sysusers.d/siaga.conf", folder)
    done = subprocess.run(["systemd-sysusers", f"--root={tmp_path}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    users = {line.split(":")[0] for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    groups = {line.split(":")[0]: line.rpartition(":")[2] for line in (tmp_path / "etc/group").read_text().splitlines()}
    for unit in UNITS.glob("*.service"):
        service = read(unit)["Service"]
        assert set(service.get("User", [])) <= users, unit.name
        wanted = service.get("Group", []) + [g for v in service.get("SupplementaryGroups", []) for g in v.split()]
        assert set(wanted) <= set(groups), unit.name
    assert "siaga-annunciator" in groups["gpio"]
    assert groups["siaga"].split(",").count("siaga-kiosk") == 0  # the screen is a browser, and no more


@pytest.mark.skipif(shutil.which("systemd-tmpfiles") is None, reason="systemd-tmpfiles is not installed")
def test_every_line_of_the_temporary_files_is_understood(tmp_path: Path) -> None:
    text = (UNITS / "tmpfiles.d/siaga.conf").read_text().replace("siaga-core siaga ", "root root ")
    (tmp_path / "siaga.conf").write_text(text.replace("root       siaga", "root root"))
    done = subprocess.run(
        ["systemd-tmpfiles", f"--root={tmp_path}", "--create", str(tmp_path / "siaga.conf")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "run/siaga/stick").is_dir()


def test_no_two_units_remove_each_others_sockets() -> None:
    beside = [unit for unit in UNITS.glob("*.service") if unit.name != "siaga-fault-lamp.service"]
    kept = [folder for unit in beside for folder in read(unit)["Service"].get("RuntimeDirectory", [])]
    assert len(set(kept)) == len(kept)
    assert "siaga" not in kept  # systemd would remove it with everything beneath
    # The fault lamp's annunciator stands in the place of the real one, never beside it.
    lamp = UNITS / "siaga-fault-lamp.service"
    assert "!/etc/siaga/site.toml" in read(lamp)["Unit"]["ConditionPathExists"]
    assert one(lamp, "Service", "RuntimeDirectoryPreserve") == "yes"


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

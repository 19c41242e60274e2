"""chronyd with the box's own settings: it takes them, the networks' time sets a clock, and stations are answered."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.chrony_sock import ChronySock
from tests.integration.namespaces import needs

CHRONY = Path(__file__).resolve().parents[2] / "firmware-config" / "chrony"
UNITS = (Path("/usr/lib/systemd/system/chrony.service"), Path("/lib/systemd/system/chrony.service"))
PATIENCE = 20.0  # s
OFFSET = 0.25  # s that the box's clock is told to be slow
EVERY = 1.1  # s between two words of a network, where a box has them by the hour

pytestmark = [needs("chronyd", "chrony"), needs("chronyc", "chrony")]


def daemon(*options: str) -> list[str]:
    return [shutil.which("chronyd") or "/usr/sbin/chronyd", *options]


def settings(folder: Path, *more: str) -> Path:
    """The box's file with its paths below `folder`, and a poll each second."""
    text = (CHRONY / "chrony.conf").read_text()
    for theirs, ours in (("/run/chrony-dhcp", "/dhcp"), ("/run/", "/"), ("/var/lib/chrony", "")):
        assert theirs in text
        text = text.replace(theirs, f"{folder}{ours}")
    assert " poll 6 " in text
    config = folder / "chrony.conf"
    config.write_text("\n".join([text.replace(" poll 6 ", " poll 0 "), *more, ""]))
    return config


def test_chronyd_takes_every_line() -> None:
    done = subprocess.run(
        daemon("-p", "-f", str(CHRONY / "chrony.conf")), capture_output=True, text=True, check=False, timeout=10
    )
    assert done.returncode == 0, done.stderr
    said = [line for line in (CHRONY / "chrony.conf").read_text().splitlines() if line and not line.startswith("#")]
    assert done.stdout.splitlines() == said


@pytest.fixture
def asked() -> Iterator[tuple[Path, Callable[..., str]]]:
    """A chronyd that never touches the clock, and a way to ask it."""
    folder = Path(tempfile.mkdtemp(prefix="chrony-"))  # chronyd wants a folder that nobody else may enter
    (folder / "dhcp").mkdir()
    with socket.socket(type=socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = "root" if os.geteuid() == 0 else str(Path("/proc/self").owner())
    config = settings(
        folder, f"port {port}", f"bindcmdaddress {folder}/cmd.sock", f"pidfile {folder}/pid", "allow 127.0.0.1"
    )
    process = subprocess.Popen(
        daemon("-U", "-x", "-d", "-u", user, "-f", str(config)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    def ask(*command: str) -> str:
        done = subprocess.run(
            ["chronyc", "-h", str(folder / "cmd.sock"), "-c", *command], capture_output=True, text=True, timeout=10
        )
        return done.stdout.strip()

    (folder / "port").write_text(str(port))
    try:
        yield folder, ask
    finally:
        process.terminate()
        process.communicate(timeout=10)
        shutil.rmtree(folder)


def test_three_words_of_a_network_set_the_clock_and_a_station_is_told_the_time(
    asked: tuple[Path, Callable[..., str]],
) -> None:
    folder, ask = asked
    sender = ChronySock(folder / "chrony.siaga.sock")
    deadline = time.monotonic() + PATIENCE
    while not (source := ask("sources")).startswith("#,*,GSM,"):
        assert time.monotonic() < deadline, f"never chosen: {source}"
        sender.send(time.time(), OFFSET)
        time.sleep(EVERY)
    assert source.split(",")[3] == "10"  # a stratum that every server on the network wins against
    answer = station_asks(int((folder / "port").read_text()))
    assert answer[0] >> 6 != 3  # it knows the time
    assert answer[1] == 11


def test_a_centre_that_does_not_know_the_time_tells_none(asked: tuple[Path, Callable[..., str]]) -> None:
    folder, ask = asked
    deadline = time.monotonic() + PATIENCE
    while "GSM" not in ask("sources"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    answer = station_asks(int((folder / "port").read_text()))
    assert answer[0] >> 6 == 3
    assert answer[1] == 0


def test_servers_come_from_the_file_that_the_first_start_writes(asked: tuple[Path, Callable[..., str]]) -> None:
    folder, ask = asked
    deadline = time.monotonic() + PATIENCE
    while "GSM" not in ask("sources"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (folder / "dhcp" / "siaga.sources").write_text("server 127.0.0.77 iburst\n")
    ask("reload", "sources")
    assert "127.0.0.77" in ask("sources")


def test_its_socket_is_roots_alone_and_the_drop_in_gives_it_to_cores_group(
    asked: tuple[Path, Callable[..., str]],
) -> None:
    folder, ask = asked
    deadline = time.monotonic() + PATIENCE
    while "GSM" not in ask("sources"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    made = (folder / "chrony.siaga.sock").stat()
    assert not made.st_mode & 0o022  # this is why there is a drop-in
    commands = [line.split("=-+", 1)[1] for line in (CHRONY / "service.conf").read_text().splitlines() if "=-+" in line]
    assert len(commands) == 2
    own = f"{os.getegid()}"
    for command in commands:
        words = command.replace("/run/", f"{folder}/").replace(" siaga ", f" {own} ").split()
        subprocess.run(words, check=True, timeout=10)
    assert (folder / "chrony.siaga.sock").stat().st_mode & 0o777 == 0o660


@needs("systemd-analyze", "systemd")
def test_systemd_takes_the_drop_in(tmp_path: Path) -> None:
    debians = next((unit for unit in UNITS if unit.exists()), None)
    if debians is None:
        pytest.skip("chrony.service is not here")
    shutil.copy(debians, tmp_path / "chrony.service")
    (tmp_path / "chrony.service.d").mkdir()
    shutil.copy(CHRONY / "service.conf", tmp_path / "chrony.service.d" / "siaga.conf")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "chrony.service")],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert not [line for line in done.stderr.splitlines() if str(tmp_path) in line or "siaga.conf" in line], done.stderr


def station_asks(port: int) -> bytes:
    """One question of NTP (RFC 5905), as a station's chronyd asks its centre."""
    with socket.socket(type=socket.SOCK_DGRAM) as ours:
        ours.settimeout(PATIENCE)
        ours.sendto(bytes([0x23]) + bytes(47), ("127.0.0.1", port))
        return ours.recv(256)

"""The networks' time handed to a real chronyd, which runs by itself, without the clock in its hands."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.chrony_sock import ChronySock

PATIENCE = 15.0  # s
OFFSET = 0.25  # s that the box's clock is told to be slow

chronyd = pytest.mark.skipif(
    not (shutil.which("chronyd") or Path("/usr/sbin/chronyd").exists()) or not shutil.which("chronyc"),
    reason="chrony is not installed (apt-get install chrony)",
)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Path]:
    """A chronyd in the foreground with a folder of its own; `-x`: it never touches the clock."""
    config = tmp_path / "chrony.conf"
    config.write_text(
        f"refclock SOCK {tmp_path}/siaga.sock refid GSM precision 0.5 poll 0\n"
        f"bindcmdaddress {tmp_path}/cmd.sock\ncmdport 0\nport 0\npidfile {tmp_path}/pid\n"
    )
    command = [shutil.which("chronyd") or "/usr/sbin/chronyd", "-x", "-d", "-u", "root", "-f", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield tmp_path
    finally:
        process.terminate()
        process.communicate(timeout=10)


@chronyd
def test_a_real_chronyd_takes_the_networks_time_and_names_it_a_source(running: Path) -> None:
    sender = ChronySock(running / "siaga.sock")
    deadline = time.monotonic() + PATIENCE
    seen = ""
    while time.monotonic() < deadline:
        sender.send(time.time(), OFFSET)
        asked = subprocess.run(
            ["chronyc", "-h", str(running / "cmd.sock"), "-c", "sources"], capture_output=True, text=True, timeout=10
        )
        seen = asked.stdout.strip() or asked.stderr
        fields = seen.split(",")
        # mode # (a reference clock), name, stratum, poll, reach (octal), age, offset as last measured
        if len(fields) > 7 and fields[0] == "#" and fields[5] not in ("0", ""):
            assert fields[2] == "GSM"
            assert abs(abs(float(fields[8])) - OFFSET) < 0.1 or abs(abs(float(fields[7])) - OFFSET) < 0.1, seen
            return
        time.sleep(0.3)
    pytest.fail(f"chronyd did not take it: {seen}")

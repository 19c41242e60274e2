"""The simulated mobile network as a process, used by gammu, which knows nothing of it."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from modem_world import ROOT, A, B, config_in

from drivers.clock import Clock
from drivers.sim.knobs import turn

SPEED = 20.0


@contextmanager
def process(folder: Path, speed: float = SPEED) -> Iterator["subprocess.Popen[str]"]:
    (folder / "config.json").write_bytes(msgspec.json.encode(config_in(folder)))
    command = [sys.executable, "-m", "drivers.sim.mobile"]
    command += ["--config", str(folder / "config.json"), "--knobs", str(folder / "knobs")]
    environment = {**os.environ, **Clock(speed).environment()}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "ready\n"
            yield running
        finally:
            running.send_signal(signal.SIGTERM)
            assert running.wait(10) == 0


def gammu(folder: Path, modem: str, *words: str, by_line: bool = False) -> "subprocess.Popen[str]":
    rc = folder / f"{modem}.gammurc"
    rc.write_text(f"[gammu]\ndevice = {folder / modem}\nconnection = at115200\n")
    command = [*(["stdbuf", "-oL"] if by_line else []), "gammu", "-c", str(rc), *words]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def said_by(*running: "subprocess.Popen[str]") -> list[str]:
    try:
        said = [program.communicate(timeout=60)[0] for program in running]
    finally:
        for program in running:
            program.kill()
    assert [program.returncode for program in running] == [0] * len(running), said
    return said


needs_gammu = pytest.mark.skipif(shutil.which("gammu") is None, reason="gammu is not installed")


@needs_gammu
def test_gammu_knows_a_modem_and_two_write_to_each_other(tmp_path: Path) -> None:
    long = "Laporan pos damkar [Baguala] ~ 100% siap; " * 5
    knobs = tmp_path / "knobs"
    with process(tmp_path):
        asyncio.run(turn(knobs, "sms.from", number="BMKG", text="Gempa 🌊" * 20, to="simcom"))
        asyncio.run(arrived(knobs, {"simcom": 3}))
        # One sends after the other: gammu waits for ever when a +CMTI comes inside an answer.
        identity, by_quectel = said_by(
            gammu(tmp_path, "spare", "--identify"),
            gammu(tmp_path, "quectel", "sendsms", "TEXT", B, "-autolen", "500", "-text", long),
        )
        asyncio.run(arrived(knobs, {"simcom": 5}))
        (by_simcom,) = said_by(
            gammu(tmp_path, "simcom", "sendsms", "TEXT", A, "-unicode", "-text", "Kebakaran 火 di Ambon 🔥")
        )
        asyncio.run(arrived(knobs, {"quectel": 1, "simcom": 5, "spare": 0}))
        quectel, simcom = said_by(gammu(tmp_path, "quectel", "geteachsms"), gammu(tmp_path, "simcom", "geteachsms"))
    assert "Manufacturer         : SIMCOM INCORPORATED" in identity
    assert "IMEI                 : 867698040000003" in identity
    assert by_quectel.count("OK, message reference=") == 2
    assert by_simcom.count("OK, message reference=") == 1
    assert f'Remote number        : "{B}"' in quectel
    assert "Kebakaran 火 di Ambon 🔥" in quectel
    assert f'Remote number        : "{A}"' in simcom
    assert long.strip() in simcom
    assert 'Remote number        : "BMKG"' in simcom
    assert "Gempa 🌊" * 20 in simcom


async def arrived(knobs: Path, wanted: dict[str, int]) -> None:
    stored: dict[str, int] = {}
    for _ in range(100):
        modems = (await turn(knobs, "status"))["modems"]
        stored = {name: sum(modems[name]["stored"].values()) for name in wanted}
        if stored == wanted:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"stored {stored}, wanted {wanted}")


def test_a_stopped_process_leaves_neither_ports_nor_socket(tmp_path: Path) -> None:
    with process(tmp_path):
        assert (tmp_path / "quectel").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json"]


def refused(folder: Path) -> str:
    """What a process says that cannot start."""
    command = [sys.executable, "-m", "drivers.sim.mobile"]
    command += ["--config", str(folder / "config.json"), "--knobs", str(folder / "knobs")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert said.returncode == 2
    assert "Traceback" not in said.stderr
    return said.stderr


def test_a_wrong_configuration_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"modems": [{"name": "m", "port": "p", "number": "1", "model": "sim900"}]}')
    said = refused(tmp_path)
    assert "sim900" in said
    assert "modems[0].model" in said


def test_a_port_path_that_is_a_file_is_refused_and_the_file_kept(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(msgspec.json.encode(config_in(tmp_path)))
    (tmp_path / "simcom").write_text("a file of mine")
    assert "simcom: is not a symlink; move it away" in refused(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "simcom"]

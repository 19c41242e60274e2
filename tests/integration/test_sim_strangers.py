"""Other people's programs use simulated modems as if they were real: each sends a message and receives one.

Which program shares a modem with none: daemons hold their port. ModemManager has a file of its own.
"""

import asyncio
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import serial
from modem_world import OLD, OUTSIDE, ROOT, STICK, B
from test_sim_mobile import arrived, gammu, needs_gammu, process, said_by

from drivers.sim.knobs import turn

PATIENCE_S = 60.0  # real seconds; the programs take 5 on an idle machine
FAR = "+6281377770000"


RIVALS = ROOT / "build" / "rivals" / "codec" / "bin"  # where `make bench-rivals` installs Python programs


def found(*names: str) -> str | None:
    """A program on the path, where daemons are, beside this Python, or among the bench's rivals."""
    places = f":/usr/sbin:{Path(sys.executable).parent}:{RIVALS}"
    return next((path for name in names if (path := shutil.which(name) or shutil.which(name, path=places))), None)


GAMMU_SMSD, SMSTOOLS, GSMMODEM = found("gammu-smsd"), found("smsd"), found("sendsms.py")


def turned(folder: Path, do: str, **args: Any) -> Any:
    return asyncio.run(turn(folder / "knobs", do, **args))


def wait_until(true: Callable[[], bool], why: Callable[[], str]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, why()
        time.sleep(0.05)


@contextmanager
def daemon(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            yield
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait(30)


def folders(base: Path, *names: str) -> list[Path]:
    made = [base / name for name in names]
    for folder in made:
        folder.mkdir()
    return made


def texts_in(folder: Path) -> str:
    return "".join(file.read_text(errors="replace") for file in sorted(folder.iterdir()))


@pytest.mark.skipif(GAMMU_SMSD is None, reason="gammu-smsd is not installed")
def test_gammus_daemon_sends_and_receives_through_a_quectel(tmp_path: Path) -> None:
    inbox, outbox, sent, failed = folders(tmp_path, "in", "out", "sent", "failed")
    rc, log = tmp_path / "smsdrc", tmp_path / "smsd.log"
    rc.write_text(
        f"[gammu]\ndevice = {tmp_path / 'quectel'}\nconnection = at115200\n"
        f"[smsd]\nservice = files\nlogfile = {log}\nchecksecurity = 0\n"
        "commtimeout = 1\nsendtimeout = 20\nreceivefrequency = 1\nstatusfrequency = 0\nloopsleep = 1\n"
        f"inboxpath = {inbox}/\noutboxpath = {outbox}/\nsentsmspath = {sent}/\nerrorsmspath = {failed}/\n"
    )
    (outbox / f"OUT{FAR}.txt").write_text("Posko siap")
    with process(tmp_path):
        turned(tmp_path, "sms.from", number=OUTSIDE, text="Kebakaran di Batu Merah", to="quectel")
        with daemon([str(GAMMU_SMSD), "-c", str(rc)]):
            wait_until(
                lambda: "Batu Merah" in texts_in(inbox) and any(sent.iterdir()),
                lambda: log.read_text() if log.exists() else "gammu-smsd never started",
            )
        (message,) = turned(tmp_path, "sms.outbox")
        assert (message["to"], message["text"]) == (FAR, "Posko siap")
    assert list(failed.iterdir()) == []


@pytest.mark.skipif(SMSTOOLS is None, reason="smstools is not installed")
def test_smstools_sends_and_receives_through_a_simcom(tmp_path: Path) -> None:
    inbox, outbox, sent, failed, checked = folders(tmp_path, "in", "out", "sent", "failed", "checked")
    conf, log = tmp_path / "smsd.conf", tmp_path / "smsd.log"
    conf.write_text(
        f"devices = GSM1\noutgoing = {outbox}\nchecked = {checked}\nincoming = {inbox}\nsent = {sent}\n"
        f"failed = {failed}\nlogfile = {log}\ninfofile = {tmp_path / 'working'}\npidfile = {tmp_path / 'pid'}\n"
        "loglevel = 7\ndelaytime = 1\nautosplit = 3\n"
        f"[GSM1]\ndevice = {tmp_path / 'simcom'}\nincoming = yes\nreport = no\nbaudrate = 115200\nrtscts = no\n"
    )
    (outbox / "message").write_text(f"To: {FAR.removeprefix('+')}\n\nPosko siap")
    with process(tmp_path):
        turned(tmp_path, "sms.from", number=OUTSIDE, text="Kebakaran di Batu Merah", to="simcom")
        with daemon([str(SMSTOOLS), "-t", "-c", str(conf)]):
            wait_until(
                lambda: "Batu Merah" in texts_in(inbox) and any(sent.iterdir()),
                lambda: log.read_text() if log.exists() else "smsd never started",
            )
        (message,) = turned(tmp_path, "sms.outbox")
        assert (message["to"], message["text"].strip()) == (FAR, "Posko siap")
    assert list(failed.iterdir()) == []


@pytest.mark.skipif(GSMMODEM is None, reason="python-gsmmodem-new is not installed; `make bench-rivals` does it")
def test_python_gsmmodem_sends_and_hears_that_the_message_arrived(tmp_path: Path) -> None:
    with process(tmp_path):
        command = [str(GSMMODEM), "-i", str(tmp_path / "sim800"), "-d", B, "Posko siap"]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert "Message sent and delivered OK." in ran.stdout, ran.stdout + ran.stderr
        asyncio.run(arrived(tmp_path / "knobs", {"simcom": 1}))


def still(port: Path) -> None:
    """A stick's signal reports are off, as gammu's users have them: it waits for ever when one falls into an answer."""
    with serial.Serial(str(port), timeout=PATIENCE_S) as opened:
        opened.write(b"AT^CURC=0\r")
        assert opened.read_until(b"OK\r\n").endswith(b"OK\r\n")


@needs_gammu
def test_an_old_module_and_a_stick_write_to_each_other_by_gammu(tmp_path: Path) -> None:
    with process(tmp_path):
        # One after the other: gammu waits for ever when a +CMTI comes inside an answer.
        still(tmp_path / "huawei")
        sent = said_by(gammu(tmp_path, "sim800", "sendsms", "TEXT", STICK, "-text", "dari modul"))
        asyncio.run(arrived(tmp_path / "knobs", {"huawei": 1}))
        sent += said_by(gammu(tmp_path, "huawei", "sendsms", "TEXT", OLD, "-unicode", "-text", "dari 火"))
        asyncio.run(arrived(tmp_path / "knobs", {"sim800": 1}))
        by_module, by_stick = said_by(gammu(tmp_path, "sim800", "geteachsms"), gammu(tmp_path, "huawei", "geteachsms"))
    assert all("OK, message reference=1" in said for said in sent)
    assert "dari 火" in by_module
    assert "dari modul" in by_stick


@needs_gammu
def test_gammu_packs_its_question_for_the_credit_and_unpacks_a_sticks_answer(tmp_path: Path) -> None:
    with process(tmp_path, speed=4.0):  # gammu waits for ever when OK and +CUSD come at once
        still(tmp_path / "huawei")
        asking = gammu(tmp_path, "huawei", "getussd", "*123#", by_line=True)
        deadline = threading.Timer(PATIENCE_S, asking.kill)
        deadline.start()
        assert asking.stdout is not None
        said = ""
        for line in asking.stdout:
            said += line
            if "Service reply" in line:
                break  # it would wait for more for ten seconds
        asking.send_signal(signal.SIGINT)
        asking.communicate(timeout=PATIENCE_S)
        deadline.cancel()
    assert "Pulsa Rp 25.000. Masa aktif s/d 31-12-2027" in said


@needs_gammu
def test_gammu_reads_through_a_torn_line_and_a_full_memory(tmp_path: Path) -> None:
    with process(tmp_path):
        turned(tmp_path, "sms.from", number=OUTSIDE, text="Kebakaran", to="quectel")
        asyncio.run(arrived(tmp_path / "knobs", {"quectel": 1}))
        turned(tmp_path, "modem.fill", name="quectel")
        turned(tmp_path, "modem.split", name="quectel")
        (said,) = said_by(gammu(tmp_path, "quectel", "geteachsms"))
    assert "Kebakaran" in said
    assert "50 SMS parts in 50 SMS sequences" in said

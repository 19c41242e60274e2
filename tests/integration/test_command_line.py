"""The command `siaga` as a person types it: it answers, or says what is wrong and what to do, with an exit code.

`run` starts the real command; `call` is the same main function in this process, where there are many to try.
"""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from running_demo import RunningDemo, siaga

from appliance.alert_events import OrderAccepted
from appliance.cli import COMMANDS, main
from appliance.cli_sim import WORDS
from appliance.demo_site import CENTRE, NODES
from appliance.journal_file import read_entries

ELSEWHERE = {k: v for k, v in os.environ.items() if k != "SIAGA_SITE"}
VERBS = {
    "journal": ("tail", "verify", "export"),
    "alert": ("sound", "stop", "list"),
    "config": ("check",),
    "power": ("status", "order", "orders", "record"),
    "alarms": ("list", "history", "codes", "ack", "shelve", "unshelve", "out", "in", "silence"),
    "modbus": ("scan", "probe", "dump", "replay", "watch"),
    "modem": ("list", "info", "doctor", "at", "ussd", "sms", "export", "replay"),
}
STORY = Path(__file__).parents[1] / "scenarios" / "text.toml"


@pytest.fixture(scope="module")
def demo() -> Iterator[RunningDemo]:
    demo = RunningDemo()
    try:
        yield demo.start()
    finally:
        demo.stop()


@pytest.fixture
def empty() -> Iterator[Path]:
    """A short folder in which no demo runs."""
    with tempfile.TemporaryDirectory(prefix="siaga-t-") as folder:
        yield Path(folder)


def run(*words: str | Path, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [siaga(), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        env=ELSEWHERE | (environment or {}),
        check=False,
    )


def call(capsys: pytest.CaptureFixture[str], *words: str | Path) -> subprocess.CompletedProcess[str]:
    capsys.readouterr()
    try:
        code = main([str(word) for word in words])
    except SystemExit as e:
        code = int(e.code or 0)
    out, err = capsys.readouterr()
    return subprocess.CompletedProcess(words, code, out, err)


def no(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    """It failed with `code`, in words for a person."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for text in said:
        assert text in done.stderr


# Help


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS), *((c, v) for c in VERBS for v in VERBS[c])])
def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    done = call(capsys, *words, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: siaga {' '.join(words)}".rstrip())


@pytest.mark.parametrize(
    "words",
    [
        (), ("dance",), ("journal",), ("journal", "tail", "-n", "-3"), ("alert", "sound"), ("power", "order", "genset"),
        ("alarms", "shelve", "genset.fuel_low", "genset", "481", "diesel is ordered"), ("modbus",),
    ],
)  # fmt: skip
def test_a_question_that_is_none_exits_2_and_shows_the_usage(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    no(call(capsys, *words), 2, "usage: siaga")


# Without a demo


@pytest.mark.parametrize("words", [("demo", "where"), ("sim", "mains", "off")])
def test_without_a_demo_it_says_how_to_start_one(empty: Path, words: tuple[str, ...]) -> None:
    no(run(words[0], "--folder", empty, *words[1:]), 1, f"No demo runs in {empty}", "Start one: siaga demo")


@pytest.mark.parametrize("words", [("status",), ("alert", "list"), ("journal", "tail")])
def test_without_a_node_it_says_how_to_name_one(empty: Path, words: tuple[str, ...]) -> None:
    no(run(*words, "--folder", empty), 2, f"No demo runs in {empty}", "siaga demo", "--config FILE")
    no(run(*words, "--config", empty / "none.toml"), 2, str(empty / "none.toml"), "give the path of a site file")
    no(run(*words, environment={"SIAGA_SITE": "/nowhere.toml"}), 2, "/nowhere.toml: cannot be read")


def test_a_node_whose_core_is_dead_is_named_with_what_to_do(empty: Path) -> None:
    file = Path(__file__).parents[2] / "firmware-config/sites/demo/damkar-kota.toml"
    copy = empty / "site.toml"
    copy.write_text(file.read_text())
    no(run("status", "--config", copy), 1, "nobody answers there", "Is core running?", "siaga demo", "systemctl")


def test_a_journal_that_is_not_there_or_none_or_empty_proves_nothing(empty: Path) -> None:
    wrong, blank = empty / "wrong.db", empty / "blank.db"
    wrong.write_bytes(b"no database at all" * 100)
    blank.touch()
    no(run("journal", "verify", "--file", empty / "none.db"), 1, "there is no such file", "--file")
    assert not (empty / "none.db").exists()
    no(run("journal", "verify", "--file", wrong), 1, "cannot be read as a journal")
    no(run("journal", "verify", "--file", blank), 1, "holds no rows")


def test_a_demo_that_cannot_start_says_why_and_leaves_nothing(empty: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        no(run("demo", "--folder", empty, "--port", port), 1, f"port {port}", "in use", "give another")
    no(run("demo", "--folder", empty / ("x" * 110)), 1, "too long for Unix sockets", "--folder")
    no(run("demo", "--folder", "/proc/nowhere"), 1, "/proc/nowhere", "--folder")
    no(run("demo", "--folder", empty, "--speed", "0"), 2, "speed 0.0 is not between")
    no(run("scenario", "--speed", "-1", STORY), 2, "speed -1.0 is not between")
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(empty) in " ".join(p.info["cmdline"] or ())]


# With a demo


def test_demo_where_tells_all_that_another_program_needs(demo: RunningDemo) -> None:
    where: dict[str, Any] = msgspec.json.decode(run("demo", "where", "--folder", demo.folder).stdout)
    assert where["page"].startswith("http://127.0.0.1:")
    assert where["password"]
    assert where["supervisor"] == demo.process.pid if demo.process else False
    assert set(where["nodes"]) == set(NODES)
    for node in where["nodes"].values():
        assert Path(node["site_file"]).is_file()
        assert (Path(node["state"]) / "journal.db").is_file()
        assert Path(node["control"]).is_socket()
    for tty in [m["tty"] for m in where["modems"].values()] + [where["genset"]["tty"]]:
        assert Path(tty).is_char_device()
    for place in (where["broker"], where["ups"]):
        socket.create_connection((place["host"], place["port"]), timeout=5).close()
    assert all(psutil.pid_exists(pid) for pid in where["processes"].values())
    assert all(Path(knob).is_socket() for knob in where["knobs"].values())


def test_a_second_demo_in_the_same_folder_says_that_one_runs(demo: RunningDemo) -> None:
    no(run("demo", "--folder", demo.folder, "--port", "0"), 1, "A demo runs already", demo.where["page"])
    assert run("status", "--folder", demo.folder).returncode == 0


def test_status_speaks_of_the_node_that_is_meant(demo: RunningDemo) -> None:
    assert "centre" in run("status", "--folder", demo.folder).stdout.splitlines()[0]
    assert "station" in run("status", "--folder", demo.folder, "--node", "damkar-kota").stdout.splitlines()[0]
    view = msgspec.json.decode(run("status", "--json", "--config", demo.where["nodes"][CENTRE]["site_file"]).stdout)
    assert view["id"] == CENTRE
    no(run("status", "--folder", demo.folder, "--node", "mars"), 2, "no node 'mars'", "damkar-kota")


def test_an_order_that_cannot_be_is_refused_in_words(demo: RunningDemo) -> None:
    at = ("--folder", demo.folder)
    no(run("alert", "sound", "mars", *at), 1, "There is no station mars", "damkar-kota")
    no(run("alert", "sound", "damkar-kota", "--seconds", "0", *at), 1, "0 s is not between")
    no(run("alert", "stop", "0000000000000000", *at), 1, "There is no alert", "Nothing was stopped")
    no(run("alert", "sound", "pusat", "--node", "damkar-kota", *at), 1, "it orders nobody")
    wrong = run("alert", "--user", "operator", "list", *at, environment={"SIAGA_PASSWORD": "wrong"})
    no(wrong, 1, "Name or password is wrong")


def test_an_order_is_given_followed_and_stopped(demo: RunningDemo) -> None:
    asyncio.run(demo.settle())
    at = ("--folder", demo.folder)
    password = {"SIAGA_PASSWORD": demo.where["password"]}
    sounded = run(
        "alert", "--user", "operator", "sound", "damkar-kota", "--incident", "fire", *at, environment=password
    )
    assert sounded.returncode == 0, sounded.stdout + sounded.stderr
    assert re.search(r"damkar-kota +(energised|proven) by mqtt", sounded.stdout)
    alert = sounded.stdout.split()[1]
    assert alert in run("alert", "list", *at).stdout
    assert alert in run("alert", "stop", *at).stdout
    assert f"alert.issued             {alert}" in run("journal", "tail", "-n", "50", *at).stdout
    assert "by operator" in run("journal", "tail", "-n", "50", *at).stdout
    taken = [e.event for e in read_entries(Path(demo.where["nodes"]["damkar-kota"]["state"]) / "journal.db")]
    assert [e.incident for e in taken if isinstance(e, OrderAccepted) and e.alert == alert][:1] == [1]


SAID = (
    "mains off", "mains on", "genset refuse", "genset obey", "genset mode manual", "genset mode auto", "ups test",
    "trunk dead", "trunk alive", "call from +628115550101", "call drop", "sms from +628115550101 halo",
    "net cut damkar-passo", "net restore damkar-passo", "modem mute pusat-l2", "modem unmute pusat-l2",
    "modem unplug pusat-l2", "modem plug pusat-l2", "broker stop", "broker start", "broker kill", "broker start",
    "process kill pusat/web", "process stop pusat/web", "process start pusat/web", "press damkar-kota acknowledge",
    "knob building bus.mute device=genset on=true", "knob building bus.mute device=genset on=false",
)  # fmt: skip


def test_each_word_of_sim_turns_its_knob(demo: RunningDemo, capsys: pytest.CaptureFixture[str]) -> None:
    for words in SAID:
        done = call(capsys, "sim", "--folder", demo.folder, *words.split())
        assert (done.returncode, done.stderr) == (0, ""), words
    assert {" ".join(pair) for pair in WORDS} <= {" ".join(words.split()[:2]) for words in SAID}


def test_words_that_sim_does_not_know_are_refused_with_what_there_is(
    demo: RunningDemo, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ("--folder", demo.folder)
    no(call(capsys, "sim", *at, "mains", "sideways"), 2, "Nothing is called 'mains sideways'", "siaga sim --help")
    no(call(capsys, "sim", *at, "mains", "off", "now"), 2, "takes nothing more")
    no(call(capsys, "sim", *at, "call", "from"), 2, "needs number")
    no(call(capsys, "sim", *at, "modem", "mute", "mars"), 1, "there is no modem 'mars'", "pusat-l1")
    no(call(capsys, "sim", *at, "press", "mars", "button"), 2, "There is no simulator 'mars/pins'", "damkar-kota/pins")
    no(call(capsys, "sim", *at, "press", "pusat", "nose"), 1, "there is no pin 'nose'", "alarm_button")
    no(call(capsys, "sim", *at, "process", "kill", "mars"), 1, "there is no process 'mars'", "pusat/core")
    no(call(capsys, "sim", *at, "knob", "building", "bus.dance"), 1, "There is no knob 'bus.dance'", "bus.mute")


# The journal


@pytest.fixture
def journal(demo: RunningDemo, empty: Path) -> Path:
    """A copy of the centre's journal, whose rows anybody may change."""
    copy = empty / "copy.db"
    with (
        contextlib.closing(sqlite3.connect(demo.site.journal(CENTRE))) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        target.executescript("DROP TRIGGER events_no_update; DROP TRIGGER events_no_delete;")
        target.execute("PRAGMA journal_mode=DELETE")
    return copy


def test_verify_proves_an_untouched_journal_and_export_gives_every_row(demo: RunningDemo, journal: Path) -> None:
    done = run("journal", "verify", "--file", journal)
    assert done.returncode == 0
    assert "unbroken. Head: " in done.stdout
    rows = [msgspec.json.decode(line) for line in run("journal", "export", "--file", journal).stdout.splitlines()]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[0]["kind"] == "system.started"
    assert rows[0]["body"]["role"] == "centre"
    assert done.stdout.strip().endswith(rows[-1]["hash"])
    last = run("journal", "export", "--after", str(len(rows) - 1), "--file", journal).stdout.splitlines()
    assert [msgspec.json.decode(line) for line in last] == rows[-1:]
    assert len(run("journal", "tail", "-n", "3", "--file", journal).stdout.splitlines()) == 3
    assert run("journal", "verify", "--folder", demo.folder).returncode == 0


@pytest.mark.parametrize(
    ("tampering", "row"),
    [
        ("UPDATE events SET body = replace(body, 'centre', 'centra') WHERE seq = 1", "Row 1 "),
        ("UPDATE events SET wall = wall + 60 WHERE seq = 5", "Row 5 "),
        ("UPDATE events SET actor = 'operator' WHERE seq = 4", "Row 4 "),
        ("UPDATE events SET kind = 'line.up', subject = 'l1' WHERE seq = 3", "Row 3 "),
        ("DELETE FROM events WHERE seq = 4", "Row 5 follows row 3"),
        ("DELETE FROM events WHERE seq < 4", "Row 4 follows row 0"),
        ("UPDATE events SET hash = prev WHERE seq = 4", "Row 4 "),
        ("UPDATE events SET seq = -1 WHERE seq = 4; UPDATE events SET seq = 4 WHERE seq = 5;"
         "UPDATE events SET seq = 5 WHERE seq = -1", "Row 4 "),
        ("UPDATE events SET wall = 'noon' WHERE seq = 5", "Row 5 "),
        ("UPDATE events SET body = x'ff00' WHERE seq = 5", "Row 5 "),
        ("UPDATE events SET cause = 'x' WHERE seq = 5", "Row 5 "),
    ],
)  # fmt: skip
def test_a_tampered_row_is_named(journal: Path, capsys: pytest.CaptureFixture[str], tampering: str, row: str) -> None:
    with contextlib.closing(sqlite3.connect(journal)) as db:
        db.executescript(tampering)
    no(call(capsys, "journal", "verify", "--file", journal), 1, row)


def test_tail_goes_on_as_rows_come(demo: RunningDemo) -> None:
    words = [siaga(), "journal", "tail", "-n", "1", "--follow", "--folder", str(demo.folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=ELSEWHERE) as tail:
        assert tail.stdout is not None
        tail.stdout.readline()
        run("sim", "--folder", demo.folder, "sms", "from", "+628115550101", "Api di pasar")
        assert any("Api di pasar" in line for line in iter(tail.stdout.readline, ""))
        tail.send_signal(signal.SIGINT)
        tail.stdout.read()
    assert tail.returncode == 130


# The end; that Ctrl-C leaves no process is also how each demo of these tests ends


def test_a_supervisor_that_is_killed_takes_all_with_it_and_its_folder_serves_again() -> None:
    demo = RunningDemo().start()
    try:
        assert any("mosquitto" in p.name() for p in demo.family)
        rows = demo.seq(CENTRE)
        assert demo.process
        demo.process.kill()
        demo.process.wait()
        assert demo.left() == []
        no(run("demo", "where", "--folder", demo.folder), 1, "No demo runs")
        (demo.folder / "where.json").unlink()
        demo.start()
        assert demo.seq(CENTRE) > rows
        assert run("journal", "verify", "--folder", demo.folder).returncode == 0
    finally:
        demo.stop()


@pytest.mark.parametrize("begun", [1, 8])
def test_ctrl_c_while_it_starts_leaves_no_process(empty: Path, begun: int) -> None:
    words = [siaga(), "demo", "--folder", str(empty), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as demo:
        deadline = time.monotonic() + 30.0
        family: list[psutil.Process] = []
        while len(family) < begun and time.monotonic() < deadline:
            family = psutil.Process(demo.pid).children(recursive=True)
        demo.send_signal(signal.SIGINT)
        _, said = demo.communicate(timeout=30)
    assert len(family) >= begun
    assert "Traceback" not in said
    assert not psutil.wait_procs(family, timeout=5)[1]
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(empty) in " ".join(p.info["cmdline"] or ())]

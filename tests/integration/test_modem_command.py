"""`siaga modem` as a technician types it, against a whole simulated site; and a recording taken out and replayed."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running_demo import RunningDemo

from appliance.cli import main
from appliance.people import set_password

L1, L2 = "l1", "l2"
ABROAD = "+62999000666"


@pytest.fixture(scope="module")
def demo() -> Iterator[RunningDemo]:
    demo = RunningDemo()
    try:
        yield demo.start()
    finally:
        demo.stop()


Typed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def modem(demo: RunningDemo, capsys: pytest.CaptureFixture[str]) -> Typed:
    def call(*words: str, user: str = "") -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        code = main(["modem", "--folder", str(demo.folder), *(("--user", user) if user else ()), *words])
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, out, err)

    return call


def sim(demo: RunningDemo, *words: str) -> None:
    assert main(["sim", "--folder", str(demo.folder), *words]) == 0


def until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline, f"never {what}"
        time.sleep(0.1)


@pytest.fixture
def ready(demo: RunningDemo, modem: Typed) -> None:
    until(lambda: modem("doctor").returncode == 0, "well")


def journal(demo: RunningDemo, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    main(["journal", "tail", "-n", "80", "--folder", str(demo.folder)])
    return capsys.readouterr()[0]


@pytest.mark.usefixtures("ready")
def test_list_and_info_say_what_each_line_is(modem: Typed) -> None:
    listed = modem("list").stdout.splitlines()
    assert [line.split()[:2] for line in listed] == [[L1, "registered,"], [L2, "registered,"]]
    assert "dBm" in listed[0]
    said = modem("info", L1).stdout
    assert all(word in said for word in ("port ", "modem ", "operator ", "4g", "home", "dBm", "last words", "AT+"))
    no_line = modem("info", "l9")
    assert (no_line.returncode, "Lines: l1, l2" in no_line.stderr) == (1, True)


@pytest.mark.usefixtures("ready")
def test_a_command_that_reads_is_asked_and_on_record(
    demo: RunningDemo, modem: Typed, capsys: pytest.CaptureFixture[str]
) -> None:
    done = modem("at", L1, "AT+CSQ")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("+CSQ: ")
    assert done.stdout.endswith("\nOK\n")
    assert "Quectel" in modem("at", L1, "ATI").stdout
    said = journal(demo, capsys)
    assert "modem.asked              l1" in said
    assert "AT+CSQ" in said
    refused = modem("at", L1, "AT+NOSUCH?")
    assert (refused.returncode, "AT+NOSUCH?: " in refused.stderr) == (1, True)


DANGEROUS = (
    "ATD112;", "ATD+6281234567890;", "AT+CPIN=1234", "AT+CFUN=0", "AT&F", "AT+CMGD=1,4", "ATA", "ATH", "AT+CHUP",
    "AT+CSQ;+CFUN=0", "ATE0+CMGD=1,4", "ATI;D112;", "AT+COPS=?", "AT+CMGS=20", "AT+CLIP?", "ATZ",
    'AT+CLCK="SC",1,"1"', "AT+IPR=9600", "AT+CSQ\rATD112;", "A/", "",
)  # fmt: skip


@pytest.mark.usefixtures("ready")
def test_a_command_that_does_something_is_refused_and_nothing_goes_out(
    demo: RunningDemo, modem: Typed, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in DANGEROUS:
        done = modem("at", L2, command)
        assert (done.returncode, "Nothing was done." in done.stderr) == (1, True), (command, done)
    for code in ("*21*0812345678#", "**21*0812345678#", "#21#", "**04*1234*4321*4321#", "112", "*888", "0812345678"):
        done = modem("ussd", L2, code)
        assert (done.returncode, "Nothing was done." in done.stderr) == (1, True), (code, done)
    for number in ("112", "+62112", "halo"):
        assert "Give a telephone's number" in modem("sms", L2, number, "x").stderr
    assert "Shorten it" in modem("sms", L2, ABROAD, "x" * 301).stderr
    assert "modem.asked              l2" not in journal(demo, capsys)


@pytest.mark.usefixtures("ready")
def test_the_credit_is_asked_in_each_coding(demo: RunningDemo, modem: Typed) -> None:
    for style in ("own", "ucs2", "ucs2_as_15", "packed", "text"):
        sim(demo, "knob", "mobile", "ussd.style", "name=pusat-l1", f"style={style}")
        done = modem("ussd", L1, "*888#")
        assert (done.returncode, done.stdout[:7]) == (0, "Pulsa R"), (style, done)
    sim(demo, "knob", "mobile", "ussd.style", "name=pusat-l1", "style=refused")
    refused = modem("ussd", L1, "*888#")
    assert (refused.returncode, "2G and 3G only" in refused.stderr) == (1, True)
    sim(demo, "knob", "mobile", "ussd.style", "name=pusat-l1", "style=own")


@pytest.mark.usefixtures("ready")
def test_a_text_goes_out_and_is_on_record(demo: RunningDemo, modem: Typed, capsys: pytest.CaptureFixture[str]) -> None:
    done = modem("sms", L1, ABROAD, "Halo dari pusat")
    assert (done.returncode, done.stdout) == (0, f"sent to {ABROAD} in 1 part\n"), done.stderr
    until(lambda: "sms.sent                 l1" in journal(demo, capsys), "on record")
    sim(demo, "knob", "mobile", "sms.outbox")
    assert "Halo dari pusat" in capsys.readouterr()[0]


@pytest.mark.usefixtures("ready")
def test_a_text_is_given_without_a_line_and_listed_with_its_end(
    demo: RunningDemo, capsys: pytest.CaptureFixture[str]
) -> None:
    def sms(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["sms", "--folder", str(demo.folder), *words])
        return code, *capsys.readouterr()

    code, out, err = sms("send", ABROAD, "Bawa tandu ke dermaga,\ndua orang", "--hours", "1")
    assert (code, f"to {ABROAD} in 1 part waits" in out) == (0, True), err
    wanted = [out.split()[0], "to", ABROAD, L1, "delivered", "Bawa", "tandu", "ke", "dermaga,", "dua", "orang"]
    until(lambda: wanted in [row.split()[2:] for row in sms("list")[1].splitlines()], "delivered")
    sim(demo, "knob", "mobile", "sms.from", f"number={ABROAD}", "to=pusat-l1", "text=sudah di sini")
    until(lambda: "from" in sms("list")[1].split(), "received")
    assert "sudah di sini" in sms("list", "-n", "1")[1]
    code, _, err = sms("send", "112", "x")
    assert (code, "never dials one" in err) == (1, True)
    assert sms("send", ABROAD, "x", "--hours", "0.01")[0] == 1


@pytest.mark.usefixtures("ready")
def test_nothing_is_asked_of_a_line_in_a_call(demo: RunningDemo, modem: Typed) -> None:
    sim(demo, "knob", "mobile", "call.from", f"number={ABROAD}", "to=pusat-l2", "ring_s=60")
    until(lambda: "ringing" in modem("list").stdout, "ringing")
    for words in (("at", L2, "AT+CSQ"), ("ussd", L2, "*123#"), ("sms", L2, ABROAD, "x")):
        done = modem(*words)
        assert (done.returncode, "a call is on" in done.stderr) == (1, True), done
    assert modem("doctor", L2).returncode == 0
    sim(demo, "knob", "mobile", "call.drop", "to=pusat-l2")
    until(lambda: "ringing" not in modem("list").stdout, "over")


@pytest.mark.usefixtures("ready")
def test_only_technicians_and_supervisors_may(demo: RunningDemo, modem: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    people = Path(demo.where["nodes"]["pusat"]["state"]) / "people.json"
    set_password(people, "teknisi", "technician", "rahasia-sekali")
    monkeypatch.setenv("SIAGA_PASSWORD", demo.where["password"])
    refused = modem("at", L1, "AT+CSQ", user="operator")
    assert (refused.returncode, "Only a technician or supervisor" in refused.stderr) == (1, True)
    monkeypatch.setenv("SIAGA_PASSWORD", "rahasia-sekali")
    assert modem("at", L1, "AT+CSQ", user="teknisi").returncode == 0


@pytest.mark.usefixtures("ready")
def test_the_doctor_names_what_is_wrong_and_what_to_do(demo: RunningDemo, modem: Typed) -> None:
    sim(demo, "modem", "unplug", "pusat-l2")
    until(lambda: modem("doctor").returncode == 1, "wrong")
    said = modem("doctor").stdout
    assert "l1: well" in said
    assert "l2: takes no call: its port is missing." in said
    assert "Next: check its power and cable" in said
    gone = modem("at", L2, "AT+CSQ")
    assert (gone.returncode, "siaga modem doctor" in gone.stderr) == (1, True)
    sim(demo, "modem", "plug", "pusat-l2")
    until(lambda: modem("doctor").returncode == 0, "well again")


@pytest.mark.usefixtures("ready")
def test_a_recording_is_taken_out_without_secrets_and_replayed(demo: RunningDemo, modem: Typed, tmp_path: Path) -> None:
    sim(demo, "sms", "from", "+628115550101", "Api di pasar")
    until(lambda: "CMGR" in modem("export", L1).stdout + modem("export", L2).stdout, "recorded")
    for line in (L1, L2):
        text = modem("export", line).stdout
        assert "8115550101" not in text
        file = tmp_path / f"{line}.rec"
        file.write_text(text)
        done = modem("replay", str(file))
        assert (done.returncode, "no flaw" in done.stdout) == (0, True), done.stdout
    raw = Path(demo.where["nodes"]["pusat"]["state"]) / "modem"
    assert {p.stat().st_mode & 0o777 for p in raw.iterdir()} == {0o600}
    assert "lines: l1, l2" in modem("export", "l9").stderr


def test_a_recording_with_a_flaw_or_none_fails(modem: Typed, tmp_path: Path) -> None:
    file = tmp_path / "flaw.rec"
    file.write_text("1.0 > AT+CMEE?\\r\n1.1 < +CMEE: 1\\r\\nOK\\r\\n\n2.0 > AT+CSQ\\r\n2.1 > AT+CSQ\\r\n")
    done = modem("replay", str(file))
    assert (done.returncode, "2.1000 FLAW" in done.stdout) == (1, True)
    for text in ("", "nonsense\nnonsense\n"):
        file.write_text(text)
        bad = modem("replay", str(file))
        assert (bad.returncode, "siaga modem export" in bad.stderr) == (1, True)
    assert "cannot be read" in modem("replay", str(tmp_path / "none.rec")).stderr


def test_without_a_node_it_says_how_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="siaga-t-") as folder:
        assert "SIAGA_SITE" not in os.environ
        assert main(["modem", "list", "--folder", folder]) == 2
    assert "siaga demo" in capsys.readouterr()[1]

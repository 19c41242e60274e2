"""`siaga modbus` on real ptys and ports: what a technician sees of a line, served by replayed dumps."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest

from appliance.cli import main
from appliance.cli_modbus import add_arguments, chosen_line
from appliance.cli_modbus_read import dump, probe, watch
from appliance.cli_modbus_replay import registers
from appliance.cli_modbus_scan import scan
from drivers.clock import VirtualClock
from drivers.modbus.bus import Bus
from drivers.modbus.dump import decoded, load_dump
from drivers.modbus.profile import load
from drivers.sim.modbus_rtu import RtuLine
from drivers.sim.modbus_slave import Slave
from drivers.sim.modbus_tcp import TcpPort
from drivers.sim.pty_port import PtyPort

ROOT = Path(__file__).parents[2]
GENSETS = ROOT / "firmware-config" / "gensets"
DSE = GENSETS / "dse_7310_mk2.dump.toml"
UNIT = 10
ENDS_WITHIN_S = 30.0  # a process needs a second on a free machine
TALKS = {"scan": scan, "probe": probe, "dump": dump, "watch": watch}


def slaves(case):
    golden = load_dump(DSE)
    return {UNIT: Slave(registers(golden, golden.case[case - 1]))}


def understood(*words):
    parser = ArgumentParser()
    add_arguments("modbus", parser)
    return parser.parse_args(list(map(str, words)))


async def said(*words):
    """The exit code of a tool on its line, on the running loop."""
    options = understood(*words)
    with contextlib.closing(Bus(chosen_line(options))) as bus:
        return await TALKS[options.verb](bus, options)


def on_a_line(tmp_path, capsys, verb, *words, case=1):
    """The exit code and what was printed of a tool that looks at a serial line with the set as unit 10."""
    tty = tmp_path / "tty"

    async def story():
        port = PtyPort(tty, lambda data: line.received(data))
        line = RtuLine(slaves(case), port.write, 9600)
        port.open()
        try:
            return await said(verb, tty, *words)
        finally:
            line.cut()
            port.close()

    return VirtualClock().run(story()), capsys.readouterr().out


def test_a_scan_finds_the_unit_on_a_serial_line_and_knows_what_it_is(tmp_path, capsys):
    code, out = on_a_line(tmp_path, capsys, "scan", "--units", "9-11")
    assert code == 0
    assert re.search(
        r"^unit 10: answers\n  dse_7310_mk2: \d+ of \d+ points have a value, .*; says so itself$", out, re.M
    )
    assert out.endswith(f"1 of 3 units answer on {tmp_path / 'tty'}.\n")


def test_a_scan_of_a_line_where_nobody_is_says_what_to_check(tmp_path, capsys):
    code, out = on_a_line(tmp_path, capsys, "scan", "--units", "1,3", "--quick")
    assert code == 1
    assert "0 of 2 units answer" in out
    assert "the wires A and B" in out


def test_a_probe_shows_each_value_beside_its_registers_over_tcp(capsys):
    async def story():
        port = TcpPort(slaves(1))
        await port.start(0)
        try:
            return await said("probe", f"127.0.0.1:{port.port}", "dse_7310_mk2", "--unit", UNIT)
        finally:
            await port.stop()

    assert VirtualClock().run(story()) == 0
    out = capsys.readouterr().out
    assert re.search(r"^  battery_v +26\.8 V +holding 1029: 010C$", out, re.M)
    assert re.search(r"^  serial +\d+ +holding 770: 0012 D687$", out, re.M)


def test_a_watch_tells_what_changed_and_how_the_line_did(tmp_path, capsys):
    code, out = on_a_line(tmp_path, capsys, "watch", "dse_7310_mk2", "--unit", UNIT, "--seconds", 10)
    assert code == 0
    assert len(re.findall(r" fuel_level 87 %$", out, re.M)) == 1
    asked, right = re.search(
        r"^unit 10: (\d+) questions, (\d+) right, 0 refused, 0 silent, 0 wrong", out, re.M
    ).groups()
    assert int(asked) >= int(right) > 40


def test_a_dump_says_again_all_that_the_golden_one_says(tmp_path, capsys):
    words = ("dse_7310_mk2", "--unit", UNIT, "--title", 'on load, "as found"')
    code, out = on_a_line(tmp_path, capsys, "dump", *words, case=2)
    assert code == 0
    file = tmp_path / "again.dump.toml"
    file.write_text(out)
    profile, again, golden = load(GENSETS / "dse_7310_mk2.toml"), load_dump(file), load_dump(DSE)
    assert again.case[0].title == 'on load, "as found"'
    assert decoded(profile, again, again.case[0]) == decoded(profile, golden, golden.case[1])
    assert again.case[0].points == golden.case[1].points
    assert again.case[0].without == golden.case[1].without


def started(*words):
    return asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "appliance.cli", "modbus", *map(str, words)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


async def test_a_replay_is_a_device_for_mbpoll_and_has_one_master_at_a_time(tmp_path):
    tty = tmp_path / "tty"
    replay = await started("replay", DSE, "--pty", tty, "--unit", UNIT)
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            assert str(tty) in (await replay.stdout.readline()).decode()
            mbpoll = await asyncio.create_subprocess_exec(
                *f"mbpoll -m rtu -b 9600 -P none -a {UNIT} -0 -r 1027 -c 3 -t 4 -1 {tty}".split(),
                stdout=asyncio.subprocess.PIPE,
            )
            printed, _ = await mbpoll.communicate()
            assert [int(n) for n in re.findall(rb"^\[\d+\]:\s+(\d+)", printed, re.M)] == [87, 0, 268]
            bus = Bus(chosen_line(understood("scan", tty)))
            assert await bus.read(UNIT, "holding", 1027, 3) == [87, 0, 268]
            second = await started("probe", tty, "dse_7310_mk2", "--unit", UNIT)
            _, complaint = await second.communicate()
            bus.close()
        assert second.returncode == 1
        assert b"no other program has it" in complaint
    finally:
        replay.send_signal(signal.SIGTERM)
        await replay.communicate()
    assert replay.returncode == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("probe", "/dev/none", "dse_7319"), "is no profile. Give a file, or one of"),
        (("probe", "10.0.0.1:x", "dse_7310_mk2"), "there must be a TCP port"),
        (("scan", "/dev/none", "--units", "1-x"), "give numbers"),
        (("scan", "/dev/none", "--units", "0-3"), "1 to 247"),
        (
            ("scan", "nowhere", "--config", ROOT / "firmware-config/sites/demo/centre.toml"),
            "no bus of the site, which has",
        ),
        (("replay", DSE, "--tcp", 0, "--case", 9), "and no 9"),
    ],
)
def test_a_wrong_question_is_told_so_at_once(capsys, words, told):
    assert main(["modbus", *map(str, words)]) == 2
    assert told in capsys.readouterr().err

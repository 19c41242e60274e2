"""`siaga modbus replay`: a dump served as a device, for who writes a profile or looks for a fault far from the set."""

import argparse
import asyncio
import contextlib
import signal

from appliance.cli import say_no
from drivers.clock import Clock
from drivers.modbus.dump import Case, Dump, load_dump
from drivers.sim.modbus_dump import DumpRegisters
from drivers.sim.modbus_rtu import RtuLine
from drivers.sim.modbus_slave import Slave
from drivers.sim.modbus_tcp import TcpPort
from drivers.sim.pty_port import PtyPort


def replay(options: argparse.Namespace) -> int:
    """Serves until it is stopped."""
    try:
        dump = load_dump(options.file)
        if not 1 <= options.case <= len(dump.case):
            return say_no(f"{options.file}: has cases 1 to {len(dump.case)}, and no {options.case}.", code=2)
    except OSError as e:
        return say_no(f"{options.file}: {e.strerror}. Give what siaga modbus dump wrote, or a .dump.toml.", code=2)
    except ValueError as e:  # it names the file
        return say_no(f"{e} Give what siaga modbus dump wrote, or a .dump.toml.", code=2)
    try:
        device = registers(dump, dump.case[options.case - 1])
    except ValueError as e:
        return say_no(f"{options.file}: {e}", code=2)
    slaves = {options.unit: Slave(device)}
    title = dump.case[options.case - 1].title
    try:
        Clock.from_environment().run(
            _on_pty(slaves, options, title) if options.pty else _on_tcp(slaves, options, title)
        )
    except OSError as e:
        return say_no(f"it cannot be served there: {e}")
    return 0


def registers(dump: Dump, case: Case) -> DumpRegisters:
    """What a case holds, as a slave serves it. Raises ValueError."""
    return DumpRegisters([case.registers, case.holding, case.input], case.coil, case.discrete, dump.fill)


async def _on_pty(slaves: dict[int, Slave], options: argparse.Namespace, title: str) -> None:
    port = PtyPort(options.pty, lambda data: line.received(data))
    line = RtuLine(slaves, port.write, options.baud)
    port.open()
    try:
        await _told(f"{title}: unit {options.unit} on {options.pty}, {options.baud} baud")
    finally:
        line.cut()
        port.close()


async def _on_tcp(slaves: dict[int, Slave], options: argparse.Namespace, title: str) -> None:
    port = TcpPort(slaves)
    await port.start(options.tcp)
    try:
        await _told(f"{title}: unit {options.unit} on 127.0.0.1:{port.port}")
    finally:
        await port.stop()


async def _told(what: str) -> None:
    """Say where it is, and wait for the signal to end."""
    print(f"{what}. Ctrl-C ends.", flush=True)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    with contextlib.suppress(asyncio.CancelledError):
        await ended.wait()

"""What the Modbus bus makes of a line: a scan beside its wire time, late answers, a dead unit, many devices.

`python -m tests.bench.modbus_scan` prints the rows. The registers are those of a generator controller that a building
wants (GenComm pages 3 to 7), the line is paced like 9600 8N1 by a process of its own.
"""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgspec
from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException

from drivers.clock import Clock, VirtualClock
from drivers.modbus.blocks import MAX_REGISTERS, Block, Rules, plan
from drivers.modbus.bus import Bus
from drivers.modbus.errors import BusError, NoAnswer
from drivers.modbus.line import SerialLine, TcpLine
from drivers.modbus.poller import Poller
from drivers.modbus.profile import Profile, load
from drivers.reading import Reading
from drivers.sim.modbus_rtu import RtuLine
from drivers.sim.modbus_slave import READ_HOLDING, Slave
from drivers.sim.pty_port import PtyPort
from tests.bench.table import Row, beside, exactly, plain, summary, text

UNIT = 10
CHARACTER_S = 10 / 9600
OVERHEAD = 8 + 5 + 7  # characters of a read beside its registers: question, the answer's frame, twice 3.5 of silence
MOST_OF_WIRE = 1.05
ROUNDS = 20
TIMEOUT_S, LATE_S, TRIES = 0.5, 0.55, 10
DEAD_AFTER_S, DEAD_FOR_S, LEAST_RATE = 60.0, 300.0, 0.95
DEVICES, POLLS_A_SECOND, POLLED_S = 200, 200, 4.0
FLAT = 1.15  # how much dearer a point may be with 200 devices than with one
PROFILE = Path("firmware-config/gensets/dse_7320_mk2.toml")


def wanted() -> list[tuple[int, int]]:
    """(address, registers) of the values, as the rivals were measured with."""
    singles = {3: [0, 1, 4, 6], 4: [*range(8), 35], 5: [*range(8), 77, 79], 6: range(18, 23), 7: []}
    doubles = {3: [2], 4: [*range(8, 32, 2), *range(36, 48, 2)], 5: [], 6: range(0, 18, 2), 7: range(0, 18, 2)}
    found = [(page << 8 | at, 1) for page, offsets in singles.items() for at in offsets]
    return sorted(found + [(page << 8 | at, 2) for page, offsets in doubles.items() for at in offsets])


def wire_s(blocks: list[Block]) -> float:
    """Seconds that reading them takes when nobody ever waits."""
    return sum((OVERHEAD + 2 * block.count) * CHARACTER_S for block in blocks)


def cheapest_s(spans: list[tuple[int, int]]) -> float:
    """The least wire time of all ways to read `spans`, by trying each place for the last block to begin."""
    best = [0.0]
    for last, (address, width) in enumerate(spans, 1):
        ways = [(first, address + width - spans[first][0]) for first in range(last)]
        best.append(min(best[f] + wire_s([Block(spans[f][0], n)]) for f, n in ways if n <= MAX_REGISTERS))
    return best[-1]


@contextlib.contextmanager
def slaves(kind: str) -> Iterator[tuple[str, Callable[[str], str]]]:
    """Where they are, and a way to ask them something."""
    command = [sys.executable, "-m", "tests.bench.modbus_slaves", kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        out, back = process.stdin, process.stdout

        def ask(what: str) -> str:
            out.write(what + "\n")
            out.flush()
            return back.readline().strip()

        try:
            yield back.readline().strip(), ask
        finally:
            out.close()
            process.wait(10)


async def _scans(path: str, blocks: list[Block], rounds: int) -> list[float]:
    bus, took = Bus(SerialLine(path)), []
    for _ in range(rounds + 1):
        began = time.monotonic()
        for block in blocks:
            words = await bus.read(UNIT, block.table, block.address, block.count)
            assert words == list(range(block.address, block.end)), block
        took.append(time.monotonic() - began)
    bus.close()
    return took[1:]  # the first one opens the port


async def _late(path: str, ask: Callable[[str], str]) -> tuple[int, int]:
    """Of TRIES reads right after one that was answered late: how many were right, and how many wrong and believed."""
    right = wrong = 0
    bus = Bus(SerialLine(path), timeout_s=TIMEOUT_S)
    for i in range(TRIES):
        ask(f"late {LATE_S}")
        with contextlib.suppress(NoAnswer):
            await bus.read(UNIT, "holding", 0x400 + i, 2)
        with contextlib.suppress(BusError):
            if await bus.read(UNIT, "holding", 0x600 + i, 2) == [0x600 + i, 0x601 + i]:
                right += 1
            else:
                wrong += 1
    bus.close()
    return right, wrong


async def _rivals_scans(path: str, blocks: list[Block], rounds: int) -> list[float]:
    """The same blocks by pymodbus alone."""
    client, took = AsyncModbusSerialClient(path, baudrate=9600), []
    await client.connect()
    for _ in range(rounds):
        began = time.monotonic()
        for block in blocks:
            answer = await client.read_holding_registers(block.address, count=block.count, device_id=UNIT)
            assert answer.registers == list(range(block.address, block.end)), block
        took.append(time.monotonic() - began)
    client.close()
    return took


async def _rivals_late(path: str, ask: Callable[[str], str]) -> int:
    """What `_late` counts as wrong, by pymodbus alone."""
    wrong = 0
    for i in range(TRIES):
        client = AsyncModbusSerialClient(path, baudrate=9600, timeout=TIMEOUT_S, retries=0)
        await client.connect()
        ask(f"late {LATE_S}")
        with contextlib.suppress(ModbusException):
            await client.read_holding_registers(0x400 + i, count=2, device_id=UNIT)
        with contextlib.suppress(ModbusException):
            answer = await client.read_holding_registers(0x600 + i, count=2, device_id=UNIT)
            wrong += answer.registers != [0x600 + i, 0x601 + i]
        await asyncio.sleep(TIMEOUT_S)
        client.close()
    return wrong


def line_rows(rounds: int = ROUNDS) -> list[Row]:
    """The scan and the late answers, on a line of 9600 baud."""
    spans = wanted()
    blocks = list(plan(spans, Rules(frame=SerialLine.frame)))
    least = cheapest_s(spans)
    with slaves("line") as (path, ask):
        took = Clock().run(_scans(path, blocks, rounds))
        seen, too_soon = (int(n) for n in ask("count").split())
        right, wrong = Clock().run(_late(path, ask))
        theirs = Clock().run(_rivals_scans(path, blocks, rounds // 2))
        believed = Clock().run(_rivals_late(path, ask))
    name = f"Modbus: scan of {len(spans)} values at 9600 baud in {len(blocks)} questions"
    assert seen == (rounds + 1) * len(blocks)
    return [
        beside(f"{name}, p50 (wire time)", 1e3 * median(took), "ms", 1e3 * least, MOST_OF_WIRE),
        plain(
            f"  one question a value would take on the wire {len(spans)}",
            1e3 * wire_s([Block(*s) for s in spans]),
            "ms",
        ),
        beside("  by pymodbus alone (wire time)", 1e3 * median(theirs), "ms", 1e3 * least),
        exactly("  questions before 3.5 characters of silence", too_soon, "questions", 0),
        exactly("Modbus: late answers believed to be the next question's", wrong, f"of {TRIES}", 0),
        plain("  by pymodbus alone", believed, f"of {TRIES}"),
        exactly("  next questions answered rightly", right, f"of {TRIES}", TRIES),
    ]


class _Echo:
    """A device that holds its addresses."""

    functions = frozenset({READ_HOLDING})

    def __init__(self, answers: bool = True) -> None:
        self.answers = answers

    def read(self, address: int, count: int) -> list[int]:
        return [(address + i) & 0xFFFF for i in range(count)]

    def write(self, address: int, values: list[int]) -> None:
        raise NotImplementedError


async def _polls(profile: Profile, dead: bool) -> float:
    """Polls a second of units 1 and 2 together, as fast as the line allows, alone or beside a dead one."""
    counted = [0]

    def count(_readings: list[Reading]) -> None:
        counted[0] += 1

    with TemporaryDirectory() as folder:
        units = {1: Slave(_Echo()), 2: Slave(_Echo()), 3: Slave(_Echo(answers=False))}
        line: list[RtuLine] = []
        port = PtyPort(Path(folder, "tty"), lambda data: line[0].received(data))
        line.append(RtuLine(units, port.write, 9600))
        port.open()
        bus = Bus(SerialLine(str(port.link)))
        pollers = [Poller(bus, unit, profile, count, interval_s=0.2) for unit in (1, 2)]
        if dead:
            pollers.append(Poller(bus, 3, profile, lambda _: None))
        tasks = [asyncio.create_task(poller.run()) for poller in pollers]
        await asyncio.sleep(DEAD_AFTER_S)
        counted[0] = 0
        await asyncio.sleep(DEAD_FOR_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        bus.close()
        port.close()
    return counted[0] / DEAD_FOR_S


def dead_rows() -> list[Row]:
    """What a dead unit on a serial line takes from two living ones. In virtual time."""
    profile = load(PROFILE)
    alone, with_dead = (VirtualClock().run(_polls(profile, dead)) for dead in (False, True))
    row = beside("Modbus: polls of two units beside a dead one (without it)", with_dead, "polls/s", alone)
    holds = with_dead >= LEAST_RATE * alone
    return [msgspec.structs.replace(row, aim=f"at least {LEAST_RATE:g} x", holds=holds)]


async def _cost(port: int, devices: int, profile: Profile) -> float:
    """Microseconds of CPU a point, polled by as many pollers on as many connections."""
    points = [0]

    def count(readings: list[Reading]) -> None:
        points[0] += len(readings)

    buses = [Bus(TcpLine("127.0.0.1", port), timeout_s=5.0) for _ in range(devices)]
    pollers = [Poller(bus, UNIT, profile, count, interval_s=devices / POLLS_A_SECOND) for bus in buses]
    return await _spent([poller.run() for poller in pollers], points, buses)


async def _floor(port: int, devices: int, profile: Profile) -> float:
    """The same by bare streams that ask, and take what comes for the answer."""
    points = [0]
    questions = [
        (block.address.to_bytes(2, "big") + block.count.to_bytes(2, "big"), 9 + 2 * block.count, len(inside))
        for block in profile.blocks(TcpLine.frame)
        if (inside := profile.points_in(block))
    ]

    async def ask_on() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            due = asyncio.get_running_loop().time()
            while True:
                for what, size, count in questions:
                    writer.write(b"\0\1\0\0\0\6" + bytes([UNIT, 3]) + what)
                    await reader.readexactly(size)
                    points[0] += count
                due += devices / POLLS_A_SECOND
                await asyncio.sleep(due - asyncio.get_running_loop().time())
        finally:
            writer.close()

    return await _spent([ask_on() for _ in range(devices)], points, [])


async def _spent(works: list[Awaitable[None]], points: list[int], buses: list[Bus]) -> float:
    tasks = [asyncio.ensure_future(work) for work in works]
    await asyncio.sleep(2.0)  # all are connected and have read once
    points[0], began = 0, time.process_time()
    await asyncio.sleep(POLLED_S)
    spent, read = time.process_time() - began, points[0]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for bus in buses:
        bus.close()
    return spent / read * 1e6


def tcp_rows() -> list[Row]:
    """CPU a point with one device and with many, as many points a second in both, and a floor beside each."""
    profile = load(PROFILE)
    with slaves("tcp") as (port, _):
        floors = [Clock().run(_floor(int(port), devices, profile)) for devices in (1, DEVICES)]
        costs = [Clock().run(_cost(int(port), devices, profile)) for devices in (1, DEVICES)]
    return [
        beside("Modbus: CPU a point on TCP, 1 device (bare stream)", costs[0], "us", floors[0]),
        beside(f"Modbus: CPU a point on TCP, {DEVICES} devices (bare streams)", costs[1], "us", floors[1]),
        beside(f"  {DEVICES} devices (1 device)", costs[1], "us", costs[0], FLAT),
    ]


def rows() -> list[Row]:
    """All of them; a minute. Raises AssertionError when a value was wrong."""
    return [*line_rows(), *dead_rows(), *tcp_rows()]


def main() -> int:
    found = rows()
    print(text(found))
    print(summary(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

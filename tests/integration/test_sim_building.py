"""The simulated building as a process, read by programs that know nothing of it: mbpoll and pymodbus."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from drivers.jsonsocket import Refusal
from drivers.sim.knobs import turn

ROOT = Path(__file__).parents[2]
GENSET, UPS = 10, 1
CHARACTER_S = 10 / 9600
STARTS_WITHIN_S = 10.0
ASK_RPM = bytes.fromhex("0a03040600016440")  # unit 10, FC3, 1030, 1 register
ASK_CHARGE = bytes.fromhex("0103008200012422")  # unit 1, FC3, 130, 1 register
Client = AsyncModbusSerialClient | AsyncModbusTcpClient


@dataclass
class Running:
    process: "subprocess.Popen[bytes]"
    rtu_port: Path
    tcp_port: int
    knobs: Path

    async def turn(self, do: str, **args: Any) -> Any:
        return await turn(self.knobs, do, **args)

    def mbpoll(self, where: str, unit: int, address: int, *options: str, count: int = 1) -> list[int]:
        """The values that mbpoll prints; an answer that it calls an error raises AssertionError with its words."""
        line = ["-m", "rtu", "-b", "9600", "-P", "none"] if where == "rtu" else ["-p", str(self.tcp_port)]
        device = str(self.rtu_port) if where == "rtu" else "127.0.0.1"
        command = [
            "mbpoll",
            "-0",
            "-1",
            "-o",
            "8",
            "-a",
            str(unit),
            "-r",
            str(address),
            "-c",
            str(count),
            *options,
            *line,
            device,
        ]
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        values = [int(value) for value in re.findall(r"^\[\d+\]:\s+(-?\d+)", said.stdout, re.MULTILINE)]
        assert len(values) == count, said.stdout + said.stderr
        return values

    @asynccontextmanager
    async def client(self, where: str, timeout: float = 8.0) -> AsyncIterator[Client]:
        client: Client = (
            AsyncModbusSerialClient(str(self.rtu_port), baudrate=9600, timeout=timeout, retries=0)
            if where == "rtu"
            else AsyncModbusTcpClient("127.0.0.1", port=self.tcp_port, timeout=timeout, retries=0)
        )
        assert await client.connect()
        try:
            yield client
        finally:
            client.close()


@contextmanager
def building(tmp_path: Path, *options: str, speed: float = 1.0) -> Iterator[Running]:
    rtu, knobs = tmp_path / "rtu", tmp_path / "knobs"
    command = [sys.executable, "-m", "drivers.sim.building", "--rtu-port", str(rtu), "--knobs", str(knobs), *options]
    environment = os.environ | {"SIAGA_SPEED": str(speed)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            ready = msgspec.json.decode(process.stdout.readline())
            assert ready["ready"] is True
            assert ready["rtu_port"] == str(rtu)
            yield Running(process, rtu, ready["tcp_port"], knobs)
        finally:
            process.terminate()
            process.wait(STARTS_WITHIN_S)


@pytest.fixture(scope="module")
def everyday(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with building(tmp_path_factory.mktemp("everyday")) as running:
        yield running


@pytest.fixture
async def site(everyday: Running) -> AsyncIterator[Running]:
    """A normal day in real time. Its bus is put in order again after each test; its plant must be left alone."""
    yield everyday
    for device in ("genset", "ups"):
        await everyday.turn("bus.mute", device=device, on=False)
        await everyday.turn("bus.late", device=device, ms=0)
    await everyday.turn("bus.plug")


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[Running]:
    """Ten times as fast: a state of ten seconds can still be caught on a busy machine."""
    with building(
        tmp_path, "--retransfer", "5", "--cooldown", "10", "--crank", "3", "--rest", "2", speed=10
    ) as running:
        yield running


async def until(true: Callable[[], Awaitable[Any]], most: float = 15.0) -> None:
    async with asyncio.timeout(most):
        while True:
            if await true():
                return
            await asyncio.sleep(0.02)


async def read(client: Client, unit: int, address: int, count: int = 1) -> list[int]:
    answer = await client.read_holding_registers(address, count=count, device_id=unit)
    assert not answer.isError(), answer
    return list(answer.registers)


@pytest.mark.parametrize("where", ["rtu", "tcp"])
def test_mbpoll_reads_the_right_values(site: Running, where: str) -> None:
    long = ("-t", "4:int", "-B")
    assert site.mbpoll(where, GENSET, 772) == [1]
    assert site.mbpoll(where, GENSET, 1027, count=4) == [74, 0, 132, 0]  # fuel, charge alternator, battery, rpm
    assert site.mbpoll(where, GENSET, 1060, *long, count=3) == [2300, 2307, 2295]
    assert site.mbpoll(where, UPS, 0, *long) == [2]
    assert site.mbpoll(where, UPS, 128, *long) == [1380]
    assert site.mbpoll(where, UPS, 130) == [51200]
    assert site.mbpoll(where, UPS, 130, "-t", "3") == [51200]
    with pytest.raises(AssertionError, match="Illegal data address"):
        site.mbpoll(where, GENSET, 9000)
    with pytest.raises(AssertionError, match="Illegal function"):
        site.mbpoll(where, GENSET, 1030, "-t", "3")


async def test_a_blackout_as_pymodbus_reads_it_from_the_line(fast: Running) -> None:
    async with fast.client("rtu") as client:
        await fast.turn("mains.cut")

        async def reads(unit: int, address: int, value: int) -> bool:
            return (await read(client, unit, address))[0] == value

        await until(lambda: reads(UPS, 1, 0b1000100))
        await until(lambda: reads(GENSET, 1061, 0))
        await until(lambda: reads(GENSET, 1408, 3))
        assert await read(client, GENSET, 1030, 4) == [1500, 500, 0, 2300]
        await until(lambda: reads(GENSET, 1537, 6450))
        assert (await read(client, GENSET, 1044, 2))[1] > 0
        await until(lambda: reads(UPS, 1, 0b10))
        await fast.turn("mains.return")
        await until(lambda: reads(GENSET, 1408, 4))
        await until(lambda: reads(GENSET, 1408, 0))
        assert await read(client, GENSET, 772) == [1]
    assert (await fast.turn("status"))["genset"]["ready"]


async def test_a_refused_start_ends_in_the_alarm_registers(fast: Running) -> None:
    await fast.turn("genset.refuse", on=True)
    await fast.turn("mains.cut")
    async with fast.client("tcp") as client:

        async def failed() -> bool:
            return (await read(client, GENSET, 2050))[0] >> 4 & 0xF == 3

        await until(failed)
        assert await read(client, GENSET, 1030) == [0]
        assert (await read(client, GENSET, 774))[0] & 0x1000


@pytest.mark.parametrize("where", ["rtu", "tcp"])
async def test_a_start_key_written_in_one_piece_starts_the_set(fast: Running, where: str) -> None:
    async with fast.client(where) as client:
        refused = await client.write_registers(4104, [35732, 1], device_id=GENSET)
        assert (refused.isError(), refused.exception_code) == (True, 7)
        assert not (await client.write_registers(4104, [35732, 65535 - 35732], device_id=GENSET)).isError()

        async def runs() -> bool:
            return (await read(client, GENSET, 1408))[0] == 3

        await until(runs)
        assert (await client.write_register(4104, 35733, device_id=GENSET)).exception_code == 1


async def test_the_ups_takes_a_self_test_and_reports_it(fast: Running) -> None:
    async with fast.client("rtu") as client:
        assert not (await client.write_register(1541, 1, device_id=UPS)).isError()

        async def passed() -> bool:
            return bool((await read(client, UPS, 23))[0] & 0b100)

        assert (await read(client, UPS, 0, 3)) == [0, 0b10000100, 9]
        await until(passed)
    assert (await fast.turn("status"))["source"] == "mains"


async def test_the_line_is_as_slow_as_9600_baud(site: Running) -> None:
    async with site.client("rtu") as client:
        began = time.monotonic()
        await read(client, GENSET, 1024, 60)
        took = time.monotonic() - began
    wire = (8 + 3.5 + 125) * CHARACTER_S
    assert wire <= took < 5.0


async def test_a_mute_device_costs_the_other_nothing(site: Running) -> None:
    await site.turn("bus.mute", device="ups")
    for where in ("rtu", "tcp"):
        async with site.client(where, timeout=2.0) as client:
            with pytest.raises(ModbusIOException):
                await client.read_holding_registers(130, device_id=UPS)
            assert await read(client, GENSET, 1027) == [74]
    await site.turn("bus.mute", device="ups", on=False)
    assert site.mbpoll("rtu", UPS, 130) == [51200]


async def listen(port: int, seconds: float, most: int = 256) -> bytes:
    """What comes from the port within `seconds`, or the first `most` bytes of it."""
    heard = b""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    while len(heard) < most and loop.time() < ends:
        try:
            heard += os.read(port, most)
        except BlockingIOError:
            await asyncio.sleep(0.005)
    return heard


@contextmanager
def raw(site: Running) -> Iterator[int]:
    port = os.open(site.rtu_port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        yield port
    finally:
        os.close(port)


async def test_a_late_device_answers_after_the_next_question_was_answered(site: Running) -> None:
    await site.turn("bus.late", device="genset", ms=800)
    with raw(site) as port:
        os.write(port, ASK_RPM)
        await asyncio.sleep(0.05)  # the question is off the wire
        os.write(port, ASK_CHARGE)
        assert (await listen(port, 1.0, 7))[:5] == bytes.fromhex("010302c800")
        assert (await listen(port, 1.0, 7))[:5] == bytes.fromhex("0a03020000")


async def test_a_late_device_is_late_over_tcp_too(site: Running) -> None:
    await site.turn("bus.late", device="ups", ms=200)
    async with site.client("tcp") as client:
        began = time.monotonic()
        assert await read(client, UPS, 130) == [51200]
        assert time.monotonic() - began >= 0.2


async def test_tcp_questions_may_come_in_pieces_or_together_and_a_strange_header_ends_the_connection(
    site: Running,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.tcp_port)
    ask_fuel, ask_nobody = bytes.fromhex("00070000 0006 0a 0304030001"), bytes.fromhex("00080000 0006 4d 0300000001")
    try:
        for byte in ask_fuel:
            writer.write(bytes([byte]))
            await writer.drain()
        writer.write(ask_nobody + ask_fuel)
        async with asyncio.timeout(5):
            fuel = await reader.readexactly(11)
            assert fuel == bytes.fromhex("00070000 0005 0a 0302004a")
            nobody = await reader.readexactly(9)
            assert nobody == bytes.fromhex("00080000 0003 4d 830b")
            assert await reader.readexactly(11) == fuel
            writer.write(bytes.fromhex("00090001 0006 0a 0304030001"))
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
    finally:
        writer.close()


async def test_a_frame_is_heard_in_pieces_and_a_damaged_one_not_at_all(site: Running) -> None:
    with raw(site) as port:
        for at in range(len(ASK_RPM)):
            os.write(port, ASK_RPM[at : at + 1])
        assert (await listen(port, 1.0, 7))[:5] == bytes.fromhex("0a03020000")
        for damaged in (ASK_RPM[:-1] + b"\0", ASK_RPM[:-1], b"\xff" * 600, ASK_RPM + ASK_RPM):
            os.write(port, damaged)
            assert await listen(port, 0.15) == b""
        os.write(port, ASK_RPM)
        assert len(await listen(port, 1.0, 7)) == 7


async def test_an_unplugged_line_is_gone_and_comes_back_under_the_same_name(site: Running) -> None:
    await site.turn("bus.unplug")
    assert not site.rtu_port.exists()
    assert site.mbpoll("tcp", GENSET, 1027) == [74]
    await site.turn("bus.plug")
    assert site.mbpoll("rtu", GENSET, 1027) == [74]


async def test_a_knob_turned_wrongly_says_what_there_is(site: Running) -> None:
    for do, args, says in (
        ("genset.mode", {"mode": "turbo"}, "auto, manual, stop"),
        ("bus.mute", {"device": "lift"}, "genset, ups"),
        ("bus.late", {"device": "ups", "ms": -5}, "from 0 to 60000 ms"),
        ("genset.refuse", {"on": "yes"}, "true or false"),
        ("fuel.set", {}, "It takes"),
        ("mains.explode", {}, "mains.cut"),
    ):
        with pytest.raises(Refusal, match=re.escape(says)):
            await site.turn(do, **args)


async def test_every_knob_shows_in_the_status(fast: Running) -> None:
    for do, args in (
        ("genset.mode", {"mode": "manual"}),
        ("genset.breaker_stuck", {"on": True}),
        ("fuel.set", {"percent": 12}),
        ("ups.charge", {"percent": 40.5}),
        ("bus.late", {"device": "ups", "ms": 250}),
    ):
        await fast.turn(do, **args)
    await fast.turn("ups.test")
    status = await fast.turn("status")
    assert (status["genset"]["mode"], status["genset"]["breaker_stuck"]) == ("manual", True)
    assert status["genset"]["fuel_percent"] == 12
    assert 40.5 <= status["ups"]["charge"] < 41
    assert status["ups"]["test"] == "refused"  # a battery this low is not tested
    assert status["bus"]["ups"]["late_ms"] == 250


def test_it_leaves_nothing_behind_when_it_is_told_to_stop(tmp_path: Path) -> None:
    with building(tmp_path) as running:
        assert running.rtu_port.is_symlink()
        assert running.knobs.is_socket()
    assert running.process.returncode == 0
    assert list(tmp_path.iterdir()) == []

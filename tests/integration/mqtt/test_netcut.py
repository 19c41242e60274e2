"""The cuttable cable: real connections through it, turned by its knobs."""

import asyncio
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from mqtt_party import until

from drivers.jsonsocket import Refusal
from drivers.sim.knobs import Knobs, turn
from drivers.sim.netcut import Line, Netcut

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Pair = Callable[[int], Awaitable[tuple[Ends, Ends]]]
RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # struct linger


class Target:
    """A server behind the cable; each connection that arrives is kept in `arrived`."""

    def __init__(self) -> None:
        self.arrived: list[Ends] = []

    async def start(self) -> int:
        self._server = await asyncio.start_server(
            lambda reader, writer: self.arrived.append((reader, writer)), "127.0.0.1", 0
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        self._server.close()
        for _, writer in self.arrived:
            writer.transport.abort()


class Cable:
    """Its ports by the lines' names, and its knobs."""

    def __init__(self, ports: dict[str, int], knobs: Path) -> None:
        self._ports, self._knobs = ports, knobs

    def port(self, line: str) -> int:
        return self._ports[line]

    async def turn(self, do: str, **args: Any) -> Any:
        return await turn(self._knobs, do, **args)


@pytest.fixture
async def target() -> AsyncIterator[Target]:
    target = Target()
    yield target
    await target.stop()


@pytest.fixture
async def cable(target: Target, tmp_path: Path) -> AsyncIterator[Cable]:
    """Two lines, a and b, to the target."""
    port = await target.start()
    netcut = Netcut({"a": Line(0, port), "b": Line(0, port)})
    knobs = Knobs(tmp_path / "knobs", netcut.knobs())
    await knobs.start()
    tasks = [asyncio.create_task(line.run()) for line in netcut.lines.values()]
    yield Cable({name: line.port for name, line in netcut.lines.items()}, tmp_path / "knobs")
    assert not any(task.done() for task in tasks), "every line still works"
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await knobs.stop()


@pytest.fixture
async def pair(cable: Cable, target: Target) -> AsyncIterator[Pair]:
    """Connect through a line: the client's end and the target's."""
    writers: list[asyncio.StreamWriter] = []

    async def connect(port: int) -> tuple[Ends, Ends]:
        before = len(target.arrived)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        await until(lambda: len(target.arrived) > before)
        return (reader, writer), target.arrived[-1]

    yield connect
    for writer in writers:
        writer.transport.abort()


async def hears_nothing(reader: asyncio.StreamReader, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await reader.read(1)
    except TimeoutError:
        return True
    return False


async def test_bytes_pass_both_ways_and_so_does_the_end(cable: Cable, pair: Pair) -> None:
    (reader, writer), (far_reader, far_writer) = await pair(cable.port("a"))
    blob = os.urandom(300_000)
    writer.write(blob)
    writer.write_eof()
    async with asyncio.timeout(10):
        assert await far_reader.read() == blob
        far_writer.write(b"thanks")
        far_writer.close()
        assert await reader.read() == b"thanks"
    status = await cable.turn("status")
    assert (status["a"]["bytes_passed"], status["b"]["bytes_passed"]) == (300_006, 0)


async def test_a_cut_line_is_silent_and_no_end_is_told_that_the_other_one_left(cable: Cable, pair: Pair) -> None:
    (reader, writer), (far_reader, far_writer) = await pair(cable.port("a"))
    await cable.turn("net.cut", line="a")
    writer.write(b"lost")
    far_writer.write(b"lost too")
    assert await hears_nothing(far_reader, 0.2)
    assert await hears_nothing(reader, 0.05)
    writer.close()
    assert await hears_nothing(far_reader, 0.2), "no FIN passes"
    status = (await cable.turn("status"))["a"]
    assert (status["cut"], status["connections"], status["frozen"], status["bytes_passed"]) == (True, 0, 1, 0)


async def test_a_reset_does_not_pass_a_cut_line(cable: Cable, pair: Pair) -> None:
    (_, writer), (far_reader, _) = await pair(cable.port("a"))
    await cable.turn("net.cut", line="a")
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    writer.transport.abort()
    assert await hears_nothing(far_reader, 0.2)


async def test_a_restored_line_closes_what_was_frozen_and_lets_new_connections_pass(cable: Cable, pair: Pair) -> None:
    (reader, _), (far_reader, _) = await pair(cable.port("a"))
    await cable.turn("net.cut", line="a")
    await cable.turn("net.restore", line="a")
    async with asyncio.timeout(5):
        assert await reader.read() == b""
        assert await far_reader.read() == b""
    (_, writer), (far_reader, _) = await pair(cable.port("a"))
    writer.write(b"new")
    async with asyncio.timeout(5):
        assert await far_reader.readexactly(3) == b"new"


async def test_a_connection_made_while_the_line_is_cut_gets_no_answer(cable: Cable, target: Target) -> None:
    await cable.turn("net.cut", line="a")
    for _ in range(2):  # the first one meets an accept that was under way
        reader, writer = await asyncio.open_connection("127.0.0.1", cable.port("a"))
        writer.write(b"hello?")
        assert await hears_nothing(reader, 0.1)
        writer.transport.abort()
    assert target.arrived == []


async def test_cutting_one_line_leaves_the_others_alone(cable: Cable, pair: Pair) -> None:
    (_, writer), (far_reader, _) = await pair(cable.port("b"))
    await cable.turn("net.cut", line="a")
    writer.write(b"still here")
    async with asyncio.timeout(5):
        assert await far_reader.readexactly(10) == b"still here"


async def test_a_slow_line_delays_each_byte_and_keeps_their_order(cable: Cable, pair: Pair) -> None:
    (_, writer), (far_reader, _) = await pair(cable.port("a"))
    await cable.turn("net.slow", line="a", ms=200)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for n in range(10):
        writer.write(b"%d" % n)
        await asyncio.sleep(0.02)
    async with asyncio.timeout(5):
        assert await far_reader.readexactly(1) == b"0"
        first = loop.time() - began
        assert await far_reader.readexactly(9) == b"123456789"
        last = loop.time() - began
    assert first >= 0.2
    assert 0.38 <= last < 1.5, "later bytes travel beside the first, not behind it"


async def test_a_sender_is_held_back_when_the_other_end_does_not_read(cable: Cable, pair: Pair) -> None:
    (_, writer), (_, far_writer) = await pair(cable.port("a"))
    far_writer.transport.pause_reading()
    writer.transport.set_write_buffer_limits(high=0)
    writer.write(bytes(64 << 20))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(writer.drain(), 0.5)
    assert (await cable.turn("status"))["a"]["bytes_passed"] < 16 << 20, "what the kernel's buffers take"


async def test_new_connections_go_where_the_knob_says(cable: Cable) -> None:
    other = Target()
    await cable.turn("net.port", line="a", to_port=await other.start())
    _, writer = await asyncio.open_connection("127.0.0.1", cable.port("a"))
    await until(lambda: other.arrived)
    writer.transport.abort()
    await other.stop()


async def test_a_dead_target_ends_the_connection_and_not_the_cable(cable: Cable, pair: Pair) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        await cable.turn("net.port", line="a", to_port=nobody.getsockname()[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", cable.port("a"))
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.transport.abort()
    await pair(cable.port("b"))


async def test_a_knob_for_a_line_that_is_not_there_names_the_lines(cable: Cable) -> None:
    with pytest.raises(Refusal, match="no line 'c'; lines: a, b"):
        await cable.turn("net.cut", line="c")
    with pytest.raises(Refusal, match="no line None"):
        await cable.turn("net.cut")
    with pytest.raises(Refusal, match="-1 ms"):
        await cable.turn("net.slow", line="a", ms=-1)


@pytest.mark.parametrize(
    ("lines", "names"), [((), ["line"]), (("--line", "one=0", "--line", "two=0"), ["one", "two"])], ids=["one", "two"]
)
async def test_the_process_says_its_ports_and_turns(
    target: Target, tmp_path: Path, lines: tuple[str, ...], names: list[str]
) -> None:
    knobs = tmp_path / "knobs"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "drivers.sim.netcut", "--to", str(await target.start()), "--knobs", str(knobs), *lines),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    async with asyncio.timeout(15):
        ready = msgspec.json.decode(await process.stdout.readline())
    status = await turn(knobs, "status")
    ports = {name: status[name]["port"] for name in names}
    assert ready == {"ready": True, "ports": ports} if lines else {"ready": True, "port": ports["line"]}
    _, writer = await asyncio.open_connection("127.0.0.1", ports[names[-1]])
    await until(lambda: target.arrived)
    await turn(knobs, "net.cut", **({"line": "two"} if lines else {}))
    assert (await turn(knobs, "status"))[names[-1]]["frozen"] == 1
    writer.transport.abort()
    process.terminate()
    await process.wait()

"""The clock that scales a process, and the sockets between processes."""

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

import pytest

from drivers.clock import Clock, VirtualClock
from drivers.jsonsocket import MAX_LINE, Client, Gone, Link, Message, Peer, Refusal, Server


async def _sleep(seconds: float) -> float:
    loop = asyncio.get_running_loop()
    before = loop.time()
    await asyncio.sleep(seconds)
    return loop.time() - before


def test_a_fast_clock_makes_every_wait_shorter() -> None:
    began = time.monotonic()
    assert Clock(50).run(_sleep(20)) >= 20
    assert time.monotonic() - began < 5


def test_processes_that_inherit_the_clock_agree_on_the_wall() -> None:
    parent = Clock(20)
    child = Clock.from_environment(parent.environment())
    assert child.speed == 20
    assert abs(parent.wall() - child.wall()) < 1.0


def test_a_virtual_day_takes_no_time() -> None:
    clock = VirtualClock()
    began, wall = time.monotonic(), clock.wall()
    assert clock.run(_sleep(86_400)) >= 86_400
    assert clock.wall() - wall >= 86_400
    assert time.monotonic() - began < 5


def test_virtual_time_stands_still_while_an_executor_is_at_work() -> None:
    clock = VirtualClock()

    async def story() -> float:
        ticking = asyncio.create_task(_ticks())
        await asyncio.to_thread(time.sleep, 0.1)
        ticking.cancel()
        return clock.now()

    async def _ticks() -> None:
        while True:
            await asyncio.sleep(0.01)

    assert clock.run(story()) == 0.0
    assert clock.in_executors == 0


async def echo(_peer: Peer, message: Message) -> Any:
    if message["do"] == "no":
        raise Refusal("no", "It says no.", "Ask otherwise.")
    return {"did": message["do"]}


async def test_answers_find_their_questions_and_a_no_is_a_refusal(tmp_path: Path) -> None:
    server = Server(tmp_path / "s", echo)
    await server.start()
    client = Client(tmp_path / "s")
    await client.connect()
    answers = await asyncio.gather(*(client.request({"do": f"{n}"}) for n in range(30)))
    assert answers == [{"did": f"{n}"} for n in range(30)]
    with pytest.raises(Refusal, match=r"It says no. Ask otherwise."):
        await client.request({"do": "no"})
    await server.stop()
    with pytest.raises(Gone):
        await client.request({"do": "1"})


async def test_a_line_without_end_is_cut_off_and_costs_the_others_nothing(tmp_path: Path) -> None:
    server = Server(tmp_path / "s", echo)
    await server.start()
    reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
    writer.write(b"x" * (MAX_LINE + 70_000))
    with contextlib.suppress(ConnectionError):  # cut off while it still talks, or after
        assert await asyncio.wait_for(reader.read(), 5) == b""
    client = Client(tmp_path / "s")
    await client.connect()
    assert await client.request({"do": "a"}) == {"did": "a"}
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    client.close()
    await server.stop()


async def test_garbage_is_answered_with_what_to_send(tmp_path: Path) -> None:
    server = Server(tmp_path / "s", echo)
    await server.start()
    reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
    writer.write(b"\xff\x00 not json\n")
    assert b"Send one JSON object a line" in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    await writer.wait_closed()
    await server.stop()


async def test_a_socket_that_another_process_serves_is_not_taken_over(tmp_path: Path) -> None:
    first, second = Server(tmp_path / "s", echo), Server(tmp_path / "s", echo)
    await first.start()
    with pytest.raises(OSError, match="another process listens there"):
        await second.start()
    await first.stop()


async def test_a_link_comes_back_when_its_server_does(tmp_path: Path) -> None:
    ups: list[str] = []

    async def up() -> None:
        ups.append("up")

    link = Link(tmp_path / "s", on_up=up, on_down=lambda: ups.append("down"))
    running = asyncio.create_task(link.run())
    for expected in (["up"], ["up", "down", "up"]):
        server = Server(tmp_path / "s", echo)
        await server.start()
        async with asyncio.timeout(5):
            while ups != expected or not link.up:
                await asyncio.sleep(0.01)
        assert await link.request({"do": "x"}) == {"did": "x"}
        await server.stop()
    running.cancel()
    await asyncio.wait({running})
    assert not link.up


async def test_a_link_that_we_leave_is_not_told_as_lost(tmp_path: Path) -> None:
    said: list[str] = []
    up = asyncio.Event()

    async def greet() -> None:
        up.set()

    server = Server(tmp_path / "s", echo)
    await server.start()
    running = asyncio.create_task(Link(tmp_path / "s", on_up=greet, on_down=lambda: said.append("down")).run())
    async with asyncio.timeout(5):
        await up.wait()
    running.cancel()
    await asyncio.wait({running})
    await server.stop()
    assert not said

"""Browsers' sound on audio-stream.sock, spoken to by a client that knows only the document."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from sound_measure import tone

from drivers.audio.stream import GIVEN_MOST, MOST_STREAMS, Streams
from drivers.audio.stream_wire import FRAME_OCTETS, RATE, frames

Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def streams(folder: Path) -> AsyncIterator[Streams]:
    made = Streams(folder / "audio-stream.sock")
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def connect(folder: Path, greeting: bytes) -> Pipe:
    reader, writer = await asyncio.open_unix_connection(str(folder / "audio-stream.sock"))
    writer.write(greeting)
    return reader, writer


async def answered(pipe: Pipe) -> dict[str, dict[str, str]]:
    async with asyncio.timeout(10):
        said: dict[str, dict[str, str]] = json.loads(await pipe[0].readline())
    return said


async def until(done: object) -> None:
    assert callable(done)
    async with asyncio.timeout(10):
        while not done():
            await asyncio.sleep(0.005)


async def hung_up(pipe: Pipe) -> None:
    pipe[1].close()
    await pipe[1].wait_closed()


async def test_sound_goes_both_ways_in_frames_of_20_ms(tmp_path: Path) -> None:
    async with streams(tmp_path) as server:
        end = server.endpoint("k1")
        assert (end.lost, end.rate, end.live) == ("gone", 16000, True)
        pipe = await connect(tmp_path, b'{"key":"k1"}\n')
        assert await answered(pipe) == {"ok": {}}
        assert end.lost == ""
        said = tone(1000, 0.2, RATE)
        pipe[1].write(said.tobytes()[:1001])
        pipe[1].write(said.tobytes()[1001:])
        heard: list[int] = []
        await until(lambda: heard.extend(end.take()) or len(heard) == len(said))
        assert np.array_equal(np.array(heard, dtype=np.int16), said)
        for at in range(0, len(said), 100):  # what is given has any length
            end.give(said[at : at + 100])
        async with asyncio.timeout(10):
            got = bytearray(await pipe[0].readexactly(2 * len(said)))
        assert bytes(got) == said.tobytes()
        assert [len(frame) for frame in frames(got)] == [FRAME_OCTETS] * 10
        await hung_up(pipe)


async def test_a_browser_that_goes_is_lost_and_comes_back_with_its_key(tmp_path: Path) -> None:
    async with streams(tmp_path) as server:
        end = server.endpoint("k1")
        pipe = await connect(tmp_path, b'{"key":"k1"}\n')
        await answered(pipe)
        await hung_up(pipe)
        await until(lambda: end.lost == "gone")
        end.give(tone(1000, 0.02, RATE))
        pipe = await connect(tmp_path, b'{"key":"k1"}\n')
        assert await answered(pipe) == {"ok": {}}
        assert end.lost == ""
        end.close()
        assert await pipe[0].read() == b"", "its call is over"
        assert end.lost == "closed"
        pipe[1].close()
        late = await connect(tmp_path, b'{"key":"k1"}\n')
        assert (await answered(late))["error"]["code"] == "unknown_key"
        late[1].close()


@pytest.mark.parametrize(
    ("greeting", "code"),
    [
        (b'{"key":"other"}\n', "unknown_key"),
        (b'{"key":"k1","more":1}\n', "bad_greeting"),
        (b"GET / HTTP/1.1\r\n", "bad_greeting"),
        (b"x" * 600, "bad_greeting"),
        (b'{"key":""}\n', "bad_greeting"),
    ],
)
async def test_who_has_no_key_is_refused_with_the_reason(tmp_path: Path, greeting: bytes, code: str) -> None:
    async with streams(tmp_path) as server:
        end = server.endpoint("k1")
        pipe = await connect(tmp_path, greeting)
        assert (await answered(pipe))["error"]["code"] == code
        assert await pipe[0].read() == b""
        assert end.lost == "gone"
        pipe[1].close()


async def test_a_second_browser_does_not_take_the_first_ones_call(tmp_path: Path) -> None:
    async with streams(tmp_path) as server:
        end = server.endpoint("k1")
        first = await connect(tmp_path, b'{"key":"k1"}\n')
        await answered(first)
        second = await connect(tmp_path, b'{"key":"k1"}\n')
        assert (await answered(second))["error"]["code"] == "in_use"
        assert end.lost == ""
        for pipe in (first, second):
            await hung_up(pipe)


async def test_users_outside_its_group_are_refused(tmp_path: Path) -> None:
    """By number, as the kernel tells it: another user cannot be had in a test."""
    server = Streams(tmp_path / "audio-stream.sock", uids={1234})
    assert server.refusal(0, 0) is None
    assert server.refusal(1234, 9999) is None
    refused = server.refusal(4321, 9999)
    assert refused is not None
    assert refused.code == "not_allowed"


async def test_a_browser_that_does_not_read_costs_a_bounded_memory(tmp_path: Path) -> None:
    async with streams(tmp_path) as server:
        end = server.endpoint("k1")
        pipe = await connect(tmp_path, b'{"key":"k1"}\n')
        await answered(pipe)
        pipe[1].transport.pause_reading()
        for _ in range(5000):
            end.give(tone(1000, 0.02, RATE))
        assert end.dropped > 0
        assert end.waiting_s * 2 * RATE <= GIVEN_MOST + FRAME_OCTETS
        assert end.lost == ""
        pipe[1].transport.abort()


async def test_who_never_says_a_key_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.audio.stream.GREETING_S", 0.05)
    async with streams(tmp_path) as server:
        pipe = await connect(tmp_path, b'{"key":')
        async with asyncio.timeout(10):
            assert await pipe[0].read() == b""
        pipe[1].close()
        await until(lambda: not server.connections)


async def test_more_connections_than_operators_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.audio.stream.MOST_STREAMS", 2)
    assert MOST_STREAMS > 8
    async with streams(tmp_path) as server:
        pipes = [await connect(tmp_path, b"") for _ in range(2)]
        await until(lambda: len(server.connections) == 2)
        late = await connect(tmp_path, b'{"key":"k1"}\n')
        async with asyncio.timeout(10):
            with_reset = await asyncio.gather(late[0].read(), return_exceptions=True)
        assert with_reset[0] == b"" or isinstance(with_reset[0], ConnectionError)
        for pipe in (*pipes, late):
            pipe[1].close()

"""A browser's sound between its WebSocket and audio's stream socket: bounds, death of either side, who may.

The socket is audio's real one; time is virtual.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.websockets import WebSocket

from drivers.audio.stream import Streams
from drivers.clock import VirtualClock
from drivers.jsonsocket import Gone, Refusal
from web.orders import Orders
from web.session import TOKEN, Sessions
from web.talk import AUDIO_AGAIN, DEAD_AFTER, ELSEWHERE, MOST_UP, NO_LOGIN, NOT_KNOWN, Frames, Talks, talk_key

FRAME = bytes(range(64)) * 10


class Browser:
    """One end of a WebSocket as the server's side gives it to the application."""

    def __init__(self, token: str) -> None:
        self.sent: list[bytes] = []
        self.texts: list[str] = []
        self.code: int | None = None
        self.says: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.says.put_nowait({"type": "websocket.connect"})
        cookie = f"{TOKEN}={token}".encode()
        self.websocket = WebSocket({"type": "websocket", "headers": [(b"cookie", cookie)]}, self.says.get, self._send)

    async def _send(self, message: Any) -> None:
        match message["type"]:
            case "websocket.send" if message.get("bytes"):
                self.sent.append(message["bytes"])
            case "websocket.send":
                self.texts.append(message["text"])
            case "websocket.close":
                self.code = message["code"]

    def speak(self, frame: bytes = FRAME) -> None:
        self.says.put_nowait({"type": "websocket.receive", "bytes": frame})

    async def speaks_on(self) -> None:
        while True:
            self.speak()
            await asyncio.sleep(0.02)

    def goes(self) -> None:
        self.says.put_nowait({"type": "websocket.disconnect", "code": 1001})


class Core:
    """Knows tokens that begin with "good"; `there`: it answers."""

    there = True

    async def ask(self, message: Any, within: float = 0.0) -> Any:
        if not self.there:
            raise Gone("no core")
        if not message["token"].startswith("good"):
            raise Refusal("login", "ended")
        return {"actor": "budi"}


class Room:
    def __init__(self, folder: Path, clock: VirtualClock) -> None:
        self.core = Core()
        self.streams = Streams(folder / "s.sock")
        self.talks = Talks(folder / "s.sock", Sessions(self.core, clock.now), 1.0)  # type: ignore[arg-type]

    @asynccontextmanager
    async def open(
        self, token: str = "good", *, speaks: bool = True
    ) -> AsyncIterator[tuple[Browser, asyncio.Task[None]]]:
        browser = Browser(token)
        tasks = [asyncio.create_task(self.talks.serve(browser.websocket))]
        if speaks:
            tasks.append(asyncio.create_task(browser.speaks_on()))
        try:
            yield browser, tasks[0]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


@pytest.fixture
def room(tmp_path: Path) -> Any:
    """Runs a story of this room on virtual time."""
    clock = VirtualClock()

    def play(story: Any) -> None:
        async def told() -> None:
            made = Room(tmp_path, clock)
            await made.streams.start()
            try:
                await story(made)
            finally:
                await made.streams.stop()

        run: Coroutine[Any, Any, None] = told()
        clock.run(run)

    return play


def test_sound_goes_both_ways_once_a_call_has_the_end(room: Any) -> None:
    async def story(room: Room) -> None:
        async with room.open() as (browser, _):
            await asyncio.sleep(1)
            assert set(browser.texts) == {"-"}
            end = room.streams.endpoint(talk_key("good"))
            await asyncio.sleep(1)
            assert browser.texts[-1] == "+"
            assert end.lost == ""
            assert end.take().tobytes().startswith(FRAME)
            end.give(np.arange(320, dtype=np.int16))
            await asyncio.sleep(0.01)
            assert browser.sent == [np.arange(320, dtype="<i2").tobytes()]

    room(story)


def test_a_browser_that_says_nothing_is_dead_within_two_seconds(room: Any) -> None:
    async def story(room: Room) -> None:
        end = room.streams.endpoint(talk_key("good"))
        async with room.open(speaks=False) as (browser, serving):
            browser.speak()
            await asyncio.sleep(DEAD_AFTER - 0.1)
            assert not end.lost
            await asyncio.sleep(0.2)
            assert serving.done()
            assert end.lost == "gone"

    room(story)


def test_audio_that_starts_anew_gets_the_sound_back_by_itself(room: Any) -> None:
    async def story(room: Room) -> None:
        room.streams.endpoint(talk_key("good"))
        async with room.open():
            await asyncio.sleep(0.5)
            assert room.streams.connections
            await room.streams.stop()
            await asyncio.sleep(1)
            await room.streams.start()
            end = room.streams.endpoint(talk_key("good"))
            await asyncio.sleep(AUDIO_AGAIN + 0.1)
            assert end.lost == ""

    room(story)


def test_the_newest_page_has_the_end_and_the_one_before_is_told(room: Any) -> None:
    async def story(room: Room) -> None:
        end = room.streams.endpoint(talk_key("good"))
        async with room.open() as (first, _):
            await asyncio.sleep(0.5)
            async with room.open() as (second, _):
                await asyncio.sleep(0.5)
                assert first.code == ELSEWHERE
                assert second.code is None
                assert end.lost == ""
                assert second.texts[-1] == "+"

    room(story)


def test_without_a_login_there_is_no_sound_and_a_logout_ends_it(room: Any) -> None:
    async def story(room: Room) -> None:
        for token in ("", "bad"):
            async with room.open(token) as (browser, serving):
                await serving
                assert browser.code == NO_LOGIN
        async with room.open() as (browser, serving):
            await asyncio.sleep(0.1)
            await room.talks.leave("good")
            await serving
            assert browser.code == NO_LOGIN
        room.core.there = False
        async with room.open("good, but core cannot say so") as (browser, serving):
            await serving
            assert browser.code == NOT_KNOWN

    room(story)


def test_what_is_no_frame_of_sound_goes_nowhere(room: Any) -> None:
    async def story(room: Room) -> None:
        end = room.streams.endpoint(talk_key("good"))
        async with room.open(speaks=False) as (browser, serving):
            await asyncio.sleep(0.5)
            for odd in (b"", b"x", FRAME + b"x", FRAME[:-1]):
                browser.speak(odd)
            browser.says.put_nowait({"type": "websocket.receive", "text": "hello"})
            browser.speak(FRAME)
            await asyncio.sleep(0.01)
            assert end.take().tobytes() == FRAME
            browser.goes()
            await serving
            await asyncio.sleep(0.01)
            assert end.lost == "gone"

    room(story)


async def test_what_waits_is_bounded_and_the_oldest_goes() -> None:
    frames = Frames(MOST_UP)
    for n in range(1000):
        frames.put(n.to_bytes(2))
    assert len(frames) == MOST_UP
    assert await frames.get() == (1000 - MOST_UP).to_bytes(2)


def test_a_key_tells_nothing_of_its_session_and_outlives_web() -> None:
    token = os.urandom(16).hex()
    assert talk_key(token) == talk_key(token)
    assert len(talk_key(token)) == 32
    assert token not in talk_key(token)
    assert talk_key("") == ""


async def test_an_answer_names_the_persons_place() -> None:
    asked: list[Any] = []

    class Asked(Core):
        up = True

        async def ask(self, message: Any, within: float = 0.0) -> Any:
            asked.append(message)
            return {}

    class Words:
        def __call__(self, key: str, **fields: object) -> str:
            return key

        def has(self, key: str) -> bool:
            return True

    orders = Orders(Asked(), Words())  # type: ignore[arg-type]
    for talk in ("browser", "headset", "another person's key"):
        await orders.give("/call/answer", {"line": "l1", "talk": talk}, "good")
    await orders.give("/call/answer", {"line": "l1"}, "good")
    assert [a.get("talk") for a in asked] == [talk_key("good"), "headset", "", None]

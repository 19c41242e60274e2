"""An operator's voice: a browser's WebSocket on one side, `siaga audio`'s stream socket on the other.

Frames of 20 ms both ways (drivers/audio/stream_wire.py), binary, one a message. Nothing waits behind: what is late is
dropped, oldest first. The page sends all the time, also muted, and hears a text each half second: so each side knows
that the other is there.
"""

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from drivers.audio.stream_wire import FRAME_OCTETS, MAX_LINE, Answer, Greeting
from web.session import Sessions, Who, token_of

MOST_TALKS = 32  # as many as audio takes
MOST_UP = 10  # frames (200 ms) for a moment in which audio does not read
MOST_DOWN = 15  # frames (300 ms) for a moment in which the way to the browser is full
DEAD_AFTER = 1.8  # s without a frame from the page
TELL_EVERY = 0.5  # s between signs of life to the page
AUDIO_AGAIN = 0.2  # s between attempts at audio: it is not there, or no call has this person's end yet
ANSWER_WITHIN = 2.0  # s for audio's answer to a key

# Closing codes of our own; the page's talk.js knows them.
NO_LOGIN, ELSEWHERE, TOO_MANY, NOT_KNOWN = 4401, 4409, 4429, 4503
JOINED, APART = "+", "-"  # texts to the page: a call's end is joined to it, or none is. Both are signs of life

log = logging.getLogger("siaga.web.talk")


def talk_key(token: str) -> str:
    """What core and audio call a session's sound: of the token, so that it outlives web, and tells nothing of it."""
    return hashlib.blake2b(token.encode(), digest_size=16, person=b"siaga talk").hexdigest() if token else ""


class Frames:
    """A bounded queue that drops its oldest."""

    def __init__(self, most: int) -> None:
        self._frames: deque[bytes] = deque(maxlen=most)
        self._there = asyncio.Event()

    def put(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._there.set()

    async def get(self) -> bytes:
        while not self._frames:
            self._there.clear()
            await self._there.wait()
        return self._frames.popleft()

    def clear(self) -> None:
        self._frames.clear()

    def __len__(self) -> int:
        return len(self._frames)


class Talks:
    """`serve` handles the route; `socket` is audio's. One talk a session: the newest page has it."""

    def __init__(self, socket: Path, sessions: Sessions, speed: float) -> None:
        self._socket, self._sessions, self._speed = socket, sessions, speed
        self._talks: dict[str, Talk] = {}

    async def serve(self, websocket: WebSocket) -> None:
        """From its opening to its end. Where it comes from was checked before (web/guard.py)."""
        token = token_of(websocket)
        who = await self._sessions.who(token)
        await websocket.accept()
        key = talk_key(token)
        if code := self._refusal(who, key):
            await websocket.close(code)
            return
        while before := self._talks.pop(key, None):  # another page may have come while the one before let go
            await before.end(ELSEWHERE)
        talk = self._talks[key] = Talk(websocket, key, self._socket, self._speed)
        try:
            await talk.run()
        finally:
            if self._talks.get(key) is talk:
                del self._talks[key]

    def _refusal(self, who: Who, key: str) -> int:
        if not who.known:
            return NO_LOGIN if who.ended or not key else NOT_KNOWN
        return TOO_MANY if len(self._talks) >= MOST_TALKS and key not in self._talks else 0

    async def leave(self, token: str) -> None:
        """A person logged out. A login that ends by itself cuts nobody off in a call."""
        if talk := self._talks.pop(talk_key(token), None):
            await talk.end(NO_LOGIN)


class Talk:
    """One browser's sound."""

    def __init__(self, websocket: WebSocket, key: str, socket: Path, speed: float) -> None:
        self._websocket, self._key, self._socket, self._speed = websocket, key, socket, speed
        self._up, self._down = Frames(MOST_UP), Frames(MOST_DOWN)
        self._ended, self._over = asyncio.Event(), asyncio.Event()
        self._code = 1000
        self._joined = False
        self._changed = asyncio.Event()

    async def end(self, code: int) -> None:
        """Close it and wait until it has let go of audio's end."""
        self._code = code
        self._ended.set()
        await self._over.wait()

    async def run(self) -> None:
        """Until the browser goes, is dead, or `end` is called."""
        work: list[Callable[[], Awaitable[None]]] = [
            self._hear_browser, self._tell_browser, self._sign_of_life, self._audio, self._until_ended,
        ]  # fmt: skip
        tasks = [asyncio.ensure_future(each()) for each in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if (error := task.exception()) and not isinstance(error, (WebSocketDisconnect, TimeoutError)):
                    raise error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self._over.set()
        await self._close()

    async def _close(self) -> None:
        """Say why, where somebody is there to hear it."""
        if self._websocket.client_state is WebSocketState.CONNECTED:
            with suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
                async with asyncio.timeout(TELL_EVERY * self._speed):
                    await self._websocket.close(self._code)

    async def _until_ended(self) -> None:
        await self._ended.wait()

    async def _hear_browser(self) -> None:
        while True:
            async with asyncio.timeout(DEAD_AFTER * self._speed):
                message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            frame = message.get("bytes") or b""
            if len(frame) == FRAME_OCTETS:
                self._up.put(frame)

    async def _tell_browser(self) -> None:
        while True:
            await self._websocket.send_bytes(await self._down.get())

    async def _sign_of_life(self) -> None:
        while True:
            self._changed.clear()
            await self._websocket.send_text(JOINED if self._joined else APART)
            with suppress(TimeoutError):
                async with asyncio.timeout(TELL_EVERY * self._speed):
                    await self._changed.wait()

    async def _audio(self) -> None:
        """Keep the way to audio: it may start anew in a call, or no call may have this person's end yet."""
        while True:
            with suppress(OSError, EOFError, TimeoutError, ValueError):  # msgspec's errors are of the last kind
                await self._through_audio()
            self._is_joined(False)
            await asyncio.sleep(AUDIO_AGAIN * self._speed)

    def _is_joined(self, joined: bool) -> None:
        if joined is not self._joined:
            self._joined = joined
            self._changed.set()

    async def _through_audio(self) -> None:
        async with asyncio.timeout(ANSWER_WITHIN * self._speed):
            reader, writer = await asyncio.open_unix_connection(self._socket, limit=MAX_LINE)
        try:
            writer.write(msgspec.json.encode(Greeting(self._key)) + b"\n")
            async with asyncio.timeout(ANSWER_WITHIN * self._speed):
                answer = msgspec.json.decode(await reader.readuntil(), type=Answer)
            if answer.ok is None:
                return
            self._is_joined(True)
            self._up.clear()  # what was said before the call is nobody's
            log.info("an operator's browser is joined to a call")
            await self._carry(reader, writer)
        finally:
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sending = asyncio.ensure_future(self._to_audio(writer))
        try:
            while True:
                self._down.put(await reader.readexactly(FRAME_OCTETS))
        finally:
            sending.cancel()
            await asyncio.wait({sending})

    async def _to_audio(self, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=FRAME_OCTETS)
        while True:
            writer.write(await self._up.get())
            await writer.drain()

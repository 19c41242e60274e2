"""Unix sockets that carry one line of JSON a message: the control socket, the annunciator, the simulators' knobs.

A request is an object with `id`; its answer has `re` (the same id) and `ok` or `error {code, text, next}`.
A message without `id` and `re` is a push. Lines are bounded, slow readers are cut off, the kernel names the peer.
"""

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

Message = dict[str, Any]

MAX_LINE = 8 << 20  # bytes; a page's whole view is some 50 kB, and 1 MB while 1,000 stations are woken
MAX_UNSENT = 16 << 20  # bytes buffered for a peer that does not read; then it is cut off
MAX_OPEN_REQUESTS = 64  # a peer; a browser's operator has one or two
RETRY_FIRST, RETRY_MOST = 0.1, 2.0  # s between attempts of a Link
UCRED = struct.Struct("iII")  # struct ucred of unix(7)

log = logging.getLogger(__name__)


class Refusal(Exception):
    """The other side understood and said no. `next` is what a person should do."""

    def __init__(self, code: str, text: str, next: str = "") -> None:
        super().__init__(f"{text}{' ' if next else ''}{next}")
        self.code, self.text, self.next = code, text, next


class Gone(ConnectionError):
    """The socket is not there, closed, or did not answer in time."""


class Peer(asyncio.Protocol):
    """One open connection, at either end. `uid`, `gid`, `pid` are the other process's, told by the kernel."""

    def __init__(
        self,
        on_message: Callable[["Peer", Message], None],
        on_open: Callable[["Peer"], None] | None = None,
        on_gone: Callable[["Peer"], None] | None = None,
    ) -> None:
        self._on_message, self._on_open, self._on_gone = on_message, on_open, on_gone
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self.pid = self.uid = self.gid = -1

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        sock = transport.get_extra_info("socket")
        self.pid, self.uid, self.gid = UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size))
        if self._on_open:
            self._on_open(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            if line:
                self._take(line)
        if len(self._buffer) > MAX_LINE:
            self.close()

    def _take(self, line: bytes) -> None:
        try:
            message = msgspec.json.decode(line)
        except msgspec.DecodeError as e:
            self.send(
                {
                    "error": {
                        "code": "not_json",
                        "text": f"This line is not JSON: {e}.",
                        "next": "Send one JSON object a line.",
                    }
                }
            )
            return
        if isinstance(message, dict):
            self._on_message(self, message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._on_gone:
            self._on_gone(self)

    def send(self, message: Message) -> bool:
        """Queue a message; False when the peer is gone or was cut off for not reading."""
        if self._transport is None or self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size() > MAX_UNSENT:
            self._transport.abort()
            return False
        self._transport.write(msgspec.json.encode(message) + b"\n")
        return True

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


Handler = Callable[[Peer, Message], Awaitable[Any]]


class Server:
    """Answers requests on a Unix socket by `handler`; what it returns is the answer's `ok`."""

    def __init__(
        self, path: Path, handler: Handler, *, mode: int = 0o660, on_gone: Callable[[Peer], None] | None = None
    ) -> None:
        self._path, self._handler, self._mode, self._on_gone = path, handler, mode, on_gone
        self._server: asyncio.AbstractServer | None = None
        self._work: dict[Peer, set[asyncio.Task[None]]] = {}

    async def start(self) -> None:
        """Listen; takes over the path of a server that died. Raises OSError when another one still answers."""
        if self._path.exists():
            with contextlib.suppress(ConnectionError, FileNotFoundError), socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(1.0)
                probe.connect(str(self._path))
                raise OSError(f"{self._path}: another process listens there; stop it first.")
            self._path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(
            lambda: Peer(self._received, self._opened, self._lost), str(self._path)
        )
        self._path.chmod(self._mode)

    def _opened(self, peer: Peer) -> None:
        self._work[peer] = set()

    def _lost(self, peer: Peer) -> None:
        # Work already taken on is finished: an order must not hang on its giver's connection.
        self._work.pop(peer, None)
        if self._on_gone:
            self._on_gone(peer)

    def _received(self, peer: Peer, message: Message) -> None:
        tasks = self._work.setdefault(peer, set())
        if len(tasks) >= MAX_OPEN_REQUESTS:
            peer.send(
                {
                    "re": message.get("id"),
                    "error": {"code": "busy", "text": "Too many open requests.", "next": "Wait for answers."},
                }
            )
            return
        task = asyncio.get_running_loop().create_task(self._answer(peer, message))
        tasks.add(task)
        task.add_done_callback(lambda done: self._answered(done, tasks, peer, message))

    def _answered(self, task: asyncio.Task[None], tasks: set[asyncio.Task[None]], peer: Peer, message: Message) -> None:
        tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s: the request %r failed", self._path, message.get("do"), exc_info=error)
            fault = {"code": "fault", "text": f"It failed: {error!r}.", "next": "Look for it in this box's log."}
            peer.send({"re": message.get("id"), "error": fault})

    async def _answer(self, peer: Peer, message: Message) -> None:
        try:
            ok = await self._handler(peer, message)
        except Refusal as e:
            reply: Message = {"error": {"code": e.code, "text": e.text, "next": e.next}}
        else:
            reply = {"ok": ok}
        if "id" in message:
            peer.send({"re": message["id"], **reply})

    def broadcast(self, message: Message) -> None:
        """Push to every open peer."""
        for peer in list(self._work):
            peer.send(message)

    async def stop(self) -> None:
        if self._server:
            self._server.close()
            for peer in list(self._work):
                peer.close()
            self._path.unlink(missing_ok=True)


class Client:
    """One connection to a Server. `on_push` gets what was not asked for."""

    def __init__(
        self, path: Path, on_push: Callable[[Message], None] | None = None, on_gone: Callable[[], None] | None = None
    ) -> None:
        self._path, self._on_push, self._on_gone = path, on_push, on_gone
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._next_id = 0
        self._peer: Peer | None = None

    @property
    def open(self) -> bool:
        return self._peer is not None and self._peer.open

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, self._peer = await loop.create_unix_connection(
                lambda: Peer(self._received, on_gone=self._lost), str(self._path)
            )
        except OSError as e:
            raise Gone(f"{self._path}: nobody answers there ({e.strerror}).") from e

    async def request(self, message: Message, *, timeout: float = 5.0) -> Any:
        """Send a request and return its `ok`. Raises Refusal (the other side's no) or Gone."""
        if self._peer is None:
            raise Gone(f"{self._path}: not connected.")
        self._next_id += 1
        mine = self._next_id
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[mine] = future
        try:
            if not self._peer.send({**message, "id": mine}):
                raise Gone(f"{self._path}: the connection is closed.")
            async with asyncio.timeout(timeout):
                return await future
        except TimeoutError as e:
            raise Gone(f"{self._path}: no answer within {timeout} s.") from e
        finally:
            self._waiting.pop(mine, None)

    def send(self, message: Message) -> bool:
        """Send without waiting for an answer."""
        return self._peer is not None and self._peer.send(message)

    def _received(self, _peer: Peer, message: Message) -> None:
        if "re" not in message:
            if self._on_push:
                self._on_push(message)
            return
        future = self._waiting.pop(message["re"], None)
        if future is None or future.done():
            return
        if error := message.get("error"):
            future.set_exception(Refusal(error.get("code", "error"), error.get("text", ""), error.get("next", "")))
        else:
            future.set_result(message.get("ok"))

    def _lost(self, _peer: Peer) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(Gone(f"{self._path}: the other side closed the connection."))
        self._waiting.clear()
        if self._on_gone:
            self._on_gone()

    def close(self) -> None:
        if self._peer:
            self._peer.close()


class Link:
    """A Client that connects again for as long as `run()` runs. `on_up` is awaited after each connection.

    `on_down` is for a connection that was lost, not for one that we leave: whoever cancels `run()` knows it.
    """

    def __init__(
        self,
        path: Path,
        *,
        on_up: Callable[[], Awaitable[None]] | None = None,
        on_push: Callable[[Message], None] | None = None,
        on_down: Callable[[], None] | None = None,
        retry_most: float = RETRY_MOST,
    ) -> None:
        self._retry_most = retry_most
        self._path, self._on_up, self._on_push, self._on_down = path, on_up, on_push, on_down
        self._client: Client | None = None

    @property
    def up(self) -> bool:
        return self._client is not None and self._client.open

    async def run(self) -> None:
        wait = RETRY_FIRST
        while True:
            gone, left = asyncio.Event(), False
            client = Client(self._path, self._on_push, gone.set)
            try:
                await client.connect()
                self._client = client
                if self._on_up:
                    await self._on_up()
                wait = RETRY_FIRST
                await gone.wait()
            except (Gone, Refusal):
                pass  # not there, or it said no: closed below, tried again
            except asyncio.CancelledError:
                left = True
                raise
            finally:
                client.close()
                was_up, self._client = self._client is not None, None
                if was_up and self._on_down and not left:
                    self._on_down()
            await asyncio.sleep(wait)
            wait = min(wait * 2, self._retry_most)

    async def request(self, message: Message, *, timeout: float = 5.0) -> Any:
        if self._client is None:
            raise Gone(f"{self._path}: not connected.")
        return await self._client.request(message, timeout=timeout)

    def send(self, message: Message) -> bool:
        return self._client is not None and self._client.send(message)

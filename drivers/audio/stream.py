"""Operators' browsers as ends of a bridge: `siaga web` connects for each and carries its sound (stream_wire.py).

A key opens one end. A connection that goes leaves the end lost; the next one with the same key brings it back.
"""

import asyncio
import os
import socket
from collections.abc import Collection
from pathlib import Path

import msgspec
import numpy as np

from drivers.audio.endpoint import Pcm
from drivers.audio.errors import CLOSED, GONE
from drivers.audio.ring import SAMPLE, Ring
from drivers.audio.stream_wire import FRAME_OCTETS, GREETING_S, MAX_LINE, RATE, Answer, Greeting, Said
from drivers.jsonsocket import UCRED

KEPT_S = 0.5  # s of heard sound
GIVEN_MOST = 25 * FRAME_OCTETS  # octets that web has not read; half a second late, a talk is none
MOST_STREAMS = 32  # connections; more than operators


class StreamEndpoint:
    """Made by `Streams.endpoint`; lost until its browser is there."""

    rate = RATE
    live = True
    finished = False

    def __init__(self) -> None:
        self.lost = GONE
        self.dropped = 0  # frames that the browser's way did not take
        self._heard = Ring(int(RATE * KEPT_S))
        self._rest = b""  # given sound that fills no frame yet
        self._connection: _Connection | None = None

    @property
    def waiting_s(self) -> float:
        unsent = self._connection.unsent if self._connection else 0
        return (unsent + len(self._rest)) / SAMPLE / RATE

    def take(self) -> Pcm:
        return np.frombuffer(self._heard.get(), dtype="<i2").astype(np.int16, copy=False)

    def give(self, pcm: Pcm) -> None:
        if self._connection is None:
            return
        octets = self._rest + pcm.astype("<i2", copy=False).tobytes()
        whole = len(octets) - len(octets) % FRAME_OCTETS
        self._rest = octets[whole:]
        if self._connection.unsent > GIVEN_MOST:
            self.dropped += 1
        elif whole:
            self._connection.send(octets[:whole])

    def close(self) -> None:
        """The key opens nothing any more."""
        self.lost = CLOSED
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def joined(self, connection: "_Connection") -> bool:
        """False when another connection has this end."""
        if self._connection is not None or self.lost == CLOSED:
            return False
        self._connection, self._rest, self.lost = connection, b"", ""
        self._heard.clear()
        return True

    def left(self) -> None:
        self._connection = None
        if self.lost != CLOSED:
            self.lost = GONE

    def received(self, octets: bytes) -> None:
        """Whole samples."""
        self._heard.put(octets)


class Streams:
    """The socket. `uids`: users besides root and our own who may connect; our own group may too."""

    def __init__(self, path: Path, uids: Collection[int] = ()) -> None:
        self._path = path
        self._uids = {0, os.geteuid(), *uids}
        self._ends: dict[str, StreamEndpoint] = {}
        self._server: asyncio.AbstractServer | None = None
        self.connections: set[_Connection] = set()

    def endpoint(self, key: str) -> StreamEndpoint:
        """The end that this key opens. A second one under the same key closes the first."""
        if (known := self._ends.get(key)) is not None:
            known.close()
        for gone in [other for other, end in self._ends.items() if end.lost == CLOSED]:
            del self._ends[gone]
        end = self._ends[key] = StreamEndpoint()
        return end

    async def start(self) -> None:
        """Listen; takes over the path of a process that died."""
        self._path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Connection(self), str(self._path))
        self._path.chmod(0o660)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for connection in list(self.connections):
                connection.close()
            self._path.unlink(missing_ok=True)

    def admitted(self, connection: "_Connection", line: bytes) -> StreamEndpoint | Said:
        """The end that a first line opens, or why it opens none."""
        try:
            greeting = msgspec.json.decode(line, type=Greeting)
        except msgspec.MsgspecError as e:
            return Said("bad_greeting", f"The first line is no greeting ({e}).", 'Send {"key":"..."}.')
        end = self._ends.get(greeting.key)
        if end is None or end.lost == CLOSED:
            return Said("unknown_key", "No end of a call has this key.", "Ask core for a new one.")
        if not end.joined(connection):
            return Said("in_use", "Another connection has this end.", "Close that page, or ask core for a new key.")
        return end

    def refusal(self, uid: int, gid: int) -> Said | None:
        if uid in self._uids or gid == os.getegid():
            return None
        return Said("not_allowed", f"User {uid} may not carry sound.", "Run web as a user of audio's group.")


class _Connection(asyncio.Protocol):
    """First a line, then sound."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._end: StreamEndpoint | None = None
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def unsent(self) -> int:
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def send(self, octets: bytes) -> None:
        if self._transport is not None:
            self._transport.write(octets)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        sock = transport.get_extra_info("socket")
        _, uid, gid = UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size))
        if refusal := self._streams.refusal(uid, gid):
            self._refuse(refusal)
        elif len(self._streams.connections) >= MOST_STREAMS:
            transport.abort()
        else:
            self._streams.connections.add(self)
            self._deadline = asyncio.get_running_loop().call_later(GREETING_S, transport.abort)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._end is None and not self._greeted():
            return
        whole = len(self._buffer) - len(self._buffer) % SAMPLE
        if self._end is not None and whole:
            self._end.received(bytes(self._buffer[:whole]))
            del self._buffer[:whole]

    def _greeted(self) -> bool:
        line, newline, _ = bytes(self._buffer[:MAX_LINE]).partition(b"\n")
        if not newline:
            if len(line) >= MAX_LINE:
                self._refuse(Said("bad_greeting", f"The first line has more than {MAX_LINE} octets."))
            return False
        del self._buffer[: len(line) + 1]
        if self._deadline is not None:
            self._deadline.cancel()
        admitted = self._streams.admitted(self, line)
        if isinstance(admitted, Said):
            self._refuse(admitted)
            return False
        self._end = admitted
        self.send(msgspec.json.encode(Answer(ok={})) + b"\n")
        return True

    def _refuse(self, why: Said) -> None:
        self.send(msgspec.json.encode(Answer(error=why)) + b"\n")
        self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._streams.connections.discard(self)
        if self._deadline is not None:
            self._deadline.cancel()
        if self._end is not None:
            self._end.left()
            self._end = None

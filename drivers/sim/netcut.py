"""A TCP proxy whose lines can be cut like a cable: nothing passes, and neither end is told.

`python -m drivers.sim.netcut --to PORT --knobs PATH [--listen 0 | --line NAME=PORT ...]` prints one line,
`{"ready": true, "port": N}` or `{"ready": true, "ports": {"NAME": N}}`. Everything is on 127.0.0.1.
"""

import argparse
import asyncio
import contextlib
import socket
import sys
from pathlib import Path
from typing import Any

import msgspec

from drivers.clock import Clock
from drivers.sim.knobs import Knobs

CHUNK = 4096  # bytes read at once
CHUNKS_UNDER_WAY = 64  # a direction; more stay in the kernel's buffers, and then with the sender
MAX_CONNECTIONS = 256  # a line
BACKLOG = 64  # connections the kernel takes on while the line is cut; further ones hang unanswered
CONNECT_WITHIN = 60.0  # s; the target is on this host
MAX_SLOW_MS = 60_000


class Connection:
    """One client's connection and its continuation to the target."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self.target = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        for sock in (self.client, self.target):
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        self.client.close()
        self.target.close()


class Line:
    """A listening port, and the port on which it goes on. `run()` accepts and passes on until cancelled."""

    def __init__(self, listen: int, to: int) -> None:
        self.to = to
        self.slow_ms = 0
        self.bytes_passed = 0
        self._running: dict[Connection, asyncio.Task[None]] = {}
        self._frozen: list[Connection] = []
        self._open = asyncio.Event()
        self._open.set()
        self._listener = socket.create_server(("127.0.0.1", listen), backlog=BACKLOG)
        self._listener.setblocking(False)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def is_cut(self) -> bool:
        return not self._open.is_set()

    def cut(self) -> None:
        """Existing connections freeze and new ones get no answer."""
        self._open.clear()
        for connection, task in self._running.items():
            self._frozen.append(connection)
            task.cancel()
        self._running.clear()

    def restore(self) -> None:
        """New connections pass; frozen ones are closed."""
        for connection in self._frozen:
            connection.close()
        self._frozen.clear()
        self._open.set()

    def status(self) -> dict[str, Any]:
        return {
            "port": self.port,
            "to": self.to,
            "cut": self.is_cut,
            "slow_ms": self.slow_ms,
            "connections": len(self._running),
            "frozen": len(self._frozen),
            "bytes_passed": self.bytes_passed,
        }

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as connections:
                while True:
                    await self._open.wait()
                    client, _ = await loop.sock_accept(self._listener)
                    connection = Connection(client)
                    if self.is_cut:  # it came while this waited
                        self._frozen.append(connection)
                    elif len(self._running) >= MAX_CONNECTIONS:
                        connection.close()
                    else:
                        self._running[connection] = connections.create_task(self._carry(connection))
        finally:
            self._listener.close()
            for connection in (*self._running, *self._frozen):
                connection.close()

    async def _carry(self, connection: Connection) -> None:
        """Pass on both directions until both ended, or until the line is cut: then the sockets stay as they are."""
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                await asyncio.get_running_loop().sock_connect(connection.target, ("127.0.0.1", self.to))
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(connection.client, connection.target))
                both.create_task(self._pass(connection.target, connection.client))
        except* OSError:  # refused, reset, or no answer in time: the other end sees the same
            pass
        finally:
            if self._running.pop(connection, None):
                connection.close()

    async def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        """One direction; each chunk leaves `slow_ms` after it came. Its end passes on as well."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS_UNDER_WAY)
        async with asyncio.TaskGroup() as ends:
            ends.create_task(self._read(source, under_way))
            ends.create_task(self._write(sink, under_way))

    async def _read(self, source: socket.socket, under_way: asyncio.Queue[tuple[float, bytes]]) -> None:
        loop = asyncio.get_running_loop()
        chunk = b"-"
        while chunk:
            chunk = await loop.sock_recv(source, CHUNK)
            await under_way.put((loop.time() + self.slow_ms / 1000, chunk))

    async def _write(self, sink: socket.socket, under_way: asyncio.Queue[tuple[float, bytes]]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, chunk = await under_way.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            if not chunk:
                with contextlib.suppress(OSError):  # it may be closed already
                    sink.shutdown(socket.SHUT_WR)
                return
            await loop.sock_sendall(sink, chunk)
            self.bytes_passed += len(chunk)


class Netcut:
    """All lines of one process, and the knobs on them. With one line, a knob needs no name."""

    def __init__(self, lines: dict[str, Line]) -> None:
        self.lines = lines

    def knobs(self) -> dict[str, Any]:
        return {
            "net.cut": self.cut,
            "net.restore": self.restore,
            "net.slow": self.slow,
            "net.port": self.port,
            "status": self.status,
        }

    def _line(self, name: str | None) -> Line:
        if name is None and len(self.lines) == 1:
            return next(iter(self.lines.values()))
        if name not in self.lines:
            raise ValueError(f"there is no line {name!r}; lines: {', '.join(sorted(self.lines))}")
        return self.lines[name]

    def cut(self, line: str | None = None) -> None:
        self._line(line).cut()

    def restore(self, line: str | None = None) -> None:
        self._line(line).restore()

    def slow(self, ms: int, line: str | None = None) -> None:
        if not 0 <= ms <= MAX_SLOW_MS:
            raise ValueError(f"{ms} ms is not between 0 and {MAX_SLOW_MS}")
        self._line(line).slow_ms = ms

    def port(self, to_port: int, line: str | None = None) -> None:
        """Where new connections go on."""
        if not 0 < to_port < 65536:
            raise ValueError(f"{to_port} is no TCP port")
        self._line(line).to = to_port

    def status(self) -> dict[str, Any]:
        return {name: line.status() for name, line in self.lines.items()}


async def serve(lines: dict[str, int], to: int, knobs_path: Path, listen: int = 0) -> None:
    """Run named lines (name -> listening port, 0: a free one), or one on `listen`, until cancelled."""
    netcut = Netcut({name: Line(port, to) for name, port in (lines or {"line": listen}).items()})
    knobs = Knobs(knobs_path, netcut.knobs())
    await knobs.start()
    ports = {name: line.port for name, line in netcut.lines.items()}
    ready = {"ready": True, "ports": ports} if lines else {"ready": True, "port": ports["line"]}
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()
    try:
        async with asyncio.TaskGroup() as tasks:
            for line in netcut.lines.values():
                tasks.create_task(line.run())
    finally:
        await knobs.stop()


def _named_port(text: str) -> tuple[str, int]:
    name, _, port = text.partition("=")
    return name, int(port)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m drivers.sim.netcut", description=__doc__)
    parser.add_argument("--to", type=int, required=True, help="where all lines go on, on 127.0.0.1")
    parser.add_argument("--listen", type=int, default=0, help="port of the only line; 0: any free one")
    parser.add_argument("--line", type=_named_port, action="append", default=[], metavar="NAME=PORT")
    parser.add_argument("--knobs", type=Path, required=True, help="the Unix socket of its knobs")
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        Clock.from_environment().run(serve(dict(arguments.line), arguments.to, arguments.knobs, arguments.listen))


if __name__ == "__main__":
    main()

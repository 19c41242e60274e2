"""Opens a TCP connection without ever holding up the event loop, name look-up included."""

import asyncio
import functools
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor

Address = tuple[socket.AddressFamily, tuple[str | int | bytes, ...]]


class Dialer:
    """Dials one host and port, as often as it is asked to.

    An IP address needs no look-up. A name is looked up in a thread of the dialer's own: when a network is gone the
    resolver hangs for half a minute, and the loop's shared threads must not fill up with that.
    """

    def __init__(self, host: str, port: int) -> None:
        if not host or not 0 < port < 65536:
            raise ValueError(f"{host!r}, port {port}: not a host and a TCP port.")
        self.host, self.port = host, port
        self._resolver: ThreadPoolExecutor | None = None

    async def dial(self, *, timeout: float) -> socket.socket:
        """A connected non-blocking socket with TCP_NODELAY. Raises OSError (TimeoutError after `timeout` seconds)."""
        failure = OSError(f"{self.host}: no address.")
        async with asyncio.timeout(timeout):
            for family, address in await self._addresses():
                try:
                    return await self._connect(family, address)
                except OSError as e:
                    failure = e
        raise failure

    async def _connect(self, family: socket.AddressFamily, address: tuple[str | int | bytes, ...]) -> socket.socket:
        sock = socket.socket(family, socket.SOCK_STREAM)
        connected = False
        try:
            sock.setblocking(False)
            # Without it a small message waits for the other side's delayed acknowledgement: 43 ms a hop.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(sock, address)
            connected = True
        finally:
            if not connected:
                sock.close()
        return sock

    async def _addresses(self) -> list[Address]:
        try:
            literal = ipaddress.ip_address(self.host)
        except ValueError:
            if self._resolver is None:
                self._resolver = ThreadPoolExecutor(max_workers=1, thread_name_prefix="resolver")
            look_up = functools.partial(socket.getaddrinfo, self.host, self.port, type=socket.SOCK_STREAM)
            found = await asyncio.get_running_loop().run_in_executor(self._resolver, look_up)
            return [(family, address) for family, _, _, _, address in found]
        return [(socket.AF_INET if literal.version == 4 else socket.AF_INET6, (self.host, self.port))]

    def close(self) -> None:
        """Let go of the resolver's thread; a look-up that hangs is left to end by itself."""
        if self._resolver is not None:
            self._resolver.shutdown(wait=False, cancel_futures=True)
            self._resolver = None

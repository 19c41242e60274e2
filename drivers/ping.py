"""Asks an address whether it is there: ICMP echo, without rights where the kernel lets us, else by other ways.

Each probe has octets of its own in it, so a late answer, or another program's, is never taken for this one's.
"""

import asyncio
import errno
import ipaddress
import secrets
import socket
import struct
from typing import Literal

from msgspec import Struct

ECHO_REQUEST = {4: 8, 6: 128}  # RFC 792, RFC 4443
ECHO_REPLY = {4: 0, 6: 129}
HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
PAYLOAD = 16  # octets nobody else has; small enough for every path
MOST_ANSWER = 2048  # octets
CLOSED_PORT = 33434  # the first of traceroute's: nobody listens there, and a host that is there says so
FORBIDDEN = (errno.EACCES, errno.EPERM)

Way = Literal["ping", "raw", "udp"]
Why = Literal["no_answer", "no_route", "forbidden"]


class NoEcho(OSError):
    """The address did not answer a probe; `why` is the code of the reason."""

    def __init__(self, why: Why, text: str) -> None:
        super().__init__(text)
        self.why = why


class Echo(Struct, frozen=True):
    """An answer: after how many seconds, and by which way it was asked for."""

    seconds: float
    way: Way


class Ping:
    """Asks one IPv4 or IPv6 address. Raises ValueError for what is none: a name would need the resolver first."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._version = ipaddress.ip_address(address).version
        self._forbidden: set[Way] = set()
        self._knocked = False  # a closed port there has answered once: from then on its silence says something

    async def ask(self, timeout: float) -> Echo:
        """One echo, sent once, so that each that is lost can be counted. Raises NoEcho.

        Ways: a ping socket (sysctl net.ipv4.ping_group_range), a raw one (CAP_NET_RAW), else a datagram to a port
        where nobody listens: a host that answers "nobody is here" is there. One that never did so may be there all
        the same: "forbidden".
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        sock, way = self._open()
        try:
            async with asyncio.timeout(timeout):
                await (self._knock(sock) if way == "udp" else self._echo(sock, way))
        except TimeoutError as e:
            if way == "udp" and not self._knocked:
                text = "the kernel forbids ping; set net.ipv4.ping_group_range, or give the process CAP_NET_RAW."
                raise NoEcho("forbidden", f"{self.address}: {text}") from e
            raise NoEcho("no_answer", f"{self.address}: no echo within {timeout:g} s.") from e
        except OSError as e:
            raise NoEcho("no_route", f"{self.address}: {e.strerror or e}.") from e
        finally:
            sock.close()
        self._knocked = way == "udp"
        return Echo(loop.time() - began, way)

    def _open(self) -> tuple[socket.socket, Way]:
        """The best way that the kernel allows, by a socket that only hears from this address."""
        family, protocol = (
            (socket.AF_INET, socket.IPPROTO_ICMP) if self._version == 4 else (socket.AF_INET6, socket.IPPROTO_ICMPV6)
        )
        ways: tuple[tuple[Way, int, int], ...] = (
            ("ping", socket.SOCK_DGRAM, protocol),
            ("raw", socket.SOCK_RAW, protocol),
            ("udp", socket.SOCK_DGRAM, 0),
        )
        for way, kind, number in ways:
            if way in self._forbidden:
                continue
            try:
                sock = socket.socket(family, kind, number)
            except OSError as e:
                if e.errno not in FORBIDDEN:
                    raise NoEcho("no_route", f"{self.address}: {e.strerror}.") from e
                self._forbidden.add(way)  # the rights of a process do not change
                continue
            sock.setblocking(False)
            try:
                sock.connect((self.address, CLOSED_PORT if way == "udp" else 0))
            except OSError as e:
                sock.close()
                raise NoEcho("no_route", f"{self.address}: {e.strerror}.") from e
            return sock, way
        raise NoEcho("forbidden", f"{self.address}: the kernel allows no socket at all.")

    async def _echo(self, sock: socket.socket, way: Way) -> None:
        loop = asyncio.get_running_loop()
        payload = secrets.token_bytes(PAYLOAD)
        await loop.sock_sendall(sock, encode_echo(self._version, secrets.randbits(16), payload))
        while True:
            datagram = await loop.sock_recv(sock, MOST_ANSWER)
            if is_answer(datagram, self._version, payload, headed=way == "raw" and self._version == 4):
                return

    async def _knock(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(sock, b"")
        try:
            await loop.sock_recv(sock, MOST_ANSWER)
        except ConnectionRefusedError:
            return  # "port unreachable": it is there


def encode_echo(version: int, number: int, payload: bytes) -> bytes:
    """An echo request. The checksum is IPv4's; of IPv6, whose sum takes addresses in too, the kernel makes it."""
    head = HEADER.pack(ECHO_REQUEST[version], 0, 0, number, 1)
    return HEADER.pack(ECHO_REQUEST[version], 0, checksum(head + payload), number, 1) + payload


def is_answer(datagram: bytes, version: int, payload: bytes, *, headed: bool) -> bool:
    """Whether it is the echo of `payload`. `headed`: an IPv4 header stands before it."""
    if headed:
        datagram = datagram[(datagram[0] & 0x0F) * 4 :] if datagram else b""
    if len(datagram) < HEADER.size:
        return False
    kind, code, *_ = HEADER.unpack_from(datagram)
    return kind == ECHO_REPLY[version] and code == 0 and datagram[HEADER.size :] == payload


def checksum(octets: bytes) -> int:
    """The Internet checksum, RFC 1071."""
    words = struct.unpack(f"!{(len(octets) + 1) // 2}H", octets + b"\0" * (len(octets) % 2))
    total = int(sum(words))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

"""A TLS client's handshake on the asyncio loop: a plain non-blocking socket in, an encrypted one out.

asyncio's own TLS hides the socket in a transport; paho needs the socket.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Credential(NamedTuple):
    """All PEM. `name` is what the server's certificate must be for; empty: any of the authority's."""

    authority: bytes
    certificate: bytes
    key: bytes
    name: str

    def context(self) -> ssl.SSLContext:
        """Raises ssl.SSLError (an OSError) when the texts do not fit together."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = bool(self.name)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(cadata=self.authority.decode("ascii"))
        with in_memory(self.key + self.certificate) as path:
            context.load_cert_chain(path)
        return context


@contextmanager
def in_memory(pem: bytes) -> Iterator[str]:
    """A path to the octets: OpenSSL takes files only, and a key that lies in memory is written to no disk."""
    handle = os.memfd_create("siaga-tls")
    try:
        os.write(handle, pem)
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)


async def handshake(sock: socket.socket, context: ssl.SSLContext, name: str, *, within_s: float) -> ssl.SSLSocket:
    """The socket over TLS, non-blocking as it was. Raises OSError (TimeoutError, ssl.SSLError) and closes it then."""
    wrapped = None
    try:
        wrapped = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
        async with asyncio.timeout(within_s):
            await _shake(wrapped)
    except BaseException:
        (wrapped or sock).close()
        raise
    return wrapped


async def _shake(sock: ssl.SSLSocket) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            await _ready(sock, loop.add_reader, loop.remove_reader)
        except ssl.SSLWantWriteError:
            await _ready(sock, loop.add_writer, loop.remove_writer)
        else:
            return


async def _ready(sock: ssl.SSLSocket, watch: Callable[..., object], leave: Callable[..., object]) -> None:
    event = asyncio.Event()
    watch(sock.fileno(), event.set)
    try:
        await event.wait()
    finally:
        leave(sock.fileno())


def in_words(error: OSError) -> str:
    """What went wrong, without OpenSSL's file and line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not the one to be trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"no TLS with it ({(error.reason or 'unknown').replace('_', ' ').lower()})"
    return error.strerror or str(error)

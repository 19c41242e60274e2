"""TLS beside the plain port: a certificate renewed in place, and what was wrong tried again. Dates are virtual."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509

from web.authority import DAY, RELEASED
from web.tls import Settings, Tls
from web.tls_folder import AUTHORITY

HURRY = 0.001  # of a person's seconds between looks


class Box:
    """Serves nothing but handshakes."""

    def __init__(self, folder: Path) -> None:
        self.wall = RELEASED + 10 * DAY
        self.refused: OSError | None = None
        self.port = 0
        settings = Settings(folder, "Pusat", "0.0.0.0", 8443)
        self.tls = Tls(settings, lambda: self.wall, HURRY, self._listen, self._serve)

    def _listen(self) -> socket.socket:
        if self.refused:
            raise self.refused
        return socket.create_server(("127.0.0.1", 0))

    async def _serve(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        self.port = listener.getsockname()[1]
        async with await asyncio.start_server(lambda _, w: w.close(), sock=listener, ssl=context):
            await asyncio.Event().wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.tls.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def served(self) -> x509.Certificate:
        pem = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", self.port), timeout=5)
        return x509.load_pem_x509_certificate(pem.encode())


async def until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "tls")


async def test_a_certificate_is_renewed_without_a_new_listener(box: Box) -> None:
    async with box.running():
        await until(lambda: box.port)
        port, first, authority = box.port, await box.served(), box.tls.authority
        assert authority is not None
        box.wall += 300 * DAY
        async with asyncio.timeout(10):
            while (second := await box.served()) == first:
                await asyncio.sleep(0.01)
        assert second.not_valid_after_utc > first.not_valid_after_utc
        second.verify_directly_issued_by(authority.certificate)
        assert box.port == port


async def test_what_was_wrong_is_told_and_tried_again_until_it_is_right(box: Box, tmp_path: Path) -> None:
    (tmp_path / "tls" / AUTHORITY).mkdir(parents=True)
    box.refused = OSError(98, "Address already in use")
    async with box.running():
        await until(lambda: AUTHORITY in box.tls.why)
        (tmp_path / "tls" / AUTHORITY).rmdir()
        await until(lambda: box.tls.why == "Address already in use")
        box.refused = None
        await until(lambda: not box.tls.why)
        await until(lambda: box.port)
        await box.served()

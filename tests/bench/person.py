"""A person at the page as the bench plays one: a logged-in browser's POSTs on one connection, and its open page."""

import asyncio
import contextlib
import http.client
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

PATIENCE = 10.0  # s for one answer
CHUNK = 65536  # bytes


class Refused(Exception):
    """The page said no; the text is its answer."""


class Person:
    """Blocking on purpose: the time of a press is taken around one request, with nothing else on this thread."""

    def __init__(self, address: str) -> None:
        self._address = urlsplit(address)
        assert self._address.hostname is not None
        # http.client sets TCP_NODELAY itself.
        self._connection = http.client.HTTPConnection(self._address.hostname, self._address.port, timeout=PATIENCE)
        self._cookie = ""

    def log_in(self, name: str, password: str) -> None:
        self._ask("POST", "/login", {"name": name, "password": password})
        if not self._cookie:
            raise Refused("the page gave no cookie: it did not take the operator's password.")

    def post(self, path: str, **fields: str) -> dict[str, Any]:
        """The page's JSON answer. Raises Refused."""
        told = msgspec.json.decode(self._ask("POST", path, fields))
        assert isinstance(told, dict)
        return told

    def _ask(self, method: str, path: str, fields: dict[str, str]) -> bytes:
        headers = {
            "Cookie": self._cookie,
            "Origin": self._address.geturl(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._connection.request(method, path, urlencode(fields), headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if cookie := answer.getheader("Set-Cookie"):
            self._cookie = cookie.split(";")[0]
        if answer.status >= 400:
            raise Refused(f"{method} {path}: {answer.status} {body[:300].decode(errors='replace')}")
        return body

    @contextlib.asynccontextmanager
    async def open_page(self) -> AsyncIterator[None]:
        """The page, loaded, and its stream of events read for as long as the context lasts."""
        for path in ("/", "/static/vendor/htmx.min.js"):
            reader, writer = await self._get(path)
            async with asyncio.timeout(PATIENCE):
                await reader.read(CHUNK)
            writer.close()
        reader, writer = await self._get("/events")
        reading = asyncio.create_task(_read_on(reader))
        try:
            yield
            if reading.done():
                raise Refused("the page's stream of events ended while it was open.")
        finally:
            reading.cancel()
            writer.close()

    async def _get(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._address.netloc}\r\nCookie: {self._cookie}\r\n\r\n".encode())
        async with asyncio.timeout(PATIENCE):
            status = await reader.readline()
        if b" 200 " not in status:
            raise Refused(f"GET {path}: {status.decode(errors='replace').strip()}")
        return reader, writer

    def close(self) -> None:
        self._connection.close()


async def _read_on(reader: asyncio.StreamReader) -> None:
    while await reader.read(CHUNK):
        pass

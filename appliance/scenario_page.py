"""The page as a scenario's operator uses it: plain HTTP with a cookie, no browser."""

import asyncio
import http.client
from typing import Any
from urllib.parse import urlencode, urlsplit

PATIENCE = 10.0  # s for one answer
MOST_TOLD = 300  # characters of what a page says when it says no


class PageSaysNo(OSError):
    """The page answered, with a status of 400 or above; the text has status and words."""


class Page:
    """Logs in at the first need. A failed request raises PageSaysNo or another OSError."""

    def __init__(self, address: str, name: str, password: str) -> None:
        self._address, self._name, self._password = urlsplit(address), name, password
        self._cookie = ""

    async def get(self, path: str) -> str:
        await self._login()
        return await asyncio.to_thread(self._ask, "GET", path, None)

    async def post(self, path: str, fields: dict[str, Any]) -> str:
        await self._login()
        return await asyncio.to_thread(self._ask, "POST", path, fields)

    async def _login(self) -> None:
        if not self._cookie:
            await asyncio.to_thread(self._ask, "POST", "/login", {"name": self._name, "password": self._password})
            if not self._cookie:
                raise OSError("the page did not take the operator's password.")

    def _ask(self, method: str, path: str, fields: dict[str, Any] | None) -> str:
        assert self._address.hostname is not None
        connection = http.client.HTTPConnection(self._address.hostname, self._address.port, timeout=PATIENCE)
        try:
            headers = {"Cookie": self._cookie, "Origin": self._address.geturl()}
            body = None
            if fields is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                body = urlencode(fields, doseq=True)
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            if found := answer.getheader("Set-Cookie"):
                self._cookie = found.split(";")[0]
            if answer.status >= 400:
                raise PageSaysNo(f"{method} {path}: {answer.status} {text[:MOST_TOLD]}")
            return text
        finally:
            connection.close()

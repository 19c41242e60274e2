"""One open page of a centre with many stations: `siaga web` as it is, and a browser's end of its stream of events."""

import asyncio
import re
import sys
from pathlib import Path

from tests.bench.fanout_site import ROOT, UP_WITHIN, Unheard

ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)
CHUNK = 1 << 20  # bytes
SHOWN_WITHIN = 30.0  # s
TAIL = 32  # bytes of what came that are looked at again: an id may come in two pieces


class OpenPage:
    """`port` is the site file's. `bytes` that came, and `newest`, the row up to which the page shows things, grow."""

    def __init__(self, file: Path, log: Path, port: int) -> None:
        self._file, self._log, self._port = file, log, port
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._came = asyncio.Event()
        self.bytes = self.newest = 0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def open(self) -> None:
        """Web runs, and the page has its first event on return. Raises Unheard, TimeoutError."""
        with self._log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "appliance.cli", "web", "--config", str(self._file), cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        loop = asyncio.get_running_loop()
        deadline = loop.time() + UP_WITHIN
        while (reader := await self._events()) is None:
            if loop.time() > deadline or self._process.returncode is not None:
                raise Unheard(f"the page does not answer; see {self._log}.")
            await asyncio.sleep(0.1)
        self._reading = asyncio.create_task(self._read(reader))
        await self.shows(1)

    async def _events(self) -> asyncio.StreamReader | None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except ConnectionError:
            return None
        writer.write(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % self._port)
        if b" 200 " in await reader.readline():
            self._writer = writer
            return reader
        writer.close()
        return None

    async def _read(self, reader: asyncio.StreamReader) -> None:
        rest = b""
        while data := await reader.read(CHUNK):
            self.bytes += len(data)
            for found in ID.finditer(rest + data):
                self.newest = max(self.newest, int(found[1]))
            rest = data[-TAIL:]
            self._came.set()

    async def shows(self, row: int) -> float:
        """The loop's time at which an event had come that tells of this row of the journal."""
        async with asyncio.timeout(SHOWN_WITHIN):
            while self.newest < row:
                self._came.clear()
                await self._came.wait()
        return asyncio.get_running_loop().time()

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._writer.close()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

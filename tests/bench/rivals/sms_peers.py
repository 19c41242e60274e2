"""Who takes messages from a bench modem of its own: gammu-smsd, python-gsmmodem-new and ours, each its own program.

`heard` is the moment of CLOCK_MONOTONIC at which a message, by the number in its text, was told; the first counts.
"""

import asyncio
import contextlib
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any, Protocol

from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone, Refusal
from tests.bench.rivals.codec import PYTHON
from tests.bench.sms_inbound import BenchModem, core_answers
from tests.campaign.core_box import CoreBox

NUMBER = re.compile(r"Kebakaran (\d{5})")
LOOK = 0.005  # s between looks into gammu-smsd's folder; it takes seconds
START_WITHIN = 60.0  # s
END_WITHIN = 10.0


class NotStarted(Exception):
    """What it said."""


class Peer(Protocol):
    name: str
    modem: BenchModem
    heard: dict[int, float]
    asks: str  # a command that it types by itself now and then, or when told to ask

    async def start(self) -> None: ...
    async def ask(self) -> None:
        """Have it type its command, if it does so when told."""
        ...

    async def stop(self) -> None: ...


class GammuSmsd:
    """Debian's, with its defaults: it asks the modem every now and then, and writes a file a message."""

    name, asks = "gammu-smsd", "+CPMS"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.heard: dict[int, float] = {}

    async def start(self) -> None:
        self.modem = BenchModem()
        self._inbox = self._folder / "inbox"
        for name in ("inbox", "outbox", "sent", "error"):
            (self._folder / name).mkdir(parents=True)
        file = self._folder / "smsdrc"
        file.write_text(
            f"[gammu]\ndevice = {self.modem.port}\nconnection = at115200\n\n[smsd]\nservice = files\n"
            f"logfile = {self._folder}/log\ninboxpath = {self._inbox}/\noutboxpath = {self._folder}/outbox/\n"
            f"sentsmspath = {self._folder}/sent/\nerrorsmspath = {self._folder}/error/\n"
        )
        program = shutil.which("gammu-smsd")
        assert program is not None
        self._process = await asyncio.create_subprocess_exec(
            program, "-c", str(file), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        known: set[str] = set()
        while True:
            now = time.monotonic()
            for file in self._inbox.iterdir():
                said = file.read_bytes().replace(b"\0", b"").decode("latin-1")
                if file.name not in known and (found := NUMBER.search(said)):
                    known.add(file.name)
                    self.heard.setdefault(int(found[1]), now)
            await asyncio.sleep(LOOK)

    async def ask(self) -> None:
        return

    async def stop(self) -> None:
        self._watching.cancel()
        await _end(self._process)
        self.modem.close()


class Callback:
    """python-gsmmodem-new, whose callback is told as soon as the message was read. It stores nothing."""

    name, asks = "python-gsmmodem-new", "+CSQ"

    def __init__(self, folder: Path) -> None:
        self.heard: dict[int, float] = {}

    async def start(self) -> None:
        self.modem = BenchModem()
        self._process = await asyncio.create_subprocess_exec(
            str(PYTHON), str(Path(__file__).with_name("sms_callback.py")), self.modem.port,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert self._process.stdout is not None
        async with asyncio.timeout(START_WITHIN):
            if not await self._process.stdout.readline():
                raise NotStarted(f"{self.name} did not start at the bench's modem.")
        self._watching = asyncio.create_task(self._watch(self._process.stdout))

    async def _watch(self, said: asyncio.StreamReader) -> None:
        while line := await said.readline():
            told: dict[str, Any] = json.loads(line)
            if found := NUMBER.search(str(told.get("text", ""))):
                self.heard.setdefault(int(found[1]), float(told["at"]))

    async def ask(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        await self._process.stdin.drain()

    async def stop(self) -> None:
        self._watching.cancel()
        await _end(self._process)
        self.modem.close()


class Ours:
    """A real core; told is when another process, as the page is one, has it from the control socket."""

    name, asks = "Siaga", "+CSQ"

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._box = CoreBox(folder, {"l1": folder / "port"}, Clock(1.0))
        self._port = folder / "port"
        self.heard: dict[int, float] = {}

    async def start(self) -> None:
        self._box.start()
        await core_answers(self._box)
        self.modem = BenchModem(self._box.journal)
        self._port.symlink_to(self.modem.port)
        self._client = Client(self._box.control, on_push=self._pushed)
        await self._client.connect()
        await self._client.request({"do": "subscribe"})

    def _pushed(self, push: dict[str, Any]) -> None:
        entry = push.get("entry") or {}
        if entry.get("kind") == "sms.received" and (found := NUMBER.search(entry["body"]["text"])):
            self.heard.setdefault(int(found[1]), time.monotonic())

    async def ask(self) -> None:
        with contextlib.suppress(Refusal, Gone):
            await self._client.request({"do": "modem.at", "line": "l1", "command": "AT+CSQ"})

    async def stop(self) -> None:
        self._client.close()
        self._box.stop()
        self.modem.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(END_WITHIN):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()


def gammu_is_there() -> bool:
    return shutil.which("gammu-smsd") is not None

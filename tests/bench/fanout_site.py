"""A centre with many stations: a broker with the settings that a box ships, a real `siaga core`, simulated stations."""

import asyncio
import contextlib
import os
import resource
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import tomli_w
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.config import Site, places
from appliance.keys import create_key, load_key, public_hex
from drivers.clock import Clock
from drivers.jsonsocket import Client, Gone
from drivers.sim.broker import Broker, free_port
from tests.bench.fanout_keys import broker_with_keys
from tests.bench.fanout_stations import name, seed

ROOT = Path(__file__).parents[2]
SITE = "fanout"
UP_WITHIN, ALL_WITHIN = 30.0, 60.0  # s
MOST_FILES = 8192  # sockets and some; a thousand stations need one each, at both ends
NO_ROWS = 5.0  # s without a row: longer than stations take to ask again, and than a heartbeat
LOOK = 0.002  # s between looks at the journal's file; what it adds to a figure


class Unheard(Exception):
    """Not all that was to happen did, or not in time; the text says what is missing."""


def allow_sockets() -> None:
    """For this process and those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < MOST_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(MOST_FILES, hard), hard))


class StationsProcess:
    """Handle of `tests.bench.fanout_stations`. Without an issuer they are a floor's, which signs nothing."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    async def start(cls, port: int, count: int, issuer: str, keys: str = "") -> "StationsProcess":
        """All connected and subscribed on return; over TLS with the `keys` of a folder."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.fanout_stations", cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        stations = cls(process)
        await stations._ask({"port": port, "site": SITE, "count": count, "issuer": issuer, "keys": keys}, ALL_WITHIN)
        return stations

    async def report(self) -> dict[str, int]:
        """Of the time since the last report."""
        return await self._ask({"do": "report"}, ALL_WITHIN)

    async def _ask(self, what: dict[str, Any], within: float) -> dict[str, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(what) + b"\n")
        async with asyncio.timeout(within):
            line = await self._process.stdout.readline()
        if not line:
            raise Unheard("the simulated stations have ended.")
        return msgspec.json.decode(line, type=dict[str, int])

    async def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(ALL_WITHIN):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


class FanoutSite:
    """`count` stations, named by `fanout_stations.name`. Use `start`, then `stop`."""

    def __init__(self, folder: Path, count: int, *, tls: bool = False) -> None:
        self._tls = tls
        self.folder, self.names = folder, [name(n + 1) for n in range(count)]
        self.file, self.log = folder / "site.toml", folder / "core.log"
        self.control, self.journal = folder / "run" / "control.sock", folder / "state" / "journal.db"
        self.broker = Broker(folder)
        self.web_port = free_port()
        self._core: asyncio.subprocess.Process | None = None
        self.stations: StationsProcess | None = None

    @property
    def core_pid(self) -> int:
        assert self._core is not None
        return self._core.pid

    @property
    def stations_pid(self) -> int:
        assert self.stations is not None
        return self.stations.pid

    async def start(self) -> None:
        """Core answers, and has heard every station, on return. Raises Unheard."""
        self.folder.mkdir(parents=True, exist_ok=True)
        site = self._described()
        if self._tls:
            self.broker = broker_with_keys(self.folder, site, self.file)
        port = site["broker"]["port"] = await self.broker.start()
        where = places(msgspec.convert(site, Site), self.file)
        own = load_key(where.key) if self._tls else create_key(where.key)
        self.file.write_text(tomli_w.dumps(site))
        with self.log.open("ab") as out:
            self._core = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "appliance.cli", "core", "--config", str(self.file), cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
                env={**os.environ, **Clock(1.0).environment()},
            )  # fmt: skip
        await self._core_answers()
        keys = str(self.folder / "broker-keys") if self._tls else ""
        self.stations = await StationsProcess.start(port, len(self.names), public_hex(own), keys)
        await self.until_heard()

    def _described(self) -> dict[str, Any]:
        """The site file, its broker's port to be put in."""
        return {
            "role": "centre", "site": SITE, "id": "pusat", "name": "Pusat", "broker": {"port": 1, "tls": self._tls},
            "annunciator": {"socket": "run/annunciator.sock", "factory": "mock"},
            "web": {"port": self.web_port, "tls": False},
            "station": [
                {
                    "id": self.names[n], "number": n + 1, "name": f"Pos {n + 1}",
                    "key": public_hex(Ed25519PrivateKey.from_private_bytes(seed(n + 1))),
                }
                for n in range(len(self.names))
            ],
        }  # fmt: skip

    async def _core_answers(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + UP_WITHIN
        while True:
            client = Client(self.control)
            try:
                await client.connect()
                return
            except Gone:
                if loop.time() > deadline or self._core is None or self._core.returncode is not None:
                    raise Unheard(f"core does not answer; see {self.log}.") from None
                await asyncio.sleep(0.02)
            finally:
                client.close()

    async def until_heard(self) -> None:
        """Every station's session is known and proven."""
        await self.written("station.online", len(self.names), after=0)
        async with asyncio.timeout(ALL_WITHIN):
            while not self._quiet():
                await asyncio.sleep(0.1)

    async def until_settled(self) -> None:
        """Nobody greets any more: nothing was written for a while. Raises TimeoutError."""
        async with asyncio.timeout(ALL_WITHIN):
            head = -1
            while head != (now := self.rows("", 0)):
                head = now
                await asyncio.sleep(NO_ROWS)

    def _quiet(self) -> bool:
        """Nothing is still on its way into the journal."""
        head = self.rows("", 0)
        return head > 0 and not self.journal_grows(head)

    def journal_grows(self, before: int) -> bool:
        return self.rows("", 0) != before

    def rows(self, kind: str, after: int) -> int:
        """Rows of a kind on disk behind row `after`; of no kind: the number of the last one."""
        with contextlib.closing(self.open_journal()) as db:
            if not kind:
                return int(db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0])
            query = "SELECT count(*) FROM events WHERE kind = ? AND seq > ?"
            return int(db.execute(query, (kind, after)).fetchone()[0])

    def open_journal(self) -> sqlite3.Connection:
        """A reader of its own: what it sees in WAL mode with `synchronous=FULL` has been synced."""
        return sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True, check_same_thread=False)

    async def written(self, kind: str, count: int, *, after: int, within: float = ALL_WITHIN) -> float:
        """The loop's time at which `count` rows of a kind behind row `after` were on disk. Raises Unheard."""
        loop = asyncio.get_running_loop()
        deadline, found, seen = loop.time() + within, 0, after
        query = "SELECT max(seq), sum(kind = ?) FROM events WHERE seq > ?"
        with contextlib.closing(self.open_journal()) as db:
            while True:
                last, new = db.execute(query, (kind, seen)).fetchone()
                seen, found = last or seen, found + (new or 0)
                if found >= count:
                    return loop.time()
                if loop.time() > deadline:
                    raise Unheard(f"{found} of {count} rows {kind} within {within:g} s; see {self.log}.")
                await asyncio.sleep(LOOK)

    async def stop(self) -> None:
        if self.stations is not None:
            await self.stations.stop()
        if self._core is not None and self._core.returncode is None:
            self._core.terminate()
            try:
                async with asyncio.timeout(UP_WITHIN):
                    await self._core.wait()
            except TimeoutError:
                self._core.kill()
                await self._core.wait()
        await self.broker.stop()


@contextlib.asynccontextmanager
async def fanout_site(folder: Path, count: int, *, tls: bool = False) -> AsyncIterator[FanoutSite]:
    """Running, every station heard; ended with the context. Raises Unheard, BrokerUnavailable, OSError."""
    allow_sockets()
    site = FanoutSite(folder, count, tls=tls)
    try:
        await site.start()
        yield site
    finally:
        await site.stop()

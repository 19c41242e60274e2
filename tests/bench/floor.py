"""The floor: what a signed order costs that is on disk at both ends, and nothing else.

Two processes and a broker of our own. The centre signs, commits and publishes; the station verifies and commits. The
figure is from before the signing to after the station's commit, CLOCK_MONOTONIC, which both processes share. Every
socket has TCP_NODELAY, the broker the settings that a box ships.
"""

import asyncio
import contextlib
import os
import queue
import random
import sqlite3
import struct
import sys
import time
from pathlib import Path

import paho.mqtt.client as paho
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from drivers.sim.broker import Broker
from tests.bench.floor_station import DONE, MOMENT, ORDER, SEED, commit, connect, open_journal

BODY = 42  # bytes of an order; its signature makes it 106
WARM = 20  # messages that are not counted
PAUSE = (0.002, 0.01)  # s between messages: each travels alone, on a machine that has not gone to sleep
ANSWER_WITHIN = 10.0  # s
STATION = "tests.bench.floor_station"


class Floor:
    """Use `start`, any number of `measure`, `stop`. Its files are in `folder`, on the disk of the site beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._broker = Broker(folder)
        self._answers: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._key = Ed25519PrivateKey.from_private_bytes(SEED)
        self._station: asyncio.subprocess.Process | None = None
        self._centre: paho.Client | None = None
        self._sent = 0

    async def start(self) -> None:
        port = await self._broker.start()
        self._station = await asyncio.create_subprocess_exec(
            sys.executable, "-m", STATION, str(port), str(self.folder / "station.db"),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self._station.stdout is not None
        async with asyncio.timeout(ANSWER_WITHIN):
            await self._station.stdout.readline()
        self._journal = open_journal(self.folder / "centre.db")
        self._centre = await asyncio.to_thread(connect, port, "floor-centre", DONE, self._answered)
        await self.measure(WARM)

    async def measure(self, rounds: int) -> list[float]:
        """Milliseconds of each of so many orders."""
        return await asyncio.to_thread(self._measure, rounds)

    def _measure(self, rounds: int) -> list[float]:
        assert self._centre is not None
        took = []
        for _ in range(rounds):
            time.sleep(random.uniform(*PAUSE))
            self._sent += 1
            body = struct.pack("!Q", self._sent) + os.urandom(BODY - 8)
            began = time.monotonic_ns()
            signed = self._key.sign(body) + body
            commit(self._journal, signed)
            self._centre.publish(ORDER, signed, qos=1)
            took.append((self._answers.get(timeout=ANSWER_WITHIN) - began) / 1e6)
        return took

    def _answered(self, payload: bytes) -> None:
        self._answers.put(MOMENT.unpack(payload)[0])

    async def stop(self) -> None:
        """End the broker and the other process."""
        if self._centre is not None:
            self._centre.disconnect()
            self._centre.loop_stop()
            self._journal.close()
        if self._station is not None:
            assert self._station.stdin is not None
            self._station.stdin.close()
            await self._station.wait()
        await self._broker.stop()


def disk(folder: Path, rounds: int) -> list[float]:
    """Milliseconds of one commit alone: where the floor itself stands."""
    database = open_journal(folder / "disk.db")
    with contextlib.closing(database):
        return [_timed(database, os.urandom(BODY + 64)) for _ in range(rounds)]


def _timed(database: sqlite3.Connection, body: bytes) -> float:
    began = time.monotonic_ns()
    commit(database, body)
    return (time.monotonic_ns() - began) / 1e6

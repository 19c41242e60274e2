"""What reaching many stations costs at least: paho, one message to all, one back from each. No signature, no disk.

The centre is a process of its own, `python -m tests.bench.fanout_floor PORT COUNT ROUNDS`, and prints seconds as JSON.
"""

import asyncio
import json
import queue
import sys
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from drivers.sim.broker import Broker
from tests.bench.fanout_site import ROOT, StationsProcess, Unheard, allow_sockets
from tests.bench.fanout_stations import FLOOR, FLOOR_ANSWER
from tests.bench.floor_station import connect

WARM = 2  # rounds that are not counted
PAUSE = 0.2  # s
ROUND_WITHIN = 60.0  # s


async def floor(folder: Path, count: int, rounds: int) -> list[float]:
    """Seconds of each round with so many stations. Raises Unheard, BrokerUnavailable."""
    allow_sockets()
    folder.mkdir(parents=True)
    broker = Broker(folder)
    stations: StationsProcess | None = None
    try:
        port = await broker.start()
        stations = await StationsProcess.start(port, count, "")
        centre = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.fanout_floor", str(port), str(count), str(rounds), cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, _ = await centre.communicate()
        if centre.returncode:
            raise Unheard("the floor's centre has not heard all stations.")
        return [float(took) for took in json.loads(said)]
    finally:
        if stations is not None:
            await stations.stop()
        await broker.stop()


def serve(port: int, count: int, rounds: int) -> list[float]:
    """The centre: publish once, wait for all."""
    heard = 0
    number = b""
    full: queue.SimpleQueue[float] = queue.SimpleQueue()

    def take(payload: bytes) -> None:
        nonlocal heard
        heard += payload == number
        if heard == count:
            full.put(time.monotonic())

    client: Any = connect(port, "fanout-centre", f"{FLOOR_ANSWER}/+", take)
    assert isinstance(client, paho.Client)
    took = []
    for round_ in range(rounds + WARM):
        time.sleep(PAUSE)
        heard, number = 0, b"%08d" % round_
        began = time.monotonic()
        client.publish(FLOOR, number, qos=1)
        took.append(full.get(timeout=ROUND_WITHIN) - began)
    client.disconnect()
    client.loop_stop()
    return took[WARM:]


if __name__ == "__main__":
    print(json.dumps(serve(*(int(argument) for argument in sys.argv[1:4]))))

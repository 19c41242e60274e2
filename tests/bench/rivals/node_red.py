"""Node-RED as the path from a POST to a siren: two flows and a broker, nothing signed and nothing on disk.

The second flow stands for the station. Where a relay would be it reads CLOCK_MONOTONIC, as our annunciator's pin does,
and then says over the broker that it has acted.
"""

import asyncio
import http.client
import json
import queue
import random
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import msgspec

from drivers.sim.broker import Broker, free_port
from tests.bench.cost import idle_cpu, memory
from tests.bench.floor_station import connect
from tests.bench.press import PAUSE
from tests.bench.rivals.names import BACK_TO_BACK, LONE, LONE_OUR_BROKER, NODE_RED, TO_ANSWER, TO_RELAY
from tests.bench.table import Row, percentile, plain

PACKAGE = "node-red@4.1.15"  # the newest line that runs on Debian's node 20
INSTALL_WITHIN = 600.0  # s
START_WITHIN = 60.0  # s
ANSWER_WITHIN = 10.0  # s
LONE_ROUNDS, QUICK_ROUNDS, WARM = 150, 150, 10
STARTS = 3
IDLE = 20.0  # s
ORDER, ACTED = "siren/order", "siren/energised"

AS_INSTALLED = "allow_anonymous true\npersistence false\nlog_dest stderr\n"  # mosquitto's defaults else
STATION = "msg.payload = {id: msg.payload.id, at: global.get('microseconds')()}; return msg;"
SETTINGS = """module.exports = {
  uiHost: "127.0.0.1", flowFile: "flows.json", credentialSecret: false, telemetry: {enabled: false},
  externalModules: {palette: {allowInstall: false}}, logging: {console: {level: "warn"}},
  functionGlobalContext: {microseconds: () => Number(process.hrtime.bigint() / 1000n)},
};
"""


class NotInstalled(Exception):
    """npm or Node-RED did not do its part; the text ends with what it said."""


def install(folder: Path) -> None:
    """By npm into `folder`, without running any package's scripts."""
    if shutil.which("npm") is None:
        raise NotInstalled("npm is missing. Next: apt-get install npm, then make bench-rivals.")
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_WITHIN, check=False)
    if done.returncode:
        raise NotInstalled(f"{PACKAGE} was not installed; npm said:\n{done.stderr[-2000:]}")


def flows(broker_port: int) -> list[dict[str, Any]]:
    """One broker, and two tabs: the centre's with the POST, the station's with the relay."""

    def node(name: str, tab: str, kind: str, to: list[str], **settings: Any) -> dict[str, Any]:
        return {"id": name, "z": tab, "type": kind, "x": 0, "y": 0, "wires": [to] if to else [], **settings}

    def broker(name: str) -> dict[str, Any]:
        return {
            "id": name, "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(broker_port), "autoConnect": True,
            "usetls": False, "protocolVersion": "4", "keepalive": "60", "cleansession": True, "clientid": "",
        }  # fmt: skip

    quietly = {"qos": "1", "retain": "false"}
    return [
        {"id": "centre", "type": "tab", "label": "centre"},
        {"id": "station", "type": "tab", "label": "station"},
        broker("centre-broker"),
        broker("station-broker"),
        node("post", "centre", "http in", ["order", "answer"], url="/siren", method="post"),
        node("order", "centre", "mqtt out", [], topic=ORDER, broker="centre-broker", **quietly),
        node("answer", "centre", "http response", [], statusCode="200"),
        node("come", "station", "mqtt in", ["relay"], topic=ORDER, broker="station-broker", qos="1", datatype="json"),
        node("relay", "station", "function", ["acted"], func=STATION, outputs=1),
        node("acted", "station", "mqtt out", [], topic=ACTED, broker="station-broker", **quietly),
    ]


class NodeRed:
    """One running Node-RED in a folder of its own, and an ear at its broker."""

    def __init__(self, installed: Path, folder: Path, broker_port: int) -> None:
        self._folder, self._port, self._broker_port = folder, free_port(), broker_port
        self._program = installed / "node_modules" / "node-red" / "red.js"
        self._heard: queue.SimpleQueue[tuple[dict[str, Any], float]] = queue.SimpleQueue()
        self._http = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_WITHIN)
        self._sent = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self) -> float:
        """Seconds until the first order went all the way."""
        self._folder.mkdir(parents=True)
        (self._folder / "flows.json").write_text(json.dumps(flows(self._broker_port)))
        (self._folder / "settings.js").write_text(SETTINGS)
        self._ear = connect(self._broker_port, "rival-ear", ACTED, self._hear)
        began = time.monotonic()
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["node", self._program, "-u", self._folder, "-p", str(self._port), "-s", self._folder / "settings.js"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        while time.monotonic() - began < START_WITHIN:
            try:
                self.order(within=0.5)
                return time.monotonic() - began
            except (OSError, http.client.HTTPException, queue.Empty):
                self._http.close()
                time.sleep(0.02)
        raise NotInstalled(f"Node-RED did not start; it said:\n{(self._folder / 'log').read_text()[-2000:]}")

    def order(self, within: float = ANSWER_WITHIN) -> tuple[float, float]:
        """One POST: ms until the station's flow acted, and until its word was heard back."""
        self._sent += 1
        began = time.monotonic()
        body = json.dumps({"id": self._sent})
        self._http.request("POST", "/siren", body, {"Content-Type": "application/json"})
        answer = self._http.getresponse()
        answer.read()
        if answer.status != 200:
            raise OSError(f"Node-RED answered {answer.status}")
        deadline = time.monotonic() + within
        while True:
            said, heard = self._heard.get(timeout=max(0.001, deadline - time.monotonic()))
            if said["id"] == self._sent:
                return (said["at"] / 1e6 - began) * 1000, (heard - began) * 1000

    def _hear(self, payload: bytes) -> None:
        self._heard.put((msgspec.json.decode(payload), time.monotonic()))

    def stop(self) -> None:
        self._http.close()
        self._ear.disconnect()
        self._ear.loop_stop()
        self._process.terminate()
        try:
            self._process.wait(ANSWER_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


async def measure(installed: Path, folder: Path) -> list[Row]:
    """All rows of Node-RED; some two minutes."""
    rows: list[Row] = []
    default = folder / "default.conf"
    default.write_text(AS_INSTALLED)
    broker = Broker(folder, settings=default)
    port = await broker.start()
    try:
        starts = []
        for number in range(STARTS):
            red = NodeRed(installed, folder / f"red-{number}", port)
            try:
                starts.append(await asyncio.to_thread(red.start))
                if number < STARTS - 1:
                    continue
                rows += await asyncio.to_thread(_latency, red, LONE, LONE_ROUNDS, PAUSE)
                rows += await asyncio.to_thread(_latency, red, BACK_TO_BACK, QUICK_ROUNDS, (0.0, 0.0))
                await asyncio.sleep(2.0)
                idle = sum(await idle_cpu([red.pid], IDLE))
                used = memory([red.pid])
            finally:
                await asyncio.to_thread(red.stop)
    finally:
        await broker.stop()
    broker = Broker(folder)
    red = NodeRed(installed, folder / "red-shipped", await broker.start())
    try:
        await asyncio.to_thread(red.start)
        rows += await asyncio.to_thread(_latency, red, LONE_OUR_BROKER, LONE_ROUNDS, PAUSE)
    finally:
        await asyncio.to_thread(red.stop)
        await broker.stop()
    return [
        *rows,
        plain(f"{NODE_RED}: start until its first order works, p50 of {STARTS}", percentile(starts, 50), "s"),
        plain(f"{NODE_RED}: memory, PSS", used.pss, "MB"),
        plain(f"{NODE_RED}: memory, RSS", used.rss, "MB"),
        plain(f"{NODE_RED}: idle CPU", idle, "% of a core"),
    ]


def _latency(red: NodeRed, how: str, rounds: int, pause: tuple[float, float]) -> list[Row]:
    took: dict[str, list[float]] = {TO_RELAY: [], TO_ANSWER: []}
    for number in range(rounds + WARM):
        time.sleep(random.uniform(*pause))
        there, back = red.order()
        if number >= WARM:
            took[TO_RELAY].append(there)
            took[TO_ANSWER].append(back)
    return [
        plain(f"{how}, {until}, p{percent}", percentile(values, percent), "ms")
        for until, values in took.items()
        for percent in (50, 99)
    ]

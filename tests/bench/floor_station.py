"""The floor's other end, a process of its own: verifies each order, commits it, and tells the moment after that.

`python -m tests.bench.floor_station PORT JOURNAL` prints one line when it hears the broker, and runs until its standard
input ends: with the bench, however that ends.
"""

import contextlib
import queue
import socket
import sqlite3
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion

from drivers.tls import Credential

ORDER, DONE = "floor/order", "floor/done"
MOMENT = struct.Struct("!q")  # CLOCK_MONOTONIC, ns
SIGNATURE = 64
SEED = b"the floor's key is nobody's key."  # 32 bytes; it proves nothing to anybody
CONNECT_WITHIN = 10.0  # s


def connect(
    port: int, name: str, topic: str, on_payload: Callable[[bytes], None], credential: Credential | None = None
) -> paho.Client:
    """A client of the broker that has subscribed to one topic, on a thread of paho's own. Raises queue.Empty."""
    subscribed: queue.SimpleQueue[bool] = queue.SimpleQueue()
    client = paho.Client(CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5)
    client.on_socket_open = _at_once
    client.on_connect = lambda c, *_: c.subscribe(topic, qos=1)
    client.on_subscribe = lambda *_: subscribed.put(True)
    client.on_message = lambda _client, _data, message: on_payload(bytes(message.payload))
    if credential:
        client.tls_set_context(credential.context())
    client.connect("127.0.0.1", port)
    client.loop_start()
    subscribed.get(timeout=CONNECT_WITHIN)
    return client


def _at_once(_client: Any, _data: Any, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def open_journal(file: Path) -> sqlite3.Connection:
    """A table as durable as the box's own journal. It is used by one thread at a time."""
    database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute(
        "CREATE TABLE IF NOT EXISTS orders (seq INTEGER PRIMARY KEY, at REAL NOT NULL, signed BLOB NOT NULL)"
    )
    return database


def commit(database: sqlite3.Connection, signed: bytes) -> None:
    """One order on disk on return."""
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO orders (at, signed) VALUES (?, ?)", (time.time(), signed))
    database.execute("COMMIT")


def serve(port: int, journal: Path) -> None:
    public = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
    database = open_journal(journal)

    def take(signed: bytes) -> None:
        public.verify(signed[:SIGNATURE], signed[SIGNATURE:])
        commit(database, signed)
        client.publish(DONE, MOMENT.pack(time.monotonic_ns()), qos=1)

    with contextlib.closing(database):
        client = connect(port, "floor-station", ORDER, take)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.read()
        client.disconnect()
        client.loop_stop()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]))

"""Many simulated stations in one process: each with a key, a session and a connection of its own to the broker.

`python -m tests.bench.fanout_stations` takes lines of JSON on its standard input and answers each with one:
`{"port", "site", "count", "issuer", "keys"}` to connect, `{"do": "report"}`. It ends with its input.

What a station says is from `docs/order-format.md`, and shares no code with ours. Answers are signed when they are
given. The orders' signatures are verified when a report is asked for: each real station has a processor of its own for
that, and here all of them would take turns on the one that the broker needs.
"""

import hashlib
import json
import os
import select
import socket
import ssl
import struct
import sys
import time
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.bench import fanout_packets as mqtt

HEARTBEAT = 3.0  # s
CHUNK = 16384  # bytes, a record of TLS at most
KEEPALIVE = 60  # s; heartbeats are its pings
ANSWER_LIFE = 60  # s that the broker keeps an answer
ORDER = struct.Struct(">BBBBH8sII8sIIHH")
ANSWER = struct.Struct(">BBBBBB8sII8sIIIIIHH")
SIGNED_ORDER, SIGNED_ANSWER = b"siaga order 1\0", b"siaga answer 1\0"
START, STOP, HELLO = 1, 2, 3
ACTION = 2  # the octet of an order that holds it
SESSION, ALIVE, ENERGISED, ENDED = 1, 2, 4, 8
FLOOR, FLOOR_ANSWER = "floor/all", "floor/answer"  # without signatures: one message to all, and one back from each
NO_ID = bytes(8)


def seed(number: int) -> bytes:
    """The secret of the station with this number; nobody else's."""
    return hashlib.sha256(b"fanout station %d" % number).digest()


def key_id(public: Ed25519PublicKey) -> int:
    return int.from_bytes(hashlib.sha256(public.public_bytes_raw()).digest()[:4])


class Station:
    """One of them. What it has to say goes out in one write for each that it has read."""

    def __init__(self, number: int, site: str, issuer: int) -> None:
        self.number, self._issuer = number, issuer
        self.topic = f"siaga/{site}/alert/{name(number)}"
        self._head = mqtt.publish_head(f"siaga/{site}/station/{name(number)}/answer", ANSWER_LIFE)
        self._floor_head = mqtt.publish_head(f"{FLOOR_ANSWER}/{number}")
        self._key = Ed25519PrivateKey.from_private_bytes(seed(number))
        self._key_id = key_id(self._key.public_key())
        self._session = os.urandom(8)
        self._began = time.monotonic()
        self._counter = self._highest = self._packet = 0
        self._sounding: tuple[bytes, float, int] | None = None  # alert, until, pattern
        self.buffer = bytearray()

    def greeting(self) -> bytes:
        return mqtt.connect(f"fanout-{self.number}", KEEPALIVE) + mqtt.subscribe(self.topic)

    def word(self, what: int, *, alert: bytes = NO_ID, sequence: int = 0) -> bytes:
        """A publish with a signed answer."""
        now = time.monotonic()
        self._counter += 1
        _, until, pattern = self._sounding or (b"", now, 0)
        body = ANSWER.pack(
            0x81, what, 0, 1, 255, pattern, alert, self.number, self._key_id, self._session, self._issuer, sequence,
            self._highest, self._counter, int(now - self._began), 0, max(0, round(until - now)),
        )  # fmt: skip
        return self._publish(self._head, body + self._key.sign(SIGNED_ANSWER + body))

    def _publish(self, head: tuple[bytes, bytes], payload: bytes) -> bytes:
        self._packet = self._packet % 0xFFFF + 1
        return mqtt.publish(head, self._packet, payload)

    def obey(self, payload: bytes) -> bytes:
        """The answer to an order for this station's present session; of another one nothing is said."""
        _, _, action, pattern, seconds, alert, issuer, number, session, sequence, *_ = ORDER.unpack_from(payload)
        if (number, issuer) != (self.number, self._issuer) or session not in (self._session, NO_ID):
            return b""
        self._highest = max(self._highest, sequence)
        if action == HELLO:
            return self.word(ALIVE, alert=alert, sequence=sequence)
        if action == START:
            self._sounding = alert, time.monotonic() + seconds, pattern
            return self.word(ENERGISED, alert=alert, sequence=sequence)
        self._sounding = None
        return self.word(ENDED, alert=alert, sequence=sequence)

    def floor(self, payload: bytes) -> bytes:
        return self._publish(self._floor_head, payload)


def name(number: int) -> str:
    """A station's name in the site file."""
    return f"s{number:04d}"


class Stations:
    """All of them on one epoll."""

    def __init__(self, port: int, site: str, count: int, issuer: bytes | None, keys: str) -> None:
        self._epoll = select.epoll()
        self._issuer = Ed25519PublicKey.from_public_bytes(issuer) if issuer else None
        number = key_id(self._issuer) if self._issuer else 0
        self._stations = [Station(n + 1, site, number) for n in range(count)]
        self._sockets: dict[int, tuple[socket.socket, Station]] = {}
        self._orders: list[bytes] = []
        self._answers = 0
        context = _context(keys) if keys else None
        for station in self._stations:
            sock = socket.create_connection(("127.0.0.1", port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock = context.wrap_socket(sock) if context else sock
            sock.sendall(station.greeting() if self._issuer else _floor_greeting(station))
            _until_subscribed(sock, station.buffer)
            sock.setblocking(False)
            self._sockets[sock.fileno()] = sock, station
            self._epoll.register(sock.fileno(), select.EPOLLIN)
        self._beats = list(self._sockets.values()) if self._issuer else []
        self._began, self._beaten = time.monotonic(), 0
        for sock, station in self._beats:
            sock.sendall(station.word(SESSION))
        self._input = bytearray()
        self._epoll.register(sys.stdin.fileno(), select.EPOLLIN)

    def run(self) -> None:
        """Until the input ends."""
        while True:
            for handle, _ in self._epoll.poll(HEARTBEAT / len(self._stations)):
                if handle == sys.stdin.fileno():
                    if not self._asked():
                        return
                else:
                    self._read(*self._sockets[handle])
            self._beat()

    def _beat(self) -> None:
        """The heartbeats that are due, spread evenly: no two stations were switched on at the same moment."""
        if not self._beats:
            return
        due = int((time.monotonic() - self._began) * len(self._beats) / HEARTBEAT)
        for beat in range(self._beaten, min(due, self._beaten + len(self._beats))):
            sock, station = self._beats[beat % len(self._beats)]
            sock.sendall(station.word(ALIVE))
        self._beaten = due

    def _read(self, sock: socket.socket, station: Station) -> None:
        data = _received(sock)
        if data is None:
            return
        if not data:
            raise ConnectionError(f"the broker has put out station {station.number}.")
        station.buffer += data
        said = b""
        for first, body in mqtt.packets(station.buffer):
            if first & 0xF0 == mqtt.PUBLISH:
                number, payload = mqtt.payload_of(first, body)
                said += mqtt.puback(number)
                if self._issuer:
                    self._orders.append(payload)
                    said += station.obey(payload)
                    self._answers += 1
                else:
                    said += station.floor(payload)
        if said:
            sock.sendall(said)

    def _asked(self) -> bool:
        data = os.read(sys.stdin.fileno(), 4096)
        self._input += data
        while (end := self._input.find(b"\n")) >= 0:
            del self._input[: end + 1]
            _tell(self._report())
        return bool(data)

    def _report(self) -> dict[str, Any]:
        """Of the time since the last one: orders that came, those among them wrongly signed or for others."""
        orders, self._orders = self._orders, []
        answers, self._answers = self._answers, 0
        wrong = sum(not self._signed(order) for order in orders)
        told = sum(order[ACTION] != HELLO for order in orders)  # a hello comes again after 300 s, also between orders
        return {"orders": told, "wrong": wrong, "answers": answers}

    def _signed(self, order: bytes) -> bool:
        assert self._issuer is not None
        try:
            self._issuer.verify(order[ORDER.size :], SIGNED_ORDER + order[: ORDER.size])
        except InvalidSignature:
            return False
        return True


def _context(folder: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(f"{folder}/authority.crt")
    context.load_cert_chain(f"{folder}/stations.pem")
    return context


def _received(sock: socket.socket) -> bytes | None:
    """What there is; None: not a whole record of TLS yet."""
    try:
        data = sock.recv(CHUNK)
        while isinstance(sock, ssl.SSLSocket) and sock.pending():  # decrypted already: no epoll tells of it
            data += sock.recv(CHUNK)
    except ssl.SSLWantReadError:
        return None
    return data


def _floor_greeting(station: Station) -> bytes:
    return mqtt.connect(f"floor-{station.number}", KEEPALIVE) + mqtt.subscribe(FLOOR)


def _until_subscribed(sock: socket.socket, buffer: bytearray) -> None:
    while True:
        data = sock.recv(4096)
        if not data:
            raise ConnectionError("the broker takes no more connections.")
        buffer += data
        for first, body in mqtt.packets(buffer):
            if first & 0xF0 == mqtt.SUBACK:
                if body[-1] & 0x80:
                    raise ConnectionError("the broker refuses the subscription.")
                return


def _tell(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    asked = json.loads(sys.stdin.readline())
    issuer = bytes.fromhex(asked["issuer"]) if asked["issuer"] else None
    stations = Stations(asked["port"], asked["site"], asked["count"], issuer, asked["keys"])
    _tell({"connected": asked["count"]})
    stations.run()


if __name__ == "__main__":
    main()

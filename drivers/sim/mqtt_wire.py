"""A wire between a station and its broker that reads MQTT: it loses, holds, doubles, swaps and replays single messages.

`python -m drivers.sim.mqtt_wire --knobs PATH --line NAME=TO ...` listens on a free port for each line, goes on to TO
and prints `{"ready": true, "ports": {"NAME": N}}`. Everything is on 127.0.0.1. What is lost is acknowledged to its
sender: it was lost beyond the broker, and nobody sends it again by himself.
"""

import argparse
import asyncio
import contextlib
import itertools
import sys
from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from drivers.clock import Clock
from drivers.sim.knobs import Knobs

PUBLISH, PUBACK = 0x30, 0x40  # MQTT 5.0, section 2.1.2
RETAIN = 0x01
MOST_PACKET = 1 << 20  # octets; an order has 106
MOST_KEPT = 64  # orders that can be replayed, a line
OWN_IDS = range(60_000, 65_000)  # packet identifiers of what we add ourselves; a broker counts from 1
FOREVER = 0

# Octet of the payload that says what it is, after the first, which says whose: order (01, 02), text (40), answer (81).
ORDERS = {1: "start", 2: "stop", 3: "hello", 4: "lock", 5: "unlock"}
ANSWERS = {
    1: "session", 2: "alive", 3: "received", 4: "energised", 5: "proven", 6: "acknowledged", 7: "silenced",
    8: "ended", 9: "refused", 10: "heard", 11: "locked", 12: "unlocked",
}  # fmt: skip
WHATS = frozenset((*ORDERS.values(), *ANSWERS.values(), "text", "health"))


class Rule(msgspec.Struct):
    """What becomes of the next `times` messages of one kind; 0: of all."""

    what: str
    does: str  # "lose", "hold", "twice", "swap"
    times: int
    seconds: float = 0.0


class Packet(msgspec.Struct, frozen=True):
    """One MQTT control packet as it came."""

    octets: bytes
    body_at: int

    @property
    def kind(self) -> int:
        return self.octets[0] & 0xF0

    @property
    def qos(self) -> int:
        return self.octets[0] >> 1 & 3

    @property
    def topic_end(self) -> int:
        return self.body_at + 2 + int.from_bytes(self.octets[self.body_at : self.body_at + 2])

    @property
    def id(self) -> int:
        """Of a PUBLISH above QoS 0, or of its PUBACK."""
        at = self.body_at if self.kind == PUBACK else self.topic_end
        return int.from_bytes(self.octets[at : at + 2])

    @property
    def payload(self) -> bytes:
        at = self.topic_end + (2 if self.qos else 0)
        length, after = varint(self.octets, at)  # of the properties
        return self.octets[after + length :]

    def what(self) -> str:
        """Kind of the signed message in it, empty for what is none of ours."""
        if self.kind != PUBLISH or len(data := self.payload) < 3:
            return ""
        match data[0]:
            case 0x01 | 0x02:
                return ORDERS.get(data[2], "")
            case 0x40:
                return "text"
            case 0x81:
                return ANSWERS.get(data[1], "")
            case 0x82:
                return "health"
        return ""

    def again(self, topic: bytes, id: int, *, retain: bool) -> bytes:
        """The same message anew, on another topic and under another packet identifier."""
        body = len(topic).to_bytes(2) + topic + id.to_bytes(2)
        body += self.octets[self.topic_end + (2 if self.qos else 0) :]
        return bytes([PUBLISH | 1 << 1 | (RETAIN if retain else 0)]) + as_varint(len(body)) + body


def varint(octets: bytes, at: int) -> tuple[int, int]:
    """A variable byte integer (MQTT 5.0, 1.5.5) and where it ends. Raises ValueError."""
    value = 0
    for i in range(4):
        value |= (octets[at + i] & 0x7F) << 7 * i
        if octets[at + i] < 0x80:
            return value, at + i + 1
    raise ValueError("a length of more than four octets")


def as_varint(value: int) -> bytes:
    octets = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        octets.append(low | (0x80 if value else 0))
        if not value:
            return bytes(octets)


async def read_packet(source: asyncio.StreamReader) -> Packet:
    """Raises IncompleteReadError at the end, ValueError for what is no MQTT."""
    head = await source.readexactly(1)
    length, shift = 0, 0
    while True:
        octet = await source.readexactly(1)
        head += octet
        length |= (octet[0] & 0x7F) << shift
        if octet[0] < 0x80:
            break
        if (shift := shift + 7) > 21:
            raise ValueError("a length of more than four octets")
    if length > MOST_PACKET:
        raise ValueError(f"a packet of {length} octets")
    return Packet(head + await source.readexactly(length), len(head))


class Line:
    """One station's wire. `down` is from the broker to the station."""

    def __init__(self, name: str, to: int) -> None:
        self.name, self._to = name, to
        self.rules: list[Rule] = []
        self.kept: deque[Packet] = deque(maxlen=MOST_KEPT)
        self.passed: dict[str, int] = {}
        self.changed: dict[str, int] = {}
        self._swapped: Packet | None = None
        self._station: asyncio.StreamWriter | None = None
        self._own_ids = itertools.cycle(OWN_IDS)
        self._group: asyncio.TaskGroup | None = None
        self._server: asyncio.Server | None = None

    async def listen(self, group: asyncio.TaskGroup) -> int:
        """The port."""
        self._group = group
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _connected(self, from_station: asyncio.StreamReader, to_station: asyncio.StreamWriter) -> None:
        try:
            from_broker, to_broker = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            to_station.close()
            return
        self._station = to_station
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry(from_station, to_broker, to_station, down=False))
                both.create_task(self._carry(from_broker, to_station, to_broker, down=True))
        except* (OSError, ValueError, asyncio.IncompleteReadError):
            pass  # an end is gone; the other one sees the same
        finally:
            to_station.close()
            to_broker.close()

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, back: asyncio.StreamWriter, *, down: bool
    ) -> None:
        while True:
            packet = await read_packet(source)
            if packet.kind == PUBACK and packet.id in OWN_IDS:
                continue  # for what only we have sent
            what = packet.what()
            if down and what in ORDERS.values():
                self.kept.append(packet)
            if not self._meddled(packet, what, sink, back):
                sink.write(packet.octets)
            if what:
                self.passed[what] = self.passed.get(what, 0) + 1
            await sink.drain()

    def _meddled(self, packet: Packet, what: str, sink: asyncio.StreamWriter, back: asyncio.StreamWriter) -> bool:
        """Whether a rule has taken the packet on."""
        if self._swapped is not None and what == self._swapped.what():
            sink.write(packet.octets + self._swapped.octets)
            self._swapped = None
            return True
        rule = next((r for r in self.rules if r.what == what), None) if what else None
        if rule is None:
            return False
        if rule.times != FOREVER:
            rule.times -= 1
            if not rule.times:
                self.rules.remove(rule)
        self.changed[f"{rule.does} {what}"] = self.changed.get(f"{rule.does} {what}", 0) + 1
        match rule.does:
            case "lose":
                if packet.qos:
                    back.write(bytes([PUBACK, 2]) + packet.id.to_bytes(2))
            case "twice":
                sink.write(packet.octets + packet.octets)
            case "swap":
                self._swapped = packet
            case "hold":
                assert self._group is not None
                self._group.create_task(self._later(packet, sink, rule.seconds))
        return True

    async def _later(self, packet: Packet, sink: asyncio.StreamWriter, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if not sink.is_closing():
            sink.write(packet.octets)

    def inject(self, packet: Packet, topic: bytes, *, retain: bool) -> None:
        """Raises ValueError when the station is not connected."""
        if self._station is None or self._station.is_closing():
            raise ValueError(f"{self.name} is not connected")
        self._station.write(packet.again(topic, next(self._own_ids), retain=retain))


class Wires:
    """All lines of one process, and the knobs on them."""

    def __init__(self, lines: dict[str, Line]) -> None:
        self.lines = lines

    def knobs(self) -> dict[str, Any]:
        return {
            "wire.lose": self.lose,
            "wire.hold": self.hold,
            "wire.twice": self.twice,
            "wire.swap": self.swap,
            "wire.replay": self.replay,
            "wire.pass": self.let_pass,
            "wire.status": self.status,
            "status": self.status,
        }

    def _line(self, line: str) -> Line:
        if line not in self.lines:
            raise ValueError(f"there is no line {line!r}; lines: {', '.join(sorted(self.lines))}")
        return self.lines[line]

    def _rule(self, line: str, what: str, does: str, times: int, seconds: float = 0.0) -> None:
        if what not in WHATS:
            raise ValueError(f"there is no message {what!r}; there is {', '.join(sorted(WHATS))}")
        self._line(line).rules.append(Rule(what, does, times, seconds))

    def lose(self, line: str, what: str, times: int = 1) -> None:
        self._rule(line, what, "lose", times)

    def hold(self, line: str, what: str, seconds: float, times: int = 1) -> None:
        self._rule(line, what, "hold", times, seconds)

    def twice(self, line: str, what: str, times: int = 1) -> None:
        self._rule(line, what, "twice", times)

    def swap(self, line: str, what: str) -> None:
        """The next one comes behind the one after it."""
        self._rule(line, what, "swap", 1)

    def replay(self, line: str, what: str, to: str = "", retain: bool = False, back: int = 1) -> None:
        """The last such order once more, or the `back`-th before; `to` another station, on its topic."""
        found = [p for p in self._line(line).kept if p.what() == what]
        if len(found) < back:
            raise ValueError(f"{line} has had {len(found)} of {what!r}")
        target = self._line(to or line)
        topic = found[-back].octets[found[-back].body_at + 2 : found[-back].topic_end]
        target.inject(found[-back], topic.rpartition(b"/")[0] + b"/" + target.name.encode(), retain=retain)

    def let_pass(self, line: str = "") -> None:
        """No rule any more."""
        for one in [self._line(line)] if line else self.lines.values():
            one.rules.clear()

    def status(self) -> dict[str, Any]:
        return {
            name: {"passed": line.passed, "changed": line.changed, "rules": len(line.rules), "kept": len(line.kept)}
            for name, line in self.lines.items()
        }


async def serve(to: dict[str, int], knobs_path: Path) -> None:
    """Run lines (name -> where it goes on) until cancelled."""
    wires = Wires({name: Line(name, port) for name, port in to.items()})
    knobs = Knobs(knobs_path, wires.knobs())
    await knobs.start()
    try:
        async with asyncio.TaskGroup() as group:
            ports = {name: await line.listen(group) for name, line in wires.lines.items()}
            sys.stdout.write(msgspec.json.encode({"ready": True, "ports": ports}).decode() + "\n")
            sys.stdout.flush()
            await asyncio.get_running_loop().create_future()
    finally:
        for line in wires.lines.values():
            line.close()
        await knobs.stop()


def _named_port(text: str) -> tuple[str, int]:
    name, _, port = text.partition("=")
    return name, int(port)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m drivers.sim.mqtt_wire", description=__doc__)
    parser.add_argument("--line", type=_named_port, action="append", required=True, metavar="NAME=TO")
    parser.add_argument("--knobs", type=Path, required=True, help="the Unix socket of its knobs")
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        Clock.from_environment().run(serve(dict(arguments.line), arguments.knobs))


if __name__ == "__main__":
    main()

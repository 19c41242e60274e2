"""The MQTT adapter when the network freezes, a broker talks nonsense, or a callback fails."""

import asyncio
import contextlib
import socket
from pathlib import Path

import pytest
from mqtt_party import Join, Party, until

from drivers.clock import Clock
from drivers.dial import Dialer
from drivers.mqtt import Fate, Incoming
from drivers.mqtt_outbox import MAX_OCTETS
from drivers.sim.broker import SHIPPED, Broker
from drivers.sim.netcut import Line

CONNACK = b"\x20\x03\x00\x00\x00"
SESSION_TAKEN_OVER = b"\xe0\x01\x8e"


class RudeBroker:
    """Says `said` to each client and hears the first that it says."""

    def __init__(self, said: bytes) -> None:
        self._said = said
        self.greetings: list[bytes] = []
        self._open = 0

    async def __aenter__(self) -> "RudeBroker":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        self.greetings.append(await reader.read(1024))
        writer.write(self._said)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        self._open -= 1

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await until(lambda: not self._open)


async def test_a_frozen_network_is_noticed_and_nothing_is_called_acknowledged_in_it(join: Join, line: Line) -> None:
    centre = await join("centre", "siaga/demo/alert/#")
    station = await join("station", port=line.port, keepalive_s=1)
    line.cut()
    lost = station.mqtt.publish("siaga/demo/alert/lost", b"lost")
    kept = [station.mqtt.publish("siaga/demo/alert/kept", b"%d" % n, queue=True, expiry_s=60) for n in range(60)]
    assert await lost.settled(0.2) is Fate.SENT
    await until(lambda: not station.mqtt.up, within=4)
    await until(lambda: station.log[1:] == ["down: the broker did not answer within its keepalive"])
    assert lost.fate is Fate.LOST
    assert {sent.fate for sent in kept} == {Fate.KEPT}
    line.restore()
    assert [await sent.settled(8.0) for sent in kept] == [Fate.ACKNOWLEDGED] * 60
    await until(lambda: centre.payloads == [b"%d" % n for n in range(60)])
    assert station.mqtt.counts.connections == 2, "60 at once did not overrun what the broker allows in flight"


@pytest.mark.parametrize("qos", [0, 1])
async def test_what_a_frozen_network_does_not_take_is_bounded(join: Join, line: Line, qos: int) -> None:
    station = await join("station", port=line.port)
    line.cut()
    room = MAX_OCTETS // 60_000
    sent = [station.mqtt.publish("siaga/demo/state/x", bytes(60_000), qos=qos) for _ in range(room * 6)]
    waiting = [s for s in sent if s.fate is Fate.SENT]
    assert sent[-1].refused
    assert room <= len(waiting) < room * 5, "what the kernel took comes on top"


async def test_a_network_that_is_cut_at_the_start_never_holds_up_the_loop(broker: Broker, line: Line) -> None:
    line.cut()
    station = Party(line.port, "station")
    loop = asyncio.get_running_loop()
    longest, last = 0.0, loop.time()
    for _ in range(100):
        await asyncio.sleep(0.005)
        longest, last = max(longest, loop.time() - last), loop.time()
    assert longest < 0.3
    assert station.log == []
    line.restore()
    await until(lambda: station.mqtt.up)
    await station.leave()


async def test_a_port_that_never_answers_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        with pytest.raises(TimeoutError):
            await Dialer("127.0.0.1", port).dial(timeout=0.2)
        for filler in fillers:
            filler.close()


async def test_a_broker_is_found_by_its_name_and_the_socket_does_not_delay(broker: Broker) -> None:
    dialer = Dialer("localhost", broker.port)
    with await dialer.dial(timeout=5) as sock:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    dialer.close()
    nowhere = Dialer("no-such-host.invalid", broker.port)
    with pytest.raises(OSError, match=r"(not known|resolution|associated)"):
        await nowhere.dial(timeout=20)
    nowhere.close()


async def test_a_callback_that_chokes_on_a_message_is_counted_and_the_next_one_arrives(
    join: Join, caplog: pytest.LogCaptureFixture
) -> None:
    station = await join("station", "siaga/demo/alert/1")

    def choke(message: Incoming) -> None:
        if message.payload == b"bad":
            raise ValueError("no order")
        station.messages.append(message)

    station.take = choke
    station.mqtt.publish("siaga/demo/alert/1", b"bad")
    station.mqtt.publish("siaga/demo/alert/1", b"good")
    await until(lambda: station.payloads == [b"good"])
    assert station.mqtt.counts.callback_errors == 1
    assert "ValueError: no order" in caplog.text
    assert station.log == ["up"]


async def test_a_fault_in_a_callback_reaches_the_owner_of_the_task(join: Join) -> None:
    station = await join("station", "siaga/demo/alert/1")
    station.take = lambda message: {}[message.topic]
    station.mqtt.publish("siaga/demo/alert/1", b"x")
    with pytest.raises(KeyError):
        await asyncio.wait_for(station.task, 5)
    assert not station.mqtt.up


async def test_a_refusal_is_said_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = tmp_path / "strict.conf"
    settings.write_text(SHIPPED.read_text().replace("allow_anonymous true", "allow_anonymous false"))
    broker = Broker(tmp_path, settings=settings)
    party = Party(await broker.start(), "nameless")
    await until(lambda: "the broker refused us: Not authorized" in caplog.text)
    assert party.log == []
    await broker.stop()
    settings.write_text(SHIPPED.read_text())
    await broker.start()
    await until(lambda: party.mqtt.up)
    await party.leave()
    await broker.stop()


def published(topic: bytes, payload: bytes) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + b"\x00" + payload
    length, left = b"", len(body)
    while left > 127:
        length, left = length + bytes([left % 128 | 128]), left // 128
    return b"\x30" + length + bytes([left]) + body


@pytest.mark.parametrize(
    "said",
    [CONNACK + b"\x00" * 20, CONNACK + b"\x30\x03\x00\xff!", b"\x20\x02\x00\x01"],
    ids=["zeros", "topic longer than its packet", "no MQTT 5"],
)
async def test_a_broker_that_talks_nonsense_is_left_and_tried_again(said: bytes) -> None:
    async with RudeBroker(said) as rude:
        party = Party(rude.port, "patient")
        await until(lambda: len(rude.greetings) >= 2)
        assert not party.task.done()
        assert rude.greetings[0][2:9] == b"\x00\x04MQTT\x05"
        await party.leave()


async def test_a_second_client_of_the_same_name_is_named_as_the_cause() -> None:
    async with RudeBroker(CONNACK + SESSION_TAKEN_OVER) as rude:
        party = Party(rude.port, "twin")
        await until(lambda: len(party.log) > 1)
        assert party.log[1] == "down: another client connected under our client id"
        await party.leave()


async def test_a_message_too_large_or_with_a_topic_that_is_no_text_is_dropped() -> None:
    said = CONNACK + published(b"\xff\xfe", b"x") + published(b"large", bytes(70_000)) + published(b"fine", b"x")
    async with RudeBroker(said) as rude:
        party = Party(rude.port, "careful")
        await until(lambda: party.messages)
        assert [message.topic for message in party.messages] == ["fine"]
        assert party.mqtt.dropped == 2
        await party.leave()


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["silence", "http"])
def test_a_program_that_takes_the_connection_and_is_no_broker_is_left_in_time(
    said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> list[str]:
        async with RudeBroker(said) as rude:
            party = Party(rude.port, "patient")
            await until(lambda: len(rude.greetings) >= 2, within=100)
            await party.leave()
        return party.log

    assert Clock(speed=20).run(story()) == []
    assert "does not answer within 10 s" in caplog.text

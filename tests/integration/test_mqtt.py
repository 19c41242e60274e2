"""The MQTT adapter against a real mosquitto, mosquitto's own clients, and brokers that misbehave."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from drivers.clock import Clock
from drivers.dial import Dialer
from drivers.mqtt import Fate, Incoming, Mqtt, Sent, Will
from drivers.mqtt_outbox import MAX_KEPT, MAX_OPEN
from drivers.sim import broker as broker_module
from drivers.sim.broker import SHIPPED, Broker, BrokerUnavailable, free_port, mosquitto
from drivers.sim.netcut import Line

CONNACK = b"\x20\x03\x00\x00\x00"


async def until(condition: Callable[[], object], within: float = 5.0) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.005)


class Party:
    """A client of the broker that notes everything."""

    def __init__(self, port: int, client_id: str, subscribe: str = "", **options: object) -> None:
        self.messages: list[Incoming] = []
        self.log: list[str] = []
        self.birth: Callable[[], object] = lambda: None
        self.take: Callable[[Incoming], object] = self.messages.append
        self.mqtt = Mqtt(
            "127.0.0.1",
            port,
            client_id,
            on_message=lambda message: self.take(message),
            on_up=lambda: (self.log.append("up"), self.birth()),
            on_down=lambda why: self.log.append(f"down: {why}"),
            **options,
        )
        if subscribe:
            self.mqtt.subscribe(subscribe)
        self.task = asyncio.create_task(self.mqtt.run())

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]

    async def leave(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


Join = Callable[..., Awaitable[Party]]


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path)
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
async def join(broker: Broker) -> AsyncIterator[Join]:
    """Start a party; it is up when this returns."""
    parties: list[Party] = []

    async def start(client_id: str, subscribe: str = "", *, port: int = 0, **options: object) -> Party:
        party = Party(port or broker.port, client_id, subscribe, **options)
        parties.append(party)
        await until(lambda: party.mqtt.up or party.task.done())
        return party

    yield start
    for party in parties:
        if not party.task.done():
            await party.leave()


@pytest.fixture
async def line(broker: Broker) -> AsyncIterator[Line]:
    """A cable to the broker that can be cut."""
    line = Line(0, broker.port)
    task = asyncio.create_task(line.run())
    yield line
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def stranger(program: str, port: int, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        program, "-h", "127.0.0.1", "-p", str(port), *arguments, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(10):
        out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_an_order_reaches_the_station_with_its_properties_and_its_sender_learns_of_it(join: Join) -> None:
    station = await join("station", "siaga/demo/alert/1")
    centre = await join("centre")
    await until(lambda: station.log == ["up"])
    sent = centre.mqtt.publish("siaga/demo/alert/1", b"\x00\xff order", expiry_s=30, content_type="siaga/order")
    assert await sent.settled(5.0) is Fate.ACKNOWLEDGED
    await until(lambda: station.messages)
    message = station.messages[0]
    assert (message.topic, message.payload, message.qos, message.retain) == (
        "siaga/demo/alert/1",
        b"\x00\xff order",
        1,
        False,
    )
    assert message.content_type == "siaga/order"
    assert message.expiry_s in (29, 30)


async def test_a_stranger_sees_what_we_publish_and_is_heard(broker: Broker, join: Join) -> None:
    centre = await join("centre", "siaga/demo/station/#")
    await centre.mqtt.publish("siaga/demo/state/mains", b"on", retain=True).settled(5.0)
    code, seen = await stranger(
        "mosquitto_sub", broker.port, "-t", "siaga/demo/state/#", "-C", "1", "-W", "5", "-F", "%t %r %p"
    )
    assert (code, seen) == (0, "siaga/demo/state/mains 1 on\n")
    code, _ = await stranger(
        "mosquitto_pub", broker.port, "-t", "siaga/demo/station/1/seen", "-m", "here", "-q", "1", "-V", "mqttv311"
    )
    await until(lambda: centre.payloads == [b"here"])
    assert (code, centre.messages[0].topic) == (0, "siaga/demo/station/1/seen")


@pytest.mark.parametrize("live", [True, False], ids=["live", "stored"])
async def test_an_order_with_retain_set_is_seen_as_such(broker: Broker, join: Join, live: bool) -> None:
    topic = "siaga/demo/alert/1"
    if live:
        station = await join("station", topic)
        await station.mqtt.publish("siaga/demo/ready", b"").settled(5.0)  # after the subscription, in order
    await stranger("mosquitto_pub", broker.port, "-t", topic, "-m", "stale", "-q", "1", "-r")
    if not live:
        station = await join("station", topic)
    await until(lambda: station.messages)
    assert station.messages[0].retain


async def test_an_order_that_nobody_subscribes_to_is_told_from_one_that_is_heard(join: Join) -> None:
    centre = await join("centre", "siaga/demo/heard")
    unheard, heard = centre.mqtt.publish("siaga/demo/alert/9", b"x"), centre.mqtt.publish("siaga/demo/heard", b"x")
    assert await unheard.settled(5.0) is Fate.ACKNOWLEDGED
    assert await heard.settled(5.0) is Fate.ACKNOWLEDGED
    assert (unheard.unheard, heard.unheard) == (True, False)


DOOMED = """
import asyncio, sys
from drivers.mqtt import Mqtt, Will
def born():
    mqtt.publish("siaga/demo/station/1/link", b"here", retain=True)
mqtt = Mqtt("127.0.0.1", int(sys.argv[1]), "doomed", on_message=print, on_up=born, on_down=print,
            will=Will("siaga/demo/station/1/link", b"gone"))
asyncio.run(mqtt.run())
"""


async def test_the_will_of_a_killed_process_replaces_its_birth(broker: Broker, join: Join) -> None:
    centre = await join("centre", "siaga/demo/station/1/link")
    doomed = await asyncio.create_subprocess_exec(sys.executable, "-c", DOOMED, str(broker.port))
    try:
        await until(lambda: centre.payloads == [b"here"], within=15)
    finally:
        doomed.send_signal(signal.SIGKILL)
        await doomed.wait()
    await until(lambda: centre.payloads == [b"here", b"gone"])
    late = await join("late", "siaga/demo/station/1/link")
    await until(lambda: late.payloads == [b"gone"])


async def test_the_will_is_sent_as_well_when_a_client_leaves_in_order(join: Join) -> None:
    centre = await join("centre", "siaga/demo/station/1/link")
    station = await join("station", will=Will("siaga/demo/station/1/link", b"gone"))
    await station.leave()
    await until(lambda: centre.payloads == [b"gone"])


async def test_a_killed_broker_comes_back_without_memory_and_gets_all_state_again(broker: Broker, join: Join) -> None:
    centre = await join("centre", "siaga/demo/alert/#", will=Will("siaga/demo/link", b"gone"))
    centre.birth = lambda: centre.mqtt.publish("siaga/demo/state/mains", b"on", retain=True)
    await stranger("mosquitto_pub", broker.port, "-t", "siaga/demo/state/old", "-m", "old", "-q", "1", "-r")
    await broker.kill()
    await until(lambda: not centre.mqtt.up)
    await until(lambda: centre.log[1:] == ["down: the connection broke"])
    await broker.start()
    await until(lambda: centre.log[2:] == ["up"], within=5)
    code, seen = await stranger("mosquitto_sub", broker.port, "-t", "siaga/demo/state/#", "-W", "1", "-F", "%t %p")
    assert (code, seen) == (27, "siaga/demo/state/mains on\n")  # 27: it timed out, so nothing else is stored
    await stranger("mosquitto_pub", broker.port, "-t", "siaga/demo/alert/1", "-m", "again", "-q", "1")
    await until(lambda: centre.payloads == [b"again"])


async def test_a_broker_that_is_dead_at_the_start_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    party = Party(port, "early", "siaga/#")
    refused = party.mqtt.publish("siaga/demo/x", b"state")
    assert refused.refused
    assert "no connection" in refused.why
    with caplog.at_level(logging.INFO, "drivers.mqtt"):
        await asyncio.sleep(0.7)  # three attempts
        assert [record.levelname for record in caplog.records] == ["WARNING"], "lost is logged once"
        assert f"port {port}: Connect" in caplog.text
        broker = Broker(tmp_path, port)
        await broker.start()
        await until(lambda: party.mqtt.up)
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    await party.leave()
    await broker.stop()
    assert party.log == ["up"]


async def test_a_kept_order_waits_for_the_connection_and_an_expired_one_is_not_sent(
    tmp_path: Path,
) -> None:
    port = free_port()
    party = Party(port, "early", "siaga/demo/alert/#")
    kept = party.mqtt.publish("siaga/demo/alert/1", b"kept", expiry_s=60, queue=True)
    brief = party.mqtt.publish("siaga/demo/alert/1", b"brief", expiry_s=0, queue=True)
    assert kept.fate is Fate.KEPT
    assert await kept.settled(0.0) is Fate.KEPT
    broker = Broker(tmp_path, port)
    await broker.start()
    assert await kept.settled(5.0) is Fate.ACKNOWLEDGED
    assert await brief.settled(5.0) is Fate.EXPIRED
    await until(lambda: party.payloads == [b"kept"])
    await party.leave()
    await broker.stop()


async def test_what_waits_for_a_connection_is_bounded() -> None:
    party = Party(free_port(), "lonely")
    sent = [party.mqtt.publish("siaga/demo/alert/1", b"x", queue=True) for _ in range(MAX_KEPT + 3)]
    assert [s.fate for s in sent] == [Fate.KEPT] * MAX_KEPT + [Fate.REFUSED] * 3
    assert party.mqtt.publish("t", bytes(70_000), queue=True).refused
    await party.leave()


async def test_a_session_keeps_orders_for_a_station_that_is_away(join: Join) -> None:
    station = await join("station", "siaga/demo/alert/1", session_expiry_s=60)
    await station.mqtt.publish("siaga/demo/ready", b"").settled(5.0)
    await station.leave()
    centre = await join("centre")
    sent = centre.mqtt.publish("siaga/demo/alert/1", b"while away", expiry_s=30)
    assert await sent.settled(5.0) is Fate.ACKNOWLEDGED
    assert not sent.unheard
    again = await join("station", "siaga/demo/alert/1", session_expiry_s=60)
    await until(lambda: again.payloads == [b"while away"])
    assert again.log == ["up"]
    assert not again.messages[0].retain


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
    sent = [station.mqtt.publish("siaga/demo/state/x", bytes(60_000), qos=qos) for _ in range(MAX_OPEN * 2)]
    waiting = [s for s in sent if s.fate is Fate.SENT]
    assert sent[-1].refused
    assert len(waiting) >= MAX_OPEN


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


async def test_a_second_client_of_the_same_name_is_named_as_the_cause(join: Join) -> None:
    first = await join("twin")
    await join("twin")
    await until(lambda: len(first.log) > 1)
    assert first.log[1] == "down: another client connected under our client id"


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


async def rude_broker(said: bytes) -> tuple[asyncio.Server, int, list[bytes]]:
    greetings: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greetings.append(await reader.read(1024))
        writer.write(said)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1], greetings


def published(topic: bytes, payload: bytes) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + b"\x00" + payload
    length, left = b"", len(body)
    while left > 127:
        length, left = length + bytes([left % 128 | 128]), left // 128
    return b"\x30" + length + bytes([left]) + body


@pytest.mark.parametrize(
    "said",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", CONNACK + b"\x00" * 20, CONNACK + b"\x30\x03\x00\xff!", b"\x20\x02\x00\x01"],
    ids=["http", "zeros", "topic longer than its packet", "no MQTT 5"],
)
async def test_a_broker_that_talks_nonsense_is_left_and_tried_again(said: bytes) -> None:
    server, port, greetings = await rude_broker(said)
    party = Party(port, "patient")
    await until(lambda: len(greetings) >= 2)
    assert not party.task.done()
    assert greetings[0][:9] == b"\x10" + greetings[0][1:2] + b"\x00\x04MQTT\x05"
    await party.leave()
    server.close()


async def test_a_message_too_large_or_with_a_topic_that_is_no_text_is_dropped() -> None:
    server, port, _ = await rude_broker(
        CONNACK + published(b"\xff\xfe", b"x") + published(b"large", bytes(70_000)) + published(b"fine", b"x")
    )
    party = Party(port, "careful")
    await until(lambda: party.messages)
    assert [message.topic for message in party.messages] == ["fine"]
    assert party.mqtt.dropped == 2
    await party.leave()
    server.close()


async def test_a_topic_that_cannot_be_published_to_is_an_error(join: Join) -> None:
    centre = await join("centre")
    for topic in ("siaga/+/alert", "siaga/#", ""):
        with pytest.raises(ValueError, match="one full topic"):
            centre.mqtt.publish(topic, b"x")
    with pytest.raises(ValueError, match="QoS"):
        centre.mqtt.publish("t", b"x", qos=2)


def test_twenty_fold_time_does_not_end_a_connection(tmp_path: Path) -> None:
    """40 s of the story are 2 s of the broker, which gives up a client of keepalive 1 after 1.5 s of silence."""

    async def story() -> tuple[list[str], Sent]:
        broker = Broker(tmp_path)
        party = Party(await broker.start(), "hurried", keepalive_s=1)
        await until(lambda: party.mqtt.up, within=100)
        await asyncio.sleep(40)
        sent = party.mqtt.publish("siaga/demo/state/x", b"x")
        await sent.settled(20.0)
        await party.leave()
        await broker.stop()
        return party.log, sent

    log, sent = Clock(speed=20).run(story())
    assert log == ["up"]
    assert sent.fate is Fate.ACKNOWLEDGED


async def test_mosquitto_takes_the_shipped_settings_as_they_are(tmp_path: Path) -> None:
    outer, inner = free_port(), free_port()
    text = SHIPPED.read_text()
    assert "\nlistener 1883\n" in text
    assert "\nlistener 1884 127.0.0.1\n" in text
    config = tmp_path / "siaga.conf"
    config.write_text(
        text.replace("listener 1883\n", f"listener {outer} 127.0.0.1\n").replace("listener 1884 ", f"listener {inner} ")
    )
    process = await asyncio.create_subprocess_exec(mosquitto(), "-c", str(config), stderr=asyncio.subprocess.PIPE)
    parties = [Party(outer, "station"), Party(inner, "box")]
    await until(lambda: all(party.mqtt.up for party in parties))
    for party in parties:
        await party.leave()
    process.terminate()
    _, said = await process.communicate()
    assert b"Error" not in said
    assert b"Warning" not in said


async def test_a_broker_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(BrokerUnavailable, match="Address already in use"),
    ):
        await Broker(tmp_path, taken.getsockname()[1]).start()
    monkeypatch.setattr(broker_module.shutil, "which", lambda *_arguments, **_options: None)
    with pytest.raises(BrokerUnavailable, match="apt-get install mosquitto"):
        await Broker(tmp_path).start()


async def test_the_broker_process_is_killed_and_started_by_its_knobs(tmp_path: Path) -> None:
    from drivers.sim.knobs import turn

    knobs = tmp_path / "knobs"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "drivers.sim.broker", "--knobs", str(knobs)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **Clock(20).environment()},
    )
    assert process.stdout
    try:
        async with asyncio.timeout(15):
            ready = await process.stdout.readline()
        assert ready.startswith(b'{"ready":true,"port":')
        port = (await turn(knobs, "status"))["port"]
        party = Party(port, "watcher")
        await until(lambda: party.mqtt.up)
        await turn(knobs, "broker.kill")
        await until(lambda: not party.mqtt.up)
        assert await turn(knobs, "status") == {"port": port, "running": False}
        assert await turn(knobs, "broker.start") == port
        await until(lambda: party.mqtt.up)
        await party.leave()
    finally:
        process.terminate()
        await process.wait()
    assert process.returncode == 0

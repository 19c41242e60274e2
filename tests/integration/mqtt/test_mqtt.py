"""The MQTT adapter with a real mosquitto and with mosquitto's own clients."""

import asyncio
import logging
import selectors
import signal
import sys
from pathlib import Path

import pytest
from mqtt_party import Join, Party, until

from drivers.clock import Clock
from drivers.mqtt import Fate, Incoming, Sent, Will
from drivers.mqtt_outbox import MAX_KEPT
from drivers.sim.broker import Broker, free_port


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


async def test_no_socket_on_the_way_waits_for_another_message(join: Join) -> None:
    """Nagle's algorithm at either end makes the order and its answer take 87 ms instead of about one."""
    station, centre = await join("station", "siaga/demo/alert/1"), await join("centre", "siaga/demo/station/1")
    station.take = lambda message: station.mqtt.publish("siaga/demo/station/1", message.payload)
    loop = asyncio.get_running_loop()
    took = []
    for n in range(1, 22):
        began = loop.time()
        centre.mqtt.publish("siaga/demo/alert/1", b"%d" % n)
        await until(lambda n=n: len(centre.messages) == n)
        took.append(loop.time() - began)
    assert sorted(took)[5] < 0.04  # the quickest, and not only one: a busy machine delays others


async def test_what_is_gathered_comes_whole_and_in_order(join: Join) -> None:
    centre = await join("centre", "siaga/demo/alert/#", gather_s=lambda: 0.05)
    station = await join("station")
    for n in range(200):
        station.mqtt.publish("siaga/demo/alert/x", b"%d" % n)
    await until(lambda: centre.payloads == [b"%d" % n for n in range(200)])
    assert [await centre.mqtt.publish("siaga/demo/alert/y", b"last").settled(5.0)] == [Fate.ACKNOWLEDGED]


async def test_what_was_looked_ahead_at_comes_in_its_order_also_when_the_connection_ends(join: Join) -> None:
    """Some pieces are begun with and take their time, some are not worth it: none overtakes another, none is lost."""
    loop, pieces = asyncio.get_running_loop(), list[int]()

    def look_ahead(messages: list[Incoming]) -> asyncio.Future[None] | None:
        pieces.append(len(messages))
        if len(pieces) % 3 == 0:
            return None
        begun = loop.create_future()
        loop.call_later(0.02 * (len(pieces) % 2), begun.set_result, None)
        return begun

    centre = await join("centre", "siaga/demo/alert/#", look_ahead=look_ahead)
    station = await join("station")
    for n in range(400):
        station.mqtt.publish("siaga/demo/alert/x", b"%d" % n)
    await until(lambda: centre.payloads == [b"%d" % n for n in range(400)])
    assert len(pieces) > 3
    assert sum(pieces) == 400
    sent = [station.mqtt.publish("siaga/demo/alert/x", b"%d" % n) for n in range(400, 420)]
    for each in sent:
        await each.settled(5.0)
    await until(lambda: sum(pieces) == 420)
    centre.mqtt.reconnect("to see what becomes of what was begun with")
    await until(lambda: centre.payloads == [b"%d" % n for n in range(420)])


async def test_the_loop_rests_while_what_has_come_is_gathered(join: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that is watched and not read wakes the loop at once, and again: a whole core for nothing."""
    centre = await join("centre", "siaga/demo/alert/#", gather_s=lambda: 0.3)
    station = await join("station")
    turns = 0
    selector = asyncio.get_running_loop().__dict__["_selector"]
    select = selector.select

    def counted(timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        nonlocal turns
        turns += 1
        return list(select(timeout))

    monkeypatch.setattr(selector, "select", counted)
    station.mqtt.publish("siaga/demo/alert/x", b"waits")
    await asyncio.sleep(0.2)
    assert centre.payloads == []
    await until(lambda: centre.payloads == [b"waits"])
    assert turns < 200

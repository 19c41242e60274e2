"""The simulated site's broker is a real one, with the settings that a box ships."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest
from mqtt_party import Party, until

from drivers.clock import Clock
from drivers.sim import broker as broker_module
from drivers.sim.broker import KEYS, SHIPPED, Broker, BrokerUnavailable, free_port, mosquitto
from drivers.sim.knobs import turn
from tests.key_boxes import Boxes


async def test_mosquitto_takes_the_shipped_settings_as_they_are(tmp_path: Path) -> None:
    outer, inner = free_port(), free_port()
    text = SHIPPED.read_text()
    assert "\nlistener 8883\n" in text
    assert "\nlistener 8884 127.0.0.1\n" in text
    boxes = Boxes(tmp_path)
    boxes.centre.init()
    boxes.enrol("damkar")
    config = tmp_path / "siaga.conf"
    text = text.replace("listener 8883\n", f"listener {outer} 127.0.0.1\n").replace(
        "listener 8884 ", f"listener {inner} "
    )
    config.write_text(text.replace(KEYS, f"{boxes.broker_keys}/") + ("user root\n" if os.geteuid() == 0 else ""))
    process = await asyncio.create_subprocess_exec(mosquitto(), "-c", str(config), stderr=asyncio.subprocess.PIPE)
    parties = [
        Party(outer, "station", credential=lambda: boxes.credential("damkar")),
        Party(inner, "box", credential=lambda: boxes.credential("pusat")),
    ]
    await until(lambda: all(party.mqtt.up for party in parties))
    for party in parties:
        await party.leave()
    process.terminate()
    _, said = await process.communicate()
    assert b"Error" not in said
    assert b"Warning" not in said.replace(b"Warning: Mosquitto should not be run as root", b"")


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


async def test_many_messages_over_tls_are_gathered_together(tmp_path: Path) -> None:
    """TLS hands out one record a read: one message in each gathering would be 20 a second here, and 10 s for all."""
    boxes = Boxes(tmp_path)
    boxes.centre.init()
    boxes.enrol("damkar")
    broker = Broker(tmp_path, keys=boxes.broker_keys)
    port = await broker.start()
    root = f"siaga/{boxes.centre.site.site}/station/damkar"
    centre = Party(
        port, "centre", f"{root}/answer", credential=lambda: boxes.credential("pusat"), gather_s=lambda: 0.05
    )
    station = Party(port, "station", credential=lambda: boxes.credential("damkar"))
    try:
        await until(lambda: centre.mqtt.up and station.mqtt.up)
        for n in range(200):
            station.mqtt.publish(f"{root}/answer", b"%d" % n)
        await until(lambda: centre.payloads == [b"%d" % n for n in range(200)])
    finally:
        await centre.leave()
        await station.leave()
        await broker.stop()

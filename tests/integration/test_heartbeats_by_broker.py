"""A centre that was away comes back to a real broker: what it finds there of stations, and how soon it misses one."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from order_world import CENTRE, STATION, World

from appliance.alerting.sender import Publish
from appliance.alerting.wire import NO_ID, Answer, What, decode_answer
from appliance.core import SESSION_EXPIRY
from appliance.keyring import StationRing
from appliance.model import Path as Way
from drivers.clock import Clock
from drivers.mqtt import Incoming, Mqtt
from drivers.sim.broker import Broker

SPEED = 4.0
ORDERS, ANSWERS = f"siaga/kota/alert/{STATION}", f"siaga/kota/station/{STATION}/answer"
BEATS = 8  # that nobody waits for
LOST_S, LOOK_S = 9.0, 8.0  # what is promised, and what a busy machine may be late at four-fold speed


class Connection:
    """A client of the broker, with a session that is kept there as core's is."""

    def __init__(self, port: int, name: str, topic: str, take: Callable[[Incoming], None]) -> None:
        self.mqtt = Mqtt(
            "127.0.0.1", port, name, on_message=take, on_up=lambda: None, on_down=lambda why: None,
            session_expiry_s=SESSION_EXPIRY,
        )  # fmt: skip
        self.mqtt.subscribe(topic)
        self._task = asyncio.create_task(self.mqtt.run())

    async def up(self) -> None:
        async with asyncio.timeout(60):
            while not self.mqtt.up:
                await asyncio.sleep(0.05)

    async def leave(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


class OverBroker(World):
    """The world of orders with mosquitto between the two. `heard`: what the centre was handed."""

    def __init__(self, folder: Path, clock: Clock, port: int) -> None:
        super().__init__(folder, clock)  # type: ignore[arg-type]
        self._port = port
        self.connections: dict[str, Connection] = {}
        self.heard: list[Answer] = []
        self.stations = StationRing(self.site)

    async def connect(self, who: str) -> None:
        topic = ANSWERS if who == CENTRE else ORDERS
        self.connections[who] = Connection(
            self._port, who, topic, lambda message: self._hand(who, message.payload, Way.MQTT)
        )
        await self.connections[who].up()

    def heartbeat(self, payload: bytes) -> int | None:
        """Its counter; None when it is something else."""
        if payload[0] != 0x81:
            return None
        answer = decode_answer(payload, self.stations)
        return answer.counter if answer.what is What.ALIVE and answer.alert == NO_ID else None

    async def vanish(self, who: str) -> None:
        await self.kill(who)
        await self.connections.pop(who).leave()

    def _publisher(self, who: str) -> Publish:
        own = ORDERS if who == CENTRE else ANSWERS

        def publish(topic: str, payload: bytes, expiry_s: int, qos: int = 1) -> str:
            sent = self.connections[who].mqtt.publish(own, payload, expiry_s=expiry_s, qos=qos)
            return sent.why if sent.refused else ""

        return publish

    def _hand(self, to: str, payload: bytes, way: Way) -> None:
        if to == CENTRE and payload[0] == 0x81:
            self.heard.append(decode_answer(payload, self.stations))
        super()._hand(to, payload, way)


@pytest.mark.parametrize("lives", [True, False], ids=["the station lives", "the station is gone too"])
def test_a_centre_that_comes_back_finds_no_heap_of_heartbeats_and_misses_a_station_within_9_s(
    tmp_path: Path, lives: bool
) -> None:
    logging.getLogger("siaga").setLevel(logging.CRITICAL)
    clock = Clock(SPEED)

    async def main() -> None:
        broker = Broker(tmp_path)
        world = OverBroker(tmp_path, clock, await broker.start())
        seen: list[Incoming] = []
        watcher = Connection(broker.port, "watcher", ANSWERS, seen.append)
        try:
            await watcher.up()
            await world.connect(CENTRE)
            await world.connect(STATION)
            await world.greeted()
            await world.vanish(CENTRE)
            gone = len(seen)
            await world.until(lambda: len({world.heartbeat(m.payload) for m in seen[gone:]} - {None}) >= BEATS, 60)
            if not lives:
                await world.vanish(STATION)
            missed = {world.heartbeat(message.payload) for message in seen[gone:]} - {None}
            before, began = len(world.heard), clock.now()
            world.centre_up()
            await world.connect(CENTRE)
            await asyncio.sleep(2.5)  # whatever the broker kept has come by then
            assert len(missed) >= BEATS
            assert not missed & {answer.counter for answer in world.heard[before:]}, "heartbeats of before"
            assert world.state.stations[STATION].online, "our own restart is no reason to call it lost"
            if lives:
                await asyncio.sleep(LOST_S + LOOK_S)
                assert world.state.stations[STATION].online
            else:
                await world.until(lambda: not world.state.stations[STATION].online, LOST_S + LOOK_S)
                assert clock.now() - began <= LOST_S + LOOK_S
        finally:
            await world.end()
            for connection in (watcher, *world.connections.values()):
                await connection.leave()
            await broker.stop()

    clock.run(main())

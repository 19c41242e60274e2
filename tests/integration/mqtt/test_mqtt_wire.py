"""The simulated wire that meddles with single messages, between a real broker and clients of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from mqtt_party import Join, Party, until

from drivers.sim.broker import Broker
from drivers.sim.mqtt_wire import Line, Wires

START, STOP = b"\x01\x01\x01" + bytes(103), b"\x01\x01\x02" + bytes(103)
ENERGISED, ACKNOWLEDGED = b"\x81\x04" + bytes(116), b"\x81\x06" + bytes(116)


class Wired(NamedTuple):
    wires: Wires
    centre: Party  # hears answers
    stations: dict[str, Party]

    def order(self, payload: bytes, to: str = "a") -> None:
        self.centre.mqtt.publish(f"siaga/demo/alert/{to}", payload)

    def answer(self, payload: bytes) -> None:
        self.stations["a"].mqtt.publish("siaga/demo/station/a/answer", payload)

    async def settled(self) -> None:
        """What was sent so far has arrived."""
        for who, topic, send in (
            (self.stations["a"], "siaga/demo/alert/a", self.centre),
            (self.centre, "siaga/demo/station/a/answer", self.stations["a"]),
        ):
            send.mqtt.publish(topic, b"end")
            await until(lambda who=who: who.payloads and who.payloads[-1] == b"end")
            who.messages[:] = [m for m in who.messages if m.payload != b"end"]


@pytest.fixture
async def wired(broker: Broker, join: Join) -> AsyncIterator[Wired]:
    lines = {name: Line(name, broker.port) for name in "ab"}
    ports: dict[str, int] = {}
    ready = asyncio.Event()

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            ports.update({name: await line.listen(group) for name, line in lines.items()})
            ready.set()
            await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(run())
    await ready.wait()
    stations = {n: await join(f"station-{n}", f"siaga/demo/alert/{n}", port=ports[n]) for n in "ab"}
    centre = await join("centre", "siaga/demo/station/+/answer")
    wired = Wired(Wires(lines), centre, stations)
    await wired.settled()
    yield wired
    for line in lines.values():
        line.close()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_without_a_rule_everything_passes_and_is_counted(wired: Wired) -> None:
    wired.order(START)
    wired.answer(ENERGISED)
    await wired.settled()
    assert wired.stations["a"].payloads == [START]
    assert wired.centre.payloads == [ENERGISED]
    assert wired.wires.status()["a"]["passed"] == {"start": 1, "energised": 1}


async def test_what_is_lost_is_lost_once_and_its_sender_knows_nothing(wired: Wired) -> None:
    wired.wires.lose("a", "start")
    wired.wires.lose("a", "acknowledged")
    wired.order(START)
    wired.answer(ACKNOWLEDGED)
    await wired.settled()
    assert wired.stations["a"].payloads == []
    assert wired.centre.payloads == []
    wired.order(START)
    wired.answer(ACKNOWLEDGED)
    await wired.settled()
    assert wired.stations["a"].payloads == [START]
    assert wired.centre.payloads == [ACKNOWLEDGED]


async def test_one_comes_twice_one_comes_late_and_two_change_places(wired: Wired) -> None:
    station = wired.stations["a"]
    wired.wires.twice("a", "start")
    wired.order(START)
    await wired.settled()
    assert station.payloads == [START, START]
    station.messages.clear()
    wired.wires.hold("a", "start", seconds=0.2)
    wired.order(START)
    wired.order(STOP)
    await until(lambda: len(station.payloads) == 2)
    assert station.payloads == [STOP, START]
    station.messages.clear()
    other = START[:-1] + b"\x01"
    wired.wires.swap("a", "start")
    wired.order(START)
    wired.order(other)
    await until(lambda: len(station.payloads) == 2)
    assert station.payloads == [other, START]


async def test_an_order_is_replayed_also_retained_and_to_another_station(wired: Wired) -> None:
    wired.order(START)
    await wired.settled()
    wired.wires.replay("a", "start")
    wired.wires.replay("a", "start", retain=True)
    wired.wires.replay("a", "start", to="b")
    await until(lambda: len(wired.stations["a"].messages) == 3 and wired.stations["b"].messages)
    assert [m.retain for m in wired.stations["a"].messages] == [False, False, True]
    (there,) = wired.stations["b"].messages
    assert (there.topic, there.payload) == ("siaga/demo/alert/b", START)


async def test_what_cannot_be_done_is_refused(wired: Wired) -> None:
    with pytest.raises(ValueError, match="no message 'begin'"):
        wired.wires.lose("a", "begin")
    with pytest.raises(ValueError, match="no line 'c'"):
        wired.wires.lose("c", "start")
    with pytest.raises(ValueError, match="has had 0"):
        wired.wires.replay("a", "stop")

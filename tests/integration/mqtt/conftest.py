"""A broker, clients of it, and a cable to it that can be cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mqtt_party import Join, Party, until

from drivers.sim.broker import Broker
from drivers.sim.netcut import Line


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

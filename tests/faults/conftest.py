"""A demo to attack, and the stranger who does it; tests begin and end on a quiet site none of whose tasks has died."""

from collections.abc import AsyncIterator, Iterator

import pytest
from running_demo import RunningDemo
from stranger import Stranger

from appliance.demo_site import NODES


@pytest.fixture(scope="session")
def running() -> Iterator[RunningDemo]:
    demo = RunningDemo()
    try:
        yield demo.start()
    finally:
        demo.stop()


@pytest.fixture(scope="session")
def stranger(running: RunningDemo) -> Iterator[Stranger]:
    stranger = Stranger(running)
    yield stranger
    stranger.close()


@pytest.fixture
async def demo(running: RunningDemo) -> AsyncIterator[RunningDemo]:
    await running.settle()
    yield running
    await running.silence()
    for node in NODES:
        assert not running.rows(node, "system.task_died"), f"a task of {node}/core died"

"""A controller by pymodbus's simulator, a poller at work, and what it published: for the poller's tests."""

import asyncio
import contextlib
import socket
from pathlib import Path

import msgspec
from modbus_slave import until
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.clock import VirtualClock
from drivers.modbus.bus import Bus
from drivers.modbus.line import TcpLine
from drivers.modbus.poller import Poller
from drivers.modbus.profile import Profile, load

FIRMWARE = Path(__file__).parents[2] / "firmware-config"
DSE = load(FIRMWARE / "gensets" / "dse_7320_mk2.toml")
APC = load(FIRMWARE / "ups" / "apc_smart_ups.toml")
UNIT = 10
ROOMY_S = 4.0  # the clock runs fast here, and the machine may be busy

SMALL = msgspec.convert(
    {
        "name": "two blocks",
        "kind": "genset",
        "source": "none",
        "point": {"a": {"at": 1}, "b": {"at": 100}},
    },
    Profile,
)


class Seen:
    """What a poller published, newest last."""

    def __init__(self):
        self.batches = []

    def __call__(self, readings):
        self.batches.append(readings)

    def of(self, point):
        return [r for batch in self.batches for r in batch if r.point == point]

    def last(self, point):
        return (self.of(point) or [None])[-1]


class Controller:
    """A DSE by pymodbus's simulator: its own code for frames and registers, ours for what a write does."""

    def __init__(self, mode=1, engine=0, refuse=None, deaf=False):
        self.values = {772: mode, 774: 0, 1408: engine}
        self.written = []
        self.refuse, self.deaf = refuse, deaf

    async def action(self, function, start, address, count, current, new):
        if function == 16:
            self.written.append((address, list(new)))
            if self.refuse:
                return self.refuse
            if not self.deaf and new == [35732, 29803]:
                self.values[1408] = 3
            if not self.deaf and new == [35733, 29802]:
                self.values[1408] = 4
            if not self.deaf and new == [35701, 29834]:
                self.values[772] = 1
        for at, value in self.values.items():
            if start <= at < start + len(current):
                current[at - start] = value
        return None

    @contextlib.asynccontextmanager
    async def served(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        simdata = [SimData(0, count=5000, values=0, datatype=DataType.REGISTERS)]
        server = ModbusTcpServer(SimDevice(UNIT, simdata=simdata, action=self.action), address=("127.0.0.1", port))
        await server.serve_forever(background=True)
        try:
            yield TcpLine("127.0.0.1", port)
        finally:
            await server.shutdown()


@contextlib.asynccontextmanager
async def polled(bus, profile, unit=UNIT, interval_s=1.0, offset_s=0.0):
    seen = Seen()
    poller = Poller(bus, unit, profile, seen, interval_s=interval_s, offset_s=offset_s)
    task = asyncio.create_task(poller.run())
    try:
        yield poller, seen
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def at_speed(speed, story):
    VirtualClock().run(story)


def with_controller(controller, story, profile=DSE):
    async def run():
        async with controller.served() as line:
            bus = Bus(line, timeout_s=ROOMY_S)
            async with polled(bus, profile) as (poller, seen):
                await until(lambda: seen.batches)
                await story(poller, seen)
            bus.close()

    at_speed(10, run())

"""The poller with the shipped profiles: readings, loss and return, and commands that end in their proof."""

import asyncio
import contextlib
import socket
from pathlib import Path

import msgspec
import pytest
from modbus_slave import Slave, addresses, crc, registers, until
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.clock import VirtualClock
from drivers.modbus.bus import Bus
from drivers.modbus.errors import DeviceRefused, LinkLost, NotObserved, NotReady, UnknownCommand
from drivers.modbus.line import SerialLine, TcpLine
from drivers.modbus.poller import Poller
from drivers.modbus.profile import Profile, load
from drivers.quality import Quality

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
async def polled(bus, profile, unit=UNIT, interval_s=1.0):
    seen = Seen()
    poller = Poller(bus, unit, profile, seen, interval_s=interval_s)
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


def test_every_point_of_a_profile_is_published_in_one_call():
    async def story(_poller, seen):
        assert sorted(r.point for r in seen.batches[0]) == sorted(DSE.point)
        mode = seen.last("mode")
        assert (mode.value, mode.quality, mode.unit) == ("auto", Quality.GOOD, "")
        assert 0 <= asyncio.get_running_loop().time() - mode.at < 1.0

    with_controller(Controller(), story)


def test_a_start_is_written_once_and_proven_by_the_engine():
    controller = Controller()

    async def story(poller, _seen):
        proof = await poller.command("start")
        assert (proof.point, proof.value) == ("engine_state", "running")
        proof = await poller.command("cancel_start")
        assert proof.value == "cooling"

    with_controller(controller, story)
    assert controller.written == [(4104, [35732, 29803]), (4104, [35733, 29802])]


def test_a_set_out_of_auto_is_not_started_but_can_be_put_in_auto():
    controller = Controller(mode=2)

    async def story(poller, _seen):
        with pytest.raises(NotReady, match="needs mode to be auto; it is manual"):
            await poller.command("start")
        assert (await poller.command("auto")).value == "auto"

    with_controller(controller, story)
    assert controller.written == [(4104, [35701, 29834])]


def test_what_was_so_before_the_order_is_no_proof_of_it():
    async def story(poller, seen):
        assert seen.last("mode").value == "auto"
        ordered_at = asyncio.get_running_loop().time()
        assert (await poller.command("auto")).at > ordered_at

    with_controller(Controller(), story)


def test_a_start_without_effect_is_a_failure():
    controller = Controller(deaf=True)

    async def story(poller, _seen):
        began = asyncio.get_running_loop().time()
        with pytest.raises(NotObserved, match=r"engine_state was not running within 90 s; it is stopped"):
            await poller.command("start")
        assert asyncio.get_running_loop().time() - began >= 90

    async def run():
        async with controller.served() as line:
            bus = Bus(line, timeout_s=ROOMY_S)
            async with polled(bus, DSE, interval_s=5.0) as (poller, seen):
                await until(lambda: seen.batches)
                await story(poller, seen)
            bus.close()

    at_speed(50, run())
    assert len(controller.written) == 1


def test_a_refused_start_is_told_as_refused():
    async def story(poller, _seen):
        with pytest.raises(DeviceRefused) as refused:
            await poller.command("start")
        assert refused.value.code == 7

    with_controller(Controller(refuse=ExcCodes.NEGATIVE_ACKNOWLEDGE), story)


def test_a_command_that_the_profile_lacks_names_those_it_has():
    async def story(poller, _seen):
        with pytest.raises(UnknownCommand, match="auto, cancel_start, start"):
            await poller.command("stop")

    with_controller(Controller(), story)


def test_a_start_whose_answer_is_lost_is_proven_all_the_same_and_not_sent_twice(tmp_path):
    engine = {"state": 0}

    def answer(request):
        if request[1] == 16:
            engine["state"] = 3
            return 0.0, b""
        right = bytearray(registers(request))
        address, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
        for at, value in ((772, 1), (1408, engine["state"])):
            if address <= at < address + count:
                right[3 + 2 * (at - address) : 5 + 2 * (at - address)] = value.to_bytes(2, "big")
        return 0.0, bytes(right[:-2]) + crc(right[:-2])

    async def story():
        slave = Slave(str(tmp_path / "tty"), answer)
        bus = Bus(SerialLine(str(tmp_path / "tty")), timeout_s=ROOMY_S)
        async with polled(bus, DSE) as (poller, seen):
            await until(lambda: seen.batches)
            assert (await poller.command("start")).value == "running"
        assert addresses(slave).count(4104) == 1
        bus.close()
        slave.unplug()

    at_speed(5, story())


def test_a_silent_device_is_told_once_after_two_missed_polls_and_comes_back(tmp_path):
    async def story():
        slave = Slave(str(tmp_path / "tty"), lambda r: (0.0, registers(r)))
        bus = Bus(SerialLine(str(tmp_path / "tty")), timeout_s=ROOMY_S)
        async with polled(bus, SMALL) as (_poller, seen):
            await until(lambda: seen.last("b"))
            assert [(r.point, r.value) for r in seen.batches[-1]] == [("a", 1), ("b", 100)]
            slave.answer = lambda r: (0.0, b"")
            asked = len(slave.requests)
            await until(lambda: len(slave.requests) >= asked + 4)
            assert [(r.point, r.value, r.quality) for r in seen.batches[-1]] == [
                ("a", None, Quality.NO_LINK),
                ("b", None, Quality.NO_LINK),
            ]
            assert len([r for r in seen.of("a") if r.quality is Quality.NO_LINK]) == 1
            slave.answer = lambda r: (0.0, registers(r))
            await until(lambda: seen.last("a").value == 1)
        bus.close()
        slave.unplug()

    at_speed(10, story())


def test_one_missed_poll_is_no_loss(tmp_path):
    async def story():
        slave = Slave(str(tmp_path / "tty"), lambda r: (0.0, registers(r)))
        bus = Bus(SerialLine(str(tmp_path / "tty")), timeout_s=ROOMY_S)
        async with polled(bus, SMALL) as (_poller, seen):
            await until(lambda: seen.last("b"))
            slave.answer = lambda r: (0.0, b"")
            asked = len(slave.requests)
            await until(lambda: len(slave.requests) > asked)
            slave.answer = lambda r: (0.0, registers(r))
            published = len(seen.batches)
            await until(lambda: len(seen.batches) > published + 1)
            assert {r.quality for batch in seen.batches for r in batch} == {Quality.GOOD}
        bus.close()
        slave.unplug()

    at_speed(10, story())


def test_a_port_that_is_missing_at_the_start_is_waited_for(tmp_path):
    async def story():
        bus = Bus(SerialLine(str(tmp_path / "tty")), timeout_s=ROOMY_S)
        async with polled(bus, SMALL) as (poller, seen):
            await until(lambda: seen.batches)
            assert {r.quality for r in seen.batches[0]} == {Quality.NO_LINK}
            with pytest.raises(UnknownCommand):
                await poller.command("start")
            slave = Slave(str(tmp_path / "tty"), lambda r: (0.0, registers(r)))
            await until(lambda: seen.last("a").value == 1)
            assert len(seen.batches) == 2
        bus.close()
        slave.unplug()

    at_speed(10, story())


def test_an_order_to_a_device_that_was_never_heard_is_not_sent(tmp_path):
    async def story():
        bus = Bus(SerialLine(str(tmp_path / "tty")), timeout_s=ROOMY_S)
        async with polled(bus, DSE) as (poller, _seen):
            with pytest.raises(NotReady, match="needs mode, which is no_link"):
                await poller.command("start")
            with pytest.raises(LinkLost):
                await bus.write(UNIT, 4104, [1, 2])
        bus.close()

    at_speed(10, story())


def test_an_order_on_old_news_is_not_sent(tmp_path):
    controller = Controller()

    async def run():
        async with controller.served() as line:
            bus = Bus(line, timeout_s=ROOMY_S)
            async with polled(bus, DSE, interval_s=100.0) as (poller, seen):
                await until(lambda: seen.batches)
                await asyncio.sleep(6)
                with pytest.raises(NotReady, match="not older than 5 s"):
                    await poller.command("start")
            bus.close()

    at_speed(20, run())
    assert controller.written == []


def test_a_dead_unit_on_the_bus_costs_the_others_little(tmp_path):
    async def story():
        slave = Slave(str(tmp_path / "tty"), lambda r: (0.0, registers(r) if r[0] == 1 else b""))
        bus = Bus(SerialLine(str(tmp_path / "tty")))
        async with polled(bus, SMALL, unit=1) as (_, alive), polled(bus, SMALL, unit=2) as (_, dead):
            await asyncio.sleep(60)
            assert len(alive.of("a")) >= 40
            assert len(dead.of("a")) == 1
        bus.close()
        slave.unplug()

    at_speed(20, story())


def test_registers_that_the_device_does_not_have_are_unimplemented_and_the_others_are_read():
    controller = Controller()
    controller.values = {772: 1}
    original = controller.action

    async def without_page_5(function, start, address, count, current, new):
        if address >> 8 == 5:
            return ExcCodes.ILLEGAL_ADDRESS
        return await original(function, start, address, count, current, new)

    controller.action = without_page_5

    async def story(_poller, seen):
        engine = seen.last("engine_state")
        assert (engine.value, engine.quality) == (None, Quality.UNIMPLEMENTED)
        assert seen.last("mains_failed").quality is not Quality.NO_LINK
        assert seen.last("mode").value == "auto"

    with_controller(controller, story)


def test_a_battery_test_starts_only_on_mains_and_is_proven_by_its_running():
    async def ups(function, start, address, count, current, new):
        if function == 16 and address == 1541 and new == [1]:
            memory[23] = 0x0042
        for at, value in memory.items():
            if start <= at < start + len(current):
                current[at - start] = value

    memory = {1: 0x0002, 23: 0x0044}
    controller = Controller()
    controller.action = ups

    async def story(poller, seen):
        assert seen.last("self_test").value == "passed"
        assert (await poller.command("self_test")).value == "running"
        memory[1] = 0x0004
        await until(lambda: seen.last("on_battery").value)
        with pytest.raises(NotReady, match="needs online to be True"):
            await poller.command("self_test")

    with_controller(controller, story, APC)

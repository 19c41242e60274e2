"""The poller with the shipped profiles: readings, rates, loss and return."""

import asyncio
import contextlib

import msgspec
import pytest
from modbus_controller import DSE, ROOMY_S, SMALL, Controller, at_speed, polled, with_controller
from modbus_slave import Slave, frame, registers, until
from pymodbus.constants import ExcCodes

from drivers.clock import VirtualClock
from drivers.modbus.bus import Bus
from drivers.modbus.errors import UnknownCommand
from drivers.modbus.line import SerialLine
from drivers.modbus.profile import Profile
from drivers.quality import Quality


def test_every_point_of_a_profile_is_published_in_one_call():
    async def story(_poller, seen):
        assert sorted(r.point for r in seen.batches[0]) == sorted(DSE.point)
        mode = seen.last("mode")
        assert (mode.value, mode.quality, mode.unit) == ("auto", Quality.GOOD, "")
        assert 0 <= asyncio.get_running_loop().time() - mode.at < 1.0

    with_controller(Controller(), story)


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


def polls_of_two_living_units(tmp_path, dead, seconds, timeout_s=1.0):
    """How often units 1 and 2 were read meanwhile, polled as fast as the line allows; unit 3 answers or is dead."""

    async def story():
        slave = Slave(str(tmp_path / "tty"), lambda r: (0.02, b"" if dead and r[0] == 3 else registers(r)))
        bus = Bus(SerialLine(str(tmp_path / "tty")), timeout_s=timeout_s)
        async with contextlib.AsyncExitStack() as stack:
            for unit in (1, 2):
                await stack.enter_async_context(polled(bus, SMALL, unit=unit, interval_s=0.2))
            await stack.enter_async_context(polled(bus, SMALL, unit=3))
            await asyncio.sleep(60)  # it is known as dead by then
            slave.requests.clear()
            await asyncio.sleep(seconds)
        bus.close()
        slave.unplug()
        return sum(request[0] != 3 for request in slave.requests)

    return VirtualClock().run(story())


def test_a_dead_unit_costs_the_others_less_than_a_twentieth_of_their_rate(tmp_path):
    living = polls_of_two_living_units(tmp_path, False, 160.0)
    beside_a_dead_one = polls_of_two_living_units(tmp_path, True, 160.0)
    assert living > 2500
    assert beside_a_dead_one > 0.95 * living


def test_a_dead_unit_that_has_the_bus_for_itself_is_back_soon_after_it_lives(tmp_path):
    async def story():
        slave = Slave(str(tmp_path / "tty"), lambda r: (0.0, registers(r)))
        bus = Bus(SerialLine(str(tmp_path / "tty")))
        async with polled(bus, SMALL) as (_poller, seen):
            await until(lambda: seen.batches)
            slave.answer = lambda r: (0.0, b"")
            await asyncio.sleep(300)
            slave.answer = lambda r: (0.0, registers(r))
            await until(lambda: seen.last("a").value == 1, within_s=5)
        bus.close()
        slave.unplug()

    VirtualClock().run(story())


RATES = msgspec.convert(
    {
        "name": "two rates and two tables",
        "kind": "genset",
        "source": "none",
        "point": {
            "fast": {"at": 1},
            "slow": {"at": 2, "every_s": 30.0},
            "flag": {"at": 9, "table": "coil"},
            "input": {"at": 3, "table": "input"},
        },
    },
    Profile,
)


def all_tables(request):
    """Registers as ever, and every coil on."""
    return 0.0, (frame(request[0], request[1], 1, 0xFF) if request[1] in (1, 2) else registers(request))


def test_a_point_is_asked_for_not_more_often_than_it_wants_and_is_lost_with_the_others(tmp_path):
    async def story():
        slave = Slave(str(tmp_path / "tty"), all_tables)
        bus = Bus(SerialLine(str(tmp_path / "tty")))
        async with polled(bus, RATES) as (_poller, seen):
            await asyncio.sleep(89.5)
            assert len(seen.of("fast")) == len(seen.of("flag")) == 90
            assert len(seen.of("slow")) == 3
            assert [seen.last(name).value for name in ("fast", "slow", "flag", "input")] == [1, 2, True, 3]
            slave.answer = lambda r: (0.0, b"")
            await until(lambda: seen.last("fast").quality is Quality.NO_LINK)
            assert {seen.last(name).quality for name in RATES.point} == {Quality.NO_LINK}
            slave.answer = all_tables
            await until(lambda: seen.last("fast").quality is Quality.GOOD, within_s=5)
            assert {seen.last(name).quality for name in RATES.point} == {Quality.GOOD}
        bus.close()
        slave.unplug()

    VirtualClock().run(story())


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

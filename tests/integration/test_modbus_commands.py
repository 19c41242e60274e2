"""Orders to a device by its profile: what they need, how they go out, and the proof they end in."""

import asyncio
import contextlib

import msgspec
import pytest
from modbus_controller import APC, DSE, ROOMY_S, SMALL, UNIT, Controller, at_speed, polled, with_controller
from modbus_slave import Slave, addresses, crc, frame, registers, until
from pymodbus.constants import ExcCodes

from drivers.clock import VirtualClock
from drivers.modbus.bus import Bus
from drivers.modbus.errors import DeviceRefused, LinkLost, NotAccepted, NotObserved, NotReady, UnknownCommand
from drivers.modbus.line import SerialLine
from drivers.modbus.profile import Profile


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


@pytest.mark.parametrize(
    ("write", "sent"),
    [
        ({"at": 7, "value": 1, "function": "coil"}, frame(UNIT, 5, 0, 7, 0xFF, 0)),
        ({"at": 7, "value": 0, "function": "coil"}, frame(UNIT, 5, 0, 7, 0, 0)),
        ({"at": 7, "value": 513, "function": "register"}, frame(UNIT, 6, 0, 7, 2, 1)),
        (
            {"at": 4207, "value": 0x01FE0000, "encode": "argument", "command": 1},
            frame(UNIT, 16, 0x10, 0x6F, 0, 3, 6, 0x01, 0xFE, 0, 0, 0, 1),
        ),
    ],
)
def test_an_order_goes_out_by_the_function_that_the_profile_says(tmp_path, write, sent):
    order = {"write": write, "needs": {"max_age_s": 5}, "observe": {"point": "a", "is": 1, "within_s": 10}}
    profile = msgspec.convert({**msgspec.to_builtins(SMALL), "command": {"go": order}}, Profile)
    steps = []

    async def story():
        slave = Slave(str(tmp_path / "tty"), lambda r: (0.0, r if r[1] in (5, 6) else registers(r)))
        bus = Bus(SerialLine(str(tmp_path / "tty")))
        async with polled(bus, profile) as (poller, seen):
            await until(lambda: seen.batches)
            await poller.command("go", on_step=steps.append)
        assert slave.requests.count(sent) == 1
        bus.close()
        slave.unplug()

    VirtualClock().run(story())
    assert steps == ["sent"]


@pytest.mark.parametrize(("word", "accepted"), [(0x01FF, True), (0x0200, False)])
def test_the_devices_own_word_on_an_order_is_heard(tmp_path, word, accepted):
    write = {
        "at": 4207,
        "value": 0x01FE0000,
        "encode": "argument",
        "command": 1,
        "answer": {"at": 4207, "value": 0x1FF},
    }
    order = {"write": write, "needs": {"max_age_s": 5}, "observe": {"point": "a", "is": 1, "within_s": 10}}
    profile = msgspec.convert({**msgspec.to_builtins(SMALL), "command": {"go": order}}, Profile)
    steps = []

    def answer(request):
        asked = int.from_bytes(request[2:4], "big")
        own = frame(UNIT, 3, 4, 0, 0, *word.to_bytes(2, "big"))
        return 0.0, own if (request[1], asked) == (3, 4207) else registers(request)

    async def story():
        slave = Slave(str(tmp_path / "tty"), answer)
        bus = Bus(SerialLine(str(tmp_path / "tty")))
        async with polled(bus, profile) as (poller, seen):
            await until(lambda: seen.batches)
            with contextlib.nullcontext() if accepted else pytest.raises(NotAccepted, match="0x00000200"):
                await poller.command("go", on_step=steps.append)
        bus.close()
        slave.unplug()

    VirtualClock().run(story())
    assert steps == ["sent", "accepted"] if accepted else ["sent"]


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

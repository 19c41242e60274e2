"""The bus on real ptys and sockets, against a hand-written slave that lies."""

import asyncio
import contextlib
import functools
import struct

import pytest
from modbus_slave import Slave, addresses, frame, registers, until

from drivers.clock import VirtualClock
from drivers.modbus.bus import Bus
from drivers.modbus.errors import BadAnswer, DeviceRefused, LineNeverQuiet, LinkLost, NoAnswer
from drivers.modbus.line import RtuTcpLine, SerialLine, TcpLine

UNIT = 10
TIMEOUT_S, QUIET_S = 0.2, 0.2
LATE_S, PROMPT_S = 0.24, 0.02  # an answer comes 40 ms after the time-out, within the quiet period


def in_virtual_time(story):
    """The test that lets the story happen with nothing else on its loop than the bus and the slave."""

    @functools.wraps(story)
    def test(*args, **given):
        VirtualClock().run(story(*args, **given))

    return test


def truthful(request):
    return 0.0, registers(request)


@contextlib.asynccontextmanager
async def serial_line(tmp_path, answer=truthful, **options):
    slave = Slave(str(tmp_path / "tty"), answer)
    bus = Bus(SerialLine(str(tmp_path / "tty")), **({"timeout_s": 0.2, "quiet_s": QUIET_S} | options))
    try:
        yield slave, bus
    finally:
        bus.close()
        with contextlib.suppress(OSError):
            slave.unplug()


def late_once():
    """Answers every second request late, the others in time."""
    asked = 0

    def answer(request):
        nonlocal asked
        asked += 1
        return (LATE_S if asked % 2 else PROMPT_S), registers(request)

    return answer


async def after_a_late_answer(bus):
    """Ten times a read that is answered late, and at once the read of as many other registers: right, wrong, none."""
    outcomes = []
    for i in range(10):
        with pytest.raises(NoAnswer):
            await bus.read(UNIT, "holding", 1000 + i, 2)
        try:
            outcomes.append(await bus.read(UNIT, "holding", 2000 + i, 2) == [2000 + i, 2001 + i])
        except NoAnswer:  # the machine is busy; the answer to this one is late as well
            outcomes.append(None)
    return outcomes


@in_virtual_time
async def test_a_late_answer_is_never_taken_for_the_next_question(tmp_path):
    async with serial_line(tmp_path, late_once(), timeout_s=TIMEOUT_S) as (_slave, bus):
        outcomes = await after_a_late_answer(bus)
    assert outcomes.count(False) == 0
    assert outcomes.count(True) >= 8


def held_back():
    """Answers the first request when the second has come, which is as late as can be."""
    kept = []

    def answer(request):
        kept.append(registers(request))
        return 0.0, kept[0] if len(kept) == 2 else b""

    return answer


@in_virtual_time
async def test_without_the_quiet_period_such_an_answer_would_be_believed(tmp_path):
    async with serial_line(tmp_path, held_back(), timeout_s=TIMEOUT_S, quiet_s=0.0) as (_slave, bus):
        with pytest.raises(NoAnswer):
            await bus.read(UNIT, "holding", 1000, 2)
        assert await bus.read(UNIT, "holding", 2000, 2) == [1000, 1001]


@in_virtual_time
async def test_even_then_a_late_answer_is_not_taken_for_one_of_another_length_or_for_an_echo(tmp_path):
    async with serial_line(tmp_path, held_back(), timeout_s=TIMEOUT_S, quiet_s=0.0) as (slave, bus):
        with pytest.raises(NoAnswer):
            await bus.read(UNIT, "holding", 1000, 2)
        with pytest.raises(BadAnswer, match="4 bytes of data instead of 6"):
            await bus.read(UNIT, "holding", 2000, 3)
        slave.answer = held_back()
        with pytest.raises(NoAnswer):
            await bus.read(UNIT, "holding", 1000, 2)
        with pytest.raises(BadAnswer, match="function 3 instead of 16"):
            await bus.write(UNIT, 4104, [35732, 29803])


@in_virtual_time
async def test_an_answer_that_nobody_waits_for_any_more_spoils_nothing(tmp_path):
    async with serial_line(tmp_path, late_once(), timeout_s=TIMEOUT_S) as (slave, bus):
        given_up = asyncio.create_task(bus.read(UNIT, "holding", 1000, 2))
        await until(lambda: slave.requests)
        given_up.cancel()
        assert await bus.read(UNIT, "holding", 2000, 2) == [2000, 2001]


LIES = {
    "another unit": (lambda r: registers(bytes([UNIT + 1]) + r[1:]), "unit 11 instead of 10"),
    "another function": (lambda r: registers(bytes([UNIT, 4]) + r[2:]), "function 4 instead of 3"),
    "fewer registers": (lambda r: frame(UNIT, 3, 2, 0, 7), "2 bytes of data instead of 4"),
    "more registers": (lambda r: frame(UNIT, 3, 6, 0, 7, 0, 8, 0, 9), "6 bytes of data instead of 4"),
    "a wrong checksum": (lambda r: registers(r)[:-1] + b"?", "a wrong checksum"),
    "garbage": (lambda r: b"\x99" * 40, "instead of"),
}


@pytest.mark.parametrize(("lie", "told"), LIES.values(), ids=LIES.keys())
@in_virtual_time
async def test_a_wrong_answer_is_an_error_that_says_what_is_wrong_and_the_next_is_right(tmp_path, lie, told):
    async with serial_line(tmp_path, lambda r: (0.0, lie(r)), timeout_s=TIMEOUT_S) as (slave, bus):
        with pytest.raises(BadAnswer, match=told):
            await bus.read(UNIT, "holding", 1000, 2)
        slave.answer = truthful
        assert await bus.read(UNIT, "holding", 2000, 2) == [2000, 2001]


@in_virtual_time
async def test_a_write_that_echoes_another_address_is_an_error(tmp_path):
    def elsewhere(request):
        return 0.0, frame(*request[:2], 0, 1, *request[4:6])

    async with serial_line(tmp_path, elsewhere, timeout_s=TIMEOUT_S) as (_slave, bus):
        with pytest.raises(BadAnswer, match="the echo of another write"):
            await bus.write(UNIT, 4104, [1, 2])


@in_virtual_time
async def test_what_a_device_refuses_has_its_code(tmp_path):
    async with serial_line(tmp_path, lambda r: (0.0, frame(UNIT, r[1] | 0x80, 7))) as (_slave, bus):
        with pytest.raises(DeviceRefused, match="negative acknowledge") as refused:
            await bus.write(UNIT, 4104, [1, 2])
        assert refused.value.code == 7


@in_virtual_time
async def test_a_gateway_that_gets_no_answer_is_no_answer(tmp_path):
    async with serial_line(tmp_path, lambda r: (0.0, frame(UNIT, r[1] | 0x80, 11))) as (_slave, bus):
        with pytest.raises(NoAnswer, match="gateway"):
            await bus.read(UNIT, "holding", 0, 1)


async def test_frames_are_kept_apart_by_three_and_a_half_characters(tmp_path):
    async with serial_line(tmp_path) as (slave, bus):
        for _ in range(20):
            await bus.read(UNIT, "holding", 0, 10)
        gaps = [start - end for end, start in zip(slave.done_at, slave.heard_at[1:], strict=False)]
        assert len(gaps) == 19
        assert min(gaps) >= 3.5 * 10 / 9600


@in_virtual_time
async def test_a_task_that_is_told_to_end_just_as_its_answer_comes_ends(tmp_path):
    async with serial_line(tmp_path) as (_, bus):
        await bus.read(UNIT, "holding", 2000, 4)
        client = bus._client

        async def read_for_ever():
            while True:
                await bus.read(UNIT, "holding", 2000, 4)

        reader = asyncio.create_task(read_for_ever())
        answered = client.ctx.callback_data

        def cancel_with_the_answer(data, addr=None):
            used = answered(data, addr)
            if client.ctx.response_future.done():
                reader.cancel()
            return used

        client.ctx.callback_data = cancel_with_the_answer
        done, _ = await asyncio.wait({reader}, timeout=3)
        assert done, "the cancellation was lost"
        assert reader.cancelled()


@in_virtual_time
async def test_a_write_goes_before_the_reads_that_wait(tmp_path):
    async with serial_line(tmp_path, lambda r: (0.01, registers(r))) as (slave, bus):
        async with asyncio.TaskGroup() as tasks:
            for at in range(5):
                tasks.create_task(bus.read(UNIT, "holding", at, 1))
            await asyncio.sleep(0)
            tasks.create_task(bus.write(UNIT, 4104, [1, 2]))
        assert addresses(slave) == [0, 4104, 1, 2, 3, 4]


@in_virtual_time
async def test_a_write_that_is_not_answered_is_sent_once(tmp_path):
    async with serial_line(tmp_path, lambda r: (0.0, b""), timeout_s=TIMEOUT_S) as (slave, bus):
        with pytest.raises(NoAnswer) as silent:
            await bus.write(UNIT, 4104, [1, 2])
        assert silent.value.sent
        slave.answer = truthful
        await bus.read(UNIT, "holding", 5, 1)
        assert addresses(slave) == [4104, 5]


def test_a_port_that_vanishes_is_opened_again_when_it_is_back(tmp_path):
    path = str(tmp_path / "tty")

    async def read_until_it_works(bus):
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(LinkLost):
                    return await bus.read(UNIT, "holding", 7, 2)
                await asyncio.sleep(0.1)

    async def story():
        bus = Bus(SerialLine(path))
        with pytest.raises(LinkLost, match="cannot be opened") as lost:
            await bus.read(UNIT, "holding", 0, 1)
        assert not lost.value.sent
        for _ in range(2):
            slave = Slave(path, truthful)
            assert await read_until_it_works(bus) == [7, 8]
            slave.unplug()
            with pytest.raises(LinkLost):
                await bus.read(UNIT, "holding", 0, 1)
        bus.close()

    VirtualClock().run(story())


def test_a_line_that_babbles_is_told_and_not_spoken_on(tmp_path):
    async def story():
        async with serial_line(tmp_path, timeout_s=2.0, quiet_s=2.0) as (slave, bus):
            assert await bus.read(UNIT, "holding", 0, 1) == [0]

            async def babble():
                while True:
                    slave.say(b"\x00\x01")
                    await asyncio.sleep(0.1)

            babbler = asyncio.create_task(babble())
            await asyncio.sleep(0.2)
            with pytest.raises(LineNeverQuiet, match="second master"):
                await bus.read(UNIT, "holding", 5, 1)
            babbler.cancel()
            assert await bus.read(UNIT, "holding", 9, 1) == [9]
            assert addresses(slave) == [0, 9]

    VirtualClock().run(story())


@in_virtual_time
async def test_a_unit_number_that_nobody_answers_to_is_refused_before_it_is_sent(tmp_path):
    async with serial_line(tmp_path) as (slave, bus):
        with pytest.raises(ValueError, match="1 to 247"):
            await bus.read(0, "holding", 0, 1)
        assert slave.requests == []


# --- TCP -------------------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def stream_slave(size, answer):
    """A server that sends what `answer(request)` returns after so many seconds, a request being so many bytes; for
    Modbus TCP, whose header says how many, `size` is 0. Gives its port and the list of its connections so far.
    """
    served = []

    async def request(reader):
        if size:
            return await reader.readexactly(size)
        header = await reader.readexactly(6)
        return header + await reader.readexactly(int.from_bytes(header[4:], "big"))

    async def serve(reader, writer):
        served.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                delay, data = answer(await request(reader))
                await asyncio.sleep(delay)
                writer.write(data)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], served
        async with asyncio.timeout(2):
            await asyncio.gather(*served)


def tcp_slave(answer):
    """The same for Modbus TCP: `answer(transaction, request)`."""
    return stream_slave(0, lambda heard: answer(int.from_bytes(heard[:2], "big"), heard[6:]))


def tcp_registers(transaction, request, unit=UNIT):
    body = bytes([unit]) + registers(request + b"\0\0")[1:-2]
    return struct.pack(">HHH", transaction, 0, len(body)) + body


@in_virtual_time
async def test_a_late_answer_on_tcp_is_never_taken_for_the_next_question():
    late = late_once()

    def answer(transaction, request):
        delay, _ = late(request + b"\0\0")
        return (delay if delay == LATE_S else 0.0), tcp_registers(transaction, request)

    async with tcp_slave(answer) as (port, _):
        with contextlib.closing(Bus(TcpLine("127.0.0.1", port), timeout_s=TIMEOUT_S)) as bus:
            outcomes = await after_a_late_answer(bus)
    assert outcomes.count(False) == 0
    assert outcomes.count(True) >= 8


def test_after_a_wrong_answer_on_tcp_the_connection_is_made_anew():
    lies = [lambda t, r: tcp_registers(t, r, unit=UNIT + 1), lambda t, r: b"HTTP/1.1 400 Bad Request\r\n\r\n"]

    async def story():
        async with tcp_slave(lambda t, r: (0.0, lies.pop()(t, r) if lies else tcp_registers(t, r))) as (port, served):
            timeout_s = 1.5  # longer than the pauses before it connects again
            with contextlib.closing(Bus(TcpLine("127.0.0.1", port), timeout_s=timeout_s)) as bus:
                for told in ("not Modbus TCP", "unit 11 instead of 10"):
                    with pytest.raises(BadAnswer, match=told):
                        await bus.read(UNIT, "input", 1, 1)
                assert await bus.read(UNIT, "input", 1, 2) == [1, 2]
                assert len(served) == 3

    VirtualClock().run(story())


@in_virtual_time
async def test_a_late_answer_through_a_serial_server_is_never_taken_for_the_next_question():
    late = late_once()
    async with stream_slave(8, late) as (port, _):
        line = RtuTcpLine("127.0.0.1", port)
        with contextlib.closing(Bus(line, timeout_s=TIMEOUT_S, quiet_s=QUIET_S)) as bus:
            outcomes = await after_a_late_answer(bus)
    assert outcomes.count(False) == 0
    assert outcomes.count(True) >= 8


def test_a_connection_that_died_without_a_word_is_made_anew():
    async def story():
        async with tcp_slave(lambda t, r: (0.0, tcp_registers(t, r) if len(served) > 1 else b"")) as (port, served):
            with contextlib.closing(Bus(TcpLine("127.0.0.1", port), timeout_s=TIMEOUT_S)) as bus:
                for _ in range(3):
                    with pytest.raises(NoAnswer):
                        await bus.read(UNIT, "input", 1, 1)
                await asyncio.sleep(1.0)
                assert await bus.read(UNIT, "input", 1, 2) == [1, 2]
                assert len(served) == 2

    VirtualClock().run(story())

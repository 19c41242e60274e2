"""The bus against strangers' programs: pymodbus as a server, mbpoll as another master."""

import asyncio
import contextlib
import re
import socket

import pytest
from modbus_slave import until
from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.modbus.bus import Bus
from drivers.modbus.errors import DeviceRefused, LinkLost, NoAnswer
from drivers.modbus.line import RtuTcpLine, SerialLine, TcpLine

UNIT = 10


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def device():
    return SimDevice(UNIT, simdata=[SimData(1000, values=list(range(1, 201)), datatype=DataType.REGISTERS)])


async def test_pymodbus_and_mbpoll_agree_with_us_over_tcp_and_a_restart_is_survived():
    port = free_port()
    server = ModbusTcpServer(device(), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    bus = Bus(TcpLine("127.0.0.1", port))
    await bus.write(UNIT, 1100, [40000, 5])
    ours = await bus.read(UNIT, "holding", 1099, 4)
    transport = bus._client.ctx.transport
    assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    mbpoll = await asyncio.create_subprocess_exec(
        *f"mbpoll -m tcp -p {port} -a {UNIT} -0 -r 1099 -c 4 -t 4 -1 127.0.0.1".split(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(5):
        printed, _ = await mbpoll.communicate()
    assert ours == [100, 40000, 5, 103]
    assert [int(n) for n in re.findall(rb"^\[\d+\]:\s+(\d+)", printed, re.M)] == ours, printed
    with pytest.raises(DeviceRefused) as refused:
        await bus.read(UNIT, "holding", 1199, 2)
    assert refused.value.code == 2

    await server.shutdown()
    with pytest.raises((LinkLost, NoAnswer)):
        await bus.read(UNIT, "holding", 1000, 1)
    server = ModbusTcpServer(device(), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    async with asyncio.timeout(5):
        while True:
            with contextlib.suppress(LinkLost, NoAnswer):
                assert await bus.read(UNIT, "holding", 1000, 2) == [1, 2]
                break
            await asyncio.sleep(0.05)
    bus.close()
    await server.shutdown()


async def test_a_pymodbus_server_on_the_other_end_of_a_serial_line_is_understood(tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    socat = await asyncio.create_subprocess_exec(
        "socat", f"pty,raw,echo=0,link={ours}", f"pty,raw,echo=0,link={theirs}"
    )
    try:
        await until(lambda: ours.exists() and theirs.exists())
        server = ModbusSerialServer(device(), framer=FramerType.RTU, port=str(theirs), baudrate=9600)
        await server.serve_forever(background=True)
        bus = Bus(SerialLine(str(ours)))
        assert await bus.read(UNIT, "holding", 1000, 125) == list(range(1, 126))
        await bus.write(UNIT, 1000, [7, 8, 9])
        assert await bus.read(UNIT, "holding", 1000, 4) == [7, 8, 9, 4]
        with pytest.raises(DeviceRefused):
            await bus.read(UNIT, "holding", 1, 2)
        bus.close()
        await server.shutdown()
    finally:
        socat.terminate()
        await socat.wait()


async def test_a_stranger_that_speaks_rtu_in_a_tcp_stream_is_understood_with_all_its_tables():
    port = free_port()
    bits, registers = DataType.BITS, DataType.REGISTERS
    tables = (
        [SimData(0, values=[True, False, True, True, False, False, False, False, True, False], datatype=bits)],
        [SimData(0, values=[False, True], datatype=bits)],
        [SimData(1000, values=list(range(1, 201)), datatype=registers)],
        [SimData(30, values=[7, 8, 9], datatype=registers)],
    )
    server = ModbusTcpServer(SimDevice(UNIT, simdata=tables), framer=FramerType.RTU, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    bus = Bus(RtuTcpLine("127.0.0.1", port))
    assert await bus.read(UNIT, "coil", 0, 10) == [1, 0, 1, 1, 0, 0, 0, 0, 1, 0]
    assert await bus.read(UNIT, "discrete", 0, 2) == [0, 1]
    assert await bus.read(UNIT, "input", 30, 3) == [7, 8, 9]
    assert await bus.read(UNIT, "holding", 1000, 125) == list(range(1, 126))
    await bus.write(UNIT, 1, [1], function="coil")
    await bus.write(UNIT, 1000, [513], function="register")
    await bus.write(UNIT, 1001, [7, 8])
    assert await bus.read(UNIT, "coil", 0, 3) == [1, 1, 1]
    assert await bus.read(UNIT, "holding", 1000, 4) == [513, 7, 8, 4]
    bus.close()
    await server.shutdown()

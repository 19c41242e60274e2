import asyncio
import os
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest
import serial

from drivers.sim.pty_port import MAX_UNSENT, PtyPort

LINK = "ttySim"


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):  # 2 s
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("the condition did not come true in time")


class Ear:
    def __init__(self) -> None:
        self.heard = b""

    def __call__(self, data: bytes) -> None:
        self.heard += data

    def ends_with(self, data: bytes) -> bool:
        return self.heard.endswith(data)


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
async def port(tmp_path: Path, ear: Ear) -> AsyncIterator[PtyPort]:
    port = PtyPort(tmp_path / LINK, ear)
    port.open()
    yield port
    port.close()


def client(port: PtyPort) -> serial.Serial:
    return serial.Serial(str(port.link), 115200, timeout=8.0, exclusive=True)


async def test_every_byte_value_passes_unchanged_both_ways(port: PtyPort, ear: Ear) -> None:
    everything = bytes(range(256))
    with client(port) as c:
        c.write(everything)
        await until(lambda: len(ear.heard) >= 256)
        port.write(everything)
        assert await asyncio.to_thread(c.read, 256) == everything
    assert ear.heard == everything


async def test_a_client_may_close_and_open_again(port: PtyPort, ear: Ear) -> None:
    for turn in (b"one", b"two", b"three"):
        with client(port) as c:
            c.write(turn)
            await until(partial(ear.ends_with, turn))
            port.write(turn)
            assert await asyncio.to_thread(c.read, len(turn)) == turn


async def test_what_nobody_reads_is_bounded_and_the_rest_arrives_in_order(port: PtyPort) -> None:
    sent = b"".join(b"%07d\n" % i for i in range(20000))
    port.write(sent)
    assert port.lost >= len(sent) - MAX_UNSENT - 8192
    fd = os.open(port.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        got = b""

        def drained() -> bool:
            nonlocal got
            try:
                got += os.read(fd, 65536)
            except BlockingIOError:
                return len(got) == len(sent) - port.lost
            return False

        await until(drained)
    finally:
        os.close(fd)
    assert sent.startswith(got)


async def test_an_unplugged_port_ends_its_client_and_comes_back_under_the_same_path(port: PtyPort, ear: Ear) -> None:
    old = client(port)
    port.vanish()
    assert not port.link.is_symlink()
    with pytest.raises(serial.SerialException):
        await asyncio.to_thread(old.read, 1)
    old.close()
    port.write(b"into the void")
    port.reappear()
    with client(port) as c:
        c.write(b"again")
        await until(lambda: ear.heard == b"again")


async def test_a_dead_simulators_symlink_is_taken_over_but_a_file_is_not(tmp_path: Path, ear: Ear) -> None:
    (tmp_path / "stale").symlink_to("/dev/pts/no-such")
    port = PtyPort(tmp_path / "stale", ear)
    port.open()
    assert (tmp_path / "stale").readlink().exists()
    port.close()
    (tmp_path / "file").write_text("kept")
    with pytest.raises(FileExistsError, match="move it away"):
        PtyPort(tmp_path / "file", ear).open()
    assert (tmp_path / "file").read_text() == "kept"

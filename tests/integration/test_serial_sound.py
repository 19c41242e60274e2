"""A modem's sound on a serial port, on real ptys: alignment, bounds, loss and return; and on a simulated SIM7600."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lines_box import NUMBERS
from modem_world import Host
from sound_measure import frequency, level_dbfs, loud_from, share_of, tone

from drivers.audio.serial_pcm import GIVEN_S, KEPT_S, SerialPcm
from drivers.clock import VirtualClock
from drivers.sim.knobs import turn
from drivers.sim.mobile import MobileConfig, ModemConfig, run
from drivers.sim.pty_port import PtyPort

RATE, FRAME = 8000, 160
OUTSIDE = "+6281299990000"


class Modem:
    """The other end of the port."""

    def __init__(self, path: Path) -> None:
        self.heard = b""
        self.port = PtyPort(path, self._take)

    def _take(self, data: bytes) -> None:
        self.heard += data


@asynccontextmanager
async def serial(path: Path, rate: int = RATE) -> AsyncIterator[tuple[Modem, SerialPcm]]:
    modem = Modem(path)
    modem.port.open()
    end = SerialPcm(path, rate)
    try:
        yield modem, end
    finally:
        end.close()
        modem.port.close()


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not done():
            await asyncio.sleep(0.01)


def virtual(story: Callable[[Path], Coroutine[Any, Any, None]]) -> Callable[[Path], None]:
    """A test whose time passes only when nothing is left to do."""

    def test(tmp_path: Path) -> None:
        VirtualClock().run(story(tmp_path))

    return test


@pytest.mark.parametrize("piece", [1, 3, 320, 1001])
def test_samples_are_whole_however_the_octets_come(tmp_path: Path, piece: int) -> None:
    async def story() -> None:
        sent = tone(1000, 0.2, RATE)
        octets = sent.tobytes()
        async with serial(tmp_path / "pcm") as (modem, end):
            got = end.take()
            for at in range(0, len(octets), piece):
                modem.port.write(octets[at : at + piece])
                await asyncio.sleep(0.001)
                got = np.concatenate([got, end.take()])
            await until(lambda: len(end.take()) == 0)
            assert np.array_equal(got, sent)

    VirtualClock().run(story())


@virtual
async def test_what_is_given_arrives_octet_by_octet(tmp_path: Path) -> None:
    async with serial(tmp_path / "pcm", 16000) as (modem, end):
        sent = tone(1000, 0.1, 16000)
        for at in range(0, len(sent), 320):
            end.give(sent[at : at + 320])
            await asyncio.sleep(0.02)
        await until(lambda: len(modem.heard) >= 2 * len(sent))
        assert modem.heard == sent.tobytes()
        assert end.waiting_s == 0.0
        assert (end.live, end.finished, end.lost, end.rate) == (True, False, "", 16000)


@virtual
async def test_a_modem_that_takes_nothing_costs_no_memory_and_is_not_lost(tmp_path: Path) -> None:
    master, slave = os.openpty()
    (tmp_path / "pcm").symlink_to(os.ttyname(slave))
    end = SerialPcm(tmp_path / "pcm", RATE)
    try:
        for _ in range(500):
            end.give(tone(1000, 0.02, RATE))
        assert end.dropped > 200
        assert 0 < end.waiting_s < GIVEN_S + 0.1
        assert end.lost == ""
    finally:
        end.close()
        os.close(master)
        os.close(slave)


@virtual
async def test_what_nobody_takes_is_bounded_and_the_newest_stays(tmp_path: Path) -> None:
    async with serial(tmp_path / "pcm") as (modem, end):
        for _ in range(100):
            modem.port.write(bytes(2 * FRAME))
            await asyncio.sleep(0.001)
        modem.port.write(b"\x11\x22" * FRAME)
        await asyncio.sleep(0.1)
        kept = end.take()
        assert len(kept) == KEPT_S * RATE
        assert set(kept[-FRAME:]) == {0x2211}


@virtual
async def test_a_port_that_goes_is_lost_and_its_return_under_the_same_path_is_found(tmp_path: Path) -> None:
    async with serial(tmp_path / "pcm") as (modem, end):
        modem.port.write(b"\x01")  # half a sample: none of the next one
        await asyncio.sleep(0.05)
        modem.port.vanish()
        await until(lambda: end.lost == "unplugged")
        end.give(tone(1000, 0.02, RATE))
        await asyncio.sleep(1)
        assert end.lost == "unplugged"
        modem.port.reappear()
        await until(lambda: not end.lost)
        modem.port.write(b"\x02\x03")
        await asyncio.sleep(0.05)
        assert list(end.take()) == [0x0302]
    assert end.lost == "closed"
    end.close()


@virtual
async def test_a_cable_in_another_socket_is_followed(tmp_path: Path) -> None:
    async with serial(tmp_path / "pcm") as (modem, end):
        modem.port.move()
        await asyncio.sleep(3.0)
        await until(lambda: not end.lost)
        modem.port.write(b"\x02\x03")
        await asyncio.sleep(0.05)
        assert list(end.take()) == [0x0302]


@virtual
async def test_a_port_that_is_not_there_yet_is_missing_and_one_that_is_taken_is_busy(tmp_path: Path) -> None:
    modem = Modem(tmp_path / "pcm")
    end = SerialPcm(tmp_path / "pcm", RATE)
    assert end.lost == "missing"
    modem.port.open()
    await until(lambda: not end.lost)
    other = SerialPcm(tmp_path / "pcm", RATE)
    assert other.lost == "busy"
    other.close()
    end.close()
    modem.port.close()


@virtual
async def test_a_call_on_a_simulated_modem_is_heard_and_spoken_through_it(tmp_path: Path) -> None:
    config = MobileConfig(
        [ModemConfig("l2", str(tmp_path / "l2"), NUMBERS["l2"], "sim7600", pcm_port=str(tmp_path / "l2-pcm"))]
    )
    running = asyncio.ensure_future(run(config, tmp_path / "knobs"))
    knobs, host = tmp_path / "knobs", Host(tmp_path / "l2")
    await until(knobs.exists)
    host.open()
    end = SerialPcm(tmp_path / "l2-pcm", RATE)
    try:
        await host.ask("ATE0")
        await turn(knobs, "phone.record", number=OUTSIDE, file=str(tmp_path / "heard.wav"))
        await turn(knobs, "phone.say", number=OUTSIDE, hz=1000, seconds=3)
        await turn(knobs, "call.from", number=OUTSIDE, to="l2")
        await host.until("RING")
        await host.ask("ATA")
        await asyncio.sleep(0.15)
        assert await host.ask("AT+CPCMREG=1") == "OK"
        heard, said = [], tone(440, 1.0, RATE, -20)
        for at in range(0, len(said), FRAME):
            end.give(said[at : at + FRAME])
            await asyncio.sleep(0.02)
            heard.append(end.take())
        got = np.concatenate(heard)
        assert frequency(got[-4000:], RATE) == pytest.approx(1000, abs=1)
        assert level_dbfs(got[-4000:]) == pytest.approx(-12, abs=0.1)
        await turn(knobs, "modem.unplug", name="l2")
        await until(lambda: end.lost == "unplugged")
    finally:
        end.close()
        host.close()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    kept = np.frombuffer((tmp_path / "heard.wav").read_bytes()[44:], dtype="<i2")
    begins = loud_from(kept, RATE, -40)
    assert share_of(kept[begins + 800 : begins + 4800], RATE, 440) > 0.999
    assert level_dbfs(kept[begins + 800 : begins + 4800]) == pytest.approx(-20, abs=0.1)


@virtual
async def test_what_a_modem_still_holds_is_known_by_what_it_sent_meanwhile(tmp_path: Path) -> None:
    """It plays as many samples as it sends: nothing else tells of the buffer in it."""
    async with serial(tmp_path / "pcm") as (modem, end):
        frame = tone(1000, 0.02, RATE)
        end.give(frame)
        assert end.waiting_s == 0.0, "it sends nothing: not in a call"
        modem.port.write(bytes(2 * FRAME))
        await asyncio.sleep(0.01)
        for _ in range(3):
            end.give(frame)
        assert end.waiting_s == pytest.approx(0.06)
        modem.port.write(bytes(2 * FRAME))
        await asyncio.sleep(0.01)
        assert end.waiting_s == pytest.approx(0.04)
        for _ in range(50):
            end.give(frame)
        assert end.waiting_s <= GIVEN_S, "it stopped sending: bounded"

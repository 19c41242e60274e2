"""The annunciator as a process: killed cores, restarts, refused starts, what it tells systemd."""

import asyncio
import contextlib
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import OutputChange, Standing
from drivers.jsonsocket import Gone
from drivers.sim.knobs import turn

ROOT = Path(__file__).resolve().parents[2]
LATE = 0.8  # s by which a busy machine may move a pin too late
START_WITHIN = 15.0  # s; an interpreter and gpiozero on a busy machine

CORE = """
import asyncio, sys
from pathlib import Path
from appliance.annunciator_client import AnnunciatorLink
async def main():
    link = AnnunciatorLink(Path(sys.argv[1]))
    running = asyncio.create_task(link.run())
    while not link.up:
        await asyncio.sleep(0.01)
    await link.sound("dead01", "siren", "steady", 6.0)
    print("sounding", flush=True)
    await running
asyncio.run(main())
"""


async def until(condition: Callable[[], bool], within: float = START_WITHIN) -> None:
    async with asyncio.timeout(within):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


class Box:
    """Files of one annunciator, and its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket, self.knobs = folder, folder / "a.sock", folder / "knobs.sock"
        self.file = folder / "annunciator.toml"
        self.write()

    def write(self, **changes: Any) -> None:
        wiring = {
            "socket": str(self.socket),
            "factory": "mock",
            "knobs": str(self.knobs),
            "output": {
                "siren": {"pin": 17, "kind": "siren", "max_s": 3},
                "local": {"pin": 27, "kind": "lamp"},
            },
            "input": {"button": {"pin": 23, "kind": "button"}},
            "button": {"input": "button", "output": "siren", "seconds": 1, "lamp": "local"},
        }
        self.file.write_text(tomli_w.dumps(wiring | changes))

    async def spawn(self, **environment: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "appliance.annunciator", "--config", str(self.file)),
            cwd=ROOT,
            env=os.environ | environment,
            stderr=asyncio.subprocess.PIPE,
        )

    @contextlib.asynccontextmanager
    async def running(self, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await self.spawn(**environment)
        try:
            await self.answers()
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.communicate(), 10)

    async def answers(self) -> None:
        async with asyncio.timeout(START_WITHIN):
            while True:
                with contextlib.suppress(Gone):
                    await self.turn("status")
                    return
                await asyncio.sleep(0.02)

    async def turn(self, knob: str, **args: Any) -> Any:
        return await turn(self.knobs, knob, **args)

    async def changes(self, name: str = "siren") -> list[int]:
        return [change["value"] for change in await self.turn("pins.record", name=name)]

    async def becomes(self, name: str, level: int, within: float = 15.0) -> None:
        async with asyncio.timeout(within):
            while True:
                if (await self.turn("pins.read"))[name] == level:
                    return
                await asyncio.sleep(0.01)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


@contextlib.asynccontextmanager
async def core(box: Box, standings: list[Standing], outputs: list[OutputChange]) -> AsyncIterator[AnnunciatorLink]:
    link = AnnunciatorLink(box.socket, on_up=standings.append, on_output=outputs.append)
    running = asyncio.create_task(link.run())
    await until(lambda: link.up)
    yield link
    if client := link._link._client:
        client.close()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_a_killed_core_silences_nothing_and_the_annunciators_clock_ends_it(box: Box) -> None:
    box.write(output={"siren": {"pin": 17, "kind": "siren", "max_s": 10}, "local": {"pin": 27, "kind": "lamp"}})
    async with box.running():
        await box.becomes("local", 1)
        killed = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CORE, str(box.socket)), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert killed.stdout
        assert await asyncio.wait_for(killed.stdout.readline(), START_WITHIN) == b"sounding\n"
        assert (await box.turn("pins.read"))["local"] == 0
        killed.kill()
        await killed.wait()
        await box.becomes("local", 1)
        standings: list[Standing] = []
        outputs: list[OutputChange] = []
        async with core(box, standings, outputs):
            assert standings[0].outputs["siren"].order_ids == ("dead01",)
            assert 0 < (standings[0].outputs["siren"].remaining_s or 0) < 6
            await box.becomes("siren", 0)
            await until(lambda: outputs)
        assert [(change.on, change.why) for change in outputs] == [(False, "ended")]
        record = await box.turn("pins.record", name="siren")
        assert [change["value"] for change in record] == [1, 0]
        assert record[1]["at"] - record[0]["at"] == pytest.approx(6.0, abs=LATE)


async def test_a_killed_annunciator_starts_again_with_everything_off_and_core_finds_it(box: Box) -> None:
    standings: list[Standing] = []
    async with box.running() as first, core(box, standings, []) as link:
        assert (await link.sound("a1", "siren", "steady", 3)).energised
        first.kill()
        await first.wait()
        await until(lambda: not link.up)
        with pytest.raises(Gone):
            await link.sound("a1", "siren", "steady", 3)
        async with box.running():
            await until(lambda: len(standings) == 2)
            assert not standings[1].outputs["siren"].on
            assert await box.changes() == []
            assert (await link.sound("a1", "siren", "steady", 0.5)).remaining_s < 0.6
            await box.becomes("siren", 0)


async def test_a_button_held_while_the_process_is_killed_and_restarts_does_nothing(box: Box) -> None:
    async with box.running() as first:
        await box.turn("input.press", name="button")
        await box.becomes("siren", 1)
        first.kill()
        await first.wait()
        async with box.running():
            assert (await box.turn("status"))["pressed"] == ["button"]
            await asyncio.sleep(0.2)  # four times what a press needs to be one
            assert await box.changes() == []
            await box.turn("input.release", name="button")
            await asyncio.sleep(0.1)
            await box.turn("input.press", name="button", hold_s=0.2)
            await box.becomes("siren", 1)


async def test_the_longest_time_ends_an_order_that_asks_for_more(box: Box) -> None:
    box.write(output={"siren": {"pin": 17, "kind": "siren", "max_s": 1}, "local": {"pin": 27, "kind": "lamp"}})
    async with box.running(), core(box, [], []) as link:
        assert (await link.sound("a1", "siren", "steady", 60)).remaining_s <= 1
        await box.becomes("siren", 0)
        record = await box.turn("pins.record", name="siren")
        assert record[1]["at"] - record[0]["at"] == pytest.approx(1.0, abs=LATE)


async def test_an_order_moves_the_pin_in_milliseconds(box: Box) -> None:
    loop = asyncio.get_running_loop()
    asked: list[float] = []
    async with box.running(), core(box, [], []) as link:
        for number in range(10):
            asked.append(loop.time())
            await link.sound(f"{number:x}", "siren", "steady", 3)
            await link.stop([f"{number:x}"])
        moved = [change["at"] for change in await box.turn("pins.record", name="siren") if change["value"]]
    took = [pin - request for request, pin in zip(asked, moved, strict=True)]
    assert all(t > 0 for t in took)  # clocks of processes on one host compare
    assert sorted(took)[2] < 0.010  # about 0.3 ms on a quiet machine, both processes' Python included


async def test_a_second_annunciator_does_not_start_and_the_first_goes_on(box: Box) -> None:
    box.write(output={"siren": {"pin": 17, "kind": "siren", "max_s": 60}, "local": {"pin": 27, "kind": "lamp"}})
    async with box.running(), core(box, [], []) as link:
        await link.sound("a1", "siren", "steady", 60)
        second = await box.spawn()
        _, errors = await asyncio.wait_for(second.communicate(), START_WITHIN)
        assert second.returncode == 1
        assert b"another process listens" in errors
        assert (await box.turn("pins.read"))["siren"] == 1
        assert stat.S_IMODE(box.socket.stat().st_mode) == 0o660


async def test_wiring_that_is_refused_is_named_and_not_tried_again(box: Box) -> None:
    box.write(button={"input": "button", "output": "nothing"})
    process = await box.spawn()
    _, errors = await asyncio.wait_for(process.communicate(), START_WITHIN)
    assert process.returncode == 78  # RestartPreventExitStatus of the unit
    assert b"annunciator.toml: button.output: 'nothing'" in errors


async def test_systemd_is_told_ready_alive_and_stopping(box: Box, tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        told: list[str] = []

        async def next_line(wanted: str) -> None:
            async with asyncio.timeout(START_WITHIN):
                while wanted not in told:
                    told.extend((await loop.sock_recv(systemd, 4096)).decode().splitlines())

        process = await box.spawn(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="300000")
        await next_line("READY=1")
        await box.turn("status")  # ready means that it answers
        for _ in range(3):
            told.clear()
            await next_line("WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        await next_line("STOPPING=1")
        await asyncio.wait_for(process.communicate(), 10)
        assert process.returncode == 0
        assert not box.socket.exists()

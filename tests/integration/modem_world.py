"""Simulated modems with hosts that type at them, in a process and on a clock of their own, for tests."""

import asyncio
import os
import re
import tty
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.clock import VirtualClock
from drivers.sim.knobs import turn
from drivers.sim.mobile import MobileConfig, ModemConfig, run

WITHIN = 300.0  # s of the loop
ROOT = Path(__file__).parents[2]
A, B = "+628111111111", "+628222222222"
OLD, STICK = "+628444444444", "+628555555555"
FINAL = r"\r\n(OK|ERROR|NO CARRIER|COMMAND NOT SUPPORT|\+CM[ES] ERROR: [^\r]*)\r\n"
OUTSIDE = "+6281299990000"
CTRL_Z, ESC = "\x1a", "\x1b"


@dataclass
class Host:
    """What is plugged into a modem: types, and reads what comes."""

    link: Path
    fd: int = -1
    heard: str = ""
    gone: bool = False
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def open(self) -> None:
        self.fd = os.open(self.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd)
        self.heard, self.gone = "", False
        asyncio.get_running_loop().add_reader(self.fd, self._readable)

    def close(self) -> None:
        if self.fd >= 0:
            asyncio.get_running_loop().remove_reader(self.fd)
            os.close(self.fd)
            self.fd = -1

    def _readable(self) -> None:
        try:
            data = os.read(self.fd, 4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.gone = True
            asyncio.get_running_loop().remove_reader(self.fd)
        self.heard += data.decode("latin-1")
        self._more.set()

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode("latin-1"))

    async def until(self, wanted: str, within: float = WITHIN) -> str:
        """What was heard up to the first match of the pattern; the rest stays for the next time."""
        try:
            async with asyncio.timeout(within):
                while not (match := re.search(wanted, self.heard)):
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"never heard {wanted!r}, only {self.heard!r}") from None
        before, self.heard = self.heard[: match.end()], self.heard[match.end() :]
        return before

    async def ask(self, command: str) -> str:
        """The answer's lines, final result last."""
        self.type(command + "\r")
        said = await self.until(FINAL)
        return "\n".join(line for line in said.split("\r\n") if line)

    async def send_pdu(self, tpdu: str, length: int | None = None) -> str:
        self.type(f"AT+CMGS={len(tpdu) // 2 if length is None else length}\r")
        await self.until("\r\n> ")
        return await self.ask_raw("00" + tpdu + CTRL_Z)

    async def ask_raw(self, text: str) -> str:
        self.type(text)
        said = await self.until(r"\r\n(OK|\+CMS ERROR: \d+)\r\n")
        return "\n".join(line for line in said.split("\r\n") if line)


@dataclass
class World:
    knobs: Path
    quectel: Host
    simcom: Host
    sim800: Host
    huawei: Host

    async def turn(self, do: str, **args: Any) -> Any:
        return await turn(self.knobs, do, timeout=WITHIN, **args)

    async def set_up(self, *commands: str) -> None:
        for host in (self.quectel, self.simcom):
            for command in ("ATE0", "AT+CMEE=1", "AT+CLIP=1", "AT+CNMI=2,1,0,2,0", *commands):
                assert (await host.ask(command)).endswith("OK"), command
        assert (await self.quectel.ask('AT+QINDCFG="ccinfo",1,0')) == "OK"
        assert (await self.simcom.ask("AT+CLCC=1")) == "OK"

    async def reopened(self, host: Host) -> None:
        """Wait until the host's port is there again, and open it."""
        host.close()
        await self.until_status(host.link.name, port_present=True)
        host.open()

    async def modem(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.turn("status"))["modems"][name]
        return found

    async def until_status(self, name: str, **wanted: Any) -> None:
        state: dict[str, Any] = {}
        for _ in range(1000):
            state = await self.modem(name)
            if all(state[key] == value for key, value in wanted.items()):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{name} never became {wanted}: {state}")


def config_in(folder: Path) -> MobileConfig:
    return MobileConfig(
        [
            ModemConfig("quectel", str(folder / "quectel"), A, "eg25g", "TELKOMSEL", "867698040000001"),
            ModemConfig("simcom", str(folder / "simcom"), B, "sim7600", "INDOSAT OOREDOO", "867698040000002"),
            ModemConfig("spare", str(folder / "spare"), "+628333333333", "sim7600", "XL", "867698040000003"),
            ModemConfig("sim800", str(folder / "sim800"), OLD, "sim800", "TELKOMSEL", "867698040000004"),
            ModemConfig("huawei", str(folder / "huawei"), STICK, "huawei", "XL", "867698040000005"),
        ]
    )


Story = Callable[[World], Awaitable[None]]


def told(story: Story) -> Callable[[Path], None]:
    """The test that lets the story happen, in a world and a time of its own."""

    def test(tmp_path: Path) -> None:
        VirtualClock().run(in_a_world(tmp_path, story))

    return test


async def in_a_world(folder: Path, story: Story) -> None:
    running = asyncio.ensure_future(run(config_in(folder), folder / "knobs"))
    hosts = [Host(folder / name) for name in ("quectel", "simcom", "sim800", "huawei")]
    world = World(folder / "knobs", *hosts)
    for _ in range(1000):
        if all(host.link.is_symlink() for host in hosts) and world.knobs.exists():
            break
        await asyncio.sleep(0.1)
    for host in hosts:
        host.open()
    try:
        await story(world)
    finally:
        for host in hosts:
            host.close()
        running.cancel()
        await asyncio.wait([running])
    assert running.cancelled()
    assert not world.quectel.link.is_symlink(), "a stopped simulator leaves no port behind"

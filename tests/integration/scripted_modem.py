"""A small scripted modem on a pty, and a driver under test with what it told: for test_modem_driver.py."""

import asyncio
import os
import tty
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from drivers.modem.events import ModemEvent
from drivers.modem.modem import Modem
from drivers.modem.profile import Profile, load_profiles

PROFILES = load_profiles(Path(__file__).parents[2] / "firmware-config" / "modems")
PATIENCE = 120.0  # s of the scaled clock: six real ones
HELLO = "07911326040000F0040B911346610089F60000208062917314080CC8F71D14969741F977FD07"
REPORT = "07913396050066F006D60B913326979454F651011141902280510111419052800000"
E = TypeVar("E")


class ScriptedModem:
    """Answers by its table; `unanswered` commands are swallowed, `before` says something ahead of an answer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard: list[str] = []
        self.payloads: list[str] = []
        self.store: dict[str, dict[int, str]] = {"ME": {}, "SR": {}}
        self.memory, self.echo, self.mute, self.reference = "ME", True, False, 40
        self.unanswered: set[str] = set()
        self.before: dict[str, str] = {}
        self.progress = asyncio.Event()  # something was heard
        self.payload_answers: list[str | None] = []
        self.table = {
            "ATI": "Quectel\r\nEG25\r\nRevision: EG25GGBR07A08M2G", "AT+CGMI": "Quectel", "AT+CGMM": "EG25",
            "AT+CGMR": "EG25GGBR07A08M2G_30.202", "AT+CGSN": "490154203237518", "AT+CPIN?": "+CPIN: READY",
            "AT+CREG?": '+CREG: 2,1,"04CA","81DE445",7', "AT+CEREG?": "+CEREG: 2,1, 1F00, 79D903 ,7",
            "AT+CGREG?": '+CGREG: 2,1,"04CA","81DE445",7',
            "AT+COPS?": '+COPS: 0,0,"TELKOMSEL",7', "AT+CSQ": "+CSQ: 20,99", "AT+CLCC": "",
            "AT+CMEE?": "+CMEE: 1", "AT+CMGF?": "+CMGF: 0", "AT+CSCS?": '+CSCS: "GSM"', "AT+CNMI?": "+CNMI: 2,1,0,2,0",
            "AT+CPMS=?": '+CPMS: ("ME","SR"),("ME"),("ME")',
        }  # fmt: skip
        self._buffer = b""
        self._payload = False
        self.plug_in()

    def plug_in(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def unplug(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        self.path.unlink()
        os.close(self._master)
        os.close(self._slave)

    def say(self, text: str) -> None:
        if not self.mute:
            os.write(self._master, f"\r\n{text}\r\n".encode())

    def power_up(self) -> None:
        """As after a loss of its power that left the port in place."""
        self.echo = True
        self.say("RDY")

    def _readable(self) -> None:
        for byte in os.read(self._master, 4096):
            if self._payload and byte in b"\x1a\x1b":
                text, self._buffer, self._payload = self._buffer.decode(), b"", False
                if byte == 0x1A:
                    self._take_payload(text)
            elif byte == 0x0D and not self._payload:
                line, self._buffer = self._buffer.decode().lstrip("\x1b"), b""
                self._take(line)
            else:
                self._buffer += bytes((byte,))

    def _take_payload(self, text: str) -> None:
        self.payloads.append(text)
        self.progress.set()
        self.reference += 1
        answer = self.payload_answers.pop(0) if self.payload_answers else f"+CMGS: {self.reference}\r\n\r\nOK"
        if answer is not None:
            self.say(answer)

    def _take(self, line: str) -> None:
        if self.mute:
            return
        self.heard.append(line)
        self.progress.set()
        if self.echo:
            os.write(self._master, line.encode() + b"\r")
        self.echo = self.echo and line != "ATE0"
        name = line.partition("=")[0] + "=" * ("=" in line)
        if news := self.before.pop(line, ""):
            self.say(news)
        if {line, name} & self.unanswered:
            return
        if line in self.table:
            answer = self.table[line]
            self.say(answer if "ERROR" in answer else f"{answer}\r\n\r\nOK" if answer else "OK")
        elif name == "AT+CMGS=":
            self._payload = True
            os.write(self._master, b"\r\n> ")
        elif name in ("AT+CMGR=", "AT+CMGD=", "AT+CMGL=", "AT+CPMS=") or line == "AT+CPMS?":
            self.say(self._stored(name, line.partition("=")[2]))
        else:
            self.say("OK")

    def _stored(self, name: str, value: str) -> str:
        places = self.store[self.memory]
        if name == "AT+CPMS=":
            self.memory = value.strip('"')
            return "+CPMS: 0,255,0,255,0,255\r\n\r\nOK"
        if name == "AT+CPMS?":
            inbox = f'"ME",{len(self.store["ME"])},255'
            return f'+CPMS: "{self.memory}",{len(places)},255,{inbox},{inbox}\r\n\r\nOK'
        if name == "AT+CMGL=":
            rows = [f"+CMGL: {i},1,,{len(pdu) // 2 - 8}\r\n{pdu}" for i, pdu in places.items()]
            return "\r\n".join([*rows, "\r\nOK"])
        pdu = places.pop(int(value), None) if name == "AT+CMGD=" else places.get(int(value))
        if pdu is None:
            return "+CMS ERROR: 321"
        return "OK" if name == "AT+CMGD=" else f"+CMGR: 0,,{len(pdu) // 2 - 8}\r\n{pdu}\r\n\r\nOK"


class Line:
    """A driver under test with the events that it told so far."""

    def __init__(self, fake: ScriptedModem, profiles: Sequence[Profile] = PROFILES) -> None:
        self.fake, self.events = fake, list[ModemEvent]()
        self._news = asyncio.Event()
        self.modem = Modem(fake.path, profiles, on_event=self._told)

    def _told(self, event: ModemEvent) -> None:
        self.events.append(event)
        self._news.set()

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, kind: type[E], count: int = 1) -> E:
        """The `count`th event of its kind."""
        async with asyncio.timeout(PATIENCE):
            while len(self.all(kind)) < count:
                self._news.clear()
                await self._news.wait()
        return self.all(kind)[count - 1]

    async def heard(self, line: str, count: int = 1) -> None:
        """Until the modem heard a command that often."""
        await self.until_modem(lambda: self.fake.heard.count(line) >= count)

    async def until_modem(self, so: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not so():
                self.fake.progress.clear()
                await self.fake.progress.wait()

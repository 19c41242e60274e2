"""Two simulated modems and their network, over real ptys: as a host types at them, and as gammu uses them."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tty
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.clock import Clock
from drivers.jsonsocket import Refusal
from drivers.sim.knobs import turn
from drivers.sim.mobile import MobileConfig, ModemConfig, run

SPEED = 20.0
WITHIN = 200.0  # s of the scaled loop, 10 s of patience
ROOT = Path(__file__).parents[2]
A, B = "+628111111111", "+628222222222"
OUTSIDE = "+6281299990000"
CTRL_Z, ESC = "\x1a", "\x1b"

# SUBMIT to +628222222222 (its address behind the first two octets), without a service centre of its own.
TO_B = "0C91262822222222"
HELLO = "0AE8329BFD4697D9EC37"  # "hellohello" in GSM 7, length first
BINARY = "0E06050423F4C000" + "DEADBEEF001A1B"  # port 9204 from 49152, 7 octets

INIT = """
ATE0 AT+CMEE=1 AT+CPIN? AT+CLIP=1 AT+CRC=1 AT+CMGF=0 AT+CSMS=1 AT+CNMI=2,1,0,2,0 AT+CREG=2 AT+CEREG=2 AT+COPS=3,0
AT+CCWA=1 ATI AT+CGMI AT+CGMM AT+CGMR AT+CGSN AT+CIMI AT+CFUN? AT+CSQ AT+CESQ AT+CREG? AT+CGREG? AT+CEREG? AT+COPS?
AT+CSCS="GSM" AT+CSMS? AT+CSCA? AT+CPMS? AT+CPMS="SM","SM","SM" AT+CNMI? AT+CMGL=4 AT+CMMS=1 AT+CLCC AT+CCLK? AT+CBC
ATH AT+CHUP AT+CMGD=1,4 ATZ AT&F AT+CVHU=0 ATS0=0 ATV1 AT+CPAS AT+CNUM AT+GCAP AT+CHLD=? AT+CNMI=? AT+CPMS=?
"""


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
        said = await self.until(r"\r\n(OK|ERROR|NO CARRIER|\+CM[ES] ERROR: [^\r]*)\r\n")
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

    async def turn(self, do: str, **args: Any) -> Any:
        return await turn(self.knobs, do, timeout=WITHIN, **args)

    async def set_up(self, *commands: str) -> None:
        for host in (self.quectel, self.simcom):
            for command in ("ATE0", "AT+CMEE=1", "AT+CLIP=1", "AT+CNMI=2,1,0,2,0", *commands):
                assert (await host.ask(command)).endswith("OK"), command
        assert (await self.quectel.ask('AT+QINDCFG="ccinfo",1,0')) == "OK"
        assert (await self.simcom.ask("AT+CLCC=1")) == "OK"

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
        ]
    )


def told(story: Callable[[World], Awaitable[None]]) -> Callable[[Path], None]:
    """The test that lets the story happen, twenty times as fast, in a world of its own."""

    def test(tmp_path: Path) -> None:
        Clock(SPEED).run(in_a_world(tmp_path, story))

    return test


async def in_a_world(folder: Path, story: Callable[[World], Awaitable[None]]) -> None:
    running = asyncio.ensure_future(run(config_in(folder), folder / "knobs"))
    world = World(folder / "knobs", Host(folder / "quectel"), Host(folder / "simcom"))
    for _ in range(1000):
        if world.quectel.link.is_symlink() and world.simcom.link.is_symlink() and world.knobs.exists():
            break
        await asyncio.sleep(0.1)
    world.quectel.open()
    world.simcom.open()
    try:
        await story(world)
    finally:
        world.quectel.close()
        world.simcom.close()
        running.cancel()
        await asyncio.wait([running])
    assert running.cancelled()
    assert not world.quectel.link.is_symlink(), "a stopped simulator leaves no port behind"


@told
async def test_both_models_take_every_command_of_a_drivers_start(world: World) -> None:
    for host in (world.quectel, world.simcom):
        for command in INIT.split():
            assert (await host.ask(command)).endswith("OK"), command


@told
async def test_a_modem_echoes_until_it_is_told_not_to(world: World) -> None:
    world.quectel.type("AT\r")
    assert await world.quectel.until("OK\r\n") == "AT\r\r\nOK\r\n"
    await world.quectel.ask("ATE0")
    world.quectel.type("AT\r")
    assert await world.quectel.until("OK\r\n") == "\r\nOK\r\n"


@told
async def test_several_commands_in_a_line_get_one_result_and_stop_at_the_first_error(world: World) -> None:
    await world.set_up()
    assert await world.quectel.ask("AT+CPIN?;+CFUN?") == "+CPIN: READY\n+CFUN: 1\nOK"
    assert await world.quectel.ask("AT+CPIN?;+NOSUCH;+CREG=2") == "+CPIN: READY\nERROR"
    assert await world.quectel.ask("AT+CREG?") == "+CREG: 0,1\nOK"


@told
async def test_errors_are_as_wordy_as_cmee_says(world: World) -> None:
    await world.set_up()
    assert await world.simcom.ask("AT+VTS=5") == "+CME ERROR: 3"
    await world.simcom.ask("AT+CMEE=2")
    assert await world.simcom.ask("AT+VTS=5") == "+CME ERROR: operation not allowed"
    await world.simcom.ask("AT+CMEE=0")
    assert await world.simcom.ask("AT+VTS=5") == "ERROR"
    assert await world.simcom.ask("AT+CMGR=7") == "+CMS ERROR: 321"


@told
async def test_each_maker_writes_its_registration_in_its_own_way(world: World) -> None:
    await world.set_up("AT+CREG=2", "AT+CEREG=2")
    assert await world.quectel.ask("AT+CREG?") == '+CREG: 2,1,"4CA","81DE445",7\nOK'
    assert await world.simcom.ask("AT+CREG?") == "+CREG: 2,1,4CA,81DE445\nOK"
    assert await world.simcom.ask("AT+CEREG?") == "+CEREG: 2,1, 1F00, 79D903 ,7\nOK"
    assert await world.simcom.ask("AT+COPS=3,2;+COPS?") == '+COPS: 0,2,"51001",7\nOK'


@told
async def test_a_message_reaches_the_other_modem_with_the_same_user_data(world: World) -> None:
    await world.set_up()
    began = asyncio.get_running_loop().time()
    assert await world.quectel.send_pdu(f"1100{TO_B}0000AA{HELLO}") == "+CMGS: 1\nOK"
    assert asyncio.get_running_loop().time() - began >= 1.0, "the radio takes its time"
    await world.simcom.until(r'\+CMTI: "SM",1\r\n')
    read = await world.simcom.ask("AT+CMGR=1")
    deliver = r'\+CMGR: 0,"",28\n06912618010000040C91261811111111' + rf"0000\d{{12}}82{HELLO}\nOK"
    assert re.fullmatch(deliver, read), read
    assert (await world.simcom.ask("AT+CMGR=1")).startswith("+CMGR: 1,"), "read once is read"
    assert await world.simcom.ask("AT+CMGD=1") == "OK"
    assert await world.simcom.ask("AT+CMGL=4") == "OK"


@told
async def test_octets_to_a_port_arrive_with_their_header_and_their_coding(world: World) -> None:
    await world.set_up()
    await world.quectel.send_pdu(f"5100{TO_B}0004FF{BINARY}")
    await world.simcom.until(r"\+CMTI")
    assert re.search(rf"44[0-9A-F]{{16}}0004\d{{12}}82{BINARY}", await world.simcom.ask("AT+CMGR=1"))


@told
async def test_a_national_number_reaches_the_same_phone(world: World) -> None:
    await world.set_up()
    await world.quectel.send_pdu(f"01000B818022222222F20000{HELLO}")
    await world.simcom.until(r"\+CMTI")


@told
async def test_a_direct_message_waits_for_its_acknowledgement(world: World) -> None:
    await world.set_up("AT+CSMS=1", "AT+CNMI=2,2,0,1,0")
    await world.turn("sms.from", number=OUTSIDE, text="satu", to="simcom")
    await world.turn("sms.from", number=OUTSIDE, text="dua", to="simcom")
    await world.simcom.until(r'\r\n\+CMT: "",\d+\r\n[0-9A-F]+\r\n')
    assert (await world.modem("simcom"))["held_by_network"] == 1, "the second waits for AT+CNMA"
    assert await world.simcom.ask("AT+CNMA") == "OK"
    await world.simcom.until(r"\+CMT: .*\r\n[0-9A-F]+\r\n")
    assert await world.simcom.ask("AT+CNMA=1") == "OK"
    assert await world.simcom.ask("AT+CNMA") == "+CMS ERROR: 340"
    assert (await world.modem("simcom"))["stored"] == {"SM": 0, "ME": 0, "SR": 0}


@told
async def test_a_host_that_never_acknowledges_loses_direct_delivery_but_not_the_message(world: World) -> None:
    await world.set_up("AT+CSMS=1", "AT+CNMI=2,2,0,1,0")
    await world.turn("sms.from", number=OUTSIDE, text="satu", to="quectel")
    await world.quectel.until(r"\+CMT: ,\d+\r\n[0-9A-F]+\r\n")
    await world.until_status("quectel", stored={"SM": 0, "ME": 1, "SR": 0})
    assert await world.quectel.ask("AT+CNMI?") == "+CNMI: 2,0,0,0,0\nOK"
    assert "+CMT" not in world.quectel.heard


@told
async def test_a_long_text_from_outside_comes_in_parts_that_belong_together(world: World) -> None:
    await world.set_up()
    assert await world.turn("sms.from", number="BMKG", text="Gempa! 🌊" * 30, to=B) == {"parts": 5}
    for _ in range(5):
        await world.simcom.until(r'\+CMTI: "SM",\d\r\n')
    headers = re.findall(r"0008\d{12}82[0-9A-F]{2}050003(..)(....)", await world.simcom.ask("AT+CMGL=4"))
    assert {reference for reference, _ in headers} == {headers[0][0]}
    assert [part for _, part in headers] == ["0501", "0502", "0503", "0504", "0505"]


@told
async def test_a_full_memory_makes_the_network_wait_until_there_is_room(world: World) -> None:
    await world.set_up()
    await world.turn("network.delay", seconds=0)
    for number in range(51):
        await world.turn("sms.from", number=OUTSIDE, text=f"pesan {number}", to="simcom")
    await world.simcom.until(r"\+SMS FULL")
    assert await world.simcom.ask("AT+CPMS?") == '+CPMS: "SM",50,50,"SM",50,50,"SM",50,50\nOK'
    await world.simcom.ask("AT+CMGD=7")
    await world.simcom.until(r'\+CMTI: "SM",7\r\n')


@told
async def test_a_sender_who_asks_learns_that_the_message_arrived(world: World) -> None:
    await world.set_up("AT+CNMI=2,1,0,1,0")
    answer = await world.quectel.send_pdu(f"2100{TO_B}0000{HELLO}")
    assert answer == "+CMGS: 1\nOK"
    report = await world.quectel.until(r"\+CDS: 25\r\n[0-9A-F]+\r\n")
    assert re.search(r"06912618010000" + r"06010C91262822222222" + r"\d{12}82\d{12}8200\r\n$", report)


@told
async def test_a_report_can_be_kept_in_the_modem(world: World) -> None:
    await world.set_up()
    await world.quectel.send_pdu(f"2100{TO_B}0000{HELLO}")
    await world.quectel.until(r'\+CDSI: "SR",1\r\n')
    await world.quectel.ask('AT+CPMS="SR"')
    assert "0601" in await world.quectel.ask("AT+CMGR=1")


@told
async def test_what_cannot_be_sent_is_refused_with_a_reason(world: World) -> None:
    await world.set_up()
    good = f"0100{TO_B}0000{HELLO}"
    assert await world.quectel.send_pdu(good, length=len(good) // 2 - 1) == "+CMS ERROR: 304"
    assert await world.quectel.send_pdu("zz") == "+CMS ERROR: 304"
    assert await world.quectel.send_pdu(good[:-4]) == "+CMS ERROR: 304"
    await world.turn("sms.refuse", name="quectel", code=500)
    assert await world.quectel.send_pdu(good) == "+CMS ERROR: 500"
    await world.turn("modem.deny", name="quectel")
    assert await world.quectel.send_pdu(good) == "+CMS ERROR: 331"
    world.quectel.type("AT+CMGS=20\r")
    await world.quectel.until("> ")
    assert await world.quectel.ask_raw("0011" + ESC) == "OK"
    assert (await world.turn("sms.outbox")) == []
    assert (await world.modem("simcom"))["stored"]["SM"] == 0


@told
async def test_messages_to_numbers_outside_are_kept_in_an_outbox(world: World) -> None:
    await world.set_up()
    await world.quectel.send_pdu(f"01000C912618999900000000{HELLO}")
    await world.quectel.send_pdu("41000C91261899990000" + f"0004{BINARY}")
    text, binary = await world.turn("sms.outbox")
    assert (text["from"], text["to"], text["text"]) == (A, "+628199990000", "hellohello")
    assert (binary["text"], binary["header"], binary["payload"]) == (None, {"05": "23f4c000"}, "deadbeef001a1b")


@told
async def test_nothing_unasked_is_said_between_a_prompt_and_its_text(world: World) -> None:
    await world.set_up()
    await world.turn("network.delay", seconds=0)
    world.quectel.type("AT+CMGS=20\r")
    await world.quectel.until("> ")
    await world.turn("sms.from", number=OUTSIDE, text="sela", to="quectel")
    await world.until_status("quectel", stored={"SM": 0, "ME": 1, "SR": 0})
    assert world.quectel.heard == ""
    world.quectel.type(ESC)
    assert await world.quectel.until("OK\r\n") == '\r\n+CMTI: "ME",1\r\n\r\nOK\r\n'


@told
async def test_a_call_between_the_modems_speaks_both_dialects_to_its_end(world: World) -> None:
    await world.set_up()
    assert await world.quectel.ask(f"ATD{B};") == "OK"
    await world.quectel.until(rf'\+QIND: "ccinfo",2,0,2,0,0,"\{B}",145\r\n')
    said = await world.simcom.until(r"\+CLCC: [^\r]*\r\n")
    assert said == f'\r\nRING\r\n\r\n+CLIP: "{A}",145,,,,0\r\n\r\n+CLCC: 4,1,4,0,0,"{A}",145\r\n'
    await world.quectel.until(rf'\+QIND: "ccinfo",2,0,3,0,0,"\{B}",145\r\n')
    world.simcom.type("ATA\r")
    said = await world.simcom.until(r"4,1,0,0,0[^\r]*\r\n")
    assert said.endswith(f'\r\nVOICE CALL: BEGIN\r\n\r\nOK\r\n\r\n+CLCC: 4,1,0,0,0,"{A}",145\r\n')
    await world.quectel.until(r'\+QIND: "ccinfo",2,0,0,')
    assert f'+CLCC: 2,0,0,0,0,"{B}",145' in await world.quectel.ask("AT+CLCC")
    assert (await world.turn("call.status"))["active"][0]["phase"] == "active"
    assert await world.quectel.ask("AT+CHUP") == "OK"
    await world.quectel.until(r'\+QIND: "ccinfo",2,0,-1,')
    assert "+CLCC: 4,1,6," in await world.simcom.until(r"VOICE CALL: END: 0000\d\d\r\n")
    assert "NO CARRIER" not in world.quectel.heard, "who hangs up is not told that it ended"
    assert (await world.turn("modem.log", name="simcom", last=1)) == ["ATA"]
    assert (await world.turn("modem.log", name="quectel", last=1)) == ["AT+CHUP"]
    (ended,) = (await world.turn("call.status"))["ended"]
    assert (ended["cause"], ended["ended_by"]) == ("hangup", A)


@told
async def test_the_quectel_announces_a_call_without_ring(world: World) -> None:
    await world.set_up("AT+CRC=1")
    await world.turn("call.from", number=OUTSIDE, to="quectel", ring_s=12)
    said = await world.quectel.until("NO CARRIER")
    assert said.count("+CLIP: ") == 3, "at 0, 5 and 10 s"
    assert f'+CLIP: "{OUTSIDE}",145,,,,0\r\n\r\n+QIND: "ccinfo",2,1,4,0,0,"{OUTSIDE}",145' in said
    assert f'+QIND: "ccinfo",2,1,-1,0,0,"{OUTSIDE}",145' in said
    assert "RING" not in said


@told
async def test_the_simcom_tells_of_a_missed_call(world: World) -> None:
    await world.set_up("AT+CRC=1")
    await world.turn("call.from", number="0812", to=B, ring_s=12)
    said = await world.simcom.until(r"MISSED_CALL: \d\d:\d\d[AP]M \+62812\r\n")
    assert said.count("+CRING: VOICE") == 3


@told
async def test_a_call_nobody_answers_ends_after_45_seconds(world: World) -> None:
    await world.set_up()
    began = asyncio.get_running_loop().time()
    await world.quectel.ask("ATD08222222222;")
    await world.quectel.until("NO ANSWER")
    assert 45 <= asyncio.get_running_loop().time() - began < 60
    await world.simcom.until("MISSED_CALL")


@told
async def test_who_calls_an_engaged_phone_hears_busy_and_an_unknown_one_nothing(world: World) -> None:
    await world.set_up()
    await world.turn("call.from", number=OUTSIDE, to="simcom")
    await world.simcom.until("RING")
    await world.quectel.ask(f"ATD{B};")
    await world.quectel.until("BUSY")
    await world.quectel.ask("ATD+6287777;")
    await world.quectel.until("NO CARRIER")
    await world.turn("phone.place", number="08777", does="busy")
    await world.quectel.ask("ATD08777;")
    await world.quectel.until("BUSY")
    assert await world.quectel.ask("ATD08777") == "NO CARRIER", "a data call has no service"


@told
async def test_refusing_a_call_lets_its_caller_hear_busy(world: World) -> None:
    await world.set_up()
    await world.simcom.ask(f"ATD{A};")
    await world.quectel.until(r'"ccinfo",2,1,4[^\r]*\r\n')
    assert await world.quectel.ask("AT+CHUP=?") == "OK"
    assert (await world.modem("quectel"))["in_call"], "asking is not doing"
    assert await world.quectel.ask("ATH") == "OK"
    await world.simcom.until("BUSY")


@told
async def test_keys_are_heard_at_the_other_end(world: World) -> None:
    await world.set_up()
    await world.quectel.ask("AT+QTONEDET=1")
    await world.simcom.ask("AT+DDET=1")
    await world.turn("phone.place", number=OUTSIDE, does="answer", after_s=1)
    await world.quectel.ask(f"ATD{OUTSIDE};")
    await world.quectel.until(r"ccinfo\",2,0,0")
    await world.turn("call.press", to="quectel", keys="1#")
    await world.quectel.until(r"\+QTONEDET: 49\r\n\r\n\+QTONEDET: 35\r\n")
    assert await world.quectel.ask('AT+VTS="5"') == "OK"
    assert (await world.turn("call.status"))["active"][0]["keys"] == [f"{OUTSIDE} 1", f"{OUTSIDE} #", f"{A} 5"]
    await world.turn("call.drop", to="quectel")
    await world.quectel.until("NO CARRIER")
    await world.quectel.ask(f"ATD{B};")
    await world.simcom.until("RING")
    await world.simcom.ask("ATA")
    await world.quectel.ask("AT+VTS=8")
    await world.simcom.until(r"\+RXDTMF: 8\r\n")


@told
async def test_a_mute_modem_says_nothing_and_forgets_what_was_typed(world: World) -> None:
    await world.set_up()
    await world.turn("modem.mute", name="simcom")
    world.simcom.type("AT+CREG=2\r")
    await world.turn("sms.from", number=OUTSIDE, text="sunyi", to="simcom")
    await world.until_status("simcom", stored={"SM": 1, "ME": 0, "SR": 0})
    await world.turn("modem.mute", name="simcom", on=False)
    assert await world.simcom.ask("AT+CREG?") == "+CREG: 0,1\nOK"
    assert "CMTI" not in world.simcom.heard


@told
async def test_a_denied_modem_says_so_and_cannot_be_reached(world: World) -> None:
    await world.set_up("AT+CREG=1")
    await world.quectel.ask(f"ATD{B};")
    await world.simcom.until("RING")
    await world.turn("modem.deny", name="simcom")
    await world.simcom.until(r"\+CREG: 3\r\n")
    await world.quectel.until("NO CARRIER")
    await world.simcom.until("MISSED_CALL: .*\r\n")
    assert await world.simcom.ask(f"ATD{A};") == "+CME ERROR: 30"
    await world.quectel.ask(f"ATD{B};")
    await world.quectel.until("NO CARRIER")
    await world.turn("sms.from", number=OUTSIDE, text="nanti", to="simcom")
    await world.turn("modem.deny", name="simcom", on=False)
    await world.simcom.until(r"\+CREG: 2\r\n[^+]*\+CREG: 1\r\n")
    await world.simcom.until(r"\+CMTI")


@told
async def test_an_unplugged_modem_is_gone_and_comes_back_having_forgotten(world: World) -> None:
    await world.set_up()
    await world.turn("modem.unplug", name="simcom")
    assert not world.simcom.link.is_symlink()
    await world.quectel.ask(f"ATD{B};")
    await world.quectel.until("NO CARRIER")
    assert world.simcom.gone
    world.simcom.close()
    await world.turn("sms.from", number=OUTSIDE, text="selamat pagi", to="simcom")
    await world.turn("modem.plug", name="simcom")
    await world.until_status("simcom", port_present=True)
    world.simcom.open()
    await world.simcom.until(r"RDY\r\n[^Z]*\+CPIN: READY\r\n[^Z]*PB DONE\r\n")
    await world.until_status("simcom", stored={"SM": 1, "ME": 0, "SR": 0})
    world.simcom.type("AT+CNMI?\r")
    assert await world.simcom.until("OK\r\n") == "AT+CNMI?\r\r\n+CNMI: 0,0,0,0,0\r\n\r\nOK\r\n"


@told
async def test_cfun_1_1_takes_the_port_away(world: World) -> None:
    await world.set_up()
    assert await world.quectel.ask("AT+CFUN=1,1") == "OK"
    await world.until_status("quectel", port_present=False)
    await world.until_status("quectel", port_present=True, registration=1)


@told
async def test_a_reset_heals_a_mute_modem(world: World) -> None:
    await world.set_up()
    await world.turn("modem.mute", name="simcom")
    await world.turn("modem.reset", name="simcom")
    assert not (await world.modem("simcom"))["port_present"]
    await world.until_status("simcom", port_present=True, registration=1, muted=False)


@told
async def test_credit_is_told_by_the_network(world: World) -> None:
    await world.set_up()
    assert await world.quectel.ask('AT+CUSD=1,"*888#",15') == "OK"
    await world.quectel.until(r'\+CUSD: 0,"Pulsa [^"]*",15\r\n')


@told
async def test_rubbish_without_end_fills_nothing_and_breaks_nothing(world: World) -> None:
    await world.set_up()
    for _ in range(50):
        world.quectel.type("x" * 1000)
        await asyncio.sleep(0.05)
    world.quectel.type("\rAT" + "9" * 3000 + "\r")
    await world.quectel.until("ERROR")
    assert await world.quectel.ask("AT") == "OK"
    assert max(len(line) for line in await world.turn("modem.log", name="quectel")) <= 513


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("call.from", {"number": "1", "to": "nobody"}, r"no modem 'nobody'; there are quectel \(\+628111111111\), simcom"),
    ("call.drop", {"to": "simcom"}, "simcom is in no call"),
    ("call.from", {"number": "1", "to": "simcom", "ring_s": 0}, "from 0.1 to 600"),
    ("sms.from", {"number": "1", "text": "", "to": "simcom"}, "text must not be empty"),
    ("sms.from", {"number": "a name too long", "text": "x", "to": "simcom"}, "11 characters"),
    ("sms.binary", {"number": "1", "data_hex": "xy", "to": A, "src_port": 1, "dst_port": 2}, "hexadecimal"),
    ("sms.binary", {"number": "1", "data_hex": "00", "to": A, "src_port": -1, "dst_port": 2}, "from 0 to 65535"),
    ("modem.mute", {"name": "simcom", "on": "yes"}, "true or false"),
    ("network.delay", {"seconds": "soon"}, "a number from 0 to 86400"),
    ("phone.place", {"number": A}, "is a modem's number"),
    ("phone.place", {"number": "1", "does": "sing"}, "not 'sing'"),
]


@told
async def test_a_knob_turned_wrongly_says_what_is_possible(world: World) -> None:
    for knob, args, reason in WRONG:
        with pytest.raises(Refusal, match=reason):
            await world.turn(knob, **args)


# As a process, and used by a program that knows nothing of us.


@contextmanager
def process(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    (folder / "config.json").write_bytes(msgspec.json.encode(config_in(folder)))
    command = [sys.executable, "-m", "drivers.sim.mobile"]
    command += ["--config", str(folder / "config.json"), "--knobs", str(folder / "knobs")]
    environment = {**os.environ, **Clock(SPEED).environment()}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "ready\n"
            yield running
        finally:
            running.send_signal(signal.SIGTERM)
            assert running.wait(10) == 0


def gammu(folder: Path, modem: str, *words: str) -> "subprocess.Popen[str]":
    rc = folder / f"{modem}.gammurc"
    rc.write_text(f"[gammu]\ndevice = {folder / modem}\nconnection = at115200\n")
    command = ["gammu", "-c", str(rc), *words]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def said_by(*running: "subprocess.Popen[str]") -> list[str]:
    said = [program.communicate(timeout=60)[0] for program in running]
    assert [program.returncode for program in running] == [0] * len(running), said
    return said


needs_gammu = pytest.mark.skipif(shutil.which("gammu") is None, reason="gammu is not installed")


@needs_gammu
def test_gammu_knows_both_modems_and_they_write_to_each_other(tmp_path: Path) -> None:
    long = "Laporan pos damkar [Baguala] ~ 100% siap; " * 5
    with process(tmp_path):
        quectel, simcom = said_by(gammu(tmp_path, "quectel", "--identify"), gammu(tmp_path, "simcom", "--identify"))
        assert "EG25GGBR07A08M2G_30.202" in quectel
        assert "867698040000001" in quectel
        assert "SIMCOM INCORPORATED" in simcom
        assert "510012222222" not in quectel
        sent = said_by(
            gammu(tmp_path, "quectel", "sendsms", "TEXT", B, "-autolen", "500", "-text", long),
            gammu(tmp_path, "simcom", "sendsms", "TEXT", A, "-unicode", "-text", "Kebakaran 火 di Ambon 🔥"),
        )
        assert [text.count("OK, message reference=") for text in sent] == [2, 1]
        asyncio.run(arrived(tmp_path / "knobs", {"quectel": 1, "simcom": 2}))
        quectel, simcom = said_by(gammu(tmp_path, "quectel", "geteachsms"), gammu(tmp_path, "simcom", "geteachsms"))
    assert "Kebakaran 火 di Ambon 🔥" in quectel
    assert f'Remote number        : "{B}"' in quectel
    assert long.strip() in simcom.replace("\n", ""), simcom


async def arrived(knobs: Path, wanted: dict[str, int]) -> None:
    stored: dict[str, int] = {}
    for _ in range(100):
        modems = (await turn(knobs, "status"))["modems"]
        stored = {name: sum(modem["stored"].values()) for name, modem in modems.items()}
        if stored == wanted:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"stored {stored}, wanted {wanted}")


def test_a_stopped_process_leaves_neither_ports_nor_socket(tmp_path: Path) -> None:
    with process(tmp_path):
        assert (tmp_path / "quectel").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json"]


def test_a_wrong_configuration_is_refused_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"modems": [{"name": "m", "port": "p", "number": "1", "model": "sim800"}]}')
    command = [sys.executable, "-m", "drivers.sim.mobile", "--config", str(tmp_path / "c.json"), "--knobs", "k"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert said.returncode == 2
    assert "sim800" in said.stderr
    assert "modems[0].model" in said.stderr

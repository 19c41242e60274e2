"""The modem driver against a small scripted modem on a real pty, at twenty times the speed of the clock."""

import asyncio
import contextlib
import os
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from drivers.clock import Clock
from drivers.modem.answers import ListedCall
from drivers.modem.errors import CommandRefused, LinkLost, ModemBusy, NumberRefused, SmsFailed
from drivers.modem.events import (
    CallEnded,
    Caller,
    CallListed,
    CallReported,
    InitRefused,
    ModemEvent,
    PortLost,
    PortUp,
    Ring,
    SmsPartReceived,
    SmsReport,
    SmsUnreadable,
    StatusChanged,
)
from drivers.modem.exchange import Priority
from drivers.modem.modem import Modem
from drivers.modem.pdu import decode
from drivers.modem.profile import load_profiles

PROFILES = load_profiles(Path(__file__).parents[2] / "firmware-config" / "modems")
SPEED = 20.0
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
        self.payload_answers: list[str | None] = []
        self.table = {
            "ATI": "Quectel\r\nEG25\r\nRevision: EG25GGBR07A08M2G", "AT+CGMI": "Quectel", "AT+CGMM": "EG25",
            "AT+CGMR": "EG25GGBR07A08M2G_30.202", "AT+CGSN": "490154203237518", "AT+CPIN?": "+CPIN: READY",
            "AT+CREG?": '+CREG: 2,1,"04CA","81DE445",7', "AT+CEREG?": "+CEREG: 2,1, 1F00, 79D903 ,7",
            "AT+COPS?": '+COPS: 0,0,"TELKOMSEL",7', "AT+CSQ": "+CSQ: 20,99", "AT+CLCC": "",
            "AT+CMEE?": "+CMEE: 1", "AT+CMGF?": "+CMGF: 0", "AT+CSCS?": '+CSCS: "GSM"', "AT+CNMI?": "+CNMI: 2,1,0,2,0",
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
        self.reference += 1
        answer = self.payload_answers.pop(0) if self.payload_answers else f"+CMGS: {self.reference}\r\n\r\nOK"
        if answer is not None:
            self.say(answer)

    def _take(self, line: str) -> None:
        if self.mute:
            return
        self.heard.append(line)
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

    def __init__(self, fake: ScriptedModem) -> None:
        self.fake, self.events = fake, list[ModemEvent]()
        self._news = asyncio.Event()
        self.modem = Modem(fake.path, PROFILES, on_event=self._told)

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
        async with asyncio.timeout(PATIENCE):
            while self.fake.heard.count(line) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.1)


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Callable[[Line], Awaitable[None]]], None]:
    """Run a story about a line at SPEED; its `prepare` attribute may set the scripted modem up first."""

    @contextlib.asynccontextmanager
    async def running(prepare: Callable[[ScriptedModem], None] | None) -> AsyncIterator[Line]:
        fake = ScriptedModem(tmp_path / "modem")
        if prepare:
            prepare(fake)
        line = Line(fake)
        task = asyncio.create_task(line.modem.run())
        try:
            yield line
            assert not task.done(), task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            if fake.path.is_symlink():
                fake.unplug()

    def run(story: Callable[[Line], Awaitable[None]], prepare: Callable[[ScriptedModem], None] | None = None) -> None:
        async def main() -> None:
            async with running(prepare) as line:
                await story(line)

        Clock(SPEED).run(main())

    return run


def test_a_modem_is_recognised_started_and_described(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        up = await line.until(PortUp)
        assert (up.identity.model, up.identity.imei, up.identity.profile) == (
            "EG25",
            "490154203237518",
            "Quectel EG25-G",
        )
        status = await line.until(StatusChanged)
        assert status == StatusChanged("home", "TELKOMSEL", "4g", -73, "READY")
        assert line.modem.status == status
        assert {'AT+QINDCFG="ccinfo",1,0', "AT+CMGF=0", "AT+CNMI=2,1,0,2,0"} <= set(line.fake.heard)
        assert not line.all(InitRefused)

    tell(story)


def test_messages_that_waited_are_read_and_deleted_only_when_told_to(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        told = await line.until(SmsPartReceived)
        assert (told.index, told.memory, told.deliver.text) == (3, "ME", "How are you?")
        assert line.fake.store["ME"] == {3: HELLO}
        await line.modem.delete_sms(3)
        assert line.fake.store["ME"] == {}
        await line.modem.delete_sms(3)

    tell(story, lambda fake: fake.store["ME"].update({3: HELLO}))


def test_a_message_announced_inside_an_answer_is_read(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        line.fake.store["ME"][7] = HELLO
        line.fake.before["AT+CSQ"] = '+CMTI: "ME",7'
        assert (await line.until(SmsPartReceived)).index == 7

    tell(story)


def test_a_place_that_was_filled_anew_is_not_deleted_for_the_old_message(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(SmsPartReceived)
        line.fake.store["ME"][3] = HELLO.replace("2080629173", "2080629174")
        await line.modem.delete_sms(3)
        assert 3 in line.fake.store["ME"]

    tell(story, lambda fake: fake.store["ME"].update({3: HELLO}))


def test_what_is_no_message_is_told_and_costs_the_others_nothing(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        assert (await line.until(SmsUnreadable)).index == 1
        assert (await line.until(SmsPartReceived)).index == 2

    tell(story, lambda fake: fake.store["ME"].update({1: HELLO[:60], 2: HELLO}))


def test_a_delivery_report_is_read_from_its_own_memory(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        line.fake.store["SR"][1] = REPORT
        line.fake.say('+CDSI: "SR",1')
        told = await line.until(SmsReport)
        assert (told.report.mr, told.report.outcome, told.memory) == (0xD6, "done", "SR")
        await line.modem.delete_sms(1, "SR")
        assert line.fake.store["SR"] == {}

    tell(story)


def test_an_urgent_order_goes_between_the_parts_of_a_long_message(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        long = asyncio.create_task(line.modem.send_sms("+62811", "a" * 400, report=True))
        async with asyncio.timeout(PATIENCE):
            while not line.fake.payloads:  # noqa: ASYNC110
                await asyncio.sleep(0)
        urgent = await line.modem.send_sms("+62812", data=bytes(133), ports=(16001, 0), priority=Priority.URGENT)
        assert len(await long) == 3
        sent = [decode(bytes.fromhex(p), has_smsc=True, direction="submit") for p in line.fake.payloads]
        numbers = [one.number for one in sent]
        assert sorted(numbers) == ["+62811"] * 3 + ["+62812"]
        assert numbers[-1] == "+62811"
        assert urgent == [41 + numbers.index("+62812")]
        order = sent[numbers.index("+62812")]
        assert (order.data, order.ports) == (bytes(133), (16001, 0))

    tell(story)


def test_a_refused_message_says_why_and_what_went_out_before(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        line.fake.payload_answers = ["+CMGS: 9\r\n\r\nOK", "+CMS ERROR: 332"]
        with pytest.raises(SmsFailed, match="network timeout") as failure:
            await line.modem.send_sms("+62811", "a" * 200)
        assert (failure.value.sent, failure.value.certain) == ((9,), True)

    tell(story)


def test_a_message_that_was_taken_without_an_answer_is_uncertain(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        line.fake.payload_answers = [None]
        with pytest.raises(SmsFailed) as failure:
            await line.modem.send_sms("+62811", "tes")
        assert (failure.value.sent, failure.value.certain) == ((), False)
        assert await line.modem.send_sms("+62811", "tes") == [42]

    tell(story)


def test_a_reference_that_comes_late_still_proves_the_message(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        line.fake.payload_answers = [None]
        line.fake.before["AT+CMEE?"] = "+CMGS: 77\r\n\r\nOK"
        assert await line.modem.send_sms("+62811", "tes") == [77]
        assert await line.modem.send_sms("+62811", "tes") == [42]

    tell(story)


def test_an_answer_that_comes_late_is_not_the_next_command_s(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        line.fake.table["AT+CHUP"] = "+CME ERROR: 3"
        line.fake.unanswered = {"AT+COPS?"}
        line.fake.before["AT+CMEE?"] = '+COPS: 0,0,"LATE",7\r\n\r\nOK'
        await line.heard("AT+CMEE?", 2)
        with pytest.raises(CommandRefused):
            await line.modem.hangup()
        assert "LATE" not in [status.operator for status in line.all(StatusChanged)]
        assert not line.all(PortLost)

    tell(story)


def test_a_mute_modem_is_told_once_and_comes_back_by_itself(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        line.fake.mute = True
        assert "mute" in (await line.until(PortLost)).reason
        assert line.modem.status.registration == "unknown"
        with pytest.raises(LinkLost):
            await line.modem.send_sms("+62811", "tes")
        await asyncio.sleep(20)
        line.fake.mute = False
        await line.until(PortUp, 2)
        assert len(line.all(PortLost)) == 1

    tell(story)


def test_a_port_that_goes_and_comes_is_told_once_each(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        line.fake.unplug()
        await line.until(PortLost)
        await asyncio.sleep(20)
        line.fake.store["ME"][1] = HELLO
        line.fake.echo = True
        line.fake.plug_in()
        await line.until(PortUp, 2)
        await line.until(SmsPartReceived)
        assert len(line.all(PortLost)) == 1

    tell(story)


def test_a_port_that_is_missing_from_the_start_is_told_and_found_later(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        assert "missing" in (await line.until(PortLost)).reason
        await asyncio.sleep(10)
        line.fake.plug_in()
        await line.until(PortUp)
        assert len(line.all(PortLost)) == 1

    tell(story, ScriptedModem.unplug)


@pytest.mark.parametrize("announced", [True, False])
def test_a_modem_that_restarted_is_started_again(tell: Callable[..., None], announced: bool) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        line.fake.echo = True
        if announced:
            line.fake.say("RDY")
        assert "restarted" in (await line.until(PortLost)).reason
        await line.until(PortUp, 2)
        await line.heard("AT+CNMI=2,1,0,2,0", 2)

    tell(story)


def test_a_sim_that_comes_later_is_put_to_use(tell: Callable[..., None]) -> None:
    def without_sim(fake: ScriptedModem) -> None:
        fake.table["AT+CPIN?"] = "+CME ERROR: 10"
        fake.store["ME"][1] = HELLO

    async def story(line: Line) -> None:
        assert (await line.until(StatusChanged)).sim == "NOT INSERTED"
        assert "AT+CMGF=0" not in line.fake.heard
        line.fake.table["AT+CPIN?"] = "+CPIN: READY"
        line.fake.say("+CPIN: READY")
        await line.until(SmsPartReceived)

    tell(story, without_sim)


def test_a_required_command_that_is_refused_is_told_once(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        assert (await line.until(InitRefused)).command == "AT+CLIP=1"
        await line.heard("AT+CLIP=1", 3)
        assert len(line.all(InitRefused)) == 1

    tell(story, lambda fake: fake.table.update({"AT+CLIP=1": "ERROR"}))


def test_a_call_is_told_listed_answered_and_ended(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        line.fake.table["AT+CLCC"] = '+CLCC: 1,1,4,0,0,"+62811222",145'
        line.fake.say('RING\r\n\r\n+CLIP: "+62811222",145,,,,0\r\n\r\n+QIND: "ccinfo",1,1,4,0,0,"+62811222",145')
        await line.until(Ring)
        assert (await line.until(Caller)).number == "+62811222"
        assert (await line.until(CallReported)).state == "incoming"
        async with asyncio.timeout(PATIENCE):
            while line.all(CallListed)[-1].calls != (ListedCall(1, True, 4, True, False, "+62811222"),):
                await line.until(CallListed, len(line.all(CallListed)) + 1)
        line.fake.before["ATA"] = '+QIND: "ccinfo",1,1,0,0,0,"+62811222",145'
        await line.modem.answer()
        assert (await line.until(CallReported, 2)).state == "active"
        line.fake.table["AT+CLCC"] = ""
        await line.modem.hangup()
        line.fake.say("NO CARRIER")
        await line.until(CallEnded)
        listed = len(line.all(CallListed))
        assert (await line.until(CallListed, listed + 1)).calls == ()
        assert {"ATA", "AT+CHUP"} <= set(line.fake.heard)

    tell(story)


def test_no_emergency_number_ever_reaches_the_modem(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        for number in ("112", "+62112", "1 1 3"):
            with pytest.raises(NumberRefused):
                await line.modem.dial(number)
        await line.modem.dial("+62 811 222 333")
        assert [heard for heard in line.fake.heard if heard.startswith("ATD")] == ["ATD+62811222333;"]

    tell(story)


def test_more_than_the_line_can_take_is_refused_and_the_rest_goes_out(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        outcomes = await asyncio.gather(
            *(line.modem.send_sms("+62811", f"{i}") for i in range(100)), return_exceptions=True
        )
        refused = [outcome for outcome in outcomes if isinstance(outcome, ModemBusy)]
        assert len(line.fake.payloads) == 100 - len(refused)
        assert 30 <= len(refused) <= 36

    tell(story)

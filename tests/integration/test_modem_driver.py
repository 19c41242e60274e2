"""The modem driver against a small scripted modem on a real pty, in virtual time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from scripted_modem import HELLO, PATIENCE, REPORT, Line, ScriptedModem

from drivers.clock import VirtualClock
from drivers.modem.answers import ListedCall
from drivers.modem.errors import CommandRefused, LinkLost, ModemBusy, NumberRefused, SmsFailed
from drivers.modem.events import (
    CallEnded,
    Caller,
    CallListed,
    CallReported,
    InitRefused,
    PortLost,
    PortUp,
    Ring,
    SmsPartReceived,
    SmsReport,
    SmsUnreadable,
    StatusChanged,
)
from drivers.modem.exchange import Priority
from drivers.modem.inbox import RETRY
from drivers.modem.pdu import decode


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Callable[[Line], Awaitable[None]]], None]:
    """Run a story about a line in virtual time; its `prepare` attribute may set the scripted modem up first."""

    @contextlib.asynccontextmanager
    async def running(prepare: Callable[[ScriptedModem], None] | None) -> AsyncIterator[Line]:
        fake = ScriptedModem(tmp_path / "modem")
        if prepare:
            prepare(fake)
        line = Line(fake)
        try:
            async with asyncio.TaskGroup() as tasks:  # ends the story at once when the driver dies
                running = tasks.create_task(line.modem.run())
                yield line
                assert not running.cancelling()  # by anybody: its deadlines would not work
                running.cancel()
        finally:
            if fake.path.is_symlink():
                fake.unplug()

    def run(story: Callable[[Line], Awaitable[None]], prepare: Callable[[ScriptedModem], None] | None = None) -> None:
        async def main() -> None:
            async with running(prepare) as line:
                await story(line)

        VirtualClock().run(main())

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
        assert status == StatusChanged("home", "TELKOMSEL", "4g", -73, "READY", "ready", area="04CA", cell="81DE445")
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


def test_announcements_of_empty_places_do_not_delay_the_message_behind_them(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.heard("AT+CMGL=4")
        line.fake.store["ME"][9] = HELLO
        began = asyncio.get_running_loop().time()
        for index in range(1, 10):
            line.fake.say(f'+CMTI: "ME",{index}')
        assert (await line.until(SmsPartReceived)).index == 9
        assert asyncio.get_running_loop().time() - began < RETRY

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
            while not line.fake.payloads:
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


def test_an_ok_too_many_does_not_leave_each_answer_to_the_next_question(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        line.fake.before["AT+CSQ"] = "OK"
        line.fake.table["AT+CSQ"] = "+CSQ: 10,99"
        while (await line.until(StatusChanged, len(line.all(StatusChanged)) + 1)).signal_dbm != -93:
            continue
        assert line.modem.status.operator == "TELKOMSEL"

    tell(story)


def test_an_answer_that_comes_late_is_not_the_next_command_s(tell: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.until(StatusChanged)
        line.fake.table["AT+CHUP"] = "+CME ERROR: 3"
        line.fake.unanswered = {"AT+COPS?"}
        line.fake.before["AT+CMEE?"] = '+COPS: 0,0,"LATE",7\r\n\r\nOK'
        await line.heard("AT+CMEE?", 2)
        with pytest.raises(CommandRefused):
            await line.modem.telephone.hang_up()
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
        await line.modem.telephone.answer()
        assert (await line.until(CallReported, 2)).state == "active"
        line.fake.table["AT+CLCC"] = ""
        await line.modem.telephone.hang_up()
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
                await line.modem.telephone.dial(number)
        await line.modem.telephone.dial("+62 811 222 333")
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
        assert 30 <= len(refused) <= 40  # 65 of ours and a few of the driver's own find room

    tell(story)

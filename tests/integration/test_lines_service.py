"""The lines of a box on simulated modems, over real ptys: calls, texts, orders by SMS, and modems that go away."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from lines_box import NUMBERS, OUTSIDE, World, play

from appliance.events import (
    CallAnswered,
    CallEnded,
    CallMissed,
    CallRinging,
    LineDown,
    LineUp,
    SmsMemoryFilling,
    SmsMemoryFreed,
    SmsPartReceived,
    SmsReceived,
)
from appliance.model import CallPhase
from appliance.sms_events import SmsFailed, SmsSent, SmsUndelivered
from drivers.jsonsocket import Refusal

Story = Callable[[World], Awaitable[None]]
both = pytest.mark.parametrize("line", ["l1", "l2"])


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    return partial(play, tmp_path)


def test_lines_come_up_once_each_and_say_what_they_are(tell: Callable[[Story], None]) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        assert {v.why for v in box.lines.views()} == {"starting"}
        assert not box.lines.up()
        await box.ready()
        assert box.lines.up()
        assert sorted(e.line for e in box.all(LineUp)) == ["l1", "l2"]
        assert {name: link.up for name, link in box.state.links.items()} == {"line/l1": True, "line/l2": True}
        view = box.view("l1")
        assert (view.modem, view.number) == ("Quectel EG25", NUMBERS["l1"])
        assert (view.operator.value, view.technology.value, view.registration.value) == ("TELKOMSEL", "4g", "home")
        now = asyncio.get_running_loop().time()
        assert view.signal_dbm.known(now)
        assert not view.signal_dbm.known(now + 60)
        assert (view.can_take_call, view.why, view.call) == ("registered", "", None)

    tell(story)


@both
def test_a_call_rings_with_its_number_is_answered_and_hung_up(tell: Callable[[Story], None], line: str) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await there.network.turn("call.from", number=OUTSIDE, to=line)
        rang = await box.event(CallRinging)
        await box.until(lambda: box.state.calls[rang.call].number == OUTSIDE, "identified")
        assert (box.view(line).can_take_call, box.view(line).why) == ("no", "in_call")
        assert box.view(line).call == box.state.calls[rang.call]
        assert await box.lines.answer(line, "", "sari") == {"line": line, "call": rang.call}
        assert "ATA" in await there.network.typed(line)
        assert box.state.calls[rang.call].phase is CallPhase.TALKING
        await asyncio.sleep(12)
        assert await box.lines.hang_up(line, "", "sari") == {"line": line, "call": rang.call}
        assert "AT+CHUP" in await there.network.typed(line)
        ended = await box.event(CallEnded)
        assert ended.reason == "operator"
        assert 11 < ended.seconds < 20
        await asyncio.sleep(10)
        told = [(e.kind, e.actor) for e in box.entries if e.kind.startswith("call.") and e.kind != "call.identified"]
        assert told == [("call.ringing", ""), ("call.answered", "sari"), ("call.ended", "sari")]
        assert len(box.kinds("call.identified")) <= 1
        assert box.view(line).can_take_call == "registered"

    tell(story)


@both
def test_a_caller_who_gives_up_is_missed_once(tell: Callable[[Story], None], line: str) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await there.network.turn("call.from", number=OUTSIDE, to=line, ring_s=12)
        await box.event(CallRinging)
        began = asyncio.get_running_loop().time()
        await box.event(CallMissed)
        assert 9 < asyncio.get_running_loop().time() - began < 20
        await asyncio.sleep(10)
        assert [k for k in box.kinds("call.") if k != "call.identified"] == ["call.ringing", "call.missed"]

    tell(story)


@both
def test_a_caller_who_hangs_up_ends_the_talk(tell: Callable[[Story], None], line: str) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await there.network.turn("call.from", number=OUTSIDE, to=line)
        await box.event(CallRinging)
        await box.lines.answer(line, "", "sari")
        await there.network.turn("call.drop", to=line)
        assert (await box.event(CallEnded)).reason == "caller"

    tell(story)


@both
def test_a_ringing_call_can_be_refused(tell: Callable[[Story], None], line: str) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await there.network.turn("call.from", number=OUTSIDE, to=line)
        await box.event(CallRinging)
        await box.lines.hang_up(line, "", "sari")
        assert (await box.event(CallEnded)).reason == "operator"
        assert box.all(CallMissed) == []

    tell(story)


def test_what_cannot_be_done_is_refused_with_what_to_do(tell: Callable[[Story], None]) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        for act in (box.lines.answer, box.lines.hang_up):
            with pytest.raises(Refusal, match="Lines: l1, l2"):
                await act("l9", "", "sari")
            with pytest.raises(Refusal) as refusal:
                await act("l1", "", "sari")
            assert (refusal.value.code, bool(refusal.value.next)) == ("no_call", True)

    tell(story)


def test_a_call_goes_on_over_a_restart_of_the_box(tell: Callable[[Story], None]) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        for line in NUMBERS:
            await there.network.turn("call.from", number=OUTSIDE, to=line, ring_s=600)
        await box.event(CallRinging, 2)
        await box.lines.answer("l1", "", "sari")
        box = await there.start()
        await box.ready_or_in_call()
        await asyncio.sleep(8)
        assert box.kinds("call.") == []
        await there.stop()
        for line in NUMBERS:
            await there.network.turn("call.drop", to=line)
        box = await there.start()
        assert (await box.event(CallEnded)).line == "l1"
        assert (await box.event(CallMissed)).line == "l2"

    tell(story)


def test_a_text_in_two_parts_arrives_once_and_whole_and_leaves_the_sim(tell: Callable[[Story], None]) -> None:
    text = "Banjir di Waihaong, air 1 m: é € 🌊 " * 3

    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        for line in NUMBERS:
            assert (await there.network.turn("sms.from", number=OUTSIDE, text=text, to=line))["parts"] == 2
            await box.until(lambda line=line: any(t.line == line for t in box.all(SmsReceived)), "the text")
            await there.network.until_empty(line)
        assert [(t.line, t.number, t.text, t.parts) for t in box.all(SmsReceived)] == [
            ("l1", OUTSIDE, text, 2),
            ("l2", OUTSIDE, text, 2),
        ]
        assert [m.text for m in box.state.messages] == [text, text]
        box = await there.start()
        await box.ready()
        assert box.kinds("sms.") == []

    tell(story)


def test_memories_that_were_full_at_the_start_are_told_read_and_emptied(tell: Callable[[Story], None]) -> None:
    async def story(there: World) -> None:
        for line in NUMBERS:
            assert (await there.network.turn("modem.fill", name=line))["added"] == 50
            await there.network.turn("sms.from", number=OUTSIDE, text=f"air naik di {line}", to=line)
        box = await there.start()
        await box.event(SmsMemoryFilling, 2)
        await box.until(lambda: len(box.all(SmsReceived)) == 102, "all texts, the one that found no room too")
        await box.event(SmsMemoryFreed, 2)
        for line in NUMBERS:
            await there.network.until_empty(line)
        assert box.state.filling == {}

    tell(story)


def test_while_the_disk_is_gone_a_text_is_told_and_stays_on_the_sim(
    tell: Callable[[Story], None], tmp_path: Path
) -> None:
    disk = tmp_path / "disk"

    async def story(there: World) -> None:
        disk.write_text("a file where the folder should be")
        box = await there.start()
        await box.ready()
        await there.network.turn("sms.from", number=OUTSIDE, text="tsunami?", to="l1")
        assert (await box.event(SmsReceived)).text == "tsunami?"
        await asyncio.sleep(10)
        assert await there.network.stored("l1") == 1
        disk.unlink()
        await there.network.until_empty("l1")
        assert len(box.all(SmsReceived)) == 1

    tell(story)


def test_a_restart_between_two_parts_loses_nothing(tell: Callable[[Story], None]) -> None:
    text = "Kebakaran di Batu Merah, dua rumah. " * 6

    async def story(there: World) -> None:
        await there.network.turn("network.delay", seconds=10)
        box = await there.start()
        await box.ready()
        await there.network.turn("modem.deny", name="l1")
        await there.network.turn("sms.from", number=OUTSIDE, text=text, to="l1")
        await there.network.turn("modem.deny", name="l1", on=False)
        await box.event(SmsPartReceived)
        box = await there.start()
        assert (await box.event(SmsReceived)).text == text
        await there.network.until_empty("l1")
        assert len(box.all(SmsReceived)) == 1

    tell(story)


def test_a_binary_message_of_an_order_s_length_goes_from_modem_to_modem(tell: Callable[[Story], None]) -> None:
    payload = bytes(range(150, 256))

    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await box.lines.send_data(NUMBERS["l2"], payload, "order")
        sent = await box.event(SmsSent)
        assert (sent.line, sent.number, sent.purpose, len(sent.references)) == ("l1", NUMBERS["l2"], "order", 1)
        await box.until(lambda: bool(box.data), "data")
        assert box.data == [(NUMBERS["l1"], payload)]
        await there.network.until_empty("l2")
        assert box.all(SmsReceived) == []

    tell(story)


def test_an_order_takes_another_line_when_one_fails_and_says_when_none_can(tell: Callable[[Story], None]) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        with pytest.raises(OSError, match="no modem answers"):
            await box.lines.send_data(OUTSIDE, b"\1", "order")
        await box.ready()
        await there.network.turn("sms.refuse", name="l1", code=38, times=1)
        await box.lines.send_data(OUTSIDE, b"\1", "order")
        assert [e.reason for e in box.all(SmsUndelivered)] == ["no_modem"]
        assert [(e.line, "38" in e.reason, e.code) for e in box.all(SmsFailed)] == [("l1", True, 38)]
        assert [e.line for e in box.all(SmsSent)] == ["l2"]
        for line in NUMBERS:
            await there.network.turn("sms.refuse", name=line, code=331, times=1)
        with pytest.raises(OSError, match=r"l2: .*331.*; l1: .*331"):  # l1 failed lately
            await box.lines.send_data(OUTSIDE, b"\1", "order")

    tell(story)


def test_an_order_prefers_a_line_without_a_call_and_shares_the_work(tell: Callable[[Story], None]) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await asyncio.gather(*(box.lines.send_data(OUTSIDE, bytes([i]), "order") for i in range(4)))
        assert sorted(e.line for e in box.all(SmsSent)) == ["l1", "l1", "l2", "l2"]
        await there.network.turn("call.from", number=OUTSIDE, to="l1", ring_s=600)
        await box.event(CallRinging)
        await box.lines.send_data(OUTSIDE, b"\5", "order")
        assert box.all(SmsSent)[-1].line == "l2"

    tell(story)


def test_a_mute_modem_is_a_line_that_is_down_and_comes_back(tell: Callable[[Story], None]) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await there.network.turn("call.from", number=OUTSIDE, to="l1", ring_s=600)
        await box.event(CallRinging)
        await box.lines.answer("l1", "", "sari")
        await there.network.turn("modem.mute", name="l1")
        assert (await box.event(LineDown)).line == "l1"
        assert box.all(CallEnded)[0].reason == "line_lost"
        view = box.view("l1")
        assert (view.can_take_call, view.why) == ("no", "mute")
        assert (view.operator.value, view.operator.quality) == (None, "no_link")
        assert box.view("l2").can_take_call == "registered"
        assert box.lines.up()
        await there.network.turn("call.drop", to="l1")
        await there.network.turn("modem.mute", name="l1", on=False)
        assert (await box.event(LineUp, 3)).line == "l1"
        await box.ready()
        assert len(box.all(LineDown)) == 1

    tell(story)


def test_an_unplugged_modem_loses_its_call_and_comes_back_when_plugged(tell: Callable[[Story], None]) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await there.network.turn("call.from", number=OUTSIDE, to="l2")
        await box.event(CallRinging)
        await box.lines.answer("l2", "", "sari")
        await there.network.turn("modem.unplug", name="l2")
        assert (await box.event(LineDown)).line == "l2"
        await box.event(CallEnded)
        assert box.view("l2").why == "no_port"
        await there.network.turn("sms.from", number=OUTSIDE, text="masih di sini", to="l2")
        await there.network.turn("modem.plug", name="l2")
        await box.event(LineUp, 3)
        assert (await box.event(SmsReceived)).text == "masih di sini"
        await box.ready()
        assert len(box.all(CallRinging)) == len(box.all(CallAnswered)) == 1

    tell(story)


def test_a_line_without_network_cannot_take_a_call_and_says_so(tell: Callable[[Story], None]) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await there.network.turn("modem.deny", name="l1")
        await box.until(lambda: box.view("l1").why == "denied", "denied")
        assert box.view("l1").can_take_call == "no"
        await box.lines.send_data(OUTSIDE, b"\1", "order")
        assert box.all(SmsSent)[-1].line == "l2"

    tell(story)


def test_the_journal_s_calls_of_a_line_that_is_gone_are_closed(tell: Callable[[Story], None]) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        box.append(CallRinging(line="l9", call="00000009", number=OUTSIDE))
        box = await there.start()
        assert (await box.event(CallMissed)).call == "00000009"

    tell(story)


def test_profiles_that_cannot_be_read_take_the_lines_and_nothing_else(
    tell: Callable[[Story], None], tmp_path: Path
) -> None:
    (tmp_path / "profiles" / "modems").mkdir(parents=True)
    (tmp_path / "profiles" / "modems" / "bad.toml").write_text("name = 3")

    async def story(there: World) -> None:
        box = await there.start(tmp_path / "profiles")
        await box.event(LineDown, 2)
        assert "bad.toml" in box.all(LineDown)[0].reason
        assert [(v.can_take_call, v.why) for v in box.lines.views()] == [("no", "bad_profile")] * 2
        assert not box.lines.up()
        with pytest.raises(OSError, match=r"bad\.toml"):
            await box.lines.send_data(OUTSIDE, b"\1", "order")

    tell(story)

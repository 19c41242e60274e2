"""Messages that a modem hands over instead of storing them: each acknowledged in time or brought again, none lost."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from modem_trials import PROFILES, Trial, tried
from scripted_modem import HELLO, Line, ScriptedModem

from drivers.clock import VirtualClock
from drivers.modem.events import HANDED_OVER, InitRefused, PortUp, SmsPartReceived, SmsTextReceived, SmsUnreadable
from drivers.modem.profile import Profile
from drivers.modem.routing import ACKNOWLEDGE_WITHIN, DIRECT, GIVEN_UP

DIRECTLY = tuple(msgspec.structs.replace(profile, delivery="direct") for profile in PROFILES)
CMT = f"+CMT: ,{len(HELLO) // 2 - 8}"


def texts(trial: Trial) -> list[str | None]:
    return [part.deliver.text for part in trial.all(SmsPartReceived)]


@pytest.mark.parametrize("name", ["quectel", "simcom"])
def test_each_message_is_handed_over_and_acknowledged_before_the_next(tmp_path: Path, name: str) -> None:
    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        for text in ("satu", "dua", "tiga"):
            await trial.text(text)
        await trial.until_texts("satu", "dua", "tiga")
        assert [p.memory for p in trial.all(SmsPartReceived)] == [HANDED_OVER] * 3
        assert texts(trial) == ["satu", "dua", "tiga"]
        typed = await trial.typed()
        assert typed.count("AT+CNMA") >= 2
        assert not [line for line in typed if line.startswith(("AT+CMGR", "AT+CMGD"))]

    tried(tmp_path, name, story, options={"profiles": DIRECTLY})


def test_what_nobody_stored_in_time_is_brought_again_and_not_acknowledged_late(tmp_path: Path) -> None:
    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        await trial.text("belum tersimpan")
        first = await trial.until_kind(SmsPartReceived)
        await asyncio.sleep(ACKNOWLEDGE_WITHIN + 1)
        await trial.let_go(first)
        typed = await trial.typed()
        assert "AT+CNMA" not in typed
        assert typed.count("AT+CNMA=2") == 2, "at the start, for what a process before this one left; and now"
        second = await trial.until_kind(SmsPartReceived, 2)  # stored or handed over: the network brought it again
        assert second.pdu == first.pdu
        await trial.let_go(second)
        await trial.text("berikutnya")
        await trial.until_texts("berikutnya")

    tried(tmp_path, "quectel", story, options={"profiles": DIRECTLY, "acknowledge": False})


def test_after_a_reset_messages_are_handed_over_again(tmp_path: Path) -> None:
    async def story(trial: Trial) -> None:
        await trial.until_healthy()
        await trial.turn("modem.reset")
        await trial.until_kind(PortUp, 2)
        await trial.until_healthy()
        await trial.text("sesudah itu")
        await trial.until_texts("sesudah itu")
        assert trial.all(SmsPartReceived)[-1].memory == HANDED_OVER

    tried(tmp_path, "quectel", story, options={"profiles": DIRECTLY})


@pytest.fixture
def scripted(tmp_path: Path) -> Callable[..., None]:
    """A story about a scripted modem whose profile says `direct`, or another."""

    def run(
        story: Callable[[Line], Awaitable[None]],
        prepare: Callable[[ScriptedModem], None] | None = None,
        profiles: Sequence[Profile] = DIRECTLY,
    ) -> None:
        async def main() -> None:
            fake = ScriptedModem(tmp_path / "modem")
            if prepare:
                prepare(fake)
            line = Line(fake, profiles)
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(line.modem.run())
                await story(line)
                running.cancel()
            fake.unplug()

        VirtualClock().run(main())

    return run


def test_a_modem_that_knows_no_acknowledgement_stores_and_it_is_said_once(scripted: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        told = await line.until(SmsPartReceived)
        assert (told.memory, told.index) == ("ME", 3)
        assert "AT+CNMI=2,1,0,2,0" in line.fake.heard
        assert DIRECT not in line.fake.heard
        [refused] = line.all(InitRefused)
        assert refused.command == DIRECT

    def prepare(fake: ScriptedModem) -> None:
        fake.table["AT+CSMS=1"] = "+CMS ERROR: 302"
        fake.store["ME"][3] = HELLO

    scripted(story, prepare)


def test_one_told_to_store_that_hands_over_loses_nothing_and_is_told_again(scripted: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.heard("AT+CMGL=4")
        before = line.fake.heard.count("AT+CNMI=2,1,0,2,0")
        line.fake.say(f"{CMT}\r\n{HELLO}")
        told = await line.until(SmsPartReceived)
        assert (told.memory, told.deliver.text) == (HANDED_OVER, "How are you?")
        await line.heard("AT+CNMI=2,1,0,2,0", before + 1)

    scripted(story, profiles=PROFILES)


def test_one_handed_over_while_the_driver_gets_to_know_the_modem_is_told(scripted: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        assert (await line.until(SmsPartReceived)).deliver.text == "How are you?"

    scripted(story, lambda fake: fake.before.update({"AT+CMEE?": f"{CMT}\r\n{HELLO}"}), PROFILES)


def test_one_that_came_damaged_is_never_acknowledged(scripted: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.heard(DIRECT)
        for damaged in (HELLO[:40], HELLO + "00", "kosong"):
            line.fake.say(f"{CMT}\r\n{damaged}")
        assert [(await line.until(SmsUnreadable, n)).index for n in (1, 2, 3)] == [None] * 3
        line.fake.say(f"{CMT}\r\n{HELLO}")
        told = await line.until(SmsPartReceived)
        assert told.index is not None
        await line.modem.delete_sms(told.index, told.memory)
        assert line.fake.heard.count("AT+CNMA") == 1

    scripted(story)


def test_only_the_last_one_handed_over_is_acknowledged_and_only_once(scripted: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.heard(DIRECT)
        for _ in range(2):
            line.fake.say(f"{CMT}\r\n{HELLO}")
        old, new = [await line.until(SmsPartReceived, n) for n in (1, 2)]
        for told in (old, new, new):
            assert told.index is not None
            await line.modem.delete_sms(told.index, told.memory)
        assert line.fake.heard.count("AT+CNMA") == 1

    scripted(story)


def test_a_refused_acknowledgement_has_the_routing_told_again(scripted: Callable[..., None]) -> None:
    async def story(line: Line) -> None:
        await line.heard("AT+CMGL=4")
        before = line.fake.heard.count(DIRECT)
        line.fake.say(f"{CMT}\r\n{HELLO}")
        told = await line.until(SmsPartReceived)
        assert told.index is not None
        await line.modem.delete_sms(told.index, told.memory)
        await line.heard(DIRECT, before + 1)

    scripted(story, lambda fake: fake.table.update({"AT+CNMA": "+CMS ERROR: 340"}))


def test_what_a_modem_switches_off_behind_our_telling_is_told_again(scripted: Callable[..., None]) -> None:
    """It gives up some seconds after we did: what it was told in between counts for nothing."""

    async def story(line: Line) -> None:
        await line.heard("AT+CMGL=4")
        line.fake.say(f"{CMT}\r\n{HELLO}")
        told = await line.until(SmsPartReceived)
        now = asyncio.get_running_loop().time
        began = now()
        await asyncio.sleep(ACKNOWLEDGE_WITHIN + 1)
        assert told.index is not None
        await line.modem.delete_sms(told.index, told.memory)
        await line.until_modem(lambda: now() > began + ACKNOWLEDGE_WITHIN + GIVEN_UP)
        assert "AT+CNMA" not in line.fake.heard
        late = [line.fake.heard.count(DIRECT)]
        assert late[0] >= 3

    scripted(story)


def test_a_modem_that_another_program_left_in_text_mode_loses_no_text_and_is_told_pdu_mode_again(
    scripted: Callable[..., None],
) -> None:
    async def story(line: Line) -> None:
        await line.until(PortUp)
        await line.heard("AT+CMGL=4")
        line.fake.say('+CMT: "+628115550101",,"26/11/22,10:00:00+36"\r\nBanjir di Batu Merah, 3 rumah')
        assert await line.until(SmsTextReceived) == SmsTextReceived(
            "+628115550101", "Banjir di Batu Merah, 3 rumah", "26/11/22,10:00:00+36"
        )
        assert line.all(SmsUnreadable) == []
        await line.heard("AT+CMGF=0", 2)
        line.fake.say('+CMT: "+628115550101",,"26/11/22,10:00:05+36"\r\nDEADBEEF')  # a text that could be octets
        assert (await line.until(SmsTextReceived, 2)).text == "DEADBEEF"

    scripted(story, profiles=PROFILES)

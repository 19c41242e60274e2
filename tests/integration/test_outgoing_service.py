"""Texts that go out through real drivers and simulated modems: another line, marks, reports, no disk, restarts."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from lines_box import OUTSIDE, Box, World, play

from appliance.model import OutgoingState
from appliance.sms_events import SmsDelivered, SmsFailed, SmsHeld, SmsReported, SmsSending, SmsSent, SmsUndelivered
from drivers.jsonsocket import Refusal

Story = Callable[[World], Awaitable[None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    return partial(play, tmp_path)


async def until_over(box: Box, message: str) -> OutgoingState:
    await box.until(lambda: box.state.outgoing[message].over, f"over: {box.state.outgoing[message]}")
    return box.state.outgoing[message].state


def test_a_modem_that_restarts_behind_its_prompt_has_another_send_the_text_marked(
    tell: Callable[[Story], None],
) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await there.network.turn("modem.reset_in", name="l1", command="AT+CMGS", at="prompt")
        given = await box.lines.outgoing.text(OUTSIDE, "bawa tandu", "sari")
        assert (given["parts"], given["durable"]) == (1, True)
        assert await until_over(box, given["message"]) is OutgoingState.DELIVERED
        assert [(e.line, e.certain) for e in box.all(SmsFailed)] == [("l1", False)]
        assert [(e.line, e.again) for e in box.all(SmsSending)] == [("l1", False), ("l2", True)]
        assert box.state.outgoing[given["message"]].again
        (out,) = await there.network.turn("sms.outbox")
        assert (out["from"], out["text"], out["report"]) == ("+62000000002", "bawa tandu", True)

    tell(story)


def test_reports_come_twice_late_or_never_and_with_bad_news_over_a_wrapped_reference(
    tell: Callable[[Story], None],
) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        send = box.lines.outgoing.text
        await there.network.turn("network.delay", seconds=0.2, radio=0.1)
        await there.network.turn("modem.reference", name="l1", last=254)
        await there.network.turn("sms.report", name="l1", fate="twice")
        twice = await send(OUTSIDE, "Evakuasi ke Lapangan Merdeka. " * 8, "sari", "l1")  # two parts: 255 and 0
        assert await until_over(box, twice["message"]) is OutgoingState.DELIVERED
        assert box.all(SmsSent)[-1].references == (255, 0)
        await there.network.turn("sms.report", name="l1", fate="trying")
        trying = await send(OUTSIDE, "b", "sari", "l1")
        await there.network.turn("sms.report", name="l2", fate="failed")
        failed = await send("081298765432", "c", "sari", "l2")
        assert await until_over(box, trying["message"]) is OutgoingState.DELIVERED
        assert [r.status for r in box.all(SmsReported) if r.message == trying["message"]] == [0x20, 0x00]
        assert await until_over(box, failed["message"]) is OutgoingState.UNDELIVERED
        assert box.all(SmsUndelivered)[-1].reason == "reported"
        await there.network.turn("sms.report", name="l1", fate="failed")
        other = await send(OUTSIDE, "d", "sari")
        assert await until_over(box, other["message"]) is OutgoingState.DELIVERED
        tried = [(e.line, e.again) for e in box.all(SmsSending) if e.message == other["message"]]
        assert tried == [("l1", False), ("l2", False)]
        assert len(box.all(SmsDelivered)) == 3
        for line in ("l1", "l2"):
            await there.network.until_empty(line)
        await there.network.turn("sms.report", name="l1", fate="lost")
        silent = await send(OUTSIDE, "e", "sari", "l1")
        await box.until(lambda: len(box.all(SmsSent)) == 6, "six sent")
        assert box.state.outgoing[silent["message"]].state is OutgoingState.SENT

    tell(story)


def test_a_restart_while_a_modem_sends_marks_the_text_and_keeps_the_one_that_waits(
    tell: Callable[[Story], None],
) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        await box.ready()
        await there.network.turn("network.delay", seconds=0.2, radio=8)
        given = [(await box.lines.outgoing.text(OUTSIDE, text, "sari", "l2"))["message"] for text in ("satu", "dua")]
        await box.event(SmsSending)
        box = await there.start()
        assert box.state.outgoing[given[0]].attempts[0].outcome == "uncertain"
        await there.network.turn("network.delay", seconds=0.2, radio=0.1)
        for message in given:
            assert await until_over(box, message) is OutgoingState.DELIVERED
        rows = [box.state.outgoing[message] for message in given]
        assert [(row.again, len(row.attempts)) for row in rows] == [(True, 2), (False, 1)]

    tell(story)


def test_without_a_disk_orders_go_and_texts_wait_for_it(tell: Callable[[Story], None], tmp_path: Path) -> None:
    disk = tmp_path / "disk"

    async def story(there: World) -> None:
        disk.write_text("a file where the folder should be")
        box = await there.start()
        await box.ready()
        given = await box.lines.outgoing.text(OUTSIDE, "tsunami?", "sari")
        assert not given["durable"]
        await box.lines.send_data(OUTSIDE, b"\1", "order")
        assert [e.purpose for e in box.all(SmsSent)] == ["order"]
        assert len(await there.network.turn("sms.outbox")) == 1
        disk.unlink()
        assert await until_over(box, given["message"]) is OutgoingState.DELIVERED

    tell(story)


def test_what_cannot_be_sent_is_refused_with_what_to_do(tell: Callable[[Story], None]) -> None:
    async def story(there: World) -> None:
        box = await there.start()
        out = box.lines.outgoing
        for number, text, line, said in (
            ("112", "x", "", "emergency number"),
            (OUTSIDE, " ", "", "empty"),
            (OUTSIDE, "x" * 2000, "", "Shorten it"),
            (OUTSIDE, "x", "l9", "Lines: l1, l2"),
        ):
            with pytest.raises(Refusal, match=said):
                await out.text(number, text, "sari", line)
        with pytest.raises(Refusal, match="lives 300 to"):
            await out.text(OUTSIDE, "x", "sari", "", 60)
        with pytest.raises(Refusal, match="it is looked for"):
            await out.trial(OUTSIDE, "x", "sari", "l1")
        assert box.all(SmsHeld) == []

    tell(story)

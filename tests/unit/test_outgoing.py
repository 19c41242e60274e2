"""The service behind texts and orders, with lines of straw: who waits for what, what is refused, what is never lost."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.fold import apply
from appliance.journal import Appended
from appliance.lines import outgoing
from appliance.lines.blame import BLAMES, Blame, blame_of, is_certain
from appliance.lines.operator_plan import load_plans, operator_of_number, plan_of
from appliance.lines.outgoing import Outgoing
from appliance.lines.outgoing_machine import Cap
from appliance.model import OutgoingState
from appliance.state import State
from drivers.clock import VirtualClock
from drivers.jsonsocket import Refusal
from drivers.modem.errors import LinkLost, SmsFailed
from drivers.modem.numbers import same_number
from drivers.modem.pdu import PduError, StatusReport

NUMBER = "+6281234567890"
OPERATORS = load_plans(Path(__file__).parents[2] / "firmware-config" / "operators")


class Straw:
    """A line that answers as it is told; `sent` is what came to it."""

    def __init__(self) -> None:
        self.up = self.registered = True
        self.call = ""
        self.operator: str | None = None
        self.sent: list[tuple[str, str | None, bytes | None, timedelta, bool]] = []
        self.answer: Callable[[], Coroutine[Any, Any, tuple[int, ...]]] = self._took

    async def _took(self) -> tuple[int, ...]:
        return (len(self.sent),)

    async def send(
        self, number: str, *, text: str | None, data: bytes | None, validity: timedelta, urgent: bool
    ) -> tuple[int, ...]:
        self.sent.append((number, text, data, validity, urgent))
        return await self.answer()


class Desk:
    """The service with straw lines, and a disk that can be told to keep everybody waiting."""

    def __init__(self, clock: VirtualClock, **lines: Straw) -> None:
        self.clock, self.state, self.rows = clock, State(), list[Entry]()
        self.disk = True
        self.lines = lines
        self.out = Outgoing(
            lines=lines, state=self.state, clock=clock, append=self.append, cap=Cap(3600, 50),
            operators=OPERATORS,
        )  # fmt: skip

    def append(self, event: Event, *, actor: str = "", cause: int | None = None) -> Appended:
        now = self.clock.now()
        entry = Entry(
            len(self.rows) + 1, now, now, outgoing.boot_id(), "ntp", event.kind, event.subject, actor, cause,
            encode_event(event), "", "",
        )  # fmt: skip
        self.rows.append(entry)
        apply(self.state, entry)
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self.disk:
            written.set_result(True)
        return Appended(entry, written)

    def kinds(self) -> list[str]:
        return [row.kind for row in self.rows]

    async def over(self, message: str) -> OutgoingState:
        async with asyncio.timeout(1000):
            while not self.state.outgoing[message].over:
                await asyncio.sleep(0.1)
        return self.state.outgoing[message].state


Story = Callable[[Desk], Coroutine[Any, Any, None]]


def told(story: Story, *lines: str) -> Desk:
    """Play a story in virtual time with the service running."""
    clock = VirtualClock()
    desks: list[Desk] = []

    async def main() -> None:
        desk = Desk(clock, **{line: Straw() for line in lines})
        desks.append(desk)
        running = asyncio.create_task(desk.out.run())
        try:
            await story(desk)
        finally:
            running.cancel()
            await asyncio.wait({running})
        assert running.cancelled()

    clock.run(main())
    return desks[0]


def fails(error: Exception) -> Callable[[], Coroutine[Any, Any, tuple[int, ...]]]:
    async def answer() -> tuple[int, ...]:
        raise error

    return answer


async def never() -> tuple[int, ...]:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


def test_an_order_never_waits_for_the_disk_and_a_text_gives_the_line_back_while_it_does() -> None:
    async def story(desk: Desk) -> None:
        desk.disk = False
        given = await desk.out.text(NUMBER, "tsunami?", "sari")
        assert not given["durable"]
        began = desk.clock.now()
        await desk.out.send_data(NUMBER, b"\1", "order")
        assert desk.clock.now() - began < 0.1
        await asyncio.sleep(100)
        assert [text for _, text, _, _, _ in desk.lines["l1"].sent] == [None]
        assert {a.reason for a in desk.state.outgoing[given["message"]].attempts if a.ended} == {"disk"}
        assert await desk.over(given["message"]) is OutgoingState.UNDELIVERED
        assert desk.rows[-1].kind == "sms.undelivered"

    told(story, "l1")


def test_orders_live_five_minutes_in_the_network_and_texts_as_long_as_their_giver_says() -> None:
    async def story(desk: Desk) -> None:
        await desk.out.send_data(NUMBER, b"\1", "order")
        await desk.out.text(NUMBER, "x", "sari", lifetime_s=7200)
        await asyncio.sleep(5)
        (_, _, data, first, urgent), (_, text, _, second, ordinary) = desk.lines["l1"].sent
        assert (data, urgent, first) == (b"\1", True, timedelta(minutes=5))
        assert (text, ordinary) == ("x", False)
        assert timedelta(seconds=7190) < second <= timedelta(seconds=7200)

    told(story, "l1")


def test_a_line_that_never_answers_delays_no_order_on_another() -> None:
    async def story(desk: Desk) -> None:
        desk.lines["l1"].answer = never
        await desk.out.text(NUMBER, "x", "sari", "l1")
        await asyncio.sleep(1)
        async with asyncio.timeout(0.5):
            await desk.out.send_data(NUMBER, b"\1", "order")
        assert len(desk.lines["l2"].sent) == 1

    told(story, "l1", "l2")


def test_a_caller_that_goes_away_takes_its_waiting_order_with_it() -> None:
    async def story(desk: Desk) -> None:
        desk.lines["l1"].answer = never
        first = asyncio.create_task(desk.out.send_data(NUMBER, b"\1", "order"))
        second = asyncio.create_task(desk.out.send_data(NUMBER, b"\2", "order"))
        await asyncio.sleep(1)
        second.cancel()
        await asyncio.wait({second})
        desk.lines["l1"].answer = desk.lines["l1"]._took
        for task in desk.out._tasks.values():
            task.cancel()
        with pytest.raises(OSError, match="interrupted"):
            await first
        await asyncio.sleep(200)
        assert [data for _, _, data, _, _ in desk.lines["l1"].sent] == [b"\1"], "never an order without its octets"
        assert {m.reason for m in desk.state.outgoing.values()} == {"uncertain", "withdrawn"}

    told(story, "l1")


def test_a_flaw_of_ours_in_sending_is_an_attempt_of_unknown_end_and_no_hang() -> None:
    async def story(desk: Desk) -> None:
        desk.lines["l1"].answer = fails(ZeroDivisionError("flaw"))
        with pytest.raises(OSError, match="l1: interrupted"):
            await desk.out.send_data(NUMBER, b"\1", "answer")

    told(story, "l1")


def test_all_reasons_are_told_when_no_line_took_an_order_and_a_bad_order_is_tried_once() -> None:
    async def story(desk: Desk) -> None:
        for line, straw in desk.lines.items():
            straw.answer = fails(LinkLost(f"{line} is gone"))
        with pytest.raises(OSError, match="l1: l1 is gone; l2: l2 is gone"):
            await desk.out.send_data(NUMBER, b"\1", "order")
        desk.lines["l2"].answer = fails(PduError("too long"))
        with pytest.raises(OSError, match="too long"):
            await desk.out.send_data(NUMBER, b"\1" * 999, "order")
        assert len(desk.lines["l1"].sent) + len(desk.lines["l2"].sent) <= 4

    told(story, "l1", "l2")


def test_a_report_is_one_row_however_often_it_is_told_and_is_never_taken_away_before_it_is_on_disk() -> None:
    async def story(desk: Desk) -> None:
        given = await desk.out.text(NUMBER, "x", "sari")
        await asyncio.sleep(1)
        report = StatusReport(
            mr=1, number="081234567890", number_type="national", timestamp=datetime.now(UTC),
            discharge=datetime.now(UTC), status=0,
        )  # fmt: skip
        desk.disk = False
        row = desk.out.report("l1", report)
        assert row is not None
        assert not await row.durable(5)
        assert desk.out.report("l1", report) is row
        assert await desk.over(given["message"]) is OutgoingState.DELIVERED
        assert desk.kinds().count("sms.reported") == 1
        desk.out._seen.clear()
        assert desk.out.report("l1", report) is None, "known from the journal"

    told(story, "l1")


def test_a_text_given_again_under_its_key_is_the_same_text_also_after_a_restart() -> None:
    async def story(desk: Desk) -> None:
        desk.lines["l1"].answer = never
        given = await desk.out.text(NUMBER, "tsunami?", "sari", key="k1")
        again = await desk.out.text(NUMBER, "tsunami?", "sari", key="k1")
        assert (given["repeated"], again) == (False, {**given, "repeated": True})
        for other in (("sari", "k2"), ("budi", "k1"), ("sari", ""), ("sari", "")):
            assert (await desk.out.text(NUMBER, "tsunami?", other[0], key=other[1]))["repeated"] is False
        assert desk.kinds().count("sms.queued") == 5
        reborn = Outgoing(lines={}, state=desk.state, clock=desk.clock, append=desk.append, cap=Cap(3600, 50))
        assert await reborn.text(NUMBER, "tsunami?", "sari", key="k1") == again

    told(story, "l1")


def test_a_text_given_again_before_it_is_on_disk_says_so_again() -> None:
    async def story(desk: Desk) -> None:
        desk.disk = False
        for repeated in (False, True):
            given = await desk.out.text(NUMBER, "x", "sari", key="k1")
            assert (given["durable"], given["repeated"]) == (False, repeated)

    told(story, "l1")


@pytest.mark.parametrize(
    ("number", "text", "code"),
    [
        ("112", "x", "bad_number"),
        (NUMBER, " ", "text_empty"),
        (NUMBER, "x" * 2000, "text_long"),
        (NUMBER, "\ud800", "text_unwritable"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_a_code_of_its_own(number: str, text: str, code: str) -> None:
    async def story(desk: Desk) -> None:
        with pytest.raises(Refusal) as refused:
            await desk.out.text(number, text, "sari")
        assert refused.value.code == code
        assert desk.kinds() == []

    told(story, "l1")


def test_queues_are_bounded_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "MOST_QUEUED", 2)
    monkeypatch.setattr(outgoing, "MOST_URGENT", 1)

    async def story(desk: Desk) -> None:
        desk.lines["l1"].answer = never
        for _ in range(3):
            await desk.out.text(NUMBER, "x", "sari")
            await asyncio.sleep(1)
        with pytest.raises(Refusal, match="2 texts wait"):
            await desk.out.text(NUMBER, "x", "sari")
        waiting = asyncio.create_task(desk.out.send_data(NUMBER, b"\1", "order"))
        await asyncio.sleep(1)
        with pytest.raises(OSError, match="wait already"):
            await desk.out.send_data(NUMBER, b"\1", "order")
        waiting.cancel()
        await asyncio.wait({waiting})

    told(story, "l1")


def test_a_trial_is_told_what_came_of_it_and_is_not_repeated() -> None:
    async def story(desk: Desk) -> None:
        done = await desk.out.trial(NUMBER, "tes", "teknisi", "l1")
        assert (done["line"], done["parts"]) == ("l1", 1)
        desk.lines["l1"].answer = fails(SmsFailed("no credit", (), certain=True, code=38))
        with pytest.raises(Refusal, match="l1: no credit"):
            await desk.out.trial(NUMBER, "tes", "teknisi", "l1")
        with pytest.raises(Refusal, match="Lines: l1, l2"):
            await desk.out.trial(NUMBER, "tes", "teknisi", "")
        desk.lines["l1"].call = "c1"
        with pytest.raises(Refusal, match="a call is on"):
            await desk.out.trial(NUMBER, "tes", "teknisi", "l1")
        await asyncio.sleep(100)
        assert len(desk.lines["l1"].sent) == 2

    told(story, "l1", "l2")


# Tables


def test_giving_up_needs_a_code_that_no_other_sim_could_change() -> None:
    assert {code for code, blame in BLAMES.items() if blame is Blame.RECIPIENT} == {1, 195}
    assert blame_of(SmsFailed("x", (), certain=True, code=331)) is Blame.LINE
    assert blame_of(SmsFailed("x", (), certain=True, code=511)) is Blame.LINE
    assert blame_of(SmsFailed("x", (), certain=True, code=42)) is Blame.MOMENT
    assert blame_of(LinkLost("x")) is Blame.LINE
    assert blame_of(PduError("x")) is Blame.MESSAGE


def test_a_network_whose_own_time_ran_out_may_have_the_message() -> None:
    assert not is_certain(SmsFailed("x", (), certain=True, code=332))
    assert not is_certain(SmsFailed("x", (), certain=False))
    assert is_certain(SmsFailed("x", (), certain=True, code=38))
    assert is_certain(LinkLost("x"))


def test_one_telephone_is_known_in_each_of_its_forms() -> None:
    forms = ("+6281234567890", "6281234567890", "006281234567890", "081234567890", "0812-3456-7890")
    assert all(same_number(a, b) for a in forms for b in forms)
    assert not same_number("+6281234567890", "+6281234567891")
    assert not same_number("363", "6281234567363"), "a short code is nobody's ending"
    assert same_number("363", "363")


@pytest.mark.parametrize(
    ("number", "network"),
    [
        ("+6281234567890", "telkomsel"),
        ("081512345678", "indosat"),
        ("6287812345678", "xl"),
        ("00628951234567", "indosat"),
        ("+6221555", ""),
        ("+15551234", ""),
    ],
)
def test_a_numbers_network_is_known_by_its_prefix(number: str, network: str) -> None:
    plan = operator_of_number(number, OPERATORS)
    assert (plan.name.casefold() if plan else "") == network


def test_networks_are_known_as_modems_name_them() -> None:
    found = [plan_of(name, OPERATORS) for name in ("TELKOMSEL", "INDOSAT OOREDOO", "XL Axiata", "51001", "")]
    assert [plan.name.casefold() if plan else "" for plan in found] == ["telkomsel", "indosat", "xl", "indosat", ""]

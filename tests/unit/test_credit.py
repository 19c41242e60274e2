"""A line's credit over days: when it is asked and when not, what is told of it, the way round over 2G."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance import events as ev
from appliance.config import ZONES, CreditConfig
from appliance.entry import Entry
from appliance.event import Event
from appliance.fold import apply
from appliance.lines.credit import Credit
from appliance.lines.credit_schedule import AGAIN, DAY, FIRST
from appliance.lines.operator_plan import load_plans
from appliance.lines.ussd_talk import GIVE_UP, UssdTalk
from appliance.state import State
from drivers.clock import VirtualClock
from drivers.modem.errors import CommandRefused, LinkLost
from drivers.modem.events import StatusChanged, UssdSaid

PLANS = load_plans(Path(__file__).parents[2] / "firmware-config" / "operators")
LTE = StatusChanged("home", "TELKOMSEL", "4g", -70, "READY", "ready")
ON_2G = StatusChanged("home", "TELKOMSEL", "2g", -70, "READY", "ready")
REFUSED = UssdSaid(4, None, None)
START = date(2026, 1, 1)


def told(rupiah: int, until: date | None = START + timedelta(days=300)) -> UssdSaid:
    return UssdSaid(0, f"Pulsa Rp{rupiah}" + (f" s.d. {until:%d/%m/%Y}." if until else ""), 15)


class FakeModem:
    """Where the modem would be: each USSD code gets `answer`, or what `answer` makes of it."""

    def __init__(self) -> None:
        self.up, self.status, self.can_narrow = True, LTE, True
        self.asked: list[str] = []
        self.answer: UssdSaid | Exception | Callable[[str], UssdSaid | None] | None = told(50_000)
        self.heard: Callable[[UssdSaid], None] = lambda said: None
        self.usual = True

    async def ask(self, line: str) -> tuple[str, ...]:
        self.asked.append(line)
        answer = self.answer(line) if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        if answer is not None and line != GIVE_UP:
            asyncio.get_running_loop().call_later(1.5, self.heard, answer)
        return ()

    async def narrow(self) -> bool:
        self.asked.append("narrow")
        if self.usual:
            self.status = ON_2G
        return self.usual

    async def widen(self) -> None:
        self.asked.append("widen")
        self.status = LTE


class Box:
    """A line's credit on a clock that jumps; `days(n)` lets days go by."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.state, self.modem = clock, State(), FakeModem()
        self.rows: list[Event] = []
        self._head = Entry.before_first()
        self.free = self.others = True
        self.start()

    def start(self, **more: Any) -> None:
        talk = UssdTalk(self.modem)  # type: ignore[arg-type]
        self.modem.heard = talk.heard
        keys: dict[str, Any] = {"postpaid": False, "plans": PLANS, "config": CreditConfig()} | more
        self.credit = Credit(
            "l1", self.modem, talk, self.state, self.clock, self.append, zone=ZONES["WIT"],
            free=lambda: self.free, may_narrow=lambda: self.others, uniform=lambda least, _most: least, **keys,
        )  # fmt: skip

    def append(self, event: Event, **_: Any) -> Any:
        self._head = Entry.after(
            self._head, wall=self.clock.wall(), mono=self.clock.now(), boot="b", quality="ntp", kind=event.kind,
            subject=event.subject, actor="", cause=None, body=ev.encode_event(event),
        )  # fmt: skip
        apply(self.state, self._head)
        self.rows.append(event)

    async def run(self, seconds: float, step: float = 60.0) -> None:
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            await self.credit.look()
            await asyncio.sleep(step)

    async def days(self, count: float) -> None:
        await self.run(count * DAY, 1200.0)

    def kinds(self) -> list[str]:
        return [row.kind for row in self.rows]

    @property
    def codes(self) -> list[str]:
        return [line for line in self.modem.asked if line.startswith("AT+CUSD=1")]


Story = Callable[[Box], Awaitable[None]]


@pytest.fixture
def tell() -> Callable[[Story], None]:
    def run(story: Story) -> None:
        async def main() -> None:
            await story(Box(clock))

        clock = VirtualClock()
        clock.run(main())

    return run


def test_it_is_asked_minutes_after_the_start_and_then_once_a_day(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        await box.run(FIRST[0] - 60)
        assert box.modem.asked == []
        await box.run(180)
        assert box.codes == ['AT+CUSD=1,"*888#",15']
        assert box.rows == [
            ev.CreditSeen(line="l1", rupiah=50_000, until="2026-10-28", text="Pulsa Rp50000 s.d. 28/10/2026.")
        ]
        await box.days(10)
        assert 10 <= len(box.codes) <= 12
        assert set(box.kinds()) == {"line.credit"}

    tell(story)


def test_neither_a_call_nor_an_order_is_disturbed(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        box.free = False
        await box.run(3600)
        assert box.modem.asked == []
        box.free = True
        await box.run(120)
        assert len(box.codes) == 1

    tell(story)


def test_a_postpaid_line_is_never_asked_and_forgets_what_was_known(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        await box.run(600)
        box.start(postpaid=True)
        await box.days(3)
        assert len(box.codes) == 1
        assert box.kinds() == ["line.credit", "line.credit_postpaid"]
        assert (box.credit.figure(), box.credit.why()) == (None, "postpaid")

    tell(story)


def test_a_line_out_of_its_network_is_not_asked(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        box.modem.status = StatusChanged("searching", None, "unknown", None)
        await box.run(3600)
        assert box.modem.asked == []

    tell(story)


def test_a_restart_does_not_ask_again_the_same_day(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        await box.run(600)
        box.start()
        await box.days(0.9)
        assert len(box.codes) == 1

    tell(story)


def test_what_is_not_understood_is_unknown_and_never_nothing(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        await box.run(600)
        box.modem.answer = UssdSaid(0, "Nikmati promo hari ini!", 15)
        await box.days(3)
        unknown = [row for row in box.rows if isinstance(row, ev.CreditUnknown)]
        assert unknown == [ev.CreditUnknown(line="l1", reason="not_understood", text="Nikmati promo hari ini!")]
        assert "line.credit_low" not in box.kinds()
        figure = box.credit.figure()
        assert figure
        assert figure.value == 50_000
        assert not figure.known(box.clock.now())
        assert box.credit.why() == "not_understood"
        box.modem.answer = told(49_000)
        await box.days(1)
        assert box.kinds()[-1] == "line.credit"
        assert box.credit.why() == ""

    tell(story)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "no_answer"),
        (UssdSaid(5, None, None), "no_answer"),
        (CommandRefused("AT+CUSD", "+CME ERROR", 30), "refused"),
        (UssdSaid(0, "Maaf, sistem sedang sibuk.", 15), "network_busy"),
    ],
)
def test_what_may_pass_is_tried_three_times_before_it_is_told(
    tell: Callable[[Story], None], answer: UssdSaid | Exception | None, reason: str
) -> None:
    async def story(box: Box) -> None:
        box.modem.answer, box.modem.can_narrow = answer, False
        await box.run(FIRST[0] + 1.5 * AGAIN)
        assert box.rows == []
        await box.run(2 * AGAIN)
        assert [row.reason for row in box.rows if isinstance(row, ev.CreditUnknown)] == [reason]
        await box.days(2)
        assert len(box.rows) == 1

    tell(story)


def test_an_operator_without_a_plan_is_said(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        box.modem.status = StatusChanged("home", "SMARTFREN", "4g", -70, "READY", "ready")
        await box.run(600)
        assert box.rows == [ev.CreditUnknown(line="l1", reason="no_plan")]
        assert box.modem.asked == []

    tell(story)


def test_plans_that_cannot_be_read_are_said(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        box.start(plans=None)
        await box.run(600)
        assert box.rows == [ev.CreditUnknown(line="l1", reason="bad_plans")]

    tell(story)


def test_the_second_code_is_asked_when_the_first_is_not_understood(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        box.modem.status = StatusChanged("home", "XL", "4g", -70, "READY", "ready")
        box.modem.answer = lambda line: told(7_000) if "*7*" in line else UssdSaid(0, "Menu XL: 1.Paket", 15)
        await box.run(600)
        assert len(box.codes) == 2
        assert box.kinds() == ["line.credit", "line.credit_low"]

    tell(story)


def test_a_menu_that_waits_for_a_choice_is_left(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        box.modem.answer = UssdSaid(1, "Pulsa Rp 30.000\n1.Beli paket", 15)
        await box.run(600)
        assert box.modem.asked[-1] == GIVE_UP
        assert box.kinds() == ["line.credit"]

    tell(story)


def test_a_modem_that_goes_away_meanwhile_is_asked_when_it_is_back(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        box.modem.answer = LinkLost("gone")
        await box.run(300)
        assert box.rows == []
        box.modem.answer = told(50_000)
        await box.run(60)
        assert box.kinds() == ["line.credit"]

    tell(story)


def test_credit_that_goes_down_is_warned_of_before_it_is_gone_and_cleared_by_a_top_up(
    tell: Callable[[Story], None],
) -> None:
    async def story(box: Box) -> None:
        for day in range(12):
            box.modem.answer = told(60_000 - 4_000 * day)
            await box.days(1)
        low = [row for row in box.rows if isinstance(row, ev.CreditLow)]
        assert [(row.why, row.days <= 7) for row in low] == [("forecast", True)]
        assert box.credit.forecast()
        box.modem.answer = told(300_000)
        await box.days(2)
        assert box.kinds().count("line.credit_low") == box.kinds().count("line.credit_enough") == 1

    tell(story)


def test_a_validity_that_ends_is_warned_of_although_nobody_answers_any_more(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        box.modem.answer = told(90_000, START + timedelta(days=20))
        await box.days(1)
        box.modem.answer = None
        await box.days(11)
        assert "line.credit_low" not in box.kinds()
        await box.days(2)
        low = [row for row in box.rows if isinstance(row, ev.CreditLow)]
        assert [(row.why, row.days) for row in low] == [("validity", 7)]

    tell(story)


def test_the_sites_own_limits_go_before_the_operators(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        box.start(config=CreditConfig(days=30, low_rupiah=60_000))
        await box.run(600)
        assert [row.why for row in box.rows if isinstance(row, ev.CreditLow)] == ["credit"]

    tell(story)


def only_on_2g(box: Box) -> Callable[[str], UssdSaid | None]:
    return lambda line: told(40_000) if box.modem.status is ON_2G else REFUSED


def test_a_network_that_refuses_on_lte_is_asked_on_2g_and_lte_comes_back(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        box.modem.answer = only_on_2g(box)
        await box.run(600)
        assert box.kinds() == ["line.narrowed", "line.narrowed", "line.credit"]
        assert box.modem.asked[1:2] + box.modem.asked[-1:] == ["narrow", "widen"]
        assert box.modem.status is LTE
        assert not box.state.lines["l1"].narrowed

    tell(story)


@pytest.mark.parametrize("why_not", ["alone", "cannot", "chosen"])
def test_lte_is_not_left_when_the_line_is_alone_cannot_or_was_set_by_a_person(
    tell: Callable[[Story], None], why_not: str
) -> None:
    async def story(box: Box) -> None:
        box.modem.answer = only_on_2g(box)
        box.others, box.modem.can_narrow = why_not != "alone", why_not != "cannot"
        box.modem.usual = why_not != "chosen"
        await box.run(600)
        assert "widen" not in box.modem.asked
        assert box.modem.status is LTE
        assert not (box.state.lines.get("l1") and box.state.lines["l1"].narrowed)

    tell(story)


def test_a_box_that_died_on_the_way_round_comes_back_to_lte(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        box.append(ev.LineNarrowed(line="l1", networks="2g"))
        box.modem.status = ON_2G
        box.free = False
        await box.run(30, 5.0)
        assert box.modem.asked == []  # not into a call
        box.free = True
        await box.run(30, 5.0)
        assert box.modem.asked == ["widen"]
        assert box.rows[-1] == ev.LineNarrowed(line="l1", networks="all")

    tell(story)


def test_a_box_that_lost_its_time_judges_no_day(tell: Callable[[Story], None]) -> None:
    async def story(box: Box) -> None:
        box.clock._start_wall = 0.0
        box.modem.answer = told(90_000, date(1970, 1, 3))
        await box.run(600)
        assert box.kinds() == ["line.credit"]
        assert box.credit.forecast() == ""

    tell(story)

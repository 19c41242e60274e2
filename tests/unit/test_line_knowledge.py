"""What a line knows of its SIM and network, machine by machine: SIM, cell, trend, when credit is asked, the fold."""

from itertools import pairwise

import pytest

from appliance import events as ev
from appliance import sms_events as sms
from appliance.config import Line
from appliance.entry import Entry
from appliance.event import Event
from appliance.fold import apply
from appliance.fold_lines import MOST_CREDITS
from appliance.lines.camping import EVERY, Camping
from appliance.lines.camping import SETTLED as CELL_SETTLED
from appliance.lines.credit import TEXT_KEPT, shortened
from appliance.lines.credit_schedule import AGAIN, DAY, FIRST, SPREAD, TRIES, Schedule
from appliance.lines.sim_watch import SETTLED, SimWatch
from appliance.lines.trend import MOST_A_MINUTE, Trend
from appliance.state import State
from appliance.view import TREND_MINUTES

PIN_WANTED = ev.SimBad(line="l1", state="pin", reason="no_pin")
GOOD_AGAIN = ev.SimGood(line="l1")


def earliest(least: float, most: float) -> float:
    return least


# The SIM


def test_a_sim_that_is_no_use_is_told_once_it_stays_so() -> None:
    watch = SimWatch("l1")
    watch.seen("pin", "no_pin", 100.0)
    assert watch.tick(100.0 + SETTLED - 1, "") is None
    assert watch.tick(100.0 + SETTLED, "") == PIN_WANTED
    assert watch.tick(100.0 + SETTLED, "pin no_pin") is None


@pytest.mark.parametrize("state", ["absent", "pin", "puk", "locked", "failed"])
def test_every_way_of_being_no_use_is_told(state: str) -> None:
    watch = SimWatch("l1")
    watch.seen(state, "", 0.0)
    assert watch.tick(SETTLED, "") == ev.SimBad(line="l1", state=state, reason="")
    assert watch.tick(SETTLED, state) is None


@pytest.mark.parametrize("state", ["unknown", "busy"])
def test_what_is_not_known_is_neither_good_nor_bad(state: str) -> None:
    watch = SimWatch("l1")
    watch.seen(state, "", 0.0)
    assert watch.tick(1000.0, "") is None
    assert watch.tick(1000.0, "pin no_pin") is None


def test_a_sim_that_flickers_at_a_start_is_not_told() -> None:
    watch = SimWatch("l1")
    for now in range(0, 60, 10):
        watch.seen("absent" if now % 20 else "busy", "", now)
        assert watch.tick(now + 9, "") is None


def test_a_sim_that_is_good_again_is_told_at_once_and_once() -> None:
    watch = SimWatch("l1")
    watch.seen("ready", "", 50.0)
    assert watch.tick(50.0, "pin no_pin") == GOOD_AGAIN
    assert watch.tick(50.0, "") is None


def test_a_pin_that_turns_out_wrong_is_told_anew() -> None:
    watch = SimWatch("l1")
    watch.seen("pin", "pin_refused", 0.0)
    assert watch.tick(SETTLED, "pin no_pin") == ev.SimBad(line="l1", state="pin", reason="pin_refused")


# The cell


def test_the_first_cell_is_told_at_once_and_the_same_one_never_again() -> None:
    camping = Camping("l1")
    assert camping.tick("", "", 0.0, ("", "")) is None
    assert camping.tick("4CA", "81DE445", 1.0, ("", "")) == ev.CellChanged(line="l1", area="4CA", cell="81DE445")
    assert camping.tick("4CA", "81DE445", 9999.0, ("4CA", "81DE445")) is None


def test_a_modem_between_two_cells_makes_one_row_an_hour_at_most() -> None:
    camping, told, rows = Camping("l1"), ("4CA", "1"), []
    for minute in range(24 * 60):
        cell = "1" if minute // 15 % 2 else "2"
        if moved := camping.tick("4CA", cell, minute * 60.0, told):
            rows.append(minute * 60.0)
            told = moved.area, moved.cell
    assert 0 < len(rows) <= 24
    assert all(b - a >= EVERY for a, b in pairwise(rows))


def test_a_cell_that_does_not_stay_is_not_told() -> None:
    camping = Camping("l1")
    for minute in range(600):
        assert camping.tick("4CA", str(minute % 3), minute * 60.0, ("4CA", "9")) is None
    assert CELL_SETTLED > 60.0


# The trend


def test_the_trend_is_a_median_a_minute_with_gaps_where_nothing_was_known() -> None:
    trend = Trend()
    assert trend.medians(0.0) == ()
    for now, dbm in [(0, -70), (10, -90), (20, -71), (70, None), (130, -80), (140, -60), (150, -81)]:
        trend.add(float(now), dbm)
    assert trend.medians(150.0) == (-71, None, -80)
    assert trend.medians(260.0) == (-71, None, -80, None, None)


def test_the_trend_holds_one_hour_and_no_more() -> None:
    trend = Trend()
    for second in range(0, 3 * 3600, 5):
        trend.add(float(second), -70 - second // 3600)
    medians = trend.medians(3 * 3600 - 1.0)
    assert len(medians) == TREND_MINUTES
    assert set(medians) == {-72}
    assert trend.medians(10 * 3600.0)[0] is None
    assert len(trend.medians(10 * 3600.0)) == TREND_MINUTES


def test_a_minute_with_a_flood_of_samples_stays_small() -> None:
    trend = Trend()
    for _ in range(100 * MOST_A_MINUTE):
        trend.add(1.0, -70)
    trend.add(2.0, -200)
    assert trend.medians(2.0) == (-70,)


# When credit is asked


def test_credit_is_first_asked_minutes_after_registering() -> None:
    schedule = Schedule(earliest)
    assert not schedule.is_due(1e9)
    schedule.registered(1000.0, None)
    assert not schedule.is_due(1000.0 + FIRST[0] - 1)
    assert schedule.is_due(1000.0 + FIRST[0])


def test_credit_that_was_asked_before_a_restart_waits_for_its_day() -> None:
    schedule = Schedule(earliest)
    schedule.registered(0.0, 3600.0)
    assert not schedule.is_due(DAY - 3601)
    assert schedule.is_due(DAY - 3600)
    late = Schedule(earliest)
    late.registered(0.0, 5 * DAY)
    assert not late.is_due(FIRST[0] - 1)
    assert late.is_due(FIRST[0])


def test_a_line_that_comes_back_is_not_asked_at_once() -> None:
    schedule = Schedule(earliest)
    schedule.registered(0.0, None)
    schedule.registered(5000.0, None)
    assert not schedule.is_due(5000.0)
    assert schedule.is_due(5000.0 + FIRST[0])


def test_after_an_answer_it_is_asked_a_day_later() -> None:
    schedule = Schedule(earliest)
    schedule.told(0.0)
    assert not schedule.is_due(DAY - SPREAD - 1)
    assert schedule.is_due(DAY - SPREAD)


def test_what_may_pass_is_tried_again_and_then_left_for_the_day() -> None:
    schedule, now = Schedule(earliest), 0.0
    for _ in range(TRIES - 1):
        assert not schedule.failed(now, may_pass=True)
        assert not schedule.is_due(now + AGAIN - 1)
        now += AGAIN
        assert schedule.is_due(now)
    assert schedule.failed(now, may_pass=True)
    assert not schedule.is_due(now + AGAIN)
    assert not schedule.failed(now + DAY, may_pass=True)  # the next day begins anew


def test_what_is_not_understood_is_not_asked_again_today() -> None:
    assert Schedule(earliest).failed(0.0, may_pass=False)


# What is remembered


class Book:
    """A state and the rows that make it."""

    def __init__(self) -> None:
        self.state, self._head = State(), Entry.before_first()

    def add(self, event: Event, wall: float = 1.0) -> None:
        self._head = Entry.after(
            self._head, wall=wall, mono=wall, boot="b", quality="ntp", kind=event.kind, subject=event.subject,
            actor="", cause=None, body=ev.encode_event(event),
        )  # fmt: skip
        apply(self.state, self._head)


def test_the_last_proof_is_the_newest_thing_that_the_network_carried() -> None:
    book = Book()
    proofs = []
    for event in (
        ev.CallAnswered(line="l1", call="1"),
        ev.SmsPartReceived(line="l1", pdu="00"),
        sms.SmsSent(line="l1", number="1", purpose="order", references=(1,)),
        ev.CallMissed(line="l1", call="2"),
        sms.SmsFailed(line="l1", number="1", purpose="order", reason="x"),
        ev.LineUp(line="l1", modem="m"),
    ):
        book.add(event, wall=len(proofs) + 1.0)
        proof = book.state.lines["l1"].proof
        assert proof
        proofs.append((proof.kind, proof.at.wall))
    assert proofs == [("call", 1.0), ("sms_received", 2.0)] + [("sms_sent", 3.0)] * 4


def test_an_event_with_a_fold_of_its_own_keeps_it() -> None:
    book = Book()
    book.add(ev.CallRinging(line="l1", call="1", number="0811"))
    book.add(ev.CallAnswered(line="l1", call="1"))
    assert book.state.calls["1"].phase == "talking"
    assert book.state.lines["l1"].proof


def test_a_failed_look_keeps_the_last_figures_and_says_why() -> None:
    book = Book()
    book.add(ev.CreditSeen(line="l1", rupiah=5, until="2027-01-01", text="x"))
    book.add(ev.CreditUnknown(line="l1", reason="refused"), wall=9.0)
    record = book.state.lines["l1"]
    assert [c.rupiah for c in record.credits] == [5]
    assert record.credit_unknown == "refused"
    assert record.credit_asked
    assert record.credit_asked.wall == 9.0
    book.add(ev.CreditSeen(line="l1", rupiah=6, until="", text="x"))
    assert book.state.lines["l1"].credit_unknown == ""


def test_old_looks_at_the_credit_are_forgotten() -> None:
    book = Book()
    for rupiah in range(3 * MOST_CREDITS):
        book.add(ev.CreditSeen(line="l1", rupiah=rupiah, until="", text="x"))
    assert book.state.lines["l1"].credits[0].rupiah == 2 * MOST_CREDITS
    assert len(book.state.lines["l1"].credits) == MOST_CREDITS


def test_a_line_that_became_postpaid_has_no_credit() -> None:
    book = Book()
    book.add(ev.CreditSeen(line="l1", rupiah=1, until="", text="x"))
    book.add(ev.CreditLow(line="l1", why="credit", days=0))
    book.add(ev.CreditPostpaid(line="l1"))
    assert (book.state.lines["l1"].credits, book.state.lines["l1"].credit_low) == ([], "")


def test_a_line_in_a_log_shows_no_pin() -> None:
    line = Line(id="l1", name="L", port="/dev/x", number="0811", pin="4711")
    assert "4711" not in f"{line!r} {line}"


def test_what_is_kept_of_an_answer_is_short_and_names_no_telephone() -> None:
    text = shortened("Nomor  6281234567890\nPulsa Rp 5.000 " + "x" * 500)
    assert text.startswith("Nomor … Pulsa Rp 5.000")
    assert len(text) == TEXT_KEPT

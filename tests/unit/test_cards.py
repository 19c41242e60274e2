"""A card that asks a person to phone waits for that person: the end of its order does not take it away."""

import pytest

from appliance import alert_events as al
from appliance.alerting.telling import Telling
from appliance.commands import HandleCard
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.fold import apply
from appliance.fold_alerts import MOST_ENDED_ALERTS, MOST_UNHANDLED_ALERTS
from appliance.model import AlertKind, CardOutcome, DeliveryState
from appliance.state import Alert, State
from drivers.jsonsocket import Refusal

IDS = {"alert": "a1", "station": "s1"}
CARD = al.CardRaised(**IDS, phone="+62000000111", reason="no_proof")


class Written:
    async def durable(self, within: float) -> bool:
        return True


class Book:
    """A fold that events are appended to."""

    def __init__(self, kind: AlertKind = AlertKind.ACTUAL) -> None:
        self.state, self._head = State(), Entry.before_first()
        self.telling = Telling(state=self.state, append=self.append, stop=self._stop)
        self.issue("a1", kind)

    async def _stop(self, *_: object) -> None:
        raise AssertionError("nothing is stopped")

    def issue(self, id: str, kind: AlertKind = AlertKind.ACTUAL) -> None:
        self.append(
            al.AlertIssued(
                alert=id, alert_kind=kind, pattern="wail", seconds=60, lifetime_s=300, incident_code=0,
                stations=("s1", "s2"), via="page",
            )
        )  # fmt: skip

    def append(self, event: Event, actor: str = "") -> Written:
        self._head = Entry.after(
            self._head, wall=1000.0 + self._head.seq, mono=float(self._head.seq), boot="b1", quality="ntp",
            kind=event.kind, subject=event.subject, actor=actor, cause=None, body=encode_event(event),
        )  # fmt: skip
        apply(self.state, self._head)
        return Written()

    def happens(self, *events: Event) -> Alert:
        for event in events:
            self.append(event)
        return self.state.alerts["a1"]


ENDS: list[Event] = [
    al.DeliveryExpired(**IDS), al.DeliveryFailed(**IDS, reason="end_not_seen"),
    al.DeliveryRefused(**IDS, path="sms", reason="locked_out"),
]  # fmt: skip


@pytest.mark.parametrize("end", ENDS, ids=lambda e: e.kind)
def test_the_end_of_an_order_settles_no_card(end: Event) -> None:
    assert Book().happens(CARD, end, al.AlertEnded(alert="a1")).unhandled


SETTLE: list[Event] = [
    al.DeliveryEnergised(**IDS, path="sms", remaining_s=60), al.DeliveryAcknowledged(**IDS, path="voice"),
    al.DeliveryEnded(**IDS, path="mqtt"), al.DeliveryCancelled(**IDS), al.CardHandled(**IDS, outcome="reached"),
]  # fmt: skip


@pytest.mark.parametrize("word", SETTLE, ids=lambda e: e.kind)
def test_the_stations_own_word_or_a_persons_does(word: Event) -> None:
    assert not Book().happens(CARD, word).unhandled


def test_a_siren_that_may_sound_on_is_settled_by_its_end_alone() -> None:
    book = Book()
    book.happens(al.DeliveryEnergised(**IDS, path="mqtt", remaining_s=60))
    assert book.happens(al.CardRaised(**IDS, phone="", reason="stop_not_seen")).unhandled
    assert not book.happens(al.DeliveryEnded(**IDS, path="mqtt")).unhandled


def test_a_card_that_comes_after_one_was_handled_waits_anew() -> None:
    book = Book()
    book.happens(CARD, al.CardHandled(**IDS, outcome="reached"))
    assert book.happens(al.CardRaised(**IDS, phone="", reason="stop_not_seen")).unhandled


def test_a_test_has_no_card_that_waits() -> None:
    assert not Book(AlertKind.DRILL).happens(al.DeliveryTestFailed(**IDS, reason="no_proof")).unhandled


def test_what_waits_for_a_person_is_remembered_longer_than_what_is_over_but_not_for_ever() -> None:
    book = Book()
    book.happens(CARD, al.AlertEnded(alert="a1"))
    for n in range(2 * MOST_ENDED_ALERTS):
        book.issue(f"b{n}")
        book.append(al.AlertEnded(alert=f"b{n}"))
    assert "a1" in book.state.alerts
    assert len(book.state.alerts) <= MOST_ENDED_ALERTS + 1
    for n in range(2 * MOST_UNHANDLED_ALERTS):
        book.issue(f"c{n}")
        book.append(al.CardRaised(alert=f"c{n}", station="s1", phone="", reason="no_proof"))
        book.append(al.AlertEnded(alert=f"c{n}"))
    assert len(book.state.alerts) <= MOST_UNHANDLED_ALERTS + 1


async def test_a_person_says_what_came_of_one_card_or_of_all() -> None:
    book = Book()
    book.happens(CARD, al.CardRaised(alert="a1", station="s2", phone="", reason="no_path"))
    one = HandleCard(alert="a1", outcome=CardOutcome.SENT, stations=("s1",), text="mobil patroli")
    assert (await book.telling.handle(one, "sari"))["stations"] == ["s1"]
    delivery = book.state.alerts["a1"].deliveries["s1"]
    assert delivery.handled is not None
    assert (delivery.handled.actor, delivery.outcome, delivery.outcome_text) == ("sari", "sent", "mobil patroli")
    assert (await book.telling.handle(one, "sari"))["repeated"]
    book.happens(al.DeliveryCancelled(alert="a1", station="s2"), al.AlertStopped(alert="a1", via="page"))
    stopped = HandleCard(alert="a1", outcome=CardOutcome.NOT_NEEDED, stations=("s2",))
    assert (await book.telling.handle(stopped, "sari"))["stations"] == ["s2"], "the record has what a person says"
    book.happens(al.CardRaised(alert="a1", station="s2", phone="", reason="stop_not_seen"))
    book.state.alerts["a1"].deliveries["s2"].state = DeliveryState.FAILED
    rest = HandleCard(alert="a1", outcome=CardOutcome.REACHED)
    assert (await book.telling.handle(rest, "sari"))["stations"] == ["s2"]
    assert not book.state.alerts["a1"].unhandled
    with pytest.raises(Refusal, match="card"):
        await book.telling.handle(rest, "sari")

"""The fallback: declared late, ended later, told once, the same after every restart."""

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance import call_events as call
from appliance import events as ev
from appliance import trunk_events as tr
from appliance.config import load_site
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.fold import apply
from appliance.stamp import Stamp
from appliance.state import State
from appliance.trunk import notice_text
from appliance.trunk.fallback_machine import NOTICE_LIFETIME, Plan, due, notices
from drivers.modem.pdu import encode_submit

SITE = load_site(Path(__file__).parents[2] / "firmware-config/sites/demo/centre.toml")
PLAN = Plan(automatic=True, after_s=20, steady_s=300)
BY_HAND = Plan(automatic=False, after_s=20, steady_s=300)
LOST = ev.TrunkLost(trunk="gw", reason="no_answer")
BACK = ev.TrunkRestored(trunk="gw")
BLAMED = tr.TrunkBlamed(trunk="gw", layer="route", reason="no_default")
STARTED = ev.Started(role="centre", version="0", speed=1.0)
AUTO, HAND = call.FallbackDeclared(why="trunk"), call.FallbackDeclared(why="person")
OVER, ENDED = call.FallbackOver(why="restored"), call.FallbackOver(why="person")


class Desk:
    """A journal and its fold; `at` are seconds."""

    def __init__(self) -> None:
        self.state = State()
        self.now = 0.0

    def happens(self, *events: Event | float) -> "Desk":
        """An event happens now; a number lets time pass."""
        for event in events:
            if isinstance(event, float):
                self.now += event
                continue
            entry = Entry(
                self.state.seq + 1, self.now, self.now, "boot", "ntp", event.kind, event.subject, "", None,
                encode_event(event), "", "",
            )  # fmt: skip
            apply(self.state, entry)
        return self

    @property
    def since(self) -> Callable[[Stamp], float]:
        return lambda stamp: self.now - stamp.mono

    def due(self, plan: Plan = PLAN) -> Event | None:
        return due(self.state, plan, self.since)

    def notices(self, *duty: str) -> list[tuple[str, str]]:
        return [(n.duty, n.what) for n in notices(self.state, duty, self.since)]


@pytest.mark.parametrize(
    ("story", "follows"),
    [
        ([], None),
        ([BACK, 1000.0], None),
        ([LOST, 19.0], None),
        ([LOST, 20.0], AUTO),
        ([LOST, 10.0, BLAMED, 10.0], call.FallbackDeclared(why="route")),  # it is lost since the beginning
        ([LOST, 10.0, BACK, 5.0, LOST, 19.0], None),
        ([LOST, 20.0, AUTO, 1000.0], None),
        ([LOST, 20.0, AUTO, BACK, 299.0], None),
        ([LOST, 20.0, AUTO, BACK, 300.0], OVER),
        ([LOST, 20.0, AUTO, BACK, 200.0, LOST, 5.0, BACK, 299.0], None),  # steady means without a gap
        ([LOST, 20.0, AUTO, BACK, tr.TrunkDegraded(trunk="gw", layer="loss", reason="loss"), 1000.0], None),
        ([LOST, 20.0, AUTO, BACK, tr.TrunkDegraded(trunk="gw", layer="dns", reason="x"), 300.0], OVER),
        ([LOST, 20.0, AUTO, BACK, tr.TrunkDegraded(trunk="gw", layer="loss", reason="loss"), 500.0,
          tr.TrunkSteady(trunk="gw"), 299.0], None),
        # by hand
        ([BACK, HAND, 10000.0], None),
        ([LOST, 20.0, AUTO, HAND, BACK, 10000.0], None),  # a person made it theirs
        ([LOST, 20.0, AUTO, ENDED, 10000.0], None),
        ([LOST, 20.0, AUTO, ENDED, STARTED, LOST, 10000.0], None),  # a restart is no new loss
        ([LOST, 20.0, AUTO, ENDED, BACK, 100.0, LOST, 20.0], AUTO),
        ([BACK, HAND, ENDED, LOST, 20.0], AUTO),
        # restarts
        ([LOST, 20.0, AUTO, STARTED, 10000.0], None),  # nothing is known: neither declared nor ended
        ([LOST, 20.0, AUTO, STARTED, BACK, 300.0], OVER),
        ([LOST, 20.0, AUTO, STARTED, LOST, 10000.0], None),
        ([LOST, 10.0, STARTED, LOST, 20.0], AUTO),
    ],
)  # fmt: skip
def test_what_follows_of_the_trunk(story: list[Event | float], follows: Event | None) -> None:
    assert Desk().happens(*story).due() == follows


def test_a_site_that_wants_it_by_hand_gets_it_by_hand() -> None:
    assert Desk().happens(LOST, 10000.0).due(BY_HAND) is None


def told(duty: str, what: str, message: str = "m1") -> tr.FallbackNotified:
    return tr.FallbackNotified(duty=duty, what=what, message=message)


def test_each_on_duty_is_told_once_of_a_declaration_and_once_of_its_end() -> None:
    desk = Desk().happens(LOST, 20.0, AUTO)
    assert desk.notices("a", "b") == [("a", "declared"), ("b", "declared")]
    desk.happens(told("a", "declared"))
    assert desk.notices("a", "b") == [("b", "declared")]
    desk.happens(told("b", "declared"), STARTED, LOST, HAND)
    assert desk.notices("a", "b") == []  # neither a restart nor a person's word makes it another declaration
    desk.happens(BACK, ENDED)
    assert desk.notices("a", "b") == [("a", "over"), ("b", "over")]
    desk.happens(told("a", "over"), told("b", "over"))
    assert desk.notices("a", "b") == []
    desk.happens(LOST, 20.0, AUTO)
    assert desk.notices("a", "b") == [("a", "declared"), ("b", "declared")]


def test_who_was_not_told_that_it_stands_is_not_told_that_it_is_over() -> None:
    refused = tr.FallbackNotified(duty="a", what="declared", message="", why="bad_number")
    desk = Desk().happens(HAND, refused, ENDED)
    assert desk.notices("a", "new") == []
    assert desk.state.fallback is not None
    assert desk.state.fallback.unsent == {"a": "bad_number"}


def test_old_news_is_not_told() -> None:
    desk = Desk().happens(HAND, told("a", "declared"), ENDED, float(NOTICE_LIFETIME))
    assert desk.notices("a") == []


def test_the_keys_of_two_declarations_differ() -> None:
    desk = Desk().happens(HAND)
    first = notices(desk.state, ["a"], desk.since)
    desk.happens(ENDED, HAND)
    assert first != notices(desk.state, ["a"], desk.since)


def test_who_was_told_by_a_person_is_kept_for_that_declaration_alone() -> None:
    desk = Desk().happens(HAND, tr.FallbackTold(agency="polres"))
    assert desk.state.fallback is not None
    assert set(desk.state.fallback.told) == {"polres"}
    desk.happens(ENDED, HAND)
    assert desk.state.fallback.told == {}


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("why", ["trunk", "route", "dns", "carrier", "person", "later_code"])
def test_a_notice_is_two_messages_at_most_and_says_when_and_whom_to_call(language: str, why: str) -> None:
    text = notice_text.declared(SITE, language, why, 1_800_000_000.0, ["+6281234567890"] * 5)
    assert text.isascii()
    assert len(encode_submit("+6281234567890", text)) <= 2
    assert "+6281234567890" in text
    assert "15/01 17:00 WIT" in text
    assert len(encode_submit("+6281234567890", notice_text.over(SITE, language, 1_800_000_000.0))) == 1

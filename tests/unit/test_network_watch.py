"""A line with modem and SIM and without a network: told once when it stays so, told once when it is over."""

import pytest

from appliance.entry import Entry
from appliance.event import Event
from appliance.events import LineDown, LineRegistered, LineUnregistered, encode_event
from appliance.fold import apply
from appliance.lines.network_watch import REFUSED_FOR, SEARCHED_FOR, NetworkWatch
from appliance.state import State

EVERY = 5.0  # s between looks


class Watched:
    """A watch, and what the journal has by it."""

    def __init__(self) -> None:
        self.watch, self.state, self.told, self.now = NetworkWatch("l1"), State(), [], 0.0
        self._head = Entry.before_first()

    def happens(self, event: Event) -> None:
        self._head = Entry.after(
            self._head, wall=1.0, mono=1.0, boot="b", quality="ntp", kind=event.kind, subject=event.subject,
            actor="", cause=None, body=encode_event(event),
        )  # fmt: skip
        apply(self.state, self._head)

    def is_for(self, seconds: float, registration: str, sim: str = "ready") -> None:
        until = self.now + seconds
        while self.now < until:
            self.watch.seen(registration, sim, self.now)
            record = self.state.lines.get("l1")
            if (event := self.watch.tick(self.now, record is not None and record.unregistered)) is not None:
                self.told.append(event)
                self.happens(event)
            self.now += EVERY


@pytest.mark.parametrize(
    ("registration", "patience"),
    [
        ("denied", REFUSED_FOR),
        ("emergency_only", REFUSED_FOR),
        ("searching", SEARCHED_FOR),
        ("not_registered", SEARCHED_FOR),
    ],
)
def test_a_network_that_is_not_there_is_told_once_it_stays_so_and_its_return_at_once(
    registration: str, patience: float
) -> None:
    line = Watched()
    line.is_for(30, "home")
    line.is_for(patience, registration)
    assert line.told == []
    line.is_for(600, registration)
    assert line.told == [LineUnregistered(line="l1", registration=registration)]
    line.is_for(60, "roaming")
    assert line.told[1:] == [LineRegistered(line="l1")]


def test_a_search_that_ends_in_a_refusal_has_waited_long_enough() -> None:
    line = Watched()
    line.is_for(REFUSED_FOR, "searching")
    line.is_for(EVERY, "denied")
    assert line.told == [LineUnregistered(line="l1", registration="denied")]


@pytest.mark.parametrize(
    ("registration", "sim"), [("unknown", "unknown"), ("not_registered", "absent"), ("denied", "pin")]
)
def test_without_a_modem_or_a_sim_nothing_is_said_of_the_network(registration: str, sim: str) -> None:
    line = Watched()
    line.is_for(3600, registration, sim)
    assert line.told == []


def test_each_boot_of_a_modem_has_its_own_time_to_search() -> None:
    line = Watched()
    for _ in range(20):
        line.is_for(SEARCHED_FOR, "searching")
        line.is_for(10, "unknown")
    assert line.told == []


def test_a_modem_that_goes_away_ends_it_and_what_comes_back_refused_is_told_again() -> None:
    line = Watched()
    line.is_for(60, "denied")
    line.happens(LineDown(line="l1", reason="no port"))
    line.is_for(60, "unknown")
    assert len(line.told) == 1
    line.is_for(60, "denied")
    assert line.told == [LineUnregistered(line="l1", registration="denied")] * 2


def test_a_box_that_was_restarted_knows_what_it_has_told() -> None:
    line = Watched()
    line.happens(LineUnregistered(line="l1", registration="searching"))
    line.is_for(600, "searching")
    assert line.told == []
    line.is_for(10, "home")
    assert line.told == [LineRegistered(line="l1")]

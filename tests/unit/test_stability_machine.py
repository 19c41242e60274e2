"""A line that falls again and again: one fault, over when it stays up, or when it stays down."""

import pytest

from appliance.line_events import LineSteadied, LineUnstable
from appliance.lines.stability_machine import FOR_GOOD, due
from appliance.stamp import Stamp
from appliance.state import LineRecord

MINUTES = 10.0
STEADY, GONE = LineSteadied(line="l1", up=True), LineSteadied(line="l1", up=False)


def at(*falls: float, now: float, up: bool, unstable: bool) -> LineUnstable | LineSteadied | None:
    record = LineRecord(fallen=[Stamp(mono=fall) for fall in falls], up=up, unstable=unstable)
    return due("l1", record, 3, MINUTES, lambda stamp: now - stamp.mono)


@pytest.mark.parametrize(
    ("falls", "now", "unstable"),
    [
        ((), 0.0, 0),
        ((0.0, 1.0), 2.0, 0),
        ((0.0, 1.0, 2.0), 3.0, 3),
        ((0.0, 1.0, 599.0), 599.0, 3),
        ((0.0, 1.0, 600.0), 600.0, 0),  # the first is ten minutes old
        ((0.0, 300.0, 600.0, 700.0), 710.0, 3),
    ],
)
@pytest.mark.parametrize("up", [True, False])
def test_so_many_falls_within_so_many_minutes_are_too_many(
    falls: tuple[float, ...], now: float, unstable: int, up: bool
) -> None:
    told = at(*falls, now=now, up=up, unstable=False)
    assert told == (LineUnstable(line="l1", falls=unstable, minutes=MINUTES) if unstable else None)


@pytest.mark.parametrize(
    ("now", "up", "told"),
    [(602.0 - 0.1, True, None), (602.0, True, STEADY), (602.0 - 0.1, False, None), (602.0, False, GONE)],
)
def test_it_is_over_without_a_fall_for_as_long_and_says_whether_the_line_is_there(
    now: float, up: bool, told: LineSteadied | None
) -> None:
    assert at(0.0, 1.0, 2.0, now=now, up=up, unstable=True) == told


def test_a_line_that_is_down_has_the_time_to_boot_however_short_the_minutes() -> None:
    record = LineRecord(fallen=[Stamp(mono=0.0)], up=False, unstable=True)
    assert due("l1", record, 2, 0.5, lambda stamp: FOR_GOOD - 1) is None
    assert due("l1", record, 2, 0.5, lambda stamp: FOR_GOOD) == GONE

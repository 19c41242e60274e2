"""The forecast of a SIM's credit and the warning that it makes, over days that a test makes up."""

from datetime import date, timedelta

import pytest

from appliance.lines.credit_forecast import DAY, Limits, Low, Outlook, Seen, daily_use, low, runs_out

TODAY = date(2027, 1, 10)
NOW = 1_800_000_000.0
LIMITS = Limits(low_rupiah=10_000, days=7)


def looks(*rupiah: int, every: float = 1.0) -> list[Seen]:
    """One look each so many days, the last one now."""
    return [Seen(NOW - (len(rupiah) - 1 - i) * every * DAY, one) for i, one in enumerate(rupiah)]


@pytest.mark.parametrize(
    ("seen", "use"),
    [
        ([], None),
        (looks(50_000), None),
        (looks(50_000, 49_000), None),
        (looks(50_000, 49_000, 48_000), 1_000.0),
        (looks(50_000, 50_000, 50_000), 0.0),
        (looks(20_000, 15_000, 65_000, 60_000), 10_000 / 3),
        (looks(9_000, 3_000, 53_000, every=2.0), 1_500.0),
        (looks(900_000, *range(31_000, 0, -1_000)), 1_000.0),
    ],
    ids=["nothing", "once", "too_short", "even", "unused", "top_up", "sparse", "a_month_back_only"],
)
def test_use_is_what_went_down_a_day(seen: list[Seen], use: float | None) -> None:
    assert daily_use(seen) == (None if use is None else pytest.approx(use))


@pytest.mark.parametrize(
    ("seen", "later", "days"),
    [
        (looks(12_000, 11_000, 10_000), 0, 10),
        (looks(12_000, 11_000, 10_000), 4, 6),
        (looks(12_000, 11_000, 10_000), 30, 0),
        (looks(4_000, 2_000, 0), 0, 0),
        (looks(50_000, 50_000, 50_000), 0, None),
        (looks(100_002, 100_001, 100_000), 0, None),
        (looks(100_000), 0, None),
    ],
)
def test_the_forecast_is_the_day_on_which_it_is_gone(seen: list[Seen], later: int, days: int | None) -> None:
    expected = None if days is None else TODAY + timedelta(days=days)
    assert runs_out(seen, TODAY, NOW + later * DAY) == expected


def outlook(rupiah: int = 50_000, until: int | None = None, gone: int | None = None) -> Outlook:
    end, out = (None if d is None else TODAY + timedelta(days=d) for d in (until, gone))
    return Outlook(rupiah, end, out)


@pytest.mark.parametrize(
    ("seen", "was_low", "is_"),
    [
        (outlook(), False, None),
        (outlook(10_000), False, None),
        (outlook(9_999), False, Low("credit", 0)),
        (outlook(11_000), True, Low("credit", 0)),
        (outlook(12_000), True, None),
        (outlook(0), False, Low("credit", 0)),
        (outlook(until=8), False, None),
        (outlook(until=7), False, Low("validity", 7)),
        (outlook(until=9), True, Low("validity", 9)),
        (outlook(until=10), True, None),
        (outlook(until=-3), False, Low("validity", 0)),
        (outlook(gone=8), False, None),
        (outlook(gone=7), False, Low("forecast", 7)),
        (outlook(gone=9), True, Low("forecast", 9)),
        (outlook(until=5, gone=3), False, Low("forecast", 3)),
        (outlook(until=3, gone=5), False, Low("validity", 3)),
    ],
)
def test_it_is_low_before_it_ends_and_needs_more_to_be_enough_again(
    seen: Outlook, was_low: bool, is_: Low | None
) -> None:
    assert low(seen, LIMITS, TODAY, was_low=was_low) == is_


def test_a_forecast_that_wavers_around_the_limit_is_told_once() -> None:
    was, told = False, []
    for gone in (9, 8, 7, 8, 7, 9, 8, 10, 8, 9):
        now = low(outlook(gone=gone), LIMITS, TODAY, was_low=was) is not None
        told += [now] if now is not was else []
        was = now
    assert told == [True, False]


def test_no_low_mark_still_warns_of_nothing_left() -> None:
    assert low(outlook(0), Limits(0, 7), TODAY, was_low=False) == Low("credit", 0)
    assert low(outlook(1), Limits(0, 7), TODAY, was_low=False) is None

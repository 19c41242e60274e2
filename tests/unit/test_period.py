"""A day or month that a person wrote, in the site's own zone."""

from zoneinfo import ZoneInfo

import pytest

from appliance.period import span
from drivers.jsonsocket import Refusal

WIT = ZoneInfo("Asia/Jayapura")


@pytest.mark.parametrize(
    "period", ["", "2026", "2026-13", "2026-02-30", "2026-1-1", "gestern", "0000-01", "9999-12", "9999-12-31"]
)
def test_what_is_no_period_is_refused(period: str) -> None:
    with pytest.raises(Refusal, match="no day or month"):
        span(period, WIT)


def test_december_ends_with_the_year() -> None:
    begin, end = span("2026-12", WIT)
    assert (end - begin) / 86400 == 31


def test_a_day_begins_at_the_sites_midnight() -> None:
    assert span("1970-01-01", WIT) == (-9 * 3600, 15 * 3600)

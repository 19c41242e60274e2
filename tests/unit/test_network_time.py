"""The network's time in each way in which modems write it."""

from datetime import UTC, datetime, timedelta

import pytest

from drivers.modem.answers import AnswerError
from drivers.modem.at import Urc
from drivers.modem.events import NetworkTime
from drivers.modem.network_time import network_time
from drivers.modem.news import events_of

MOMENT = datetime(2026, 11, 21, 23, 31, 51, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        '+CTZE: "+36",0,"2026/11/22,08:31:51"',
        '+CTZE: +36,0,"2026/11/22,08:31:51"',
        '+CTZE: "-12",1,"2026/11/21,20:31:51"',
        '+CCLK: "26/11/22,08:31:51+36"',
        '+CCLK:"26/11/22,06:31:51+28"',
        '+QLTS: "2026/11/22,08:31:51+36,0"',
    ],
)
def test_every_way_of_writing_is_the_same_moment(line: str) -> None:
    assert network_time(line) == MOMENT


def test_hours_may_be_utc_whatever_the_zone_says() -> None:
    told = network_time('+QLTS: "2026/11/21,23:31:51+28,0"', utc=True)
    assert told == MOMENT
    assert told.utcoffset() == timedelta(hours=7)


@pytest.mark.parametrize(
    "line",
    [
        '+QLTS: ""', "+CCLK: ", '+CCLK: "04/01/01,00:41:10+00"', '+CCLK: "80/01/06,00:00:12+00"',
        '+CCLK: "26/11/22,08:31:51"', '+CCLK: "26/13/22,08:31:51+28"', '+CCLK: "26/11/22,24:31:51+28"',
        '+CTZE: "+99",0,"2026/11/22,08:31:51"', '+CTZE: "+28",0', '+CTZV: "+28"', "*PSUTTZ: 2026,11,22,8,31,51",
        "+CSQ: 20,99",
    ],
)  # fmt: skip
def test_what_was_never_told_or_cannot_be_read_is_no_time(line: str) -> None:
    with pytest.raises(AnswerError):
        network_time(line)


def test_the_news_of_a_time_is_an_event() -> None:
    line = '+CTZE: "+36",0,"2026/11/22,08:31:51"'
    assert events_of(Urc("+CTZE", line)) == (NetworkTime(MOMENT),)
    assert events_of(Urc("+CTZE", '+CTZE: "+36",0,"1980/01/06,00:00:01"')) == ()

"""The alarms' history from a real journal file, by filters; and rows of earlier releases are read as before."""

from pathlib import Path

import pytest
from alarm_desk import Desk

from appliance import alarm_events as ae
from appliance import power_events as pw
from appliance.alarm_commands import ListAlarms
from appliance.alarms.listing import read_alarms
from appliance.config import ZONES
from appliance.events import decode_event
from appliance.journal_file import insert, open_for_writing
from drivers.jsonsocket import Refusal

WIT = ZONES["WIT"]


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read by all, written by none."""
    file = tmp_path_factory.mktemp("alarms") / "journal.db"
    desk = Desk()
    desk.happens(pw.MainsLost(witnesses=2, by=("a", "b")), pw.GensetFailedToStart(genset="g1", reason="deadline"))
    desk.acknowledge("power.mains_lost", "mains", note="PLN")
    desk.append(
        ae.AlarmNotified(person="Budi", level=1, what="raised", alarms=("genset.fail_to_start/g1",), message="a")
    )
    desk.clock.advance(86_340)  # the next day
    desk.passes(60)
    desk.happens(pw.MainsReturned(by=("a",)), pw.GensetReady(genset="g1"))
    db = open_for_writing(file)
    insert(db, desk.entries)
    db.close()
    return file


@pytest.mark.parametrize(
    ("ask", "kinds"),
    [
        (ListAlarms(), ["cleared", "cleared", "notified", "acknowledged", "raised", "raised"]),
        (ListAlarms(alarm="genset."), ["cleared", "notified", "raised"]),
        (ListAlarms(priority=2), ["cleared", "acknowledged", "raised"]),
        (ListAlarms(what="alarm.raised"), ["raised", "raised"]),
        (ListAlarms(actor="operator"), ["acknowledged"]),
        (ListAlarms(day="2026-01-02"), ["cleared", "cleared"]),
        (ListAlarms(about="mains", before=5), ["raised"]),
    ],
)
def test_the_history_has_what_was_asked_for_newest_first(journal: Path, ask: ListAlarms, kinds: list[str]) -> None:
    told = read_alarms(journal, ask, WIT)
    assert [row["kind"].removeprefix("alarm.") for row in told["rows"]] == kinds
    assert not told["more"]


def test_a_history_that_is_cut_says_so_and_goes_on_where_it_was_cut(journal: Path) -> None:
    first = read_alarms(journal, ListAlarms(last=2), WIT)
    assert first["more"]
    following = read_alarms(journal, ListAlarms(before=first["rows"][-1]["seq"]), WIT)
    assert following["rows"][0]["kind"] == "alarm.notified"


def test_a_day_that_is_none_and_a_journal_that_is_not_there_are_refused(tmp_path: Path, journal: Path) -> None:
    with pytest.raises(Refusal, match="no day or month"):
        read_alarms(journal, ListAlarms(day="2026-13"), WIT)
    with pytest.raises(Refusal, match="cannot be read"):
        read_alarms(tmp_path / "none.db", ListAlarms(), WIT)


def test_rows_of_earlier_releases_are_read() -> None:
    old = decode_event("alarm.raised", b'{"alarm":"power.mains_lost","about":"mains","priority":2}')
    assert old == ae.AlarmRaised(alarm="power.mains_lost", about="mains", priority=2)
    seen = decode_event("alarm.acknowledged", b'{"alarm":"power.mains_lost","about":"mains","note":"x"}')
    assert seen == ae.AlarmAcknowledged(alarm="power.mains_lost", about="mains", note="x")

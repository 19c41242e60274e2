"""The call log and its indicators, from a journal on disk; figures against ones counted by hand."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from desk_story import ANI, BUDI, CITRA, Rows, rows, site

from appliance import alert_events as al
from appliance import events as ev
from appliance.call_commands import (
    BlockCaller,
    CallFigures,
    DropCallBack,
    ListCalls,
    MarkCall,
    NoteCall,
    UnblockCaller,
)
from appliance.call_events import (
    CallBackDone,
    CallDialled,
    CallerBlocked,
    CallGreeted,
    CallMarked,
    CallNoted,
    CallRecorded,
    RecordingRemoved,
)
from appliance.config import ZONES
from appliance.config_desk import Agency
from appliance.desk.call_log import day_of, read_log, read_period
from appliance.desk.directory import Directory
from appliance.desk.figures import figures
from appliance.desk.orders import Orders
from appliance.desk_view import CallLog, CallRow, Recording
from appliance.fold_desk import DESK
from appliance.journal_file import insert, open_for_writing
from drivers.jsonsocket import Refusal

WIT = ZONES["WIT"]
OWN = Directory(site()).own


def written(there: Rows, folder: Path) -> Path:
    file = folder / "journal.db"
    db = open_for_writing(file)
    if there.entries:
        insert(db, there.entries)
    db.close()
    return file


def log(there: Rows, folder: Path, **ask: Any) -> CallLog:
    return read_log(written(there, folder), ListCalls(**ask), WIT, OWN)


def names(found: CallLog) -> list[str]:
    return [row.call for row in found.calls]


def answered(there: Rows, wait: float, talk: float = 30.0, number: str | None = ANI) -> str:
    call = there.ring(number)
    there.clock.advance(wait)
    there.take(call)
    there.clock.advance(talk)
    there.end(call, talk)
    return call


def abandoned(there: Rows, wait: float, *, greeted: bool = False, number: str | None = ANI) -> str:
    call = there.ring(number)
    there.clock.advance(wait)
    if greeted:
        there.append(ev.CallAnswered(line="l1", call=call), actor=DESK)
        there.append(CallGreeted(line="l1", call=call), actor=DESK)
        there.clock.advance(20)
        there.end(call, 20.0)
    else:
        there.miss(call)
    return call


def test_a_row_tells_all_that_became_of_a_call(tmp_path: Path) -> None:
    there = rows()
    call = there.ring(None)
    there.append(ev.CallIdentified(line="l1", call=call, number=ANI))
    there.clock.advance(11)
    there.append(ev.CallAnswered(line="l1", call=call), actor=DESK)
    there.append(CallGreeted(line="l1", call=call), actor=DESK)
    there.clock.advance(4.5)
    there.take(call, "siti")
    there.append(
        al.AlertIssued(
            alert="a" * 16, alert_kind="actual", pattern="wail", seconds=60, lifetime_s=300, incident_code=0,
            stations=("pusat",), via="page",
        ), actor="siti",
    )  # fmt: skip
    there.clock.advance(61)
    there.end(call, 65.5)
    there.append(CallRecorded(line="l1", call=call, file="calls/a.flac", seconds=65.5, octets=9, sha256="0" * 64))
    there.append(CallMarked(call=call, number=ANI, mark="emergency"), actor="siti")
    there.append(CallNoted(call=call, text="api"), actor="siti")
    there.append(CallNoted(call=call, text="api di pasar"), actor="siti")
    [row] = log(there, tmp_path).calls
    wanted = CallRow(
        call=call, line="l1", number=ANI, direction="in", wall=row.wall, outcome="answered", why="caller",
        waited_s=15.5, greeted=True, talked_s=61.0, person="siti", ended=row.wall + 76.5, mark="emergency",
        note="api di pasar", recordings=(Recording("calls/a.flac", 65.5, 9, "0" * 64),), persons=("siti",),
        alerts=("a" * 16,),
    )  # fmt: skip
    assert row == wanted


def test_outcomes_are_of_a_person_not_of_the_box(tmp_path: Path) -> None:
    there = rows()
    calls = {
        answered(there, 5): "answered",
        abandoned(there, 5): "abandoned",
        abandoned(there, 11, greeted=True): "abandoned",
    }
    refused = there.ring(BUDI)
    there.end(refused, 0.0, "operator")
    out = there.new_call()
    there.append(CallDialled(line="l2", call=out, number=CITRA), actor="siti")
    there.end(out, 0.0, "busy")
    calls |= {refused: "refused", out: "out", there.ring(): "open"}
    found = log(there, tmp_path)
    assert {row.call: row.outcome for row in found.calls} == calls
    assert names(found) == list(reversed(calls))
    for outcome in ("answered", "abandoned", "refused", "out"):
        rows_of = log(there, tmp_path / outcome, outcome=outcome).calls
        assert {row.call for row in rows_of} == {call for call, became in calls.items() if became == outcome}


def test_filters_are_joined_by_and_and_a_number_is_found_however_it_is_written(tmp_path: Path) -> None:
    there = rows()
    wanted = answered(there, 3)
    there.append(CallMarked(call=wanted, number=ANI, mark="prank"))
    taken_back = answered(there, 3)
    there.append(CallMarked(call=taken_back, number=ANI, mark="prank"))
    there.append(CallMarked(call=taken_back, number=ANI, mark=""))
    other = there.missed(BUDI, "l2")
    there.append(CallMarked(call=other, number=BUDI, mark="prank"))
    file = written(there, tmp_path)
    assert names(read_log(file, ListCalls(number="081100000001"), WIT, OWN)) == [taken_back, wanted]
    assert names(read_log(file, ListCalls(mark="prank"), WIT, OWN)) == [other, wanted]
    assert names(read_log(file, ListCalls(mark="prank", line="l1"), WIT, OWN)) == [wanted]
    assert names(read_log(file, ListCalls(call=other), WIT, OWN)) == [other]
    assert names(read_log(file, ListCalls(number=CITRA), WIT, OWN)) == []


def test_pages_follow_each_other_without_a_gap_or_a_call_twice(tmp_path: Path) -> None:
    there = rows()
    calls = [there.missed() for _ in range(7)]
    file, seen, before = written(there, tmp_path), list[str](), ""
    while True:
        page = read_log(file, ListCalls(last=3, before=before), WIT, OWN)
        seen += names(page)
        if not page.more:
            break
        before = seen[-1]
    assert seen == calls[::-1]


def test_a_day_is_the_sites_own(tmp_path: Path) -> None:
    there = rows()
    midnight = datetime(2026, 1, 2, tzinfo=WIT).timestamp()
    there.clock.advance(midnight - 1 - there.clock.wall())
    before = there.missed()
    there.clock.advance(1)
    behind = there.missed()
    assert names(log(there, tmp_path / "1", day="2026-01-01")) == [before]
    assert names(log(there, tmp_path / "2", day="2026-01-02")) == [behind]
    assert names(log(there, tmp_path / "m", day="2026-01")) == [behind, before]
    assert day_of(midnight, WIT) == "2026-01-02"


def test_drills_between_the_boxs_own_lines_are_no_calls(tmp_path: Path) -> None:
    there = rows()
    drill = there.new_call()
    there.append(CallDialled(line="l1", call=drill, number="+62000000002", why="proof"))
    there.ring("+62000000001", "l2")
    real = there.missed()
    assert names(log(there, tmp_path)) == [real]


def test_a_recording_that_was_removed_is_told_so(tmp_path: Path) -> None:
    there = rows()
    call = answered(there, 2)
    there.append(CallRecorded(line="l1", call=call, file="calls/a.flac", seconds=3.0, octets=9, sha256="0" * 64))
    there.append(RecordingRemoved(call=call, file="calls/a.flac", why="age"))
    [row] = log(there, tmp_path).calls
    assert (row.recordings, row.recording_removed) == ((), "age")


def test_a_journal_that_cannot_be_read_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"no database" * 100)
    for file in ("journal.db", "not_there.db"):
        with pytest.raises(Refusal, match="cannot be read"):
            read_log(tmp_path / file, ListCalls(), WIT, OWN)


def test_a_journal_of_an_earlier_release_gets_its_index_and_stays_readable_by_it(tmp_path: Path) -> None:
    file = written(rows(), tmp_path)
    db = open_for_writing(file)
    db.execute("DROP INDEX idx_events_subject")
    db.close()
    db = open_for_writing(file)
    plan = db.execute("EXPLAIN QUERY PLAN SELECT * FROM events WHERE subject IN ('a', 'b')").fetchall()
    assert "idx_events_subject" in str(plan)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()


def test_figures_are_those_counted_by_hand(tmp_path: Path) -> None:
    there = rows()
    waits = [2.0, 4.0, 10.0, 10.5, 15.0, 16.0, 20.0, 21.0, 30.0, 61.5, 5.0]
    for wait in waits:
        answered(there, wait)
    abandoned(there, 3)
    abandoned(there, 12, greeted=True, number=None)
    refused = there.ring()
    there.end(refused, 0.0, "refused")
    there.ring(BUDI)  # not over yet
    file = written(there, tmp_path)
    found, cut = read_period(file, "2026-01", WIT, OWN)
    told = figures("2026-01", found)
    assert not cut
    assert (told.calls, told.answered, told.abandoned, told.refused) == (13, 11, 2, 1)
    assert (told.greeted, told.greeted_abandoned, told.withheld) == (1, 1, 1)
    # 2, 4, 5, 10 are within 10 s; 10.5 and 15 within 15; 16 and 20 within 20; of 13
    assert (told.in_10_s, told.in_15_s, told.in_20_s) == (0.3077, 0.4615, 0.6154)
    assert told.mean_s == pytest.approx(195.0 / 11, abs=0.01)
    assert told.slowest_tenth_s == 45.75  # 11 answered: the tenth is two, 30 and 61.5
    assert told.abandoned_share == 0.1538


def test_figures_of_no_calls_are_not_known_rather_than_good() -> None:
    told = figures("2026-01-01", [])
    assert (told.calls, told.in_10_s, told.mean_s, told.slowest_tenth_s, told.abandoned_share) == (0, *[None] * 4)


# What persons say and ask


def orders(there: Rows, file: Path) -> Orders:
    agency = Agency(id="rsud", name="RSUD", kind="hospital", phone=("+62000000901",))
    return Orders(
        site=(made := site(agency=(agency,))), state=there.state, clock=there.clock, append=there.append, journal=file,
        kept=lambda: 2, directory=Directory(made),
    )  # fmt: skip


async def test_notes_and_marks_find_a_call_that_only_the_journal_remembers(tmp_path: Path) -> None:
    there = rows()
    old, withheld = answered(there, 2), answered(there, 2, number=None)
    asked = orders(there, written(there, tmp_path))
    there.state.desk.recent.clear()
    await asked.mark(MarkCall(call=old, mark="prank"), "siti")
    await asked.mark(MarkCall(call=withheld, mark="prank"), "siti")
    await asked.note(NoteCall(call=old, text="anak kecil"), "siti")
    assert [m.number for m in there.all(CallMarked)] == [ANI, ""]
    assert there.state.desk.callers["81100000001"].pranks == [old]
    with pytest.raises(Refusal, match="no call"):
        await asked.note(NoteCall(call="ffffffff", text="x"), "siti")


async def test_a_supervisor_blocks_only_who_has_called_and_nobody_of_the_site_file(tmp_path: Path) -> None:
    there = rows()
    asked = orders(there, written(there, tmp_path))
    for number in (ANI, "", "+62000000901", "+62000000001"):
        with pytest.raises(Refusal):
            await asked.block(BlockCaller(number=number), "kepala")
    there.missed(ANI)
    await asked.block(BlockCaller(number="081100000001", hours=2), "kepala")
    [blocked] = there.all(CallerBlocked)
    assert (blocked.why, blocked.until - there.clock.wall()) == ("person", 7200.0)
    await asked.unblock(UnblockCaller(number=ANI), "siti")
    assert there.state.desk.blocks == {}
    with pytest.raises(Refusal, match="not blocked"):
        await asked.unblock(UnblockCaller(number=ANI), "siti")


async def test_a_call_back_is_dropped_once(tmp_path: Path) -> None:
    there = rows()
    call = there.missed()
    asked = orders(there, written(there, tmp_path))
    await asked.drop(DropCallBack(call=call), "siti")
    assert [d.why for d in there.all(CallBackDone)] == ["dropped"]
    with pytest.raises(Refusal, match="not on the call-back list"):
        await asked.drop(DropCallBack(call=call), "joko")


async def test_a_month_has_its_days_and_says_what_is_not_on_disk_yet(tmp_path: Path) -> None:
    there = rows()
    for _ in range(3):
        answered(there, 5)
        there.clock.advance(86400)
    asked = orders(there, written(there, tmp_path))
    told = await asked.figures(CallFigures(period="2026-01"))
    assert [day["calls"] for day in told["days"]] == [1, 1, 1]
    assert (told["whole"]["calls"], told["behind"]) == (3, 2)
    assert (await asked.figures(CallFigures(period="2026-01-01")))["days"] == ()
    assert len((await asked.list(ListCalls()))["calls"]) == 3

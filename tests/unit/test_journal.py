"""The journal on real files: chained, append-only, alive without its disk."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from appliance import events as ev
from appliance.alert_events import AlertIssued, DeliveryEnergised, DeliverySent
from appliance.entry import Entry
from appliance.fold import apply
from appliance.journal import Journal, follow_chain
from appliance.journal_file import open_for_writing, read_entries
from appliance.state import State
from drivers.clock import Clock

Make = Callable[[Path], Journal]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    opened: list[Journal] = []

    def _make(path: Path, state: State | None = None) -> Journal:
        fold = (lambda e: apply(state, e)) if state is not None else (lambda e: None)
        journal = Journal(path, Clock(), "boot1", lambda: "ntp", fold)
        journal.open()
        opened.append(journal)
        return journal

    yield _make
    for journal in opened:
        journal.close()


def issued(alert: str = "ab" * 8) -> AlertIssued:
    return AlertIssued(
        alert=alert, alert_kind="actual", pattern="wail", seconds=60, lifetime_s=300, incident_code=0,
        stations=("x", "y"), via="page",
    )  # fmt: skip


def change_row(path: Path, sql: str) -> None:
    """As someone with the file and without our triggers would."""
    db = sqlite3.connect(path)
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
        db.execute(f"DROP TRIGGER {name}")
    db.execute(sql)
    db.commit()
    db.close()


async def test_what_was_durable_is_there_after_a_restart_and_folds_to_the_same_state(
    tmp_path: Path, make: Make
) -> None:
    before, after = State(), State()
    journal = make(tmp_path / "j.db", before)
    assert await journal.append(issued(), actor="operator").durable(5)
    journal.append(DeliverySent(alert="ab" * 8, station="x", path="mqtt", action="start", sequence=7))
    last = journal.append(DeliveryEnergised(alert="ab" * 8, station="x", path="mqtt", remaining_s=60))
    assert await last.durable(5)
    journal.close()
    again = make(tmp_path / "j.db", after)
    assert after == before
    assert again.head == journal.head
    assert after.sequences == {"x": 7}


async def test_a_changed_row_is_named(tmp_path: Path, make: Make) -> None:
    journal = make(tmp_path / "j.db")
    for n in range(5):
        journal.append(ev.Stopped(reason=f"{n}"))
    assert await journal.append(ev.Stopped(reason="last")).durable(5)
    journal.close()
    assert follow_chain(read_entries(tmp_path / "j.db")) is None
    change_row(tmp_path / "j.db", """UPDATE events SET body='{"reason":"no"}' WHERE seq=3""")
    assert "Row 3 (system.stopped) was changed" in str(follow_chain(read_entries(tmp_path / "j.db")))


async def test_a_removed_row_is_named(tmp_path: Path, make: Make) -> None:
    journal = make(tmp_path / "j.db")
    for n in range(5):
        last = journal.append(ev.Stopped(reason=f"{n}"))
    assert await last.durable(5)
    journal.close()
    change_row(tmp_path / "j.db", "DELETE FROM events WHERE seq=2")
    assert "Row 3 follows row 1: 1 rows are missing" in str(follow_chain(read_entries(tmp_path / "j.db")))


async def test_the_table_refuses_updates_and_deletes(tmp_path: Path, make: Make) -> None:
    journal = make(tmp_path / "j.db")
    assert await journal.append(ev.Stopped(reason="x")).durable(5)
    db = sqlite3.connect(tmp_path / "j.db")
    for sql in ("UPDATE events SET actor='me'", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(sql)
    db.close()


async def test_a_dead_disk_at_start_costs_nothing_but_an_event_and_heals_by_itself(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.journal.RETRY_DISK", 0.05)
    blocked = tmp_path / "state"
    blocked.write_text("a file where the folder should be")  # root may write anywhere: this stops root too
    state = State()
    journal = make(blocked / "j.db", state)
    assert journal.failed
    kept = journal.append(issued())
    assert not await kept.durable(0.2)
    assert state.alerts  # it acts all the same
    blocked.unlink()
    async with asyncio.timeout(10):
        while not (journal.failed is None and await kept.durable(1)):
            await asyncio.sleep(0.02)
    assert await journal.append(ev.Stopped(reason="end")).durable(5)
    kinds = [e.kind for e in read_entries(blocked / "j.db")]
    assert kinds[0] == "system.disk_failed"
    assert "alert.issued" in kinds
    assert "system.disk_restored" in kinds
    assert follow_chain(read_entries(blocked / "j.db")) is None


async def test_a_file_that_is_no_journal_is_put_aside_and_said(tmp_path: Path, make: Make) -> None:
    (tmp_path / "j.db").write_bytes(b"this is not a database at all, it is a letter" * 40)
    journal = make(tmp_path / "j.db")
    assert await journal.append(ev.Stopped(reason="x")).durable(5)
    assert next(read_entries(tmp_path / "j.db")).kind == "system.journal_replaced"
    assert list(tmp_path.glob("j.db.unreadable-*"))


async def test_a_file_that_could_not_be_read_at_start_is_kept_under_another_name(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.journal.RETRY_DISK", 0.05)
    first = make(tmp_path / "j.db")
    assert await first.append(ev.Stopped(reason="old")).durable(5)
    first.close()

    def broken(path: Path, **_: object) -> object:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as m:
        m.setattr("appliance.journal.read_entries", broken)
        second = make(tmp_path / "j.db")
    assert await second.append(ev.Stopped(reason="new")).durable(5)
    assert follow_chain(read_entries(tmp_path / "j.db")) is None
    (aside,) = tmp_path.glob("j.db.unreadable-*")
    assert [e.body for e in read_entries(aside)] == [b'{"reason":"old"}']


async def test_a_kind_of_a_later_release_is_left_out_of_the_state_and_kept_in_the_chain(
    tmp_path: Path, make: Make
) -> None:
    journal = make(tmp_path / "j.db")
    assert await journal.append(ev.Stopped(reason="x")).durable(5)
    journal.close()
    head = journal.head
    later = Entry.after(
        head, wall=1.0, mono=1.0, boot="b", quality="ntp", kind="power.sun_lost", subject="", actor="", cause=None,
        body=b'{"by":"moon"}',
    )  # fmt: skip
    db = open_for_writing(tmp_path / "j.db")
    from appliance.journal_file import insert

    insert(db, [later])
    db.close()
    state = State()
    again = make(tmp_path / "j.db", state)
    assert state.seq == 2
    assert again.head == later


async def test_ram_is_bounded_while_the_disk_is_gone(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.journal.MOST_KEPT", 10)
    (tmp_path / "state").write_text("")
    journal = make(tmp_path / "state" / "j.db")
    for n in range(30):
        journal.append(ev.Stopped(reason=f"{n}"))
    assert journal.kept == 10
    assert journal.lost == 21  # 30 and the event that the disk failed

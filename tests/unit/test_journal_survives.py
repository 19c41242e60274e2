"""What the journal keeps when the disk, the file or a release before or behind it is not as it should be."""

import asyncio
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance import events as ev
from appliance.alert_events import AlertIssued, DeliverySent
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.fold import apply
from appliance.journal import RETRY_DISK, Journal, follow_chain
from appliance.journal_file import insert, open_for_writing, read_entries, rename_aside
from appliance.state import State
from drivers.clock import Clock, VirtualClock


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Make a journal on `j.db`; all are closed at the end."""
    monkeypatch.setattr("appliance.journal.RETRY_DISK", 0.02)
    journals: list[Journal] = []

    def make(path: Path = tmp_path / "j.db", state: State | None = None) -> Journal:
        journal = Journal(path, Clock(), "boot", lambda: "ntp", lambda e: apply(state, e) if state else None)
        journals.append(journal)
        journal.open()
        return journal

    yield make
    for journal in journals:
        journal.close()


def told(reason: str) -> Event:
    return ev.Stopped(reason=reason)


async def written(journal: Journal) -> None:
    async with asyncio.timeout(10):
        while journal.kept or journal.failed:
            await asyncio.sleep(0.01)


async def test_a_longer_file_that_could_not_be_read_at_start_swallows_nothing(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened()
    for n in range(10):
        first.append(told(f"old {n}"))
    first.close()

    def broken(path: Path, **_: object) -> object:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as m:
        m.setattr("appliance.journal.read_entries", broken)
        second = opened()
    assert await second.append(told("new")).durable(5)
    assert b'{"reason":"new"}' in [e.body for e in read_entries(tmp_path / "j.db")]
    (aside,) = tmp_path.glob("j.db.unreadable-*")
    assert len(list(read_entries(aside))) == 10


async def test_when_ram_was_full_too_the_file_goes_on_and_its_chain_shows_the_gap(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.journal.MOST_KEPT", 5)
    journal = opened()
    assert await journal.append(told("before")).durable(5)
    held = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
    monkeypatch.setattr("appliance.journal.insert", _refuse)
    journal.append(told("first of the bad night"))
    async with asyncio.timeout(5):
        while journal.failed is None:
            await asyncio.sleep(0.01)
    for n in range(20):
        journal.append(told(f"{n}"))
    monkeypatch.setattr("appliance.journal.insert", insert)
    await written(journal)
    assert await journal.append(told("after")).durable(5)
    held.close()
    bodies = [e.body for e in read_entries(tmp_path / "j.db")]
    assert bodies[0] == b'{"reason":"before"}'
    assert b'{"reason":"19"}' in bodies
    assert bodies[-1] == b'{"reason":"after"}'
    assert "rows are missing" in str(follow_chain(read_entries(tmp_path / "j.db")))
    assert not list(tmp_path.glob("*unreadable*"))


def _refuse(*_: object, **__: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


async def test_a_disk_that_never_answers_has_failed(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.journal.STUCK", 0.1)
    answers = threading.Event()

    def hang(*args: Any, **more: Any) -> None:
        answers.wait(10)
        insert(*args, **more)

    monkeypatch.setattr("appliance.journal.insert", hang)
    journal = opened()
    order = journal.append(told("x"))
    assert not await order.durable(0.2)
    journal.append(told("y"))
    assert journal.failed
    answers.set()
    await written(journal)
    assert await journal.append(told("z")).durable(5)


async def test_what_was_appended_just_before_the_close_is_on_disk(tmp_path: Path, opened: Any) -> None:
    for n in range(20):
        journal = opened(tmp_path / f"{n}.db")
        journal.append(told("one"))
        await asyncio.sleep(0.0005 * (n % 5))
        journal.append(told("two"))
        journal.close()
        assert len(list(read_entries(tmp_path / f"{n}.db"))) == 2


async def test_a_word_of_a_later_release_and_a_damaged_body_do_not_stop_the_box(tmp_path: Path, opened: Any) -> None:
    alert = AlertIssued(
        alert="ab", alert_kind="actual", pattern="wail", seconds=60, lifetime_s=300, incident_code=0, stations=("x",),
        via="page",
    )  # fmt: skip
    later = DeliverySent(alert="ab", station="x", path="voice", action="start", sequence=7)
    other = encode_event(alert).replace(b"actual", b"rehearsal").replace(b'"ab"', b'"cd"')
    rows = [
        (alert.kind, encode_event(alert)),
        (later.kind, encode_event(later)),
        ("alert.stopped", b'{"alert": '),
        (alert.kind, other),
    ]
    entries = [Entry.before_first()]
    for kind, body in rows:
        entries.append(
            Entry.after(
                entries[-1], wall=1.0, mono=1.0, boot="b", quality="ntp", kind=kind, subject="", actor="", cause=None,
                body=body,
            )
        )  # fmt: skip
    db = open_for_writing(tmp_path / "j.db")
    insert(db, entries[1:])
    db.close()
    state = State()
    journal = opened(tmp_path / "j.db", state)
    assert state.seq == 4
    assert list(state.alerts) == ["ab"]
    assert await journal.append(told("on it goes")).durable(5)


async def test_a_long_journal_is_handed_on_row_by_row_and_only_its_end_is_kept(tmp_path: Path, opened: Any) -> None:
    entries = [Entry.before_first()]
    for n in range(3000):
        entries.append(
            Entry.after(
                entries[-1], wall=1.0, mono=1.0, boot="b", quality="ntp", kind="system.stopped", subject="", actor="",
                cause=None, body=encode_event(told(f"{n}")),
            )
        )  # fmt: skip
    db = open_for_writing(tmp_path / "j.db")
    insert(db, entries[1:])
    db.close()
    seen: list[int] = []
    journal = Journal(tmp_path / "j.db", Clock(), "boot", lambda: "ntp", lambda e: seen.append(e.seq))
    recent = journal.open()
    journal.close()
    assert seen == list(range(1, 3001))
    assert [e.seq for e in recent] == list(range(2951, 3001))
    assert journal.head == entries[-1]


def test_two_files_put_aside_at_the_same_time_shown_are_both_kept(tmp_path: Path) -> None:
    names = []
    for text in ("one", "two"):
        (tmp_path / "j.db").write_text(text)
        names.append(rename_aside(tmp_path / "j.db", 5.0))
    assert [(tmp_path / name).read_text() for name in names] == ["one", "two"]


async def failing(journal: Journal) -> None:
    async with asyncio.timeout(10):
        while journal.failed is None:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("left", ["nothing", "an empty folder"])
async def test_a_disk_that_is_taken_out_has_failed_and_gets_all_rows_when_it_is_back(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    """What stays behind is the folder it was mounted at, on another disk: no second journal is begun there."""
    monkeypatch.setattr("appliance.journal.RETRY_DISK", 0.05)
    disk = tmp_path / "disk"
    disk.mkdir()
    journal = opened(disk / "j.db")
    assert await journal.append(told("before")).durable(5)
    disk.rename(tmp_path / "drawer")
    if left == "an empty folder":
        disk.mkdir()
    out = journal.append(told("while it is out"))
    await failing(journal)
    assert "taken out" in journal.failed
    assert not await out.durable(0.3)
    assert not list(disk.glob("*")), "rows on another disk are found by nobody"
    if left == "an empty folder":
        disk.rmdir()
    (tmp_path / "drawer").rename(disk)
    await written(journal)
    assert await out.durable(5)
    journal.close()
    entries = list(read_entries(disk / "j.db"))
    assert follow_chain(entries) is None
    assert [e.kind for e in entries][-4:] == [
        "system.stopped", "system.stopped", "system.disk_failed", "system.disk_restored",
    ]  # fmt: skip


async def test_another_file_in_the_journals_place_is_seen_at_the_next_row(
    tmp_path: Path, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is mounted over another one: the file that is written to is the one that lies there."""
    monkeypatch.setattr("appliance.journal.RETRY_DISK", 0.05)
    disk = tmp_path / "disk"
    disk.mkdir()
    journal = opened(disk / "j.db")
    assert await journal.append(told("before")).durable(5)
    shutil.copytree(disk, tmp_path / "copy")
    disk.rename(tmp_path / "drawer")
    (tmp_path / "copy").rename(disk)
    assert await journal.append(told("after")).durable(5)
    journal.close()
    assert follow_chain(read_entries(disk / "j.db")) is None
    assert b'{"reason":"after"}' in [e.body for e in read_entries(disk / "j.db")]


@pytest.fixture
def mounts(tmp_path: Path) -> Iterator[Any]:
    """Two disks in RAM, and a place where one of them is mounted; skipped where nobody may mount."""
    place, mounted = tmp_path / "state", list[Path]()

    def mount(*words: str, at: Path) -> None:
        at.mkdir(exist_ok=True)
        done = subprocess.run(["mount", *words, str(at)], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no mount here: {done.stderr.strip()}")
        mounted.append(at)

    def umount(at: Path) -> None:
        subprocess.run(["umount", "-l", str(at)], check=True)
        mounted.remove(at)

    for name in ("old", "new"):
        mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", at=tmp_path / name)
    yield lambda name: mount("--bind", str(tmp_path / name), at=place) if name else umount(place)
    for at in reversed(mounted.copy()):
        umount(at)


async def test_a_mounted_disk_that_is_taken_out_is_waited_for_and_a_new_one_gets_what_there_is(
    tmp_path: Path, opened: Any, mounts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.journal.RETRY_DISK", 0.05)
    mounts("old")
    path = tmp_path / "state" / "j.db"
    journal = opened(path)
    assert await journal.append(told("before")).durable(5)
    mounts("")
    out = journal.append(told("out"))
    await failing(journal)
    assert not await out.durable(0.2)
    assert not list(path.parent.iterdir()), "the place alone, on another disk"
    mounts("old")
    assert await out.durable(5)
    await written(journal)
    assert follow_chain(read_entries(path)) is None
    mounts("")
    out = journal.append(told("out again"))
    await failing(journal)
    mounts("new")  # as a technician does who replaces it
    assert await out.durable(5)
    await written(journal)
    assert next(e.body for e in read_entries(path)) == b'{"reason":"out again"}'
    assert "rows are missing" in str(follow_chain(read_entries(path)))
    journal.close()


def test_a_virtual_clock_stands_still_while_a_slow_disk_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(path: Path) -> sqlite3.Connection:
        threading.Event().wait(0.1)
        return open_for_writing(path)

    folder = tmp_path / "disk"
    folder.write_text("a file where the folder should be")
    events: list[tuple[str, float]] = []
    clock = VirtualClock()

    async def story() -> None:
        journal = Journal(folder / "j.db", clock, "boot", lambda: "ntp", lambda e: events.append((e.kind, e.mono)))
        clock.busy = lambda: journal.writing
        monkeypatch.setattr("appliance.journal.open_for_writing", slowly)
        journal.open()
        folder.unlink()
        for _ in range(600):  # a busy box: something is due ten times a second
            await asyncio.sleep(0.1)
        journal.close()

    clock.run(story())
    assert [kind for kind, _ in events] == ["system.disk_failed", "system.disk_restored"]
    assert [at for _, at in events] == pytest.approx([0.0, RETRY_DISK])

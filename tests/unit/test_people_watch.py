"""Who may log in is journaled at each change, with core running or not, and whoever changed is logged out."""

from pathlib import Path

import pytest

from appliance import events as ev
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.fold import apply
from appliance.logins import Logins
from appliance.people import People, set_password
from appliance.people_watch import PeopleWatch
from appliance.state import State


class Watched:
    """A watch whose events are folded into the state that it reads."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "people.json"
        self.logins, self.state, self.told = Logins(None), State(), list[tuple[Event, str]]()
        self._head = Entry.before_first()
        self.watch = PeopleWatch(People(self.file, self.logins), self.state.people, self._append)

    def _append(self, event: Event, *, actor: str = "") -> None:
        self.told.append((event, actor))
        self._head = Entry.after(
            self._head, wall=1.0, mono=1.0, boot="b", quality="ntp", kind=event.kind, subject="", actor=actor,
            cause=None, body=encode_event(event),
        )  # fmt: skip
        apply(self.state, self._head)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_password_set_while_core_was_down_is_told_once_at_its_start(watched: Watched) -> None:
    set_password(watched.file, "budi", "operator", "long enough")
    assert watched.watch.look() == ["budi"]
    (event, actor), *more = watched.told
    assert isinstance(event, ev.PasswordSet)
    assert (event.name, event.role, actor, more) == ("budi", "operator", "", [])
    assert "long enough" not in str(event)
    assert watched.watch.look() == []


def test_a_new_password_or_role_ends_the_logins_of_that_person_alone(watched: Watched) -> None:
    for name in ("budi", "rina"):
        set_password(watched.file, name, "operator", "long enough")
    watched.watch.look()
    tokens = {name: watched.logins.give(name, "operator", 0.0)[0] for name in ("budi", "rina")}
    set_password(watched.file, "budi", "supervisor", "long enough")
    assert watched.watch.look("console:root") == ["budi"]
    assert watched.told[-1][1] == "console:root"
    assert watched.logins.holder(tokens["budi"], 1.0) is None
    assert watched.logins.holder(tokens["rina"], 1.0)


def test_who_is_gone_is_told_and_a_damaged_file_changes_nobody(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    set_password(watched.file, "budi", "operator", "long enough")
    watched.watch.look()
    watched.file.write_text("[{")
    assert watched.watch.look() == []
    assert "cannot be read" in caplog.text
    watched.file.write_text("[]")
    assert watched.watch.look() == ["budi"]
    assert watched.told[-1][0] == ev.PersonGone(name="budi")
    assert watched.state.people == {}

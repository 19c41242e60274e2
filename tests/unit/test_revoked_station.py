"""A station whose keys were revoked: the state says so, with a name and a time, until it has a key again."""

from appliance import key_events as ke
from appliance.entry import Entry
from appliance.event import Event
from appliance.events import encode_event
from appliance.fold import apply
from appliance.key_book import Book, Key, enrol, revoke
from appliance.key_news import told
from appliance.state import State


def fold(*events: Event) -> State:
    state, head = State(), Entry.before_first()
    for n, event in enumerate(events):
        head = Entry.after(
            head, wall=1000.0 + n, mono=float(n), boot="b1", quality="ntp", kind=event.kind, subject=event.subject,
            actor="", cause=None, body=encode_event(event),
        )  # fmt: skip
        apply(state, head)
    return state


ENROLLED = ke.KeyEnrolled(holder="damkar", key="aaaaaaaa", role="station")


def test_who_revoked_a_stations_key_and_why_goes_from_the_book_into_the_state() -> None:
    before = enrol(Book(own="pusat"), "damkar", "station", 2, Key(public=f"{7:064x}"))
    events = told(before, revoke(before, "damkar", "kotak dicuri", who="sari"))
    revoked = fold(*events).revoked["damkar"]
    assert (revoked.who, revoked.why, revoked.at.wall) == ("sari", "kotak dicuri", 1000.0)


def test_a_key_that_was_rotated_out_revokes_nobody_and_a_new_key_ends_it() -> None:
    rotated = ke.KeyRotated(holder="damkar", key="bbbbbbbb", before="aaaaaaaa")
    out = ke.KeyRevoked(holder="damkar", key="aaaaaaaa", why="rotated")
    assert fold(ENROLLED, rotated, out).revoked == {}
    gone = ke.KeyRevoked(holder="damkar", key="bbbbbbbb", why="stolen", who="sari")
    assert set(fold(ENROLLED, rotated, out, gone).revoked) == {"damkar"}
    again = ke.KeyEnrolled(holder="damkar", key="cccccccc", role="station")
    assert fold(ENROLLED, rotated, out, gone, again).revoked == {}


def test_one_of_two_keys_that_is_revoked_leaves_the_station_known() -> None:
    rotated = ke.KeyRotated(holder="damkar", key="bbbbbbbb", before="aaaaaaaa")
    lost = ke.KeyRevoked(holder="damkar", key="aaaaaaaa", why="lost", who="sari")
    assert fold(ENROLLED, rotated, lost).revoked == {}

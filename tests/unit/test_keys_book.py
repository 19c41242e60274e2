"""The book of keys, statements about keys, and the rings that follow from them."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from appliance.alerting import wire
from appliance.alerting.freshness import Accept, Freshness, Learned, Refuse
from appliance.alerting.wire import Action, Answer, Flaw, Kind, Order, Pattern, What, WireError
from appliance.annunciator_config import AnnunciatorConfig
from appliance.cli_keys import when
from appliance.config import Site
from appliance.entry import Entry
from appliance.events import encode_event
from appliance.fold import apply
from appliance.key_book import OVERLAP, Book, BookError, Key, KeyState, enrol, retire, revoke, rotate
from appliance.key_changes import NotBelieved, enrolled, grant_for, id_of, rotated, taken
from appliance.key_news import missed
from appliance.key_statement import Report, Request, StatementError, code_of, open_sealed, same_code, seal
from appliance.keyring import Hands, IssuerRing, StationRing
from appliance.keys import key_id, public_hex
from appliance.model import Role
from appliance.state import State
from tests.key_boxes import WALL, centre_site, station_site

OLD, NEW, CENTRE, CENTRE_NEW = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(1, 5))
SESSION = bytes(range(8))


def request(key: Ed25519PrivateKey, replaces: Ed25519PrivateKey | None = None, *signed: Ed25519PrivateKey) -> str:
    asked = Request(
        site="kota", station="damkar", number=7, key=public_hex(key), replaces=public_hex(replaces) if replaces else ""
    )
    return seal(asked, *(signed or (key, *([replaces] if replaces else []))))


def a_book() -> Book:
    book = enrol(Book(), "pusat", "issuer", 0, Key(public=public_hex(CENTRE), made=WALL))
    return replace(enrolled(book, open_sealed(request(OLD), {}), wall=WALL), own="pusat")


def answer(key: Ed25519PrivateKey) -> bytes:
    said = Answer(
        what=What.ALIVE, station=7, key=key_id(key.public_key()), session=SESSION, counter=1, uptime_s=1, issuer=1
    )
    return wire.encode_answer(said, key)


def order(key: Ed25519PrivateKey, **fields: object) -> Order:
    made = Order(
        action=Action.START, kind=Kind.ACTUAL, pattern=Pattern.WAIL, seconds=10, alert=b"12345678",
        issuer=key_id(key.public_key()), station=7, session=SESSION, sequence=2, issued_at=1000, lifetime_s=60,
    )  # fmt: skip
    return replace(made, **fields)


def asked_by(book: Book, line: str) -> Book:
    keys = StationRing(centre_site(), book)[7]
    return rotated(book, open_sealed(line, keys), wall=WALL, until=WALL + OVERLAP)


def test_a_rotation_leaves_no_moment_without_a_key_that_counts() -> None:
    ring, book = StationRing(centre_site()), a_book()
    ring.update(book)
    assert wire.decode_answer(answer(OLD), ring).key == key_id(OLD.public_key())
    book = asked_by(book, request(NEW, OLD))
    ring.update(book)
    assert {wire.decode_answer(answer(k), ring).key for k in (OLD, NEW)} == {key_id(k.public_key()) for k in (OLD, NEW)}
    assert retire(book, WALL + OVERLAP - 1) == book
    ring.update(retire(book, WALL + OVERLAP))
    assert wire.decode_answer(answer(NEW), ring)
    with pytest.raises(WireError) as refused:
        wire.decode_answer(answer(OLD), ring)
    assert refused.value.flaw is Flaw.UNKNOWN_KEY


def test_a_revoked_key_counts_no_more_even_if_the_site_file_names_it() -> None:
    site = centre_site()
    site = replace(site, station=(replace(site.station[0], key=public_hex(OLD)),))
    ring = StationRing(site, revoke(a_book(), "damkar", "stolen"))
    with pytest.raises(WireError):
        wire.decode_answer(answer(OLD), ring)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (request(NEW, OLD, NEW), "unsigned"),  # who holds no old key
        (request(NEW, OLD, OLD), "unsigned"),  # who does not hold the new one
        (request(NEW), "unsigned"),  # a first enrolment is a person's matter
        (request(NEW, CENTRE), "unsigned"),
    ],
)
def test_a_new_key_needs_the_old_ones_word_and_its_own(line: str, code: str) -> None:
    with pytest.raises(NotBelieved) as refused:
        asked_by(a_book(), line)
    assert refused.value.code == code


def test_a_revoked_key_neither_rotates_nor_comes_back() -> None:
    book = revoke(a_book(), "damkar", "stolen")
    with pytest.raises(NotBelieved):
        asked_by(book, request(NEW, OLD))
    with pytest.raises(BookError, match="used once"):
        enrolled(book, open_sealed(request(OLD), {}), wall=WALL)
    again = enrolled(book, open_sealed(request(NEW), {}), wall=WALL)
    assert [k.state for k in again.holders["damkar"].keys] == [KeyState.CURRENT, KeyState.REVOKED]


def test_a_request_that_comes_twice_changes_nothing() -> None:
    book = asked_by(a_book(), request(NEW, OLD))
    assert asked_by(book, request(NEW, OLD)) == book
    assert enrolled(a_book(), open_sealed(request(OLD), {}), wall=WALL) == a_book()


def test_a_previous_key_is_retired_only_by_a_clock_that_is_known() -> None:
    book = rotate(a_book(), "damkar", Key(public=public_hex(NEW)), until=0.0)
    waiting = retire(book, WALL)
    assert [k.until for k in waiting.holders["damkar"].keys] == [0.0, WALL + OVERLAP]
    assert len(retire(waiting, WALL + OVERLAP).holders["damkar"].believed) == 1


def test_a_changed_line_is_refused_wherever_it_was_changed() -> None:
    line = request(OLD)
    for at in range(len(line)):
        other = line[:at] + ("A" if line[at] != "A" else "B") + line[at + 1 :]
        try:
            sealed = open_sealed(other, {})
        except StatementError:
            continue
        assert id_of(sealed.statement.key) not in sealed.signers


def test_both_screens_show_the_same_words_and_another_key_has_others() -> None:
    sealed = open_sealed(request(OLD), {})
    assert len(sealed.code.split()) == 4
    assert same_code(sealed.code.upper().replace(" ", "-"), open_sealed(f" {request(OLD)}\r\n", {}).code)
    assert not same_code(sealed.code, open_sealed(request(NEW), {}).code)
    assert code_of(sealed.statement) == sealed.code


def granted(book: Book) -> Book:
    """What a station's book is after the centre's grant."""
    holder = book.holders["damkar"]
    assert holder.current
    grant = grant_for(book, "kota", holder, holder.current, "AUTHORITY", "name")
    return taken(Book(), grant, [public_hex(OLD)], wall=WALL)


def test_a_station_believes_the_new_issuer_before_the_old_one_ends() -> None:
    ring = IssuerRing(station_site("damkar"), granted(a_book()))
    old, new = key_id(CENTRE.public_key()), key_id(CENTRE_NEW.public_key())
    assert list(ring) == [old]
    book = rotate(a_book(), "pusat", Key(public=public_hex(CENTRE_NEW)), until=WALL)
    ring.update(granted(book))
    assert list(ring) == [new, old]
    assert ring.kin(new) == (old,)
    ring.update(granted(revoke(book, "pusat", "stolen", previous=True)))
    assert list(ring) == [new]


def test_an_old_grant_brings_no_revoked_issuer_back() -> None:
    book = rotate(a_book(), "pusat", Key(public=public_hex(CENTRE_NEW)), until=WALL)
    holder = book.holders["damkar"]
    assert holder.current
    early = grant_for(book, "kota", holder, holder.current, "A", "n")
    station = granted(revoke(book, "pusat", "stolen", previous=True))
    with pytest.raises(NotBelieved, match="old"):
        taken(station, early, [public_hex(OLD)], wall=WALL)
    forged = replace(early, count=early.count + 10)
    ring = IssuerRing(station_site("damkar"), taken(station, forged, [public_hex(OLD)], wall=WALL))
    assert key_id(CENTRE.public_key()) not in ring


def test_a_revoked_issuers_order_is_refused_in_the_same_session() -> None:
    book = granted(a_book())
    ring = IssuerRing(station_site("damkar"), book)
    signed = wire.encode_order(order(CENTRE), CENTRE)
    assert wire.decode_order(signed, ring)
    ring.update(revoke(book, "pusat", "stolen"))
    with pytest.raises(WireError) as refused:
        wire.decode_order(signed, ring)
    assert refused.value.flaw is Flaw.UNKNOWN_KEY


def test_the_new_key_of_an_issuer_speaks_of_the_clock_that_is_known() -> None:
    book = rotate(a_book(), "pusat", Key(public=public_hex(CENTRE_NEW)), until=WALL)
    ring = IssuerRing(station_site("damkar"), granted(book))
    fresh = Freshness(SESSION, 7, ring, 600, ring.kin)
    fresh.announced(1, 0.0)
    hello = order(
        CENTRE, action=Action.HELLO, kind=Kind.NONE, pattern=Pattern.NONE, seconds=0, lifetime_s=0, sequence=1,
        alert=wire.hello_id(1, b"nonc"),
    )  # fmt: skip
    assert isinstance(fresh.judge(hello, 0.1), Learned)
    assert isinstance(fresh.judge(order(CENTRE_NEW), 0.2), Accept)
    late = fresh.judge(order(CENTRE_NEW, sequence=3, alert=b"87654321"), 100.0)
    assert isinstance(late, Refuse)


def test_each_station_is_signed_to_by_a_key_that_it_knows() -> None:
    hands = Hands(CENTRE)
    hands.take((CENTRE, CENTRE_NEW))
    old, new = key_id(CENTRE.public_key()), key_id(CENTRE_NEW.public_key())
    hands.reported(7, frozenset({old, new}))
    hands.reported(8, frozenset({old}))
    assert [hands.id_for(n) for n in (7, 8, 9)] == [new, old, old]
    hands.take((CENTRE, CENTRE_NEW), revoked=frozenset({old}))
    assert [hands.id_for(n) for n in (7, 8, 9)] == [new, new, new]


def test_a_report_is_no_grant_and_a_request_no_report() -> None:
    report = Report(site="kota", station="damkar", number=7, key=public_hex(OLD), connected="", issuers=("00000001",))
    sealed = open_sealed(seal(report, OLD), {key_id(OLD.public_key()): OLD.public_key()})
    assert isinstance(sealed.statement, Report)
    assert sealed.signers == (key_id(OLD.public_key()),)
    assert open_sealed(seal(report, NEW), {key_id(OLD.public_key()): OLD.public_key()}).signers == ()


def test_a_keys_age_is_listed_in_the_sites_own_time_whatever_the_box_shows() -> None:
    annunciator = AnnunciatorConfig(socket="a", factory="mock")
    site = Site(role=Role.CENTRE, site="s", id="c", name="C", zone="WIT", annunciator=annunciator)
    assert when(1_795_342_380.0, site) == "2026-11-22 19:13"
    assert when(0.0, site) == "unknown"


def test_what_was_done_to_the_book_while_core_was_down_is_told_once() -> None:
    book, state = a_book(), State()

    def journal() -> list[str]:
        events = missed(state.keys, book)
        for event in events:
            entry = Entry.after(
                Entry.before_first(), wall=WALL, mono=0.0, boot="b", quality="ntp", kind=event.kind,
                subject=event.subject, actor="", cause=None, body=encode_event(event),
            )  # fmt: skip
            apply(state, entry)
        return [f"{event.kind} {event.subject}" for event in events]

    assert journal() == ["key.enrolled pusat", "key.enrolled damkar"]
    assert journal() == []
    book = rotate(book, "damkar", Key(public=public_hex(NEW)), until=WALL)
    assert journal() == ["key.rotated damkar"]
    book = revoke(book, "damkar", "stolen")
    assert journal() == ["key.revoked damkar", "key.revoked damkar"]
    assert journal() == []

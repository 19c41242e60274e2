"""What becomes of the book of keys when a statement comes. Pure."""

from collections.abc import Iterable

from msgspec.structs import replace

from appliance.key_book import Book, BookError, Holder, Key, KeyState, Trust, enrol, put, rotate
from appliance.key_statement import Grant, IssuerKey, Request, Sealed
from appliance.keys import key_id, public_key


class NotBelieved(Exception):
    """`code` is why a statement changes nothing."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def id_of(public: str) -> int:
    """The key's number on the wire."""
    return key_id(public_key(public, "a key"))


def id_text(public: str) -> str:
    return f"{id_of(public):08x}"


def rotated(book: Book, sealed: Sealed, *, wall: float, until: float) -> Book:
    """At a centre: a station's signed wish for a new key. Granted already: the same book. Raises NotBelieved."""
    request = sealed.statement
    assert isinstance(request, Request)
    held = book.holders.get(request.station)
    if held is None or held.role != "station" or held.number != request.number:
        raise NotBelieved("not_enrolled")
    if id_of(request.key) not in sealed.signers:
        raise NotBelieved("unsigned")
    if request.key in {k.public for k in held.believed}:
        return book  # asked again: the grant was lost
    if request.replaces not in {k.public for k in held.believed} or id_of(request.replaces) not in sealed.signers:
        raise NotBelieved("unsigned")
    try:
        return rotate(book, held.id, Key(public=request.key, made=wall), until=until)
    except BookError as e:
        raise NotBelieved("used_key") from e


def enrolled(book: Book, sealed: Sealed, *, wall: float) -> Book:
    """At a centre: a station that a person knows by its words. Raises BookError."""
    request = sealed.statement
    assert isinstance(request, Request)
    if id_of(request.key) not in sealed.signers:
        raise BookError("The request is not signed by the key it names: make it again at the station.")
    held = book.holders.get(request.station)
    if held is not None and request.key in {k.public for k in held.believed}:
        return book
    return enrol(book, request.station, "station", request.number, Key(public=request.key, made=wall))


def grant_for(book: Book, site: str, holder: Holder, key: Key, authority: str, broker: str) -> Grant:
    """What this centre tells a station: under which key it is believed, and whom it is to believe."""
    issuers = list(book.of("issuer"))
    gone = [k.public for h in issuers for k in h.keys if k.state is KeyState.REVOKED]
    return Grant(
        site=site, station=holder.id, number=holder.number, key=key.public, by=book.own, count=book.count,
        issuers=tuple(IssuerKey(name=h.id, key=k.public) for h in issuers for k in h.believed),
        revoked=tuple(gone), authority=authority, broker=broker, certificate=key.certificate,
    )  # fmt: skip


def taken(book: Book, grant: Grant, own: Iterable[str], *, wall: float) -> Book:
    """At a station: a grant that is believed. `own` are this box's public keys. Raises NotBelieved."""
    if grant.key not in own:
        raise NotBelieved("other_key")
    if grant.count < book.taken.get(grant.by, 0):
        raise NotBelieved("old")
    if not grant.issuers:
        raise NotBelieved("no_issuer")
    book = replace(book, own=grant.station, taken={**book.taken, grant.by: grant.count})
    if grant.authority and grant.broker:
        book = replace(book, trust=Trust(authority=grant.authority, name=grant.broker))
    for name in dict.fromkeys(i.name for i in grant.issuers):
        book = put(book, _issuer(book, name, grant, wall))
    return put(book, _self(book, grant, wall))


def _issuer(book: Book, name: str, grant: Grant, wall: float) -> Holder:
    """The grant's keys first; others of that name stay as they are unless it revokes them."""
    held = book.holders.get(name)
    before = {k.public: k for k in held.keys} if held else {}
    listed = [i.key for i in grant.issuers if i.name == name]
    keys = [
        replace(before.get(p, Key(public=p, made=wall)), state=KeyState.PREVIOUS if at else KeyState.CURRENT)
        for at, p in enumerate(listed)
        if p not in before or before[p].state is not KeyState.REVOKED  # nothing brings a revoked one back
    ]
    keys += [k for p, k in before.items() if p not in listed]
    # A key of the site file, too: revoked, it is remembered under the first name.
    first = name == grant.issuers[0].name
    known = {k.public for k in keys}
    keys += [Key(public=p) for p in grant.revoked if first and p not in known]
    keys = [replace(k, state=KeyState.REVOKED, why="centre") if k.public in grant.revoked else k for k in keys]
    return Holder(id=name, role="issuer", keys=tuple(keys))


def _self(book: Book, grant: Grant, wall: float) -> Holder:
    held = book.holders.get(grant.station)
    before = {k.public: k for k in held.keys} if held else {}
    now = before.get(grant.key, Key(public=grant.key, made=wall))
    new = replace(now, state=KeyState.CURRENT, certificate=grant.certificate)
    others = (replace(k, state=KeyState.PREVIOUS) for p, k in before.items() if p != grant.key)
    return Holder(id=grant.station, role="station", number=grant.number, keys=(new, *others))

"""What a person does with keys at a box: make them, enrol a station, rotate, revoke. Each is durable on return.

It works with core running or not; `siaga keys` tells core afterwards.
"""

import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.config import Own, Places, Site, Station
from appliance.key_authority import BROKER, client_certificate, digest, key_pem, make_key
from appliance.key_book import OVERLAP, Book, BookError, Key, certified, enrol, revoke, rotate
from appliance.key_broker import AUTHORITY
from appliance.key_changes import NotBelieved, enrolled, grant_for, rotated, taken
from appliance.key_file import replace_file
from appliance.key_statement import Grant, Request, Sealed, StatementError, open_sealed, seal
from appliance.key_store import KeyStore, believed_key, user, with_own, with_site_keys
from appliance.keyring import IssuerRing, StationRing
from appliance.keys import public_hex
from appliance.model import Role

RELEASED = 1_793_491_200.0  # 2026-11-01: a clock that says less is wrong


class Office:
    """`wall` is 0 where no clock can be trusted. Each raises BookError, StatementError, KeyFileError, OSError..."""

    def __init__(self, site: Site, where: Places, wall: float) -> None:
        self.site, self.store, self._wall = site, KeyStore(site, where), wall

    @property
    def centre(self) -> bool:
        return self.site.role is Role.CENTRE

    def own(self) -> Ed25519PrivateKey:
        """The key this box signs with now."""
        return believed_key(self.store.read().self_, self.store.private_keys())

    def init(self, names: Iterable[str] = ()) -> Book:
        """Keys of this box; at a centre the broker's authority and everything that mosquitto reads. Twice is once."""
        key = self.store.own_key()
        if not self.centre:
            return self.store.read()
        host = socket.gethostname().lower()
        given = self.site.web.names
        self.store.broker.make({"localhost", "127.0.0.1", host, f"{host}.local", *given, *names})
        _, book = self.store.change(
            lambda book: with_site_keys(with_own(book, self.site.id, key, self._wall), self.site, self._wall)
        )
        return book

    # At a station

    def request(self) -> str:
        """The line that a centre is to have: with this box's key, or with the next one in a rotation."""
        own = self._station()
        signing = self.own()
        newest = self.store.private_keys()[-1]
        changes = newest is not signing and public_hex(newest) != public_hex(signing)
        request = Request(
            site=self.site.site, station=own.id, number=own.number, key=public_hex(newest),
            replaces=public_hex(signing) if changes else "",
        )  # fmt: skip
        return seal(request, newest, signing) if changes else seal(request, newest)

    def opened_grant(self, line: str) -> Sealed:
        """A centre's line. It is signed by an issuer that is believed if it has signers; else a person compares."""
        sealed = open_sealed(line, IssuerRing(self.site, self.store.read()))
        if not isinstance(sealed.statement, Grant):
            raise StatementError("This is no centre's grant: give the line that `siaga keys enrol` wrote there.")
        self._here(sealed)
        return sealed

    def take(self, sealed: Sealed) -> Book:
        """A grant that is believed, by its signature or by a person."""
        grant = sealed.statement
        assert isinstance(grant, Grant)
        own = [public_hex(k) for k in self.store.private_keys()]
        try:
            _, book = self.store.change(lambda book: taken(book, grant, own, wall=self._wall))
        except NotBelieved as e:
            raise BookError(NOT_TAKEN[e.code]) from e
        if self.store.next.exists() and grant.key == own[-1]:
            self.store.promote()
        return book

    # At a centre

    def station(self, id: str) -> Station:
        """Of the site file, not this box itself. Raises BookError."""
        known = next((s for s in self.site.station if s.id == id), None)
        if known is None or known.local:
            raise BookError(f"The site file has no [[station]] {id!r} elsewhere: add it with its number first.")
        return known

    def opened_request(self, line: str, station: str) -> Sealed:
        """A station's line. Signed by a key of its that is believed already, it is a rotation."""
        known = self.station(station)
        sealed = open_sealed(line, StationRing(self.site, self.store.read()).get(known.number, {}))
        request = sealed.statement
        if not isinstance(request, Request):
            raise StatementError("This is no station's request: give the line that `siaga keys enrol` wrote there.")
        if (request.site, request.station, request.number) != (self.site.site, known.id, known.number):
            raise StatementError(
                f"The request is of {request.station} number {request.number} in {request.site}, and the site file "
                f"has {known.id} number {known.number} in {self.site.site}."
            )
        return sealed

    def is_rotation(self, sealed: Sealed) -> bool:
        request = sealed.statement
        return isinstance(request, Request) and bool(request.replaces) and len(sealed.signers) > 1

    def offer(self, sealed: Sealed) -> tuple[str, Callable[[], Book]]:
        """The line for a station, and what believes the station from then on: nothing is kept before it is called."""
        request = sealed.statement
        assert isinstance(request, Request)
        book = self.store.certify(
            enrolled(with_site_keys(self.store.read(), self.site, self._wall), sealed, wall=self._wall)
        )
        holder = book.holders[request.station]

        def keep() -> Book:
            def change(now: Book) -> Book:
                known = with_site_keys(now, self.site, self._wall)
                return certified(enrolled(known, sealed, wall=self._wall), request.key, holder.keys[0].certificate)

            return self.store.change(change)[1]

        return self.grant_line(book, request.station), keep

    def grant(self, sealed: Sealed) -> str:
        """Believe a station from now on; returns the line that it is to have."""
        request = sealed.statement
        assert isinstance(request, Request)
        if not self.store.broker.there:
            raise BookError("This centre has no keys yet: siaga keys init")

        def change(book: Book) -> Book:
            book = with_site_keys(book, self.site, self._wall)
            if not self.is_rotation(sealed):
                return enrolled(book, sealed, wall=self._wall)
            return rotated(book, sealed, wall=self._wall, until=self._until())

        try:
            _, book = self.store.change(change)
        except NotBelieved as e:
            raise BookError(NOT_TAKEN[e.code]) from e
        return self.grant_line(book, request.station)

    def grant_line(self, book: Book, station: str) -> str:
        """What a station that is enrolled is to know now."""
        holder = book.holders.get(station)
        if holder is None or holder.current is None:
            raise BookError(f"{station} is not enrolled: siaga keys enrol {station}")
        authority = self.store.broker.authority()
        grant = grant_for(book, self.site.site, holder, holder.current, authority, BROKER)
        return seal(grant, *self.store.private_keys())

    def dashboard(self, name: str, folder: Path) -> list[Path]:
        """Key and certificate for a program that only reads, and the broker's authority, as three files in `folder`."""
        if not self.store.broker.there:
            raise BookError("This centre has no keys yet: siaga keys init")
        if name in {s.id for s in self.site.station} | {self.site.id}:
            raise BookError(f"{name} is the name of a station or of this box; a dashboard needs one of its own.")
        key = make_key()
        public = digest(key.public_key())
        pem = client_certificate(self.store.broker.signer(), user(name, public), key.public_key())
        new = Key(public=public, made=self._wall, certificate=pem.decode())
        self.store.change(lambda book: enrol(book, name, "dashboard", 0, new))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files = [folder / f"{name}.key", folder / f"{name}.crt", folder / AUTHORITY]
        for file, octets in zip(files, (key_pem(key), pem, self.store.broker.authority().encode()), strict=True):
            replace_file(file, octets)
        return files

    # At both

    def rotate(self) -> Book:
        """A new key beside the old one. A centre's is used for each station that has heard of it; a station asks."""
        key = self.store.next_key()
        if not self.centre:
            return self.store.read()
        new = Key(public=public_hex(key), made=self._wall)

        def change(book: Book) -> Book:
            known = book.self_ is not None and any(k.public == new.public for k in book.self_.keys)
            return book if known else rotate(book, self.site.id, new, until=self._until())

        return self.store.change(change)[1]

    def revoke(self, id: str, why: str, *, previous: bool = False, who: str = "") -> Book:
        """Its keys, or its previous one, count no more: for core at once, for the broker when it has read its files."""

        def change(book: Book) -> Book:
            for issuer in self.site.issuer:  # a key that only the site file names is revoked by the book too
                if issuer.key and issuer.name == id and id not in book.holders:
                    book = enrol(book, id, "issuer", 0, Key(public=issuer.key, made=self._wall))
            return revoke(with_site_keys(book, self.site, self._wall), id, why, previous=previous, who=who)

        if id == self.site.id and not previous:
            raise BookError("A box does not revoke itself: siaga keys rotate, then siaga keys revoke --previous.")
        return self.store.change(change)[1]

    def _until(self) -> float:
        return self._wall + OVERLAP if self._wall else 0.0

    def _station(self) -> Own:
        assert self.site.own is not None
        return self.site.own

    def _here(self, sealed: Sealed) -> None:
        own, grant = self._station(), sealed.statement
        if (grant.site, grant.station, grant.number) != (self.site.site, own.id, own.number):
            raise StatementError(
                f"This grant is for {grant.station} number {grant.number} in {grant.site}; this box is {own.id} "
                f"number {own.number} in {self.site.site}."
            )


NOT_TAKEN = {
    "not_enrolled": "No such station is enrolled: siaga keys enrol",
    "unsigned": "The request is not signed by a key that is believed: enrol the station again, comparing the words.",
    "used_key": "This key was used before: make a new one at the station.",
    "other_key": "The grant is for another key than this box has: make a new request here.",
    "old": "The grant is older than the one taken last: have the centre write a new one.",
    "no_issuer": "The grant names nobody who may order: run siaga keys init at the centre first.",
}

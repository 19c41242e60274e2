"""The book, the broker's folder and this box's own key files as one: what core and `siaga keys` change, each whole.

Everything here blocks on the disk: core calls it in a thread.
"""

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from appliance.config import Places, Site
from appliance.key_authority import client_certificate
from appliance.key_book import Book, Holder, Key, KeyState, certified, enrol
from appliance.key_broker import BrokerFolder
from appliance.key_changes import id_text
from appliance.key_file import BookUnreadable, locked, read_book, write_book
from appliance.keys import create_key, load_key, public_hex, public_key, sync_directory

NEXT = ".next"  # behind the name of the key file: the key that is to take its place

Change = Callable[[Book], Book]


class KeyStore:
    """Of one node."""

    def __init__(self, site: Site, where: Places) -> None:
        self._site, self.file, self.key = site, where.keys, where.key
        self.broker = BrokerFolder(where.broker, site.site)
        self._book: Book | None = None  # as the disk had it last, and so the key
        self._key: Ed25519PrivateKey | None = None

    @property
    def next(self) -> Path:
        return self.key.with_name(self.key.name + NEXT)

    def read(self) -> Book:
        """What it said last holds while its disk is out: that revokes nobody. Raises BookUnreadable."""
        if self._book is not None and not self.file.exists():
            return self._book
        book = read_book(self.file)
        self._book = book if self.file.exists() else None
        return book

    def change(self, change: Change) -> tuple[Book, Book]:
        """The book before and after; the broker is told. Raises what `change` raises, BookUnreadable, OSError."""
        if self._book is not None and not self.file.exists():
            raise BookUnreadable(f"{self.file} is gone, and keys change on no other disk; was it taken out?")
        with locked(self.file):
            before = self.read()
            after = self.certify(change(before))
            if after != before:
                write_book(self.file, after)
            if self.broker.there:
                self.broker.write(after)
        return before, after

    def certify(self, book: Book) -> Book:
        """Each believed key of a centre's book gets its certificate; dashboards' were made with their keys."""
        if not self.broker.there:
            return book
        signer = self.broker.signer()
        for holder in book.holders.values():
            for key in holder.believed:
                if not key.certificate and holder.role != "dashboard":
                    public = public_key(key.public, holder.id)
                    pem = client_certificate(signer, user(holder.id, key.public), public)
                    book = certified(book, key.public, pem.decode())
        return book

    def own_key(self) -> Ed25519PrivateKey:
        """The key of this box, made when there is none; one that was there stays the same while its disk is out.

        Raises KeyFileError.
        """
        if self.key.exists():
            self._key = load_key(self.key)
        elif self._key is None:
            self._key = create_key(self.key)
        return self._key

    def private_keys(self) -> tuple[Ed25519PrivateKey, ...]:
        """What lies on the disk: the key in use and, in a rotation, the next one. Raises KeyFileError."""
        keys = [self.own_key()]
        if self.next.exists():
            keys.append(load_key(self.next))
        return tuple(keys)

    def next_key(self) -> Ed25519PrivateKey:
        """The key of a rotation that is under way or begins now. Raises KeyFileError."""
        return load_key(self.next) if self.next.exists() else create_key(self.next)

    def promote(self) -> None:
        """The next key takes its place; the secret half of the one before is gone. Raises OSError."""
        self.next.replace(self.key)
        sync_directory(self.key.parent)


def user(id: str, public: str) -> str:
    """The broker's name for a holder's key: another key is another user, and the old one can be refused alone."""
    return f"{id}.{id_text(public)}"


def with_site_keys(book: Book, site: Site, wall: float) -> Book:
    """With the stations that only the site file names: they are enrolled as they stand there."""
    for station in site.station:
        known = book.holders.get(station.id)
        if station.key and not station.local and known is None and station.key not in book.revoked():
            book = enrol(book, station.id, "station", station.number, Key(public=station.key, made=wall))
    return book


def with_own(book: Book, id: str, key: Ed25519PrivateKey, wall: float) -> Book:
    """With this centre itself as an issuer."""
    if id in book.holders:
        return book
    return replace(enrol(book, id, "issuer", 0, Key(public=public_hex(key), made=wall)), own=id)


def believed_key(holder: Holder | None, keys: tuple[Ed25519PrivateKey, ...]) -> Ed25519PrivateKey:
    """Which of the keys on the disk this box signs with: the one that its book calls current, else the first."""
    for state in (KeyState.CURRENT, KeyState.PREVIOUS):
        for key in keys:
            publics = {k.public for k in holder.keys if k.state is state} if holder else set()
            if public_hex(key) in publics:
                return key
    return keys[0]

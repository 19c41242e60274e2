"""What this box believes now: the book as it lies on the disk, and the rings and keys that follow from it.

A book that is damaged changes nothing, and is told once.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import key_events as ke
from appliance.config import Places, Site
from appliance.event import Event
from appliance.key_book import Book, BookError, KeyState
from appliance.key_changes import id_of
from appliance.key_file import BookUnreadable
from appliance.key_news import missed, oldest_first, public_of, told
from appliance.key_store import Change, KeyStore, believed_key
from appliance.keyring import Hands, IssuerRing, OwnKey, StationRing
from appliance.keys import KeyFileError, public_hex

FAULTS = (OSError, BookUnreadable, BookError, KeyFileError, ValueError)  # that a change of the book may end with

log = logging.getLogger("siaga.keys")


class Believed:
    """`on_taken` hears of each book that takes another's place: the one before, and whether our own key is another."""

    def __init__(
        self, site: Site, places: Places, append: Callable[[Event], Any], known: Mapping[str, Mapping[str, str]] | None,
        on_taken: Callable[[Book, bool], None],
    ) -> None:  # fmt: skip
        """`known`: what the journal was told of keys; None: all. Raises KeyFileError for a file that cannot be used."""
        self._append, self._known, self._on_taken = append, known, on_taken
        self._early: list[Event] | None = []  # until `begin`: alarms hear nothing before
        self._changing = asyncio.Lock()
        self.store = KeyStore(site, places)
        self._stamp: tuple[int, ...] = ()
        self._readable = True
        self.book = self._read() or Book()
        self.hands = Hands()
        self.stations, self.issuers = StationRing(site), IssuerRing(site)
        self.own = OwnKey(self._judge_by(self.book))

    def say(self, event: Event) -> None:
        if self._early is None:
            self._append(event)
        else:
            self._early.append(event)

    def begin(self) -> None:
        """What was found at the start, and what was done to the book while nobody looked; once is enough."""
        if self._early is None:
            return
        early, self._early = self._early, None
        for event in (*early, *(missed(self._known, self.book) if self._known is not None else ())):
            self._append(event)

    async def look(self) -> dict[str, int]:
        """Take the book as it lies on the disk now; says how many keys count and how many are revoked."""
        book = await asyncio.to_thread(self._read)
        if book is not None:
            self._take(book)
        keys = [k for h in self.book.holders.values() for k in h.keys]
        revoked = sum(k.state is KeyState.REVOKED for k in keys)
        return {"count": self.book.count, "believed": len(keys) - revoked, "revoked": revoked}

    async def change(self, change: Change) -> None:
        """Change the book on the disk and take it. Raises FAULTS."""
        async with self._changing:
            await asyncio.to_thread(self.store.change, change)
            await self.look()

    async def promote(self) -> None:
        """The next key takes the place of this box's own. Raises FAULTS."""
        await asyncio.to_thread(self.store.promote)
        self._take(self.book)

    def _read(self) -> Book | None:
        """The book when it is another than before."""
        try:
            found = self.store.file.stat() if self.store.file.exists() else None
            stamp = (found.st_mtime_ns, found.st_ino, found.st_size) if found else (0,)
            if stamp == self._stamp and self._readable:
                return None
            book = self.store.read()
        except (OSError, BookUnreadable) as e:
            if self._readable:
                log.error("%s", e)
                self._readable = False
                self.say(ke.KeysUnreadable(reason=str(e)[:300]))
            return None
        if not self._readable:
            self._readable = True
            self.say(ke.KeysReadable())
        self._stamp = stamp
        return book

    def _take(self, book: Book) -> None:
        before, self.book = self.book, book
        new = self._judge_by(book)
        for event in self._news(before, book):
            self.say(event)
        changed = public_hex(new) != public_hex(self.own.private)
        self.own.take(new)
        self._on_taken(before, changed)

    def _judge_by(self, book: Book) -> Ed25519PrivateKey:
        """Returns the key that this box signs with by this book."""
        self.stations.update(book)
        self.issuers.update(book)
        revoked = frozenset(id_of(p) for h in book.of("issuer") for p in public_of(h, KeyState.REVOKED))
        keys = self.store.private_keys()
        self.hands.take(oldest_first(book.self_, keys), revoked=revoked)
        return believed_key(book.self_, keys)

    def _news(self, before: Book, book: Book) -> list[Event]:
        if self._known is None:
            return told(before, book)
        return missed(self._known, book) if self._early is None else []  # `begin` tells it

"""Who holds which keys, as one box knows it: at a centre its stations, at a station its issuers, at both itself.

Pure: each change gives another book. A key is current, previous (still believed for a while) or revoked (never again,
even if the site file still names it).
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Literal

import msgspec
from msgspec.structs import replace

Role = Literal["issuer", "station", "dashboard"]
OVERLAP = 24 * 3600.0  # s that a key is believed beside its successor: a day in which every path has worked once
MOST_KEYS = 8  # kept of one holder, the revoked ones too; the oldest of these is in no message any more


class KeyState(StrEnum):
    CURRENT = "current"
    PREVIOUS = "previous"
    REVOKED = "revoked"


class BookError(Exception):
    """A change that cannot be made; the text says why and what to do next."""


class Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the book."""


class Key(Struct, frozen=True, kw_only=True):
    public: str  # 64 hex digits (Ed25519); of a dashboard the SHA-256 of its certificate's key
    state: KeyState = KeyState.CURRENT
    made: float = 0.0  # wall time at which it was taken here; 0: no clock could be trusted
    until: float = 0.0  # wall time at which a previous one is retired
    why: str = ""  # of a revocation
    who: str = ""  # revoked it
    certificate: str = ""  # PEM, for the broker


class Holder(Struct, frozen=True, kw_only=True):
    id: str
    role: Role
    number: int = 0  # of a station
    keys: tuple[Key, ...] = ()  # the newest first

    @property
    def current(self) -> Key | None:
        return next((k for k in self.keys if k.state is KeyState.CURRENT), None)

    @property
    def believed(self) -> tuple[Key, ...]:
        return tuple(k for k in self.keys if k.state is not KeyState.REVOKED)


class Trust(Struct, frozen=True, kw_only=True):
    """The broker's authority (PEM) and the name that the broker's certificate is for."""

    authority: str
    name: str


class Book(Struct, frozen=True, kw_only=True):
    own: str = ""  # id of the holder that this box is
    count: int = 0  # of changes; goes into a centre's grants
    taken: dict[str, int] = {}  # at a station: issuer -> the count of the grant taken last
    trust: Trust | None = None
    holders: dict[str, Holder] = {}

    @property
    def self_(self) -> Holder | None:
        return self.holders.get(self.own)

    def of(self, role: Role) -> Iterator[Holder]:
        return (h for h in self.holders.values() if h.role == role)

    def revoked(self) -> frozenset[str]:
        """Public keys that nothing brings back."""
        return frozenset(k.public for h in self.holders.values() for k in h.keys if k.state is KeyState.REVOKED)

    def holder_of(self, public: str) -> Holder | None:
        return next((h for h in self.holders.values() if any(k.public == public for k in h.keys)), None)


def put(book: Book, holder: Holder) -> Book:
    """With this holder, and one change more."""
    return replace(book, count=book.count + 1, holders={**book.holders, holder.id: holder})


def enrol(book: Book, id: str, role: Role, number: int, key: Key) -> Book:
    """A holder's key, the first or after all others were revoked. Raises BookError."""
    _unused(book, key.public)
    held = book.holders.get(id)
    if held is not None and held.believed:
        raise BookError(f"{id} is enrolled already; rotate its key, or revoke it first: siaga keys revoke {id}")
    if held is not None and (held.role, held.number) != (role, number):
        raise BookError(f"{id} stands in the book as {held.role} {held.number}, not {role} {number}.")
    return put(book, Holder(id=id, role=role, number=number, keys=_with(key, held.keys if held else ())))


def rotate(book: Book, id: str, key: Key, *, until: float) -> Book:
    """Its new key beside the old one, which is believed `until` then. Raises BookError."""
    _unused(book, key.public)
    held = _held(book, id)
    if held.current is None:
        raise BookError(f"{id} has no key that counts; enrol it: siaga keys enrol {id}")
    old = tuple(
        replace(k, state=KeyState.PREVIOUS, until=until) if k.state is KeyState.CURRENT else k for k in held.keys
    )
    return put(book, replace(held, keys=_with(key, old)))


def certified(book: Book, public: str, certificate: str) -> Book:
    """The certificate of a key that is there; no change that others must hear of."""
    held = book.holder_of(public)
    assert held is not None
    keys = tuple(replace(k, certificate=certificate) if k.public == public else k for k in held.keys)
    return replace(book, holders={**book.holders, held.id: replace(held, keys=keys)})


def revoke(book: Book, id: str, why: str, *, previous: bool = False, public: str = "", who: str = "") -> Book:
    """Its keys count no more: all, or those that are `previous`, or one. Raises BookError."""
    held = _held(book, id)
    ends = [
        k.public
        for k in held.believed
        if (k.public == public if public else not previous or k.state is KeyState.PREVIOUS)
    ]
    if not ends:
        raise BookError(f"{id} has no such key that counts; see: siaga keys list")
    keys = (
        replace(k, state=KeyState.REVOKED, why=why, who=who, until=0.0) if k.public in ends else k for k in held.keys
    )
    return put(book, replace(held, keys=tuple(keys)))


def retire(book: Book, wall: float, keep: Callable[[Holder], bool] = lambda _: False) -> Book:
    """Previous keys whose time is over are revoked, but of those to `keep`; the same book when there is none."""
    for held in list(book.holders.values()):
        if held.current is not None and not keep(held):  # never the last one
            for key in held.keys:
                if key.state is KeyState.PREVIOUS and 0 < key.until <= wall:
                    book = revoke(book, held.id, "rotated", public=key.public)
                elif key.state is KeyState.PREVIOUS and not key.until:  # replaced while no clock could be trusted
                    book = _until(book, held, key, wall + OVERLAP)
    return book


def _until(book: Book, held: Holder, key: Key, until: float) -> Book:
    keys = tuple(replace(k, until=until) if k is key else k for k in held.keys)
    return replace(book, holders={**book.holders, held.id: replace(held, keys=keys)})


def _held(book: Book, id: str) -> Holder:
    if id not in book.holders:
        raise BookError(f"{id!r} is not in the book; there is {', '.join(book.holders) or 'nobody'}.")
    return book.holders[id]


def _unused(book: Book, public: str) -> None:
    held = book.holder_of(public)
    if held is not None:
        raise BookError(f"This key is or was {held.id}'s; a key is used once: make a new one.")


def _with(key: Key, others: tuple[Key, ...]) -> tuple[Key, ...]:
    return (key, *others)[:MOST_KEYS]

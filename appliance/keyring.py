"""The keys that count now: those of the site file and of the book, without what is revoked. It changes under its users.

A user looks a key up at each message, so that a key that was revoked a moment ago signs nothing more.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from appliance.config import Site
from appliance.key_book import Book
from appliance.keys import KeyFileError, key_id, public_key

OfStation = Mapping[int, Ed25519PublicKey]  # by key id


class StationRing(Mapping[int, OfStation]):
    """By a station's number: its believed keys by their ids, one or, while it rotates, two."""

    def __init__(self, site: Site, book: Book | None = None) -> None:
        self._site = site
        self._held: Mapping[int, OfStation] = {}
        self.update(book or Book())

    def update(self, book: Book) -> None:
        revoked, held = book.revoked(), dict[int, dict[int, Ed25519PublicKey]]()
        for station in self._site.station:
            found = book.holders.get(station.id)
            texts = [k.public for k in found.believed] if found and found.role == "station" else []
            if station.key and station.key not in revoked:
                texts.append(station.key)
            held[station.number] = _ring(texts)
        self._held = MappingProxyType(held)

    def __getitem__(self, number: int) -> OfStation:
        return self._held[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


class IssuerRing(Mapping[int, Ed25519PublicKey]):
    """By key id: who may order this station. The newest key of each name comes first."""

    def __init__(self, site: Site, book: Book | None = None) -> None:
        self._site = site
        self._held: Mapping[int, Ed25519PublicKey] = {}
        self._names: Mapping[int, str] = {}
        self.update(book or Book())

    def update(self, book: Book) -> None:
        revoked, held, names = book.revoked(), dict[int, Ed25519PublicKey](), dict[int, str]()
        texts = [(h.id, k.public) for h in book.of("issuer") for k in h.believed]
        texts += [(i.name, i.key) for i in self._site.issuer if i.key and i.key not in revoked]
        for name, text in texts:
            for id, key in _ring([text]).items():
                held.setdefault(id, key)
                names.setdefault(id, name)
        self._held, self._names = MappingProxyType(held), MappingProxyType(names)

    def kin(self, id: int) -> tuple[int, ...]:
        """The other keys of the issuer that this key is of."""
        return tuple(other for other, name in self._names.items() if other != id and name == self._names.get(id))

    def name(self, id: int) -> str:
        """Of the issuer that this key is of; empty for a key of nobody."""
        return self._names.get(id, "")

    def numbers(self, id: int) -> tuple[str, ...]:
        """Telephone numbers of the issuer that this key is of: the first is written to when none has asked."""
        return next((i.sms for i in self._site.issuer if i.name == self.name(id)), ())

    def __getitem__(self, id: int) -> Ed25519PublicKey:
        return self._held[id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


class Hands:
    """The keys a centre signs with, the one in use first. In a rotation each station is signed to by one it knows."""

    def __init__(self, *keys: Ed25519PrivateKey) -> None:
        self._knows: dict[int, frozenset[int]] = {}
        self.take(keys)

    def take(self, keys: tuple[Ed25519PrivateKey, ...], *, revoked: frozenset[int] = frozenset()) -> None:
        """`keys` from the oldest to the newest; with one of `revoked` nothing more is signed that may be refused."""
        self._keys = {key_id(k.public_key()): k for k in keys}
        self._good = tuple(i for i in self._keys if i not in revoked) or tuple(self._keys)

    def reported(self, station: int, knows: frozenset[int]) -> None:
        """A station has said which issuers' keys it believes."""
        self._knows[station] = knows

    def known_to(self, station: int) -> frozenset[int]:
        return self._knows.get(station, frozenset())

    @property
    def newest(self) -> int:
        return self._good[-1]

    @property
    def all(self) -> tuple[Ed25519PrivateKey, ...]:
        return tuple(self._keys.values())

    def id_for(self, station: int) -> int:
        """The newest key that the station believes; where it has not said, the oldest that counts."""
        known = self.known_to(station)
        return next((i for i in reversed(self._good) if i in known), self._good[0])

    def __contains__(self, id: int) -> bool:
        return id in self._keys

    def __getitem__(self, id: int) -> Ed25519PrivateKey:
        return self._keys[id]


class OwnKey:
    """The key that this box signs with. A new one takes its place while the box runs."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self.take(key)

    def take(self, key: Ed25519PrivateKey) -> None:
        self.private = key
        self.id = key_id(key.public_key())


def _ring(texts: list[str]) -> dict[int, Ed25519PublicKey]:
    ring: dict[int, Ed25519PublicKey] = {}
    for text in texts:
        try:
            key = public_key(text, "a key of the book")
        except KeyFileError:
            continue  # a damaged row believes nobody; `siaga keys list` names it
        ring.setdefault(key_id(key), key)
    return ring

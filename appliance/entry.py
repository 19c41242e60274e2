"""One row of the journal, and the hash that chains it to the row before."""

import hashlib

import msgspec

from appliance.event import Event
from appliance.events import decode_event

FIRST_HASH = "0" * 64


class Entry(msgspec.Struct, frozen=True, dict=True):
    """seq from 1; wall in unix seconds with its quality; mono in seconds within the boot; body is JSON."""

    seq: int
    wall: float
    mono: float
    boot: str
    quality: str
    kind: str
    subject: str
    actor: str
    cause: int | None
    body: bytes
    prev: str
    hash: str

    @classmethod
    def before_first(cls) -> "Entry":
        return cls(0, 0.0, 0.0, "", "unknown", "", "", "", None, b"{}", "", FIRST_HASH)

    @classmethod
    def after(
        cls,
        previous: "Entry",
        *,
        wall: float,
        mono: float,
        boot: str,
        quality: str,
        kind: str,
        subject: str,
        actor: str,
        cause: int | None,
        body: bytes,
    ) -> "Entry":
        seq, prev = previous.seq + 1, previous.hash
        hash = _hash(seq, wall, mono, boot, quality, kind, subject, actor, cause, body.decode(), prev)
        return cls(seq, wall, mono, boot, quality, kind, subject, actor, cause, body, prev, hash)

    def computed_hash(self) -> str:
        """SHA-256 over the JSON array of all columns but `hash`, the body as its own text."""
        return _hash(
            self.seq, self.wall, self.mono, self.boot, self.quality, self.kind, self.subject, self.actor, self.cause,
            self.body.decode(), self.prev,
        )  # fmt: skip

    @property
    def event(self) -> Event:
        """Read from the row once, however many rooms ask; `functools.cached_property` takes a lock each time."""
        known: Event | None = self.__dict__.get("decoded")
        if known is None:
            known = self.__dict__["decoded"] = decode_event(self.kind, self.body)
        return known


def _hash(*columns: str | float | None) -> str:
    return hashlib.sha256(msgspec.json.encode(columns)).hexdigest()

"""What is new in a book of keys: which events a change makes, and what follows from the order of keys. Pure."""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import key_events as ke
from appliance.event import Event
from appliance.key_book import Book, Holder, KeyState
from appliance.key_changes import id_text
from appliance.keys import public_hex


def public_of(holder: Holder | None, *states: KeyState) -> list[str]:
    return [k.public for k in holder.keys if not states or k.state in states] if holder else []


def issuers_in(book: Book) -> dict[str, list[tuple[str, KeyState]]]:
    return {h.id: [(k.public, k.state) for k in h.keys] for h in book.of("issuer")}


def oldest_first(holder: Holder | None, keys: tuple[Ed25519PrivateKey, ...]) -> tuple[Ed25519PrivateKey, ...]:
    """As the book has them, the newest last; a next key that the book does not have yet signs nothing."""
    listed = public_of(holder)
    known = [k for k in keys if public_hex(k) in listed]
    return tuple(sorted(known, key=lambda k: -listed.index(public_hex(k)))) or keys[:1]


def missed(known: Mapping[str, Mapping[str, str]], book: Book) -> list[Event]:
    """What was done to the book while core was down. `known`: by holder and key id, as the journal was told."""
    events: list[Event] = []
    for holder in book.holders.values():
        has = known.get(holder.id, {})
        before = next((id for id, word in reversed(list(has.items())) if word == "current"), "")
        for key in holder.keys:
            id = id_text(key.public) if holder.role != "dashboard" else key.public[:8]
            if key.state is KeyState.CURRENT and id not in has:
                if before:
                    events.append(ke.KeyRotated(holder=holder.id, key=id, before=before))
                else:
                    events.append(ke.KeyEnrolled(holder=holder.id, key=id, role=holder.role))
            elif key.state is KeyState.REVOKED and has.get(id) != "revoked":
                events.append(ke.KeyRevoked(holder=holder.id, key=id, why=key.why[:100], who=key.who[:40]))
    return events


def told(before: Book, after: Book) -> list[Event]:
    events: list[Event] = []
    for holder in after.holders.values():
        old = {k.public: k for k in h.keys} if (h := before.holders.get(holder.id)) else {}
        current = next((k.public for k in old.values() if k.state is KeyState.CURRENT), "")
        for key in holder.keys:
            id = id_text(key.public) if holder.role != "dashboard" else key.public[:8]
            was = old.get(key.public)
            if was is None and key.state is KeyState.CURRENT:
                if current:
                    events.append(ke.KeyRotated(holder=holder.id, key=id, before=id_text(current)))
                else:
                    events.append(ke.KeyEnrolled(holder=holder.id, key=id, role=holder.role))
            if key.state is KeyState.REVOKED and (was is None or was.state is not KeyState.REVOKED):
                events.append(ke.KeyRevoked(holder=holder.id, key=id, why=key.why[:100], who=key.who[:40]))
    return events

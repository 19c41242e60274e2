"""What mosquitto reads: its certificate, who may do what on which topic, and which certificates are revoked.

All of it follows from the book; it is written after each change, and a broker that reads it again on SIGHUP obeys it
also towards clients that are connected.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from appliance.key_authority import Signer, load_signer, make_authority, revoked_list, server_certificate, user_of
from appliance.key_book import Book, Holder, KeyState
from appliance.key_file import replace_file
from appliance.keys import as_its_folder

AUTHORITY, AUTHORITY_KEY = "authority.crt", "authority.key"  # the key is never given to mosquitto
SERVER, SERVER_KEY, ACL, REVOKED = "server.crt", "server.key", "acl", "revoked.crl"


class BrokerFolder:
    """A folder of the centre's core."""

    def __init__(self, folder: Path, site: str) -> None:
        self.folder, self._site = folder, site

    @property
    def there(self) -> bool:
        return (self.folder / AUTHORITY_KEY).exists()

    def make(self, names: Iterable[str]) -> None:
        """An authority and the broker's certificate under `names`. An authority that is there stays. Raises OSError."""
        if not self.folder.exists():
            self.folder.mkdir(mode=0o750, parents=True)
            as_its_folder(self.folder)
        if not self.there:
            key, certificate = make_authority(self._site)
            replace_file(self.folder / AUTHORITY, certificate, 0o640)
            replace_file(self.folder / AUTHORITY_KEY, key)  # last: with it the authority is there
        self.serve(names)

    def serve(self, names: Iterable[str]) -> None:
        """Another certificate for the broker. Raises OSError."""
        key, certificate = server_certificate(self.signer(), names)
        replace_file(self.folder / SERVER_KEY, key, 0o640)
        replace_file(self.folder / SERVER, certificate, 0o640)

    def signer(self) -> Signer:
        """Raises OSError, ValueError."""
        return load_signer((self.folder / AUTHORITY_KEY).read_bytes(), (self.folder / AUTHORITY).read_bytes())

    def authority(self) -> str:
        return (self.folder / AUTHORITY).read_text()

    def write(self, book: Book) -> None:
        """List of users and list of revoked certificates, as the book says; the users last. Raises OSError."""
        gone = (k.certificate for h in book.holders.values() for k in h.keys if k.state is KeyState.REVOKED)
        replace_file(self.folder / REVOKED, revoked_list(self.signer(), filter(None, gone), book.count), 0o640)
        replace_file(self.folder / ACL, "\n".join([*acl(book, self._site), ""]).encode(), 0o640)


def acl(book: Book, site: str) -> Iterator[str]:
    """mosquitto's acl_file: who is not named may do nothing, and every believed key is a user of its own."""
    yield f"# Written by siaga from its book of keys, change {book.count}. Not for editing."
    for holder in book.holders.values():
        for key in holder.believed:
            if key.certificate:
                yield f"user {user_of(key.certificate)}"
                yield from (f"topic {may} {topic}" for may, topic in topics(holder, site))


def topics(holder: Holder, site: str) -> Iterator[tuple[str, str]]:
    """What a holder may "read", "write" or "readwrite"."""
    root, id = f"siaga/{site}", holder.id
    match holder.role:
        case "issuer":  # the centre's core; also what its own dashboards' messages need
            yield "readwrite", f"{root}/#"
            yield "readwrite", "homeassistant/#"
        case "station":
            yield "read", f"{root}/alert/{id}"
            yield "read", f"{root}/keys/{id}"
            for what in ("station", "state", "event"):
                yield "write", f"{root}/{what}/{id}/#"
            yield "write", f"homeassistant/device/siaga-{site}-{id}/#"
            yield "read", "homeassistant/status"
        case "dashboard":
            yield "read", f"{root}/state/#"
            yield "read", f"{root}/event/#"
            yield "read", "homeassistant/#"
            yield "write", "homeassistant/status"  # "I am back": it asks for all of it again, and orders nothing

"""Keys while core runs: the rings that orders and answers are judged by, the box's credential, and rotation by MQTT.

The book on the disk is looked at each second, and at once when a command asks: what it revokes signs nothing more.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance import key_events as ke
from appliance.config import Places, Site
from appliance.event import Event
from appliance.key_authority import BROKER, key_pem
from appliance.key_book import OVERLAP, Book, BookError, Holder, Key, KeyState, retire
from appliance.key_changes import NotBelieved, grant_for, id_of, id_text, rotated, taken
from appliance.key_file import BookUnreadable
from appliance.key_news import issuers_in, missed, oldest_first, public_of, told
from appliance.key_statement import Grant, Report, Request, Sealed, StatementError, open_sealed, seal
from appliance.key_store import Change, KeyStore, believed_key, with_site_keys
from appliance.keyring import Hands, IssuerRing, OwnKey, StationRing
from appliance.keys import KeyFileError, public_hex
from appliance.model import Role
from appliance.sparing import Sparing
from drivers.clock import Clock
from drivers.mqtt import Fate, Sent
from drivers.tls import Credential

LOOK = 1.0  # s between looks at the book's file, for changes made without the control socket
TICK = 30.0  # s between tries of what waits for another: a request not granted, a key whose time is over
TAKEN_WITHIN = 5.0  # s for the broker's acknowledgement of a grant
BROKER_KNOWS = 2.0  # s from a new key until the broker has read its list: a box's own does within one
REPORTS = (3.0, 10.0)  # s after a connection: the first report may have come before the broker knew this key
GRANTS = 20  # a second at most; 1,000 stations hear of a new key of the centre within a minute, orders go between

FAULTS = (OSError, BookUnreadable, BookError, KeyFileError, ValueError)

log = logging.getLogger("siaga.keys")


class Ages(NamedTuple):
    """Days since they were made; None: no clock could be trusted then, or can be now."""

    key: int | None
    certificate: int | None


class KeyRoom:
    """`publish(topic, payload, retain)` gives None without a broker; `wall` is 0 while no clock can be trusted."""

    def __init__(
        self, *, site: Site, places: Places, clock: Clock, wall: Callable[[], float], append: Callable[[Event], Any],
        publish: Callable[[str, bytes, bool], Sent | None], reconnect: Callable[[str], None],
        on_new_key: Callable[[str], None] = lambda station: None, known: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:  # fmt: skip
        """`known`: what the journal was told of keys; None: all. Raises KeyFileError for a file that cannot be used."""
        self._site, self._clock, self._wall = site, clock, wall
        self._known = known
        self._early: list[Event] | None = []  # until `run`: alarms hear nothing before
        self._tell = append
        self._append = self._say
        self._publish, self._reconnect, self._on_new_key = publish, reconnect, on_new_key
        self._connected = ""  # id of the key that the broker knows this box by
        self._connected_by: dict[str, str] = {}  # the same of each station
        self._store = KeyStore(site, places)
        self._stamp: tuple[int, ...] = ()
        self.readable = True
        self._book = self._read() or Book()
        keys = self._store.private_keys()
        self.own = OwnKey(believed_key(self._book.self_, keys))
        self.hands = Hands()
        self.stations, self.issuers = StationRing(site), IssuerRing(site)
        self._waiting: dict[str, None] = {}  # stations that are to get a grant, in order
        self._refused = Sparing()
        self._reconnect_at = float("inf")
        self._report_at: list[float] = []
        self._asked = False  # for the next key, in this connection
        self._tasks: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()
        self._take(self._book)

    # What others use

    @property
    def book(self) -> Book:
        return self._book

    def credential(self) -> Credential | None:
        """For the broker. Raises OSError while this box has none."""
        if self._site.broker is None or not self._site.broker.tls:
            return None
        own = self._book.self_
        key = next((k for k in own.believed if k.public == public_hex(self.own.private)), None) if own else None
        if self._site.role is Role.CENTRE:
            authority, name = (self._store.broker.authority() if self._store.broker.there else ""), BROKER
        else:
            trust = self._book.trust
            authority, name = (trust.authority, trust.name) if trust else ("", "")
        if key is None or not key.certificate or not authority:
            how = "siaga keys init" if self._site.role is Role.CENTRE else "siaga keys enrol"
            raise OSError(f"this box has no certificate for it yet; run: {how}")
        self._connected = id_text(key.public)
        return Credential(authority.encode(), key.certificate.encode(), key_pem(self.own.private), name)

    def ages(self) -> Ages:
        """Of this box's own key and certificate, for its health."""
        own = self._book.self_
        key = next((k for k in own.keys if k.public == public_hex(self.own.private)), None) if own else None
        now = self._wall()
        if key is None or not key.made or not now:
            return Ages(None, None)
        days = max(0, int((now - key.made) / 86400))
        return Ages(days, days if key.certificate else None)

    # The book

    def _say(self, event: Event) -> None:
        if self._early is None:
            self._tell(event)
        else:
            self._early.append(event)

    def _begin(self) -> None:
        """What was found at the start, and what was done to the book while nobody looked."""
        early, self._early = self._early or [], None
        for event in early:
            self._tell(event)
        for event in missed(self._known, self._book) if self._known is not None else ():
            self._tell(event)

    @property
    def _heard(self) -> bool:
        """Whether what is told now is heard by all."""
        return self._early is None

    async def run(self) -> None:
        if self._early is not None:
            self._begin()
        ticked = self._clock.now()
        while True:
            await self.look()
            if self._store.next.exists() and not self._asked and self._site.role is Role.STATION:
                self._ask()
            if self._clock.now() - ticked >= TICK:
                ticked = self._clock.now()
                await self._tick()
            self._grant_some()
            self._due(self._clock.now())
            await asyncio.sleep(LOOK)

    def _due(self, now: float) -> None:
        if now >= self._reconnect_at:
            self._reconnect_at = float("inf")
            self._reconnect("this box has another key")
        if self._report_at and now >= self._report_at[0]:
            del self._report_at[0]
            self._report()

    async def look(self) -> dict[str, int]:
        """Take the book as it lies on the disk now; says how many keys count and how many are revoked."""
        book = await asyncio.to_thread(self._read)
        if book is not None:
            self._take(book)
        keys = [k for h in self._book.holders.values() for k in h.keys]
        revoked = sum(k.state is KeyState.REVOKED for k in keys)
        return {"count": self._book.count, "believed": len(keys) - revoked, "revoked": revoked}

    def _read(self) -> Book | None:
        """The book when it is another than before; a damaged one changes nothing, and is told once."""
        try:
            found = self._store.file.stat() if self._store.file.exists() else None
            stamp = (found.st_mtime_ns, found.st_ino, found.st_size) if found else (0,)
            if stamp == self._stamp:
                return None
            book = self._store.read()
        except (OSError, BookUnreadable) as e:
            if self.readable:
                log.error("%s", e)
                self.readable = False
                self._append(ke.KeysUnreadable(reason=str(e)[:300]))
            return None
        if not self.readable:
            self.readable = True
            self._append(ke.KeysReadable())
        self._stamp = stamp
        return book

    def _take(self, book: Book) -> None:
        before, self._book = self._book, book
        revoked = frozenset(id_of(p) for h in book.of("issuer") for p in public_of(h, KeyState.REVOKED))
        self.stations.update(book)
        self.issuers.update(book)
        keys = self._store.private_keys()
        self.hands.take(oldest_first(book.self_, keys), revoked=revoked)
        new = believed_key(book.self_, keys)
        for event in told(before, book) if self._known is None else missed(self._known, book) if self._heard else ():
            self._append(event)
        changed = public_hex(new) != public_hex(self.own.private)
        self.own.take(new)
        if self._site.role is Role.CENTRE:
            if issuers_in(before) != issuers_in(book):
                self._waiting.update(dict.fromkeys(h.id for h in book.of("station")))
            for holder in book.of("station"):
                if public_of(holder) != public_of(before.holders.get(holder.id)):
                    self._waiting[holder.id] = None
        if changed or (before.trust != book.trust):
            self._reconnect_at = self._clock.now() + BROKER_KNOWS

    async def change(self, change: Change) -> None:
        """Change the book on the disk and take it. Raises FAULTS."""
        async with self._changing:
            await asyncio.to_thread(self._store.change, change)
            await self.look()

    async def _tick(self) -> None:
        wall = self._wall()
        try:
            if self._site.role is Role.CENTRE:
                if wall and retire(self._book, wall, self._keeps) != self._book:
                    await self.change(lambda book: retire(book, wall, self._keeps))
                await self._promote()
            elif self._store.next.exists():
                self._ask()
        except FAULTS as e:
            log.error("keys: %s", e)

    def _keeps(self, holder: Holder) -> bool:
        """A centre's old key is kept while a station has not said that it knows the new one."""
        if holder.id != self._book.own:
            return False
        known = self.hands.known_to
        return any(self.hands.newest not in known(s.number) for s in self._book.of("station") if s.current)

    async def _promote(self) -> None:
        own = self._book.self_
        if own is None or own.current is None or not self._store.next.exists() or self._keeps(own):
            return
        keys = self._store.private_keys()
        if public_hex(keys[0]) in public_of(own, KeyState.REVOKED) and public_hex(keys[-1]) == own.current.public:
            await asyncio.to_thread(self._store.promote)
            self._take(self._book)

    # MQTT

    @property
    def _root(self) -> str:
        return f"siaga/{self._site.site}"

    def on_broker_up(self, subscribe: Callable[[str], None]) -> None:
        """A station says whom it believes, and asks for what it has not got."""
        for topics in self._subscriptions():
            subscribe(topics)
        if self._site.own and self._site.role is Role.STATION:
            self._report()
            self._report_at = [self._clock.now() + s for s in REPORTS]
            if self._store.next.exists():
                self._ask()

    def _subscriptions(self) -> list[str]:
        if self._site.role is Role.CENTRE:
            return [f"{self._root}/station/+/keys", f"{self._root}/station/+/request"]
        return [f"{self._root}/keys/{self._site.own.id}"] if self._site.own else []

    def on_message(self, topic: list[str], payload: bytes) -> None:
        """`topic` below siaga/SITE: ["station", ID, "request" or "keys"], or ["keys", ID] with a grant."""
        named = topic[1]
        what = "grant" if topic[0] == "keys" else topic[-1]
        number = next((s.number for s in self._site.station if s.id == named), 0)
        offered: Mapping[int, Ed25519PublicKey] = self.issuers if what == "grant" else self.stations.get(number, {})
        try:
            sealed = open_sealed(payload.decode("ascii", "replace"), offered)
            if (sealed.statement.station, sealed.statement.site) != (named, self._site.site):
                raise NotBelieved("wrong_topic")
            match what, sealed.statement:
                case "request", Request():
                    self._spawn(self._on_request(sealed))
                case "keys", Report() as report:
                    self._on_report(report, sealed)
                case "grant", Grant() as grant:
                    if not sealed.signers:
                        raise NotBelieved("unsigned")
                    self._spawn(self._on_grant(grant))
                case _:
                    raise NotBelieved("wrong_topic")
        except StatementError:
            self._refuse(named, "damaged")
        except NotBelieved as e:
            self._refuse(named, e.code)

    async def _on_request(self, sealed: Sealed) -> None:
        wall = self._wall()
        until = wall + OVERLAP if wall else 0.0
        station = sealed.statement.station
        try:
            known = with_site_keys(self._book, self._site, wall)
            if rotated(known, sealed, wall=wall, until=until) != self._book:
                await self.change(
                    lambda book: rotated(with_site_keys(book, self._site, wall), sealed, wall=wall, until=until)
                )
        except NotBelieved as e:
            self._refuse(station, e.code)
        except FAULTS as e:
            log.error("the new key of %s is not taken: %s", station, e)
        else:
            self._waiting[station] = None
            self._grant_some()

    def _on_report(self, report: Report, sealed: Sealed) -> None:
        if id_of(report.key) not in sealed.signers:
            raise NotBelieved("unsigned")
        knows = frozenset(int(i, 16) for i in report.issuers)
        self.hands.reported(report.number, knows)
        if self._connected_by.get(report.station, report.connected) != report.connected:
            # The broker keeps nothing for another user: what it had for the old key is gone.
            self._on_new_key(report.station)
        self._connected_by[report.station] = report.connected
        holder = self._book.holders.get(report.station)
        if holder is None or not self._store.broker.there:
            return
        current = holder.current
        if self.hands.newest not in knows or (current and current.public != report.key):
            self._waiting[report.station] = None

    def _grant_some(self) -> None:
        for station in list(self._waiting)[:GRANTS]:
            del self._waiting[station]
            holder = self._book.holders.get(station)
            if holder is not None and holder.current is not None and self._store.broker.there:
                line = seal(self._grant(holder, holder.current), *self.hands.all)
                self._spawn(self._granted(station, self._publish(f"{self._root}/keys/{station}", line.encode(), True)))

    async def _granted(self, station: str, sent: Sent | None) -> None:
        """What the broker did not take goes again: it may not know this centre's new key yet."""
        if sent is None or await sent.settled(TAKEN_WITHIN) is not Fate.ACKNOWLEDGED:
            await asyncio.sleep(LOOK)
            self._waiting[station] = None

    def _grant(self, holder: Holder, key: Key) -> Grant:
        return grant_for(self._book, self._site.site, holder, key, self._store.broker.authority(), BROKER)

    async def _on_grant(self, grant: Grant) -> None:
        wall = self._wall()
        try:
            own = [public_hex(k) for k in self._store.private_keys()]
            await self.change(lambda book: taken(book, grant, own, wall=wall))
            if self._store.next.exists() and grant.key == own[-1]:
                await asyncio.to_thread(self._store.promote)
                self._asked = False
                self._take(self._book)
        except NotBelieved as e:
            if e.code != "old":  # retained ones come again at each connection
                self._refuse(grant.station, e.code)
        except FAULTS as e:
            log.error("the centre's word about keys is not taken: %s", e)
        self._report()

    def _report(self) -> None:
        own = self._site.own
        assert own is not None
        ids = tuple(f"{i:08x}" for i in self.issuers)
        key = public_hex(self.own.private)
        report = Report(
            site=self._site.site, station=own.id, number=own.number, key=key, connected=self._connected, issuers=ids
        )
        line = seal(report, self.own.private)
        self._publish(f"{self._root}/station/{own.id}/keys", line.encode(), True)

    def _ask(self) -> None:
        own = self._site.own
        assert own is not None
        self._asked = True
        keys = self._store.private_keys()
        request = Request(
            site=self._site.site, station=own.id, number=own.number, key=public_hex(keys[-1]),
            replaces=public_hex(self.own.private),
        )  # fmt: skip
        self._publish(
            f"{self._root}/station/{own.id}/request", seal(request, keys[-1], self.own.private).encode(), False
        )

    def _refuse(self, holder: str, reason: str) -> None:
        known = holder if holder in {s.id for s in self._site.station} else ""
        if self._refused.says(f"{known} {reason}", self._clock.now()):
            self._append(ke.KeyStatementRefused(holder=known, reason=reason))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a statement about keys was not carried out", exc_info=error)

"""A centre's side of keys by MQTT: stations ask for a new key and report whom they believe, and are granted it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from appliance.config import Site
from appliance.key_authority import BROKER
from appliance.key_believed import FAULTS, Believed
from appliance.key_book import OVERLAP, Book, Holder, KeyState, retire
from appliance.key_changes import NotBelieved, grant_for, id_of, rotated
from appliance.key_news import issuers_in, public_of
from appliance.key_statement import Report, Request, Sealed, seal
from appliance.key_store import with_site_keys
from appliance.keys import public_hex
from drivers.mqtt import Fate, Sent

TAKEN_WITHIN = 5.0  # s for the broker's acknowledgement of a grant
AGAIN = 1.0  # s until one that the broker did not take is due again: it may not know this centre's new key yet
GRANTS = 20  # a second at most; 1,000 stations hear of a new key of the centre within a minute, orders go between

log = logging.getLogger("siaga.keys")


class Granting:
    """`spawn` owns what takes its time; `on_new_key` hears of a station that the broker knows by another key."""

    def __init__(
        self, *, site: Site, believed: Believed, wall: Callable[[], float],
        publish: Callable[[str, bytes, bool], Sent | None], refuse: Callable[[str, str], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None], on_new_key: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._site, self._believed, self._wall = site, believed, wall
        self._publish, self._refuse, self._spawn, self._on_new_key = publish, refuse, spawn, on_new_key
        self._root = f"siaga/{site.site}"
        self.topics: tuple[str, ...] = (f"{self._root}/station/+/keys", f"{self._root}/station/+/request")
        self._waiting: dict[str, None] = {}  # stations that are to get a grant, in order
        self._connected_by: dict[str, str] = {}  # by station: id of the key that the broker knows it by

    def on_broker_up(self) -> None:
        """Stations speak first: each reports when it is connected."""

    def on_taken(self, before: Book) -> None:
        """Who has to hear of a book that takes the place of `before`."""
        book = self._believed.book
        if issuers_in(before) != issuers_in(book):
            self._waiting.update(dict.fromkeys(h.id for h in book.of("station")))
        for holder in book.of("station"):
            if public_of(holder) != public_of(before.holders.get(holder.id)):
                self._waiting[holder.id] = None

    def on_statement(self, what: str, sealed: Sealed) -> None:
        """Raises NotBelieved."""
        match what, sealed.statement:
            case "request", Request():
                self._spawn(self._on_request(sealed))
            case "keys", Report() as report:
                self._on_report(report, sealed)
            case _:
                raise NotBelieved("wrong_topic")

    def due(self, now: float) -> None:
        """Grants go out, some at a time."""
        self._grant_some()

    async def tick(self) -> None:
        """Retire keys whose time is over, and sign with this centre's new one alone. Raises FAULTS."""
        wall = self._wall()
        if wall and retire(self._believed.book, wall, self._keeps) != self._believed.book:
            await self._believed.change(lambda book: retire(book, wall, self._keeps))
        await self._promote()

    async def _promote(self) -> None:
        own, store = self._believed.book.self_, self._believed.store
        if own is None or own.current is None or not store.next.exists() or self._keeps(own):
            return
        keys = store.private_keys()
        if public_hex(keys[0]) in public_of(own, KeyState.REVOKED) and public_hex(keys[-1]) == own.current.public:
            await self._believed.promote()

    def _keeps(self, holder: Holder) -> bool:
        """A centre's old key is kept while a station has not said that it knows the new one."""
        book, hands = self._believed.book, self._believed.hands
        if holder.id != book.own:
            return False
        return any(hands.newest not in hands.known_to(s.number) for s in book.of("station") if s.current)

    async def _on_request(self, sealed: Sealed) -> None:
        wall = self._wall()
        until = wall + OVERLAP if wall else 0.0
        station = sealed.statement.station

        def change(book: Book) -> Book:
            return rotated(with_site_keys(book, self._site, wall), sealed, wall=wall, until=until)

        try:
            if change(self._believed.book) != self._believed.book:
                await self._believed.change(change)
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
        hands = self._believed.hands
        knows = frozenset(int(i, 16) for i in report.issuers)
        hands.reported(report.number, knows)
        if self._connected_by.get(report.station, report.connected) != report.connected:
            # The broker keeps nothing for another user: what it had for the old key is gone.
            self._on_new_key(report.station)
        self._connected_by[report.station] = report.connected
        holder = self._believed.book.holders.get(report.station)
        if holder is None or not self._believed.store.broker.there:
            return
        current = holder.current
        if hands.newest not in knows or (current and current.public != report.key):
            self._waiting[report.station] = None

    def _grant_some(self) -> None:
        store = self._believed.store
        for station in list(self._waiting)[:GRANTS]:
            del self._waiting[station]
            holder = self._believed.book.holders.get(station)
            if holder is not None and holder.current is not None and store.broker.there:
                authority = store.broker.authority()
                grant = grant_for(self._believed.book, self._site.site, holder, holder.current, authority, BROKER)
                line = seal(grant, *self._believed.hands.all)
                self._spawn(self._granted(station, self._publish(f"{self._root}/keys/{station}", line.encode(), True)))

    async def _granted(self, station: str, sent: Sent | None) -> None:
        if sent is None or await sent.settled(TAKEN_WITHIN) is not Fate.ACKNOWLEDGED:
            await asyncio.sleep(AGAIN)
            self._waiting[station] = None

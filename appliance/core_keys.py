"""Keys while core runs: the rings that orders and answers are judged by, the box's credential, and rotation by MQTT.

The book on the disk is looked at each second, and at once when a command asks: what it revokes signs nothing more.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance import key_events as ke
from appliance.config import Places, Site
from appliance.event import Event
from appliance.key_asking import Asking
from appliance.key_authority import BROKER, key_pem
from appliance.key_believed import FAULTS, Believed
from appliance.key_book import Book, Key
from appliance.key_changes import NotBelieved, id_text
from appliance.key_granting import Granting
from appliance.key_statement import Sealed, StatementError, open_sealed
from appliance.keys import public_hex
from appliance.model import Role
from appliance.sparing import Sparing
from drivers.clock import Clock
from drivers.mqtt import Sent
from drivers.tls import Credential

LOOK = 1.0  # s between looks at the book's file, for changes made without the control socket
TICK = 30.0  # s between tries of what waits for another: a request not granted, a key whose time is over
BROKER_KNOWS = 2.0  # s from a new key until the broker has read its list: a box's own does within one

log = logging.getLogger("siaga.keys")


class Ages(NamedTuple):
    """Days since they were made; None: no clock could be trusted then, or can be now."""

    key: int | None
    certificate: int | None


class Side(Protocol):
    """What a centre and a station each do with statements about keys."""

    topics: tuple[str, ...]

    def on_broker_up(self) -> None: ...
    def on_taken(self, before: Book) -> None: ...
    def on_statement(self, what: str, sealed: Sealed) -> None: ...
    def due(self, now: float) -> None: ...
    async def tick(self) -> None: ...


class KeyRoom:
    """`publish(topic, payload, retain)` gives None without a broker; `wall` is 0 while no clock can be trusted."""

    def __init__(
        self, *, site: Site, places: Places, clock: Clock, wall: Callable[[], float], append: Callable[[Event], Any],
        publish: Callable[[str, bytes, bool], Sent | None], reconnect: Callable[[str], None],
        on_new_key: Callable[[str], None] = lambda station: None, known: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:  # fmt: skip
        """`known`: what the journal was told of keys; None: all. Raises KeyFileError for a file that cannot be used."""
        self._site, self._clock, self._wall, self._reconnect = site, clock, wall, reconnect
        self._believed = Believed(site, places, append, known, self._on_taken)
        self.own, self.hands = self._believed.own, self._believed.hands
        self.stations, self.issuers = self._believed.stations, self._believed.issuers
        self._connected = ""  # id of the key that the broker knows this box by
        self._reconnect_at = float("inf")
        self._refused = Sparing()
        self._tasks: set[asyncio.Task[None]] = set()
        self._side: Side = (
            Granting(
                site=site, believed=self._believed, wall=wall, publish=publish, refuse=self._refuse,
                spawn=self._spawn, on_new_key=on_new_key,
            )
            if site.role is Role.CENTRE
            else Asking(
                site=site, believed=self._believed, clock=clock, wall=wall, publish=publish, refuse=self._refuse,
                spawn=self._spawn, connected=lambda: self._connected,
            )
        )  # fmt: skip

    async def look(self) -> dict[str, int]:
        """Take the book as it lies on the disk now; says how many keys count and how many are revoked."""
        return await self._believed.look()

    def credential(self) -> Credential | None:
        """For the broker. Raises OSError while this box has none."""
        if self._site.broker is None or not self._site.broker.tls:
            return None
        key, store = self._own_row(), self._believed.store
        if self._site.role is Role.CENTRE:
            authority, name = (store.broker.authority() if store.broker.there else ""), BROKER
        else:
            trust = self._believed.book.trust
            authority, name = (trust.authority, trust.name) if trust else ("", "")
        if key is None or not key.certificate or not authority:
            how = "siaga keys init" if self._site.role is Role.CENTRE else "siaga keys enrol"
            raise OSError(f"this box has no certificate for it yet; run: {how}")
        self._connected = id_text(key.public)
        return Credential(authority.encode(), key.certificate.encode(), key_pem(self.own.private), name)

    def ages(self) -> Ages:
        """Of this box's own key and certificate, for its health."""
        key, now = self._own_row(), self._wall()
        if key is None or not key.made or not now:
            return Ages(None, None)
        days = max(0, int((now - key.made) / 86400))
        return Ages(days, days if key.certificate else None)

    async def run(self) -> None:
        self._believed.begin()
        ticked = self._clock.now()
        while True:
            await self.look()
            if self._clock.now() - ticked >= TICK:
                ticked = self._clock.now()
                try:
                    await self._side.tick()
                except FAULTS as e:
                    log.error("keys: %s", e)
            if self._clock.now() >= self._reconnect_at:
                self._reconnect_at = float("inf")
                self._reconnect("this box has another key")
            self._side.due(self._clock.now())
            await asyncio.sleep(LOOK)

    def on_broker_up(self, subscribe: Callable[[str], None]) -> None:
        for topics in self._side.topics:
            subscribe(topics)
        self._side.on_broker_up()

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
            self._side.on_statement(what, sealed)
        except StatementError:
            self._refuse(named, "damaged")
        except NotBelieved as e:
            self._refuse(named, e.code)

    def _own_row(self) -> Key | None:
        """The key that this box signs with, as its book has it."""
        own = self._believed.book.self_
        return next((k for k in own.keys if k.public == public_hex(self.own.private)), None) if own else None

    def _on_taken(self, before: Book, changed: bool) -> None:
        self._side.on_taken(before)
        if changed or before.trust != self._believed.book.trust:
            self._reconnect_at = self._clock.now() + BROKER_KNOWS

    def _refuse(self, holder: str, reason: str) -> None:
        known = holder if holder in {s.id for s in self._site.station} else ""
        if self._refused.says(f"{known} {reason}", self._clock.now()):
            self._believed.say(ke.KeyStatementRefused(holder=known, reason=reason))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a statement about keys was not carried out", exc_info=error)

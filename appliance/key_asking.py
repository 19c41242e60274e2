"""A station's side of keys by MQTT: it asks to be believed under a new key, says whom it believes, and takes grants."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from appliance.config import Site
from appliance.key_believed import FAULTS, Believed
from appliance.key_book import Book
from appliance.key_changes import NotBelieved, taken
from appliance.key_statement import Grant, Report, Request, Sealed, seal
from appliance.keys import public_hex
from drivers.clock import Clock
from drivers.mqtt import Sent

REPORTS = (3.0, 10.0)  # s after a connection: the first report may have come before the broker knew this key

log = logging.getLogger("siaga.keys")


class Asking:
    """`connected` gives the id of the key that the broker knows this box by; `spawn` owns what takes its time."""

    def __init__(
        self, *, site: Site, believed: Believed, clock: Clock, wall: Callable[[], float],
        publish: Callable[[str, bytes, bool], Sent | None], refuse: Callable[[str, str], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None], connected: Callable[[], str],
    ) -> None:  # fmt: skip
        assert site.own is not None  # as config_check holds of each station
        self._site, self._own, self._believed, self._clock, self._wall = site.site, site.own, believed, clock, wall
        self._publish, self._refuse, self._spawn, self._connected = publish, refuse, spawn, connected
        self.topics: tuple[str, ...] = (f"siaga/{site.site}/keys/{site.own.id}",)
        self._report_at: list[float] = []
        self._asked = False  # for the next key, as long as that is the same one

    def on_broker_up(self) -> None:
        """Says whom it believes, and asks for what it has not got."""
        self._report()
        self._report_at = [self._clock.now() + s for s in REPORTS]
        if self._believed.store.next.exists():
            self._ask()

    def on_taken(self, before: Book) -> None:
        """Nobody has to hear of a station's own book."""

    def on_statement(self, what: str, sealed: Sealed) -> None:
        """Raises NotBelieved."""
        match what, sealed.statement:
            case "grant", Grant() as grant:
                if not sealed.signers:
                    raise NotBelieved("unsigned")
                self._spawn(self._on_grant(grant))
            case _:
                raise NotBelieved("wrong_topic")

    def due(self, now: float) -> None:
        """A next key that was made a moment ago is asked for at once."""
        if self._believed.store.next.exists() and not self._asked:
            self._ask()
        if self._report_at and now >= self._report_at[0]:
            del self._report_at[0]
            self._report()

    async def tick(self) -> None:
        """What was not granted is asked for again. Raises FAULTS."""
        if self._believed.store.next.exists():
            self._ask()

    async def _on_grant(self, grant: Grant) -> None:
        wall, store = self._wall(), self._believed.store
        try:
            own = [public_hex(k) for k in store.private_keys()]
            await self._believed.change(lambda book: taken(book, grant, own, wall=wall))
            if store.next.exists() and grant.key == own[-1]:
                self._asked = False
                await self._believed.promote()
        except NotBelieved as e:
            if e.code != "old":  # retained ones come again at each connection
                self._refuse(grant.station, e.code)
        except FAULTS as e:
            log.error("the centre's word about keys is not taken: %s", e)
        self._report()

    def _report(self) -> None:
        key = self._believed.own.private
        report = Report(
            site=self._site, station=self._own.id, number=self._own.number, key=public_hex(key),
            connected=self._connected(), issuers=tuple(f"{i:08x}" for i in self._believed.issuers),
        )  # fmt: skip
        self._publish(f"siaga/{self._site}/station/{self._own.id}/keys", seal(report, key).encode(), True)

    def _ask(self) -> None:
        self._asked = True
        key, new = self._believed.own.private, self._believed.store.private_keys()[-1]
        request = Request(
            site=self._site, station=self._own.id, number=self._own.number, key=public_hex(new),
            replaces=public_hex(key),
        )  # fmt: skip
        self._publish(f"siaga/{self._site}/station/{self._own.id}/request", seal(request, new, key).encode(), False)

"""An alert's words to stations, each signed for the session that the station has now. Orders always go before them."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from appliance import alert_events as al
from appliance.alerting.contact import Contact
from appliance.alerting.contact_text import for_station
from appliance.alerting.sender import Publish, SendSms, order_topic
from appliance.alerting.text_machine import Open, SendText, due, open_
from appliance.alerting.wire import WireError
from appliance.config import Site
from appliance.journal import Appended
from appliance.logs import about
from appliance.model import About, Path
from appliance.stamp import Stamp
from appliance.state import Alert, Delivery, State
from drivers.clock import Clock

TICK = 1.0  # s between looks while something waits to be said
EXPIRY = 300  # s that the broker keeps a text
REST = 30.0  # s behind one that did not go out
PURPOSE = "alert"  # model.Purpose: behind all orders, answers and hellos

log = logging.getLogger("siaga.alerting")

Key = tuple[str, str, str]  # alert, station, about


class Signs(Protocol):
    """The issuer, as this needs it."""

    def text(self, alert: Alert, about: About, station: int, session: bytes, language: str, words: str) -> bytes:
        """The octets of a signed Text. Raises WireError."""
        ...


class StationTexts:
    """`contacts` are the centre's, by station; `sms_up` tells whether a line could send now."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, boot: str, append: Callable[..., Appended], issuer: Signs,
        contacts: Mapping[str, Contact], publish: Publish, broker_up: Callable[[], bool], send_sms: SendSms,
        sms_up: Callable[[], object],
    ) -> None:  # fmt: skip
        self._site, self._state, self._clock, self._boot, self._append = site, state, clock, boot, append
        self._issuer, self._contacts, self._publish, self._broker_up = issuer, contacts, publish, broker_up
        self._send_sms, self._sms_up = send_sms, sms_up
        self._sending: dict[Key, asyncio.Task[None]] = {}
        self._rests: dict[Key, float] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """A delivery may have come further, or a person has said something."""
        self._woken.set()

    async def run(self) -> None:
        """Tell stations for as long as the process lives."""
        try:
            while True:
                self._woken.clear()
                self.look()
                busy = any(open_(alert) for alert in self._state.alerts.values())
                try:
                    async with asyncio.timeout(TICK if busy else None):
                        await self._woken.wait()
                except TimeoutError:
                    pass
        finally:
            tasks = list(self._sending.values())
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)

    def look(self) -> None:
        """Send all that is due now."""
        for alert in [a for a in self._state.alerts.values() if a.text or a.told]:
            for name, delivery in alert.deliveries.items():
                if name not in self._contacts:
                    continue
                for step in due(alert, delivery, self._open(name), self._since):
                    if isinstance(step, SendText):
                        self._send(alert, delivery, step)
                    else:
                        self._append(step)

    def _open(self, name: str) -> Open:
        contact = self._contacts[name]
        on_mqtt = self._broker_up() and contact.heard_at is not None and contact.session is not None
        sms = bool(contact.station.sms) and contact.session is not None and bool(self._sms_up())
        return Open(contact.station.local, on_mqtt, sms)

    def _since(self, stamp: Stamp) -> float:
        return stamp.elapsed(self._clock.now(), self._clock.wall(), self._boot)

    def _send(self, alert: Alert, delivery: Delivery, step: SendText) -> None:
        key = (alert.id, delivery.station, str(step.about))
        if key in self._sending or self._clock.now() < self._rests.get(key, float("-inf")):
            return
        contact = self._contacts[delivery.station]
        words, language = for_station(alert, step.about)
        assert contact.session is not None
        try:
            payload = self._issuer.text(alert, step.about, contact.station.number, contact.session, language, words)
        except WireError as e:
            self._untold(key, str(e))
            return
        if step.path is Path.MQTT:
            topic = order_topic(self._site.site, delivery.station)
            if why := self._publish(topic, payload, EXPIRY):
                log.warning(
                    "words for %s did not go out: %s",
                    delivery.station,
                    why,
                    extra=about(alert=alert.id, station=delivery.station),
                )
                self._rest(key)
            else:
                self._told(key, Path.MQTT)
        elif contact.station.sms:
            task = asyncio.create_task(self._by_sms(key, contact.station.sms, payload))
            self._sending[key] = task
            task.add_done_callback(lambda ended: self._done(key, ended))

    async def _by_sms(self, key: Key, number: str, payload: bytes) -> None:
        try:
            await self._send_sms(number, payload, PURPOSE)
        except OSError as e:
            log.warning("words for %s did not go out by SMS: %s", key[1], e, extra=about(alert=key[0], station=key[1]))
            self._rest(key)
        else:
            self._told(key, Path.SMS)

    def _done(self, key: Key, task: asyncio.Task[None]) -> None:
        self._sending.pop(key, None)
        if not task.cancelled() and (error := task.exception()):
            log.error(
                "words for %s failed by a flaw of ours",
                key[1],
                exc_info=error,
                extra=about(alert=key[0], station=key[1]),
            )
            self._rest(key)
        self._woken.set()

    def _told(self, key: Key, path: Path) -> None:
        alert, station, about = key
        self._append(al.DeliveryTold(alert=alert, station=station, path=path, about=about))

    def _untold(self, key: Key, why: str) -> None:
        alert, station, about = key
        self._append(al.DeliveryUntold(alert=alert, station=station, about=about, reason=why[:200]))

    def _rest(self, key: Key) -> None:
        now = self._clock.now()
        self._rests = {k: until for k, until in self._rests.items() if until > now} | {key: now + REST}

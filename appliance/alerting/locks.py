"""Lockouts on the wire: the signed order that takes a station's siren out of service, and the one that ends that."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from appliance.alert_state import Lockout
from appliance.alerting.contact import Contact
from appliance.alerting.issuer import Issuer
from appliance.alerting.sender import Publish, SendSms
from appliance.alerting.wire import NO_ID, Action, Kind, Order, Pattern, WireError
from appliance.alerting.wire_text import LOCKOUT_MARK, MOST_TEXT, TextAbout
from appliance.logs import about

LIFETIME = 300  # s; as long as an order's

log = logging.getLogger("siaga.alerting")


class LockSender:
    """`topic` names a station's topic; `words` say whose its lockout is and why.

    What is lost on the way is said again by whoever wants the lockout.
    """

    def __init__(
        self, *, issuer: Issuer, contacts: Mapping[str, Contact], topic: Callable[[str], str], publish: Publish,
        send_sms: SendSms, words: Callable[[str], str] = lambda station: "",
    ) -> None:  # fmt: skip
        self._words = words
        self._issuer, self._contacts, self._topic = issuer, contacts, topic
        self._publish, self._send_sms = publish, send_sms
        self._under_way: set[asyncio.Task[None]] = set()

    def __call__(self, station: str, lock: str, minutes: int, path: str) -> None:
        """Send a LOCK of so many minutes, with 0 an UNLOCK, by "mqtt" or "sms"."""
        contact = self._contacts[station]
        number = contact.station.number
        order = Order(
            action=Action.LOCK if minutes else Action.UNLOCK,
            kind=Kind.NONE,
            pattern=Pattern.NONE,
            seconds=minutes,
            alert=bytes.fromhex(lock),
            issuer=self._issuer.id_for(number),
            station=number,
            session=contact.session or NO_ID,
            sequence=self._issuer.next_sequence(number),
            issued_at=self._issuer.time(),
            lifetime_s=LIFETIME,
        )
        try:
            payload = self._issuer.sign(order)
        except WireError as e:
            log.error("no lockout for station %s: %s", station, e, extra=about(station=station))
            return
        contact.window.sent(order)
        payloads = [payload, *self._named(station, contact, order)]
        if path == "mqtt":
            for octets in payloads:
                if why := self._publish(self._topic(station), octets, LIFETIME):
                    about_it = about(station=station)
                    log.warning("the lockout of %s does not go out by MQTT: %s", station, why, extra=about_it)
        elif contact.station.sms:
            task = asyncio.create_task(self._by_sms(station, contact.station.sms, payloads))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    def _named(self, station: str, contact: Contact, order: Order) -> list[bytes]:
        """The lock's words, behind it."""
        words = shown(self._words(station))
        if order.action is not Action.LOCK or contact.session is None or not words:
            return []
        number, language = contact.station.number, contact.station.language
        try:
            return [self._issuer.words(order.alert, TextAbout.LOCKOUT, number, contact.session, language, words)]
        except WireError as e:
            log.error("the words of station %s's lockout cannot be said: %s", station, e)
            return []

    async def _by_sms(self, station: str, number: str, payloads: list[bytes]) -> None:
        try:
            for payload in payloads:
                await self._send_sms(number, payload, "hello")  # never before an order to sound
        except OSError as e:
            log.warning("the lockout of %s does not go out by SMS: %s", station, e, extra=about(station=station))


def words_of(lockout: Lockout | None) -> str:
    """Whose a lockout is and why."""
    return f"{lockout.since.actor or '-'}{LOCKOUT_MARK}{lockout.reason}" if lockout is not None else ""


def shown(words: str) -> str:
    """On one line, without control characters, cut at what a text holds."""
    plain = "".join(c for c in " ".join(words.split()) if c.isprintable())
    return plain.encode()[:MOST_TEXT].decode(errors="ignore")

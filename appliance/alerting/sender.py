"""Orders on their way out: signed for the session that the station has now, by the path that the centre decided.

The journal has each of them before the wire does, and each that could not be sent.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol

from appliance import alert_events as al
from appliance.alerting.contact import Contact
from appliance.alerting.delivery_machine import NOT_SILENT, sounds
from appliance.alerting.issuer import Issuer
from appliance.alerting.wire import NO_ID, WireError
from appliance.alerting.zones import bits, own_outputs
from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import Sounding, Standing
from appliance.config import Site
from appliance.event import Event
from appliance.journal import Appended
from appliance.model import AlertKind, Path
from appliance.stamp import Stamp
from appliance.state import Alert, Delivery
from drivers.jsonsocket import Gone, Refusal

HELLO_LIFE = 10  # s that the broker keeps a hello; later it would not count

log = logging.getLogger("siaga.alerting")

Append = Callable[..., Appended]
SendSms = Callable[[str, bytes, str], Awaitable[None]]  # number, octets, purpose; raises OSError with the reason


def order_topic(site: str, station: str) -> str:
    """Where a station listens for orders, lockouts and words."""
    return f"siaga/{site}/alert/{station}"


class Publish(Protocol):
    def __call__(self, topic: str, payload: bytes, expiry_s: int, qos: int = 1) -> str:
        """Why not, "" when it is on its way. At QoS 0 the broker keeps it for nobody who is away."""
        ...


def a_card(alert: Alert, station: str, phone: str, reason: str, wait_s: int = 0) -> Event:
    """What tells people: the card, or of a test only that it failed. A siren that does not end is no test's matter."""
    if alert.kind is AlertKind.ACTUAL or reason in NOT_SILENT:
        return al.CardRaised(alert=alert.id, station=station, phone=phone, reason=reason, wait_s=wait_s)
    return al.DeliveryTestFailed(alert=alert.id, station=station, reason=reason)


class Sender:
    """`since` gives the seconds since a stamp; `boot` is the present one."""

    def __init__(
        self, *, site: Site, boot: str, append: Append, since: Callable[[Stamp], float], issuer: Issuer,
        annunciator: AnnunciatorLink, publish: Publish, send_sms: SendSms, contacts: Mapping[str, Contact],
        locked: Callable[[str], bool] = lambda station: False,
    ) -> None:  # fmt: skip
        self._site, self._boot, self._append, self._since, self._issuer = site, boot, append, since, issuer
        self._annunciator, self._publish, self._send_sms, self._contacts = annunciator, publish, send_sms, contacts
        self._locked = locked
        self._starts: dict[tuple[str, str], asyncio.Task[None]] = {}  # by SMS, that no modem has taken yet
        self.group: asyncio.TaskGroup | None = None  # whoever runs the centre owns what is under way

    @property
    def sms_starts(self) -> int:
        """How many starts by SMS wait for a modem, or are in one."""
        return len(self._starts)

    def send(self, alert: Alert, delivery: Delivery, path: Path, action: str) -> None:
        """Send a start or a stop, if it may still go out."""
        seconds, lifetime = self.seconds_left(alert, delivery), alert.lifetime_s
        if action == "start":
            lifetime = seconds if delivery.energised else int(alert.lifetime_s - self._since(alert.issued))
            if alert.issued.boot != self._boot or min(seconds, lifetime) < 1:
                return
        if path is not Path.MQTT and self.group is None:
            return  # the centre is being started again; its next look sends what is due
        contact = self._contacts[delivery.station]
        ids: dict[str, str] = {"alert": alert.id, "station": delivery.station, "path": path, "action": action}
        if path is Path.GPIO:
            self._append(al.DeliverySent(**ids, sequence=0))
            self._spawn(self._by_gpio(alert, delivery, action))
            return
        # A station that has not told its session answers one of zeros with the right one.
        number = contact.station.number
        sequence = self._issuer.next_sequence(number)
        zones = bits(alert.zones.get(delivery.station, ()), contact.station.zones)
        order = self._issuer.order(alert, action, number, contact.session or NO_ID, sequence, seconds, lifetime, zones)
        try:
            payload = self._issuer.sign(order)
        except WireError as e:  # of a count that its station drove to the end: this station's affair alone
            self._failed(alert, delivery, path, action, str(e))
            return
        contact.window.sent(order)
        self._append(al.DeliverySent(**ids, sequence=sequence))
        if path is Path.MQTT:
            if why := self._publish(self._topic(delivery.station), payload, lifetime):
                self._failed(alert, delivery, path, action, why)
        elif contact.station.sms:
            self._withdraw(alert.id, delivery.station)
            task = self._spawn(self._by_sms(alert, delivery, action, contact.station.sms, payload))
            if task and action == "start":
                key = (alert.id, delivery.station)
                self._starts[key] = task
                task.add_done_callback(lambda done: self._sent(key, done))

    def _sent(self, key: tuple[str, str], done: asyncio.Task[None]) -> None:
        if self._starts.get(key) is done:
            del self._starts[key]

    def _withdraw(self, alert: str, station: str) -> None:
        """A start that waits for a modem yet is not sent behind what is newer."""
        if waiting := self._starts.get((alert, station)):
            waiting.cancel()

    def seconds_left(self, alert: Alert, delivery: Delivery) -> int:
        """A siren that sounded already, on a station that forgot it, gets only what remains."""
        if delivery.energised is None:
            return alert.seconds
        had = alert.seconds if delivery.remaining_s is None else delivery.remaining_s
        return int(had - self._since(delivery.energised))

    async def _by_gpio(self, alert: Alert, delivery: Delivery, action: str) -> None:
        assert self._site.own is not None
        ids: dict[str, str] = {"alert": alert.id, "station": delivery.station, "path": Path.GPIO}
        try:
            if action == "stop":
                await self._annunciator.stop([alert.id])
                if not delivery.over:
                    self._append(al.DeliveryEnded(**ids))
                return
            seconds = self.seconds_left(alert, delivery)
            if not sounds(alert.kind) and (fault := self._silently(await self._annunciator.look(), alert)):
                self._failed(alert, delivery, Path.GPIO, action, fault)
                return
            if not sounds(alert.kind) or seconds < 1:
                self._append(al.DeliveryReceived(**ids))
                self._append(al.DeliveryEnded(**ids))
                return
            if alert.kind is AlertKind.SOUNDING_TEST and not self._site.own.sounding_test:
                self._append(al.DeliveryRefused(**ids, reason="not_allowed"))
                return
            if self._locked(delivery.station):
                raise Refusal("locked_out", "This siren is locked out.")
            sound = await self._sound(alert, own_outputs(alert, self._site.own), seconds)
        except (Gone, Refusal) as e:
            if isinstance(e, Refusal) and e.code == "stopped":  # by a stop that the journal did not keep
                self._append(al.DeliveryEnded(**ids))
                return
            if isinstance(e, Refusal) and e.code == "locked_out":
                self._append(al.DeliveryRefused(**ids, reason=e.code))
                return
            self._failed(alert, delivery, Path.GPIO, action, str(e))
            if isinstance(e, Refusal):
                self._card(alert, delivery)
            return
        if sound.energised:
            self._append(al.DeliveryEnergised(**ids, remaining_s=round(sound.remaining_s)))
        elif sound.ended in (None, "failed"):
            self.fail(alert, delivery)
        else:
            self._append(al.DeliveryEnded(**ids))

    def _silently(self, standing: Standing, alert: Alert) -> str:
        """What a silent test of our own siren finds wrong; "": its line is claimed, and does as it is told."""
        assert self._site.own is not None
        for output in own_outputs(alert, self._site.own):
            at = standing.outputs.get(output)
            if fault := standing.faults.get(output) or (at.fault if at else f"there is no output {output}"):
                return fault
        return ""

    async def _sound(self, alert: Alert, outputs: list[str], seconds: int) -> Sounding:
        """All of them; what is said is what holds for each. Raises the first one's Gone or Refusal, behind the last."""
        told: list[Sounding] = []
        failures: list[Gone | Refusal] = []
        for output in outputs:
            try:
                sounding = await self._annunciator.sound(
                    alert.id, output, alert.pattern, seconds, kind=alert.kind, priority=alert.priority
                )
            except (Gone, Refusal) as e:
                failures.append(e)
            else:
                told.append(sounding)
        if failures:
            raise failures[0]
        return min(told, key=lambda one: (one.energised, one.remaining_s))

    def fail(self, alert: Alert, delivery: Delivery) -> None:
        """The siren's line does not do what it is told; a person must phone."""
        if alert.stopped is None and not delivery.over:
            self._card(alert, delivery)
            self._append(al.DeliveryFailed(alert=alert.id, station=delivery.station, reason="hardware"))

    def _card(self, alert: Alert, delivery: Delivery) -> None:
        if delivery.card is None:
            phone = self._contacts[delivery.station].station.phone or ""
            self._append(a_card(alert, delivery.station, phone, "hardware"))

    async def _by_sms(self, alert: Alert, delivery: Delivery, action: str, number: str, payload: bytes) -> None:
        try:
            silent = alert.test and not sounds(alert.kind)  # a test of all stations delays no real order
            await self._send_sms(number, payload, "test" if silent else "order")
        except OSError as e:
            self._failed(alert, delivery, Path.SMS, action, str(e))

    def _failed(self, alert: Alert, delivery: Delivery, path: Path, action: str, why: str) -> None:
        self._append(
            al.DeliverySendFailed(alert=alert.id, station=delivery.station, path=path, action=action, reason=why[:200])
        )

    def hello(self, contact: Contact, payload: bytes, path: Path) -> None:
        """Send a signed hello by the path that asked for it."""
        if path is Path.MQTT:
            self._publish(self._topic(contact.station.id), payload, HELLO_LIFE)
        elif contact.station.sms:
            self._spawn(self._hello_by_sms(contact.station.sms, payload))

    async def _hello_by_sms(self, number: str, payload: bytes) -> None:
        try:
            await self._send_sms(number, payload, "hello")
        except OSError as e:
            log.warning("a hello by SMS to %s was not sent: %s", number, e)

    def _topic(self, station: str) -> str:
        return order_topic(self._site.site, station)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        if self.group is None:
            work.close()
            return None
        return self.group.create_task(work)

"""Orders at the centre: a person's press becomes one delivery a station, each sent by every path until it is proven.

What to do next is `delivery_machine.due`, from the journal's own facts; here it is carried out.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from appliance import alert_events as al
from appliance.alerting.contact import Contact
from appliance.alerting.delivery_machine import Do, Reach, Step, due
from appliance.alerting.issuer import Issuer
from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import Standing
from appliance.commands import IssueAlert, StopAlert
from appliance.config import Site
from appliance.event import Event
from appliance.journal import Appended
from appliance.model import DeliveryState, Path
from appliance.state import CERTAINTY, Alert, Delivery, Stamp, State
from appliance.view import StationView
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal

TICK = 0.2  # s between looks at open deliveries; the shortest of their deadlines is 1 s
DURABLE_WITHIN = 0.5  # s that an order waits for the disk; then it goes out all the same
MOST_SECONDS = 3600

log = logging.getLogger("siaga.alerting")

Append = Callable[..., Appended]
Publish = Callable[[str, bytes, int], str]  # topic, payload, expiry in s -> why not, "" when it is on its way
SendSms = Callable[[str, bytes, str], Awaitable[None]]  # number, octets, purpose; raises OSError with the reason


class Centre:
    """Carries orders to stations. `append` writes to the journal, `state` is its fold."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, boot: str, append: Append, issuer: Issuer,
        annunciator: AnnunciatorLink, publish: Publish, broker_up: Callable[[], bool],
        send_sms: SendSms, sms_up: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._site, self._state, self._clock, self._boot, self._append = site, state, clock, boot, append
        self._issuer, self._annunciator = issuer, annunciator
        self._publish, self._broker_up, self._send_sms, self._sms_up = publish, broker_up, send_sms, sms_up
        now = clock.now()
        self.contacts = {s.id: Contact(s, state.stations.get(s.id), now) for s in site.station}
        self._wake = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Look at what is open, at once when something has happened, else at each tick."""
        try:
            async with asyncio.TaskGroup() as self._group:
                while True:
                    self.look()
                    busy = bool(self._state.open_alerts())
                    try:
                        async with asyncio.timeout(TICK if busy else 1.0):
                            await self._wake.wait()
                    except TimeoutError:
                        pass
                    self._wake.clear()
        finally:
            self._group = None

    # Orders in

    async def issue(self, command: IssueAlert, actor: str) -> dict[str, Any]:
        """Sound. Returns the alert's id and whether it is on disk; raises Refusal for what cannot be ordered."""
        if known := next((a for a in self._state.alerts.values() if command.key and a.key == command.key), None):
            return {"alert": known.id, "durable": True, "repeated": True}
        unknown = [s for s in command.stations if s not in self.contacts]
        if unknown or not command.stations:
            there = ", ".join(self.contacts)
            raise Refusal("no_station", f"There is no station {', '.join(unknown) or 'named'}.", f"There is: {there}.")
        if not 1 <= command.seconds <= MOST_SECONDS or not 0 <= command.incident_code <= 0xFFFF:
            raise Refusal("out_of_range", f"{command.seconds} s is not between 1 and {MOST_SECONDS} s.")
        alert = secrets.token_hex(8)
        issued = self._append(
            al.AlertIssued(
                alert=alert,
                alert_kind=command.alert_kind,
                pattern=command.pattern,
                seconds=command.seconds,
                lifetime_s=self._site.ladder.lifetime_s,
                incident_code=command.incident_code,
                stations=tuple(dict.fromkeys(command.stations)),
                via=command.via,
                key=command.key,
            ),
            actor=actor,
        )
        durable = await issued.durable(DURABLE_WITHIN)
        self.look()
        return {"alert": alert, "durable": durable, "repeated": False}

    async def stop(self, command: StopAlert, actor: str) -> dict[str, Any]:
        """End the alerts named, or all open ones."""
        open_ids = [a.id for a in self._state.open_alerts()]
        unknown = [a for a in command.alerts if a not in self._state.alerts]
        if unknown:
            raise Refusal("no_alert", f"There is no alert {', '.join(unknown)}.", "Nothing was stopped.")
        named = [a for a in (command.alerts or open_ids) if a in open_ids]
        written = [
            self._append(al.AlertStopped(alert=a, via=command.via), actor=actor)
            for a in named
            if self._state.alerts[a].stopped is None
        ]
        self.look()  # a stop is never held back by a disk: silence is the safe state
        durable = all([await w.durable(DURABLE_WITHIN) for w in written])
        return {"alerts": named, "durable": durable}

    def views(self) -> list[StationView]:
        """Every station, as pages show it."""
        own = self._state.sirens.get(self._site.own.siren) if self._site.own else None
        return [
            StationView(
                id=name,
                name=contact.station.name,
                number=contact.station.number,
                local=contact.station.local,
                phone=contact.station.phone,
                sms=bool(contact.station.sms),
                contact=self._state.stations.get(name),
                heard_at=contact.heard_at,
                fresh_s=self._site.ladder.offline_s,
                sounding=(own is not None and own.on) if contact.station.local else contact.sounding,
            )
            for name, contact in self.contacts.items()
        ]

    # What is due

    def since(self, stamp: Stamp) -> float:
        return stamp.elapsed(self._clock.now(), self._clock.wall(), self._boot)

    def look(self) -> None:
        """Carry out all that is due now."""
        self._notice_silence()
        for alert in self._state.open_alerts():
            for name in alert.stations:
                delivery = alert.deliveries[name]
                for step in due(alert, delivery, self._reach(name), self._site.ladder, self.since):
                    self._carry_out(alert, delivery, step)
            if alert.deliveries and all(d.over for d in alert.deliveries.values()):
                self._append(al.AlertEnded(alert=alert.id))

    def _reach(self, name: str) -> Reach:
        contact = self.contacts[name]
        if contact.station.local:
            return Reach(local=True)
        online = self._broker_up() and contact.heard_at is not None
        signable = contact.session is not None
        return Reach(
            mqtt=online and signable,
            sms=bool(contact.station.sms) and signable and self._sms_up(),
            offline=not online,
        )

    def _notice_silence(self) -> None:
        now = self._clock.now()
        for name, contact in self.contacts.items():
            if contact.heard_at is not None and now - contact.heard_at > self._site.ladder.offline_s:
                silent, contact.heard_at, contact.sounding = now - contact.heard_at, None, None
                self._append(al.StationOffline(station=name, silent_s=round(silent, 1)))

    def _carry_out(self, alert: Alert, delivery: Delivery, step: Step) -> None:
        ids: dict[str, str] = {"alert": alert.id, "station": delivery.station}
        match step.do:
            case Do.SEND:
                self._send(alert, delivery, step.path, step.action)
            case Do.CARD:
                phone = self.contacts[delivery.station].station.phone or ""
                self._append(al.CardRaised(**ids, phone=phone, reason=step.reason))
            case Do.EXPIRE:
                self._append(al.DeliveryExpired(**ids))
            case Do.CANCEL:
                self._append(al.DeliveryCancelled(**ids))
            case Do.FAIL:
                self._append(al.DeliveryFailed(**ids, reason=step.reason))

    # Orders out

    def _send(self, alert: Alert, delivery: Delivery, path: Path, action: str) -> None:
        """Sign for the station's present session and send; the journal has it before the wire does."""
        contact = self.contacts[delivery.station]
        if path is Path.GPIO:
            self._append(
                al.DeliverySent(alert=alert.id, station=delivery.station, path=path, action=action, sequence=0)
            )
            self._spawn(self._by_gpio(alert, delivery, action))
            return
        session = contact.session
        assert session is not None, "reach says whether a session is known"
        seconds = self._seconds_left(alert, delivery)
        if action == "start" and seconds < 1:
            return
        sequence = self._issuer.next_sequence()
        order = self._issuer.order(alert, action, contact.station.number, session, sequence, seconds)
        contact.window.sent(order)
        payload = self._issuer.sign(order)
        self._append(
            al.DeliverySent(alert=alert.id, station=delivery.station, path=path, action=action, sequence=sequence)
        )
        if path is Path.MQTT:
            if why := self._publish(self._topic(delivery.station), payload, alert.lifetime_s):
                self._send_failed(alert, delivery, path, action, why)
        elif contact.station.sms:
            self._spawn(self._by_sms(alert, delivery, action, contact.station.sms, payload))

    def _seconds_left(self, alert: Alert, delivery: Delivery) -> int:
        """A siren that sounded already, on a station that forgot it, gets only what remains."""
        sounded = self.since(delivery.energised) if delivery.energised else 0.0
        return int(alert.seconds - sounded)

    async def _by_gpio(self, alert: Alert, delivery: Delivery, action: str) -> None:
        assert self._site.own is not None
        ids: dict[str, str] = {"alert": alert.id, "station": delivery.station, "path": Path.GPIO}
        try:
            if action == "stop":
                await self._annunciator.stop([alert.id])
                if not delivery.over:
                    self._append(al.DeliveryEnded(**ids))
                return
            seconds = self._seconds_left(alert, delivery)
            if seconds < 1:
                self._append(al.DeliveryEnded(**ids))
                return
            sound = await self._annunciator.sound(alert.id, self._site.own.siren, alert.pattern, seconds)
        except (Gone, Refusal) as e:
            self._send_failed(alert, delivery, Path.GPIO, action, str(e))
            return
        if sound.energised:
            self._append(al.DeliveryEnergised(**ids, remaining_s=round(sound.remaining_s)))
        else:
            self._append(al.DeliveryEnded(**ids))

    async def _by_sms(self, alert: Alert, delivery: Delivery, action: str, number: str, payload: bytes) -> None:
        try:
            await self._send_sms(number, payload, "order")
        except OSError as e:
            self._send_failed(alert, delivery, Path.SMS, action, str(e))

    def _send_failed(self, alert: Alert, delivery: Delivery, path: Path, action: str, why: str) -> None:
        self._append(
            al.DeliverySendFailed(alert=alert.id, station=delivery.station, path=path, action=action, reason=why[:200])
        )

    def send_again(self, name: str, path: Path) -> None:
        """A station has a new session, or knows our time now: whatever is open is signed anew for it."""
        if not self._reach(name).sms and path is Path.SMS:
            return
        for alert in self._state.open_alerts():
            delivery = alert.deliveries.get(name)
            if delivery and not delivery.over:
                self._send(alert, delivery, path, "stop" if alert.stopped else "start")

    def on_standing(self, standing: Standing) -> None:
        """The annunciator is there (again): our own siren sounds what remains of what it forgot."""
        siren = standing.outputs.get(self._site.own.siren) if self._site.own else None
        for alert in self._state.open_alerts():
            for delivery in alert.deliveries.values():
                forgot = siren is not None and alert.id not in siren.order_ids
                if (
                    self.contacts[delivery.station].station.local
                    and delivery.energised
                    and not delivery.over
                    and forgot
                ):
                    self._send(alert, delivery, Path.GPIO, "stop" if alert.stopped else "start")

    def hello(self, contact: Contact, payload: bytes, path: Path) -> None:
        """Send a signed hello by the path that asked for it."""
        if path is Path.MQTT:
            self._publish(self._topic(contact.station.id), payload, 10)
        elif contact.station.sms:
            self._spawn(self._hello_by_sms(contact.station.sms, payload))

    async def _hello_by_sms(self, number: str, payload: bytes) -> None:
        try:
            await self._send_sms(number, payload, "hello")
        except OSError as e:
            log.warning("a hello by SMS to %s was not sent: %s", number, e)

    def _topic(self, station: str) -> str:
        return f"siaga/{self._site.site}/alert/{station}"

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._group is None:  # run() is being started again; the next look sends what is due
            work.close()
            return
        self._group.create_task(work)

    def wake(self) -> None:
        """Something happened that a delivery may wait for."""
        self._wake.set()

    def note(self, event: Event) -> None:
        self._append(event)
        self._wake.set()

    def delivery(self, alert: str, station: str) -> Delivery | None:
        found = self._state.alerts.get(alert)
        return found.deliveries.get(station) if found else None

    @staticmethod
    def below(delivery: Delivery, state: DeliveryState) -> bool:
        """Whether `state` would be news."""
        return CERTAINTY[delivery.state] < CERTAINTY[state]

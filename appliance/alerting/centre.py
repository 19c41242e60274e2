"""Orders at the centre: a person's press becomes one delivery a station, each sent by every path until it is proven.

What to do next is `delivery_machine.due`, from the journal's own facts; here it is carried out.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from appliance import alert_events as al
from appliance.alerting import phone_machine as phone
from appliance.alerting.caller import Caller, NoTelephone, Telephone
from appliance.alerting.contact import Contact
from appliance.alerting.delivery_machine import NOT_SILENT, Do, Reach, Step, allowed, due, late, sounds_on
from appliance.alerting.giving import Giving
from appliance.alerting.issuer import Issuer
from appliance.alerting.queue_machine import CALL_S, SMS_A_LINE, SMS_S, Wish, line_up
from appliance.alerting.sender import Append, Publish, Sender, SendSms, a_card
from appliance.alerting.station_views import station_views
from appliance.alerting.zones import own_outputs
from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import Standing
from appliance.commands import IssueAlert, StopAlert
from appliance.config import Site
from appliance.event import Event
from appliance.model import DeliveryState, Path
from appliance.stamp import Stamp
from appliance.state import CERTAINTY, Alert, Delivery, State
from appliance.view import StationView
from drivers.clock import Clock

TICK = 0.2  # s between looks at open deliveries; the shortest of their deadlines is 1 s
REST = 10.0  # times as long as a look took: a thousand deliveries are not gone through at each answer


class Ways(msgspec.Struct, frozen=True):
    """What carries anything now. `sms` counts lines; `phone`: some have sound; `calls`: one of those can be had."""

    broker: bool
    sms: int
    phone: bool
    calls: bool


Queued = tuple[Wish, Alert, Delivery, Step]


class Centre:
    """Carries orders to stations. `append` writes to the journal, `state` is its fold; `sms_up` counts lines."""

    def __init__(
        self, *, site: Site, state: State, clock: Clock, boot: str, append: Append, issuer: Issuer,
        annunciator: AnnunciatorLink, publish: Publish, broker_up: Callable[[], bool],
        send_sms: SendSms, sms_up: Callable[[], int], telephone: Telephone | None = None,
        locked: Callable[[str], bool] = lambda station: False,
    ) -> None:  # fmt: skip
        self._site, self._state, self._clock, self._boot, self._append = site, state, clock, boot, append
        self._broker_up, self._sms_up = broker_up, sms_up
        now = clock.now()
        beat = site.supervision.beat
        self.contacts = {s.id: Contact(s, state.stations.get(s.id), now, beat(s.profile).lost_s) for s in site.station}
        self._sender = Sender(
            site=site, boot=boot, append=append, since=self.since, issuer=issuer, annunciator=annunciator,
            publish=publish, send_sms=send_sms, contacts=self.contacts, locked=locked,
        )  # fmt: skip
        self._wake = asyncio.Event()
        self._caller = Caller(state=state, append=append, telephone=telephone or NoTelephone(), wake=self._wake.set)
        self._giving = Giving(site=site, state=state, append=append, look=self.look)

    async def run(self) -> None:
        """Look at what is open, at once when something has happened, else at each tick."""
        try:
            async with asyncio.TaskGroup() as group:
                self._sender.group = self._caller.group = group
                for delivery in [d for alert in self._state.open_alerts() for d in alert.deliveries.values()]:
                    self._caller.leave(delivery)
                while True:
                    began = self._clock.unscaled()
                    self.look()
                    rest = min(TICK, REST * (self._clock.unscaled() - began))
                    busy = bool(self._state.open_alerts())
                    try:
                        async with asyncio.timeout(TICK if busy else 1.0):
                            await self._wake.wait()
                    except TimeoutError:
                        pass
                    await asyncio.sleep(rest)
                    self._wake.clear()
        finally:
            self._sender.group = self._caller.group = None

    async def issue(self, command: IssueAlert, actor: str, test: str = "") -> dict[str, Any]:
        """As `Giving.issue`; all goes out that may. Raises Refusal."""
        return await self._giving.issue(command, actor, test)

    async def stop(self, command: StopAlert, actor: str) -> dict[str, Any]:
        """As `Giving.stop`. Raises Refusal."""
        return await self._giving.stop(command, actor)

    def views(self) -> list[StationView]:
        """Every station, as pages show it."""
        return station_views(self._site, self._state, self.contacts.values())

    # What is due

    def since(self, stamp: Stamp) -> float:
        return stamp.elapsed(self._clock.now(), self._clock.wall(), self._boot)

    def look(self) -> None:
        """Carry out all that is due now."""
        self._notice_silence()
        sms: list[Queued] = []
        calls: list[Queued] = []
        open_alerts = self._open()
        ways = Ways(
            broker=self._broker_up(),
            sms=int(self._sms_up()),
            phone=self._caller.able(),
            calls=self._caller.free() + self._caller.under_way > 0,
        )
        for alert in open_alerts:
            for place, (name, delivery) in enumerate(alert.deliveries.items()):
                at_rest = delivery.over or sounds_on(alert, delivery, self.since)
                if at_rest and not phone.was_called(delivery):
                    continue
                if name not in self.contacts:
                    self._leave_out(alert, delivery)
                    continue
                for step in self._due(alert, delivery, ways):
                    wish = Wish(alert.id, name, step.action, alert.priority, alert.issued.seq, place)
                    if step.do is Do.SEND and step.path is Path.VOICE:
                        calls.append((wish, alert, delivery, step))
                    elif step.do is Do.SEND and step.path is Path.SMS and step.action == "start":
                        sms.append((wish, alert, delivery, step))
                    else:
                        self._carry_out(alert, delivery, step)
        if sms:
            lines, out = ways.sms, self._sender.sms_starts
            self._in_turn(sms, slots=SMS_A_LINE * lines - out, under_way=out, lines=lines, each_s=SMS_S)
        if calls:
            free, out = self._caller.free(), self._caller.under_way
            self._in_turn(calls, slots=free, under_way=out, lines=free + out, each_s=CALL_S)
        for alert in open_alerts:
            if alert.settled and not any(self._calls_yet(alert, d) for d in alert.deliveries.values()):
                self._append(al.AlertEnded(alert=alert.id))

    def _due(self, alert: Alert, delivery: Delivery, ways: Ways) -> list[Step]:
        reach = self._reach(alert.id, delivery.station, ways)
        rebooted = alert.issued.boot != self._boot
        steps = due(alert, delivery, reach, self._site.ladder, self.since, rebooted=rebooted)
        if not (reach.phone or reach.calling or phone.was_called(delivery)):
            return steps
        return steps + phone.calls(alert, delivery, reach, self._site.ladder, self.since, rebooted=rebooted)

    def _calls_yet(self, alert: Alert, delivery: Delivery) -> bool:
        """A call goes on, or has to be made to take back what another one told."""
        return bool(self._caller.calling(alert.id, delivery.station)[0]) or phone.owed(alert, delivery, self.since)

    def _in_turn(self, queue: list[Queued], *, slots: int, under_way: int, lines: int, each_s: float) -> None:
        """What goes one by one: those whose turn it is go, and of whom waits too long a person is told now."""
        wanted = {(wish.alert, wish.station): (alert, delivery, step) for wish, alert, delivery, step in queue}
        turns = line_up(
            (wish for wish, *_ in queue), slots=slots, under_way=under_way, lines=lines, each_s=each_s
        )  # fmt: skip
        for turn in turns:
            alert, delivery, step = wanted[turn.wish.alert, turn.wish.station]
            for told in late(alert, delivery, step, turn.wait_s, self._site.ladder, self.since):
                self._carry_out(alert, delivery, told, wait_s=round(turn.wait_s))
            if turn.now:
                self._carry_out(alert, delivery, step)

    def _open(self) -> list[Alert]:
        return [a for a in self._state.open_alerts() if not self._giving.holds(a.id)]

    def _leave_out(self, alert: Alert, delivery: Delivery) -> None:
        """The station was taken out of the site file while an order to it was open."""
        if not delivery.over:
            name, why = delivery.station, "not_in_site"
            self._append(al.CardRaised(alert=alert.id, station=name, phone="", reason=why))
            self._append(al.DeliveryFailed(alert=alert.id, station=name, reason=why))

    def _reach(self, alert: str, name: str, ways: Ways) -> Reach:
        contact = self.contacts[name]
        calling, talking = self._caller.calling(alert, name)
        phone, calls = bool(contact.station.phone) and ways.phone, ways.calls
        if contact.station.local:
            return Reach(local=True, phone=phone, calls=calls, calling=calling, talking=talking)
        online = ways.broker and contact.heard_at is not None
        return Reach(
            revoked=name in self._state.revoked,
            mqtt=online and contact.session is not None,
            sms=bool(contact.station.sms) and ways.sms > 0,
            offline=not online,
            phone=phone,
            calls=calls,
            calling=calling,
            talking=talking,
        )

    def _notice_silence(self) -> None:
        now = self._clock.now()
        for name, contact in self.contacts.items():
            if contact.heard_at is not None and now - contact.heard_at > contact.lost_s:
                silent, contact.heard_at, contact.sounding = now - contact.heard_at, None, None
                self._append(al.StationOffline(station=name, silent_s=round(silent, 1)))

    def _carry_out(self, alert: Alert, delivery: Delivery, step: Step, wait_s: int = 0) -> None:
        name = delivery.station
        ids: dict[str, str] = {"alert": alert.id, "station": name}
        match step.do:
            case Do.SEND if step.path is Path.VOICE:
                self._caller.call(alert, delivery, self.contacts[name].station, step.action)
            case Do.HANG_UP:
                self._caller.hang_up(alert.id, name)
            case Do.CUT:
                self._caller.cut(alert, delivery, step.action)
            case Do.SEND:
                self._sender.send(alert, delivery, step.path, step.action)
            case Do.CARD if delivery.card is None or (
                step.reason in NOT_SILENT and delivery.card_reason not in NOT_SILENT
            ):
                number = self.contacts[name].station.phone or ""
                self._append(a_card(alert, name, number, step.reason, wait_s))
            case Do.END:
                self._append(al.DeliveryEnded(**ids, path=step.path))
            case Do.EXPIRE:
                self._append(al.DeliveryExpired(**ids))
            case Do.CANCEL:
                self._append(al.DeliveryCancelled(**ids))
            case Do.FAIL:
                self._append(al.DeliveryFailed(**ids, reason=step.reason))

    # What comes back asks for

    def send_again(self, name: str, path: Path) -> None:
        """A station has a new session, knows our time now, or is back: whatever is open is signed anew for it."""
        station = self.contacts[name].station
        if path is Path.SMS and not (station.sms and self._sms_up()):
            return
        for alert in self._open():
            delivery = alert.deliveries.get(name)
            if delivery and not delivery.over:
                # What has sounded its time gets a stop: it ends nothing, and its answer is the proof that was missed.
                over = delivery.energised is not None and self._sender.seconds_left(alert, delivery) < 1
                action = "stop" if alert.stopped or over else "start"
                if action == "stop" or allowed(alert, path):
                    self._sender.send(alert, delivery, path, action)

    def on_standing(self, standing: Standing) -> None:
        """The annunciator is there (again): our own siren sounds what remains of what it forgot, or is stopped."""
        own = self._site.own
        local = [name for name, contact in self.contacts.items() if contact.station.local]
        for alert in self._open():
            for delivery in [alert.deliveries[name] for name in local if name in alert.deliveries]:
                outputs = own_outputs(alert, own) if own else []
                forgot = any(o in standing.outputs and alert.id not in standing.outputs[o].order_ids for o in outputs)
                if not delivery.over and (alert.stopped or (delivery.energised and forgot)):
                    self._sender.send(alert, delivery, Path.GPIO, "stop" if alert.stopped else "start")

    def fail(self, alert: str, delivery: Delivery) -> None:
        """A siren that sounded, or should, does not: its line is broken."""
        self._sender.fail(self._state.alerts[alert], delivery)

    def hello(self, contact: Contact, payload: bytes, path: Path) -> None:
        """Send a signed hello by the path that asked for it."""
        self._sender.hello(contact, payload, path)

    def wake(self) -> None:
        """Something happened that a delivery may wait for."""
        self._wake.set()

    def note(self, event: Event) -> None:
        self._append(event)
        self._wake.set()

    def delivery(self, alert: str, station: str) -> Delivery | None:
        found = self._state.alerts.get(alert)
        return found.deliveries.get(station) if found else None

    def tests(self, alert: str, path: Path) -> bool:
        """Whether the alert is a test of this very path."""
        found = self._state.alerts.get(alert)
        return found is not None and bool(found.test) and path in found.paths

    def counts(self, alert: str, path: Path) -> bool:
        """Whether an answer by this path says something: of a test of one path only answers by that path do."""
        found = self._state.alerts.get(alert)
        return found is None or not (found.test and found.paths) or path in found.paths

    @staticmethod
    def below(delivery: Delivery, state: DeliveryState) -> bool:
        """Whether `state` would be news."""
        return CERTAINTY[delivery.state] < CERTAINTY[state]

"""What comes back to the centre: signed answers of stations, and its own siren's word. Each becomes an event once.

An answer that is not signed by its station counts for nothing; nor does one of a session that has not yet echoed
something of ours (a recording could be played to us).
"""

import logging
from collections.abc import Callable

from appliance import alert_events as al
from appliance.alerting.answers import Count
from appliance.alerting.centre import Centre
from appliance.alerting.contact import Contact
from appliance.alerting.freshness import ASKING
from appliance.alerting.issuer import Issuer
from appliance.alerting.wire import NO_ID, Answer, Pattern, Reason, What, WireError, decode_answer
from appliance.alerting.wire_codec import NOTHING_PROVEN, Proven
from appliance.annunciator_protocol import OutputChange
from appliance.config import Site
from appliance.keyring import StationRing
from appliance.logs import about
from appliance.model import DeliveryState, Path
from appliance.sparing import Sparing
from appliance.state import Delivery
from drivers.clock import Clock

ENDS = ("ended", "limit", "stopped", "silenced", "failed", "left")  # of the box's own siren

LATER_STATES = {
    What.RECEIVED: DeliveryState.RECEIVED,
    What.ENERGISED: DeliveryState.ENERGISED,
    What.REFUSED: DeliveryState.REFUSED,
}


log = logging.getLogger("siaga.alerting")


class Reports:
    """Turns words from stations into events, and asks the centre to greet or to send again."""

    def __init__(
        self, site: Site, centre: Centre, issuer: Issuer, clock: Clock, keys: StationRing | None = None,
        on_lock: Callable[[str, str, bool, str], None] = lambda station, lock, locked, path: None,
        proven: Proven = NOTHING_PROVEN,
    ) -> None:  # fmt: skip
        self._centre, self._issuer, self._clock, self._on_lock = centre, issuer, clock, on_lock
        self._proven = proven
        self._by_number = {s.number: s for s in site.station}
        own = site.own
        self._own_outputs = {own.siren, *(zone.output for zone in own.zone)} if own else set[str]()
        self._local = next((s.id for s in site.station if s.local), None)
        self._keys = StationRing(site) if keys is None else keys
        self._flaws, self._noise = Sparing(), Sparing()  # noise is anybody's, and must not hide what a station does

    def on_answer(self, data: bytes, path: Path, *, named: str = "", retained: bool = False) -> None:
        """Bytes from the broker (topic of station `named`) or from an SMS."""
        if retained:
            self._refuse(named, "retained", path, self._noise)
            return
        try:
            answer = decode_answer(data, self._keys, self._proven)
        except WireError as e:
            self._refuse(named, f"{e.flaw}", path, self._noise)
            return
        station = self._by_number[answer.station]
        if named not in ("", station.id):
            self._refuse(named, "wrong_topic", path, self._noise)
            return
        contact = self._centre.contacts[station.id]
        before = contact.session
        count = contact.window.take(answer)
        if count in (Count.NEW, Count.UNPROVEN):
            self._issuer.learn_highest(answer)
        match count:
            case Count.NEW:
                self._believe(contact, answer, path, new_session=contact.session != before)
            case Count.UNPROVEN:
                self._greet(contact, answer, path)
            case Count.ENDED:
                self._refuse(station.id, "old_session", path, self._flaws)
            case Count.REPEATED:  # QoS 1 and two paths bring things twice
                if self._centre.tests(answer.alert.hex(), path):
                    self._about_delivery(contact, answer, path, 0.0)

    def _believe(self, contact: Contact, answer: Answer, path: Path, *, new_session: bool) -> None:
        now, name = self._clock.now(), contact.station.id
        late = contact.lateness(answer, now)
        back = path is Path.MQTT and contact.heard_at is None
        if path is Path.MQTT:
            contact.heard_at = now
            contact.sounding = answer.pattern is not Pattern.NONE
            if back or new_session:
                self._centre.note(al.StationOnline(station=name, session=answer.session.hex(), path=path))
        elif new_session:
            self._centre.note(al.StationOnline(station=name, session=answer.session.hex(), path=path))
            contact.heard_at = contact.sounding = None  # by SMS alone nobody is "online", and it tells of a while ago
        if answer.what in (What.LOCKED, What.UNLOCKED):
            self._on_lock(name, answer.alert.hex(), answer.what is What.LOCKED, path)
        elif answer.alert != NO_ID and answer.what not in (What.ALIVE, What.SESSION):
            self._about_delivery(contact, answer, path, late)
        refused = answer.what is What.REFUSED
        echo = answer.what is What.ALIVE and answer.alert != NO_ID
        if echo or new_session or back or (refused and answer.reason is Reason.REPLAYED):
            self._centre.send_again(name, path)
        elif (refused and answer.reason in ASKING) or (
            answer.what is What.ALIVE and path is Path.MQTT and contact.wants_hello(now)
        ):
            self._greet(contact, answer, path)

    def _about_delivery(self, contact: Contact, answer: Answer, path: Path, late: float) -> None:
        alert, station = answer.alert.hex(), contact.station.id
        delivery = self._centre.delivery(alert, station)
        if delivery is None or not self._centre.counts(alert, path):
            return
        if answer.reason is Reason.HARDWARE and not contact.window.is_newest(answer):
            return  # overtaken: it may sound by now
        if answer.what is What.REFUSED and answer.reason is Reason.LOCKED_OUT and delivery.energised:
            self._cut_short(contact, delivery, answer, path)
            return
        to = LATER_STATES.get(answer.what)
        if answer.what is What.REFUSED and answer.reason is Reason.EXPIRED and delivery.state is DeliveryState.EXPIRED:
            # It came by in the end, too late: on record, since until now nobody knew that it did not sound.
            self._centre.note(al.DeliveryRefused(alert=alert, station=station, path=path, reason="expired"))
            return
        if to is not None and answer.reason is not Reason.HARDWARE and not self._centre.below(delivery, to):
            return
        match answer.what:
            case What.RECEIVED:
                self._centre.note(al.DeliveryReceived(alert=alert, station=station, path=path))
            case What.ENERGISED:
                remaining = max(0, round(answer.remaining_s - late))
                self._centre.note(al.DeliveryEnergised(alert=alert, station=station, path=path, remaining_s=remaining))
            case What.PROVEN if delivery.proven is None and not delivery.over:
                self._centre.note(al.DeliveryProven(alert=alert, station=station, path=path))
            case What.HEARD if delivery.heard is None and not delivery.over:
                self._centre.note(al.DeliveryHeard(alert=alert, station=station, path=path))
            case What.ACKNOWLEDGED if delivery.acknowledged is None:
                self._centre.note(al.DeliveryAcknowledged(alert=alert, station=station, path=path))
            case What.SILENCED if delivery.silenced is None:
                self._centre.note(al.DeliverySilenced(alert=alert, station=station, path=path))
            case What.ENDED if not delivery.over or (delivery.state is DeliveryState.FAILED and delivery.energised):
                self._centre.note(al.DeliveryEnded(alert=alert, station=station, path=path))
            case What.REFUSED if delivery.energised and answer.reason is Reason.HARDWARE:
                self._centre.fail(alert, delivery)
            case What.REFUSED if self._centre.below(delivery, DeliveryState.ENERGISED):
                reason = answer.reason.name.lower()
                self._centre.note(al.DeliveryRefused(alert=alert, station=station, path=path, reason=reason))

    def _cut_short(self, contact: Contact, delivery: Delivery, answer: Answer, path: Path) -> None:
        """A lockout has silenced what sounded. Somebody has to wake the crew, unless it is awake."""
        ids: dict[str, str] = {"alert": answer.alert.hex(), "station": delivery.station, "path": path}
        news = contact.window.is_newest(answer) and self._centre.below(delivery, DeliveryState.EXPIRED)
        if not news or delivery.state is DeliveryState.REFUSED:
            return
        if delivery.acknowledged:
            self._centre.note(al.DeliveryEnded(**ids))
        else:
            self._centre.note(al.DeliveryRefused(**ids, reason="locked_out"))

    def _greet(self, contact: Contact, answer: Answer, path: Path) -> None:
        now = self._clock.now()
        if contact.may_hello(path, now):
            hello = self._issuer.hello(answer)
            contact.hello_sent(path, now)
            try:
                payload = self._issuer.sign(hello)
            except WireError as e:
                log.error("no hello for station %s: %s", contact.station.id, e, extra=about(station=contact.station.id))
                return
            contact.window.sent(hello)
            self._centre.hello(contact, payload, path)

    def on_local_output(self, change: OutputChange) -> None:
        """The box's own siren: its deliveries end when the annunciator says so."""
        delivery = self._centre.delivery(change.order or "", self._local or "")
        if delivery is None or delivery.over or change.why not in ENDS or change.output not in self._own_outputs:
            return
        if change.why == "failed":
            self._centre.fail(change.order or "", delivery)
            return
        ids: dict[str, str] = {"alert": change.order or "", "station": delivery.station, "path": Path.GPIO}
        if change.why == "silenced":
            self._centre.note(al.DeliverySilenced(**ids))
        self._centre.note(al.DeliveryEnded(**ids))

    def on_local_acknowledge(self, alerts: list[str]) -> None:
        """A person pressed the acknowledge input of this box."""
        for alert in alerts:
            delivery = self._centre.delivery(alert, self._local or "")
            if delivery and delivery.acknowledged is None:
                ids: dict[str, str] = {"alert": alert, "station": delivery.station, "path": Path.GPIO}
                self._centre.note(al.DeliveryAcknowledged(**ids))

    def on_local_feedback(self, alerts: list[str]) -> None:
        """The feedback contact of this box's siren closed: what sounds is proven."""
        for alert in alerts:
            delivery = self._centre.delivery(alert, self._local or "")
            if delivery and delivery.state is DeliveryState.ENERGISED:
                self._centre.note(al.DeliveryProven(alert=alert, station=delivery.station, path=Path.GPIO))

    def _refuse(self, station: str, reason: str, path: Path, sparing: Sparing) -> None:
        # The topic's name is anybody's word until its station is known.
        known = station if station in self._centre.contacts else ""
        if sparing.says(f"{known} {reason}", self._clock.now()):
            self._centre.note(al.AnswerRefused(station=known, reason=reason, path=path))

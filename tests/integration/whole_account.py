"""What must be true of siren orders, whatever happened: looked at when a story is over. Each finding is one line.

Nothing here asks the machines: sirens are judged by what their relays did, people by what a journal told them.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache

from order_world import CENTRE, STATION
from whole_box import MOST, Span, WholeBox
from whole_story import Given, Stretch, Told
from whole_world import BOUND, Whole

from appliance import alert_events as al
from appliance.alarms.alarm_machine import Row
from appliance.alarms.catalogue import CATALOGUE, load_catalogue
from appliance.entry import Entry
from appliance.journal_file import read_entries
from appliance.model import AlertKind, DeliveryState
from appliance.model import Path as Way
from appliance.station_events import LockConfirmed, LockoutEnded, LockoutSet, SirenUnlocked

GRACE = 2.5  # s beyond an order's seconds when its rest sounds again: whole seconds there and back, and the way
SILENT_BY_MQTT = 40.0  # s; stops go on each 15 s, and a new session takes a greeting first
SILENT_NEAR = 4.0
SPEAKING = (AlertKind.ACTUAL, AlertKind.SOUNDING_TEST)
MARKS = {AlertKind.ACTUAL: "Keadaan darurat", AlertKind.DRILL: "Latihan"}
TEST_MARK = "Uji coba"
OF_STATION = ("delivery.received", "delivery.energised", "delivery.proven", "delivery.ended", "delivery.refused")


@cache
def alarms() -> tuple[Row, ...]:
    return load_catalogue(CATALOGUE)


class Account:
    """Of one story."""

    def __init__(self, world: Whole, told: Told) -> None:
        self.w, self.told = world, told
        self.rows: list[Entry] = list(read_entries(world.file))
        self.stopped = {row.subject: row.mono for row in self.rows if row.kind == "alert.stopped"}
        self.boxes: dict[str, WholeBox] = {CENTRE: world.near, STATION: world.far}  # type: ignore[dict-item]

    def faults(self) -> list[str]:
        return [
            *self._nobody_ordered(), *self._too_long(), *self._twice(), *self._no_end(), *self._nobody_told(),
            *self._untrue(), *self._stops(), *self._locked(), *self._keys(), *self._calls(), *self._left(),
        ]  # fmt: skip

    def counted(self) -> Counter[str]:
        """What became of its orders, so that nobody takes an idle campaign for a proof."""
        kinds = Counter(row.kind for row in self.rows)
        return Counter({
            "orders": len(self.told.orders),
            "sounds": sum(len(box.spans) for box in self.boxes.values()),
            "cards": kinds["delivery.card_raised"],
            "calls with a key": kinds["delivery.spoken"],
            "lockouts at the station": sum(isinstance(row, LockoutSet) for _, row in self.w.station_rows),
            "refusals at the station": sum(isinstance(row, al.OrderRefused) for _, row in self.w.station_rows),
        })  # fmt: skip

    def _spans(self) -> Iterator[tuple[str, Span, Given | None]]:
        for place, box in self.boxes.items():
            yield from ((place, span, self.told.orders.get(span.alert)) for span in box.spans)

    def _nobody_ordered(self) -> Iterator[str]:
        for place, span, order in self._spans():
            if order is None or order.place != place or span.output not in order.outputs:
                yield f"a siren without an order: {place} {span}"
            elif order.kind not in SPEAKING:
                yield f"a {order.kind} sounded"
            elif order.kind is AlertKind.SOUNDING_TEST and place not in self.told.tests:
                yield f"a test sounded that {place} does not allow"
            elif span.kind is not order.kind:
                yield f"a {order.kind} sounded as {span.kind}"
            elif order.paths and not {Way.GPIO if place == CENTRE else Way.MQTT, Way.SMS} & set(order.paths):
                yield f"it sounded by a path that the order does not have: {order.paths}"

    def _too_long(self) -> Iterator[str]:
        for place, span, order in self._spans():
            if span.to is None:
                yield f"it still sounds: {span}"
            elif order and span.to - span.since > self._most(place, order) + 0.1:
                yield f"it sounded {span.to - span.since:.1f} s of {self._most(place, order)} s"
        for alert, order in self.told.orders.items():
            box, most = self.boxes[order.place], self._most(order.place, order)
            for output in order.outputs:
                times = 1 + len([at for at in box.lost_power if at > order.at])
                # A station that lost its power before its word got through is woken anew: better twice than not at all.
                whole = times if self._reset_since(order) else 1
                if box.sounded(alert, output) > (most + GRACE) * whole:
                    yield f"{output} sounded {box.sounded(alert, output):.1f} s in all, of {most} s"
                if order.durable and order.seconds - box.sounded(alert, output) < -GRACE * whole and whole == 1:
                    yield f"{output} sounded longer than was ordered"

    def _reset_since(self, order: Given) -> bool:
        return order.place == STATION and any(at > order.at for at in self.told.resets)

    @staticmethod
    def _most(place: str, order: Given) -> float:
        return min(order.seconds, MOST, BOUND if place == STATION else MOST)

    def _twice(self) -> Iterator[str]:
        for alert, order in self.told.orders.items():
            box = self.boxes[order.place]
            for output in order.outputs:
                begun = [s.since for s in box.spans if (s.alert, s.output) == (alert, output)]
                lost = [at for at in box.lost_power if at > order.at]
                if len(begun) > 1 + len(lost):
                    yield f"{output} sounded {len(begun)} times: {begun}, without power at {lost}"
        taken = [e.order for _, e in self.w.station_rows if isinstance(e, al.OrderAccepted)]
        yield from (f"one order was accepted twice: {order}" for order in taken if taken.count(order) > 1)

    def _no_end(self) -> Iterator[str]:
        ended = {row.subject for row in self.rows if row.kind == "alert.ended"}
        known = {row.subject for row in self.rows if row.kind == "alert.issued"}
        for alert, order in self.told.orders.items():
            if alert not in known:
                if order.durable or not self.told.forgot:
                    yield f"an order was lost: {order}"
            elif alert not in ended:
                yield f"an order never came to an end: {self.w.state.alerts.get(alert)}"
        for alert in self.w.state.alerts.values():
            if alert.ended:
                yield from (f"over, and its delivery is not: {d}" for d in alert.deliveries.values() if not d.over)

    def _nobody_told(self) -> Iterator[str]:
        for alert in self.w.state.alerts.values():
            for name, delivery in alert.deliveries.items():
                called = delivery.card or "start" in delivery.spoken
                if delivery.state is DeliveryState.CANCELLED and not alert.stopped and not called:
                    yield f"cancelled, and nobody did that or was told: {delivery}"
                elif delivery.state not in (DeliveryState.ENDED, DeliveryState.CANCELLED) and not called:
                    yield f"{delivery.state}, and nobody was called: {delivery}"
                order = self.told.orders.get(alert.id)
                if order and not called and not alert.stopped and delivery.state is DeliveryState.ENDED:
                    yield from self._sounded_as_said(alert.id, name, order)

    def _sounded_as_said(self, alert: str, name: str, order: Given) -> Iterator[str]:
        """Nobody was called: then it sounded, as long as it should, or something is known to have ended it."""
        if order.kind not in SPEAKING or order.paths == (Way.VOICE,):
            return
        box = self.boxes[name]
        best = max(box.sounded(alert, output) for output in order.outputs)
        last = [s for s in box.spans if s.alert == alert]
        cut_short = any(s.why in ("silenced", "limit", "stopped") for s in last) or any(
            at > order.at for at in box.lost_power
        )
        if not last:
            yield f"said to have sounded, and did not: {order}"
        elif best < self._most(name, order) - GRACE and not cut_short:
            yield f"it sounded {best:.1f} s of {order.seconds} s, and nobody was called"

    def _untrue(self) -> Iterator[str]:
        for row in self.rows:
            if row.kind == "delivery.ended":
                alert, place = row.subject.split("/")
                late = [s for s in self.boxes[place].spans if s.alert == alert and (s.to or 1e9) > row.mono + 0.1]
                yield from (f"it sounded after it was said to have ended: {span}" for span in late)

    def _clear(self, way: str) -> list[Stretch]:
        return self.told.clear.get(way, [])

    def _stops(self) -> Iterator[str]:
        """A stop is as strong as a start: by each way that is clear it brings silence, and nothing begins behind it."""
        for alert, at in self.stopped.items():
            order = self.told.orders[alert]
            way, within = ("near", SILENT_NEAR) if order.place == CENTRE else ("mqtt", SILENT_BY_MQTT)
            for stretch in self._clear(way):
                silent = max(stretch.since, at) + within
                for span in self.boxes[order.place].spans:
                    if span.alert == alert and silent < stretch.to and span.within(silent, stretch.to):
                        yield f"stopped at {at}, the way clear {stretch}, and it sounded: {span}"
            yield from self._stop_by_sms(alert, at)
        for at, row in self.w.station_rows:
            if isinstance(row, al.OrderAccepted) and row.action == "stop":
                begun = [s for s in self.w.far.spans if s.alert == row.alert and s.since > at + 0.1]  # type: ignore[attr-defined]
                yield from (f"it began behind a stop that the station had taken at {at}: {s}" for s in begun)

    def _stop_by_sms(self, alert: str, at: float) -> Iterator[str]:
        rows = [row for row in self.rows if row.subject == f"{alert}/{STATION}"]
        sent = [(r.mono, r.event) for r in rows if isinstance(r.event, al.DeliverySent) and r.event.path == Way.SMS]
        failed = [r for r in rows if isinstance(r.event, al.DeliverySendFailed) and r.event.path == Way.SMS]
        ends = (al.DeliveryEnded, al.DeliveryCancelled)
        by_sms = [when for when, e in sent if e.action == "start" and when < at]
        open_at = all(r.mono > at + 15 or not isinstance(r.event, ends) for r in rows)
        sms = any(s.since <= at and s.to >= at + 15 for s in self._clear("sms"))
        stops = [when for when, e in sent if e.action == "stop" and when < at + 15]
        if by_sms and not failed and open_at and sms and not stops:
            yield f"a start went by SMS, its stop did not: {alert}"

    def _locked(self) -> Iterator[str]:
        if self.told.unlocked:
            yield f"the station did not know the lockout of its journal at {self.told.unlocked[:3]}"
        yield from self._overtaken()
        since: tuple[str, float] | None = None
        locks: list[tuple[str, float, float]] = []
        for at, row in self.w.station_rows:
            if isinstance(row, LockoutSet | LockoutEnded):
                if since:
                    locks.append((*since, at))
                since = (row.lock, at) if isinstance(row, LockoutSet) else None
        if since:
            locks.append((*since, self.w.clock.now()))
        for lock, begin, end in locks:
            for span in self.w.far.spans:  # type: ignore[attr-defined]
                if begin + 0.01 < span.since < end:
                    yield f"it began to sound under lockout {lock} of {begin}: {span}"
                for stretch in self._clear("far"):
                    silent = max(begin, stretch.since) + SILENT_NEAR
                    if silent < min(end, stretch.to) and span.within(silent, min(end, stretch.to)):
                        yield f"it sounds under lockout {lock} of {begin}, the station being there {stretch}: {span}"
        set_at = {row.lock: at for at, row in reversed(self.w.station_rows) if isinstance(row, LockoutSet)}
        for row in self.rows:
            if isinstance(row.event, LockConfirmed) and row.event.locked and row.mono < set_at.get(row.event.lock, 1e9):
                yield f"the centre believes a lockout that the station does not have: {row.event}"
        for row in self.rows:  # what the centre takes for the station's word
            if isinstance(row.event, SirenUnlocked) and row.event.why == "station":
                held = [begin for lock, begin, end in locks if lock == row.event.lock and begin < row.mono < end - 1]
                if held:
                    yield f"the centre believes that lockout {row.event.lock} is over, and it is not"
        known, now = self.w.state.lockouts.get(STATION), self.w.clock.now()
        stands = known and not known.ended and known.since.wall + 60 * known.minutes > self.w.clock.wall() + 120
        if known and stands and not self.told.revoked and self.told.left not in ("dark", "away"):
            held = [lock for lock, begin, end in locks if lock == known.lock and begin <= now <= end]
            if not held:
                yield f"the centre says that its siren is locked, and it is not: {known}"

    def _overtaken(self) -> Iterator[str]:
        """A lock that comes behind a later one of the same life takes no place."""
        newest, set_last = (0.0, 0, ""), ""
        for at, row in self.w.station_rows:
            if isinstance(row, LockoutSet):
                set_last = row.lock
            elif isinstance(row, al.OrderAccepted) and row.action == "lock":
                if any(newest[0] < reset < at for reset in self.told.resets):
                    newest = (at, 0, "")
                if row.sequence < newest[1] and set_last == row.alert != newest[2]:
                    yield f"lock {row.alert} of sequence {row.sequence} took the place of {newest[1]}"
                newest = max(newest, (at, row.sequence, row.alert), key=lambda one: one[1])

    def _keys(self) -> Iterator[str]:
        if found := self.told.revoked.get(CENTRE):
            at, id = found
            for when, row in self.w.station_rows:
                if isinstance(row, al.OrderAccepted) and row.issuer == id and when > at + SILENT_NEAR:
                    yield f"an order by a key that was revoked at {at}: {when} {row}"
        if found := self.told.revoked.get(STATION):
            for entry in self.rows:
                told = entry.kind in OF_STATION and entry.subject.endswith(STATION)
                if told and getattr(entry.event, "path", "") in (Way.MQTT, Way.SMS) and entry.mono > found[0] + 0.01:
                    yield f"an answer by a key that was revoked at {found[0]}: {entry.event}"

    def _calls(self) -> Iterator[str]:
        """What people heard on the phone of each alert."""
        heard: dict[str, list[tuple[float, str]]] = {}
        for entry in self.rows:
            if isinstance(entry.event, al.DeliveryCalled) and entry.event.call in self.w.phone.words:
                at, _, words = self.w.phone.words[entry.event.call]
                heard.setdefault(entry.event.alert, []).append((at, words))
        if sum(map(len, heard.values())) != len(self.w.phone.words) and not self.told.forgot:
            yield "a call of no order"
        for alert, calls in heard.items():
            order = self.told.orders[alert]
            mark = MARKS.get(order.kind, TEST_MARK)
            of_actual = [w for _, w in calls if order.kind is AlertKind.ACTUAL and (TEST_MARK in w or "Latihan" in w)]
            starts = [at for at, words in calls if "Batal." not in words]
            stops = [at for at, words in calls if "Batal." in words]
            begun = [words for _, words in calls if "Batal." not in words]
            if of_actual or not all(mark in words for words in begun):
                yield f"the call of a {order.kind} can be mistaken: {calls}"
            if len(starts) > 6:
                yield "it was called without end"
            if alert in self.stopped:
                if any(at > self.stopped[alert] + 0.5 for at in starts):
                    yield "what was stopped was told"
                known = self.w.state.alerts.get(alert)
                delivery = known.deliveries[order.place] if known else None
                if starts and not stops and delivery and not delivery.card and order.kind in SPEAKING:
                    yield f"nobody was told that it is over: {delivery}"
            elif stops and not self.told.forgot:
                yield "what was not stopped was taken back"

    def _left(self) -> Iterator[str]:
        """What is wrong at the end stands as an alarm at the centre."""
        left, last = self.told.left, self.told.last
        if not left or self.told.revoked or not last:
            return
        sounded = any(s.alert == last and s.output == "siren" for s in self.w.far.spans)  # type: ignore[attr-defined]
        code = {
            "welded": "station.siren_stuck" if sounded else "",
            "cut": "station.no_current" if sounded else "",
            "away": "station.annunciator",
            "dark": "station.offline",
        }[left]
        if code and not any(self._raises(row, code) for row in self.rows):
            yield f"{left} at the station since {self.told.left_at}, and no alarm {code}"

    def _raises(self, entry: Entry, code: str) -> bool:
        row = next(row for row in alarms() if row.code == code)
        return any(cause.fits(entry.event) for cause in row.raised_by)

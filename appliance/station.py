"""A station's part: it judges each signed order, sounds what is fresh, and answers with what it has seen.

The relay comes first, the journal and the answer after it. Nothing here needs a disk, a broker or a right clock.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import alert_events as al
from appliance.alerting.freshness import (
    ASKING,
    HELLO_BY_MQTT,
    HELLO_BY_SMS,
    Accept,
    Duplicate,
    Freshness,
    Learned,
    Refuse,
)
from appliance.alerting.wire import (
    NO_ID,
    Action,
    Answer,
    Kind,
    Order,
    Pattern,
    Reason,
    What,
    WireError,
    decode_order,
    encode_answer,
)
from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import OutputChange, Standing
from appliance.config import Site
from appliance.journal import Appended
from appliance.keyring import IssuerRing, OwnKey
from appliance.model import Path
from appliance.sparing import Sparing
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal

HEARTBEAT = 3.0  # s; the best vendor's (Purvis FSAS), so that a lost station is known within 9 s
ANNOUNCE_BY_SMS = 60.0  # s without a broker after the start, then the session is announced by SMS
HARDWARE_WITHIN = 3.0  # s that an accepted order waits for the annunciator, then the centre is told
HARDWARE_AGAIN = 0.2  # s between attempts until then
SMS_AGAIN, MOST_SMS = 10.0, 4  # s between answers by SMS to orders not accepted, and how many a minute: anybody can
# send us a recorded order, and each answer costs credit and a line
ANSWER_LIFE = 60  # s that the broker keeps an answer
MOST_ACTIVE = 64

log = logging.getLogger("siaga.station")


class Active(msgspec.Struct):
    """An alert that this station accepted. `until` is this station's monotonic time."""

    order: Order
    path: Path
    accepted_at: float
    until: float
    may_sound: bool
    energised: bool = False
    stopped: bool = False  # nothing sounds it again, whatever comes back when
    failed: bool = False  # the line did not do what it was told
    ended: bool = False
    acknowledged: bool = False


class StationNode:
    """One session of this station's core."""

    def __init__(
        self, *, site: Site, clock: Clock, append: Callable[..., Appended], key: Ed25519PrivateKey | OwnKey,
        annunciator: AnnunciatorLink, publish: Callable[[str, bytes, int], str], broker_up: Callable[[], bool],
        send_sms: Callable[[str, bytes, str], Awaitable[None]], issuers: IssuerRing | None = None,
    ) -> None:  # fmt: skip
        assert site.own is not None
        self._own, self._site, self._clock, self._append = site.own, site, clock, append
        self._key = key if isinstance(key, OwnKey) else OwnKey(key)
        self._annunciator, self._publish, self._broker_up, self._send_sms = annunciator, publish, broker_up, send_sms
        self._issuers = issuers or IssuerRing(site)
        self.session = secrets.token_bytes(8)
        self._fresh = Freshness(self.session, self._own.number, self._issuers, self._own.max_s, self._issuers.kin)
        self._reply_to: dict[int, str] = {}
        self._began = clock.now()
        self._counter = 0
        self.active: dict[str, Active] = {}
        self._flaws, self._by_sms_seldom = Sparing(), Sparing(SMS_AGAIN, MOST_SMS, 60.0)
        self._noise = Sparing()  # anybody's, and must not hide what an issuer's key does
        self._group: asyncio.TaskGroup | None = None
        self._announce_by_sms_at: float | None = self._began + ANNOUNCE_BY_SMS

    async def run(self) -> None:
        """Heartbeats, and the announcement by SMS when no broker is reached."""
        try:
            async with asyncio.TaskGroup() as self._group:
                while True:
                    self._beat()
                    await asyncio.sleep(HEARTBEAT)
        finally:
            self._group = None

    def _beat(self) -> None:
        now = self._clock.now()
        if self._broker_up():
            self._answer(What.ALIVE, Path.MQTT)
        elif self._announce_by_sms_at is not None and now > self._announce_by_sms_at:
            self._announce_by_sms_at = None  # until it fails
            self._answer(What.SESSION, Path.SMS)
        for alert, active in list(self.active.items()):
            if active.may_sound and not active.energised and not active.ended and now > active.until:
                active.ended = True  # the annunciator never came back while the order was worth sounding
            if now - active.accepted_at > 3600 or len(self.active) > MOST_ACTIVE:
                del self.active[alert]

    def on_broker_up(self) -> None:
        """Announce the session at once: until the centre knows it, no order can be signed for us."""
        self._answer(What.SESSION, Path.MQTT)

    # Orders in

    def on_order(self, data: bytes, path: Path, *, number: str = "", retained: bool = False) -> None:
        """Bytes from our topic, or from an SMS that `number` sent."""
        if retained:
            self._refused("", path, "retained", self._noise)
            return
        try:
            order = decode_order(data, self._issuers)
        except WireError as e:
            self._refused("", path, f"{e.flaw}", self._noise)  # unsigned: not answered
            return
        if number in self._issuers.numbers(order.issuer):
            self._reply_to[order.issuer] = number  # the modem that sends hears too; another may be dead
        now = self._clock.now()
        match self._fresh.judge(order, now):
            case Accept() as accept:
                self._spawn(self._act(accept, path, data))
            case Learned():
                self._answer(What.ALIVE, path, order=order)
            case Duplicate():
                self._refused(order.alert.hex(), path, "replayed")
                if self._may_answer(order, path):
                    self._tell_state(order, path)
            case Refuse(reason=reason) as refuse:
                self._refused(order.alert.hex(), path, reason.name.lower())
                worth = reason is not Reason.UNKNOWN_ISSUER and (order.action is not Action.HELLO or refuse.asks)
                if worth and self._may_answer(order, path):
                    self._answer(What.REFUSED, path, order=order, reason=reason)

    def _may_answer(self, order: Order, path: Path) -> bool:
        """An order not accepted may be a recording: by SMS it is answered seldom."""
        return path is not Path.SMS or self._by_sms_seldom.says(f"{order.issuer}", self._clock.now())

    async def _act(self, accept: Accept, path: Path, signed: bytes) -> None:
        order, alert = accept.order, accept.order.alert.hex()
        active = self.active.get(alert)
        if order.action is Action.STOP:
            await self._stop(order, path)
        elif active is not None:
            active.path = path  # asked again, perhaps by a centre that restarted: say what is so, sound nothing twice
            self._tell_state(order, path)
        elif order.kind is Kind.SOUNDING_TEST and not self._own.sounding_test:
            self._refused(alert, path, "not_allowed")
            self._answer(What.REFUSED, path, order=order, reason=Reason.NOT_ALLOWED)
            return
        else:
            now = self._clock.now()
            self.active[alert] = Active(order, path, now, now + accept.seconds, accept.may_sound)
            if accept.may_sound:
                await self._sound(alert)
            else:
                self._answer(What.RECEIVED, path, order=order)
                self._answer(What.ENDED, path, order=order)
                self.active[alert].ended = True
        self._append(
            al.OrderAccepted(
                alert=alert, action=order.action.name.lower(), path=path, issuer=order.issuer,
                sequence=order.sequence, seconds=accept.seconds, order=signed.hex(),
            )
        )  # fmt: skip

    async def _sound(self, alert: str) -> None:
        """Sound what remains of an accepted alert; try again until the annunciator is there."""
        active = self.active[alert]
        pattern = active.order.pattern.name.lower()
        told = False
        while not (active.ended or active.stopped) and (left := active.until - self._clock.now()) >= 1:
            try:
                sound = await self._annunciator.sound(alert, self._own.siren, pattern, left)
            except (Gone, Refusal) as e:
                if isinstance(e, Refusal) and e.code == "stopped":  # a stop of before our restart
                    self._ended(active, What.ENDED)
                    return
                if not told:
                    told = True
                    log.error("the annunciator does not sound alert %s: %s", alert, e)
                    self._answer(What.RECEIVED, active.path, order=active.order)
                if self._clock.now() - active.accepted_at > HARDWARE_WITHIN:
                    self._failed(active)
                    return
                await asyncio.sleep(HARDWARE_AGAIN)
                continue
            if sound.energised:
                active.energised, active.failed = True, False
                self._answer(What.ENERGISED, active.path, order=active.order, remaining=sound.remaining_s)
            elif sound.ended in (None, "failed"):
                self._failed(active)
            else:
                self._ended(active, What.ENDED)
            return

    async def _stop(self, order: Order, path: Path) -> None:
        alert = order.alert.hex()
        active = self.active.get(alert)
        if active:
            active.path, active.stopped = path, True
        began = self._clock.now()
        while True:
            try:
                await self._annunciator.stop([alert])
                break
            except (Gone, Refusal) as e:
                if self._clock.now() - began > HARDWARE_WITHIN:
                    log.error("the annunciator does not take the stop of %s: %s", alert, e)
                    self._answer(What.REFUSED, path, order=order, reason=Reason.HARDWARE)
                    return
            await asyncio.sleep(HARDWARE_AGAIN)
        if active:
            active.ended = True
        self._answer(What.ENDED, path, order=order)

    def _tell_state(self, order: Order, path: Path) -> None:
        active = self.active.get(order.alert.hex())
        if active is None:
            return
        if active.ended:
            self._answer(What.ENDED, path, order=order)
        elif active.energised:
            self._answer(What.ENERGISED, path, order=order, remaining=active.until - self._clock.now())
        elif active.failed:
            self._answer(What.REFUSED, path, order=order, reason=Reason.HARDWARE)
        else:
            self._answer(What.RECEIVED, path, order=order)
        if active.acknowledged:
            self._answer(What.ACKNOWLEDGED, path, order=order)

    # The box's own word

    def on_standing(self, standing: Standing) -> None:
        """The annunciator is there (again): stop what is to be silent, sound what remains of what it does not sound."""
        siren = standing.outputs.get(self._own.siren)
        sounding = siren.order_ids if siren else ()
        now = self._clock.now()
        for alert, active in self.active.items():
            if active.ended or not active.may_sound:
                continue
            if active.stopped:
                self._spawn(self._stop(active.order, active.path))
            elif alert not in sounding and active.until - now >= 1:
                self._spawn(self._sound(alert))
            elif alert not in sounding and active.energised:
                self._ended(active, What.ENDED)  # while nobody told us

    def on_output(self, change: OutputChange) -> None:
        """The siren's state changed: the end of an order's sound is told to the centre."""
        active = self.active.get(change.order or "")
        if active is None or active.ended or change.why in ("ordered", "local"):
            return
        if change.why == "failed":
            self._failed(active)
            return
        if change.why == "silenced":
            self._answer(What.SILENCED, active.path, order=active.order)
        self._ended(active, What.ENDED)

    def _ended(self, active: Active, what: What) -> None:
        active.ended = True
        self._answer(what, active.path, order=active.order)

    def _failed(self, active: Active) -> None:
        active.energised, active.failed = False, True
        self._answer(What.REFUSED, active.path, order=active.order, reason=Reason.HARDWARE)

    def on_feedback(self) -> None:
        """The feedback contact closed: what sounds is proven."""
        for active in self.active.values():
            if active.energised and not active.ended:
                self._answer(What.PROVEN, active.path, order=active.order)

    def on_acknowledge(self) -> None:
        """A person pressed the acknowledge input: it counts for every alert of the last hour not yet acknowledged."""
        for active in self.active.values():
            if not active.acknowledged:
                active.acknowledged = True
                self._answer(What.ACKNOWLEDGED, active.path, order=active.order)

    # Answers out

    def _answer(
        self, what: What, path: Path, *, order: Order | None = None, reason: Reason = Reason.NONE,
        remaining: float = 0.0,
    ) -> None:  # fmt: skip
        now = self._clock.now()
        self._counter += 1
        sounding = next((a for a in self.active.values() if a.energised and not a.ended and a.until > now), None)
        issuer = order.issuer if order else next(iter(self._issuers), 0)
        answer = Answer(
            what=what,
            station=self._own.number,
            key=self._key.id,
            session=self.session,
            counter=self._counter,
            uptime_s=int(now - self._began),
            reason=reason,
            alert=order.alert if order else NO_ID,
            issuer=issuer,
            sequence=order.sequence if order else 0,
            highest=self._fresh.highest(issuer),
            remaining_s=max(0, min(0xFFFF, round(remaining or (sounding.until - now if sounding else 0)))),
            pattern=sounding.order.pattern if sounding else Pattern.NONE,
        )
        if what in (What.ALIVE, What.SESSION) or reason in ASKING:  # the centre may reply with its time
            self._fresh.announced(self._counter, now, HELLO_BY_SMS if path is Path.SMS else HELLO_BY_MQTT)
        payload = encode_answer(answer, self._key.private)
        refused = self._publish(f"siaga/{self._site.site}/station/{self._own.id}/answer", payload, ANSWER_LIFE)
        numbers = self._issuers.numbers(issuer)
        number = self._reply_to.get(issuer, numbers[0] if numbers else "")
        if number and (path is Path.SMS or (refused and what not in (What.ALIVE, What.SESSION))):
            self._spawn(self._by_sms(number, payload, what))

    async def _by_sms(self, number: str, payload: bytes, what: What) -> None:
        try:
            await self._send_sms(number, payload, "answer")
        except OSError as e:
            log.error("an answer by SMS to %s was not sent: %s", number, e)
            if what is What.SESSION:
                self._announce_by_sms_at = self._clock.now() + ANNOUNCE_BY_SMS

    def _refused(self, alert: str, path: Path, reason: str, sparing: Sparing | None = None) -> None:
        if (sparing or self._flaws).says(f"{reason} {alert}", self._clock.now()):
            self._append(al.OrderRefused(alert=alert, path=path, reason=reason))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._group is None:
            log.error("the station's task is being started again; an effect was dropped, the centre will ask again")
            work.close()
            return
        self._group.create_task(work)

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
from appliance.keys import key_id, keyring, public_key
from appliance.model import Path
from drivers.clock import Clock
from drivers.jsonsocket import Gone, Refusal

HEARTBEAT = 3.0  # s; the best vendor's (Purvis FSAS), so that a lost station is known within 9 s
ANNOUNCE_BY_SMS = 60.0  # s without a broker after the start, then the session is announced by SMS
HARDWARE_WITHIN = 3.0  # s that an accepted order waits for the annunciator, then the centre is told
SAID_AGAIN = 5.0  # s between rows about the same flaw: a flood must not fill the journal
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
    ended: bool = False
    acknowledged: bool = False


class StationNode:
    """One session of this station's core."""

    def __init__(
        self, *, site: Site, clock: Clock, append: Callable[..., Appended], key: Ed25519PrivateKey,
        annunciator: AnnunciatorLink, publish: Callable[[str, bytes, int], str], broker_up: Callable[[], bool],
        send_sms: Callable[[str, bytes, str], Awaitable[None]],
    ) -> None:  # fmt: skip
        assert site.own is not None
        self._own, self._site, self._clock, self._append, self._key = site.own, site, clock, append, key
        self._annunciator, self._publish, self._broker_up, self._send_sms = annunciator, publish, broker_up, send_sms
        self._issuers = keyring(public_key(i.key, f"issuer {i.name}") for i in site.issuer)
        self._sms_of = {key_id(public_key(i.key, "")): i.sms for i in site.issuer}
        self.session = secrets.token_bytes(8)
        self._fresh = Freshness(self.session, self._own.number, list(self._issuers), self._own.max_s)
        self._key_id = key_id(key.public_key())
        self._began = clock.now()
        self._counter = 0
        self.active: dict[str, Active] = {}
        self._said: dict[str, float] = {}
        self._group: asyncio.TaskGroup | None = None
        self._announced_by_sms = False

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
        elif not self._announced_by_sms and now - self._began > ANNOUNCE_BY_SMS:
            self._announced_by_sms = True
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

    def on_order(self, data: bytes, path: Path, *, retained: bool = False) -> None:
        """Bytes from our topic or from an SMS."""
        if retained:
            self._refused("", path, "retained")
            return
        try:
            order = decode_order(data, self._issuers)
        except WireError as e:
            self._refused("", path, f"{e.flaw}")  # unsigned: not answered
            return
        now = self._clock.now()
        match self._fresh.judge(order, now):
            case Accept() as accept:
                self._spawn(self._act(accept, path, data))
            case Learned():
                self._answer(What.ALIVE, path, order=order)
            case Duplicate():
                self._refused(order.alert.hex(), path, "replayed")
                self._tell_state(order, path)
            case Refuse(reason=reason) as refuse:
                self._refused(order.alert.hex(), path, reason.name.lower())
                if reason is not Reason.UNKNOWN_ISSUER and (order.action is not Action.HELLO or refuse.asks):
                    self._answer(What.REFUSED, path, order=order, reason=reason)

    async def _act(self, accept: Accept, path: Path, signed: bytes) -> None:
        order, alert = accept.order, accept.order.alert.hex()
        active = self.active.get(alert)
        if order.action is Action.STOP:
            await self._stop(order, path)
        elif active is not None:
            active.path = path  # asked again, perhaps by a centre that restarted: say what is so, sound nothing twice
            self._tell_state(order, path)
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
        while not active.ended and (left := active.until - self._clock.now()) >= 1:
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
                if told and self._clock.now() - active.accepted_at > HARDWARE_WITHIN:
                    self._answer(What.REFUSED, active.path, order=active.order, reason=Reason.HARDWARE)
                    return
                await asyncio.sleep(0.2)
                continue
            if sound.energised:
                active.energised = True
                self._answer(What.ENERGISED, active.path, order=active.order, remaining=sound.remaining_s)
            else:
                self._ended(active, What.ENDED)
            return

    async def _stop(self, order: Order, path: Path) -> None:
        alert = order.alert.hex()
        active = self.active.get(alert)
        if active:
            active.path = path
        try:
            await self._annunciator.stop([alert])
        except (Gone, Refusal) as e:
            log.error("the annunciator does not take the stop of %s: %s", alert, e)
            self._answer(What.REFUSED, path, order=order, reason=Reason.HARDWARE)
            return
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
        else:
            self._answer(What.RECEIVED, path, order=order)
        if active.acknowledged:
            self._answer(What.ACKNOWLEDGED, path, order=order)

    # The box's own word

    def on_standing(self, standing: Standing) -> None:
        """The annunciator is there (again): sound what remains of what it does not sound."""
        siren = standing.outputs.get(self._own.siren)
        sounding = siren.order_ids if siren else ()
        for alert, active in self.active.items():
            if active.may_sound and not active.ended and alert not in sounding:
                self._spawn(self._sound(alert))

    def on_output(self, change: OutputChange) -> None:
        """The siren's state changed: the end of an order's sound is told to the centre."""
        active = self.active.get(change.order or "")
        if active is None or active.ended or change.why in ("ordered", "local", "failed"):
            return
        if change.why == "silenced":
            self._answer(What.SILENCED, active.path, order=active.order)
        self._ended(active, What.ENDED)

    def _ended(self, active: Active, what: What) -> None:
        active.ended = True
        self._answer(what, active.path, order=active.order)

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
        sounding = next((a for a in self.active.values() if a.energised and not a.ended), None)
        issuer = order.issuer if order else next(iter(self._issuers))
        answer = Answer(
            what=what,
            station=self._own.number,
            key=self._key_id,
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
        payload = encode_answer(answer, self._key)
        refused = self._publish(f"siaga/{self._site.site}/station/{self._own.id}/answer", payload, ANSWER_LIFE)
        number = self._sms_of.get(issuer)
        if number and (path is Path.SMS or (refused and what not in (What.ALIVE, What.SESSION))):
            self._spawn(self._by_sms(number, payload))

    async def _by_sms(self, number: str, payload: bytes) -> None:
        try:
            await self._send_sms(number, payload, "answer")
        except OSError as e:
            log.error("an answer by SMS to %s was not sent: %s", number, e)

    def _refused(self, alert: str, path: Path, reason: str) -> None:
        now = self._clock.now()
        key = f"{reason} {alert}"
        if now - self._said.get(key, -SAID_AGAIN) < SAID_AGAIN:
            return
        if len(self._said) > 200:
            self._said.clear()
        self._said[key] = now
        self._append(al.OrderRefused(alert=alert, path=path, reason=reason))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._group is None:
            log.error("the station's task is being started again; an effect was dropped, the centre will ask again")
            work.close()
            return
        self._group.create_task(work)

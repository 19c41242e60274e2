"""Answers out: each is signed with the count of this session, and goes by the broker, or by SMS where that is not."""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from appliance.alerting.freshness import ASKING, HELLO_BY_MQTT, HELLO_BY_SMS, Freshness
from appliance.alerting.sender import Publish
from appliance.alerting.wire import NO_ID, Answer, Order, Pattern, Reason, Supply, What, encode_answer
from appliance.alerting.wire_health import Health, encode_health
from appliance.config import Site
from appliance.keyring import IssuerRing, OwnKey
from appliance.model import Path
from appliance.station.active import Active
from drivers.clock import Clock

ANSWER_LIFE = 60  # s that the broker keeps an answer
BEATS = (What.ALIVE, What.SESSION)  # worth nothing later: by SMS only when a station has to be found

log = logging.getLogger("siaga.station")


class Answers:
    """One session's. `sounding` gives what sounds now; `lost` is called when a session could not be announced."""

    def __init__(
        self, *, site: Site, clock: Clock, key: OwnKey, issuers: IssuerRing, fresh: Freshness,
        publish: Publish, send_sms: Callable[[str, bytes, str], Awaitable[None]],
        spawn: Callable[[Coroutine[Any, Any, None]], None], sounding: Callable[[], Active | None],
        lost: Callable[[], None],
    ) -> None:  # fmt: skip
        assert site.own is not None
        self._own, self._clock, self._key, self._issuers, self._fresh = site.own, clock, key, issuers, fresh
        self._publish, self._send_sms, self._spawn = publish, send_sms, spawn
        self._sounding, self._lost = sounding, lost
        self._topic = f"siaga/{site.site}/station/{site.own.id}/answer"
        self._reply_to: dict[int, str] = {}
        self._began, self._counter = clock.now(), 0
        self.supply = Supply.UNKNOWN

    def asked_by(self, issuer: int, number: str) -> None:
        """The modem that sends hears too; another one of the centre's may be dead."""
        if number in self._issuers.numbers(issuer):
            self._reply_to[issuer] = number

    def say(
        self, what: What, path: Path, *, order: Order | None = None, alert: bytes = NO_ID,
        reason: Reason = Reason.NONE, remaining: float = 0.0,
    ) -> None:  # fmt: skip
        """About an order, or about an alert of before our start; neither: about the station."""
        now = self._clock.now()
        self._counter += 1
        sounding = self._sounding()
        issuer = order.issuer if order else next(iter(self._issuers), 0)
        answer = Answer(
            what=what,
            station=self._own.number,
            key=self._key.id,
            session=self._fresh.session,
            counter=self._counter,
            uptime_s=int(now - self._began),
            reason=reason,
            alert=order.alert if order else alert,
            issuer=issuer,
            sequence=order.sequence if order else 0,
            highest=self._fresh.highest(issuer),
            remaining_s=max(0, min(0xFFFF, round(remaining or (sounding.until - now if sounding else 0)))),
            pattern=sounding.order.pattern if sounding else Pattern.NONE,
            supply=self.supply,
        )
        if what in BEATS or reason in ASKING:  # the centre may reply with its time
            self._fresh.announced(self._counter, now, HELLO_BY_SMS if path is Path.SMS else HELLO_BY_MQTT)
        payload = encode_answer(answer, self._key.private)
        # A heartbeat is news for a moment. Kept for a centre that is away, those of many stations fill its queue at the
        # broker, and what is told of orders is thrown away. What answers a hello proves the session: that is kept.
        heartbeat = what is What.ALIVE and order is None
        refused = self._publish(self._topic, payload, ANSWER_LIFE, 0 if heartbeat else 1)
        number = self._number(issuer)
        if number and (path is Path.SMS or (refused and what not in BEATS)):
            self._spawn(self._by_sms(number, payload, what))

    def health(self, of: Callable[[int, int, bytes, int, int], Health], *, sms: bool) -> bool:
        """`of` makes it from station, key, session, counter, uptime. True when the broker took it.

        `sms`: it goes to each centre by SMS too.
        """
        self._counter += 1
        uptime = int(self._clock.now() - self._began)
        payload = encode_health(
            of(self._own.number, self._key.id, self._fresh.session, self._counter, uptime), self._key.private
        )
        taken = not self._publish(self._topic, payload, ANSWER_LIFE)
        if sms:
            for number in dict.fromkeys(filter(None, map(self._number, self._issuers))):
                self._spawn(self._by_sms(number, payload, None))
        return taken

    def _number(self, issuer: int) -> str:
        numbers = self._issuers.numbers(issuer)
        return self._reply_to.get(issuer, numbers[0] if numbers else "")

    async def _by_sms(self, number: str, payload: bytes, what: What | None) -> None:
        try:
            await self._send_sms(number, payload, "answer")
        except OSError as e:
            log.error("an answer by SMS to %s was not sent: %s", number, e)
            if what is What.SESSION:
                self._lost()

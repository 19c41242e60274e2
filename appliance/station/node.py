"""A station's part: it judges each signed order, sounds what is fresh, and answers with what it has seen.

The relay comes first, the journal and the answer after it. Nothing here needs a disk, a broker or a right clock.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance import alert_events as al
from appliance.alert_view import OwnView
from appliance.alerting.freshness import Accept, Duplicate, Freshness, Learned, Refuse
from appliance.alerting.window import drop_oldest
from appliance.alerting.wire import Action, Kind, Order, Reason, What, WireError, decode_order
from appliance.alerting.wire_text import NOTICES, Text, TextAbout, decode_text, is_text
from appliance.annunciator_client import AnnunciatorLink
from appliance.annunciator_protocol import InputChange, OutputChange, Standing
from appliance.config import ZONES, Site
from appliance.journal import Appended
from appliance.keyring import IssuerRing, OwnKey
from appliance.model import Path
from appliance.siren_bar import SirenBar
from appliance.sparing import Sparing
from appliance.state import State
from appliance.station.active import Active
from appliance.station.announcer import Announcer, Speaker
from appliance.station.answers import Answers
from appliance.station.aside import Aside
from appliance.station.locking import Locking
from appliance.station.lockout import Lockout
from appliance.station.quiet import level
from appliance.station.record import PROOFS, Record
from appliance.station.sirens import Sirens
from appliance.station.text_book import TextBook
from appliance.station.vitals import Look, nothing_known
from appliance.station.watching import Watching
from appliance.station_events import NoticeTaken, TextTaken
from drivers.clock import Clock

ANNOUNCE_BY_SMS = 60.0  # s without a broker after the start, then the session is announced by SMS
SMS_AGAIN, MOST_SMS = 10.0, 4  # s between answers by SMS to orders not accepted, and how many a minute: anybody can
# send us a recorded order, and each answer costs credit and a line
MOST_ACTIVE = 64
HOUR = 3600.0

log = logging.getLogger("siaga.station")


class StationNode:
    """One session of this station's core. `speaker` and `vitals` are what the box has beside its annunciator."""

    def __init__(
        self, *, site: Site, clock: Clock, append: Callable[..., Appended], key: Ed25519PrivateKey | OwnKey,
        annunciator: AnnunciatorLink, publish: Callable[[str, bytes, int], str], broker_up: Callable[[], bool],
        send_sms: Callable[[str, bytes, str], Awaitable[None]], state: State | None = None, boot: str = "",
        time_known: Callable[[], bool] = lambda: True, speaker: Speaker | None = None,
        audio_up: Callable[[], bool] | None = None, vitals: Look = nothing_known, issuers: IssuerRing | None = None,
    ) -> None:  # fmt: skip
        assert site.own is not None
        self._own, self._site, self._clock, self._append = site.own, site, clock, append
        self._broker_up, self._time_known = broker_up, time_known
        self._state = state or State()
        self._issuers = IssuerRing(site) if issuers is None else issuers  # an empty one believes nobody
        self.session = secrets.token_bytes(8)
        self._fresh = Freshness(self.session, self._own.number, self._issuers, self._own.max_s, self._issuers.kin)
        self.active: dict[str, Active] = {}
        self._declined: dict[bytes, Reason] = {}  # starts that were fresh and not carried out
        self._flaws, self._by_sms_seldom = Sparing(), Sparing(SMS_AGAIN, MOST_SMS, 60.0)
        self._noise = Sparing()  # anybody's, and must not hide what an issuer's key does
        self._group: asyncio.TaskGroup | None = None
        self._proven = False  # a centre knows this session
        self._announce_by_sms_at: float | None = clock.now() + ANNOUNCE_BY_SMS
        self._answers = Answers(
            site=site, clock=clock, key=key if isinstance(key, OwnKey) else OwnKey(key),
            issuers=self._issuers, fresh=self._fresh, publish=publish, send_sms=send_sms,
            spawn=self._spawn, sounding=self._sounding, lost=self._session_lost,
        )  # fmt: skip
        self._answer = self._answers.say
        self._lockout = Lockout(clock, append, self._state.own.lockout, boot, time_known)
        self._aside = Aside()
        self._bar = SirenBar(annunciator, self.outputs, lambda: self._lockout.left_s)
        self._annunciator = annunciator
        self._record = Record(clock, append, self._state, boot, self._answer, self._sounds, self._silent)
        self._sirens = Sirens(clock, annunciator, self.active, self._record, self._spawn, self._level)
        self._texts = TextBook(self.session, self._own.number)
        self._locking = Locking(
            self._lockout, self._bar, self._sirens, self._record, self._issuers, self.active, self._answer,
            self._texts, append, self._record.barred,
        )  # fmt: skip
        self._announcer = Announcer(site, speaker, self._level, append, self._aside.spawn)
        self.watching = Watching(
            site=site, clock=clock, append=append, state=self._state, active=self.active, annunciator=annunciator,
            answers=self._answers, record=self._record, lockout=self._lockout, issuers=self._issuers,
            broker_up=broker_up, audio_up=audio_up, vitals=vitals, aside=self._aside.spawn,
        )  # fmt: skip

    async def run(self) -> None:
        """Heartbeats, and the announcement by SMS when no broker is reached."""
        try:
            async with asyncio.TaskGroup() as self._group:
                while True:
                    self._beat()
                    await asyncio.sleep(self._site.supervision.beat(self._own.profile).heartbeat_s)
        finally:
            self._group = None
            self._aside.close()

    def _beat(self) -> None:
        now = self._clock.now()
        if self._broker_up():
            self._answer(What.ALIVE, Path.MQTT)
        elif self._announce_by_sms_at is not None and now > self._announce_by_sms_at:
            self._announce_by_sms_at = None  # until it fails
            self._answer(What.SESSION, Path.SMS)
        self._sirens.tick(now)
        self._lockout.tick()
        if self._bar.behind and self._annunciator.up:
            self._aside.spawn(self._tell_bar())
        for alert, active in list(self.active.items()):
            if now - active.accepted_at > HOUR or len(self.active) > MOST_ACTIVE:
                del self.active[alert]
        self.watching.tick()

    def _session_lost(self) -> None:
        self._announce_by_sms_at = self._clock.now() + ANNOUNCE_BY_SMS

    def _sounding(self) -> Active | None:
        now = self._clock.now()
        return next((a for a in self.active.values() if a.energised and not a.ended and a.until > now), None)

    def _level(self) -> int:
        zone = ZONES[self._site.zone]
        return level(self._own.quiet, self._clock.wall(), zone, time_known=self._time_known())

    @property
    def outputs(self) -> tuple[str, ...]:
        """Every siren and buzzer of this station."""
        return tuple(dict.fromkeys((self._own.siren, *(zone.output for zone in self._own.zone))))

    def view(self) -> OwnView:
        return self.watching.view()

    def knows(self, alert: str) -> bool:
        """Whether it ever had this order, as far as it remembers."""
        return alert in self.active or alert in self._state.own.orders

    def on_broker_up(self) -> None:
        """Announce the session at once: until the centre knows it, no order can be signed for us."""
        self._answer(What.SESSION, Path.MQTT)

    # Orders in

    def on_order(self, data: bytes, path: Path, *, number: str = "", retained: bool = False) -> None:
        """Bytes from our topic, or from an SMS that `number` sent: an order, or words for one."""
        if retained:
            self._refused("", path, "retained", self._noise)
            return
        try:
            if is_text(data):
                self._on_text(decode_text(data, self._issuers), path)
                return
            order = decode_order(data, self._issuers)
        except WireError as e:
            self._refused("", path, f"{e.flaw}", self._noise)  # unsigned: not answered
            return
        self._answers.asked_by(order.issuer, number)
        verdict = self._fresh.judge(order, self._clock.now())
        if isinstance(verdict, Accept | Learned):
            self.watching.heard(order.issuer, path)
        match verdict:
            case Accept() as accept:
                self._spawn(self._act(accept, path, data))
            case Learned():
                self._answer(What.ALIVE, path, order=order)
                if not self._proven:  # what was told before that counted for nothing there
                    self._proven = True
                    self.watching.tell_again()
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
        active, zones = self.active.get(alert), self._zones(order)
        match order.action:
            case Action.STOP:
                await self._stop(order, path)
            case Action.LOCK | Action.UNLOCK:
                await self._locking.obey(order, path)
            case _ if active is not None:
                active.path = path  # asked again, perhaps by a centre that restarted: say what is so, sound it once
                self._tell_state(order, path)
            case _ if reason := self._why_not(order, accept):
                self._declined[order.alert] = reason
                drop_oldest(self._declined, MOST_ACTIVE)
                self._refused(alert, path, reason.name.lower())
                self._answer(What.REFUSED, path, order=order, reason=reason)
                if reason is Reason.LOCKED_OUT:
                    self._locking.bar(order, accept.seconds, path, zones, self._clock.now())
                return
            case _:
                active = await self._start(accept, path, zones)
        self._append(
            al.OrderAccepted(
                alert=alert, action=order.action.name.lower(), path=path, issuer=order.issuer,
                sequence=order.sequence, seconds=accept.seconds, order=signed.hex(),
                alert_kind=order.kind.name.lower(), pattern=order.pattern.name.lower(), incident=order.incident,
                zones=zones,
            )
        )  # fmt: skip
        if active is not None and order.action is Action.START:
            self._record.accepted(active)
            for text in self._texts.arrived(order.alert, self._clock.now()):
                self._take(active, text, path)

    def _zones(self, order: Order) -> tuple[str, ...]:
        """Those of ours that are meant; none: all of them, also when the centre knows more zones than we do.

        Then one of the two site files is wrong, and the whole station is woken rather than nobody.
        """
        if order.zones >> len(self._own.zone):
            return ()
        return tuple(zone.id for i, zone in enumerate(self._own.zone) if order.zones >> i & 1)

    def _why_not(self, order: Order, accept: Accept) -> Reason:
        """What stands against a fresh start."""
        if order.kind is Kind.SOUNDING_TEST and not self._own.sounding_test:
            return Reason.NOT_ALLOWED
        return Reason.LOCKED_OUT if accept.may_sound and self._lockout.on else Reason.NONE

    async def _start(self, accept: Accept, path: Path, zones: tuple[str, ...]) -> Active:
        order, now = accept.order, self._clock.now()
        outputs = tuple(dict.fromkeys(z.output for z in self._own.zone if z.id in zones)) if zones else self.outputs
        active = Active(
            order, path, now, now + accept.seconds, accept.may_sound, outputs if accept.may_sound else (), zones
        )
        self.active[active.alert] = active
        if accept.may_sound:
            await self._sirens.sound(active)
        else:
            self._answer(What.RECEIVED, path, order=order)
            active.ended = True
            self._record.ended(active, "ended")
        return active

    def _sounds(self, active: Active, output: str) -> None:
        """It is on: what follows a siren begins."""
        self.watching.sounds(active, output)
        if len(active.on) == 1:
            self._announcer.began(active, lambda: self._texts.words(active.order.alert, TextAbout.ANNOUNCE))

    def _silent(self, output: str, alert: str) -> None:
        self.watching.silent(output, alert)

    async def _stop(self, order: Order, path: Path) -> None:
        active = self.active.get(order.alert.hex())
        was_over = active is None or active.ended
        if active:
            active.path, active.cut = path, False  # by the centre's own word
        if not await self._sirens.stop(order.alert.hex()):
            self._answer(What.REFUSED, path, order=order, reason=Reason.HARDWARE)
            return
        self._answer(What.ENDED, path, order=order)
        if active and not was_over:
            self._record.closed(active, "stopped")

    def _tell_state(self, order: Order, path: Path) -> None:
        if order.action in (Action.LOCK, Action.UNLOCK):
            self._locking.tell(order, path)
            return
        active = self.active.get(order.alert.hex())
        if active is None:
            if order.alert in self._declined:
                self._answer(What.REFUSED, path, order=order, reason=self._declined[order.alert])
            return
        if active.ended:
            self._record.tell_end(active, order)
        elif active.energised:
            self._answer(What.ENERGISED, path, order=order, remaining=active.until - self._clock.now())
        elif active.hardware_failed:
            self._answer(What.REFUSED, path, order=order, reason=Reason.HARDWARE)
        else:
            self._answer(What.RECEIVED, path, order=order)
        for proof, what in PROOFS.items():
            if proof in active.proofs and not active.ended:
                self._answer(what, path, order=order)
        if active.acknowledged:
            self._answer(What.ACKNOWLEDGED, path, order=order)

    def _on_text(self, text: Text, path: Path) -> None:
        if why := self._texts.refuses(text):
            self._refused(text.alert.hex(), path, why)
            return
        if text.about in NOTICES:
            if self._texts.take(text, has_order=True, now=self._clock.now()):
                about, language = text.about.name.lower(), text.language.name.lower()
                id = text.alert.hex()
                self._append(NoticeTaken(notice=id, about=about, language=language, text=text.text, path=path))
            return
        if text.about is TextAbout.LOCKOUT:
            self._locking.named(text, self._clock.now())
            return
        active = self.active.get(text.alert.hex())
        if active is None and self._locking.shows(text, path, self._clock.now()):
            return
        if self._texts.take(text, has_order=active is not None, now=self._clock.now()):
            assert active is not None
            self._take(active, text, path)

    def _take(self, active: Active, text: Text, path: Path) -> None:
        about, language = text.about.name.lower(), text.language.name.lower()
        event = TextTaken(alert=active.alert, about=about, language=language, text=text.text, path=path)
        self._record.note(active, event)
        self._announcer.came(active, text)

    # The box's own word

    def on_standing(self, standing: Standing) -> None:
        """The annunciator is there (again), and knows of no lockout if it was restarted."""
        if self._lockout.on or standing.locked:
            self._aside.spawn(self._tell_bar())
        self._sirens.on_standing(standing)
        if self._lockout.on:  # core was killed before it could silence them
            self._sirens.stop_left()
        self._record.on_standing(standing, self.active)
        self.watching.on_standing(standing)

    async def _tell_bar(self) -> None:
        await self._bar.tell()

    def on_output(self, change: OutputChange) -> None:
        """An output changed."""
        self._record.on_output(change, self.active)
        self._sirens.on_output(change)
        self.watching.on_output(change)

    def on_input(self, change: InputChange) -> None:
        """Any contact, either way; acknowledge and feedback have words of their own too."""
        self.watching.on_input(change)

    def on_level(self, dbfs: float | None) -> None:
        """What the station's microphone hears; None for silence."""
        self.watching.level(dbfs)

    def on_feedback(self) -> None:
        """The feedback contact closed: what sounds is proven."""
        self.watching.flowed(self._own.siren)

    def on_acknowledge(self, by: str = "button", alert: str = "", actor: str = "") -> list[str]:
        """A person here has taken it: every order of the last hour not yet acknowledged, or the one that is named."""
        taken = []
        for active in self.active.values():
            if not active.acknowledged and alert in ("", active.alert):
                active.acknowledged = True
                taken.append(active.alert)
                self._answer(What.ACKNOWLEDGED, active.path, order=active.order)
                self._record.acknowledged(active, by, actor)
        for left in self._record.left_over(alert):
            if left not in self.active:  # of before our restart: the centre knows its alert all the same
                taken.append(left)
                self._answer(What.ACKNOWLEDGED, Path.MQTT, alert=bytes.fromhex(left))
                self._record.acknowledged_late(left, by, actor)
        return taken

    # Answers out

    def _refused(self, alert: str, path: Path, reason: str, sparing: Sparing | None = None) -> None:
        if (sparing or self._flaws).says(f"{reason} {alert}", self._clock.now()):
            self._append(al.OrderRefused(alert=alert, path=path, reason=reason))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._group is None:
            log.error("the station's task is being started again; an effect was dropped, the centre will ask again")
            work.close()
            return
        self._group.create_task(work)

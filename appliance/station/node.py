"""A station's part: it judges each signed order, sounds what is fresh, and answers with what it has seen.

The relay comes first, the journal and the answer after it. Nothing here needs a disk, a broker or a right clock.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.alert_view import OwnView
from appliance.alerting.freshness import Accept, Duplicate, Freshness, Learned, Refuse
from appliance.alerting.sender import Publish
from appliance.alerting.wire import Action, Kind, Order, Reason, What, WireError, decode_order
from appliance.alerting.wire_text import decode_text, is_text
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
from appliance.station.obeying import Obeying
from appliance.station.quiet import level
from appliance.station.record import Record
from appliance.station.refusals import Refusals
from appliance.station.saying import Saying
from appliance.station.sirens import Sirens
from appliance.station.text_book import TextBook
from appliance.station.vitals import Look, nothing_known
from appliance.station.watching import Watching
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
        annunciator: AnnunciatorLink, publish: Publish, broker_up: Callable[[], bool],
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
        self._by_sms_seldom = Sparing(SMS_AGAIN, MOST_SMS, 60.0)
        self._refusals = Refusals(clock, append)
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
        texts = TextBook(self.session, self._own.number)
        self._locking = Locking(
            self._lockout, self._bar, self._sirens, self._record, self._issuers, self.active, self._answer,
            texts, append, self._record.barred,
        )  # fmt: skip
        self._saying = Saying(
            clock=clock, append=append, active=self.active, texts=texts, locking=self._locking, record=self._record,
            announcer=Announcer(site, speaker, self._level, append, self._aside.spawn), refusals=self._refusals,
        )  # fmt: skip
        self._obeying = Obeying(
            own=self._own, clock=clock, append=append, active=self.active, outputs=self.outputs, answer=self._answer,
            sirens=self._sirens, record=self._record, lockout=self._lockout, locking=self._locking,
            saying=self._saying, refusals=self._refusals,
        )  # fmt: skip
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
            self._refusals.noise(path, "retained")
            return
        try:
            if is_text(data):
                self._saying.on_text(decode_text(data, self._issuers), path)
                return
            order = decode_order(data, self._issuers)
        except WireError as e:
            self._refusals.noise(path, f"{e.flaw}")  # unsigned: not answered
            return
        self._answers.asked_by(order.issuer, number)
        verdict = self._fresh.judge(order, self._clock.now())
        if isinstance(verdict, Accept | Learned):
            self.watching.heard(order.issuer, path)
        match verdict:
            case Accept() as accept:
                self._spawn(self._obeying.obey(accept, path, data))
            case Learned():
                self._answer(What.ALIVE, path, order=order)
                if not self._proven:  # what was told before that counted for nothing there
                    self._proven = True
                    self.watching.tell_again()
            case Duplicate():
                self._refusals.note(order.alert.hex(), path, "replayed")
                if self._may_answer(order, path):
                    self._obeying.tell_state(order, path)
            case Refuse(reason=reason) as refuse:
                self._refusals.note(order.alert.hex(), path, reason.name.lower())
                worth = reason is not Reason.UNKNOWN_ISSUER and (order.action is not Action.HELLO or refuse.asks)
                if worth and self._may_answer(order, path):
                    self._answer(What.REFUSED, path, order=order, reason=reason)

    def _may_answer(self, order: Order, path: Path) -> bool:
        """An order not accepted may be a recording: by SMS it is answered seldom."""
        return path is not Path.SMS or self._by_sms_seldom.says(f"{order.issuer}", self._clock.now())

    def _sounds(self, active: Active, output: str) -> None:
        """It is on: what follows a siren begins."""
        self.watching.sounds(active, output)
        if len(active.on) == 1:
            self._saying.sounds(active)

    def _silent(self, output: str, alert: str) -> None:
        self.watching.silent(output, alert)

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
        """A person here has taken it: every order of the last hour not yet acknowledged, or the one that is named.

        A silent test is nobody's to take: a press at the wall means what sounded.
        """
        taken = []
        for active in self.active.values():
            meant = active.order.kind is not Kind.SILENT_TEST if alert == "" else alert == active.alert
            if meant and not active.acknowledged:
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

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        if self._group is None:
            log.error("the station's task is being started again; an effect was dropped, the centre will ask again")
            work.close()
            return
        self._group.create_task(work)

"""LOCK and UNLOCK of the centre: carried out here and at the red button; what sounds falls silent; confirmed.

An order that comes meanwhile is silent, and is shown to people here all the same.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from appliance import alert_events as al
from appliance.alerting.wire import Action, Order, Reason, What
from appliance.alerting.wire_text import LOCKOUT_MARK, Text, TextAbout
from appliance.event import Event
from appliance.keyring import IssuerRing
from appliance.model import Path
from appliance.siren_bar import SirenBar
from appliance.station.active import Active
from appliance.station.lockout import Lockout, reason_of
from appliance.station.record import Record
from appliance.station.sirens import Sirens
from appliance.station.text_book import TextBook
from appliance.station_events import LockoutNamed, TextTaken


class Says(Protocol):
    def __call__(
        self, what: What, path: Path, *, order: Order | None = None, alert: bytes = ..., reason: Reason = Reason.NONE
    ) -> None: ...


class Locking:
    """`active` by alert is the node's; `lockout` is what holds, `bar` tells it the annunciator."""

    def __init__(
        self, lockout: Lockout, bar: SirenBar, sirens: Sirens, record: Record, issuers: IssuerRing,
        active: Mapping[str, Active], answer: Says, texts: TextBook, append: Callable[[Event], object],
        barred: Callable[[str], bool],
    ) -> None:  # fmt: skip
        self._texts, self._append, self._is_barred = texts, append, barred
        self._lockout, self._bar, self._sirens, self._record = lockout, bar, sirens, record
        self._issuers, self._active, self._answer = issuers, active, answer
        self._newest: dict[str, int] = {}  # by issuer's name: sequence of its last word on a lockout

    async def obey(self, order: Order, path: Path) -> None:
        """A fresh LOCK or UNLOCK."""
        lock, who = order.alert.hex(), self._issuers.name(order.issuer)
        if order.action is Action.LOCK and order.sequence < self._newest.get(who, 0):
            self.tell(order, path)  # overtaken by a later one, whose place it must not take
            return
        self._newest[who] = max(order.sequence, self._newest.get(who, 0))
        if order.action is Action.UNLOCK:
            self._lockout.end(lock, "centre")
            await self._bar.tell()
            self._answer(What.UNLOCKED, path, order=order)
            return
        self._lockout.set(lock, order.seconds, reason_of(order.incident), "centre")
        if words := self._texts.words(order.alert, TextAbout.LOCKOUT):
            self._name(words)
        cut = self._bar_all()
        # Confirmed is what holds at the red button too: somebody climbs up on the strength of that word.
        if await self._bar.tell():
            self._answer(What.LOCKED, path, order=order)
        else:
            self._answer(What.REFUSED, path, order=order, reason=Reason.HARDWARE)
        await self._silence(cut, path)

    def named(self, text: Text, now: float) -> None:
        """Whose the lockout is and why; it may come before the lock."""
        if self._texts.take(text, has_order=True, now=now):
            self._name(text)

    def _name(self, text: Text) -> None:
        who, mark, reason = text.text.partition(LOCKOUT_MARK)
        if mark and self._lockout.lock == text.alert.hex():
            self._append(LockoutNamed(lock=self._lockout.lock, who=who, reason=reason))

    def bar(self, order: Order, seconds: int, path: Path, zones: tuple[str, ...], now: float) -> None:
        """A fresh order that may not sound: it stands on the screen, with the words that came before it."""
        alert = order.alert.hex()
        self._append(
            al.OrderBarred(
                alert=alert, path=path, issuer=order.issuer, seconds=seconds, alert_kind=order.kind.name.lower(),
                pattern=order.pattern.name.lower(), incident=order.incident, zones=zones,
            )
        )  # fmt: skip
        for text in self._texts.arrived(order.alert, now):
            self._show(text, path)

    def shows(self, text: Text, path: Path, now: float) -> bool:
        """Words for an order that we bar; False: it is none of these."""
        if not self._is_barred(text.alert.hex()):
            return False
        if self._texts.take(text, has_order=True, now=now):
            self._show(text, path)
        return True

    def _show(self, text: Text, path: Path) -> None:
        about, language = text.about.name.lower(), text.language.name.lower()
        self._append(TextTaken(alert=text.alert.hex(), about=about, language=language, text=text.text, path=path))

    def _bar_all(self) -> list[Active]:
        """All that sounds, before any is waited for: an annunciator that is back sounds none meanwhile."""
        self._sirens.stop_left()
        cut = [a for a in self._active.values() if a.may_sound and not a.ended]
        for active in cut:
            active.stopped = True
            active.cut = True  # fallen silent by us and not by its time: nobody may take it for a siren that was heard
        return cut

    async def _silence(self, cut: list[Active], path: Path) -> None:
        for active in cut:
            if await self._sirens.stop(active.alert):
                self._record.ended(active, "stopped")
        for left in [a for a in self._record.left_open() if a not in self._active]:  # of before our restart
            if await self._sirens.stop(left):
                self._answer(What.REFUSED, path, alert=bytes.fromhex(left), reason=Reason.LOCKED_OUT)

    def tell(self, order: Order, path: Path) -> None:
        """How it stands, for a LOCK or UNLOCK that came once more."""
        held = self._lockout.on and self._lockout.lock == order.alert.hex()
        if held and self._bar.behind:
            self._answer(What.REFUSED, path, order=order, reason=Reason.HARDWARE)
        else:
            self._answer(What.LOCKED if held else What.UNLOCKED, path, order=order)

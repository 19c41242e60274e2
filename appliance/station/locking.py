"""LOCK and UNLOCK of the centre: carried out here and at the red button; what sounds falls silent; confirmed."""

from collections.abc import Mapping
from typing import Protocol

from appliance.alerting.wire import Action, Order, Reason, What
from appliance.keyring import IssuerRing
from appliance.model import Path
from appliance.siren_bar import SirenBar
from appliance.station.active import Active
from appliance.station.lockout import Lockout, reason_of
from appliance.station.record import Record
from appliance.station.sirens import Sirens


class Says(Protocol):
    def __call__(
        self, what: What, path: Path, *, order: Order | None = None, alert: bytes = ..., reason: Reason = Reason.NONE
    ) -> None: ...


class Locking:
    """`active` by alert is the node's; `lockout` is what holds, `bar` tells it the annunciator."""

    def __init__(
        self, lockout: Lockout, bar: SirenBar, sirens: Sirens, record: Record, issuers: IssuerRing,
        active: Mapping[str, Active], answer: Says,
    ) -> None:  # fmt: skip
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
        cut = [a for a in self._active.values() if a.may_sound and not a.ended]
        for active in cut:  # all, before anything is waited for: an annunciator that is back sounds none meanwhile
            active.stopped = True
            active.cut = True  # fallen silent by us and not by its time: nobody may take it for a siren that was heard
        # Confirmed is what holds at the red button too: somebody climbs up on the strength of that word.
        if await self._bar.tell():
            self._answer(What.LOCKED, path, order=order)
        else:
            self._answer(What.REFUSED, path, order=order, reason=Reason.HARDWARE)
        await self._silence(cut, path)

    async def _silence(self, cut: list[Active], path: Path) -> None:
        self._sirens.stop_left()
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

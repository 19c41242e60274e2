"""Orders that were judged fresh, carried out: the relay first, the journal and the answer behind it.

An order that comes once more is never sounded once more; how it stands is told again.
"""

from collections.abc import Callable
from typing import Protocol

from appliance import alert_events as al
from appliance.alerting.freshness import Accept
from appliance.alerting.window import drop_oldest
from appliance.alerting.wire import NO_ID, Action, Kind, Order, Reason, What
from appliance.config import Own
from appliance.journal import Appended
from appliance.model import Path
from appliance.station.active import Active
from appliance.station.locking import Locking
from appliance.station.lockout import Lockout
from appliance.station.record import PROOFS, Record
from appliance.station.refusals import Refusals
from appliance.station.saying import Saying
from appliance.station.sirens import Sirens
from drivers.clock import Clock

MOST_DECLINED = 64


class Says(Protocol):
    def __call__(
        self, what: What, path: Path, *, order: Order | None = None, alert: bytes = NO_ID,
        reason: Reason = Reason.NONE, remaining: float = 0.0,
    ) -> None: ...  # fmt: skip


class Obeying:
    """`active` by alert is the node's, and grows here; `outputs` are all sirens and buzzers of this station."""

    def __init__(
        self, *, own: Own, clock: Clock, append: Callable[..., Appended], active: dict[str, Active],
        outputs: tuple[str, ...], answer: Says, sirens: Sirens, record: Record, lockout: Lockout, locking: Locking,
        saying: Saying, refusals: Refusals,
    ) -> None:  # fmt: skip
        self._own, self._clock, self._append, self._active, self._outputs = own, clock, append, active, outputs
        self._answer, self._sirens, self._record, self._lockout = answer, sirens, record, lockout
        self._locking, self._saying, self._refusals = locking, saying, refusals
        self._declined: dict[bytes, Reason] = {}  # starts that were fresh and not carried out

    async def obey(self, accept: Accept, path: Path, signed: bytes) -> None:
        """A fresh order; `signed` are its octets, for the journal."""
        order, alert = accept.order, accept.order.alert.hex()
        active, zones = self._active.get(alert), self._zones(order)
        match order.action:
            case Action.STOP:
                await self._stop(order, path)
            case Action.LOCK | Action.UNLOCK:
                await self._locking.obey(order, path)
            case _ if active is not None:
                active.path = path  # asked again, perhaps by a centre that restarted: say what is so, sound it once
                self.tell_state(order, path)
            case _ if reason := self._why_not(order, accept):
                self._declined[order.alert] = reason
                drop_oldest(self._declined, MOST_DECLINED)
                self._refusals.note(alert, path, reason.name.lower())
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
            self._saying.arrived(active, path)

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
        # What a lockout kept silent stays so: people were told by phone, and an unlock or restart wakes nobody late.
        barred = self._lockout.on or self._record.barred(order.alert.hex())
        return Reason.LOCKED_OUT if accept.may_sound and barred else Reason.NONE

    async def _start(self, accept: Accept, path: Path, zones: tuple[str, ...]) -> Active:
        order, now = accept.order, self._clock.now()
        outputs = tuple(dict.fromkeys(z.output for z in self._own.zone if z.id in zones)) if zones else self._outputs
        active = Active(
            order, path, now, now + accept.seconds, accept.may_sound, outputs if accept.may_sound else (), zones
        )
        self._active[active.alert] = active
        if accept.may_sound:
            await self._sirens.sound(active)
        else:
            self._answer(What.RECEIVED, path, order=order)
            active.ended = True
            self._record.ended(active, "ended")
        return active

    async def _stop(self, order: Order, path: Path) -> None:
        active = self._active.get(order.alert.hex())
        was_over = active is None or active.ended
        if active:
            active.path, active.cut = path, False  # by the centre's own word
        if not await self._sirens.stop(order.alert.hex()):
            self._answer(What.REFUSED, path, order=order, reason=Reason.HARDWARE)
            return
        self._answer(What.ENDED, path, order=order)
        if active and not was_over:
            self._record.closed(active, "stopped")

    def tell_state(self, order: Order, path: Path) -> None:
        """How an order stands that came once more."""
        if order.action in (Action.LOCK, Action.UNLOCK):
            self._locking.tell(order, path)
            return
        active = self._active.get(order.alert.hex())
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

"""What became of an order here: told to the centre at once, and in the station's own journal behind the order's row."""

from collections.abc import Callable
from typing import Protocol

from appliance.alerting.wire import NO_ID, Order, Reason, What
from appliance.annunciator_protocol import OutputChange, Standing
from appliance.event import Event
from appliance.fold_stations import BARRED
from appliance.journal import Appended
from appliance.model import AlertKind, Path
from appliance.state import State
from appliance.station.active import Active
from appliance.station.sirens import OF_OTHERS
from appliance.station_events import OrderAcknowledged, OrderEnded, SirenFault, SirenProof
from drivers.clock import Clock

HOUR = 3600.0
STUCK = "stuck"
WHY = ("stopped", "silenced", "failed")  # whatever else ends an order: its time was over
PROOFS = {"current": What.PROVEN, "heard": What.HEARD}


class Says(Protocol):
    def __call__(
        self, what: What, path: Path, *, order: Order | None = None, alert: bytes = NO_ID,
        reason: Reason = Reason.NONE, remaining: float = 0.0,
    ) -> None: ...  # fmt: skip


class Record:
    """`sounds` and `silent` are called when an order begins and ends on an output."""

    def __init__(
        self, clock: Clock, append: Callable[..., Appended], state: State, boot: str, answer: Says,
        sounds: Callable[[Active, str], None], silent: Callable[[str, str], None],
    ) -> None:  # fmt: skip
        self._clock, self._append, self._state, self._boot, self._answer = clock, append, state, boot, answer
        self._sounds, self._silent = sounds, silent
        self.faults: set[tuple[str, str]] = set()  # (output, fault) that the annunciator told

    # The order's row first

    def note(self, active: Active, event: Event) -> None:
        """Journaled behind the row that says that the order was accepted."""
        if active.waiting is None:
            self._append(event)
        else:
            active.waiting.append(event)

    def accepted(self, active: Active) -> None:
        """That row is written."""
        again, waiting = active.waiting is None, active.waiting or []
        active.waiting = None
        for event in waiting:
            self._append(event)
        if again and active.ended:
            self._append(OrderEnded(alert=active.alert, why=active.why))

    # From the sirens

    def energised(self, active: Active, output: str, remaining: float) -> None:
        if len(active.on) == 1:  # one is enough to say so
            self._answer(What.ENERGISED, active.path, order=active.order, remaining=remaining)
        if "energised" not in active.proofs:
            active.proofs.add("energised")
            self.note(active, SirenProof(alert=active.alert, proof="energised", after_s=self._after(active)))
        self.fault(output, "line", on=False)
        self._sounds(active, output)

    def waits(self, active: Active) -> None:
        """The annunciator is not there yet."""
        if not active.on:
            self._answer(What.RECEIVED, active.path, order=active.order)

    def failed(self, active: Active, output: str) -> None:
        self._silent(output, active.alert)
        self.fault(output, "line", on=True, alert=active.alert)
        if not active.on and active.failed | active.over >= set(active.outputs):
            self._answer(What.REFUSED, active.path, order=active.order, reason=Reason.HARDWARE)

    def over(self, active: Active, output: str) -> None:
        self._silent(output, active.alert)

    def ended(self, active: Active, why: str) -> None:
        """Nothing sounds it any more. Told once, also when the annunciator's word and its answer both say so."""
        if active.closed:
            return
        if why == "silenced":
            self._answer(What.SILENCED, active.path, order=active.order)
        self.tell_end(active, active.order)
        self.closed(active, why)

    def tell_end(self, active: Active, order: Order) -> None:
        """Over. What a lockout cut short still stands, and what never sounded did not end: both are refused, so that
        a person is told."""
        unsounded = active.may_sound and "energised" not in active.proofs and not active.stopped
        if active.cut or unsounded:
            reason = Reason.LOCKED_OUT if active.cut else Reason.HARDWARE
            self._answer(What.REFUSED, active.path, order=order, reason=reason)
        else:
            self._answer(What.ENDED, active.path, order=order)

    def closed(self, active: Active, why: str) -> None:
        """The same, and the centre knows."""
        if active.closed:
            return
        active.closed = True
        active.why = why if why in WHY else "ended"
        self.note(active, OrderEnded(alert=active.alert, why=active.why))

    # Proofs and faults

    def proven(self, active: Active, proof: str, dbfs: float | None) -> None:
        if proof in active.proofs:
            return
        active.proofs.add(proof)
        self._answer(PROOFS[proof], active.path, order=active.order)
        self.note(active, SirenProof(alert=active.alert, proof=proof, after_s=self._after(active), dbfs=dbfs))

    def fault(self, output: str, fault: str, *, on: bool, alert: str = "") -> None:
        """Told when it changes. A stuck relay is any output's, and core's own annunciator room writes it down."""
        if ((output, fault) in self.faults) == on:
            return
        (self.faults.add if on else self.faults.discard)((output, fault))
        if fault != STUCK:
            self._append(SirenFault(output=output, fault=fault, on=on, alert=alert))

    # People

    def acknowledged(self, active: Active, by: str, actor: str) -> None:
        event = OrderAcknowledged(alert=active.alert, turnout_s=self._after(active), by=by)
        if active.waiting is None:
            self._append(event, actor=actor)
        else:
            active.waiting.append(event)

    def left_over(self, alert: str) -> list[str]:
        """Orders of the last hour that nobody has acknowledged, as the journal has them."""
        return [
            order.alert
            for order in self._state.own.orders.values()
            if order.acknowledged is None
            and self._age(order.alert) < HOUR
            and (order.kind != AlertKind.SILENT_TEST if alert == "" else alert == order.alert)
        ]

    def barred(self, alert: str) -> bool:
        """Whether a lockout kept this order silent."""
        order = self._state.own.orders.get(alert)
        return order is not None and order.why == BARRED

    def left_open(self) -> list[str]:
        """Orders of the last hour whose end is not known."""
        return [o.alert for o in self._state.own.orders.values() if o.ended is None and self._age(o.alert) < HOUR]

    def acknowledged_late(self, alert: str, by: str, actor: str) -> None:
        """Of before our restart."""
        self._append(OrderAcknowledged(alert=alert, turnout_s=round(self._age(alert), 1), by=by), actor=actor)

    def _age(self, alert: str) -> float:
        at = self._state.own.orders[alert].accepted
        return at.elapsed(self._clock.now(), self._clock.wall(), self._boot)

    def _after(self, active: Active) -> float:
        return round(self._clock.now() - active.accepted_at, 1)

    # Orders of before our restart, which only the journal and the annunciator know

    def on_standing(self, standing: Standing, ours: dict[str, Active]) -> None:
        sounding = {order for output in standing.outputs.values() for order in output.order_ids}
        for order in list(self._state.own.orders.values()):
            if order.ended is None and order.alert not in ours and order.alert not in sounding:
                self._append(OrderEnded(alert=order.alert, why="ended"))

    def on_output(self, change: OutputChange, ours: dict[str, Active]) -> None:
        order = self._state.own.orders.get(change.order or "")
        if order is None or order.ended is not None or order.alert in ours or change.on or change.why in OF_OTHERS:
            return
        self._append(OrderEnded(alert=order.alert, why=change.why if change.why in WHY else "ended"))

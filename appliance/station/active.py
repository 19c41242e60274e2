"""An alert that this station accepted, and what became of it on each output. It lives in RAM for one session."""

import msgspec

from appliance.alerting.wire import Kind, Order
from appliance.event import Event
from appliance.model import AlertKind, Path

KINDS = {
    Kind.ACTUAL: AlertKind.ACTUAL,
    Kind.SOUNDING_TEST: AlertKind.SOUNDING_TEST,
    Kind.SILENT_TEST: AlertKind.SILENT_TEST,
    Kind.DRILL: AlertKind.DRILL,
}


class Active(msgspec.Struct):
    """`until` is this station's monotonic time. An output is in one of `on`, `failed` and `over`, or waits."""

    order: Order
    path: Path
    accepted_at: float
    until: float
    may_sound: bool
    outputs: tuple[str, ...]
    zones: tuple[str, ...] = ()  # none: the whole station
    on: set[str] = set()
    failed: set[str] = set()  # the line did not do what it was told
    over: set[str] = set()
    stopped: bool = False  # nothing sounds it again, whatever comes back when
    ended: bool = False
    cut: bool = False  # a lockout ended it before its time
    closed: bool = False  # that it is over is journaled
    why: str = "ended"  # why it ended
    acknowledged: bool = False
    proofs: set[str] = set()  # told to the centre
    waiting: list[Event] | None = []  # what is journaled behind the order's own row; None: that is written

    @property
    def alert(self) -> str:
        return self.order.alert.hex()

    @property
    def kind(self) -> AlertKind:
        return KINDS[self.order.kind]

    @property
    def energised(self) -> bool:
        return bool(self.on)

    @property
    def hardware_failed(self) -> bool:
        """No output does what it was told."""
        return not self.on and bool(self.failed)

"""The siren out of service for a repair: while it lasts no order sounds it. It is in the journal, and ends by itself.

It is no isolator: an annunciator that restarts knows nothing of it until core is there. Who works at a siren opens its
switch.
"""

from collections.abc import Callable

from appliance.alert_state import OwnLockout
from appliance.journal import Appended
from appliance.station_events import LockoutEnded, LockoutSet
from drivers.clock import Clock

MINUTE = 60.0
SAME = 90.0  # s; a lock that is told again with the minutes that are left ends at the same time
REASONS = ("other", "siren_repair", "mast_work", "electrical_work", "false_alarms")  # by the order's code


def reason_of(code: int) -> str:
    return REASONS[code] if code < len(REASONS) else REASONS[0]


class Lockout:
    """`known`: what the journal has of before our start."""

    def __init__(
        self, clock: Clock, append: Callable[..., Appended], known: OwnLockout | None, boot: str,
        time_known: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._clock, self._append = clock, append
        self.lock, self._ends_at = "", 0.0
        if known is not None:
            whole = max(0.0, known.until - known.since.wall)
            # Behind a power cut a clock that is not known to be right shortens nothing: a lockout that lasts too long
            # is seen at the centre, and somebody may be at the siren.
            knows = known.since.boot == boot or time_known()
            gone = known.since.elapsed(clock.now(), clock.wall(), boot) if knows else 0.0
            self.lock, self._ends_at = known.lock, clock.now() + max(0.0, whole - gone)

    @property
    def on(self) -> bool:
        return bool(self.lock) and self._clock.now() < self._ends_at

    @property
    def left_s(self) -> float:
        """0: not locked out."""
        return self._ends_at - self._clock.now() if self.on else 0.0

    @property
    def minutes(self) -> int:
        """That are left, rounded up; 0: not locked out."""
        return -int(-(self._ends_at - self._clock.now()) // MINUTE) if self.on else 0

    def set(self, lock: str, minutes: int, reason: str, who: str) -> None:
        """A later lock takes the place of the one before."""
        ends_at = self._clock.now() + minutes * MINUTE
        same = lock == self.lock and self.on and abs(ends_at - self._ends_at) < SAME
        if same:
            return
        self.lock, self._ends_at = lock, ends_at
        until = self._clock.wall() + minutes * MINUTE
        self._append(LockoutSet(lock=lock, minutes=minutes, until=until, reason=reason, who=who))

    def end(self, lock: str, why: str) -> None:
        """Only the lock that it names."""
        if lock and lock == self.lock:
            self.lock = ""
            self._append(LockoutEnded(lock=lock, why=why))

    def tick(self) -> None:
        if self.lock and not self.on:
            self.end(self.lock, "time")

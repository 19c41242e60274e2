"""What waits before it is an alarm, and before it is over: on and off delays, and the patience with what chatters."""

from collections import deque

import msgspec

from appliance.alarms.alarm_machine import Row, Wanted

CHATTERS, CHATTER_WITHIN = 3, 60.0  # raises in s: ISA-18.2's measure of a chattering alarm
CHATTER_QUIET = 60.0  # s that the cause of one must be gone
LONGEST = 3600.0  # s; of any delay: how far back a start looks for causes that still wait


class Waiting(msgspec.Struct, frozen=True):
    want: Wanted
    due: float
    cause: int | None  # the journal's row


class Delays:
    """Pure; `now` in monotonic seconds. After a restart it is fed the journal's newest rows again."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}
        self._raises: dict[str, deque[float]] = {}

    def passes(self, want: Wanted, stands: bool, chattering: bool, now: float, cause: int | None) -> bool:
        """Whether it is so now; else it waits, or changes nothing."""
        if want.on == stands:
            self._waiting.pop(want.key, None)  # back before the other was so
            return False
        delay = want.row.on_delay_s if want.on else want.row.off_delay_s
        if chattering and not want.on:
            delay = max(delay, CHATTER_QUIET)
        if delay <= 0:
            self._waiting.pop(want.key, None)
            return True
        waiting = self._waiting.get(want.key)
        if waiting is None or waiting.want.on != want.on:
            self._waiting[want.key] = Waiting(want, now + delay, cause)
        return False

    def due(self, now: float) -> list[Waiting]:
        """Those whose time has come, which wait no more."""
        over = [waiting for waiting in self._waiting.values() if waiting.due <= now]
        for waiting in over:
            del self._waiting[waiting.want.key]
        return over

    def chatters(self, row: Row, key: str, now: float) -> int:
        """It was raised: how many times it was lately, 0 while that is not chatter. What is `held_by` has its own."""
        if row.held_by or row.latched:
            return 0
        # What was raised longer ago counts for nothing, and what alarms are about may be new each time.
        self._raises = {name: at for name, at in self._raises.items() if now - at[-1] <= CHATTER_WITHIN}
        raises = self._raises.setdefault(key, deque(maxlen=CHATTERS))
        raises.append(now)
        if len(raises) < CHATTERS or now - raises[0] > CHATTER_WITHIN:
            return 0
        return len(raises)

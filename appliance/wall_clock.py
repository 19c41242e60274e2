"""The box's wall clock and what it is worth: the kernel's word on NTP, and the mobile networks' time beside it."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from appliance.clock import ClockQuality
from appliance.figure import Figure
from appliance.journal import Appended
from appliance.state import State
from appliance.wall_time import FRESH, WallTime
from drivers.chrony_sock import ChronySock
from drivers.clock import Clock
from drivers.quality import Quality

LOOK_EVERY = 60.0  # s; nothing of this is urgent

log = logging.getLogger("siaga.clock")


class WallClock:
    """`run` it; `told` gets each word of a network; `chrony` is a socket of chronyd's, empty for none."""

    def __init__(self, clock: Clock, state: State, append: Callable[..., Appended], chrony: str = "") -> None:
        self._clock, self._state, self._append = clock, state, append
        self._kernel, self._networks = ClockQuality(), WallTime()
        simulated = clock.speed != 1.0  # its time is none for a real clock
        self._chrony = ChronySock(Path(chrony)) if chrony and not simulated else None
        self._taken: bool | None = None

    def quality(self) -> str:
        """`ntp`, `nitz`, `held` or `unknown`."""
        now = self._clock.now()
        return self._networks.quality(self._kernel.at(now), now)

    def offset(self) -> Figure | None:
        """Seconds to add to the box's clock; None when no network ever told the time. Not good: they contradict."""
        now, at = self._clock.now(), self._networks.told_at()
        if at is None:
            return None
        offset = self._networks.offset(now)
        return Figure(offset, "s", Quality.SENSOR_FAULT if offset is None else Quality.GOOD, at, FRESH)

    def known(self) -> float:
        """The best wall time, s since 1970; 0 while none can be trusted."""
        if self.quality() == "unknown":
            return 0.0
        return self._clock.wall() + (self._networks.offset(self._clock.now()) or 0.0)

    def told(self, line: str, offset: float) -> None:
        """A network told the time: `offset` is what has to be added to ours now."""
        self._networks.told(line, offset, self._clock.now())
        if self._chrony is not None:
            before, self._taken = self._taken, self._chrony.send(self._clock.wall(), offset)
            if before is not self._taken:
                log.info("chronyd %s the networks' time", "takes" if self._taken else "is not there to take")
        self._judge()

    def _judge(self) -> None:
        now = self._clock.now()
        found = self._networks.judge(self._kernel.at(now), now, was_wrong=self._state.clock_wrong)
        if found:
            self._append(found)

    async def run(self) -> None:
        """NTP may come back, or a word grow old, without anybody saying so."""
        while True:
            self._judge()
            await asyncio.sleep(LOOK_EVERY)

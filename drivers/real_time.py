"""Real time for a process whose work must not wait for others, once it has loaded: loading is long and not urgent.

The unit allows it (`LimitRTPRIO=`) and bounds it: who works for longer in one go than the soft `LimitRTTIME=` gets
SIGXCPU, and is killed at the hard one. A machine too slow for its work gives real time back at the first, and works on.
"""

import asyncio
import contextlib
import logging
import os
import resource
import signal
from pathlib import Path

PRIORITY = 10  # below the kernel's own threads (50); systemd/siaga-audio.service allows as much
REST = 60.0  # s without real time, once it was too much
THREADS = Path("/proc/self/task")

log = logging.getLogger("siaga.real_time")


class RealTime:
    """Of this process, for all its threads. A person's own process is allowed none, and stays as it is."""

    def __init__(self, rest: float = REST) -> None:
        self._rest = rest
        self._allowed = resource.getrlimit(resource.RLIMIT_RTPRIO)[0] >= PRIORITY
        self._bound = resource.getrlimit(resource.RLIMIT_RTTIME)
        self._too_much = asyncio.Event()

    async def run(self) -> None:
        """Take it, and hold it until cancelled."""
        if not self._allowed:
            return
        loop = asyncio.get_running_loop()

        def give_back(*_: object) -> None:  # a signal's handler: the loop itself may be what has no pause
            schedule(os.SCHED_OTHER, 0)
            loop.call_soon_threadsafe(self._too_much.set)

        before = signal.signal(signal.SIGXCPU, give_back)
        try:
            while self._take():
                await self._too_much.wait()
                self._too_much.clear()
                log.warning(
                    "too slow for real time: work without a pause for over %.1f s. Given back for %.0f s; calls may"
                    " break up. Next: siaga doctor; see what else runs here (top).",
                    self._bound[0] / 1e6,
                    self._rest,
                )
                await asyncio.sleep(self._rest)
        finally:
            schedule(os.SCHED_OTHER, 0)
            signal.signal(signal.SIGXCPU, before)

    def _take(self) -> bool:
        """False where it is refused all the same: a call that breaks up on a busy box is better than none."""
        resource.setrlimit(resource.RLIMIT_RTTIME, self._bound)  # with each signal the kernel moves the soft one up
        try:
            schedule(os.SCHED_RR, PRIORITY)
        except OSError as e:
            log.warning("no real time: %s. Calls may break up on a busy box. Next: see LimitRTPRIO of the unit.", e)
            return False
        return True


def schedule(policy: int, priority: int) -> None:
    """All threads that there are now; those that they start follow. Raises OSError."""
    for thread in THREADS.iterdir():
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.sched_setscheduler(int(thread.name), policy, os.sched_param(priority))

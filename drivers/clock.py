"""The one clock: every process takes its time, its deadlines and its event loop from here.

`Clock(speed=20)` makes a second last a twentieth: the loop's own timers run by it, so `asyncio.sleep`,
`asyncio.timeout` and `call_later` scale without knowing. `VirtualClock` jumps from timer to timer, for
stories of hours and days in one process. The broker's expiry, disks and sound are never scaled.
"""

import asyncio
import os
import selectors
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

SPEED_VARIABLE = "SIAGA_SPEED"
LOOK_AGAIN = 0.001  # real s; poll(2) counts no less
ORIGIN_VARIABLE = "SIAGA_ORIGIN"  # unix seconds at which the scaled wall clocks of all processes agree


class Clock:
    """Monotonic and wall time, scaled by `speed`. Monotonic times of processes on one host compare."""

    def __init__(self, speed: float = 1.0, origin: float | None = None) -> None:
        if not 0 < speed <= 1000:
            raise ValueError(f"speed {speed} is not between 0 and 1000")
        self.speed = speed
        self._origin = time.time() if origin is None else origin

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Clock":
        """The clock that the parent process asked for: SIAGA_SPEED (default 1) and SIAGA_ORIGIN."""
        origin = environment.get(ORIGIN_VARIABLE)
        return cls(float(environment.get(SPEED_VARIABLE, "1")), float(origin) if origin else None)

    def unscaled(self) -> float:
        """Real monotonic seconds, for what no speed moves: how long a disk takes."""
        return time.monotonic()

    def environment(self) -> dict[str, str]:
        """What a child process needs to keep the same time."""
        return {SPEED_VARIABLE: repr(self.speed), ORIGIN_VARIABLE: repr(self._origin)}

    def now(self) -> float:
        """Monotonic seconds; the running loop's `time()` is the same figure."""
        return time.monotonic() * self.speed

    def wall(self) -> float:
        """Unix seconds; equal to the system's at speed 1."""
        real = time.time()
        return real if self.speed == 1.0 else self._origin + (real - self._origin) * self.speed

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run `main` on a loop that keeps this clock's time."""
        with asyncio.Runner(loop_factory=self.new_event_loop) as runner:
            return runner.run(main)

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A loop whose `time()` is `now()` and whose waits are divided by `speed`."""
        return _ScaledLoop(self)


class VirtualClock(Clock):
    """Time that passes only when nothing is left to do: a simulated day takes as long as its work.

    Both ends of every wire must live on this clock's loop: nothing else is waited for but what the loop's executors
    have at work, and what `busy` tells of, another thread, asked whenever the loop has nothing left to do.
    """

    def __init__(self, start_wall: float = 1_767_225_600.0) -> None:  # 2026-01-01 00:00 UTC
        super().__init__(1.0, start_wall)
        self.busy: Callable[[], object] = lambda: False
        self.in_executors = 0
        self._start_wall = start_wall
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._start_wall + self._now

    def advance(self, seconds: float) -> None:
        """Move time on; the loop does it by itself between timers."""
        self._now += max(0.0, seconds)

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return VirtualLoop(self, _VirtualSelector(self))


class _ScaledSelector(selectors.DefaultSelector):
    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(timeout if timeout is None else timeout / self._speed)


class _VirtualSelector(selectors.PollSelector):
    """poll(2) and not epoll: it waits until the kernel has handed over what was written to a pty's other end."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout else timeout)
        busy: object = True
        while not ready and timeout and busy:
            busy = self._clock.in_executors or self._clock.busy()
            ready = super().select(LOOK_AGAIN if busy else 0)  # once more: its last word may have come behind the look
        if not ready and timeout:
            self._clock.advance(timeout)
        return ready


class _ScaledLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: Clock, selector: selectors.BaseSelector | None = None) -> None:
        super().__init__(selector or _ScaledSelector(clock.speed))
        self._clock = clock

    def time(self) -> float:
        return self._clock.now()


class VirtualLoop(_ScaledLoop):
    def __init__(self, clock: VirtualClock, selector: _VirtualSelector) -> None:
        super().__init__(clock, selector)
        self._virtual = clock

    def time(self) -> float:
        return self._virtual._now

    def skip(self, seconds: float) -> bool:
        """Let so much time pass at once, files unlooked at. False, and it has not, when something is due in it."""
        timers: list[asyncio.TimerHandle] = self.__dict__["_scheduled"]
        if self.__dict__["_ready"] or (timers and timers[0].when() <= self.time() + seconds):
            return False
        self._virtual.advance(seconds)
        return True

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        def ended(_: object) -> None:
            self._virtual.in_executors -= 1

        answer = super().run_in_executor(executor, func, *args)
        self._virtual.in_executors += 1
        answer.add_done_callback(ended)
        return answer

    async def shutdown_default_executor(self, *timeout: float | None) -> None:
        """The executor's threads end in real time, whatever the deadline that Python 3.12 and later give them."""
        self._virtual.busy = lambda: True
        await super().shutdown_default_executor(*timeout)

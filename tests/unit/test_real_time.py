"""Real time is taken where a unit allows it, by every thread; and given back, not died of, where it is too much."""

import asyncio
import os
import resource
import signal
import subprocess
import sys

import pytest

from drivers import real_time
from drivers.real_time import RealTime

ASK = """
import asyncio, os, resource, threading, time
from drivers import real_time
resource.setrlimit(resource.RLIMIT_RTPRIO, ({limit}, {limit}))
resource.setrlimit(resource.RLIMIT_RTTIME, (200_000, 5_000_000))
going = threading.Event()
threading.Thread(target=going.wait).start()
def policies():
    got = {{os.sched_getscheduler(int(t.name)) for t in real_time.THREADS.iterdir()}}
    return ["other" if policy == os.SCHED_OTHER else "rr" for policy in got]
async def main():
    task = asyncio.create_task(real_time.RealTime(rest=0.5).run())
    await asyncio.sleep(0.1)
    print(*policies())
    end = time.monotonic() + 0.6
    while time.monotonic() < end:
        pass
    print(*policies())
    await asyncio.sleep(1.0)
    print(*policies())
    task.cancel()
asyncio.run(main())
going.set()
"""


def said(limit: int) -> list[str]:
    done = subprocess.run([sys.executable, "-c", ASK.format(limit=limit)], capture_output=True, text=True)
    if "not allowed to raise" in done.stderr or "no real time" in done.stderr:
        pytest.skip("this machine gives its programs no real time")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_without_a_limit_that_allows_it_the_process_stays_as_it_is() -> None:
    assert said(0) == ["other", "other", "other"]


def test_all_threads_take_it_and_give_it_back_for_a_rest_when_it_is_too_much() -> None:
    assert said(10) == ["rr", "other", "rr"]


class Kernel:
    """What the process asks of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, refuses: bool = False) -> None:
        self.asked: list[int] = []
        self.bounds: list[tuple[int, int]] = []
        self.refuses = refuses
        limits = {resource.RLIMIT_RTPRIO: (10, 10), resource.RLIMIT_RTTIME: (500_000, 2_000_000)}
        monkeypatch.setattr(real_time.resource, "getrlimit", limits.__getitem__)
        monkeypatch.setattr(real_time.resource, "setrlimit", lambda what, bound: self.bounds.append(bound))
        monkeypatch.setattr(real_time.os, "sched_setscheduler", self.schedule)

    def schedule(self, thread: int, policy: int, param: os.sched_param) -> None:
        if self.refuses and policy == os.SCHED_RR:
            raise PermissionError(1, "Operation not permitted")
        self.asked = [*self.asked[-1:], policy] if self.asked[-1:] != [policy] else self.asked

    async def until(self, policy: int) -> None:
        async with asyncio.timeout(10):
            while self.asked[-1:] != [policy]:
                await asyncio.sleep(0.01)


async def test_a_signal_of_too_much_gives_it_back_and_the_bound_is_set_anew(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kernel = Kernel(monkeypatch)
    before = signal.getsignal(signal.SIGXCPU)
    task = asyncio.create_task(RealTime(rest=0.05).run())
    await kernel.until(os.SCHED_RR)
    signal.raise_signal(signal.SIGXCPU)
    assert kernel.asked[-1] == os.SCHED_OTHER, "at once, not when the loop comes to it"
    await kernel.until(os.SCHED_RR)
    assert kernel.bounds == [(500_000, 2_000_000)] * 2
    assert "too slow for real time" in caplog.text
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert kernel.asked[-1] == os.SCHED_OTHER
    assert signal.getsignal(signal.SIGXCPU) == before


async def test_where_it_is_refused_the_process_works_on_without(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Kernel(monkeypatch, refuses=True)
    await RealTime().run()
    assert "no real time" in caplog.text

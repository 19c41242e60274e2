"""How much of the machine other programs used while we measured: figures of a busy machine are worth less."""

import contextlib
import time

import psutil


class Noise:
    """From its making on; what this process and its children use is ours and no noise."""

    def __init__(self) -> None:
        self._began, self._all, self._ours = time.monotonic(), _of_all(), _of_us()

    def read(self) -> float:
        """CPU of others, in percent of one core."""
        others = (_of_all() - self._all) - (_of_us() - self._ours)
        return max(0.0, others) / max(0.001, time.monotonic() - self._began) * 100


def _of_all() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


def _of_us() -> float:
    """Seconds of this process, of its living descendants, and of those that it has reaped."""
    spent, own = 0.0, psutil.Process()
    for process in [own, *own.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):  # it has just ended
            spent += sum(process.cpu_times()[:4])
    return spent

"""What sound costs, and how late it is: eight calls at once at the pace of life, and mouth to ear in simulated time.

`python -m tests.bench.audio` prints the rows.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from drivers.audio.beat import Beat
from drivers.audio.bridge import Bridge
from drivers.audio.recording import Recording
from drivers.clock import Clock
from tests.bench.table import Row, at_most, exactly, percentile, plain, text
from tests.clocked_device import Device, calls, mouth_to_ear

CALLS = 8
SECONDS = 10.0  # of calls at the pace of life
MOST_CPU = 40.0  # % of a core
MOST_DELAY = 150.0  # ms beyond the device's own buffers
LINE_RATE = 8000

SPOKEN = 120.0  # s of simulated calls
LATE = 0.02  # s, at most, of each frame
WAKES_LATE = 0.008  # s, at most, of each tick: a busy loop
PATHS = {  # rates of line and person, ppm of both clocks
    "8 kHz line, 48 kHz headset, clocks +300 and -300 ppm": (8000, 48000, 300.0, -300.0),
    "16 kHz line, 16 kHz browser, clocks -100 and +50 ppm": (16000, 16000, -100.0, 50.0),
}


class _Talker:
    """A live end at the lowest cost: a frame of noise for each tick, one more every 200 s as a clock of +100 ppm."""

    live, lost, finished = True, "", False

    def __init__(self, rate: int, seed: int) -> None:
        self.rate = rate
        self._frame = (np.random.default_rng(seed).standard_normal(rate // 50) * 2000).astype(np.int16)
        self._waiting = 0

    @property
    def waiting_s(self) -> float:
        return self._waiting / self.rate

    def take(self) -> np.ndarray:
        self._waiting = max(0, self._waiting - len(self._frame))
        return self._frame

    def give(self, pcm: np.ndarray) -> None:
        self._waiting += len(pcm)

    def close(self) -> None:
        pass


async def eight_calls(folder: Path, seconds: float = SECONDS) -> list[Row]:
    """CPU of the process while they talk, the recordings' threads and this loop in it."""
    bridges, tapes = [], []
    for number in range(CALLS):
        bridge, tape = Bridge(), Recording(folder / f"{number}.flac")
        bridge.add("line", _Talker(LINE_RATE, number), side="line", keys=True, watched=True)
        bridge.add("person", _Talker(LINE_RATE, number + 100), side="person", watched=True)
        bridge.record(tape)
        bridges.append(bridge)
        tapes.append(tape)
    loop = asyncio.get_running_loop()
    beat, began, used, longest, ticks = Beat(loop.time()), loop.time(), time.process_time(), 0.0, 0
    while loop.time() < began + seconds:
        due = beat.due(loop.time())
        ticks += due
        before = time.perf_counter()
        for _ in range(due):
            for bridge in bridges:
                bridge.tick()
        longest = max(longest, time.perf_counter() - before)
        await asyncio.sleep(beat.next_at - loop.time())
    percent = 100 * (time.process_time() - used) / (loop.time() - began)
    kept = [await tape.close() for tape in tapes]
    whole = sum(one.seconds * 50 >= ticks - 1 and not one.failed for one in kept)
    name = f"sound: {CALLS} calls at once, two live ends at 8 kHz each, recorded"
    return [
        at_most(name, percent, "% of a core", MOST_CPU),
        plain("  of it the longest tick of all", longest * 1e3, "ms"),
        exactly("  recordings that hold every tick", whole, "recordings", CALLS),
    ]


def delays() -> list[Row]:
    found: list[Row] = []
    for name, (line_rate, person_rate, line_ppm, person_ppm) in PATHS.items():
        line = Device(line_rate, calls(line_rate), ppm=line_ppm, late_s=LATE, seed=1)
        person = Device(person_rate, calls(person_rate), ppm=person_ppm, late_s=LATE, seed=2)
        bridge, random = Bridge(), np.random.default_rng(3)
        bridge.add("line", line)
        bridge.add("person", person)
        for tick in range(round(SPOKEN * 50)):
            now = tick * 0.02 + float(random.random()) * WAKES_LATE
            line.pass_to(now)
            person.pass_to(now)
            bridge.tick()
        late = [1e3 * one for pair in ((line, person), (person, line)) for one in mouth_to_ear(*pair, SPOKEN)]
        figures = bridge.figures()
        found += [
            at_most(f"sound: mouth to ear, p95, {name}", percentile(late, 95), "ms", MOST_DELAY),
            plain("  p50", percentile(late, 50), "ms"),
            plain("  the longest", max(late), "ms"),
            exactly(
                "  gaps, cuts and times a device ran dry", sum(f.gaps + f.starved + f.trims for f in figures), "", 0
            ),
        ]
    return found


async def rows(folder: Path) -> list[Row]:
    """All rows. Raises OSError."""
    folder.mkdir(exist_ok=True)
    return [*await eight_calls(folder), *await asyncio.to_thread(delays)]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="siaga-sound-") as folder:
        print(text(Clock(1.0).run(rows(Path(folder)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())

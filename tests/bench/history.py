"""What the history of figures costs a card: a day of the demo site's, as core writes it, in a process of its own.

The file has its 30 days already, so that the day measured also condenses one and forgets one.
"""

import asyncio
import json
import random
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from appliance.config import load_site, profile_folder
from appliance.figure import Figure
from appliance.telemetry_collector import BLOCK, MINUTE, Blocks, Collector, Point
from appliance.telemetry_file import DAY, MINUTE_DAYS, TelemetryFile
from appliance.telemetry_reader import read_telemetry
from appliance.telemetry_slots import QUALITIES, Slot
from drivers.modbus.profile import load
from tests.bench.table import Row, at_most, missing, plain

SITE = Path(__file__).parents[2] / "firmware-config/sites/demo/centre.toml"
MOST_MB = 50.0  # a day; a cheap card wears by some times what is written, and the journal writes there too
LOOK_S = 5  # core looks each second; what is written is the same
TODAY = 20_700
GOOD = QUALITIES.index("good")
MOVING = 0.4  # of a plant's figures move while it stands by: volts, hertz, loads, temperatures
WRITTEN = re.compile(r"^write_bytes: (\d+)$", re.MULTILINE)
NAME = "history of the demo site"


def names() -> list[tuple[str, str]]:
    """Each figure of the demo site and its unit."""
    site = load_site(SITE)
    folder = profile_folder(site, SITE)
    found = [(f"line/{line.id}/signal_dbm", "dBm") for line in site.line]
    for kind, devices in (("genset", site.genset), ("ups", site.ups), ("meter", site.meter)):
        for device in devices:
            profile = load(folder / f"{kind}s".replace("upss", "ups") / f"{device.profile}.toml")
            found += [(f"{kind}/{device.id}/{name}", point.unit) for name, point in profile.point.items()]
    return found


def figures(named: list[tuple[str, str]], now: float, chance: random.Random) -> Iterator[tuple[str, Figure]]:
    """As they are at a moment: some move each time, the others never."""
    for number, (name, unit) in enumerate(named):
        moves = number < len(named) * MOVING
        yield name, Figure(230 + chance.gauss(0, 2) if moves else 1.0, unit, "good", now, 5.0)


def months(named: list[tuple[str, str]], file: TelemetryFile, chance: random.Random) -> None:
    """The days before, one writing each."""
    for day in range(TODAY - MINUTE_DAYS - 1, TODAY):
        blocks: Blocks = {}
        for start in range(day * DAY, (day + 1) * DAY, BLOCK):
            blocks[start] = {
                Point(name, unit, "number"): {
                    minute: _slot(number < len(named) * MOVING, chance) for minute in range(BLOCK)
                }
                for number, (name, unit) in enumerate(named)
            }
        file.write(blocks, day)


def _slot(moves: bool, chance: random.Random) -> Slot:
    value = 230 + chance.gauss(0, 2) if moves else 1.0
    return Slot(value - moves, value, value + moves, GOOD)


def written() -> int:
    """Bytes that this process has had sent to the disk."""
    found = WRITTEN.search(Path("/proc/self/io").read_text())
    return int(found[1]) if found else 0


def a_day(path: Path) -> dict[str, float]:
    """Write it, and read charts of it."""
    chance, named = random.Random(5), names()
    file = TelemetryFile(path)
    months(named, file, chance)
    file.close()
    file, collector = TelemetryFile(path), Collector()
    before, looks, slowest = written(), 0.0, 0.0
    begin = TODAY * DAY * MINUTE
    for second in range(0, DAY * MINUTE, LOOK_S):
        seen = list(figures(named, float(second), chance))
        began = time.perf_counter()
        collector.look(seen, float(second), begin + second)
        looks += time.perf_counter() - began
        if ready := collector.ready():
            began = time.perf_counter()
            file.write(ready, TODAY)
            collector.written(ready)
            slowest = max(slowest, time.perf_counter() - began)
    file.close()
    mb = (written() - before) / 1e6
    charts = {}
    for days in (1, 30):
        began = time.perf_counter()
        read_telemetry(
            path, [named[0][0], named[1][0], named[2][0]], begin - (days - 1) * 86_400, begin + 86_400, begin + 86_400
        )
        charts[days] = (time.perf_counter() - began) * 1e3
    return {
        "points": len(named),
        "mb": mb,
        "file": path.stat().st_size / 1e6,
        "look": looks / (DAY * MINUTE / LOOK_S) * 100,
        "slowest": slowest * 1e3,
        "day": charts[1],
        "month": charts[30],
    }


async def rows(folder: Path) -> list[Row]:
    """All of it in a process of its own, whose writings are nobody else's."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.bench.history", str(folder / "telemetry.db")]
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    told, _ = await child.communicate()
    if child.returncode:
        raise OSError(f"{' '.join(command)} ended with {child.returncode}.")
    got: dict[str, float] = json.loads(told)
    if not got["mb"]:
        return [missing(f"{NAME}, written a day", "MB", f"{folder} is no disk: nothing is counted")]
    return [
        at_most(f"{NAME}, {got['points']:.0f} figures, written a day", got["mb"], "MB", MOST_MB),
        plain("  its file after 31 days", got["file"], "MB"),
        plain("  looks at every figure, each second", got["look"], "% of a core"),
        plain("  slowest writing of five minutes, a day condensed", got["slowest"], "ms"),
        plain("  three points read for a chart of 24 h", got["day"], "ms"),
        plain("  three points read for a chart of 30 d", got["month"], "ms"),
    ]


if __name__ == "__main__":
    print(json.dumps(a_day(Path(sys.argv[1]))))

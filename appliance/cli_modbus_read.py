"""`siaga modbus probe`, `dump` and `watch`: what one device says, once, as a file, or live."""

import argparse
import asyncio
import sys
from collections.abc import Iterator

from appliance.cli_modbus import chosen_profile
from drivers.modbus.bus import Bus
from drivers.modbus.dump import written
from drivers.modbus.poller import Poller
from drivers.modbus.profile import Profile
from drivers.modbus.registers import BIT_TABLES, Point
from drivers.modbus.survey import Snapshot, snapshot
from drivers.modbus.tally import Tally
from drivers.quality import Quality
from drivers.reading import Reading, Value

CLEAR = "\x1b[H\x1b[J"  # the cursor to the top, and nothing below it


async def probe(bus: Bus, options: argparse.Namespace) -> int:
    """Prints each point; 1 when not one has a value."""
    profile = chosen_profile(options.profile)
    seen = await snapshot(bus, options.unit, profile)
    print(f"{profile.name}, unit {options.unit} on {bus.line}")
    print("\n".join(table(profile, seen)))
    for block in seen.refused:
        print(f"refused: {block.table} {block.address} to {block.end - 1}")
    print(f"{seen.good} of {len(profile.point)} points have a value.")
    return 0 if seen.good else 1


def table(profile: Profile, seen: Snapshot) -> Iterator[str]:
    """Name, value with unit or why there is none, and the registers as they came."""
    width = max(map(len, profile.point))
    for name, (value, quality) in seen.values.items():
        point = profile.point[name]
        yield f"  {name:<{width}}  {shown(value, point.unit, quality):<24}  {_raw(profile, point, seen)}"


def shown(value: Value, unit: str, quality: Quality) -> str:
    """As a person reads it; without a value, why."""
    if quality is not Quality.GOOD:
        return f"--- ({quality})"
    said = {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"{value}"
    return f"{said} {unit}".rstrip()


def _raw(profile: Profile, point: Point, seen: Snapshot) -> str:
    held = seen.words.get(profile.table_of(point), {})
    words = [held[at] for at in range(point.at, point.at + point.width) if at in held]
    form = "d" if profile.table_of(point) in BIT_TABLES else "04X"
    return f"{profile.table_of(point)} {point.at}: {' '.join(format(word, form) for word in words) or '---'}"


async def dump(bus: Bus, options: argparse.Namespace) -> int:
    """Writes the TOML to standard output."""
    profile = chosen_profile(options.profile)
    seen = await snapshot(bus, options.unit, profile)
    title = options.title or f"unit {options.unit} on {bus.line}"
    sys.stdout.write(written(title, options.profile, profile.read.table, seen.words, seen.values))
    for block in seen.refused:
        print(f"refused, so not in the dump: {block.table} {block.address} to {block.end - 1}", file=sys.stderr)
    return 0


async def watch(bus: Bus, options: argparse.Namespace) -> int:
    """A table that renews itself on a terminal, changes as lines elsewhere. 1 when it ends and nothing was read."""
    profile = chosen_profile(options.profile)
    latest: dict[str, Reading] = {}
    began = asyncio.get_running_loop().time()

    def news(readings: list[Reading]) -> None:
        changed = [r for r in readings if _said(latest.get(r.point)) != _said(r)]
        latest.update({reading.point: reading for reading in readings})
        if sys.stdout.isatty():
            print(CLEAR + "\n".join(screen(bus, options.unit, profile, latest)), flush=True)
            return
        for reading in changed:
            print(f"{reading.at - began:.1f} {reading.point} {_said(reading)}", flush=True)

    poller = Poller(bus, options.unit, profile, news, interval_s=options.every, timeout_s=options.timeout)
    try:
        async with asyncio.timeout(options.seconds):
            await poller.run()
    except TimeoutError:
        pass
    print(tallied(options.unit, bus.tallies.units.get(options.unit, Tally())))
    return 0 if any(reading.quality is Quality.GOOD for reading in latest.values()) else 1


def screen(bus: Bus, unit: int, profile: Profile, latest: dict[str, Reading]) -> Iterator[str]:
    """All that is known, under how the line does."""
    yield f"{profile.name}, unit {unit} on {bus.line}   (Ctrl-C ends)"
    yield tallied(unit, bus.tallies.units.get(unit, Tally()))
    width = max(map(len, profile.point))
    for name in profile.point:
        yield f"  {name:<{width}}  {_said(latest.get(name))}"


def tallied(unit: int, tally: Tally) -> str:
    """How the unit answered so far."""
    return (
        f"unit {unit}: {tally.asked} questions, {tally.right} right, {tally.refused} refused, {tally.silent} silent, "
        f"{tally.wrong} wrong, {tally.lost} lost; slowest {1000 * tally.slowest_s:.0f} ms"
    )


def _said(reading: Reading | None) -> str:
    return "---" if reading is None else shown(reading.value, reading.unit, reading.quality)

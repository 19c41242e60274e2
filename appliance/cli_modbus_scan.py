"""`siaga modbus scan`: who answers on a line, and what it may be."""

import argparse
import sys
from collections.abc import Iterator

from appliance.cli_modbus import Unusable, loaded
from drivers.modbus.bus import Bus
from drivers.modbus.errors import BusError
from drivers.modbus.survey import Guess, guesses, look_around

PATIENCE_S = 0.3  # for a unit that may not be there; a slow controller needs --timeout 1
SHOWN = 3  # guesses a unit
LEAST_SHARE = 0.5  # of its points with a value; a profile below it, by no identification, is none


async def scan(bus: Bus, options: argparse.Namespace) -> int:
    """Prints a line a unit, its guesses under it; 1 when nobody answers."""
    bus.timeout_s = options.timeout or PATIENCE_S
    wanted = list(numbers(options.units))
    for unit in wanted:
        bus.check_unit(unit)
    shipped = {} if options.quick else await loaded()
    there = asked = 0
    async for present in look_around(bus, wanted):
        asked += 1
        if sys.stderr.isatty():
            print(f"\r{asked} of {len(wanted)} ", end="", file=sys.stderr, flush=True)
        if present is None:
            continue
        there += 1
        print(f"unit {present.unit}: {present.flaw or 'answers'}", flush=True)
        if present.flaw or options.quick:
            continue
        try:
            found = await guesses(bus, present.unit, shipped)
        except BusError as e:
            print(f"  fell silent while it was asked: {e}")
            continue
        print("\n".join(words(found)), flush=True)
    print(f"{there} of {len(wanted)} units answer on {bus.line}.")
    if not there:
        print("Next: check the wires A and B, the speed and parity (--baud, --parity), and power; or --timeout 1.")
    return 0 if there else 1


def words(found: list[Guess]) -> Iterator[str]:
    """The likeliest profiles, one a line."""
    likely = [guess for guess in found if guess.known] or [g for g in found if g.share >= LEAST_SHARE]
    for guess in likely[:SHOWN]:
        why = "says so itself" if guess.known else "not certain: it has no mark of its own"
        seen = guess.snapshot
        yield f"  {guess.name}: {seen.good} of {len(seen.values)} points have a value, {seen.telling} not 0; {why}"
    if not likely:
        yield "  no profile fits; siaga modbus probe shows what one makes of it"


def numbers(text: str) -> Iterator[int]:
    """The units that "1-32" or "1,5,10-12" means. Raises Unusable."""
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise Unusable(f"--units {text}: give numbers, as 1-32 or 1,5,10.")
        yield from range(int(first), int(last or first) + 1)

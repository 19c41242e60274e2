"""`make order-campaign`: random interleavings of orders, faults, lockouts, revoked keys and restarts, in virtual time.

Each story is told to the real centre and the real station on played sirens and networks, and then accounted for. Exit
code 1 when anything was found; `--only 17` tells that story again, alone.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

sys.path.append(str(Path(__file__).parents[1] / "integration"))

from whole_story import Plan, plan_by
from whole_told import tell

Found = tuple[int, Plan, list[str]]


def told(plan: Plan) -> tuple[list[str], Counter[str]]:
    """One story: what was found, and what it was made of."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        return tell(Path(folder), plan)


def plan_of(seed: int, number: int) -> Plan:
    return plan_by(Random(f"{seed}/{number}"))


def share(task: tuple[int, int]) -> tuple[Found | None, Counter[str]]:
    """Tell one story: what was found in it, and what it was made of."""
    plan = plan_of(*task)
    faults, counted = told(plan)
    return ((task[1], plan, faults) if faults else None), counted


def campaign(
    examples: int, seed: int, jobs: int, progress: Callable[[str], object] = lambda line: None
) -> tuple[int, list[Found], Counter[str]]:
    """How many stories were told, what was found, and of what they were made."""
    stories, found, done = 0, list[Found](), Counter[str]()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for bad, counted in pool.imap_unordered(share, [(seed, number) for number in range(examples)]):
            stories, done = stories + 1, done + counted
            if bad:
                found.append(bad)
                progress(f"story {bad[0]}: {bad[2][0]}")
            if stories % 50 == 0:
                progress(f"{stories} stories, {len(found)} with a fault")
    return stories, found, done


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make order-campaign", description=__doc__)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", type=int, help="the number of one story of this seed")
    options = parser.parse_args(argv)

    def say(line: str) -> None:
        print(line, flush=True)  # noqa: T201

    if options.only is not None:
        plan = plan_of(options.seed, options.only)
        faults, _ = told(plan)
        say("\n".join([repr(plan), *faults]))
        return bool(faults)
    began = time.monotonic()
    stories, found, done = campaign(options.examples, options.seed, options.jobs, say)
    for number, plan, faults in sorted(found, key=lambda row: row[0]):
        say("\n".join(["", f"Story {number}: {plan!r}", *faults]))
    say("\n" + ", ".join(f"{count} {name}" for name, count in sorted(done.items())))
    say(f"{stories} stories in {time.monotonic() - began:.0f} s (seed {options.seed}), {len(found)} with a fault")
    return bool(found) or stories < options.examples


if __name__ == "__main__":
    sys.exit(main())

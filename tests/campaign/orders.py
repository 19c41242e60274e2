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
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

sys.path.append(str(Path(__file__).parents[1] / "integration"))

from whole_story import Plan, plans
from whole_told import tell

SHARE = 25  # stories of one draw; each draw has a seed of its own, so that processes can share the work
Found = tuple[int, Plan, list[str]]


def told(plan: Plan) -> tuple[list[str], Counter[str]]:
    """One story: what was found, and what it was made of."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        return tell(Path(folder), plan)


def drawn(seed: int, most: int) -> list[Plan]:
    """The plans that this seed gives."""
    found: list[Plan] = []

    @hypothesis.seed(seed)
    @settings(max_examples=most, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    @given(plan=plans)
    def draw(plan: Plan) -> None:
        found.append(plan)

    draw()
    return found[:most]


def share(task: tuple[int, int, int]) -> tuple[int, int, list[Found], Counter[str]]:
    """Tell one draw's stories; the first has the number that is given."""
    seed, first, most = task
    done, bad, stories = Counter[str](), list[Found](), 0
    for number, plan in enumerate(drawn(seed, most), first):
        faults, counted = told(plan)
        done += counted
        stories += 1
        if faults:
            bad.append((number, plan, faults))
    return first, stories, bad, done


def tasks(examples: int, seed: int) -> Iterator[tuple[int, int, int]]:
    for first in range(0, examples, SHARE):
        yield seed * 1_000_000 + first, first, min(SHARE, examples - first)


def campaign(
    examples: int, seed: int, jobs: int, progress: Callable[[str], object] = lambda line: None
) -> tuple[int, list[Found], Counter[str]]:
    """How many stories were told, what was found, and of what they were made."""
    stories, found, done = 0, list[Found](), Counter[str]()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for _, more, bad, counted in pool.imap_unordered(share, tasks(examples, seed)):
            stories, found, done = stories + more, found + bad, done + counted
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
        first = options.only - options.only % SHARE
        plan = drawn(options.seed * 1_000_000 + first, SHARE)[options.only - first]
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

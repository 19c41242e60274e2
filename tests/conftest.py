"""For all tests: this folder's modules (`running_demo`) can be imported from the folders below it."""

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent

# A shell's background job, and what it starts, ignores SIGINT: then Ctrl-C could be tested with nobody.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Hundreds of processes are started by tests: each would compile every module anew, a third of a second of core's start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A busy machine is no fault of an example: what must be quick says so itself.
settings.register_profile("siaga", deadline=None)
settings.load_profile("siaga")


BATCH = ("unit", "property", "fuzz", "campaign")  # folders that reckon, and wait for nothing: they are in nobody's way


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Who is watched for seconds (stories, sound, pages) has the processors first, on a machine that is full of tests:
    also what a module's fixtures start, so before these. Only root can take a nice value back."""
    nice = 15 if item.path.relative_to(ROOT).parts[0] in BATCH else 0
    if os.geteuid() == 0 and os.getpriority(os.PRIO_PROCESS, 0) != nice:
        os.setpriority(os.PRIO_PROCESS, 0, nice)


@pytest.fixture(autouse=True)
def own_log_level() -> Iterator[None]:
    """A test of many processes in one may silence the log; the next one on this worker may want to hear it."""
    log, disabled = logging.getLogger("siaga"), logging.root.manager.disable
    level = log.level
    yield
    log.setLevel(level)
    logging.disable(disabled)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whole stories wait for most of their minute: two of the workers begin with them, the others have the processors
    meanwhile, and at the end nobody waits for a last story. Each worker begins with its even share of the list."""
    workers = int(getattr(config, "workerinput", {}).get("workercount", 1))
    stories = [item for item in items if item.path.name == "test_scenarios.py"]
    others = [item for item in items if item.path.name != "test_scenarios.py"]
    first, second = stories[::2], stories[1::2]
    share = len(items) * (workers // 2) // workers + workers - len(first)  # some into it: shares differ by one or two
    items[:] = [*first, *others[: max(0, share)], *second, *others[max(0, share) :]]

"""For all tests: this folder's modules (`running_demo`) can be imported from the folders below it."""

import os
import signal

import pytest
from hypothesis import settings

# A shell's background job, and what it starts, ignores SIGINT: then Ctrl-C could be tested with nobody.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Hundreds of processes are started by tests: each would compile every module anew, a third of a second of core's start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A busy machine is no fault of an example: what must be quick says so itself.
settings.register_profile("siaga", deadline=None)
settings.load_profile("siaga")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole stories first: each lasts up to a minute, and at the end two workers would wait for the third."""
    items.sort(key=lambda item: item.path.name != "test_scenarios.py")

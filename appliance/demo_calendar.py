"""Brings a test of the calendar near, so that a story can wait for it: a time in a site file, a minute or two ahead."""

import tomllib
from datetime import datetime, timedelta
from pathlib import Path

import tomli_w

from appliance.config import ZONES

TESTS = {"silent": "silent_test", "sms_probe": "sms_probe", "voice": "voice_test"}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AHEAD = timedelta(seconds=15)  # at least: core has to start, and counts only what is due behind that


def due_soon(file: Path, test: str, wall: float) -> str:
    """Have `test` due at the next full minute that is far enough, each day; the time as it stands in the file.

    Raises ValueError for a test that has no hour of its own.
    """
    if test not in TESTS:
        raise ValueError(f"there is no test {test!r} with an hour of its own; there is {', '.join(TESTS)}")
    site = tomllib.loads(file.read_text())
    at = datetime.fromtimestamp(wall, ZONES[site.get("zone", "WIT")]) + AHEAD + timedelta(minutes=1)
    time = f"{at:%H:%M}"
    site["supervision"] = site.get("supervision", {}) | {TESTS[test]: time, "voice_days": list(DAYS)}
    file.write_text(tomli_w.dumps(site))
    return time

"""What feeds the building and how long it lasts: only from what is measured now, else not known."""

import pytest

from appliance.model import Source
from appliance.power.dark import dark, source
from appliance.power.genset_machine import GensetSeen
from appliance.power.mains_machine import Witness
from appliance.power.plant_machine import UpsSeen
from drivers.quality import Quality
from drivers.reading import Reading

NOW, FRESH_S = 1000.0, 5.0
AT_REST, FEEDS, SILENT = GensetSeen(feeding=False), GensetSeen(feeding=True), GensetSeen()
ON_LINE, ON_BATTERY = UpsSeen(on_battery=False, off=False), UpsSeen(on_battery=True, off=False)
OFF, UPS_SILENT = UpsSeen(off=True), UpsSeen()


def runtime(seconds: float | None, at: float = NOW, quality: Quality = Quality.GOOD) -> dict[str, Reading]:
    return {"runtime_s": Reading("runtime_s", seconds, "s", quality, at)}


@pytest.mark.parametrize(
    ("sets", "batteries", "says", "feeds"),
    [
        ([AT_REST], [ON_LINE], [True, True], Source.MAINS),
        ([AT_REST], [UPS_SILENT], [True, None], Source.MAINS),
        ([AT_REST], [ON_BATTERY], [False, False], Source.BATTERY),
        ([FEEDS], [ON_BATTERY], [False, None], Source.BATTERY),
        ([FEEDS], [ON_LINE], [False, None], Source.GENSET),
        ([FEEDS], [ON_LINE], [True, None], Source.GENSET),
        ([AT_REST], [OFF], [False, None], Source.DARK),
        ([AT_REST], [], [False], Source.DARK),
        ([], [OFF], [None], Source.UNKNOWN),
        ([AT_REST], [UPS_SILENT], [False, None], Source.UNKNOWN),
        ([SILENT], [OFF], [False], Source.UNKNOWN),
        ([SILENT], [ON_LINE], [None, None], Source.UNKNOWN),
        ([SILENT], [UPS_SILENT], [None, None], Source.UNKNOWN),
        ([], [], [], Source.UNKNOWN),
    ],
)
def test_what_feeds_is_what_is_measured(
    sets: list[GensetSeen], batteries: list[UpsSeen], says: list[bool | None], feeds: Source
) -> None:
    assert source(sets, batteries, [Witness(str(i), s, NOW) for i, s in enumerate(says)]) is feeds


def test_on_battery_the_least_runtime_counts_with_its_own_age() -> None:
    left = dark(Source.BATTERY, [runtime(1200, NOW - 1), runtime(840, NOW - 2)], NOW, FRESH_S)
    assert (left.minutes, left.reason, left.at, left.fresh_s) == (14.0, "ups_runtime", NOW - 2, FRESH_S)


@pytest.mark.parametrize(
    "readings",
    [
        [runtime(None, quality=Quality.NO_LINK)],
        [runtime(1200, NOW - 6)],
        [runtime(1200), runtime(None, quality=Quality.SENSOR_FAULT)],
        [runtime(1200), {}],
        [],
    ],
    ids=["no link", "too old", "one of two", "no such figure", "no UPS"],
)
def test_a_runtime_that_is_not_known_is_no_number(readings: list[dict[str, Reading]]) -> None:
    left = dark(Source.BATTERY, readings, NOW, FRESH_S)
    assert (left.minutes, left.reason) == (None, "unknown")


@pytest.mark.parametrize(
    ("feeds", "minutes", "reason"),
    [
        (Source.MAINS, None, "mains_feeds"),
        (Source.GENSET, None, "genset_feeds"),
        (Source.UNKNOWN, None, "unknown"),
        (Source.DARK, 0.0, "dark"),
    ],
)
def test_a_battery_that_does_not_feed_gives_no_minutes(feeds: Source, minutes: float | None, reason: str) -> None:
    left = dark(feeds, [runtime(1200)], NOW, FRESH_S)
    assert (left.minutes, left.reason) == (minutes, reason)

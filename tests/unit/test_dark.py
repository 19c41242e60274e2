"""What feeds the building and how long it lasts: only from what is measured now, else not known."""

from typing import Any

import pytest

from appliance.model import Source
from appliance.power.dark import Discharging, Tank, dark, source
from appliance.power.discharge_machine import BatterySeen
from appliance.power.genset_machine import GensetSeen
from appliance.power.mains_machine import Witness
from appliance.power.plant_machine import UpsSeen
from appliance.power.run_machine import Measures
from appliance.power_state import Burn

NOW, FRESH_S = 1000.0, 5.0
AT_REST, FEEDS, SILENT = GensetSeen(feeding=False), GensetSeen(feeding=True), GensetSeen()
ON_LINE, ON_BATTERY = UpsSeen(on_battery=False, off=False), UpsSeen(on_battery=True, off=False)
OFF, UPS_SILENT = UpsSeen(off=True), UpsSeen()


def battery(
    runtime_s: float | None, at: float = NOW, observed: float | None = None, about: str = "ups/u1"
) -> Discharging:
    return Discharging(about, BatterySeen(at=NOW, charge=50.0, runtime_s=runtime_s, runtime_at=at), observed)


def tank(**words: Any) -> Tank:
    """400 l at 55 %, 5 % of it out of reach: 200 l. At 40 kW and a quarter litre a kWh they last 20 h."""
    measured: dict[str, Any] = {"at": NOW, "fuel": 55.0, "kw": 40.0, "load": 40.0} | words.pop("seen", {})
    usual: dict[str, Any] = {
        "about": "genset/g1", "seen": Measures(**measured), "litres": 400.0, "reserve": 5.0, "litres_per_kwh": 0.25,
        "burns": {},
    }  # fmt: skip
    return Tank(**(usual | words))


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
    batteries = [battery(1200, NOW - 1), battery(840, NOW - 2, about="ups/u2")]
    left = dark(Source.BATTERY, True, batteries, [], NOW, FRESH_S)
    assert (left.minutes, left.reason, left.at, left.fresh_s) == (14.0, "ups_runtime", NOW - 2, FRESH_S)
    assert [(p.about, p.minutes) for p in left.parts if p.counts] == [("ups/u2", 14.0)]


@pytest.mark.parametrize(
    ("said_s", "observed", "minutes", "reason"),
    [
        (1200, 8.0, 8.0, "ups_observed"),
        (300, 8.0, 5.0, "ups_runtime"),
        (None, 8.0, 8.0, "ups_observed"),
        (1200, None, 20.0, "ups_runtime"),
    ],
)
def test_of_a_batterys_own_word_and_its_discharge_the_smaller_counts(
    said_s: float | None, observed: float | None, minutes: float, reason: str
) -> None:
    left = dark(Source.BATTERY, True, [battery(said_s, observed=observed)], [], NOW, FRESH_S)
    assert (left.minutes, left.reason) == (minutes, reason)
    assert [p.what for p in left.parts] == ["ups_runtime", "ups_observed"]
    assert [p.what for p in left.parts if p.counts] == [reason]


@pytest.mark.parametrize(
    "batteries",
    [[battery(None)], [battery(1200, NOW - 6)], [battery(1200), battery(None, about="ups/u2")], []],
    ids=["no figure", "too old", "one of two", "no UPS"],
)
def test_a_runtime_that_is_not_known_is_no_number(batteries: list[Discharging]) -> None:
    left = dark(Source.BATTERY, True, batteries, [], NOW, FRESH_S)
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
    left = dark(feeds, True, [battery(1200)], [], NOW, FRESH_S)
    assert (left.minutes, left.reason) == (minutes, reason)


@pytest.mark.parametrize(
    ("words", "minutes", "why"),
    [
        ({}, 1200.0, ""),
        ({"burns": {"25": Burn(0.5, 100.0)}}, 600.0, ""),
        ({"burns": {"75": Burn(0.5, 100.0)}}, 600.0, ""),
        ({"litres": None}, None, "no_tank"),
        ({"seen": {"fuel": None}}, None, "no_figure"),
        ({"seen": {"kw": None}}, None, "no_load"),
        ({"seen": {"kw": 0.0}}, None, "no_load"),
        ({"seen": {"fuel": 4.0}}, 0.0, ""),
    ],
)
def test_on_a_generator_in_an_outage_the_fuel_at_this_load_counts(
    words: dict[str, Any], minutes: float | None, why: str
) -> None:
    left = dark(Source.GENSET, True, [], [tank(**words)], NOW, FRESH_S)
    assert (left.minutes, left.reason) == (minutes, "genset_feeds" if why else "fuel")
    assert [(p.minutes, p.why) for p in left.parts] == [(minutes, why)]


def test_in_an_exercise_nothing_gets_dark_when_the_fuel_is_out() -> None:
    assert dark(Source.GENSET, False, [], [tank()], NOW, FRESH_S).minutes is None


def test_of_two_sets_that_share_a_load_the_first_empty_one_counts() -> None:
    left = dark(Source.GENSET, True, [], [tank(), tank(about="genset/g2", litres=200.0)], NOW, FRESH_S)
    assert left.minutes == 600.0
    assert [p.about for p in left.parts if p.counts] == ["genset/g2"]

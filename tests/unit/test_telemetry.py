"""Minute values: what a minute says, what is kept for how long, and what a wrong clock or a broken file may cost."""

import math
import sqlite3
from pathlib import Path

import pytest

from appliance.figure import Figure
from appliance.telemetry_collector import BLOCK, MOST_BLOCKS, Blocks, Collector, Point
from appliance.telemetry_file import DAY, TelemetryFile
from appliance.telemetry_reader import read_telemetry, step_for
from appliance.telemetry_slots import EMPTY, QUALITIES, Slot, condensed, pack, unpack

GOOD = QUALITIES.index("good")
FUEL = "genset/g1/fuel_level"
MODE = "genset/g1/mode"
TODAY = 20_600  # days since 1970; a day in 2026


def figure(value: float | str | bool | None, *, at: float = 0.0, quality: str = "good") -> Figure:
    return Figure(value, "%" if isinstance(value, (int, float)) else "", quality, at, fresh_s=5.0)


def gather(*looks: tuple[float, dict[str, Figure]]) -> Blocks:
    """Blocks of looks at wall times; monotonic time is the wall's here."""
    collector = Collector()
    for at, figures in looks:
        collector.look(figures.items(), at, at)
    return collector.ready(all=True)


def day_of(value: float, day: int) -> Blocks:
    """A whole day of one value."""
    point = Point(FUEL, "%", "number")
    slot = Slot(value, value, value, GOOD)
    return {day * DAY + at: {point: dict.fromkeys(range(BLOCK), slot)} for at in range(0, DAY, BLOCK)}


def test_a_minute_has_its_least_mean_and_most_of_good_values_and_its_last_quality() -> None:
    looks = [(60.0 + i, {FUEL: figure(v, at=60.0 + i)}) for i, v in enumerate((70.0, 80.0, 60.0))]
    looks.append((63.0, {FUEL: figure(None, at=63.0, quality="sensor_fault")}))
    blocks = gather(*looks)
    kept = blocks[0][Point(FUEL, "%", "number")][1]
    assert kept == Slot(60.0, 70.0, 80.0, QUALITIES.index("sensor_fault"))


def test_a_value_that_has_grown_old_is_not_counted_on() -> None:
    blocks = gather((60.0, {FUEL: figure(70.0, at=60.0)}), (130.0, {FUEL: figure(70.0, at=60.0)}))
    minutes = blocks[0][Point(FUEL, "%", "number")]
    stale = minutes[2]
    assert minutes[1] == Slot(70.0, 70.0, 70.0, GOOD)
    assert isinstance(stale, Slot)
    assert math.isnan(stale.mean)
    assert QUALITIES[stale.quality] == "stale"


def test_a_disk_that_takes_nothing_costs_the_oldest_minutes_and_no_more_memory() -> None:
    collector = Collector()
    for minute in range(BLOCK * (MOST_BLOCKS + 10)):
        at = minute * 60.0
        collector.look([(FUEL, figure(50.0, at=at))], at, at)
    blocks = collector.ready()
    assert len(blocks) <= MOST_BLOCKS
    assert min(blocks) >= BLOCK * 9


@pytest.mark.parametrize("count", [1, 5, 96])
def test_a_row_says_after_the_file_what_it_said_before(count: int) -> None:
    alike = [Slot(1.5, 2.5, 3.5, GOOD)] * count
    assert unpack(pack(alike), count) == alike
    mixed = [Slot(float(i), float(i), float(i), GOOD) for i in range(count)]
    assert unpack(pack(mixed), count) == mixed
    assert all(slot.quality == 0 and not slot.known for slot in unpack(pack([EMPTY] * count), count))
    assert all(slot.quality == 0 for slot in unpack(b"torn", count))


def test_a_quarter_keeps_the_extremes_and_the_last_word() -> None:
    parts = [Slot(1, 2, 3, GOOD), EMPTY, Slot(0, 4, 9, GOOD)]
    assert condensed(parts, words=False) == Slot(0, 3, 9, GOOD)
    assert condensed(parts, words=True).mean == 4


def test_what_was_written_is_read_again_words_too(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    begin = TODAY * 86_400.0
    looks = []
    for second in range(0, 600, 10):
        at = begin + second
        mode = "auto" if second < 300 else "stop"
        looks.append((at, {FUEL: figure(70.0 + second / 60, at=at), MODE: figure(mode, at=at)}))
    file = TelemetryFile(path)
    file.write(gather(*looks), TODAY)
    file.close()
    told = read_telemetry(path, [FUEL, MODE, "genset/g1/nothing"], begin, begin + 900, begin + 900)
    assert (told.begin, told.step, told.count) == (begin, 60, 15)
    fuel, mode = told.points[FUEL], told.points[MODE]
    assert (fuel.unit, fuel.kind, fuel.last) == ("%", "number", "good")
    assert fuel.low[0] == 70.0
    assert fuel.high[0] == pytest.approx(70.833, abs=0.001)
    assert fuel.mean[10:] == [None] * 5
    assert mode.mean[:10] == ["auto"] * 5 + ["stop"] * 5
    assert told.points["genset/g1/nothing"].mean == []


def test_a_restart_in_a_minute_loses_no_minute_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    begin = TODAY * 86_400.0
    for value, seconds in ((10.0, (0, 60)), (20.0, (60, 120, 180))):
        file = TelemetryFile(path)
        file.write(gather(*((begin + s, {FUEL: figure(value, at=begin + s)}) for s in seconds)), TODAY)
        file.close()
    told = read_telemetry(path, [FUEL], begin, begin + 300, begin + 300)
    assert told.points[FUEL].mean == [10.0, 10.0, 20.0, 20.0, None]


def test_days_are_condensed_minutes_forgotten_and_quarters_kept_for_400_days(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    file = TelemetryFile(path)
    first = TODAY - 33
    for day in range(first, TODAY + 1):
        for start, block in day_of(float(day - first), day).items():
            if start % 60 == 0:  # a block an hour is enough to see by
                file.write({start: block}, day)
    file.close()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT min(start) FROM minute").fetchone()[0] >= (TODAY - 31) * DAY
        assert db.execute("SELECT count(*) FROM quarter").fetchone()[0] == 33
    db.close()
    now = (TODAY + 1) * 86_400.0
    told = read_telemetry(path, [FUEL], first * 86_400.0, now, now)
    means = told.points[FUEL].mean
    per_day = 86_400 // told.step
    assert told.step == 900 or told.step == 3600
    assert [means[day * per_day] for day in range(34)] == [float(day) for day in range(34)]


def test_a_clock_that_is_wrong_by_years_for_an_hour_costs_little(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    file = TelemetryFile(path)
    for day in range(TODAY - 3, TODAY):
        file.write(day_of(50.0, day), day + 1)
    for look in range(12):  # an hour in 2040
        file.write({(TODAY + 5000) * DAY + look * BLOCK: {}}, TODAY + 5000)
    file.close()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM minute").fetchone()[0] >= 2 * DAY // BLOCK
        assert db.execute("SELECT count(*) FROM quarter").fetchone()[0] >= 1
    db.close()


@pytest.mark.parametrize(("days", "step"), [(1, 60), (7, 300), (30, 900), (100, 3600), (400, 14_400)])
def test_a_step_fits_the_span(days: int, step: int) -> None:
    now = TODAY * 86_400.0
    assert step_for(now - days * 86_400, now, now) == step


def test_of_long_ago_there_are_quarters_only() -> None:
    now = TODAY * 86_400.0
    assert step_for(now - 60 * 86_400, now - 59 * 86_400, now) == 900

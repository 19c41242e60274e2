"""The bench's table says what was measured, beside what, and whether the aim holds; it never flatters."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PROJECT))
    return importlib.import_module("tests.bench.table")


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(PROJECT))
    return importlib.import_module("tests.bench.compare")


@pytest.mark.parametrize(
    ("values", "percent", "wanted"),
    [
        ([5.0], 50, 5.0),
        ([5.0], 99, 5.0),
        ([4.0, 1.0, 3.0, 2.0], 50, 2.0),
        ([4.0, 1.0, 3.0, 2.0], 51, 3.0),
        ([float(n) for n in range(1, 101)], 99, 99.0),
        ([float(n) for n in range(1, 101)], 100, 100.0),
        ([float(n) for n in range(1, 301)], 99, 297.0),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(
    table: ModuleType, values: list[float], percent: float, wanted: float
) -> None:
    assert table.percentile(values, percent) == wanted


def test_one_slow_round_of_fifty_is_the_99th_percentile(table: ModuleType) -> None:
    assert table.percentile([1.0] * 49 + [40.0], 99) == 40.0


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_there_is_no_percentile_of_nothing(table: ModuleType, values: list[float], percent: float) -> None:
    with pytest.raises(ValueError, match="percent"):
        table.percentile(values, percent)


def test_a_ratio_is_the_value_by_its_floor(table: ModuleType) -> None:
    row = table.beside("press", 6.0, "ms", 2.0, 4.0)
    assert (row.value, row.floor, row.ratio, row.aim, row.holds) == (6.0, 2.0, 3.0, "at most 4 x", True)


def test_an_aim_holds_at_its_limit_and_not_above_it_even_where_rounding_hides_it(table: ModuleType) -> None:
    assert table.beside("press", 8.0, "ms", 2.0, 4.0).holds
    above = table.beside("press", 8.0001, "ms", 2.0, 4.0)
    assert above.ratio == 4.0
    assert above.holds is False
    assert table.at_most("memory", 150.0, "MB", 150.0).holds
    assert table.at_most("memory", 150.001, "MB", 150.0).holds is False


def test_a_figure_without_an_aim_neither_holds_nor_fails(table: ModuleType) -> None:
    assert table.beside("read", 2.0, "us", 4.0).holds is None
    assert table.plain("floor", 1.0, "ms").holds is None
    assert table.missing("rival", "ms", "not installed").holds is None


def test_a_lost_order_fails_its_row(table: ModuleType) -> None:
    assert table.exactly("orders", 300, "orders", 300).holds
    assert table.exactly("orders", 299, "orders", 300).holds is False


def test_a_floor_of_nothing_is_no_floor(table: ModuleType) -> None:
    with pytest.raises(ValueError, match="floor of 0"):
        table.beside("press", 1.0, "ms", 0.0)


def test_the_file_has_exactly_the_promised_keys(table: ModuleType) -> None:
    written = json.loads(msgspec.json.encode([table.beside("press", 6.0, "ms", 2.0, 4.0), table.plain("x", 1, "s")]))
    keys = ["name", "value", "unit", "floor", "ratio", "aim", "holds"]
    assert [list(row) for row in written] == [keys, keys]


def test_the_table_shows_every_row_and_marks_what_falls_short(table: ModuleType) -> None:
    rows = [
        table.beside("press", 9.0, "ms", 2.0, 4.0),
        table.at_most("memory", 90.0, "MB", 150.0),
        table.missing("Node-RED", "ms", "not installed: make bench-rivals"),
    ]
    heading, press, memory, rival = table.text(rows).splitlines()
    assert heading.split() == ["value", "unit", "beside", "ratio", "aim", "holds"]
    assert press.split() == ["press", "9", "ms", "2", "4.5", "at", "most", "4", "x", "NO"]
    assert memory.endswith("yes")
    assert rival.endswith("make bench-rivals")
    assert table.summary(rows) == "1 of 2 aims hold. Short of its aim: press."
    assert table.summary(rows[1:]) == "1 of 1 aims hold."


def test_without_rivals_the_comparison_says_what_is_missing(table: ModuleType, compare: ModuleType) -> None:
    ours = [table.plain("press to relay, p50", 5.0, "ms"), table.plain("press to answer, p50", 8.0, "ms")]
    *rest, last = compare.beside_rivals(ours, [])
    assert rest == ours
    assert last.value is None
    assert "make bench-rivals" in last.aim


def test_a_press_stands_beside_node_red_in_haste_with_the_aim_and_beside_a_lone_one_without(
    table: ModuleType, compare: ModuleType
) -> None:
    ours = [table.plain("press to relay, p50", 5.0, "ms"), table.plain("press to answer, p50", 8.0, "ms")]
    rivals = [
        table.plain(f"Node-RED, {how}, {until}, p50", value, "ms")
        for how, until, value in [
            ("back to back", "to answer", 88.0),
            ("lone", "to answer", 44.0),
            ("lone, our broker", "to answer", 40.0),
            ("lone", "to relay", 4.0),
            ("lone, our broker", "to relay", 2.0),
        ]
    ]
    added = compare.beside_rivals(ours, rivals)[len(ours) :]
    assert [(row.value, row.floor, row.aim) for row in added] == [
        (5.0, 88.0, "at most 0.1 x"),
        (8.0, 44.0, None),
        (8.0, 40.0, None),
        (5.0, 4.0, None),
        (5.0, 2.0, None),
    ]
    assert added[0].holds
    assert added[4].ratio == 2.5


def test_hops_of_a_press_add_up_to_its_whole(compare: ModuleType) -> None:
    press = importlib.import_module("tests.bench.press")
    one = press.Press(
        10.0, 10.006, "ab", True, issued=10.001, sent=10.002, pin=10.005, accepted=10.006, energised=10.009
    )
    hops = {
        row.name: row.value
        for row in compare.latency_rows([compare.Series("", [1.0], [one])], [0.2])
        if "of it" in row.name
    }
    assert [since for _, since, _ in compare.HOPS[1:]] == [until for _, _, until in compare.HOPS[:-1]]
    assert sum(v for name, v in hops.items() if "commit," not in name) == pytest.approx(one.ms("energised"))


def test_each_kind_of_press_stands_beside_the_floor_that_was_measured_with_it(compare: ModuleType) -> None:
    press = importlib.import_module("tests.bench.press")
    one = press.Press(10.0, 10.006, "ab", True, pin=10.004, energised=10.009)
    kinds = [compare.Series("", [1.0], [one]), compare.Series(", page open", [2.0], [one])]
    ratios = {row.name: row.ratio for row in compare.latency_rows(kinds, [0.2]) if row.aim}
    assert ratios == {
        "press to relay, p50": 4.0,
        "press to relay, p99": 4.0,
        "press to relay, page open, p50": 2.0,
        "press to relay, page open, p99": 2.0,
    }

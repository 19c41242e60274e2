"""What drivers write into NUT's variables, and what we make of it: values as they are said in real dumps."""

import pytest

from drivers.nut.points import UNITS, lost, readings
from drivers.quality import Quality

G, NONE = Quality.GOOD, Quality.UNIMPLEMENTED


def said(**variables: str) -> dict[str, tuple[object, Quality]]:
    named = {name.replace("_", "."): value for name, value in variables.items()}
    return {r.point: (r.value, r.quality) for r in readings({"ups.status": "OL", **named}, 7.0)}


STATUS = {
    "OL": {"online"},
    "OL CHRG": {"online"},
    "OB DISCHRG": {"on_battery"},
    "OB DISCHRG LB": {"on_battery", "low_battery"},
    "ALARM OL RB": {"online", "battery_replace"},
    "OL BYPASS": {"online", "bypass"},
    "BYPASS": {"bypass"},
    "OFF": {"output_off"},
    "OL OFF": {"online", "output_off"},
    "OL OVER TRIM": {"online", "overload"},
    "FSD OB LB": {"on_battery", "low_battery", "shutdown_imminent"},
    "OL ECO": {"online", "eco_mode"},
    "OB TEST DISCHRG": {"on_battery", "testing"},
    "OL CAL": {"online", "testing"},
    "OLD OBSOLETE": set(),
}


@pytest.mark.parametrize(("status", "true"), STATUS.items())
def test_words_of_the_status_are_flags(status: str, true: set[str]) -> None:
    points = said(ups_status=status)
    assert {name for name, (value, _) in points.items() if value is True} == true


def test_what_a_driver_leaves_out_is_not_known_and_not_false() -> None:
    points = said()
    for name in ("fault", "over_temperature", "charger_fault", "battery_disconnected", "shutdown_imminent", "testing"):
        assert points[name] == (None, NONE)
    assert points["on_battery"] == (False, G)
    assert points["self_test"] == points["input_bad"] == points["beeper_muted"] == points["load"] == (None, NONE)


@pytest.mark.parametrize(
    "variables",
    [{}, {"ups.status": ""}, {"ups.status": "WAIT"}, {"ups.status": "OL", "driver.state": "reconnect.trying"}],
)
def test_a_driver_that_has_no_ups_knows_nothing(variables: dict[str, str]) -> None:
    assert readings(variables, 7.0) == lost(7.0)
    assert {r.quality for r in lost(7.0)} == {Quality.NO_LINK}


@pytest.mark.parametrize("state", ["quiet", "updateinfo", "dumping"])
def test_a_driver_at_work_is_believed(state: str) -> None:
    assert said(driver_state=state)["online"] == (True, G)


ALARMS = {
    "[Replace battery! Temperature too high!]": {"over_temperature"},
    "Shutdown imminent! No battery installed!": {"shutdown_imminent", "battery_disconnected"},
    "(ID 42/36): Charger fault (internal fault)!": {"charger_fault", "fault"},
    "Battery charger fault.": {"charger_fault"},
    "UPS internal overtemperature": {"over_temperature"},
    "Imminent STOP. Over temperature fault.": {"shutdown_imminent", "over_temperature"},
    "Awaiting power!": set(),
}


@pytest.mark.parametrize(("alarm", "true"), ALARMS.items())
def test_alarms_are_told_by_their_texts(alarm: str, true: set[str]) -> None:
    points = said(ups_status="ALARM OL", ups_alarm=alarm)
    assert {name for name, (value, _) in points.items() if value is True} == {"online", *true}


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Done and passed", "passed"),
        ("Done and warning", "failed"),
        ("Done and error", "failed"),
        ("In progress", "running"),
        ("No test initiated", "none"),
        ("Test scheduled", "pending"),
        ("Aborted", "aborted"),
        ("OK - Battery GOOD", "passed"),
    ],
)
def test_a_test_result_is_read_from_its_text(text: str, state: str) -> None:
    assert said(**{"ups.test.result": text})["self_test"] == (state, G)


def test_a_result_that_nobody_knows_is_no_result() -> None:
    assert said(**{"ups.test.result": "7"})["self_test"] == (None, Quality.OVER_RANGE)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("229.8", (229.8, G)),
        ("230", (230.0, G)),
        ("3190", (None, Quality.OVER_RANGE)),
        ("-1", (None, Quality.UNDER_RANGE)),
        ("n/a", (None, Quality.SENSOR_FAULT)),
        ("nan", (None, Quality.SENSOR_FAULT)),
        ("inf", (None, Quality.SENSOR_FAULT)),
        ("", (None, Quality.SENSOR_FAULT)),
    ],
)
def test_a_figure_is_a_number_that_can_be(text: str, found: tuple[object, Quality]) -> None:
    assert said(input_voltage=text)["input_v"] == found


def test_of_three_phases_the_worst_counts() -> None:
    volts = {f"input.L{i}-N.voltage": v for i, v in ((1, "231"), (2, "12"), (3, "229"))}
    load = {f"output.L{i}.power.percent": v for i, v in ((1, "31"), (2, "72"), (3, "29"))}
    points = said(**volts, **load)
    assert (points["input_v"], points["load"]) == ((12.0, G), (72.0, G))


def test_the_input_is_bad_beyond_the_limits_at_which_the_ups_leaves_it() -> None:
    limits = {"input.transfer.low": "184", "input.transfer.high": "265"}
    assert [said(input_voltage=v, **limits)["input_bad"][0] for v in ("0", "230", "270")] == [True, False, True]
    assert said(**{"input.voltage.status": "critical-low"})["input_bad"] == (True, G)


def test_every_point_is_in_every_reading() -> None:
    assert list(said()) == list(UNITS)

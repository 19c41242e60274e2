"""What the plant machine is told of a device, from its readings: measured, good and fresh, or not known."""

from typing import Any

import pytest

from appliance.power.genset_machine import Engine
from appliance.power.seen import Words, genset_seen, ups_seen
from drivers.quality import Quality
from drivers.reading import Reading

NOW, FRESH_S = 1000.0, 5.0
UP = {"engine_state": "running", "rpm": 1500, "generator_v_l1": 230.0, "generator_hz": 50.0}


def readings(at: float = NOW, **values: Any) -> dict[str, Reading]:
    """Good ones; a value that is a Quality stands for a reading without a value."""
    return {
        name: Reading(name, None, "", value, at)
        if isinstance(value, Quality)
        else Reading(name, value, "", Quality.GOOD, at)
        for name, value in values.items()
    }


@pytest.mark.parametrize(
    ("values", "engine"),
    [
        ({"engine_state": "stopped", "rpm": 0}, Engine.STOPPED),
        ({"engine_state": "prestart", "rpm": 0}, Engine.STARTING),
        ({"engine_state": "warm_up", "rpm": 900}, Engine.STARTING),
        (UP, Engine.RUNNING),
        (UP | {"engine_state": "warm_up"}, Engine.RUNNING),
        (UP | {"engine_state": "cooling"}, Engine.COOLING),
        (UP | {"engine_state": "post_run"}, Engine.STOPPING),
        (UP | {"rpm": 1350}, Engine.TURNING),
        (UP | {"generator_v_l1": 206.9}, Engine.TURNING),
        (UP | {"generator_v_l1": 253.1}, Engine.TURNING),
        (UP | {"generator_hz": 47.4}, Engine.TURNING),
        (UP | {"generator_hz": 52.6}, Engine.TURNING),
        (UP | {"generator_v_l1": Quality.OVER_RANGE}, Engine.TURNING),
        (UP | {"rpm": Quality.UNIMPLEMENTED}, Engine.RUNNING),
        (UP | {"generator_v_l2": 0.0, "generator_v_l3": 0.0}, Engine.RUNNING),
        (UP | {"engine_state": Quality.UNIMPLEMENTED}, Engine.RUNNING),
        ({"engine_state": "stopped", "rpm": 190}, Engine.TURNING),
        ({"engine_state": Quality.UNIMPLEMENTED, "rpm": 190}, Engine.TURNING),
        ({"engine_state": Quality.UNIMPLEMENTED, "rpm": 0}, Engine.STANDING),
        ({"engine_state": Quality.NO_LINK, "rpm": Quality.NO_LINK}, None),
        ({}, None),
    ],
)
def test_running_is_measured_and_all_else_is_what_the_controller_says(values: dict[str, Any], engine: Engine) -> None:
    assert genset_seen(Words(readings(**values), NOW, FRESH_S)).engine is engine


@pytest.mark.parametrize(
    ("values", "present"),
    [
        ({"mains_v_l1": 230.0, "mains_failed": False}, True),
        ({"mains_v_l1": 230.0}, True),
        ({"mains_failed": False}, True),
        ({"mains_v_l1": 230.0, "mains_v_l2": 0.0, "mains_v_l3": 0.0}, True),
        ({"mains_v_l1": 183.9, "mains_v_l2": 0.0}, False),
        ({"mains_v_l1": 230.0, "mains_failed": True}, False),
        ({"mains_v_l1": Quality.OVER_RANGE}, None),
        ({"mains_v_l1": Quality.NO_LINK, "mains_failed": Quality.NO_LINK}, None),
        ({}, None),
    ],
)
def test_the_controller_judges_mains_by_its_volts_and_its_alarm(values: dict[str, Any], present: bool | None) -> None:
    assert genset_seen(Words(readings(**values), NOW, FRESH_S)).mains is present


@pytest.mark.parametrize(
    ("values", "feeding"),
    [
        ({"generator_a_l1": 12.0, "generator_w": 2500}, True),
        ({"generator_a_l1": 0.0, "generator_a_l2": 3.0}, True),
        ({"generator_w": 2500}, True),
        ({"generator_a_l1": 0.4, "generator_w": 40}, False),
        ({"generator_a_l1": Quality.UNIMPLEMENTED, "generator_w": -20}, False),
        ({"generator_a_l1": Quality.NO_LINK}, None),
    ],
)
def test_a_set_feeds_when_current_flows(values: dict[str, Any], feeding: bool | None) -> None:
    assert genset_seen(Words(readings(**values), NOW, FRESH_S)).feeding is feeding


def test_a_fault_is_named_by_the_point_that_tells_most() -> None:
    flags = {"shutdown_alarm": True, "emergency_stop": False, "electrical_trip_alarm": False}
    assert genset_seen(Words(readings(**flags), NOW, FRESH_S)).fault == "shutdown_alarm"
    assert genset_seen(Words(readings(**flags, low_oil_pressure=True), NOW, FRESH_S)).fault == "low_oil_pressure"
    assert genset_seen(Words(readings(**flags | {"shutdown_alarm": False}), NOW, FRESH_S)).fault == ""
    warned = {"shutdown_alarm": False, "overspeed": True}
    assert genset_seen(Words(readings(**warned), NOW, FRESH_S)).fault == "", "a warning stops nothing"
    assert genset_seen(Words(readings(rpm=0), NOW, FRESH_S)).fault is None


@pytest.mark.parametrize(
    ("values", "on_battery"),
    [
        ({"online": True, "on_battery": False}, False),
        ({"online": False, "on_battery": True}, True),
        ({"online": False, "on_battery": True, "testing": True}, False),
        ({"online": False, "on_battery": True, "self_test": "running"}, False),
        ({"online": False, "on_battery": True, "testing": True, "input_bad": True}, True),
        ({"online": False, "on_battery": False}, None),  # all zeros: a map that is not there
        ({"online": False, "on_battery": False, "bypass": True}, False),
        ({"on_battery": False}, False),
        ({"on_battery": Quality.NO_LINK, "online": Quality.NO_LINK}, None),
    ],
)
def test_a_ups_on_battery_by_its_own_will_has_lost_nothing(values: dict[str, Any], on_battery: bool | None) -> None:
    assert ups_seen(Words(readings(**values), NOW, FRESH_S)).on_battery is on_battery


def test_what_is_too_old_says_nothing() -> None:
    old = readings(NOW - FRESH_S - 0.1, **UP, mains_v_l1=230.0, mode="auto")
    seen = genset_seen(Words(old, NOW, FRESH_S))
    assert (seen.linked, seen.engine, seen.mains, seen.mode) == (False, None, None, "")
    assert genset_seen(Words(old, NOW - 0.2, FRESH_S)).linked


def test_a_device_is_linked_while_any_of_its_points_answers() -> None:
    assert not genset_seen(Words(readings(rpm=Quality.NO_LINK, mode=Quality.NO_LINK), NOW, FRESH_S)).linked
    assert genset_seen(Words(readings(rpm=Quality.UNIMPLEMENTED, mode=Quality.NO_LINK), NOW, FRESH_S)).linked
